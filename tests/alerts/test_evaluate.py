"""Rules over a real database: what fires, for whom, and what receivers read."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg

from ingest.store.policies import PostgresPolicies
from tests.alerts.stage import START_US, inbox, minutes, put, rule, stage, store


async def test_a_slow_route_fires_with_link_and_examples_and_resolves(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([200, 200, 3000, 3000, 3000, 200, 200]), sampled=True)
    await put(pool, rule(**{"for": "2m"}, group_by=["country"], annotations={"runbook": "https://wiki.example/slow"}))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(3)
        assert ops.bodies == []
        await play.at(4)
        await play.at(7)
    firing, resolved = ops.bodies
    assert (firing["status"], firing["group"], firing["app"]) == ("firing", {"country": "DE"}, "shop")
    assert firing["summary"] == "p95 of requests is 2.99 s, above 1 s"
    assert firing["annotations"] == {"runbook": "https://wiki.example/slow"}
    assert firing["started_at"] == "2026-03-01T12:04:00.000Z"
    assert len(firing["traces"]) == 3
    query = parse_qs(urlsplit(firing["dashboard_url"]).query)
    assert (query["app"], query["country"]) == (["shop"], ["DE"])
    assert query["from"] == ["2026-03-01T11:49:00Z"]
    assert ops.keys == [firing["id"], resolved["id"]]
    assert (resolved["status"], resolved["reason"]) == ("resolved", "recovered")
    assert resolved["started_at"] == firing["started_at"]
    events = await pool.fetch("SELECT status, silenced FROM alert_event ORDER BY event_id")
    assert [tuple(event) for event in events] == [("firing", False), ("resolved", False)]


async def test_late_data_completes_a_run_that_the_windows_lacked(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([200, 200, 3000]))
    await put(pool, rule(**{"for": "3m"}))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(3)
        assert ops.bodies == []
        await store(pool, minutes([3000, 3000], spans=60))
        await play.at(3.5)
    assert ops.told() == [("firing", "slow")]


async def test_a_group_that_may_not_be_shown_cannot_alert(pool: "asyncpg.Pool[Any]") -> None:
    few = {"country": "BR"}
    await store(pool, minutes([200] * 4))
    await store(pool, minutes([9000] * 4, sessions=2, dims=few))
    await put(pool, rule(group_by=["country"]))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
        assert ops.bodies == []
        play.least_sessions = 1
        await play.at(5)
    assert [body["group"] for body in ops.bodies] == [few]


CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"when": {"kind": "errors", "above": 0.2}}, True),
    ({"when": {"kind": "errors", "above": 0.5}}, False),
    ({"when": {"kind": "phase_share", "phase": "tls", "above": 0.2}}, True),
    ({"when": {"kind": "phase_share", "phase": "tls", "above": 0.3}}, False),
    ({"when": {"kind": "phase_share", "phase": "dns", "of": "reused", "above": 0.9}}, True),
    ({"when": {"kind": "phase_share", "phase": "dns", "of": "unknown", "above": 0.1}}, False),
    ({"when": {"kind": "traffic", "below_spans": 31}}, True),
    ({"when": {"kind": "traffic", "below_spans": 30}}, False),
    ({"when": {"kind": "traffic", "below_spans": 5}, "filters": {"country": ["US"]}}, True),
    ({"when": {"kind": "latency", "above_ms": 500, "quantile": 0.5}}, True),
    ({"when": {"kind": "latency", "above_ms": 500}, "min_spans": 31}, False),
    ({"when": {"kind": "latency", "above_ms": 100, "metric": "tls"}}, True),
    ({"when": {"kind": "latency", "above_ms": 1, "metric": "dns"}}, False),
    ({"when": {"kind": "errors", "above": 0.01}, "signal": "page"}, False),
]


async def test_every_kind_of_condition(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([600] * 4, failed=0.3))
    for number, (members, _) in enumerate(CONDITIONS):
        await put(pool, rule(name=f"{number}", **members))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
    fired = {body["rule"] for body in ops.bodies}
    assert fired == {str(number) for number, (_, fires) in enumerate(CONDITIONS) if fires}


async def test_requests_that_only_browsers_could_report_count_as_failed(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([600] * 4))
    await store(pool, minutes([600] * 4, failed=1.0, spans=20), signal="report")
    await put(pool, rule(when={"kind": "errors", "above": 0.3}))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
    assert ops.told() == [("firing", "slow")]


async def test_what_differs_from_the_same_hour_of_other_days_fires_once_three_are_known(
    pool: "asyncpg.Pool[Any]",
) -> None:
    day = 24 * 60
    await put(pool, rule(when={"kind": "deviation", "sigma": 3}))
    await put(pool, rule(name="quiet", when={"kind": "traffic", "below_share": 0.5}))
    await store(pool, minutes([600, 600, 600]))
    await store(pool, minutes([200] * 5, first=-day, spans=900))
    await store(pool, minutes([210] * 5, first=-2 * day, spans=900))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(3)
        assert ops.bodies == []
        await store(pool, minutes([190] * 5, first=-3 * day, spans=900))
        play.evaluator._seen.clear()
        await play.at(4)
    assert sorted(ops.told()) == [("firing", "quiet"), ("firing", "slow")]
    assert "above the same hour on other days" in next(b["summary"] for b in ops.bodies if b["rule"] == "slow")


async def test_an_aggregator_that_lags_is_no_loss_of_traffic(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([200] * 4))
    await put(pool, rule(when={"kind": "traffic", "below_spans": 5}))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
        await pool.execute(
            "INSERT INTO journal (lane, seq, record, appended_at) VALUES (1, 1, '\\x00', to_timestamp($1))",
            (START_US + 4 * 60_000_000) / 1e6,
        )
        await play.at(9)
        assert ops.bodies == []
        await pool.execute("DELETE FROM journal")
        await play.at(10)
    assert ops.told() == [("firing", "slow")]


async def test_traffic_that_shrinks_to_a_few_users_is_a_loss_though_their_figures_are_not_shown(
    pool: "asyncpg.Pool[Any]",
) -> None:
    await store(pool, minutes([200] * 3))
    await store(pool, minutes([200] * 4, first=3, spans=3, sessions=3))
    await put(pool, rule(when={"kind": "traffic", "below_spans": 10}, **{"for": "2m"}))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(3)
        assert ops.bodies == []
        await play.at(6)
    assert [body["value"] for body in ops.bodies] == [0.0]


async def test_a_silenced_rule_tells_when_the_silence_ends(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 9))
    await put(pool, rule())
    await pool.execute(
        "INSERT INTO alert_silence (app_id, silence_id, rule, grouping, reason, silenced_by, created_at, until_at)"
        " VALUES (1, gen_random_uuid(), 'slow', '{}', 'known', 'key:1', to_timestamp(0), '2026-03-02')"
    )
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
        assert ops.bodies == []
        assert await pool.fetchval("SELECT standing FROM alert_state") == "firing"
        await pool.execute("UPDATE alert_silence SET until_at = '2026-03-01 12:00Z'")
        await play.at(5)
    assert ops.told() == [("firing", "slow")]


async def test_a_rule_that_is_removed_ends_what_fires_of_it(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 9))
    await put(pool, rule())
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
        await pool.execute("DELETE FROM alert_rule")
        await play.at(5)
    assert [(body["status"], body["reason"]) for body in ops.bodies] == [("firing", None), ("resolved", "rule_removed")]
    assert not await pool.fetchval("SELECT count(*) FROM alert_state")


async def test_a_rule_that_groups_by_something_else_ends_its_old_groups(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 9))
    await put(pool, rule(group_by=["country"]))
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
        await put(pool, rule(group_by=["version"]))
        await play.at(5)
    statuses = [(body["status"], body["group"]) for body in ops.bodies]
    assert sorted(statuses, key=str) == [
        ("firing", {"country": "DE"}),
        ("firing", {"version": "5.2.0"}),
        ("resolved", {"country": "DE"}),
    ]


async def test_the_rules_of_the_apps_file_are_in_force_and_win_over_one_of_the_same_name(
    pool: "asyncpg.Pool[Any]",
) -> None:
    await store(pool, minutes([3000] * 9))
    await put(pool, rule(when={"kind": "latency", "above_ms": 99_000}))
    text = '[[alerts]]\nname = "slow"\nwindow = "1m"\nwhen = { kind = "latency", above_ms = 1000 }\n'
    await PostgresPolicies(pool).apply(1, text)
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
    assert ops.told() == [("firing", "slow")]


async def test_a_rule_names_its_receivers(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule(receivers=["team"]))
    async with inbox() as ops, inbox() as team, stage(pool, ops, team) as play:
        await play.at(4)
    assert (ops.told(), team.told()) == ([], [("firing", "slow")])


async def test_one_rule_that_cannot_be_evaluated_does_not_keep_others_from_firing(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule(name="a"))
    await put(pool, rule(name="b"))
    async with inbox() as ops, stage(pool, ops) as play:
        series = play.measurer.series

        async def broken(question: Any, probability: float) -> Any:
            if not hasattr(broken, "called"):
                broken.called = True  # type: ignore[attr-defined]
                raise RuntimeError
            return await series(question, probability)

        play.measurer.series = broken  # type: ignore[method-assign]
        await play.at(4)
    assert ops.told() == [("firing", "b")]
