"""Alerts by API: rules, silences, tests, dry runs; who may change them, and what is refused with which words."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import jsonschema
import pytest_asyncio

from ingest.query.openapi import document
from ingest.store.policies import PostgresPolicies
from tests.alerts.stage import inbox, minutes, put, rule, stage, store
from tests.query import world as seeded
from tests.query.conftest import OTHER_OWNER, OWNER, TOKEN, add_apps, serve
from tests.query.test_openapi import resolved

RULE = {"name": "slow", "when": {"kind": "latency", "above_ms": 1000}, "window": "1m"}
FIRST = -12
"""Minutes before the server's time at which the world begins."""

Ask = Callable[..., Awaitable[Any]]


@pytest_asyncio.fixture
async def ask(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Ask]:
    """A call with the owner's key; gives status and JSON, and holds answers against the document."""
    async with pool.acquire() as connection:
        await add_apps(connection)
    async with serve(pool) as client:

        async def ask(method: str, path: str, body: Any = None, *, token: str = OWNER, **query: str) -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            async with client.request(
                method, f"/api/v1/alerts{path}", json=body, params=query, headers=headers
            ) as response:
                answer = await response.json()
                described = "/silences/{silence_id}" if path.startswith("/silences/") else path
                operation = document()["paths"][f"/api/v1/alerts{described}"][method.lower()]
                schema = operation["responses"][str(response.status)]["content"]["application/json"]["schema"]
                jsonschema.validate(answer, resolved(schema))
                return response.status, answer

        yield ask


async def test_a_rule_is_made_listed_replaced_and_removed_and_each_change_is_audited(
    ask: Ask, pool: "asyncpg.Pool[Any]"
) -> None:
    status, made = await ask("PUT", "/rules", RULE)
    assert (status, made["source"], made["rule"]["for"]) == (200, "api", "0s")
    await ask("PUT", "/rules", {**RULE, "for": "5m"})
    _, listed = await ask("GET", "/rules", token=TOKEN)
    assert [each["rule"]["for"] for each in listed["rules"]] == ["5m"]
    assert listed["receivers"] == ["ops"]
    assert await ask("DELETE", "/rules", name="slow") == (200, {"removed": "slow"})
    assert (await ask("DELETE", "/rules", name="slow"))[0] == 404
    audit = await pool.fetch("SELECT action, subject, before IS NULL AS new FROM audit ORDER BY audit_id")
    assert [tuple(row) for row in audit] == [
        ("alert_rule.create", "slow", True),
        ("alert_rule.update", "slow", False),
        ("alert_rule.delete", "slow", False),
    ]


REFUSED: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({"when": {"kind": "latency", "above_ms": 0}}, ("above_ms", "> 0")),
    ({"when": {"kind": "lateness"}}, ("when.kind",)),
    ({"when": {"kind": "traffic"}}, ("exactly one of below_spans and below_share",)),
    ({"when": {"kind": "traffic", "below_spans": 1, "below_share": 0.5}}, ("exactly one",)),
    ({"when": {"kind": "errors", "above": 5}}, ("above", "< 1")),
    ({"when": {"kind": "deviation", "metric": "nonsense"}}, ("metric", "duration")),
    ({"when": {"kind": "phase_share", "phase": "dns", "above": 0.1}, "signal": "page"}, ("signal", "request")),
    ({"signal": "nonsense"}, ("signal", "request")),
    ({"window": "7s"}, ("window", "10s to 6h")),
    ({"window": "7h"}, ("window", "10s to 6h")),
    ({"window": "soon"}, ("window", "30s, 5m, 1h")),
    ({"for": "61m"}, ("for", "60 windows")),
    ({"filters": {"browser": ["x"]}}, ("filters", "route")),
    ({"filters": {"version": []}}, ("filters", "length >= 1")),
    ({"filters": {"version": ["\0"]}}, ("filters", "NUL")),
    ({"group_by": ["version", "version"]}, ("group_by", "once")),
    ({"group_by": ["version", "country", "os"]}, ("group_by", "length <= 2")),
    ({"annotations": {"Run Book": "x"}}, ("annotations", "runbook")),
    ({"annotations": {"runbook": "\0"}}, ("annotations", "NUL")),
    ({"severity": "fatal"}, ("severity",)),
    ({"receivers": ["nobody"]}, ("receivers", "ops")),
    ({"name": " slow"}, ("name", "space")),
    ({"name": ""}, ("name", "length >= 1")),
    ({"nmae": "x"}, ("nmae",)),
    ({"min_spans": 0}, ("min_spans", ">= 1")),
]


