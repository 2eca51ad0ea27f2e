"""Who may ask, and how a wrong question is refused."""

import pytest
from aiohttp.test_utils import TestClient
from yarl import URL

from ingest.query.endpoints import ENDPOINTS
from tests.query.conftest import CLIENT_KEY, ERASURE, OPERATOR, OTHER_TOKEN, TOKEN, Get

PATHS = [
    endpoint.path.replace("{trace_id}", "f" * 32)
    .replace("{span_id}", "f" * 16)
    .replace("{session}", "f" * 20)
    .replace("{erasure_id}", ERASURE)
    for endpoint in ENDPOINTS
    if endpoint.method == "GET"
]

HOSTILE = "x' OR '1'='1'; DROP TABLE span; --"

BAD = [
    ("latency", "from", "yesterday"),
    ("latency", "from", "2026-02-30T00:00:00Z"),
    ("latency", "from", "2026-03-01T00:00:00"),
    ("latency", "from", "-401d"),
    ("latency", "from", "now"),
    ("latency", "from", "0001-01-01T00:00:00Z"),
    ("latency", "from", "-999999999d"),
    ("latency", "from", "-٣h"),
    ("latency", "to", "9999-12-31T23:59:59Z"),
    ("latency", "to", "+1h"),
    ("latency", "metric", "speed"),
    ("latency", "q", "95"),
    ("latency", "q", "0.5,,0.9"),
    ("latency", "q", "nan"),
    ("latency", "q", ",".join(["0.5"] * 11)),
    ("latency", "step", "7s"),
    ("latency", "step", "0s"),
    ("latency", "step", "1 minute"),
    ("latency", "group_by", "password"),
    ("latency", "group_by", "route,version,os"),
    ("latency", "group_by", "os,os"),
    ("latency", "version", "x" * 513),
    ("latency", "route", "nul\0"),
    ("latency", "app", "\0"),
    ("latency", "q", "0.5 OR 1"),
    ("phases", "q", "0.5,0.9"),
    ("phases", "group_by", HOSTILE),
    ("routes", "q", "-1"),
    ("routes", "target_ms", "1.5"),
    ("routes", "target_ms", "-5"),
    ("routes", "limit", "0"),
    ("routes", "limit", "1001"),
    ("values", "dimension", "session"),
    ("values", "limit", "many"),
    ("traces", "min_ms", "slow"),
    ("traces", "errors", "perhaps"),
    ("traces", "limit", "501"),
    ("ledger", "from", "tomorrow"),
    ("ledger", "to", "-2h"),
    ("health", "app", "y" * 513),
]


@pytest.mark.parametrize(("call", "parameter", "text"), BAD)
async def test_a_bad_value_is_refused_and_its_parameter_named(ask, call: str, parameter: str, text: str) -> None:
    response = await ask(f"/api/v1/{call}", {parameter: text})
    answer = await response.json()
    assert response.status == 400, answer
    assert set(answer) == {"error", "message", "parameter"}
    assert answer["parameter"] == ("from" if (call, parameter) == ("ledger", "to") else parameter)
    assert text not in answer["message"] or len(text) < 4


async def test_a_parameter_the_call_does_not_know_is_refused_without_being_quoted(ask) -> None:
    response = await ask("/api/v1/latency", {"verison": "5.2.1"})
    answer = await response.json()
    assert response.status == 400
    assert "verison" not in answer["message"]
    assert "version" in answer["message"]


async def test_a_parameter_given_twice_is_refused(ask) -> None:
    response = await ask("/api/v1/latency", [("metric", "dns"), ("metric", "tls")])
    assert response.status == 400
    assert (await response.json())["parameter"] == "metric"


async def test_too_many_values_of_one_filter_are_refused(ask) -> None:
    response = await ask("/api/v1/latency", [("version", str(number)) for number in range(101)])
    assert response.status == 400
    assert (await response.json())["parameter"] == "version"


async def test_values_needs_a_dimension(ask) -> None:
    response = await ask("/api/v1/values")
    assert response.status == 400
    assert (await response.json())["parameter"] == "dimension"


async def test_too_many_points_are_refused_with_the_remedy(ask) -> None:
    response = await ask("/api/v1/latency", {"from": "-2d", "step": "60s"})
    answer = await response.json()
    assert (response.status, answer["parameter"]) == (400, "step")
    assert "auto" in answer["message"]


