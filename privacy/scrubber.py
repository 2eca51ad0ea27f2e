"""Scrubbing, one text at a time or a batch in a few passes.

A text goes through two stages. *Prepare* knows what the text is (`privacy.fields`): URLs, headers, statements and
objects are taken apart, each part judged with its name. *Examine* looks for personal data anywhere: gates over all
texts of the batch, joined, find those with a sign of it; over these alone run the rules of `privacy.detect`, and their
encoded runs are decoded and scrubbed as a batch of their own. Texts in which something was found go round again until
nothing is: that is why scrubbing twice changes nothing.

What cannot be examined is not passed on: `{unexamined}` stands for it, and it is counted.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from privacy import marks
from privacy.detect import URL_GATE
from privacy.examine import ends_of, examine, splice
from privacy.fields import treatment
from privacy.job import LONGEST, MOST_MATCHES, Find, Job, Step
from privacy.keys import LONGEST_KEY
from privacy.policy import BUILT_IN, DROP, Policy, Replace, mark_only

__all__ = ["LONGEST", "MOST_MATCHES", "Scrubbed", "Step", "scrub", "scrub_batch", "scrub_many", "steps_of"]

_HALF = LONGEST_KEY // 2
_FEW = 8
"""URLs below which looking for signs in them costs more than it saves."""
ROUNDS = 6
"""A text in which the last round still finds something is replaced whole."""


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A scrubbed batch."""

    texts: list[str]
    """In the order given. A text in which nothing was found is the same object that came in."""
    finds: Sequence[tuple[int, str]]
    """(place of the text, rule) of everything replaced: `detect.RULE_NAMES`, or `policy:` and a pattern's name."""

    @property
    def hits(self) -> Mapping[str, int]:
        """Rule → how often it replaced something."""
        return Counter(rule for _, rule in self.finds)


def scrub(kind: str, key: str | None, text: str | None, policy: Policy = BUILT_IN, replace: Replace = mark_only) -> str:
    """One value without personal data; see `scrub_batch`. None is taken for the empty string."""
    return scrub_batch((kind,), (key or "",), (text or "",), policy, replace).texts[0]


def scrub_many(
    kinds: Sequence[str],
    keys: Sequence[str],
    texts: Sequence[str],
    policy: Policy = BUILT_IN,
    replace: Replace = mark_only,
) -> list[str]:
    """What `scrub` gives for each text, several times faster for many."""
    return scrub_batch(kinds, keys, texts, policy, replace).texts


def scrub_batch(
    kinds: Sequence[str],
    keys: Sequence[str],
    texts: Sequence[str],
    policy: Policy = BUILT_IN,
    replace: Replace = mark_only,
) -> Scrubbed:
    """Takes personal data out of many values; never raises for what the values hold.

    Args:
        kinds: what each text is: url, header, attribute, message, path, sql or user_agent; any other is a message.
        keys: the name of the header or attribute, "" where there is none.
        texts: the values, one for each kind and key.
        policy: what the app wants done with names and patterns of its own.
        replace: gives what stands in the place of a find; `policy.DROP` for a text that is to go whole.

    Raises:
        ValueError: the three differ in length.
    """
    if not len(kinds) == len(keys) == len(texts):
        raise ValueError("kinds, keys and texts differ in length; give one kind and one key for every text")
    job = Job(_scrub, policy, replace)
    try:
        return Scrubbed(_scrub(job, kinds, keys, texts), job.finds)
    except Exception:  # noqa: BLE001  one text's failure is not its neighbours'
        return _scrub_singly(kinds, keys, texts, policy, replace)


def steps_of(kind: str, key: str, text: str, policy: Policy, replace: Replace) -> list[Step]:
    """Every replacement made while one value is scrubbed."""
    steps: list[Step] = []
    job = Job(_scrub, policy, replace, watch=steps.append)
    try:
        _scrub(job, (kind,), (key,), (text,))
    except Exception:  # noqa: BLE001  fails closed like a batch
        steps.append(Step("unexamined", text, marks.UNEXAMINED, -1, -1, 0))
    return steps


