"""What only a store in a certain state shows: compaction, overflow, many groups, a database that is slow or away."""

from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest.errors import Unavailable
from ingest.model import DIMENSIONS, METRICS
from ingest.sketch import ABSENT
from ingest.store.embedded import EmbeddedPostgres
from ingest.store.snapshot import snapshot
from tests.query import world as seeded
from tests.query.conftest import TOKEN, add_apps, compact, serve

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


async def ask(client: Any, path: str, **query: str) -> Any:
    """The JSON of a 200."""
    response = await client.get(f"/api/v1/{path}", params=query, headers=HEADERS)
    answer = await response.json()
    assert response.status == 200, answer
    return answer


async def test_no_figure_changes_when_the_compactor_takes_its_turn(pool: "asyncpg.Pool[Any]") -> None:
    questions: list[tuple[str, dict[str, str]]] = [
        ("latency", {"step": "10s", "group_by": "version"}),
        ("latency", {"step": "60s", "group_by": "version", "metric": "tls"}),
        ("latency", {"step": "1h"}),
        ("phases", {"group_by": "network"}),
        ("routes", {}),
        ("values", {"dimension": "country"}),
    ]
    spans = seeded.make(1, 120, 7000, seed=3)
    turn = np.arange(120) // 30
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store(connection, spans, turn == 0, 1)
        await seeded.store(connection, spans, turn == 1, 2)
    async with serve(pool) as client:
        for late in (2, 3):
            async with pool.acquire() as connection:
                await seeded.store(connection, spans, turn == late, late + 1)
            before = [await ask(client, path, **{"from": "-2h", **query}) for path, query in questions]
            assert before[0]["groups"][0]["total"]["spans"]
            await compact(pool)
            after = [await ask(client, path, **{"from": "-2h", **query}) for path, query in questions]
            assert after == before
        assert sum(row["spans"] for row in after[-1]["values"]) == 120


@pytest.fixture
async def crowded(pool: "asyncpg.Pool[Any]") -> Any:
    """A client of an app with 60 routes of which the smallest 10 exceeded the cardinality limit."""
    async with pool.acquire() as connection:
        await add_apps(connection)
        series, rollups = [], []
        for number in range(61):
            route = f"GET a.example/{number}" if number < 60 else "{other}"
            values = {"route": route, "version": "{other}" if number == 60 else "1.0"}
            for view, names in (("route", ("route",)), ("route_version", ("route", "version"))):
                key = seeded.series_id(1, view, [values[name] for name in names])
                series.append((1, key, view, *(values[name] if name in names else None for name in DIMENSIONS)))
                spans = 100 - number
                sketch = seeded.to_sketch(np.full(spans, 1000 + number))
                window = seeded.at(seeded.NOW_US - 600_000_000)
                rollups.append((1, key, window, 1, spans, 0, [0] * 8, [spans] * 8, sketch, *[None] * 9))
        await connection.copy_records_to_table(
            "series", columns=["app_id", "series_id", "view", *DIMENSIONS], records=series
        )
        await connection.copy_records_to_table("rollup_10s", records=rollups)
    async with serve(pool) as client:
        yield client


async def test_only_the_fifty_largest_groups_are_answered_and_that_is_said(crowded: Any) -> None:
    answer = await ask(crowded, "latency", group_by="route")
    assert answer["truncated"] is True
    assert [group["total"]["spans"] for group in answer["groups"]] == list(range(100, 50, -1))


async def test_all_points_together_are_bounded_too(crowded: Any) -> None:
    answer = await ask(crowded, "latency", group_by="route", step="60s", **{"from": "-24h"})
    assert answer["truncated"] is True
    assert len(answer["groups"]) == 20_000 // 1440


async def test_what_overflowed_is_a_value_like_any_other(crowded: Any) -> None:
    answer = await ask(crowded, "values", dimension="route")
    assert {"value": "{other}", "spans": 40, "errors": 0} in answer["values"]
    assert answer["exact"] is True


async def test_a_filter_says_how_many_spans_it_may_have_missed(crowded: Any) -> None:
    answer = await ask(crowded, "latency", route="GET a.example/7")
    assert answer["groups"][0]["total"]["spans"] == 93
    assert (answer["exact"], answer["hidden_spans"]) == (False, 40)


