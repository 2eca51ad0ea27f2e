"""Phases, routes by impact, values, ledger, apps and health."""

import numpy as np
import pytest

from ingest.model import METRICS, UNKNOWN
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
    inside = everything.where(country="DE", network="wifi")
    assert answer["values"] == [{"value": "wifi", "spans": inside.sum(), "errors": everything.error[inside].sum()}]


async def test_values_can_come_with_a_quantile(get: Get, everything: World) -> None:
    answer = await get("/api/v1/values", {"from": "-2h", "dimension": "version", "q": "0.95"})
    for row in answer["values"]:
        durations = np.sort(everything.metrics["duration"][everything.where(version=row["value"])])
        assert row["us"] == pytest.approx(durations[int(0.95 * (len(durations) - 1))], rel=0.0101)


async def test_phases_say_what_a_request_spends_on_them_on_average(get: Get, everything: World) -> None:
    (group,) = (await get("/api/v1/phases", {"from": "-2h"}))["groups"]
    for phase in group["phases"]:
        values = everything.metrics[phase["phase"]]
        told = values[values != UNKNOWN]
        assert phase["mean_us"] == pytest.approx(np.maximum(told, 0).mean(), rel=0.01)


async def test_routes_have_a_line_of_the_quantile_on_demand(get: Get, everything: World) -> None:
    answer = await get("/api/v1/routes", {"from": "-1h", "q": "0.5", "points": "6"})
    assert "line_us" not in (await get("/api/v1/routes", {"from": "-1h"}))["routes"][0]
    step_us = answer["line"]["step_s"] * 1_000_000
    first_us = int(np.datetime64(answer["line"]["from"].removesuffix("Z"), "us").astype(np.int64))
    assert (answer["line"]["from"], step_us) == ("2026-03-01T11:00:00Z", 600_000_000)
    for row in answer["routes"]:
        inside = everything.where(route=row["route"])
        assert len(row["line_us"]) == 6
        for step, us in enumerate(row["line_us"]):
            of_step = inside & ((everything.start_us - first_us) // step_us == step)
            durations = np.sort(everything.metrics["duration"][of_step])
            assert us == pytest.approx(durations[int(0.5 * (len(durations) - 1))], rel=0.0101)


@pytest.mark.parametrize("points", ["1", "61", "-2", "many"])
async def test_lines_of_no_length_are_refused_by_name(ask, points: str) -> None:
    response = await ask("/api/v1/routes", {"points": points})
    assert response.status == 400
    assert await response.json() == {
        "error": "bad_parameter",
        "message": "points must be 0, or a whole number from 2 to 60.",
        "parameter": "points",
    }


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
