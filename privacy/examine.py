"""Looks for personal data anywhere in the texts of a batch.

Gates run over all of them, rules over those with a sign; encoded runs are decoded and scrubbed as a batch of their own.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from privacy import marks
from privacy.detect import GROUPS, PRECEDENCE, Group
from privacy.encodings import Run, runs
from privacy.job import DEEPEST, MOST_DECODED, MOST_MATCHES, PRICE_OF_A_RUN, SPARE_MATCHES, Find, Job
from privacy.policy import DROP
from privacy.verdicts import SEPARATOR


def examine(job: Job, rows: Sequence[int]) -> list[int]:
    """Replaces what the rules find in these rows; the rows in which they found something."""
    joined = "\0".join([job.texts[row] for row in rows]).encode("utf-8", "surrogatepass")
    suspects = [[found.end() for found in group.gate.finditer(joined)] for group in GROUPS]
    if not any(suspects):
        return []
    ends = ends_of(joined, len(rows))
    finds: dict[int, list[Find]] = {}
    lines: dict[int, bytes] = {}
    for group, group_ends in zip(GROUPS, suspects, strict=True):
        if group_ends:
            places = np.searchsorted(ends, group_ends).tolist() if len(ends) > 1 else [0]
            for at in places:
                if at not in lines:
                    lines[at] = joined[ends[at - 1] + 1 if at else 0 : ends[at]]
            _search(job, group, [(at, rows[at], lines[at]) for at in places], finds)
    changed = [rows[at] for at in sorted(finds) if splice(job, rows[at], lines[at], _kept(lines[at], finds[at]))]
    return [row for row in changed if row not in job.dropped]


def ends_of(joined: bytes, count: int) -> Sequence[int]:
    if count == 1:
        return (len(joined),)
    return np.flatnonzero(np.frombuffer(joined + SEPARATOR, np.uint8) == 0).tolist()


def _search(job: Job, group: Group, members: list[tuple[int, int, bytes]], finds: dict[int, list[Find]]) -> None:
    """Adds what the rules of a group find in (place, row, text) to place → finds."""
    joined = SEPARATOR + SEPARATOR.join([line for _, _, line in members]) + SEPARATOR
    starts = list(accumulate((len(line) + 1 for _, _, line in members[:-1]), initial=1))
    skips = [job.treatments[row].skips(job.texts[row]) for _, row, _ in members]
    matched = [0] * len(members)
    found: list[tuple[int, Find]] = []
    total, budget = 0, MOST_MATCHES + SPARE_MATCHES * (len(members) - 1)
    for rule in group.rules:
        reach, rank = 0, PRECEDENCE[rule.name]
        for match in rule.pattern.finditer(joined):
            start, end = match.span()
            at = bisect_right(starts, end - 1) - 1
            total += 1
            matched[at] += 1
            if total > budget:
                _search_singly(job, group, members, finds)
                return
            if start < reach or rule.name in skips[at]:  # inside what this rule found last
                continue
            resolved = rule.resolve(joined, start, end)
            if resolved is not None:
                reach = resolved[1]
                base = starts[at]
                found.append(
                    (
                        at,
                        Find(resolved[0] - base, resolved[1] - base, rank, rule.name, resolved[2], None, rule.rewrite),
                    )
                )
    if group.decodes:
        _decode(job, joined, starts, members, found)
    overfull = {at for at, number in enumerate(matched) if number > MOST_MATCHES}
    for at in overfull:
        _condemn(members[at], finds)
    for at, find in found:
        if at not in overfull:
            finds.setdefault(members[at][0], []).append(find)


def _search_singly(job: Job, group: Group, members: list[tuple[int, int, bytes]], finds: dict[int, list[Find]]) -> None:
    """Text by text: somewhere among them is one that costs too much."""
    if len(members) == 1:
        _condemn(members[0], finds)
        return
    for member in members:
        _search(job, group, [member], finds)


def _condemn(member: tuple[int, int, bytes], finds: dict[int, list[Find]]) -> None:
    place, _, line = member
    finds.setdefault(place, []).append(Find(0, len(line), -2, "unexamined", marks.UNEXAMINED, marks.UNEXAMINED))


def _decode(
    job: Job, joined: bytes, starts: list[int], members: list[tuple[int, int, bytes]], found: list[tuple[int, Find]]
) -> None:
    """Scrubs what encoded runs say, and adds the runs in which that changed anything."""
    places: list[tuple[int, Run]] = []
    for run in runs(joined, job.depth):
        at = bisect_right(starts, run.start) - 1
        base = starts[at]
        owner = job.owner(members[at][1])
        job.decoded[owner] += run.end - run.start + PRICE_OF_A_RUN
        if job.decoded[owner] > MOST_DECODED:
            found.append((at, Find(0, len(members[at][2]), -2, "unexamined", marks.UNEXAMINED, marks.UNEXAMINED)))
        elif run.decoded is None or (job.depth >= DEEPEST and run.decoded.strip()):
            rank = PRECEDENCE["encoded"]
            found.append((at, Find(run.start - base, run.end - base, rank, "unexamined", marks.VALUE, None)))
        else:
            places.append((at, run))
    if not places:
        return
    inner = job.nested()
    inner.owners = [job.owner(members[at][1]) for at, _ in places]
    decoded = [run.decoded or "" for _, run in places]
    scrubbed = inner.run(inner, ("message",) * len(places), ("",) * len(places), decoded)
    counts: dict[int, list[str]] = {}
    for row, rule in inner.finds:
        counts.setdefault(row, []).append(rule)
    for row, rules in counts.items():
        at, run = places[row]
        base = starts[at]
        start, end = run.start - base, run.end - base
        original = run.decoded or ""
        if row in inner.dropped:
            replacement: str | None = DROP
        elif scrubbed[row] == original.replace("\0", ""):
            continue
        else:
            replacement = run.encode(scrubbed[row]) if run.encode else None
        job.finds += [(members[at][1], rule) for rule in rules]
        found.append((at, Find(start, end, PRECEDENCE["encoded"], "", _mark_of_all(scrubbed[row]), replacement)))


def _mark_of_all(text: str) -> str:
    """The one mark a text holds, `{value}` when there are several."""
    held = set(marks.FIND.findall(text))
    return held.pop() if len(held) == 1 and held <= marks.MARKS else marks.VALUE


def _kept(line: bytes, finds: list[Find]) -> list[Find]:
    """In order of place; where two overlap, the one of lower rank. What the loser held beyond is for the next round."""
    if len(finds) == 1 and b"{" not in line:
        return finds
    pseudonyms = [found.span() for found in marks.FIND_HASHED.finditer(line)] if b"{" in line else []
    ends_of_pseudonyms = [end for _, end in pseudonyms]
    kept: list[Find] = []
    for find in sorted(finds, key=lambda find: (find.start, find.rank, -find.end)):
        if pseudonyms and _cuts(find, pseudonyms, ends_of_pseudonyms):
            continue  # digits of a pseudonym
        if not kept or find.start >= kept[-1].end:
            kept.append(find)
        elif find.rank < kept[-1].rank:
            kept[-1] = find
    return kept


def _cuts(find: Find, pseudonyms: list[tuple[int, int]], ends: list[int]) -> bool:
    """Whether a find begins or ends inside a mark with a pseudonym."""
    for place in (find.start, find.end - 1):
        at = bisect_right(ends, place)
        if at < len(ends):
            start, end = pseudonyms[at]
            if start <= place and not (find.start <= start and end <= find.end):
                return True
    return False


def splice(job: Job, row: int, line: bytes, finds: list[Find]) -> bool:
    """Puts the replacements in; False when all of them stood there already."""
    pieces: list[bytes] = []
    start = 0
    for find in finds:
        original = text_of(line[find.start : find.end])
        if find.replacement is None and (marks.is_mark(original) or original == find.mark):
            continue
        if find.rewrite is not None:
            replacement = find.rewrite(original, job.given_replace)
            if replacement == original:
                continue
        else:
            replacement = job.given_replace(find.mark, original) if find.replacement is None else find.replacement
        if find.rule:
            job.note(row, find.rule, original, replacement, (find.start, find.end))
        pieces += (line[start : find.start], replacement.encode("utf-8", "surrogatepass"))
        start = find.end
    if not pieces:
        return False
    pieces.append(line[start:])
    text = text_of(b"".join(pieces))
    if DROP in text:
        job.drop(row)
    else:
        job.texts[row] = text
    return True


def text_of(line: bytes) -> str:
    try:
        return line.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:  # a find that ends inside a character
        return line.decode("utf-8", "replace")
