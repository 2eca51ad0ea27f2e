"""Who was erased, found again in a processed micro-batch: which kept spans are theirs, and the record without them.

No stage of `process`: the aggregator asks it of what arrives late, the journal of what it still holds.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from ingest.model import I32, U8, Columns, Counted, Kept, Mask, Origin, Processed, Summaries
from ingest.outcome import Outcome
from ingest.pipeline.identify import identity_of
from ingest.pipeline.strings import compact
from ingest.ports import ErasedSession, Tombstones
from privacy.pseudonyms import HEX_DIGITS

_Counting = TypeVar("_Counting", Counted, Summaries)
_IN_A_MARK = re.compile(rf":([0-9a-f]{{{HEX_DIGITS}}})\}}")


@dataclass(frozen=True, slots=True)
class Theirs:
    """What a record holds of people who were erased."""

    kept: Mask
    """(k,) kept spans that are theirs."""
    sessions: Sequence[ErasedSession]
    """Sessions in which one of them was seen, and that no tombstone names yet."""


def find_theirs(kept: Kept, strings: Sequence[str], app_id: I32, erased: Mapping[int, Tombstones]) -> Theirs:
    """The kept spans that hold a name, and those of the same sessions.

    Args:
        kept: the sample of a record.
        strings: those of the record.
        app_id: (k,) of each kept span.
        erased: by app.
    """
    found = np.zeros(len(app_id), dtype=np.bool_)
    sessions: list[ErasedSession] = []
    session = kept.batch.resources.session[kept.batch.spans.resource]
    for app, tombstones in erased.items():
        mine = app_id == app
        if not mine.any():
            continue
        theirs = {code for code, text in enumerate(strings) if text in tombstones.sessions}
        for name, codes in _named(strings, tombstones.names).items():
            named = mine & _holding(kept, _mask(codes, len(strings)))
            seen = {*session[named].tolist()} - {0}
            new = [strings[code] for code in seen - theirs if strings[code] not in tombstones.names]
            sessions += [ErasedSession(app, text, name) for text in new]
            theirs |= seen
            found |= named
        found |= mine & _mask(theirs, len(strings))[session]
    return Theirs(found, sessions)


def end_without_sample(kept: Kept) -> U8:
    """(k,) `Outcome` of each kept span if it is not stored: what clients sent is counted, what backends sent is not."""
    return np.where(kept.assigned.origin == Origin.BACKEND, Outcome.NOT_SAMPLED, Outcome.COUNTED_ONLY).astype(np.uint8)


def forget(record: Processed, erased: Mapping[int, Tombstones]) -> tuple[Processed, Theirs]:
    """The record without the spans, texts and identities of people who were erased; the ledger says where they ended.

    The record itself comes back when it holds nothing of them.
    """
    body = record.kept.batch.body_of_span
    theirs = find_theirs(record.kept, record.strings, record.ledger.app_id[body], erased)
    counted = _unidentified(record.counted, record, erased, theirs.sessions)
    summaries = _unidentified(record.summaries, record, erased, theirs.sessions)
    if not theirs.kept.any() and counted is record.counted and summaries is record.summaries:
        return record, theirs
    outcomes = record.ledger.outcomes.copy()
    ends = end_without_sample(record.kept)
    np.subtract.at(outcomes[Outcome.KEPT], body[theirs.kept], 1)
    np.add.at(outcomes, (ends[theirs.kept], body[theirs.kept]), 1)
    stay = ~theirs.kept
    without = replace(
        record,
        ledger=replace(record.ledger, outcomes=outcomes),
        counted=counted,
        summaries=summaries,
        kept=Kept(record.kept.batch.select(stay), record.kept.assigned.take(stay)),
    )
    return compact(without), theirs


def _unidentified(
    table: _Counting, record: Processed, erased: Mapping[int, Tombstones], sessions: Sequence[ErasedSession]
) -> _Counting:
    """The table without the 64 bits of somebody who was erased; the table itself when it has none."""
    found = np.zeros(len(table), dtype=np.bool_)
    app_id = record.ledger.app_id[table.body]
    for app, tombstones in erased.items():
        new = {each.session for each in sessions if each.app_id == app}
        bits = [identity_of(name) for name in tombstones.names | tombstones.sessions | new]
        found |= (app_id == app) & np.isin(table.session, np.array(bits, dtype=np.int64))
    return replace(table, session=np.where(found, 0, table.session)) if found.any() else table


def _named(strings: Sequence[str], names: frozenset[str]) -> Mapping[str, Sequence[int]]:
    """Name → codes of the texts that are it, or hold it in a mark."""
    found: dict[str, list[int]] = {}
    for code, text in enumerate(strings):
        here = {text, *_IN_A_MARK.findall(text)} if ":" in text else {text}
        for name in here & names:
            found.setdefault(name, []).append(code)
    return found


def _mask(codes: Iterable[int], size: int) -> Mask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[[*codes]] = True
    return mask


def _holding(kept: Kept, marked: Mask) -> Mask:
    """Kept spans that hold a marked text in any column: their own, their sender's, an attribute's or an event's."""
    batch = kept.batch
    held = _in_columns(batch.spans, marked) | _in_columns(kept.assigned, marked)
    sender = _in_columns(batch.resources, marked)
    sender[batch.resource_attributes.owner[_in_columns(batch.resource_attributes, marked)]] = True
    for table in (batch.attributes, batch.events):
        held[table.owner[_in_columns(table, marked)]] = True
    return held | sender[batch.spans.resource]


def _in_columns(table: Columns, marked: Mask) -> Mask:
    found = np.zeros(len(table), dtype=np.bool_)
    for name in table.CODES:
        found |= marked[getattr(table, name)]
    return found
