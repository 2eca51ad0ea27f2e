"""What the store reads of one trace."""

from dataclasses import fields
from typing import Any

import asyncpg
import numpy as np

from ingest.ports.traces import MOST_SPANS, TraceSpans
from ingest.store.read_trace import _LINKED_FROM, read_trace, read_trace_spans
from tests.query.test_critical_path import grown
from tests.query.trace_rows import TRACE_ID, Made, columns, server, store


async def test_columns_are_those_of_the_spans_stored(pool: "asyncpg.Pool[Any]") -> None:
    made = [
        *grown(300, seed=5),
        Made((1 << 64) - 1, 1, name="", route="GET x/{id}", ttfb=-1, offset=-(1 << 63), segment=(1 << 63) - 1),
        server(1 << 63, (1 << 64) - 1, 3, 4, failed=True, server_us=12),
    ]
    async with pool.acquire() as connection:
        await store(connection, made)
        read = await read_trace(connection, 1, TRACE_ID)
    expected = columns(made)
    assert read is not None
    assert read.stored == 302
    for field in fields(TraceSpans):
        found, wanted = getattr(read.spans, field.name), getattr(expected.spans, field.name)
        if field.name in TraceSpans.CODES:
            assert [read.strings[code] for code in found] == [expected.strings[code] for code in wanted]
        else:
            assert found.dtype == wanted.dtype
            np.testing.assert_array_equal(found, wanted, err_msg=field.name)


async def test_of_a_trace_beyond_any_limit_the_earliest_are_read_and_the_rest_counted(
    pool: "asyncpg.Pool[Any]",
) -> None:
    async with pool.acquire() as connection:
        await store(connection, [Made(n, start=n) for n in range(1, MOST_SPANS + 11)])
        read = await read_trace(connection, 1, TRACE_ID)
    assert read is not None
    assert read.spans.span_id.tolist() == list(range(1, MOST_SPANS + 1))
    assert read.stored == MOST_SPANS + 10


async def test_a_trace_that_another_app_holds_is_not_there(pool: "asyncpg.Pool[Any]") -> None:
    async with pool.acquire() as connection:
        await store(connection, [Made(1)], app_id=2)
        assert await read_trace(connection, 1, TRACE_ID) is None
        assert await read_trace_spans(connection, 1, (TRACE_ID, TRACE_ID), [(1).to_bytes(8, "big")]) == []


async def test_who_points_here_is_looked_up_in_the_index_of_links(pool: "asyncpg.Pool[Any]") -> None:
    others = [Made(n, trace_id=n.to_bytes(16, "big")) for n in range(1, 3000)]
    link = {"trace_id": TRACE_ID.hex(), "span_id": "0" * 16, "kind": "span"}
    async with pool.acquire() as connection:
        await store(connection, [*others, Made(9, trace_id=b"\7" * 16, links=[link])])
        await connection.execute("ANALYZE; SET plan_cache_mode = force_custom_plan")
        here = f'[{{"trace_id": "{TRACE_ID.hex()}"}}]'
        plan = await connection.fetch("EXPLAIN " + _LINKED_FROM, 1, TRACE_ID, TRACE_ID, here, here)
    assert any("links_idx" in line for (line,) in plan), plan
