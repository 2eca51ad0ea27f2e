"""From an answer or a refusal to HTTP: JSON or CSV, compressed, with a tag by which it need not be sent twice."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from hashlib import blake2b
from typing import Any

import orjson
from aiohttp import web

from ingest.errors import (
    Forbidden,
    Malformed,
    MethodNotAllowed,
    Refusal,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    UnknownPath,
)
from ingest.query import tables
from ingest.query.parameters import BadParameter

_STATUS: Mapping[type[Refusal], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    UnknownPath: 404,
    MethodNotAllowed: 405,
    TooLarge: 413,
    TooMany: 429,
    Unavailable: 503,
}
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_MORE_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 429: {"Retry-After": "1"}, 503: {"Retry-After": "1"}}
# Whoever keeps it asks before using it again; nobody keeps it for others.
_KEPT = {"Cache-Control": "private, no-cache", "Vary": "Accept, Accept-Encoding, Authorization, Cookie"}
_NOT_KEPT = {"Cache-Control": "no-store"}
_COMPRESS_FROM = 1024

_log = logging.getLogger(__name__)


def wants_csv(request: web.Request, given: str | None) -> bool:
    """Whether the parameter `format` asks for CSV, or without it the header Accept for nothing of the like of JSON."""
    if given is not None:
        return given == "csv"
    kinds = [kind.partition(";")[0].strip().lower() for kind in request.headers.get("Accept", "").split(",")]
    return "text/csv" in kinds and "application/json" not in kinds


def reply_text(request: web.Request, text: bytes, media: str) -> web.Response:
    """An answer that is written already; or that it is the one that the client has."""
    return _send(request, text, media, {})


def reply(request: web.Request, answer: Mapping[str, Any], table: tables.Table | None = None) -> web.Response:
    """The answer, as a table if one is given; or that it is the one that the client has already.

    A list that goes on names its next page in the header Link, too: CSV has no place for it.
    """
    more = {}
    if answer.get("next"):
        more["Link"] = f'<{request.rel_url.update_query(cursor=answer["next"])}>; rel="next"'
    if table is None:
        return _send(request, orjson.dumps(answer), "application/json", more)
    name = request.path.strip("/").split("/")[2]
    more["Content-Disposition"] = f'attachment; filename="firsthop-{name}.csv"'
    return _send(request, tables.write(table(answer)), "text/csv; charset=utf-8", more)


def _send(request: web.Request, body: bytes, kind: str, more: Mapping[str, str]) -> web.Response:
    if request.method != "GET":
        return _response(200, body, kind, {**_NOT_KEPT, **more})
    tag = blake2b(body, digest_size=16).hexdigest()
    # Weak: the same answer compressed is other bytes.
    headers = {**_KEPT, **more, "ETag": f'W/"{tag}"'}
    if any(held.value in (tag, "*") for held in request.if_none_match or ()):
        return web.Response(status=304, headers={**HEADERS, **headers})
    return _response(200, body, kind, headers)


def refuse(refusal: Refusal) -> web.Response:
    """The one shape of an error."""
    status = next(_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS)
    parameter = refusal.parameter if isinstance(refusal, BadParameter) else None
    return _error(status, {"error": refusal.reason, "message": refusal.message, "parameter": parameter})


@web.middleware
async def answer_refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every error leaves in one shape."""
    try:
        return await handler(request)
    except Refusal as refusal:
        return refuse(refusal)
    except web.HTTPNotFound:
        return refuse(UnknownPath("unknown_path", "Nothing is served here; see /api/v1/openapi.json."))
    except web.HTTPMethodNotAllowed as refusal:
        refused = refuse(MethodNotAllowed("method", "This call has another method; see /api/v1/openapi.json."))
        refused.headers["Allow"] = ", ".join(sorted(refusal.allowed_methods))
        return refused
    except Exception:  # noqa: BLE001 - a fault of ours still gets the one shape of an error
        _log.exception("a call of the query API failed")
        return _error(500, {"error": "internal", "message": "This is a fault of the server.", "parameter": None})


def _error(status: int, answer: Mapping[str, Any]) -> web.Response:
    return _response(status, orjson.dumps(answer), "application/json", {**_NOT_KEPT, **_MORE_HEADERS.get(status, {})})


def _response(status: int, body: bytes, kind: str, headers: Mapping[str, str]) -> web.Response:
    response = web.Response(
        status=status,
        body=body,
        headers={"Content-Type": kind, **HEADERS, **headers},
        zlib_executor_size=_COMPRESS_FROM,
    )
    if len(body) >= _COMPRESS_FROM:
        response.enable_compression()
    return response
