"""Two groups of spans side by side."""

from typing import Any

import numpy as np
import pytest

from ingest.model import METRICS
from tests.query.conftest import Get
from tests.query.world import World

VERSIONS = {"from": "-2h", "a.version": "5.2.0", "b.version": "5.2.1"}


async def test_the_sides_are_what_their_own_filters_and_the_common_ones_let_pass(get: Get, everything: World) -> None:
    answer = await get("/api/v1/compare", {**VERSIONS, "network": "wifi", "q": "0.5,0.9"})
    assert answer["quantiles"] == [0.5, 0.9]
    for name, version in (("a", "5.2.0"), ("b", "5.2.1")):
        side, inside = answer[name], everything.where(version=version, network="wifi")
        durations = np.sort(everything.metrics["duration"][inside])
        assert side["filters"] == {"version": [version], "network": ["wifi"]}
        assert (side["basis"], side["spans"], side["errors"]) == (
            "exact",
            inside.sum(),
            everything.error[inside].sum(),
        )
        assert side["mean_us"]["value"] == pytest.approx(durations.mean(), rel=0.01)
        for q, told in zip((0.5, 0.9), side["quantiles"], strict=True):
            assert told["value"] == pytest.approx(durations[int(q * (len(durations) - 1))], rel=0.0101)
            assert told["interval"][0] <= told["value"] <= told["interval"][1]


async def test_a_side_of_its_own_wins_over_what_is_common(get: Get, everything: World) -> None:
    answer = await get("/api/v1/compare", {"from": "-2h", "country": "DE", "b.country": "US"})
    assert answer["a"]["spans"] == everything.where(country="DE").sum()
    assert answer["b"]["spans"] == everything.where(country="US").sum()


async def test_sides_of_several_values_are_compared_as_well(get: Get, everything: World) -> None:
    query = [
        ("from", "-2h"),
        ("a.version", "5.2.0"),
        ("a.version", "5.2.1"),
        ("b.version", "5.3.0"),
        ("b.os", "ios 18"),
    ]
    answer = await get("/api/v1/compare", query)
    assert answer["a"]["spans"] == everything.where(version=["5.2.0", "5.2.1"]).sum()
    assert answer["b"]["spans"] == everything.where(version="5.3.0", os="ios 18").sum()


async def test_sides_that_differ_in_two_ways_are_each_their_own(get: Get, everything: World) -> None:
    query = {"from": "-2h", "a.version": "5.2.0", "a.network": "wifi", "b.version": "5.2.1", "b.network": "cell"}
    answer = await get("/api/v1/compare", query)
    assert answer["a"]["spans"] == everything.where(version="5.2.0", network="wifi").sum()
    assert answer["b"]["spans"] == everything.where(version="5.2.1", network="cell").sum()


async def test_periods_are_sides_too(get: Get, everything: World) -> None:
    answer = await get("/api/v1/compare", {"a.from": "-90m", "a.to": "-45m", "b.from": "-45m"})
    assert answer["a"]["spans"] + answer["b"]["spans"] == len(everything.start_us)
    assert answer["a"]["to"] == answer["b"]["from"]


async def test_the_parts_of_the_mean_add_up_to_it(get: Get, everything: World) -> None:
    answer = await get("/api/v1/compare", VERSIONS)
    for name in ("a", "b"):
        parts = sum(row[name]["mean_us"]["value"] for row in answer["phases"]) + answer["rest"][f"{name}_us"]
        assert parts == pytest.approx(answer[name]["mean_us"]["value"], abs=1)
    differences = sum(row["mean_us"]["value"] for row in answer["phases"]) + answer["rest"]["us"]
    assert differences == pytest.approx(answer["difference"]["mean_us"]["value"], abs=1)
    inside = everything.where(version="5.2.1")
    for row in answer["phases"]:
        values = everything.metrics[row["phase"]][inside]
        assert row["b"]["mean_us"]["value"] == pytest.approx(np.maximum(values, 0).mean(), rel=0.01)
        assert [row["b"][name] for name in ("measured", "reused", "unknown")] == [
            (values >= 0).sum(),
            (values == -1).sum(),
            (values == -2).sum(),
        ]
    assert [row["phase"] for row in answer["phases"]] == list(METRICS[1:])


async def test_versions_alike_are_not_told_apart(get: Get) -> None:
    answer = await get("/api/v1/compare", VERSIONS)
    told = [*answer["difference"].values(), *(row[name] for row in answer["phases"] for name in ("us", "mean_us"))]
    assert not any(each["significant"] for each in told)
    assert all(each["interval"][0] <= each["value"] <= each["interval"][1] for each in told)


async def test_spans_are_worth_no_more_than_their_sessions(get: Get, everything: World) -> None:
    answer = await get("/api/v1/compare", VERSIONS)
    inside = everything.where(version="5.2.0")
    sessions = len(np.unique(everything.session[inside]))
    assert sessions < inside.sum()
    assert answer["a"]["effective_spans"] == pytest.approx(sessions, rel=0.1)


async def test_what_no_view_covers_is_compared_by_samples(get: Get) -> None:
    filters = {"route": "GET api.shop.example/cart", "country": "DE"}
    answer = await get("/api/v1/compare", {**VERSIONS, **filters})
    for side in (answer["a"], answer["b"]):
        assert (side["source"], side["basis"]) == ("samples", "estimated")
        # Of six spans three are in the sample and stand for two each.
        assert 0 < side["effective_spans"] <= side["spans"] / 2
        low, high = side["quantiles"][0]["interval"]
        assert low <= side["quantiles"][0]["value"] <= high


async def test_of_nobody_nothing_is_said(get: Get) -> None:
    answer = await get("/api/v1/compare", {"a.version": "5.2.0", "b.version": "9.9"})
    assert answer["b"]["spans"] == 0
    assert answer["b"]["quantiles"][0] == {"value": None, "interval": [None, None]}
    assert answer["difference"]["us"] == {"value": None, "interval": [None, None], "significant": False}


async def test_signals_without_phases_are_compared_as_a_whole(get: Get) -> None:
    answer = await get("/api/v1/compare", {**VERSIONS, "signal": "lcp"})
    assert answer["phases"] == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({}, None),
        ({"a.version": "5.2.0", "b.version": "5.2.0"}, None),
        ({"a.version": "\0", "b.version": "5.2.0"}, "a.version"),
        ({"a.from": "yesterday"}, "a.from"),
        ({"a.from": "-1h", "a.to": "-2h"}, "a.from"),
        ({"a.os": "x", "at": "95"}, "at"),
        ({"c.version": "5.2.0"}, None),
    ],
)
async def test_bad_sides_are_refused(ask: Any, query: dict[str, str], parameter: str | None) -> None:
    response = await ask("/api/v1/compare", query)
    answer = await response.json()
    assert (response.status, answer["error"], answer["parameter"]) == (400, "bad_parameter", parameter)
