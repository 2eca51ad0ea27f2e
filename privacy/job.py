"""A batch on its way through the scrubber: its texts, what is known of them, and what was found so far."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from privacy import marks
from privacy.fields import Treatment
from privacy.policy import Policy, Replace

LONGEST = 16_384
"""Characters; a longer text is not examined but replaced whole."""
MOST_MATCHES = 128
"""A text in which a group of rules matches more often is replaced whole: each match has to be judged, which costs
microseconds, and 8 KiB of nothing but addresses would have a thousand."""
SPARE_MATCHES = 16
"""Matches per further text of a batch before its texts are looked at one by one."""
MOST_DECODED = 4 * LONGEST
"""Characters that encodings of one text may hold over all rounds and layers; a text with more is replaced whole."""
PRICE_OF_A_RUN = 128
"""Characters that a run counts for besides its own: what it costs to look into it at all."""
DEEPEST = 4
"""Encodings in encodings that are taken off one by one; what is encoded deeper is not passed on."""


NOWHERE = (-1, -1)


class Step(NamedTuple):
    """One replacement, for those who want to know why a text became what it is."""

    rule: str
    original: str
    """What stood there, decoded."""
    replacement: str
    start: int
    end: int
    """Where it stood in the text as that round of scrubbing found it; -1 when a field's structure condemned it."""
    depth: int
    """Encodings around it."""


class Find(NamedTuple):
    start: int
    end: int
    rank: int
    rule: str
    mark: str
    replacement: str | None
    """What takes its place where that is no mark: an encoded run with marks in it."""
    rewrite: Callable[[str, Replace], str] | None = None


class Job:
    """A batch on its way."""

    def __init__(
        self,
        run: "Run",
        policy: Policy,
        replace: Replace,
        *,
        depth: int = 0,
        watch: Callable[[Step], None] | None = None,
    ) -> None:
        self.run = run
        self.policy = policy
        self.given_replace = replace
        self.depth = depth
        self.watch = watch
        self.texts: list[str] = []
        self.treatments: list[Treatment] = []
        self.finds: list[tuple[int, str]] = []
        self.dropped: set[int] = set()
        self.condemned: list[tuple[str, str, str]] = []
        self.owners: Sequence[int] = ()
        """Of what was decoded: row → the row of the batch that came in."""
        self.decoded: Counter[int] = Counter()
        """Row of the batch that came in → characters decoded."""

    def replace(self, mark: str, original: str) -> str:
        """What stands in the place of a find, noted."""
        replacement = self.given_replace(mark, original)
        self.condemned.append((mark, original, replacement))
        return replacement

    def nested(self) -> "Job":
        """A job for what was decoded."""
        job = Job(self.run, self.policy, self.given_replace, depth=self.depth + 1, watch=self.watch)
        job.decoded = self.decoded
        return job

    def owner(self, row: int) -> int:
        """The row of the batch that came in from which a row was decoded."""
        return self.owners[row] if self.depth else row

    def note(self, row: int, rule: str, original: str, replacement: str, span: tuple[int, int] = NOWHERE) -> None:
        """Counts a replacement, and tells it to who watches."""
        self.finds.append((row, rule))
        if self.watch is not None:
            self.watch(Step(rule, original, replacement, *span, self.depth))

    def give_up(self, row: int) -> None:
        """Passes nothing of a text on."""
        self.note(row, "unexamined", self.texts[row], marks.UNEXAMINED)
        self.texts[row] = marks.UNEXAMINED

    def drop(self, row: int) -> None:
        """Leaves a text out, as its policy wants."""
        self.dropped.add(row)
        self.texts[row] = ""


Run = Callable[[Job, Sequence[str], Sequence[str], Sequence[str]], list[str]]
"""Scrubs kinds, keys and texts as a job, and gives the texts."""
