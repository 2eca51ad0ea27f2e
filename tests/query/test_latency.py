"""Percentiles over time, against exact percentiles of the same durations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from ingest.model import METRICS
from tests.query.conftest import Get
from tests.query.world import NOW_US, World

QUANTILES = (0.0, 0.5, 0.75, 0.95, 0.99, 1.0)
Q = ",".join(map(str, QUANTILES))


def exact(values_us: np.ndarray) -> list[float | None]:
    """Quantiles by rank, which a sketch must meet within 1 %."""
    measured = np.sort(values_us[values_us >= 0])
    return [float(measured[int(q * (len(measured) - 1))]) for q in QUANTILES]


def assert_close(found: Sequence[float | None], values_us: np.ndarray) -> None:
    for got, expected in zip(found, exact(values_us), strict=True):
        assert got == pytest.approx(expected, rel=0.0101, abs=0.1)


async def test_percentiles_over_all_spans_are_within_one_percent(get: Get, everything: World) -> None:
    answer = await get("/api/v1/latency", {"from": "-90m", "q": Q, "step": "60s"})
    assert (answer["exact"], answer["source"], answer["step_s"]) == (True, "view:all", 60)
    total = answer["groups"][0]["total"]
    assert total["spans"] == len(everything.start_us)
    assert total["errors"] == everything.error.sum()
    assert_close(total["quantiles"], everything.metrics["duration"])


@pytest.mark.parametrize("step", ["10s", "30s", "60s", "90s", "5m", "1h", "auto"])
async def test_every_step_counts_the_same_spans(get: Get, everything: World, step: str) -> None:
    answer = await get("/api/v1/latency", {"from": "-2h", "q": Q, "step": step})
    (group,) = answer["groups"]
    assert group["total"]["spans"] == len(everything.start_us) == sum(p["spans"] for p in group["points"])
    assert_close(group["total"]["quantiles"], everything.metrics["duration"])


async def test_each_point_has_the_percentiles_of_its_spans(get: Get, everything: World) -> None:
    answer = await get("/api/v1/latency", {"from": "-1h", "q": Q, "step": "10m", "group_by": "version"})
    step_us = 600_000_000
    assert {group["group"]["version"] for group in answer["groups"]} == {"5.2.0", "5.2.1", "5.3.0"}
    for group in answer["groups"]:
        for point in group["points"]:
            start = int(np.datetime64(point["at"].removesuffix("Z"), "us").astype(np.int64))
            inside = everything.where(**group["group"]) & (everything.start_us // step_us * step_us == start)
            assert point["spans"] == inside.sum()
            assert point["errors"] == everything.error[inside].sum()
            assert_close(point["quantiles"], everything.metrics["duration"][inside])


@pytest.mark.parametrize("metric", METRICS)
async def test_a_phase_is_measured_reused_or_unknown(get: Get, everything: World, metric: str) -> None:
    answer = await get("/api/v1/latency", {"from": "-90m", "q": Q, "metric": metric})
    total = answer["groups"][0]["total"]
    values = everything.metrics[metric]
    assert (total["measured"], total["reused"], total["unknown"]) == tuple(
        int(n) for n in ((values >= 0).sum(), (values == -1).sum(), (values == -2).sum())
    )
    assert_close(total["quantiles"], values)


async def test_a_filter_chooses_spans_and_the_smallest_view(get: Get, everything: World) -> None:
    query = [
        ("from", "-90m"),
        ("q", Q),
        ("version", "5.2.0"),
        ("version", "5.3.0"),
        ("route", "GET api.shop.example/cart"),
    ]
    answer = await get("/api/v1/latency", query)
    assert answer["source"] == "view:route_version"
    inside = everything.where(version=["5.2.0", "5.3.0"], route="GET api.shop.example/cart")
    assert answer["groups"][0]["total"]["spans"] == inside.sum()
    assert_close(answer["groups"][0]["total"]["quantiles"], everything.metrics["duration"][inside])


async def test_groups_come_largest_first_by_up_to_two_dimensions(get: Get, everything: World) -> None:
    answer = await get("/api/v1/latency", {"from": "-90m", "group_by": "os,version"})
    spans = [group["total"]["spans"] for group in answer["groups"]]
    assert spans == sorted(spans, reverse=True)
    assert sum(spans) == len(everything.start_us)
    assert set(answer["groups"][0]["group"]) == {"os", "version"}


async def test_what_no_view_covers_is_estimated_from_weighted_samples(get: Get, world: World) -> None:
    query = {"from": "-90m", "q": "0.5,0.95", "os": "ios 18", "country": "DE", "step": "90m"}
    answer = await get("/api/v1/latency", query)
    assert (answer["exact"], answer["source"]) == (False, "samples")
    inside = world.where(os="ios 18", country="DE")
    sampled = inside & (np.arange(len(inside)) % 6 < 3)
    total = answer["groups"][0]["total"]
    assert total["spans"] == 2 * sampled.sum()
    assert total["quantiles"][0] == pytest.approx(
        float(np.sort(world.metrics["duration"][sampled])[int((sampled.sum() * 2 - 1) * 0.5) // 2])
    )
    for (low, high), quantile in zip(total["intervals"], (0.5, 0.95), strict=True):
        truth = np.quantile(world.metrics["duration"][inside], quantile)
        assert low <= truth <= high


async def test_samples_can_be_grouped_and_phases_keep_their_three_values(get: Get, world: World) -> None:
    query = {"from": "-90m", "metric": "dns", "country": "unknown", "group_by": "os,device_class"}
    answer = await get("/api/v1/latency", query)
    assert answer["source"] == "samples"
    for group in answer["groups"]:
        inside = world.where(country="unknown", **group["group"]) & (np.arange(len(world.start_us)) % 6 < 3)
        dns = world.metrics["dns"][inside]
        assert group["total"]["reused"] == 2 * (dns == -1).sum()
        assert group["total"]["unknown"] == 2 * (dns == -2).sum()
        assert group["total"]["measured"] == 2 * (dns >= 0).sum()


async def test_the_range_is_widened_to_whole_steps_and_says_so(get: Get) -> None:
    answer = await get(
        "/api/v1/latency", {"from": "2026-03-01T11:03:07Z", "to": "2026-03-01T12:33:20+01:00", "step": "5m"}
    )
    assert (answer["from"], answer["to"]) == ("2026-03-01T11:00:00Z", "2026-03-01T11:35:00Z")
    assert answer["groups"][0]["points"][0]["at"] == "2026-03-01T11:00:00Z"


async def test_a_range_without_spans_has_no_groups(get: Get) -> None:
    answer = await get("/api/v1/latency", {"from": "2025-06-01T00:00:00Z", "to": "2025-06-02T00:00:00Z"})
    assert answer["groups"] == []
    assert answer["exact"] is True


async def test_a_step_finer_than_what_is_kept_is_widened(get: Get) -> None:
    answer = await get("/api/v1/latency", {"from": "-20d", "to": "-19d", "step": "60s"})
    assert answer["step_s"] == 3600


async def test_a_range_that_ends_now_holds_the_newest_window(get: Get, everything: World) -> None:
    answer = await get("/api/v1/latency", {"from": "-10s", "step": "10s"})
    inside = everything.start_us >= NOW_US - 10_000_000
    assert sum(group["total"]["spans"] for group in answer["groups"]) == inside.sum()


async def test_half_asked_questions_have_an_empty_quantile_as_null(get: Get, everything: World) -> None:
    unmeasured = everything.metrics["redirect"] < 0
    windows = everything.start_us // 10_000_000
    lonely = next(w for w in np.unique(windows) if unmeasured[windows == w].all())
    start = np.datetime_as_string(np.datetime64(int(lonely) * 10_000_000, "us"), unit="s", timezone="UTC")
    end = np.datetime_as_string(np.datetime64(int(lonely) * 10_000_000 + 10_000_000, "us"), unit="s", timezone="UTC")
    answer: Any = await get(
        "/api/v1/latency", {"metric": "redirect", "from": start, "to": end, "step": "10s", "q": "0.5"}
    )
    assert answer["groups"][0]["total"]["quantiles"] == [None]
