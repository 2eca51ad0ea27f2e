"""Scrubbing, one text at a time or a batch in a few passes.

A text goes through two stages. *Prepare* knows what the text is: a URL loses its parameters' values, SQL its literals,
a field whose name tells is marked whole. *Examine* looks for personal data anywhere: one RE2 expression over all texts
of the batch, joined, finds those with any sign of it; over these alone run the rules of `privacy.detect`. Texts in
which something was found go round again until nothing is: that is why scrubbing twice changes nothing.

What cannot be examined is not passed on: `{unexamined}` stands for it, and it is counted.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

import numpy as np

from privacy import marks
from privacy.detect import GATES, RULES
from privacy.fields import Treatment, treatment
from privacy.keys import LONGEST_KEY
from privacy.verdicts import SEPARATOR

LONGEST = 16_384
"""Characters; a longer text is not examined but replaced whole."""
MOST_MATCHES = 128
"""A text in which the rules match more often is replaced whole: each match has to be judged, which costs microseconds,
and 8 KiB of nothing but addresses would have a thousand."""
SPARE_MATCHES = 16
"""Matches per further text of a batch before its texts are looked at one by one."""
ROUNDS = 5
"""A text in which the last round still finds something is replaced whole."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A scrubbed batch."""

    texts: list[str]
    """In the order given. A text in which nothing was found is the same object that came in."""
    hits: Mapping[str, int]
    """Rule → how often it replaced something: the names of `detect.RULES`; `prepare`, once for a text that lost a
    URL's values, SQL literals or all of itself for its name's sake; `unexamined`."""


class _Find(NamedTuple):
    start: int
    end: int
    rule: int
    replacement: str


def scrub(kind: str, key: str | None, text: str | None) -> str:
    """One value without personal data; see `scrub_batch`. None is taken for the empty string."""
    return scrub_batch((kind,), (key or "",), (text or "",)).texts[0]


def scrub_many(kinds: Sequence[str], keys: Sequence[str], texts: Sequence[str]) -> list[str]:
    """What `scrub` gives for each text, several times faster for many."""
    return scrub_batch(kinds, keys, texts).texts


def scrub_batch(kinds: Sequence[str], keys: Sequence[str], texts: Sequence[str]) -> Scrubbed:
    """Takes personal data out of many values; never raises for what the values hold.

    Args:
        kinds: what each text is: url, header, attribute, message, path, sql or user_agent; any other is a message.
        keys: the name of the header or attribute, "" where there is none.
        texts: the values, one for each kind and key.

    Raises:
        ValueError: the three differ in length.
    """
    if not len(kinds) == len(keys) == len(texts):
        raise ValueError("kinds, keys and texts differ in length; give one kind and one key for every text")
    hits: Counter[str] = Counter()
    try:
        return Scrubbed(_scrub(kinds, keys, texts, hits), hits)
    except Exception:  # noqa: BLE001  one text's failure is not its neighbours'
        return _scrub_singly(kinds, keys, texts)


def _scrub_singly(kinds: Sequence[str], keys: Sequence[str], texts: Sequence[str]) -> Scrubbed:
    hits: Counter[str] = Counter()
    scrubbed: list[str] = []
    for kind, key, text in zip(kinds, keys, texts, strict=True):
        own: Counter[str] = Counter()
        try:
            scrubbed += _scrub((kind,), (key,), (text,), own)
            hits.update(own)
        except Exception:  # noqa: BLE001  fails closed: what cannot be examined is not passed on
            scrubbed.append(marks.UNEXAMINED)
            hits["unexamined"] += 1
    return Scrubbed(scrubbed, hits)


def _scrub(kinds: Sequence[str], keys: Sequence[str], texts: Sequence[str], hits: Counter[str]) -> list[str]:
    scrubbed = list(texts)
    treatments = [treatment(kind, key[-LONGEST_KEY:]) for kind, key in zip(kinds, keys, strict=True)]
    rows: Sequence[int] = range(len(scrubbed))
    for _ in range(ROUNDS):
        _prepare(scrubbed, treatments, rows, hits)
        rows = _examine(scrubbed, treatments, rows, hits)
        if not rows:
            return scrubbed
    for row in rows:
        scrubbed[row] = marks.UNEXAMINED
    hits["unexamined"] += len(rows)
    return scrubbed


def _prepare(texts: list[str], treatments: list[Treatment], rows: Iterable[int], hits: Counter[str]) -> None:
    for row in rows:
        text = texts[row]
        if "\0" in text:
            # PostgreSQL stores no NUL; taken out after the search, it would join what it kept apart.
            texts[row] = text = text.replace("\0", "")
        if 0 < len(text) <= LONGEST:
            prepared = treatments[row].prepare(text)
            if prepared is not text and prepared != text:
                texts[row] = prepared
                hits["unexamined" if prepared == marks.UNEXAMINED else "prepare"] += 1
        if len(texts[row]) > LONGEST:
            texts[row] = marks.UNEXAMINED
            hits["unexamined"] += 1


