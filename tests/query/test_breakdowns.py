"""Phases, routes by impact, values, ledger, apps and health."""

import numpy as np
import pytest

from ingest.model import METRICS
from tests.query.conftest import CLIENT_KEY, OPERATOR, OTHER_TOKEN, Get
from tests.query.world import VALUES, World


async def test_every_phase_has_its_quantile_over_the_spans_in_which_it_occurred(get: Get, everything: World) -> None:
    answer = await get("/api/v1/phases", {"from": "-2h", "q": "0.75", "group_by": "version"})
    assert answer["exact"] is True
    assert len(answer["groups"]) == 3
    for group in answer["groups"]:
        inside = everything.where(**group["group"])
        assert group["spans"] == inside.sum()
        assert [phase["phase"] for phase in group["phases"]] == list(METRICS[1:])
        for phase in group["phases"]:
            values = everything.metrics[phase["phase"]][inside]
            measured = np.sort(values[values >= 0])
            assert (phase["measured"], phase["reused"], phase["unknown"]) == (
                len(measured),
                (values == -1).sum(),
                (values == -2).sum(),
            )
            assert phase["us"] == pytest.approx(measured[int(0.75 * (len(measured) - 1))], rel=0.0101, abs=0.1)


async def test_phases_from_samples_carry_their_interval(get: Get) -> None:
    answer = await get("/api/v1/phases", {"from": "-2h", "os": "ios 18", "country": "DE"})
    assert answer["exact"] is False
    for phase in answer["groups"][0]["phases"]:
        low, high = phase["interval"]
        assert low <= phase["us"] <= high


async def test_routes_are_ranked_by_the_time_spent_above_the_target(get: Get, everything: World) -> None:
    answer = await get("/api/v1/routes", {"from": "-2h", "q": "0.95", "target_ms": "100"})
    impacts = [row["impact"] for row in answer["routes"]]
    assert impacts == sorted(impacts, reverse=True)
    assert {row["route"] for row in answer["routes"]} == set(VALUES["route"])
    for row in answer["routes"]:
        inside = everything.where(route=row["route"])
        durations = everything.metrics["duration"][inside]
        assert (row["spans"], row["errors"]) == (inside.sum(), everything.error[inside].sum())
        assert row["impact"] == pytest.approx(np.maximum(durations - 100_000, 0).sum() / 1e6, rel=0.03)
        assert row["us"] == pytest.approx(np.sort(durations)[int(0.95 * (len(durations) - 1))], rel=0.0101)


async def test_routes_beyond_the_limit_are_said_to_be_cut(get: Get) -> None:
    answer = await get("/api/v1/routes", {"from": "-2h", "limit": "2"})
    assert len(answer["routes"]) == 2
    assert answer["truncated"] is True


async def test_routes_no_view_covers_come_from_samples(get: Get) -> None:
    answer = await get("/api/v1/routes", {"from": "-2h", "version": "5.2.0", "country": "US"})
    assert (answer["exact"], answer["source"]) == (False, "samples")
    for row in answer["routes"]:
        low, high = row["interval"]
        assert low <= row["us"] <= (high or row["us"])
        assert row["spans_interval"][0] <= row["spans"] <= row["spans_interval"][1]
        assert row["errors_interval"][0] <= row["errors"] <= row["errors_interval"][1]
    assert any(row["spans_interval"][0] < row["spans"] for row in answer["routes"])


@pytest.mark.parametrize("dimension", list(VALUES))
async def test_values_come_with_their_spans_most_first(get: Get, everything: World, dimension: str) -> None:
    answer = await get("/api/v1/values", {"from": "-2h", "dimension": dimension})
    assert {row["value"]: row["spans"] for row in answer["values"]} == {
        value: everything.where(**{dimension: value}).sum() for value in VALUES[dimension]
    }
    spans = [row["spans"] for row in answer["values"]]
    assert spans == sorted(spans, reverse=True)


async def test_values_are_filtered_like_everything_else(get: Get, everything: World) -> None:
    answer = await get("/api/v1/values", {"from": "-2h", "dimension": "network", "country": "DE", "limit": "1"})
    assert answer["truncated"] is True
    assert answer["values"] == [{"value": "wifi", "spans": everything.where(country="DE", network="wifi").sum()}]


async def test_the_ledger_adds_up_per_hour_and_in_all(get: Get) -> None:
    answer = await get("/api/v1/ledger", {"from": "2026-03-01T10:20:00Z", "to": "2026-03-01T11:30:00Z"})
    assert answer == {
        "hours": [
            {
                "hour": "2026-03-01T10:00:00Z",
                "received": 120,
                "outcomes": {"counted_only": 80, "kept": 30, "rejected:future": 10},
                "client": {"queue_overflow": 7},
                "noted": {"clock_e": 9},
            },
            {"hour": "2026-03-01T11:00:00Z", "received": 5, "outcomes": {"duplicate": 5}, "client": {}, "noted": {}},
        ],
        "total": {
            "received": 125,
            "outcomes": {"counted_only": 80, "kept": 30, "rejected:future": 10, "duplicate": 5},
            "client": {"queue_overflow": 7},
            "noted": {"clock_e": 9},
        },
        "closed": True,
        "next": None,
    }


async def test_a_ledger_that_lost_a_span_is_not_closed(get: Get) -> None:
    answer = await get("/api/v1/ledger", {"from": "-2h"}, OTHER_TOKEN)
    assert answer["closed"] is False


async def test_a_token_lists_its_own_app_and_an_operator_all(get: Get) -> None:
    shop = {"id": 1, "name": "shop", "client_key": CLIENT_KEY}
    assert await get("/api/v1/apps") == {"apps": [shop]}
    assert await get("/api/v1/apps", token=OPERATOR) == {"apps": [shop, {"id": 2, "name": "other", "client_key": None}]}


async def test_health_tells_the_newest_window(get: Get, everything: World) -> None:
    newest = np.datetime64(int(everything.start_us.max()) // 10_000_000 * 10_000_000, "us")
    assert await get("/api/v1/health") == {"newest_window": np.datetime_as_string(newest, unit="s", timezone="UTC")}


async def test_an_app_without_spans_has_no_newest_window(get: Get) -> None:
    assert await get("/api/v1/health", token=OTHER_TOKEN) == {"newest_window": None}
