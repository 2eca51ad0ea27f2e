"""A trace holds only so many spans; what is beyond is counted, noted and left out, the least telling first."""

from dataclasses import replace
from typing import Any

import asyncpg
import numpy as np

from ingest.aggregate.trace_limits import TraceSizes, limit_traces
from ingest.aggregate.turn import HOUR_US
from ingest.model import Origin, Processed, Stratum
from ingest.outcome import Outcome
from ingest.ports import LedgerRow, Sampled, Update
from ingest.store.database import open_pool
from tests.aggregate.turns import aggregate, append, closes, ledger
from tests.records import NOW_US, make_record

TRACE = bytes(range(16))
Pool = asyncpg.Pool


def record_of(trace_id: bytes, seed: int, spans: int, *, errors: int = 0, origin: int = Origin.CLIENT) -> Processed:
    """A record whose spans are all kept, of one trace, none a root; the last ones failed."""
    record = make_record(seed, spans=spans, keep=1.0, bodies=1)
    kept, batch = record.kept, record.kept.batch
    stratum = np.zeros(spans, np.uint8)
    stratum[spans - errors :] = Stratum.ERROR
    columns = replace(
        batch.spans,
        trace_id=np.tile(np.frombuffer(trace_id, np.uint8), (spans, 1)),
        parent_span_id=np.full((spans, 8), 7, np.uint8),
    )
    assigned = replace(kept.assigned, stratum=stratum, origin=np.full(spans, origin, np.uint8))
    return replace(record, kept=replace(kept, batch=replace(batch, spans=columns), assigned=assigned))


def sampled(record: Processed) -> Sampled:
    spans = len(record.kept.assigned)
    return Sampled(
        app_id=np.ones(spans, np.int32),
        kept=record.kept,
        strings=record.strings,
        policy_version=np.ones(spans, np.int32),
        received_hour=np.full(spans, NOW_US // HOUR_US),
    )


def update_of(*records: Processed) -> Update:
    kept = sum(len(record.kept.assigned) for record in records)
    row = LedgerRow(1, NOW_US // HOUR_US, Outcome.KEPT.label, kept)
    nothing: Any = None
    return Update(
        day=0, series=(), rollups=nothing, ledger=[row], sampled=[sampled(record) for record in records], scrubs=()
    )


def ends(update: Update) -> dict[str, int]:
    return {row.outcome: row.spans for row in update.ledger}


def test_what_is_beyond_the_limit_counts_only_and_is_noted() -> None:
    limited = limit_traces(update_of(record_of(TRACE, 1, 80)), {(1, TRACE): 950}, 1000)
    assert [len(each.app_id) for each in limited.sampled] == [50]
    assert ends(limited) == {"kept": 50, "counted_only": 30, "noted:trace_full": 30}
    assert [(row.trace_id, row.spans) for row in limited.overflows] == [(TRACE, 30)]


def test_errors_may_use_a_reserve_that_others_may_not() -> None:
    limited = limit_traces(update_of(record_of(TRACE, 1, 200, errors=60)), {(1, TRACE): 1000}, 1000)
    assert limited.sampled[0].kept.assigned.stratum.tolist() == [Stratum.ERROR] * 60
    limited = limit_traces(update_of(record_of(TRACE, 1, 200, errors=150)), {(1, TRACE): 1000}, 1000)
    assert len(limited.sampled[0].app_id) == 100, "the reserve ends too"


def test_other_traces_and_other_apps_are_left_alone() -> None:
    update = update_of(record_of(b"x" * 16, 1, 50))
    assert limit_traces(update, {(1, TRACE): 5000, (2, b"x" * 16): 5000}, 1000) is update


def test_a_backends_span_left_out_was_never_counted() -> None:
    limited = limit_traces(update_of(record_of(TRACE, 1, 5, origin=Origin.BACKEND)), {(1, TRACE): 2000}, 1000)
    assert ends(limited) == {"not_sampled": 5, "noted:trace_full": 5}
    assert limited.sampled == []


def test_only_traces_that_gained_much_are_asked_about_and_memory_is_bounded() -> None:
    sizes = TraceSizes(remembered=40, look_from=100)
    assert sizes.add([sampled(record_of(TRACE, 1, 60))]) == set()
    for seed in range(15):
        assert sizes.add([sampled(make_record(seed, spans=10, keep=1.0))]) == set()
    sizes = TraceSizes(remembered=10_000, look_from=100)
    for turn in range(3):
        found = sizes.add([sampled(record_of(TRACE, turn, 40)), sampled(make_record(turn, spans=50, keep=1.0))])
        assert found == ({(1, TRACE)} if turn == 2 else set())
    held = TraceSizes(remembered=100)
    for seed in range(50):
        held.add([sampled(make_record(seed, spans=30, keep=1.0))])
    assert len(held._recent) + len(held._older) <= 100 + 30


async def test_a_trace_stays_within_its_limit_over_many_turns_and_the_ledger_closes(
    dsn: str, pool: "asyncpg.Pool[Any]"
) -> None:
    for seed in range(4):
        await append(pool, record_of(TRACE, seed, 600, errors=20), make_record(seed + 10, spans=40))
        await aggregate(dsn, trace_spans=1000)
    stored = await pool.fetchval("SELECT count(*) FROM span WHERE trace_id = $1", TRACE)
    errors = await pool.fetchval("SELECT count(*) FROM span WHERE trace_id = $1 AND stratum = 'error'", TRACE)
    assert 1000 < stored <= 1100
    assert errors == 80
    found = await ledger(pool)
    assert closes(found)
    assert found["noted:trace_full"] == 4 * 600 - stored
    assert await pool.fetchval("SELECT sum(spans)::int FROM trace_overflow WHERE trace_id = $1", TRACE) == 2400 - stored


async def test_a_repeated_turn_leaves_out_the_same_spans_once(dsn: str, pool: "asyncpg.Pool[Any]") -> None:
    await append(pool, record_of(TRACE, 1, 1500))
    for _ in range(2):
        await aggregate(dsn, trace_spans=1000)
    own = await open_pool(dsn)
    assert await own.fetchval("SELECT sum(spans)::int FROM trace_overflow") == 500
    await own.close()
