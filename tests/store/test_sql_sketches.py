"""Sketches read by the database: the same values as by Python, and no more than may be seen."""

from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest import sessions, sketch
from tests.query.world import to_sketch

Pool = asyncpg.Pool


@pytest.mark.parametrize("seed", range(5))
async def test_quantiles_are_those_of_the_merged_sketches(pool: "Pool[Any]", seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = [rng.lognormal(11, 2, rng.integers(1, 400)).astype(np.int64) * (rng.random() < 0.9) for _ in range(8)]
    parts = [to_sketch(each) for each in values]
    probabilities = [0.0, 0.1, 0.5, 0.75, 0.95, 0.999, 1.0]
    found = await pool.fetchval(
        "SELECT firsthop_quantiles((SELECT string_agg(part, '') FROM unnest($1::bytea[]) AS part), $2)",
        parts,
        probabilities,
    )
    assert found == pytest.approx(sketch.quantiles(sketch.merge(parts), probabilities), rel=1e-9)
    one = await pool.fetchval("SELECT firsthop_quantile($1, 0.95)", parts[0])
    assert one == pytest.approx(sketch.quantiles(sketch.merge(parts[:1]), [0.95])[0], rel=1e-9)


async def test_bins_are_read_to_the_largest_bucket_and_count(pool: "Pool[Any]") -> None:
    bins = np.array([(-3, 7), (0, 1), (1837, sketch.MOST), (sketch.BUCKET_LIMIT - 1, 1 << 31)], sketch.Bins)
    rows = await pool.fetch("SELECT * FROM firsthop_bins($1) ORDER BY bucket", bins.tobytes())
    assert [tuple(row) for row in rows] == bins.tolist()


@pytest.mark.parametrize("empty", [b"", None])
async def test_of_nothing_there_is_no_quantile(pool: "Pool[Any]", empty: bytes | None) -> None:
    assert await pool.fetchval("SELECT firsthop_quantile($1::bytea, 0.5)", empty) is None


@pytest.mark.parametrize(
    ("parts", "least", "enough"),
    [
        ([], 1, True),
        ([], 5, False),
        ([range(1, 5)], 5, False),
        ([range(1, 6)], 5, True),
        ([range(1, 4), range(2, 5)], 5, False),
        ([range(1, 4), range(3, 6)], 5, True),
        ([range(1, 20), range(1, 3)], 20, False),
        ([range(1, 20), range(30, 31)], 20, True),
        ([range(1, 2000)], 90, True),
    ],
)
async def test_sessions_are_told_from_each_other(
    pool: "Pool[Any]", parts: list[range], least: int, enough: bool
) -> None:
    sketches = [sessions.sketches(np.zeros(len(part), np.int64), np.array(part), 1)[0] for part in parts]
    heads = [each[: sessions.head_bytes(least)] for each in sketches]
    assert await pool.fetchval("SELECT firsthop_enough($1, $2)", heads, least) is enough
