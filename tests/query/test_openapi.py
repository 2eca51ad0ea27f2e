"""The OpenAPI document is valid, and true."""

from collections.abc import Mapping
from typing import Any

import jsonschema
import pytest
from aiohttp.test_utils import TestClient
from openapi_spec_validator import validate

from ingest.query.openapi import document
from tests.query.conftest import ERASURE, Get
from tests.query.test_sessions import SESSION
from tests.query.test_traces import SPAN, TRACE
from tests.query.world import VALUES

ANSWERS = [
    ("/api/v1/apps", {}),
    ("/api/v1/latency", {"from": "-2h", "group_by": "version,os"}),
    ("/api/v1/latency", {"from": "-2h", "metric": "dns", "step": "10s"}),
    ("/api/v1/latency", {"from": "-2h", "os": "ios 18", "country": "DE", "q": "0,1"}),
    ("/api/v1/latency", {"from": "-3d", "to": "-2d"}),
    ("/api/v1/overview", {"from": "-30m"}),
    ("/api/v1/overview", {"from": "-2h", "os": "ios 18", "country": "DE", "metric": "dns"}),
    ("/api/v1/overview", {"from": "-2h", "signal": "cls"}),
    ("/api/v1/overview", {"from": "-3d", "to": "-2d"}),
    ("/api/v1/vitals", {"from": "-2h"}),
    ("/api/v1/versions", {"from": "-2h"}),
    ("/api/v1/versions", {"from": "-2h", "os": "ios 18", "country": "DE"}),
    ("/api/v1/histogram", {"from": "-2h"}),
    ("/api/v1/histogram", {"from": "-2h", "os": "ios 18", "country": "DE", "metric": "tls"}),
    ("/api/v1/histogram", {"from": "-3d", "to": "-2d"}),
    ("/api/v1/phases", {"from": "-2h", "group_by": "network"}),
    ("/api/v1/phases", {"from": "-2h", "os": "ios 18", "country": "DE"}),
    ("/api/v1/routes", {"from": "-2h"}),
    ("/api/v1/routes", {"from": "-2h", "points": "24"}),
    ("/api/v1/routes", {"from": "-2h", "os": "ios 18"}),
    ("/api/v1/values", {"from": "-2h", "dimension": "country"}),
    ("/api/v1/values", {"from": "-2h", "dimension": "version", "q": "0.9", "os": "ios 18", "country": "DE"}),
    ("/api/v1/compare", {"from": "-2h", "a.version": "5.2.0", "b.version": "5.2.1"}),
    ("/api/v1/compare", {"from": "-2h", "a.version": "5.2.0", "b.version": "9.9", "route": "/", "os": "ios 18"}),
    ("/api/v1/heatmap", {"from": "-2h", "facet": "network"}),
    ("/api/v1/heatmap", {"from": "-2h", "route": VALUES["route"][0], "metric": "tls"}),
    ("/api/v1/traces", {"from": "-2h"}),
    ("/api/v1/traces/{trace_id}", {}),
    ("/api/v1/traces/{trace_id}/spans", {}),
    ("/api/v1/traces/{trace_id}/spans/{span_id}", {}),
    ("/api/v1/sessions", {"from": "-2h"}),
    ("/api/v1/sessions/{session}", {"limit": "2"}),
    ("/api/v1/ledger", {"from": "-3h"}),
    ("/api/v1/erasures", {}),
    ("/api/v1/erasures/{erasure_id}", {}),
    ("/api/v1/health", {}),
    ("/api/v1/me", {}),
    ("/api/v1/settings", {}),
    ("/api/v1/audit", {}),
    ("/api/v1/alerts", {}),
    ("/api/v1/alerts/rules", {}),
    ("/api/v1/alerts/history", {}),
    ("/api/v1/alerts/silences", {}),
]

READING = [path for path, operations in document()["paths"].items() if "get" in operations]


