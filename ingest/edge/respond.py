"""From outcomes and errors to HTTP: the one table, and the answers of each dialect.

Native clients read `{"error", "message", "offset"}`; OTLP clients read google.rpc.Status in the encoding they sent
(https://opentelemetry.io/docs/specs/otlp/#failures). Faro's SDKs and browsers that report read the status alone; they,
and errors outside any dialect (no such path), are answered like native clients.
"""

import random
from collections.abc import Mapping
from typing import NamedTuple

import orjson
from aiohttp.web import Response

from ingest.decode import otlp_status
from ingest.decode.formats import Format
from ingest.edge.commit import Tally
from ingest.edge.config import TTL_S as CONFIG_TTL_S
from ingest.edge.config import Config
from ingest.edge.routes import JSON, PROTOBUF
from ingest.edge.script import FRESH_S, Script
from ingest.errors import (
    Forbidden,
    Malformed,
    MethodNotAllowed,
    Refusal,
    TooLarge,
    TooMany,
    TooSlow,
    Unauthenticated,
    Unavailable,
    UnknownPath,
    UnsupportedType,
)


class Answered(NamedTuple):
    """How a kind of error is answered."""

    status: int
    rpc_code: int
    """google.rpc.Code"""
    retry: bool = False
    """With Retry-After: the same request may succeed later."""


TABLE: Mapping[type[Refusal], Answered] = {
    Malformed: Answered(400, 3),
    Unauthenticated: Answered(401, 16),
    Forbidden: Answered(403, 7),
    UnknownPath: Answered(404, 5),
    MethodNotAllowed: Answered(405, 12),
    TooSlow: Answered(408, 4, retry=True),
    TooLarge: Answered(413, 8),
    UnsupportedType: Answered(415, 3),
    TooMany: Answered(429, 8, retry=True),
    Unavailable: Answered(503, 14, retry=True),
}
UNFORESEEN = Answered(500, 13)
GONE = Answered(410, 7)
"""To a browser's report under a key that opens nothing: on this alone does a browser forget where it reports to."""
OPENS_NOTHING = frozenset({"no_key", "unknown_key", "role"})
"""Not a web origin that the key does not serve: the endpoint is that of the sites beside it, too."""
INTERNAL_REASON = "internal"
INTERNAL_MESSAGE = "an error on our side; nothing of the body was kept: send the same request again later"

RETRY_AFTER_S = (1, 5)
"""Clients are spread over this, so that they do not come back all at once."""

AS_JSON = frozenset({Format.OTLP_JSON, Format.LOGS_JSON})
AS_PROTOBUF = frozenset({Format.OTLP_PROTOBUF, Format.LOGS_PROTOBUF})
LOGS = frozenset({Format.LOGS_JSON, Format.LOGS_PROTOBUF})


def accept(format_: Format, tally: Tally, received_us: int, replied_us: int) -> Response:
    """The answer to a body that is durable: 200 in OTLP, 202 in all others."""
    if format_ is Format.NATIVE:
        body = orjson.dumps(
            {
                "accepted": tally.accepted,
                "rejected": tally.rejected,
                "received_us": received_us,
                "replied_us": replied_us,
            }
        )
        return Response(status=202, body=body, headers={"Content-Type": JSON})
    if format_ is Format.FARO:
        return Response(status=202, text="ok")
    if format_ is Format.REPORTS:
        return Response(status=202)
    as_json = format_ in AS_JSON
    field = otlp_status.REJECTED_RECORDS if format_ in LOGS else otlp_status.REJECTED_SPANS
    body = otlp_status.success(sum(tally.rejected.values()), _reasons(tally.rejected), as_json, field)
    return Response(status=200, body=body, headers={"Content-Type": JSON if as_json else PROTOBUF})


def tell_config(config: Config, timed: tuple[int, int] | None, *, unchanged: bool) -> Response:
    """The answer of `GET /v1/config`.

    Args:
        timed: server time in µs when the request arrived and when it is answered, for a client that sets its clock by
            them. Nothing on the way may keep such an answer: kept, its times would be wrong.
    """
    headers = {"ETag": config.etag, "Cache-Control": f"private, max-age={CONFIG_TTL_S}"}
    if timed is not None:
        received_us, replied_us = timed
        headers["Cache-Control"] = "no-store"
        headers["Firsthop-Received-Us"], headers["Firsthop-Replied-Us"] = str(received_us), str(replied_us)
    if unchanged:
        return Response(status=304, headers=headers)
    return Response(body=config.body, headers=headers | {"Content-Type": JSON, "Firsthop-Signature": config.signature})


def give_script(script: Script, *, unchanged: bool, gzipped: bool) -> Response:
    """The browser SDK, to pages of any origin, with or without a digest in their tag."""
    headers = {
        "ETag": script.etag,
        "Cache-Control": f"public, max-age={FRESH_S}",
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "Timing-Allow-Origin": "*",
        "X-Content-Type-Options": "nosniff",
    }
    if unchanged:
        return Response(status=304, headers=headers)
    headers["Content-Type"] = "text/javascript; charset=utf-8"
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    return Response(body=script.gzipped if gzipped else script.body, headers=headers)


def _reasons(rejected: Mapping[str, int]) -> str:
    return ", ".join(f"{label.removeprefix('rejected:')}: {spans}" for label, spans in rejected.items())


def refuse(format_: Format, error: Exception) -> Response:
    """The answer to a request that is refused as a whole; whatever is not a `Refusal` becomes a 500 without detail."""
    if isinstance(error, Refusal):
        answered, reason, message, offset = TABLE[type(error)], error.reason, error.message, error.offset
    else:
        answered, reason, message, offset = UNFORESEEN, INTERNAL_REASON, INTERNAL_MESSAGE, None
    if format_ is Format.REPORTS and reason in OPENS_NOTHING:
        answered = GONE
    if format_ in AS_JSON or format_ in AS_PROTOBUF:
        body = otlp_status.status(answered.rpc_code, message, as_json=format_ in AS_JSON)
    else:
        body = orjson.dumps({"error": reason, "message": message, "offset": offset})
    headers = {"Content-Type": PROTOBUF if format_ in AS_PROTOBUF else JSON}
    if answered.retry:
        headers["Retry-After"] = str(random.randint(*RETRY_AFTER_S))  # noqa: S311 - spreads clients, guards nothing
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(status=answered.status, body=body, headers=headers)


def reason_of(error: Exception) -> str:
    """The label an error is counted under."""
    return error.reason if isinstance(error, Refusal) else INTERNAL_REASON