def _scrub_singly(
    kinds: Sequence[str], keys: Sequence[str], texts: Sequence[str], policy: Policy, replace: Replace
) -> Scrubbed:
    finds: list[tuple[int, str]] = []
    scrubbed: list[str] = []
    for row, (kind, key, text) in enumerate(zip(kinds, keys, texts, strict=True)):
        job = Job(_scrub, policy, replace)
        try:
            scrubbed += _scrub(job, (kind,), (key,), (text,))
            finds += [(row, rule) for _, rule in job.finds]
        except Exception:  # noqa: BLE001  fails closed: what cannot be examined is not passed on
            scrubbed.append(marks.UNEXAMINED)
            finds.append((row, "unexamined"))
    return Scrubbed(scrubbed, finds)


def _scrub(job: Job, kinds: Sequence[str], keys: Sequence[str], texts: Sequence[str]) -> list[str]:
    job.texts = list(texts)
    if keys and len(max(keys, key=len)) > LONGEST_KEY:
        keys = [key if len(key) <= LONGEST_KEY else key[:_HALF] + key[-_HALF:] for key in keys]
    job.treatments = list(map(treatment, kinds, keys, repeat(job.policy)))
    rows: Sequence[int] = range(len(job.texts))
    structured: Sequence[int] = _worth_preparing(job, kinds)
    for _ in range(ROUNDS):
        _prepare(job, structured)
        if job.policy.patterns:
            _apply_patterns(job, rows)
        rows = structured = examine(job, rows)
        if not rows:
            return job.texts
    for row in rows:
        job.give_up(row)
    return job.texts


def _worth_preparing(job: Job, kinds: Sequence[str]) -> Sequence[int]:
    """The rows whose structure may condemn something: all but URLs without a sign of it, the bulk of traffic."""
    texts = job.texts
    plain = [row for row, kind in enumerate(kinds) if kind == "url"]
    if len(plain) < _FEW or job.policy is not BUILT_IN:
        return range(len(texts))
    joined = "\0".join([texts[row] for row in plain]).encode("utf-8", "surrogatepass")
    if joined.count(b"\0") != len(plain) - 1 or len(max([texts[row] for row in plain], key=len)) > LONGEST:
        return range(len(texts))
    ends = ends_of(joined, len(plain))
    found = [match.end() for match in URL_GATE.finditer(joined)]
    suspects = [plain[at] for at in np.searchsorted(ends, found).tolist()]
    return sorted([row for row, kind in enumerate(kinds) if kind != "url"] + suspects)


def _prepare(job: Job, rows: Sequence[int]) -> None:
    texts, treatments, condemned = job.texts, job.treatments, job.condemned
    replace = job.replace
    for row in rows:
        text = texts[row]
        if "\0" in text:
            # PostgreSQL stores no NUL; taken out after the search, it would join what it kept apart.
            texts[row] = text = text.replace("\0", "")
        if not text:
            continue
        if len(text) > LONGEST:
            job.give_up(row)
            continue
        for rule, apply in treatments[row].steps:
            prepared = apply(text, replace)
            if prepared is text:
                continue
            if prepared != text:
                for _, original, replacement in condemned or [("", text, prepared)]:
                    job.note(row, "unexamined" if prepared == marks.UNEXAMINED else rule, original, replacement)
                texts[row] = text = prepared
            condemned.clear()
            if DROP in text:
                job.drop(row)
                break
            if len(text) > LONGEST:
                job.give_up(row)
                break


def _apply_patterns(job: Job, rows: Sequence[int]) -> None:
    """The policy's own patterns, text by text: their anchors mean one text."""
    for row in rows:
        line = job.texts[row].encode("utf-8", "surrogatepass")
        if not job.policy.may_find(line):
            continue
        for pattern in job.policy.patterns:
            line = job.texts[row].encode("utf-8", "surrogatepass")
            mark = "{" + pattern.name + "}"
            spans = [found.span() for found in pattern.expression.finditer(line)]
            finds = [Find(start, end, 0, f"policy:{pattern.name}", mark, None) for start, end in spans if start < end]
            own = [find for find in finds if not _inside_mark(line, find, mark)]
            if len(own) > MOST_MATCHES:
                job.give_up(row)
            elif own:
                splice(job, row, line, own)


def _inside_mark(line: bytes, find: Find, mark: str) -> bool:
    """Whether a pattern found its own mark, or part of it."""
    opened = line.rfind(b"{", 0, find.start + 1)
    return (
        opened >= 0
        and line[opened:].startswith((mark.encode(), mark[:-1].encode() + b":"))
        and find.end <= line.find(b"}", opened) + 1
    )