def filled(path: str) -> str:
    """The path of something that is there."""
    return (
        path.replace("{trace_id}", TRACE)
        .replace("{span_id}", SPAN)
        .replace("{erasure_id}", ERASURE)
        .replace("{session}", SESSION)
    )


def resolved(schema: Any) -> Any:
    """The schema with its references to components replaced by what they name."""
    if isinstance(schema, Mapping):
        if "$ref" in schema:
            return document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return {key: resolved(value) for key, value in schema.items()}
    return [resolved(value) for value in schema] if isinstance(schema, list) else schema


def schema_of(path: str, status: str) -> Any:
    """What the document promises of an answer."""
    return resolved(document()["paths"][path]["get"]["responses"][status]["content"]["application/json"]["schema"])


async def test_the_document_is_served_to_everyone_and_valid(client: TestClient) -> None:
    response = await client.get("/api/v1/openapi.json")
    assert response.status == 200
    served = await response.json()
    assert served["openapi"].startswith("3.1")
    validate(served)


async def test_the_document_and_the_router_have_the_same_paths(client: TestClient) -> None:
    routed = {resource.canonical for resource in client.app.router.resources()}
    described = {*document()["paths"], "/api/v1/openapi.json", "/api/v1/docs"}
    assert {path for path in routed if path.startswith("/api/")} == described


async def test_people_read_every_call_on_a_page_that_runs_nothing(client: TestClient) -> None:
    response = await client.get("/api/v1/docs")
    page = await response.text()
    assert (response.status, response.content_type) == (200, "text/html")
    assert "script-src" not in response.headers["Content-Security-Policy"]
    assert "<script" not in page
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            assert f"{method.upper()} {path}" in page
            assert all(f"<code>{each['name']}</code>" in page for each in operation["parameters"])


@pytest.mark.parametrize(("path", "query"), ANSWERS)
async def test_answers_are_what_the_document_promises(get: Get, path: str, query: Mapping[str, str]) -> None:
    answer = await get(filled(path), query)
    jsonschema.Draft202012Validator(schema_of(path, "200"), format_checker=jsonschema.FormatChecker()).validate(answer)


@pytest.mark.parametrize("path", READING)
async def test_refusals_have_the_one_shape(ask, path: str) -> None:
    for query, token in (({"nonsense": "1"}, "fh_tok_shop"), ({}, None)):
        response = await ask(filled(path), query, token)
        jsonschema.validate(await response.json(), schema_of(path, str(response.status)))


async def a_cursor(ask, path: str) -> str:
    """Of the first page, where the list goes on."""
    query = {"limit": "1", **({"from": "-2h"} if path != "/api/v1/erasures" else {})}
    query |= {"dimension": "version"} if path.endswith("values") else {}
    response = await ask(filled(path), query)
    found = (await response.json()).get("next") if response.status == 200 else None
    return str(found or f"{SPAN}0000")


@pytest.mark.parametrize("path", READING)
async def test_every_parameter_of_the_document_is_taken(ask, path: str) -> None:
    required = {"/api/v1/values": {"dimension": "version"}, "/api/v1/compare": {"b.version": "5.2.1"}}.get(path, {})
    for parameter in document()["paths"][path]["get"]["parameters"]:
        if parameter["in"] == "path":
            continue
        schema = parameter["schema"]
        known = {"app": "shop", "group_by": "version", "q": "0.5", "step": "5m", "a.from": "-5m", "b.from": "-5m"}
        known |= {"facet": "network"}
        text = {**known, "parent": SPAN, "like": SPAN, "cursor": await a_cursor(ask, path)}.get(parameter["name"])
        text = text or str(schema.get("default", schema.get("enum", ["now"])[0])).lower()
        if parameter["name"] == "cursor" and not path.endswith("/spans") and len(text) == 20:
            continue  # the list has one page
        query = {**required, parameter["name"]: text}
        response = await ask(filled(path), {**query, **({"from": "-2h"} if "to" in query else {})})
        assert response.status == 200, await response.text()
