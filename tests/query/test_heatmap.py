"""One quantile in a grid of groups."""

from typing import Any

import numpy as np
import pytest

from ingest.store.database import open_pool
from tests.query.conftest import Get, serve, show_from
from tests.query.world import World


async def test_every_cell_has_its_quantile_counts_and_errors(get: Get, everything: World) -> None:
    answer = await get("/api/v1/heatmap", {"from": "-2h", "facet": "network", "q": "0.9"})
    assert (answer["y"], answer["x"], answer["facet"]) == ("country", "device_class", "network")
    assert answer["basis"] == "exact"
    assert len(answer["cells"]) == 3 * 3 * 2
    for cell in answer["cells"]:
        inside = everything.where(country=cell["y"], device_class=cell["x"], network=cell["facet"])
        durations = np.sort(everything.metrics["duration"][inside])
        assert (cell["spans"], cell["errors"]) == (inside.sum(), everything.error[inside].sum())
        assert cell["us"] == pytest.approx(durations[int(0.9 * (len(durations) - 1))], rel=0.0101)
    whole = np.sort(everything.metrics["duration"])
    assert answer["whole_us"] == pytest.approx(whole[int(0.9 * (len(whole) - 1))], rel=0.0101)


async def test_rows_columns_and_facets_come_by_size(get: Get, everything: World) -> None:
    answer = await get("/api/v1/heatmap", {"from": "-2h", "facet": "network"})
    for axis, name in (("rows", "country"), ("columns", "device_class"), ("facets", "network")):
        counts = [row["spans"] for row in answer[axis]]
        assert counts == sorted(counts, reverse=True)
        assert {row["value"]: row["spans"] for row in answer[axis]} == {
            value: everything.where(**{name: value}).sum() for value in np.unique(everything.dims[name])
        }


async def test_rows_beyond_the_limit_are_said_to_be_cut(get: Get) -> None:
    answer = await get("/api/v1/heatmap", {"from": "-2h", "limit": "1"})
    assert answer["truncated"] is True
    assert {cell["y"] for cell in answer["cells"]} == {answer["rows"][0]["value"]}
    assert answer["facets"] == []


async def test_phases_are_over_the_requests_in_which_they_happened(get: Get, everything: World) -> None:
    answer = await get("/api/v1/heatmap", {"from": "-2h", "metric": "tls"})
    for cell in answer["cells"]:
        values = everything.metrics["tls"][everything.where(country=cell["y"], device_class=cell["x"])]
        assert cell["measured"] == (values >= 0).sum() < cell["spans"]


async def test_a_grid_that_no_view_covers_comes_from_samples_with_intervals(get: Get) -> None:
    answer = await get("/api/v1/heatmap", {"from": "-2h", "y": "route", "x": "country"})
    assert answer["source"] == "view:route_country"
    answer = await get("/api/v1/heatmap", {"from": "-2h", "y": "route", "x": "country", "facet": "network"})
    assert answer["source"] == "samples"
    for cell in answer["cells"]:
        assert cell["interval"][0] <= cell["us"]


async def test_cells_of_too_few_sessions_are_left_out_and_counted(get: Get, world_dsn: str) -> None:
    shown = await get("/api/v1/heatmap", {"from": "-2h", "facet": "network"})
    pool = await open_pool(world_dsn, connections=2)
    try:
        async with serve(pool, policy_of=lambda _: show_from(40)) as careful:
            headers = {"Authorization": "Bearer fh_tok_shop"}
            response = await careful.get("/api/v1/heatmap", params={"from": "-2h", "facet": "network"}, headers=headers)
            answer = await response.json()
    finally:
        pool.terminate()
    assert answer["suppressed"]["groups"] == len(shown["cells"]) - len(answer["cells"]) > 0
    assert answer["whole_us"] == shown["whole_us"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [({"x": "country"}, "x"), ({"facet": "country"}, "x"), ({"y": "city"}, "y"), ({"limit": "0"}, "limit")],
)
async def test_bad_axes_are_refused(ask: Any, query: dict[str, str], parameter: str) -> None:
    response = await ask("/api/v1/heatmap", query)
    answer = await response.json()
    assert (response.status, answer["parameter"]) == (400, parameter)
