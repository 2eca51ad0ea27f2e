"""What one turn of the aggregator does to the store, computed from records and the batch ids that are fresh. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.aggregate.windows import Catalog, Counts, fold
from ingest.model import I32, Kept, Mask, Processed
from ingest.outcome import Outcome
from ingest.ports import LedgerRow, Sampled, Update

HOUR_US = 3_600_000_000
MOST_DROPPED = 1 << 40
"""Of one claim by a client; sums of such claims stay representable."""

Batch = tuple[int, bytes, int]
"""(app_id, batch_id, received_at_us)"""


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


def settle(records: Sequence[Processed], bodies: Bodies, fresh: set[tuple[int, bytes]], catalog: Catalog) -> Update:
    """Everything the records add once duplicates are left out.

    Args:
        fresh: of the claimed batch ids those never seen before.
        catalog: the day's series; not changed.
    """
    masks = [
        mask & np.fromiter((key in fresh for key in keys), np.bool_, len(keys))
        for keys, mask in zip(bodies.ids, bodies.first, strict=True)
    ]
    counts, sampled = [], []
    ledger: dict[tuple[int, int, str], int] = {}
    for record, mask in zip(records, masks, strict=True):
        _enter(ledger, record, mask)
        if mask.all():
            counts.append(Counts(record.strings, record.series, record.counted))
            sampled.append(_sampled(record, record.kept))
        elif mask.any():
            counts.append(Counts(record.strings, record.series, record.counted.take(mask[record.counted.body])))
            sampled.append(_sampled(record, _without(record.kept, mask)))
    series, rollups = fold(counts, catalog)
    return Update(
        day=catalog.day,
        series=series,
        rollups=rollups,
        ledger=[LedgerRow(*key, spans) for key, spans in ledger.items() if spans],
        sampled=[sample for sample in sampled if len(sample.app_id)],
        scrubs=(),
    )


def _without(kept: Kept, mask: Mask) -> Kept:
    chosen = mask[kept.batch.body_of_span]
    return Kept(kept.batch.select(chosen), kept.assigned.take(chosen))


def _sampled(record: Processed, kept: Kept) -> Sampled:
    app_id: I32 = record.ledger.app_id[kept.batch.body_of_span]
    return Sampled(app_id, kept, record.strings, record.ledger.policy_version[kept.batch.body_of_span])


def _enter(ledger: dict[tuple[int, int, str], int], record: Processed, fresh: Mask) -> None:
    """Adds the record's bodies to the ledger: every span received, and its one outcome."""

    def add(key: tuple[int, int], outcome: str, spans: int) -> None:
        ledger[*key, outcome] = ledger.get((*key, outcome), 0) + spans

    rows = record.ledger
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
    drops = record.drops
    for body, reason, spans in zip(drops.body.tolist(), drops.reason.tolist(), drops.spans.tolist(), strict=True):
        if fresh[body]:
            # A batch sent again says again what its client dropped. The figure is the client's word alone.
            add(keys[body], f"client:{record.strings[reason]}", min(max(spans, 0), MOST_DROPPED))
