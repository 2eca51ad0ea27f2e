"""What was scrubbed, consent and the policy in force, as the API tells them."""

from collections.abc import AsyncIterator
from typing import Any

import jsonschema
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient

from ingest.errors import Unavailable
from ingest.ports import PolicyText
from ingest.query import privacy
from ingest.settings import AppPolicy
from tests.query.conftest import OTHER_TOKEN, TOKEN, add_apps, serve, show_from

COUNTS = """
    INSERT INTO scrub_count (app_id, hour_at, rule, part, finds) VALUES
    (1, '2026-03-01 10:00Z', 'email', 1, 3), (1, '2026-03-01 10:00Z', 'email', 2, 4),
    (1, '2026-03-01 10:00Z', 'phone', 1, 1), (1, '2026-03-01 11:00Z', 'email', 3, 10),
    (1, '2026-03-01 09:00Z', 'card', 1, 100), (2, '2026-03-01 11:00Z', 'iban', 1, 50)
"""
LEDGER = """
    INSERT INTO ledger (app_id, hour_at, outcome, part, spans) VALUES
    (1, '2026-03-01 10:00Z', 'received', 1, 100), (1, '2026-03-01 10:00Z', 'kept', 1, 60),
    (1, '2026-03-01 10:00Z', 'counted_no_consent', 1, 25), (1, '2026-03-01 10:00Z', 'counted_no_consent', 2, 5),
    (1, '2026-03-01 10:00Z', 'rejected:no_consent', 1, 10), (1, '2026-03-01 09:00Z', 'rejected:no_consent', 1, 7)
"""
NOBODY = {"counted_no_consent": 0, "rejected:no_consent": 0}
RANGE = {"from": "2026-03-01T10:20:00Z", "to": "2026-03-01T11:30:00Z"}


@pytest_asyncio.fixture
async def client(pool: Any) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of a query server over a database of the test's own."""
    await add_apps(pool)
    async with serve(pool, policy_of=lambda _: show_from(7)) as client:
        yield client


async def ask(client: TestClient[Any, Any], token: str = TOKEN, **query: str) -> Any:
    response = await client.get("/api/v1/privacy", params=query, headers={"Authorization": f"Bearer {token}"})
    answer = await response.json()
    assert response.status == 200, answer
    jsonschema.validate(answer, privacy.SCHEMA)
    return answer


async def test_finds_add_up_per_rule_and_whole_hour_for_the_one_app(client: TestClient[Any, Any], pool: Any) -> None:
    await pool.execute(COUNTS)
    answer = await ask(client, **RANGE)
    assert (answer["from"], answer["to"]) == ("2026-03-01T10:00:00Z", "2026-03-01T12:00:00Z")
    assert [(hour["hour"], hour["finds"]) for hour in answer["hours"]] == [
        ("2026-03-01T10:00:00Z", {"email": 7, "phone": 1}),
        ("2026-03-01T11:00:00Z", {"email": 10}),
    ]
    assert answer["total"]["finds"] == {"email": 17, "phone": 1}
    assert (await ask(client, OTHER_TOKEN, **RANGE))["total"]["finds"] == {"iban": 50}


async def test_spans_without_consent_stand_beside_all_that_were_received(
    client: TestClient[Any, Any], pool: Any
) -> None:
    await pool.execute(LEDGER)
    answer = await ask(client, **RANGE)
    outcomes = {"counted_no_consent": 30, "rejected:no_consent": 10}
    assert answer["total"] == {"finds": {}, "received": 100, "outcomes": outcomes}
    assert answer["hours"] == [{"hour": "2026-03-01T10:00:00Z", **answer["total"]}]


async def test_an_app_that_sent_nothing_gets_zeros_and_the_built_in_policy(client: TestClient[Any, Any]) -> None:
    answer = await ask(client, **RANGE)
    assert answer["hours"] == []
    assert answer["total"] == {"finds": {}, "received": 0, "outcomes": NOBODY}
    assert answer["policy"] == {"version": 0, "source": "built_in", "since": None, "text": None}
    assert answer["least_sessions"] == 7


async def test_the_policy_in_force_is_the_newest_applied(client: TestClient[Any, Any], pool: Any) -> None:
    texts = [(0, "# first"), (0, "# second"), (2, "# of another app")]
    await pool.executemany("INSERT INTO policy (app_id, text, applied_at) VALUES ($1, $2, '2026-02-01Z')", texts)
    policy = (await ask(client))["policy"]
    assert policy == {"version": 2, "source": "every_app", "since": "2026-02-01T00:00:00Z", "text": "# second"}


def applied(app_id: int, version: int, text: str, at_s: int) -> PolicyText:
    return PolicyText(app_id, version, text, at_s * 1_000_000)


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        ([applied(1, 4, "# own", 60), applied(0, 5, "# all", 120)], (4, "app", "1970-01-01T00:01:00Z")),
        ([applied(0, 5, "# all", 120)], (5, "every_app", "1970-01-01T00:02:00Z")),
        ([applied(1, 4, "", 60), applied(0, 5, "# all", 120)], (5, "every_app", "1970-01-01T00:02:00Z")),
        ([applied(1, 6, "", 180), applied(0, 5, "# all", 120)], (5, "every_app", "1970-01-01T00:03:00Z")),
        ([applied(1, 6, "", 180), applied(0, 5, "", 120)], (0, "built_in", "1970-01-01T00:03:00Z")),
        ([], (0, "built_in", None)),
    ],
)
def test_a_policy_taken_away_brings_the_one_behind_it_into_force(
    newest: list[PolicyText], expected: tuple[int, str, str | None]
) -> None:
    policy = privacy.in_force(newest, app_id=1)
    assert (policy["version"], policy["source"], policy["since"]) == expected


async def test_a_policy_that_cannot_be_read_shows_no_figure_and_hinders_no_erasure(pool: Any) -> None:
    def unreadable(app_id: int) -> AppPolicy:
        raise Unavailable("policy", f"the policy of app {app_id} cannot be read now")

    await add_apps(pool)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with serve(pool, policy_of=unreadable) as client:
        for path in ("/api/v1/latency", "/api/v1/routes", "/api/v1/traces"):
            response = await client.get(path, headers=headers)
            assert (response.status, (await response.json())["error"]) == (503, "policy"), path
        response = await client.get("/api/v1/erasures", headers=headers)
        assert (response.status, await response.json()) == (200, {"erasures": [], "next": None})