async def test_overflow_can_be_asked_for_by_name(crowded: Any) -> None:
    answer = await ask(crowded, "latency", route="{other}")
    assert answer["groups"][0]["total"]["spans"] == 40
    assert (answer["exact"], answer["hidden_spans"]) == (True, 0)


async def test_samples_thinned_for_their_number_still_stand_for_all(
    pool: "asyncpg.Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.read_samples.MOST_SAMPLES", 500)
    spans = seeded.make(1, 2000, 3000, seed=5)
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store_spans(connection, spans, np.full(2000, 3.0))
    async with serve(pool) as client:
        answer = await ask(client, "latency", os="ios 18", group_by="country,network", q="0.5", step="1h")
        total = sum(group["total"]["spans"] for group in answer["groups"])
        assert total == pytest.approx(3 * spans.where(os="ios 18").sum(), rel=0.25)
        assert total % 12 == 0


async def test_an_estimate_holds_the_exact_answer_to_the_same_question(
    pool: "asyncpg.Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    spans = seeded.make(1, 9000, 3000, seed=11)
    kept = (np.random.default_rng(12).random(3000) < 0.2)[np.arange(9000) // 3]
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store(connection, spans, np.ones(9000, dtype=bool), 1)
        await seeded.store_spans(connection, spans, np.where(kept, 5.0, 0.0))
    held = []
    async with serve(pool) as client:
        for dimension in ("version", "country", "network", "route"):
            query = {"group_by": dimension, "q": "0.5,0.9", "step": "1h", "from": "-1h"}
            exact = await ask(client, "latency", **query)
            with monkeypatch.context() as patch:
                patch.setattr("ingest.query.figures.covering", lambda _: [])
                estimated = await ask(client, "latency", **query)
            assert (exact["basis"], estimated["basis"]) == ("exact", "estimated")
            truth = {group["group"][dimension]: group["total"] for group in exact["groups"]}
            for group in estimated["groups"]:
                mine, true = group["total"], truth[group["group"][dimension]]
                for name in ("spans", "errors"):
                    low, high = mine[f"{name}_interval"]
                    held.append(low <= true[name] <= high)
                for (low, high), value in zip(mine["intervals"], true["quantiles"], strict=True):
                    held.append(low * 0.99 <= value <= (high or float("inf")) * 1.01)
    assert len(held) == 48
    assert sum(held) >= 0.93 * len(held)


async def test_spans_that_are_no_requests_have_no_phase_and_so_none_was_measured(pool: "asyncpg.Pool[Any]") -> None:
    spans = seeded.make(1, 300, 3000, seed=9)
    screens = np.arange(300) % 3 == 0
    for metric in METRICS[1:]:
        spans.metrics[metric][screens] = ABSENT
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store(connection, spans, np.ones(300, dtype=bool), 1)
    async with serve(pool) as client:
        group = (await ask(client, "phases", **{"from": "-1h"}))["groups"][0]
        assert group["spans"] == 300
        for phase in group["phases"]:
            assert phase["measured"] == (spans.metrics[phase["phase"]] >= 0).sum()
            assert phase["measured"] + phase["reused"] + phase["unknown"] == 200
        latency = await ask(client, "latency", **{"from": "-1h", "metric": "tls", "step": "1h"})
        assert latency["groups"][0]["total"]["measured"] == (spans.metrics["tls"] >= 0).sum()
        durations = await ask(client, "latency", **{"from": "-1h", "step": "1h"})
        assert durations["groups"][0]["total"]["measured"] == 300


async def test_counts_in_which_spans_stand_for_others_are_called_estimates(pool: "asyncpg.Pool[Any]") -> None:
    spans = seeded.make(1, 300, 3000, seed=7)
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store(connection, spans, np.ones(300, dtype=bool), 1)
        hours = [(seeded.at(seeded.NOW_US - hour * 3_600_000_000), hour) for hour in (1, 5)]
        rows = [(1, at, f"noted:{note}", 1, hour) for at, hour in hours for note in ("weighted", "sketch_remapped")]
        await connection.copy_records_to_table("ledger", records=rows)
    async with serve(pool) as client:
        answer = await ask(client, "latency", **{"from": "-1h"})
        assert (answer["basis"], answer["exact"], answer["weighted_spans"]) == ("estimated", False, 1)
        assert answer["relative_error"] == 0.0605
        await pool.execute("DELETE FROM ledger WHERE outcome = 'noted:weighted' AND spans = 1")
        answer = await ask(client, "latency", **{"from": "-1h"})
        assert (answer["basis"], answer["weighted_spans"], answer["relative_error"]) == ("exact", 0, 0.0605)
        await pool.execute("DELETE FROM ledger WHERE outcome = 'noted:sketch_remapped' AND spans = 1")
        assert (await ask(client, "latency", **{"from": "-1h"}))["relative_error"] == 0.01
        assert (await ask(client, "latency", **{"from": "-6h"}))["basis"] == "estimated"


async def test_samples_say_for_how_many_spans_none_of_them_stands(pool: "asyncpg.Pool[Any]") -> None:
    spans = seeded.make(1, 300, 3000, seed=7)
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store_spans(connection, spans, np.ones(300))
        outcomes = {
            "kept": 300,
            "counted_only": 900,
            "counted_no_consent": 40,
            "noted:trace_full": 2,
            "noted:unsampled": 3,
        }
        rows = [
            (app, seeded.at(seeded.NOW_US - hour * 3_600_000_000), name, app, count)
            for app, hour in ((1, 1), (2, 1))
            for name, count in outcomes.items()
        ]
        await connection.copy_records_to_table("ledger", records=rows)
    async with serve(pool) as client:
        query = {"os": "ios 18", "group_by": "country,network", "q": "0.5", "from": "-1h"}
        answer = await ask(client, "latency", **query)
        assert (answer["source"], answer["basis"], answer["hidden_spans"]) == ("samples", "incomplete", 45)
        await pool.execute("DELETE FROM ledger WHERE app_id = 1 AND outcome NOT IN ('kept', 'counted_only')")
        answer = await ask(client, "latency", **query)
        assert (answer["source"], answer["basis"], answer["hidden_spans"]) == ("samples", "estimated", 0)


async def test_what_takes_longer_than_five_seconds_is_given_up(
    pool: "asyncpg.Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.snapshot.STATEMENT_TIMEOUT_MS", 20)
    with pytest.raises(Unavailable, match="shorter range"):
        async with snapshot(pool) as connection:
            await connection.execute("SELECT pg_sleep(60)")


async def test_a_database_that_is_away_is_a_503_and_not_ready(
    pool: "asyncpg.Pool[Any]", dsn: str, postgres: EmbeddedPostgres
) -> None:
    async with pool.acquire() as connection:
        await add_apps(connection)
    async with serve(pool) as client:
        assert (await client.get("/readyz")).status == 200
        name = dsn.split("@/")[1].split("?", maxsplit=1)[0]
        admin = await asyncpg.connect(postgres.start())
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        for path in ("/readyz", "/api/v1/apps"):
            response = await client.get(path, headers=HEADERS)
            assert response.status == 503
            assert response.headers["Retry-After"]
            assert (await response.json())["error"] == "store_unreachable"
        assert (await client.get("/healthz")).status == 200
        await admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        assert (await client.get("/readyz")).status == 200
        await admin.close()


async def test_a_fault_of_the_server_has_the_one_shape_and_tells_nothing(
    pool: "asyncpg.Pool[Any]", caplog: pytest.LogCaptureFixture
) -> None:
    async with pool.acquire() as connection:
        await add_apps(connection)
        await connection.execute("DROP TABLE ledger")
    async with serve(pool) as client:
        response = await client.get("/api/v1/ledger", headers=HEADERS)
        assert response.status == 500
        assert await response.json() == {
            "error": "internal",
            "message": "This is a fault of the server.",
            "parameter": None,
        }
        assert "a call of the query API failed" in caplog.text


async def test_a_revoked_token_stops_working_within_seconds(pool: "asyncpg.Pool[Any]") -> None:
    seconds = [0.0]
    async with pool.acquire() as connection:
        await add_apps(connection)
    async with serve(pool, clock=lambda: seconds[0]) as client:
        await ask(client, "apps")
        await pool.execute("DELETE FROM app_key WHERE app_id = 1")
        seconds[0] = 6.0
        assert (await client.get("/api/v1/apps", headers=HEADERS)).status == 401