def _examine(texts: list[str], treatments: list[Treatment], rows: Sequence[int], hits: Counter[str]) -> list[int]:
    """Replaces what the rules find in these rows of `texts`; the rows in which they found something."""
    suspects, lines = _suspects(texts, rows)
    alike: dict[frozenset[str], list[tuple[int, bytes]]] = {}
    for row, line in zip(suspects, lines, strict=True):
        alike.setdefault(treatments[row].skipped, []).append((row, line))
    changed: list[int] = []
    for skipped, members in alike.items():
        changed += _apply_rules(texts, members, skipped, hits)
    return sorted(changed)


def _apply_rules(
    texts: list[str], members: list[tuple[int, bytes]], skipped: frozenset[str], hits: Counter[str]
) -> list[int]:
    """The same for rows that skip the same rules, so that no rule runs over a text it does not concern."""
    joined = SEPARATOR + SEPARATOR.join([line for _, line in members]) + SEPARATOR
    starts = [1]
    for _, line in members[:-1]:
        starts.append(starts[-1] + len(line) + 1)
    finds: dict[int, list[_Find]] = {}
    matched: list[int] = []
    budget = MOST_MATCHES + SPARE_MATCHES * (len(members) - 1)
    for number, rule in enumerate(RULES):
        if rule.name in skipped:
            continue
        reach = 0
        for match in rule.pattern.finditer(joined):
            start, end = match.span()
            matched.append(start)
            if len(matched) > budget:
                return _apply_rules_singly(texts, members, skipped, hits)
            if start < reach:  # inside what this rule found last
                continue
            resolved = rule.resolve(joined, start, end)
            if resolved is None:
                continue
            reach = resolved[1]
            at = bisect_right(starts, resolved[0]) - 1
            finds.setdefault(at, []).append(_Find(resolved[0], resolved[1], number, resolved[2]))
    for at in _overfull(matched, starts):
        finds.pop(at, None)
        _give_up(texts, members[at][0], hits)
    for at, found in finds.items():
        row, line = members[at]
        start = starts[at]
        texts[row] = _splice(joined, start, start + len(line), _without_overlaps(found), hits)
    return [members[at][0] for at in finds]


def _apply_rules_singly(
    texts: list[str], members: list[tuple[int, bytes]], skipped: frozenset[str], hits: Counter[str]
) -> list[int]:
    """Text by text: somewhere among them is one that costs too much."""
    if len(members) == 1:
        _give_up(texts, members[0][0], hits)
        return []
    return [row for member in members for row in _apply_rules(texts, [member], skipped, hits)]


def _overfull(matched: list[int], starts: list[int]) -> list[int]:
    """Places of the texts that have too many of the matches."""
    if len(matched) <= MOST_MATCHES:
        return []
    places = np.searchsorted(starts, matched, side="right") - 1
    return [int(at) for at in np.flatnonzero(np.bincount(places) > MOST_MATCHES)]


def _give_up(texts: list[str], row: int, hits: Counter[str]) -> None:
    texts[row] = marks.UNEXAMINED
    hits["unexamined"] += 1


def _suspects(texts: list[str], rows: Sequence[int]) -> tuple[list[int], list[bytes]]:
    """The rows with any sign of personal data, and their texts in UTF-8."""
    joined = "\0".join([texts[row] for row in rows]).encode("utf-8", "surrogatepass")
    found = {match.end() for gate in GATES for match in gate.finditer(joined)}
    if not found:
        return [], []
    ends = np.flatnonzero(np.frombuffer(joined + SEPARATOR, np.uint8) == 0)
    ends_of_suspects = sorted(found)
    order = np.searchsorted(ends, ends_of_suspects).tolist()
    starts = np.concatenate(([0], ends[:-1] + 1))[order].tolist()
    lines = [joined[start:end] for start, end in zip(starts, ends_of_suspects, strict=True)]
    return [rows[at] for at in order], lines


def _without_overlaps(finds: list[_Find]) -> list[_Find]:
    """In order of place; where two overlap, the earlier rule's. What the loser held beyond is for the next round."""
    if len(finds) == 1:
        return finds
    kept: list[_Find] = []
    for find in sorted(finds, key=itemgetter(0, 2)):
        if not kept or find.start >= kept[-1].end:
            kept.append(find)
        elif find.rule < kept[-1].rule:
            kept[-1] = find
    return kept


def _splice(joined: bytes, start: int, end: int, finds: list[_Find], hits: Counter[str]) -> str:
    pieces: list[bytes] = []
    for find in finds:
        pieces += (joined[start : find.start], find.replacement.encode("utf-8", "surrogatepass"))
        start = find.end
        hits[RULES[find.rule].name] += 1
    pieces.append(joined[start:end])
    return b"".join(pieces).decode("utf-8", "surrogatepass")