async def test_what_no_rule_can_say_is_refused_by_name(ask: Ask) -> None:
    for change, words in REFUSED:
        status, answer = await ask("PUT", "/rules", {**RULE, **change})
        assert status == 400, change
        assert all(word in answer["message"] for word in words), answer


async def test_an_app_has_a_hundred_rules_at_most(ask: Ask, pool: "asyncpg.Pool[Any]") -> None:
    for number in range(100):
        await put(pool, rule(name=f"rule {number}"))
    status, answer = await ask("PUT", "/rules", RULE)
    assert (status, answer["error"]) == (400, "too_many_rules")
    assert (await ask("PUT", "/rules", {**RULE, "name": "rule 7"}))[0] == 200


async def test_only_owners_change_and_nobody_sees_another_apps_rules(ask: Ask) -> None:
    for method, path, body in (
        ("PUT", "/rules", RULE),
        ("POST", "/silences", {"reason": "x", "until": "2026-03-01T13:00:00Z"}),
        ("POST", "/test", {"name": "slow"}),
    ):
        assert (await ask(method, path, body, token=TOKEN))[0] == 403
    await ask("PUT", "/rules", RULE)
    assert (await ask("GET", "/rules", token=OTHER_OWNER))[1]["rules"] == []
    assert (await ask("DELETE", "/rules", token=OTHER_OWNER, name="slow"))[0] == 404
    assert (await ask("GET", "/rules", token=OTHER_OWNER, app="shop"))[0] == 403


async def test_a_rule_of_the_file_is_listed_and_cannot_be_replaced(ask: Ask, pool: "asyncpg.Pool[Any]") -> None:
    text = '[[alerts]]\nname = "slow"\nwhen = { kind = "errors", above = 0.1 }\n'
    await PostgresPolicies(pool).apply(1, text)
    _, listed = await ask("GET", "/rules")
    assert [(each["source"], each["rule"]["name"]) for each in listed["rules"]] == [("file", "slow")]
    status, answer = await ask("PUT", "/rules", RULE)
    assert (status, answer["parameter"]) == (400, "name")
    assert "file" in answer["message"]


async def test_what_fires_is_listed_with_its_words_and_its_history(ask: Ask, pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 4))
    await ask("PUT", "/rules", {**RULE, "group_by": ["country"]})
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
        (alert,) = (await ask("GET", "", token=TOKEN))[1]["alerts"]
        assert (alert["standing"], alert["rule"], alert["group"]) == ("firing", "slow", {"country": "DE"})
        assert "above 1 s" in alert["text"]
        assert not alert["silenced"]
        _, silence = await ask(
            "POST", "/silences", {"reason": "deploying", "until": "2026-03-01T13:00:00Z", "group": {"country": "DE"}}
        )
        assert (silence["by"].startswith("key:"), silence["holds"]) == (True, True)
        assert (await ask("GET", ""))[1]["alerts"][0]["silenced"]
    _, told = await ask("GET", "/history")
    assert [(each["status"], each["silenced"]) for each in told["history"]] == [("firing", False)]


