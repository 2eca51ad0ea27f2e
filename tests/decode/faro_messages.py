"""Bodies of Grafana Faro for tests, as its web SDK 2.12 writes them, and batches in words."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import orjson

from ingest.decode.faro import decode_faro
from ingest.model import Decoded, Phase, Signal, SpanBatch
from ingest.settings import Limits
from tests.decode.otlp_messages import attributes_in_words

START_US = 1_795_926_159_584_000
STAMP = "2026-11-29T04:22:39.584Z"
PAGE = "https://shop.example/checkout?step=2"

META: dict[str, Any] = {
    "sdk": {"name": "faro-web", "version": "2.12.1"},
    "app": {"name": "shop", "version": "5.2.1", "environment": "production", "installationId": "install-1"},
    "user": {"id": "user-4711", "email": "jane.doe@example.com", "username": "jane", "attributes": {"plan": "gold"}},
    "browser": {
        "name": "Chrome",
        "version": "156.0.0.0",
        "os": "Linux unknown",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
        "language": "en-US",
        "mobile": False,
        "brands": [{"brand": "Chromium", "version": "156"}],
        "viewportWidth": "1280",
        "viewportHeight": "720",
    },
    "os": {"name": "Linux"},
    "page": {"url": PAGE, "id": "/checkout"},
    "view": {"name": "checkout"},
    "session": {"id": "t0CoiFa043", "attributes": {"previousSession": "s0CoiFa042", "cohort": "b"}},
    "geo": {"city": "Berlin"},
}
TIMING: dict[str, str] = {
    "name": "https://api.shop.example/orders/7",
    "httpHost": "api.shop.example",
    "duration": "590",
    "tcpHandshakeTime": "98",
    "dnsLookupTime": "127",
    "tlsNegotiationTime": "58",
    "responseStatus": "200",
    "redirectTime": "0",
    "requestTime": "158",
    "responseTime": "206",
    "fetchTime": "590",
    "serviceWorkerTime": "0",
    "decodedBodySize": "1001",
    "encodedBodySize": "700",
    "cacheHitStatus": "fullLoad",
    "renderBlockingStatus": "non-blocking",
    "protocol": "h2",
    "initiatorType": "fetch",
    "visibilityState": "visible",
    "ttfb": "158",
    "transferSize": "1000",
    "faroNavigationId": "kWMvTLm0Yo",
    "faroResourceId": "yxQXQwC0zx",
}
LOADED: dict[str, str] = {
    "name": PAGE,
    "duration": "801",
    "pageLoadTime": "800",
    "documentParsingTime": "128",
    "domProcessingTime": "3",
    "domContentLoadHandlerTime": "1",
    "onLoadTime": "2",
    "ttfb": "385",
    "type": "navigate",
    "initiatorType": "navigation",
    "faroPreviousNavigationId": "unknown",
}
TRACE_ID, SPAN_ID = "a0038b16c4bea25f4c479536cd97d510", "c851c510ef717490"


def stamp(seconds_ago: float = 0) -> str:
    """A moment of now, as Faro writes it."""
    at = datetime.now(UTC) - timedelta(seconds=seconds_ago)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event(name: str, attributes: Mapping[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"name": name, "domain": "browser", "timestamp": STAMP}
    return given | ({"attributes": attributes} if attributes is not None else {}) | fields


def resource(fields: Mapping[str, Any] | None = None, **event_fields: Any) -> dict[str, Any]:
    """A timing entry with these attributes changed; None takes one away."""
    attributes = {name: value for name, value in (TIMING | dict(fields or {})).items() if value is not None}
    return event("faro.performance.resource", attributes, **event_fields)


def navigation(**attributes: str) -> dict[str, Any]:
    return event("faro.performance.navigation", TIMING | LOADED | attributes)


def vital(values: Mapping[str, Any], **context: str) -> dict[str, Any]:
    said = {"id": "v6-1", "rating": "good", "navigation_type": "navigate"} | context
    return {"type": "web-vitals", "values": values, "timestamp": STAMP, "context": said}


def span(
    status: int | None = 200, *, url: str = TIMING["name"], name: str = "GET", kind: int = 3, **fields: Any
) -> dict[str, Any]:
    """A span as Faro's tracing exports it, with the user that it writes on every one."""
    attributes: dict[str, Any] = {
        "http.request.method": {"stringValue": "GET"},
        "url.full": {"stringValue": url},
        "session.id": {"stringValue": "t0CoiFa043"},
        "user.email": {"stringValue": "jane.doe@example.com"},
        "user.roles": {"arrayValue": {"values": [{"stringValue": "jane-admin"}]}},
    }
    if status is not None:
        attributes["http.response.status_code"] = {"intValue": status}
    return {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(START_US * 1000),
        "endTimeUnixNano": str((START_US + 595_000) * 1000),
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
        "events": [],
        "status": {"code": 2 if status == 0 else 0},
        "links": [],
    } | fields


def traces(*spans: dict[str, Any], scope: str = "@opentelemetry/instrumentation-fetch", **own: str) -> dict[str, Any]:
    said = {"service.name": "shop", "user_agent.original": "Mozilla/5.0 (X11)", "telemetry.sdk.name": "opentelemetry"}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in (said | own).items()]
    scopes = [{"scope": {"name": scope}, "spans": list(spans)}]
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}


def body(meta: Mapping[str, Any] = META, **parts: Any) -> bytes:
    return orjson.dumps({"meta": meta, **parts})


def decode(*bodies: bytes, limits: Limits | None = None) -> Decoded:
    return decode_faro(bodies, limits or Limits())


def remarked(answer: Decoded) -> dict[int, int]:
    """What was left out, by note."""
    remarks = answer.batch.remarks
    return dict(zip(remarks.note.tolist(), remarks.spans.tolist(), strict=True))


def decoded(**parts: Any) -> SpanBatch:
    """The batch of one good body."""
    answer = decode(body(**parts))
    assert not answer.faults
    return answer.batch


def rows(batch: SpanBatch) -> list[dict[str, Any]]:
    """Every span in words, without what is empty."""
    spans, strings = batch.spans, batch.strings
    attributes: dict[int, dict[str, str]] = {}
    for owner, key, value in attributes_in_words(batch, batch.attributes):
        attributes.setdefault(owner, {})[key] = value
    found = []
    for row in range(len(spans)):
        said: dict[str, Any] = {name: strings[getattr(spans, name)[row]] for name in spans.CODES}
        said |= {"signal": Signal(spans.signal[row]).word, "attributes": attributes.get(row, {})}
        said |= {name: int(getattr(spans, name)[row]) for name in ("start_us", "duration_us", "http_status", "status")}
        said |= {"phases": phases(spans.phases_us[:, row]), "trace": spans.trace_id[row].tobytes().hex()}
        said |= {"id": spans.span_id[row].tobytes().hex(), "parent": spans.parent_span_id[row].tobytes().hex()}
        found.append({name: value for name, value in said.items() if value not in ("", "0" * 16)})
    return found


def phases(column: "np.typing.NDArray[np.int64]") -> dict[str, int]:
    """By name, without the unknown ones."""
    return {phase.name.lower(): us for phase, us in zip(Phase, column.tolist(), strict=True) if us != -2}


def one(items: Sequence[Any]) -> Any:
    (only,) = items
    return only
