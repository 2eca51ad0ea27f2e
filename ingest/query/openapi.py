"""The OpenAPI 3.1 document, made from the table of calls."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from ingest.query.endpoint import Endpoint
from ingest.query.endpoints import ENDPOINTS
from ingest.query.parameters import DIMENSION, MOST_VALUES, Parameter
from ingest.query.schemas import ERROR

_REFUSALS = {
    "400": "A parameter is wrong, and named.",
    "401": "No token, or one that opens nothing.",
    "403": "Another app's data, or a key that may not read.",
    "404": "Nothing there.",
    "429": "Too many questions of yours are waiting; ask again after Retry-After.",
    "503": "Too busy, slower than 5 s, or the database is away; try again after Retry-After.",
}


def document() -> Mapping[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "firsthop query API",
            "version": "1",
            "description": "Percentiles, phases, routes and traces of the first hop. Durations are in microseconds.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": ERROR, **_bodies()},
        },
    }


def _paths() -> Mapping[str, Any]:
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return paths


def _bodies() -> Mapping[str, Any]:
    kinds = {endpoint.body for endpoint in ENDPOINTS if endpoint.body is not None}
    _, schemas = msgspec.json.schema_components(kinds, ref_template="#/components/schemas/{name}")
    return schemas


def _operation(endpoint: Endpoint) -> Mapping[str, Any]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]
    refused = {
        status: {
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
        for status, description in _REFUSALS.items()
    }
    members_are_parameters = endpoint.method == "POST" and endpoint.body is None
    given: dict[str, Any] = {"parameters": in_path}
    if not members_are_parameters:
        given["parameters"] = [*in_path, *map(_parameter, endpoint.given)]
    if members_are_parameters or endpoint.body is not None:
        given["requestBody"] = _body(endpoint)
        refused |= {"413": {**refused["400"], "description": "The body is too large."}}
    answers: dict[str, Any] = {endpoint.media: {"schema": endpoint.schema}}
    if endpoint.table is not None:
        answers["text/csv"] = {"schema": {"type": "string"}}
    kept = {"304": {"description": "The answer is the one of If-None-Match."}} if endpoint.method == "GET" else {}
    return {
        "operationId": endpoint.answer.__name__,
        "summary": f"{endpoint.summary} Keys: {', '.join(endpoint.roles)}.",
        **given,
        "responses": {
            "200": {"description": "The answer.", "content": answers},
            **kept,
            **refused,
        },
    }


def _body(endpoint: Endpoint) -> Mapping[str, Any]:
    if endpoint.body is not None:
        schema: Mapping[str, Any] = {"$ref": f"#/components/schemas/{endpoint.body.__name__}"}
    else:
        members = {each.name: {**each.schema, "description": each.help} for each in endpoint.parameters}
        schema = {"type": "object", "properties": members, "additionalProperties": False}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _parameter(parameter: Parameter) -> Mapping[str, Any]:
    schema = dict(parameter.schema)
    if parameter.repeats:
        schema = {"type": "array", "items": schema, "maxItems": MOST_VALUES}
    elif parameter.default is not None:
        spoken_as_text = schema["type"] == "string"
        schema["default"] = parameter.default if spoken_as_text else parameter.parse(parameter.default)
    return {
        "name": parameter.name,
        "in": "query",
        "description": parameter.help,
        "required": parameter is DIMENSION,
        "schema": schema,
    }
