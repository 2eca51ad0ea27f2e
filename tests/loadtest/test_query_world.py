"""The world of `make bench-query`: what it draws, and that every moment is filled in once."""

from itertools import pairwise

import numpy as np
import pytest

from ingest.store.plan import TIERS
from loadtest.query_fill import MINUTES_US, slabs
from loadtest.query_world import DAY_US, DAYS, MINUTE_US, SPANS, World

NOW_US = 1_795_960_040_000_000


@pytest.fixture(scope="module")
def world() -> World:
    return World(NOW_US)


def test_rollups_stand_series_by_series_and_hold_the_traffic_in_every_view(world: World) -> None:
    first = NOW_US // MINUTE_US - 30
    rollups = world.rollups(("all", "route", "version"), np.arange(first, first + 30), MINUTE_US, NOW_US)
    assert np.lexsort((rollups.window, rollups.series_id)).tolist() == list(range(len(rollups)))
    expected = SPANS * 30 * MINUTE_US / (DAYS * DAY_US)
    for view in ("all", "route", "version"):
        mine = np.isin(rollups.series_id, world.series_ids[view])
        assert rollups.spans[mine].sum() == pytest.approx(expected, rel=0.6)
    assert rollups.sizes.sum() == len(rollups.bins)
    assert np.all(rollups.sizes[:, 0] <= rollups.spans)


def test_every_moment_of_a_tier_is_filled_in_once() -> None:
    for tier, since_us in zip(TIERS[1:], (MINUTES_US, DAYS * DAY_US, DAYS * DAY_US), strict=True):
        mine = [slab for slab in slabs(NOW_US) if slab.tier is tier]
        assert all(one.to_us == other.from_us for one, other in pairwise(mine))
        assert mine[0].from_us == (NOW_US - since_us) // tier.width_us * tier.width_us
        for slab in mine:
            assert slab.from_us < slab.to_us
            if slab.part is None:
                assert slab.from_us // tier.stretch_us == (slab.to_us - 1) // tier.stretch_us