async def test_a_range_of_ten_years_is_refused_with_the_limit(ask) -> None:
    for call in ("latency", "routes", "traces", "ledger"):
        response = await ask(f"/api/v1/{call}", {"from": "-3650d"})
        answer = await response.json()
        assert (response.status, answer["parameter"]) == (400, "from")
        assert "400 days" in answer["message"]


async def test_what_would_cost_too_much_is_refused_before_it_runs(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.store.cost.MOST_ROLLUPS", 100)
    response = await ask("/api/v1/latency", {"from": "-2h", "group_by": "route"})
    answer = await response.json()
    assert (response.status, answer["error"]) == (400, "too_costly")
    assert "at most 100" in answer["message"]
    assert "shorter range" in answer["message"]
    assert (await ask("/api/v1/latency", {"from": "-2m"})).status == 200


async def test_an_empty_parameter_counts_as_not_given(get: Get) -> None:
    given = await get("/api/v1/traces", {"from": "-2h", "min_ms": "", "errors": "", "limit": ""})
    assert given == await get("/api/v1/traces", {"from": "-2h"})


@pytest.mark.parametrize(
    ("call", "rows"),
    [("latency", "groups"), ("phases", "groups"), ("routes", "routes"), ("values", "values"), ("traces", "traces")],
)
@pytest.mark.parametrize("dimension", ["route", "version", "os"])
async def test_sql_in_a_filter_is_a_value_like_any_other(get: Get, call: str, rows: str, dimension: str) -> None:
    query = {"from": "-2h", "country": "DE", dimension: HOSTILE}
    answer = await get(f"/api/v1/{call}", {**query, "dimension": "version"} if call == "values" else query)
    assert answer[rows] == []
    assert (await get("/api/v1/traces", {"from": "-2h"}))["traces"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, "fh_tok_nobody", "\udcff"])
async def test_without_a_valid_token_nothing_is_told(client: TestClient, path: str, token: str | None) -> None:
    headers = (
        {} if token is None else {"Authorization": f"Bearer {token}".encode(errors="surrogateescape").decode("latin-1")}
    )
    response = await client.get(path, headers=headers)
    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert (await response.json())["parameter"] is None


async def test_a_key_for_sending_may_not_read(ask) -> None:
    response = await ask("/api/v1/apps", token=CLIENT_KEY)
    assert response.status == 403
    assert (await response.json())["error"] == "wrong_role"


@pytest.mark.parametrize("asked", ["2", "other", "3", "nobody"])
async def test_another_app_is_forbidden_whether_it_exists_or_not(ask, asked: str) -> None:
    response = await ask("/api/v1/latency", {"app": asked}, TOKEN)
    assert response.status == 403
    assert (await response.json())["error"] == "other_app"


@pytest.mark.parametrize("asked", ["1", "shop", None])
async def test_a_token_may_name_its_own_app_or_not(get: Get, asked: str | None) -> None:
    assert (await get("/api/v1/latency", {"app": asked} if asked else {}))["groups"]


async def test_an_operator_reads_every_app_and_must_name_one(ask, get: Get) -> None:
    assert (await get("/api/v1/latency", {"app": "shop"}, OPERATOR))["groups"]
    assert (await get("/api/v1/latency", {"app": "2"}, OPERATOR))["groups"] == []
    for query in ({}, {"app": "nobody"}):
        response = await ask("/api/v1/latency", query, OPERATOR)
        assert response.status == 400
        assert (await response.json())["parameter"] == "app"


async def test_an_apps_data_is_its_own(get: Get) -> None:
    assert (await get("/api/v1/latency", {"from": "-2h"}, OTHER_TOKEN))["groups"] == []
    assert (await get("/api/v1/traces", {"from": "-2h"}, OTHER_TOKEN))["traces"] == []


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/latency", "/api", "/../../etc/passwd"])
async def test_an_unknown_path_is_a_404_in_json(client: TestClient, path: str) -> None:
    response = await client.get(path)
    assert response.status == 404
    assert (await response.json())["error"] == "unknown_path"


async def test_another_method_is_a_405_in_json(client: TestClient) -> None:
    response = await client.post("/api/v1/latency")
    assert response.status == 405
    assert (await response.json())["error"] == "method"


@pytest.mark.parametrize("query", ["version=%ff%fe", "version=%ed%a0%80", "%00=1", "from=%E2%80%93", "q=%", "&&=&"])
async def test_bytes_that_are_not_text_never_fault_the_server(client: TestClient, query: str) -> None:
    url = URL(f"/api/v1/latency?{query}", encoded=True)
    response = await client.get(url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status in (200, 400)
    assert set(await response.json()) >= {"error"} or response.status == 200
