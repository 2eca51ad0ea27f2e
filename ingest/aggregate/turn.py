"""What one turn of the aggregator does to the store, computed from records and the batch ids that are fresh. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ingest.aggregate.catalog import Catalog
from ingest.aggregate.items import Counts
from ingest.aggregate.windows import fold
from ingest.model import Kept, Mask, Processed
from ingest.outcome import Note, Outcome
from ingest.pipeline.forget import end_without_sample, find_theirs
from ingest.ports import ErasedSession, LedgerRow, Sampled, ScrubRow, Tombstones, Update

HOUR_US = 3_600_000_000
NOTED = [f"noted:{note.label}" for note in Note]
MOST_DROPPED = 1 << 40
"""Of one claim by a client; sums of such claims stay representable."""

Batch = tuple[int, bytes, int]
"""(app_id, batch_id, received_at_us)"""
Cells = dict[tuple[int, int, str], int]
"""(app_id, hour, outcome or rule) → how often."""
NOBODY: Mapping[int, Tombstones] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Bodies:
    """The bodies of the turn's records and which of them are the first of their batch id within the turn."""

    ids: Sequence[Sequence[tuple[int, bytes]]]
    """Per record, per body: (app_id, batch_id)."""
    first: Sequence[Mask]
    claims: Sequence[Batch]
    """Every batch id once, sorted: whoever claims several at once claims them in the same order."""


def gather(records: Sequence[Processed]) -> Bodies:
    """The batch ids of the turn."""
    ids, first = [], []
    claims: dict[tuple[int, bytes], int] = {}
    for record in records:
        ledger = record.ledger
        raw = ledger.batch_id.tobytes()
        batch_ids = [raw[at : at + 16] for at in range(0, len(raw), 16)]
        keys = list(zip(ledger.app_id.tolist(), batch_ids, strict=True))
        mask = np.ones(len(keys), np.bool_)
        for row, (key, received_at) in enumerate(zip(keys, ledger.received_at_us.tolist(), strict=True)):
            if key in claims:
                mask[row] = False
            else:
                claims[key] = received_at
        ids.append(keys)
        first.append(mask)
    return Bodies(ids, first, sorted((app_id, batch_id, at) for (app_id, batch_id), at in claims.items()))


def settle(
    records: Sequence[Processed],
    bodies: Bodies,
    fresh: set[tuple[int, bytes]],
    catalog: Catalog,
    erased: Mapping[int, Tombstones] = NOBODY,
) -> Update:
    """Everything the records add once duplicates, and spans of people who were erased, are left out.

    Args:
        fresh: of the claimed batch ids those never seen before.
        catalog: the day's series; not changed.
        erased: by app.
    """
    masks = [
        mask & np.fromiter((key in fresh for key in keys), np.bool_, len(keys))
        for keys, mask in zip(bodies.ids, bodies.first, strict=True)
    ]
    counts, sampled = [], []
    ledger: Cells = {}
    scrubs: Cells = {}
    sessions: list[ErasedSession] = []
    for record, mask in zip(records, masks, strict=True):
        _enter(ledger, record, mask)
        if not mask.any():
            continue
        _enter_scrubs(scrubs, record, mask)
        whole = mask.all()
        counts.append(_counts(record) if whole else _fresh_counts(record, mask))
        kept = _sampled(record, record.kept if whole else _without(record.kept, mask))
        if erased:
            kept = _forget(kept, erased, ledger, sessions, record)
        sampled.append(kept)
    series, rollups = fold(counts, catalog)
    return Update(
        day=catalog.day,
        series=series,
        rollups=rollups,
        ledger=[LedgerRow(*key, spans) for key, spans in ledger.items() if spans],
        sampled=[sample for sample in sampled if len(sample.app_id)],
        scrubs=[ScrubRow(*key, finds) for key, finds in scrubs.items()],
        erased=sessions,
    )


def _counts(record: Processed) -> Counts:
    return Counts(record.strings, record.series, record.counted, record.summaries, record.summary_bins)


def _fresh_counts(record: Processed, mask: Mask) -> Counts:
    fresh = mask[record.summaries.body]
    place = np.cumsum(fresh, dtype=np.int32) - np.int32(1)
    bins = record.summary_bins.take(fresh[record.summary_bins.owner])
    return Counts(
        record.strings,
        record.series,
        record.counted.take(mask[record.counted.body]),
        record.summaries.take(fresh),
        replace(bins, owner=place[bins.owner]),
    )


