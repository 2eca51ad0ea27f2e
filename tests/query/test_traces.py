"""Sampled traces: the list, its filters, and one trace whole."""

import numpy as np
import pytest

from tests.query.conftest import OTHER_TOKEN, Get
from tests.query.world import World

TRACE = f"{1:016x}{1:016x}"
SPAN = f"{1:016x}"
"""Its root."""


async def test_traces_come_newest_first_with_what_their_root_says(get: Get, world: World) -> None:
    answer = await get("/api/v1/traces", {"from": "-2h", "limit": "20"})
    starts = [trace["start_at"] for trace in answer["traces"]]
    assert len(starts) == 20
    assert starts == sorted(starts, reverse=True)
    for trace in answer["traces"]:
        root = (int(trace["trace_id"][16:], 16) - 1) * 3
        members = slice(root, root + 3)
        ends = world.start_us[members] + world.metrics["duration"][members]
        assert trace["name"] == f"span {root}"
        assert trace["route"] == world.dims["route"][root]
        assert trace["spans"] == 3
        assert trace["errors"] == world.error[members].sum()
        assert trace["duration_us"] == ends.max() - world.start_us[members].min()


async def test_a_trace_is_listed_when_one_of_its_spans_passes_every_filter(get: Get, world: World) -> None:
    query = {"from": "-2h", "min_ms": "300", "errors": "true", "country": "DE", "limit": "500"}
    answer = await get("/api/v1/traces", query)
    passes = world.where(country="DE") & world.error & (world.metrics["duration"] >= 300_000)
    expected = {place // 3 + 1 for place in np.flatnonzero(passes).tolist() if place % 6 < 3}
    assert {int(trace["trace_id"][16:], 16) for trace in answer["traces"]} == expected


async def test_a_value_that_was_not_given_is_found_as_unknown(get: Get) -> None:
    answer = await get("/api/v1/traces", {"from": "-2h", "country": "unknown"})
    assert answer["traces"]


async def test_a_trace_has_every_span_with_phases_in_three_values(get: Get, world: World) -> None:
    answer = await get(f"/api/v1/traces/{TRACE}")
    assert answer["trace_id"] == TRACE
    spans = answer["spans"]
    assert [span["start_at"] for span in spans] == sorted(span["start_at"] for span in spans)
    assert {span["name"] for span in spans} == {"span 0", "span 1", "span 2"}
    root = next(span for span in spans if span["parent_span_id"] is None)
    assert root["name"] == "span 0"
    assert root["kind"] == "client"
    assert root["clock_quality"] == "A"
    assert root["attributes"] == {"screen.id": "7"}
    assert root["events"] == [{"name": "retry", "offset_us": 12}]
    for phase, shown in root["phases"].items():
        us = int(world.metrics[phase][0])
        assert shown == ({"state": "measured", "us": us} if us >= 0 else {"state": {-1: "reused", -2: "unknown"}[us]})


async def test_a_trace_id_may_be_written_in_upper_case(get: Get) -> None:
    assert (await get(f"/api/v1/traces/{TRACE.upper()}"))["trace_id"] == TRACE


@pytest.mark.parametrize("trace_id", ["7", "z" * 32, "0" * 33, "'; DROP TABLE span --"])
async def test_a_malformed_trace_id_is_refused_by_name(ask, trace_id: str) -> None:
    response = await ask(f"/api/v1/traces/{trace_id}")
    assert response.status == 400
    assert (await response.json())["parameter"] == "trace_id"


async def test_a_trace_nobody_sampled_is_not_found(ask) -> None:
    response = await ask(f"/api/v1/traces/{'f' * 32}")
    assert response.status == 404
    assert (await response.json())["error"] == "unknown_trace"


async def test_a_trace_of_another_app_is_not_found(ask) -> None:
    assert (await ask(f"/api/v1/traces/{TRACE}", token=OTHER_TOKEN)).status == 404