async def test_a_silence_ends_when_it_is_ended(ask: Ask, pool: "asyncpg.Pool[Any]") -> None:
    _, silence = await ask("POST", "/silences", {"reason": "x", "until": "2026-05-01T12:00:00Z", "rule": "slow"})
    path = f"/silences/{silence['id']}"
    assert await ask("DELETE", path) == (200, {"ended": silence["id"]})
    assert (await ask("DELETE", path))[0] == 404
    assert (await ask("DELETE", "/silences/none"))[0] == 400
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action LIKE 'alert_silence%'") == 2


async def test_a_silence_that_cannot_be_is_refused(ask: Ask) -> None:
    for change in (
        {"until": "2026-02-01T00:00:00Z"},
        {"until": "2027-03-01T00:00:00Z"},
        {"until": "tomorrow"},
        {"reason": ""},
        {"reason": "\0"},
        {"group": {"browser": "x"}},
        {"rule": "x" * 101},
    ):
        given = {"reason": "x", "until": "2026-03-01T13:00:00Z", **change}
        assert (await ask("POST", "/silences", given))[0] == 400, change


async def test_a_test_goes_through_the_rules_receivers_marked_as_one(ask: Ask, pool: "asyncpg.Pool[Any]") -> None:
    assert (await ask("POST", "/test", {"name": "slow"}))[0] == 404
    assert (await ask("POST", "/test", {}))[0] == 400
    await ask("PUT", "/rules", RULE)
    status, tested = await ask("POST", "/test", {"name": "slow"})
    assert (status, tested["receivers"]) == (200, ["ops"])
    async with inbox() as ops, stage(pool, ops) as play:
        await play.deliver()
    assert [(body["status"], body["id"]) for body in ops.bodies] == [("test", tested["id"])]
    assert ops.bodies[0]["text"].startswith("*Test*")


async def test_without_receivers_a_test_says_what_to_set(pool: "asyncpg.Pool[Any]") -> None:
    async with pool.acquire() as connection:
        await add_apps(connection)
    await put(pool, rule())
    async with serve(pool, webhooks="") as client:
        headers = {"Authorization": f"Bearer {OWNER}"}
        async with client.post("/api/v1/alerts/test", json={"name": "slow"}, headers=headers) as response:
            assert response.status == 400
            assert "FIRSTHOP_ALERT_WEBHOOKS" in (await response.json())["message"]


async def test_a_dry_run_says_when_a_rule_would_have_fired_and_for_whom(ask: Ask, pool: "asyncpg.Pool[Any]") -> None:
    course = [200, 200, 3000, 3000, 200, 200, 3000, 3000, 3000, 200, 200, 200]
    assert seeded.NOW_US == 1_772_366_400_000_000
    await store(pool, minutes(course, first=FIRST))
    await store(pool, minutes([200] * 12, first=FIRST, dims={"country": "US"}))
    tried = {**RULE, "for": "2m", "group_by": ["country"]}
    status, found = await ask("POST", "/dry-run", {"rule": tried, "from": "-12m"}, token=TOKEN)
    assert status == 200
    assert [(each["group"], each["started_at"], each["ended_at"]) for each in found["firings"]] == [
        ({"country": "DE"}, "2026-03-01T11:52:00Z", "2026-03-01T11:54:00Z"),
        ({"country": "DE"}, "2026-03-01T11:56:00Z", "2026-03-01T11:59:00Z"),
    ]
    assert (found["unit"], found["bound"], found["undecided"]) == ("us", 1_000_000, 0)
    line = found["lines"][0]
    assert line["group"] == {"country": "DE"}
    assert [window["verdict"] for window in line["windows"]] == ["met" if ms > 1000 else "clear" for ms in course[:-1]]


async def test_a_dry_run_that_costs_too_much_or_shows_nothing_says_what_would_do(ask: Ask) -> None:
    cases = {"-30d": "35 hours", "-1m": "3 windows", "now": "3 windows", "yesterday": "RFC 3339"}
    for begin, words in cases.items():
        status, answer = await ask("POST", "/dry-run", {"rule": RULE, "from": begin})
        assert (status, answer["parameter"]) == (400, "from")
        assert words in answer["message"]