def _forget(
    sampled: Sampled,
    erased: Mapping[int, Tombstones],
    ledger: Cells,
    sessions: list[ErasedSession],
    record: Processed,
) -> Sampled:
    """The sample without spans of people who were erased: counted they are, kept they are not."""
    theirs = find_theirs(sampled.kept, sampled.strings, sampled.app_id, erased)
    sessions += theirs.sessions
    if not theirs.kept.any():
        return sampled
    ends = end_without_sample(sampled.kept)[theirs.kept].tolist()
    for row, end in zip(sampled.kept.batch.body_of_span[theirs.kept].tolist(), ends, strict=True):
        key = int(record.ledger.app_id[row]), int(record.ledger.received_at_us[row] // HOUR_US)
        for outcome, spans in ((Outcome.KEPT, -1), (Outcome(end), 1)):
            ledger[*key, outcome.label] = ledger.get((*key, outcome.label), 0) + spans
    stay = ~theirs.kept
    kept = Kept(sampled.kept.batch.select(stay), sampled.kept.assigned.take(stay))
    return replace(
        sampled,
        app_id=sampled.app_id[stay],
        kept=kept,
        policy_version=sampled.policy_version[stay],
        received_hour=sampled.received_hour[stay],
    )


def _without(kept: Kept, mask: Mask) -> Kept:
    chosen = mask[kept.batch.body_of_span]
    return Kept(kept.batch.select(chosen), kept.assigned.take(chosen))


def _sampled(record: Processed, kept: Kept) -> Sampled:
    body, ledger = kept.batch.body_of_span, record.ledger
    return Sampled(
        app_id=ledger.app_id[body],
        kept=kept,
        strings=record.strings,
        policy_version=ledger.policy_version[body],
        received_hour=ledger.received_at_us[body] // HOUR_US,
    )


def _enter(ledger: Cells, record: Processed, fresh: Mask) -> None:
    """Adds the record's bodies to the ledger: every span received, and its one outcome."""

    def add(key: tuple[int, int], outcome: str, spans: int) -> None:
        ledger[*key, outcome] = ledger.get((*key, outcome), 0) + spans

    rows, notes = record.ledger, record.notes
    keys = list(zip(rows.app_id.tolist(), (rows.received_at_us // HOUR_US).tolist(), strict=True))
    places: dict[tuple[int, int], list[int]] = {}
    for row, key in enumerate(keys):
        places.setdefault(key, []).append(row)
    for key, place in places.items():
        new = fresh[place]
        add(key, "received", int(rows.spans[place].sum()))
        add(key, Outcome.DUPLICATE.label, int(rows.spans[place][~new].sum()))
        for outcome, spans in zip(Outcome, rows.outcomes[:, place][:, new].sum(axis=1).tolist(), strict=True):
            add(key, outcome.label, spans)
        new_bodies = np.zeros(len(keys), np.bool_)
        new_bodies[place] = new
        noted = np.flatnonzero(new_bodies[notes.body])
        sums = np.zeros(len(NOTED), np.int64)
        np.add.at(sums, notes.note[noted], notes.spans[noted])
        for note in np.flatnonzero(sums).tolist():
            add(key, NOTED[note], int(sums[note]))
    drops = record.drops
    for body, reason, spans in zip(drops.body.tolist(), drops.reason.tolist(), drops.spans.tolist(), strict=True):
        if fresh[body]:
            # A batch sent again says again what its client dropped. The figure is the client's word alone.
            add(keys[body], f"client:{record.strings[reason]}", min(max(spans, 0), MOST_DROPPED))


def _enter_scrubs(scrubs: Cells, record: Processed, fresh: Mask) -> None:
    """Adds what was scrubbed to the hour in which the app's first new body was received; nothing when all are old."""
    hours: dict[int, int] = {}
    for row in np.flatnonzero(fresh).tolist():
        hours.setdefault(int(record.ledger.app_id[row]), int(record.ledger.received_at_us[row] // HOUR_US))
    found = record.scrubs
    for app_id, rule, finds in zip(found.app_id.tolist(), found.rule.tolist(), found.finds.tolist(), strict=True):
        if app_id in hours:
            key = app_id, hours[app_id], record.strings[rule]
            scrubs[key] = scrubs.get(key, 0) + finds
