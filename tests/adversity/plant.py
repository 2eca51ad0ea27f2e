"""Requests that carry needles: one needle in every field of every format, in good bodies and in bad ones."""

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from opentelemetry.proto.common.v1.common_pb2 import InstrumentationScope

from client_sdk_spec import encoder
from tests.adversity.needles import Needle, in_disguise
from tests.decode.faro_messages import LOADED, TIMING, stamp
from tests.decode.otlp_messages import as_json, logs_of, record_of, request_of, span_of

RESOURCE = ("service", "version", "environment", "os_name", "os_version", "device_manufacturer", "device_model",
            "network", "session", "installation", "sdk")  # fmt: skip
SPAN = ("name", "method", "url", "route", "error_type", "protocol", "screen")
OTLP_RESOURCE = ("service.name", "service.version", "deployment.environment.name", "os.name", "os.version",
                 "device.manufacturer", "device.model.identifier", "session.id", "device.id", "app.installation.id",
                 "service.instance.id", "telemetry.sdk.name", "host.name", "process.command_line")  # fmt: skip
OTLP_SPAN = ("http.request.method", "url.full", "http.url", "http.route", "error.type", "network.protocol.version",
             "network.connection.type", "screen.name", "session.id", "user.id", "enduser.id", "exception.message",
             "exception.stacktrace", "db.query.text", "http.target", "user_agent.original",
             "client.address")  # fmt: skip

VIOLATION = ("blockedURI", "disposition", "documentURI", "effectiveDirective", "originalPolicy", "referrer", "sample",
             "sourceFile", "statusCode", "violatedDirective")  # fmt: skip


class Request(NamedTuple):
    """What is sent, and how it must end: 202 or 200 for good ones, any refusal but 503 for bad ones."""

    path: str
    body: bytes
    headers: Mapping[str, str]
    good: bool
    spans: int = 1
    """Of a good one: how many are stored."""


class _Disguises:
    """The needle in one disguise after the other."""

    def __init__(self, needle: Needle, start: int) -> None:
        self._needle, self._number = needle, start

    def __call__(self) -> str:
        self._number += 1
        return in_disguise(self._needle, self._number)


def requests(needle: Needle, number: int, key: str) -> Iterator[Request]:
    """All requests for one needle; `number` says where its disguises begin."""
    rng = random.Random(number)
    headers = _headers(needle, key)
    json_headers = headers | {"Content-Type": "application/json"}
    batch = native(needle, number, rng.randbytes(16))
    for encoding, compression in (("msgpack", "zstd"), ("json", "gzip")):
        body = encoder.compress(encoder.encode(batch | {"id": rng.randbytes(16).hex()}, encoding), compression)
        yield Request("/v1/batches", body, headers, good=True)
    message = otlp(needle, number, rng.randbytes(16))
    yield Request(
        "/v1/traces", message.SerializeToString(), headers | {"Content-Type": "application/x-protobuf"}, good=True
    )
    yield Request("/v1/traces", as_json(message), json_headers, good=True)
    logged, spans = logs(needle, number, rng.randbytes(16))
    # One of the encodings after the other: what they give is the same, and the values are many.
    if number % 2:
        yield Request("/v1/logs", as_json(logged), json_headers, good=True, spans=spans)
    else:
        protobuf = headers | {"Content-Type": "application/x-protobuf"}
        yield Request("/v1/logs", logged.SerializeToString(), protobuf, good=True, spans=spans)
    said, spans = faro(needle, number, rng.randbytes(16))
    session = {"x-faro-session-id": quote(needle.value), "Idempotency-Key": f"{number}-{quote(needle.value)}"[:120]}
    yield Request("/collect", json.dumps(said).encode(), json_headers | session, good=True, spans=spans)
    told = reports(needle, number)
    yield Request(f"/reports/{key}", json.dumps(told).encode(), headers, good=True, spans=len(told))
    yield bad(needle, number, headers, encoder.encode(batch, "json"))


def native(needle: Needle, number: int, trace_id: bytes) -> dict[str, Any]:
    """A native batch with the needle in every field, one good span and one that is rejected."""
    disguise = _Disguises(needle, number)
    span = {name: disguise() for name in SPAN} | {
        "trace_id": trace_id.hex(),
        "span_id": trace_id[:8].hex(),
        "start_us": time.time_ns() // 1000 - 1_000_000,
        "duration_us": 120_000,
        "http_status": 500,
        "attributes": {"note": disguise(), needle.key or "path": needle.value if needle.key else disguise()}
        | {"http.url": disguise(), "db.statement": f"SELECT '{disguise()}'", disguise(): "1"},
        "events": [{"name": disguise(), "offset_us": 10}],
    }
    rejected = span | {"duration_us": -5, "span_id": trace_id[8:].hex()}
    sketched = {name: disguise() for name in ("name", "method", "url", "route")} | {"duration_us": 90_000}
    return {
        "id": trace_id.hex(),
        "resource": {name: disguise() for name in RESOURCE},
        "clock": {"kind": "wall", "epoch": disguise()[:120]},
        "dropped": {disguise(): 3},
        "spans": [span, rejected],
        "sketches": [{"start_us": span["start_us"], "width_us": 1_000_000, "spans": [sketched]}],
        "unsent": disguise(),
    }


def otlp(needle: Needle, number: int, trace_id: bytes) -> Any:
    """The same as an OTLP request."""
    disguise = _Disguises(needle, number)
    now = time.time_ns()
    span = span_of(
        {name: disguise() for name in OTLP_SPAN}
        | {needle.key or "note": needle.value if needle.key else disguise(), disguise(): disguise()}
        | {"list": [disguise(), 1], "map": {"inner": disguise()}},
        trace_id=trace_id,
        span_id=trace_id[:8],
        name=disguise(),
        start_time_unix_nano=now - 1_000_000_000,
        end_time_unix_nano=now - 500_000_000,
        trace_state=f"vendor={quote(needle.value)}",
    )
    span.status.code = 2
    span.status.message = disguise()
    event = span.events.add(name=disguise(), time_unix_nano=now - 900_000_000)
    event.attributes.add(key="exception.message").value.string_value = disguise()
    link = span.links.add(trace_id=trace_id[::-1], span_id=trace_id[8:], trace_state=f"a={quote(needle.value)}")
    link.attributes.add(key="note").value.string_value = disguise()
    request = request_of(span, resource={name: disguise() for name in OTLP_RESOURCE})
    scope = request.resource_spans[0].scope_spans[0]
    scope.scope.CopyFrom(InstrumentationScope(name=disguise(), version=disguise()))
    scope.schema_url = disguise()
    return request


def faro(needle: Needle, number: int, trace_id: bytes) -> tuple[dict[str, Any], int]:
    """A body of Grafana Faro with the needle in every field, and how many spans it is."""
    disguise = _Disguises(needle, number)
    at = stamp(1)
    mapped = {needle.key or "note": needle.value if needle.key else disguise(), "note": disguise(), disguise(): "1"}

    def filled(fields: Iterable[str]) -> dict[str, str]:
        return {name: disguise() for name in fields}

    def item(**fields: Any) -> dict[str, Any]:
        return {"timestamp": at, "trace": {"trace_id": trace_id.hex(), "span_id": trace_id[:8].hex()}} | fields

    numbers = {
        name: TIMING[name] for name in ("duration", "fetchTime", "requestTime", "responseTime", "tcpHandshakeTime")
    }
    events = [
        item(name="faro.performance.resource", domain=disguise(), attributes=filled(TIMING) | numbers),
        item(name="faro.performance.navigation", attributes=filled([*TIMING, *LOADED]) | numbers | {"ttfb": "900"}),
        item(name="faro.tracing.fetch", attributes=dict(mapped)),
        item(name="view_changed", attributes=filled(("fromView", "toView"))),
        item(name="route_change", attributes=filled(("toRoute", "toUrl", "fromRoute", "fromUrl"))),
        item(name="faro.navigation", attributes=filled(("toUrl", "fromUrl")) | {"duration": "5"}),
        item(name="faro.user.action", attributes={"userActionName": disguise(), "userActionDuration": "5"} | mapped),
        item(name="securitypolicyviolation", attributes=filled(VIOLATION)),
        item(
            name=disguise(), domain=disguise(), attributes=dict(mapped), action={"name": disguise(), "id": disguise()}
        ),
    ]
    vital = {"lcp": 12.5, disguise(): 1.5}
    measurements = [
        item(type="web-vitals", values=vital, context=filled(("id", "rating", "element", "navigation_type"))),
        item(type=disguise(), values={disguise(): 2}, context=dict(mapped)),
    ]
    frame = filled(("filename", "function", "module")) | {"lineno": 1, "colno": 2}
    thrown = item(type=disguise(), value=disguise(), stacktrace={"frames": [frame]}, context=dict(mapped))
    message = json.loads(as_json(otlp(needle, number, trace_id)))
    body = {
        "meta": _faro_meta(disguise, mapped),
        "events": events,
        "measurements": measurements,
        "exceptions": [thrown | {"fingerprint": disguise(), "fatal": True}],
        "logs": [item(level=disguise(), message=disguise(), context=dict(mapped))],
        "traces": message,
    }
    # A page load is two, the event that repeats a span is none.
    return body, len(events) + len(measurements) + 2 + 1


def _faro_meta(disguise: _Disguises, mapped: Mapping[str, str]) -> dict[str, Any]:
    fields = {
        "sdk": ("name", "version"),
        "app": ("name", "namespace", "release", "version", "environment", "bundleId", "gitHash", "installationId"),
        "user": ("id", "username", "email", "fullName", "roles", "hash"),
        "browser": ("name", "version", "os", "userAgent", "language", "viewportWidth"),
        "os": ("name", "version", "build_id", "detail"),
        "device": ("manufacturer", "model_identifier", "model_name", "brand", "type"),
        "geo": ("city", "continent_iso"),
        "k6": ("testRunId",),
        "view": ("name",),
    }
    meta: dict[str, Any] = {part: {name: disguise() for name in names} for part, names in fields.items()}
    overrides = {"serviceName": disguise()}
    session = {"id": disguise(), "attributes": {"previousSession": disguise(), **mapped}, "overrides": overrides}
    page = {"id": disguise(), "url": disguise(), "attributes": dict(mapped)}
    return meta | {"session": session, "page": page}


def reports(needle: Needle, number: int) -> list[dict[str, Any]]:
    """Reports of a browser with the needle in every field."""
    disguise = _Disguises(needle, number)
    named = {needle.key or "note": needle.value if needle.key else disguise(), disguise(): disguise()}
    failed = ("method", "phase", "protocol", "referrer", "server_ip", "type")
    violated = ("blockedURL", "documentURL", "effectiveDirective", "originalPolicy", "referrer", "sample", "sourceFile")
    bodies: dict[str, dict[str, Any]] = {
        "network-error": {name: disguise() for name in failed} | {"elapsed_time": 5, "sampling_fraction": 1.0},
        "csp-violation": {name: disguise() for name in violated},
        "deprecation": {name: disguise() for name in ("id", "message", "sourceFile")},
        "crash": {name: disguise() for name in ("reason", "stack")},
        disguise(): {},
    }
    return [
        {"age": 7, "type": kind, "url": disguise(), "user_agent": disguise(), "body": body | named}
        for kind, body in bodies.items()
    ]


def logs(needle: Needle, number: int, trace_id: bytes) -> tuple[Any, int]:
    """Log records of every kind with the needle in every field, and how many spans they are."""
    disguise = _Disguises(needle, number)
    now = time.time_ns() - 1_000_000_000
    resource, load, vital = "browser.resource_timing", "browser.navigation_timing", "browser.web_vital"
    timed = {f"{resource}.fetch_start": 1, f"{resource}.response_end": 9.5, f"{load}.load_event_end": 20}

    def record(event: str, attributes: Mapping[str, Any], body: Any = None, **fields: Any) -> Any:
        said = {name: disguise() for name in OTLP_SPAN} | {"browser.document.url.full": disguise()}
        said |= {needle.key or "note": needle.value if needle.key else disguise(), disguise(): disguise()}
        return record_of(event, said | dict(attributes), body, time_unix_nano=now, **fields)

    request = logs_of(
        record(
            resource, timed | {f"{resource}.{name}": disguise() for name in ("initiator_type", "next_hop_protocol")}
        ),
        record(load, timed | {f"{load}.type": disguise()}, trace_id=trace_id, span_id=trace_id[:8]),
        record(vital, {f"{vital}.{name}": disguise() for name in ("name", "id", "rating", "navigation_type")}),
        record(vital, {}, {"name": "lcp", "value": 5, "id": disguise(), disguise(): disguise()}),
        record("exception", {}, disguise()),
        record(disguise(), {}, {"said": disguise(), disguise(): [disguise()]}, severity_text=disguise()),
        record("", {"event.name": disguise()}, disguise()),
        resource={name: disguise() for name in OTLP_RESOURCE},
    )
    scope = request.resource_logs[0].scope_logs[0]
    scope.scope.CopyFrom(InstrumentationScope(name=disguise(), version=disguise()))
    scope.schema_url = disguise()
    return request, 8


def bad(needle: Needle, number: int, headers: Mapping[str, str], body: bytes) -> Request:
    """A request that cannot be taken, wrong in one of many ways."""
    value = quote(needle.value, safe="")
    text = json.dumps({"v": 1, "id": needle.sentence}).encode()
    protobuf = headers | {"Content-Type": "application/x-protobuf"}
    ways = [
        Request("/v1/batches", body[:-20], headers, good=False),
        Request("/v1/batches", text, headers, good=False),
        Request("/v1/batches", body.replace(b'"n":2', b'"n":7'), headers, good=False),
        Request("/v1/batches", needle.sentence.encode(), headers | {"Content-Encoding": "zstd"}, good=False),
        Request("/v1/batches", body, headers | {"Content-Encoding": needle.value.strip()}, good=False),
        Request(f"/v1/batches?s=x{value}", body, headers, good=False),
        Request("/v1/traces", needle.sentence.encode(), protobuf, good=False),
        Request("/v1/logs", needle.sentence.encode(), protobuf, good=False),
        Request("/v1/logs", b'{"resourceLogs":' + text, headers | {"Content-Type": "application/json"}, good=False),
        Request("/v1/traces", b'{"resourceSpans":' + text, headers | {"Content-Type": "application/json"}, good=False),
        Request("/v1/traces", text, headers | {"Content-Type": f"text/{value}"}, good=False),
        Request("/collect", text[:-1], headers, good=False),
        Request("/collect", b'{"events":' + text + b"}", headers, good=False),
        Request("/collect", needle.sentence.encode(), headers | {"Content-Encoding": "gzip"}, good=False),
        Request(f"/collect/{value}", b"{}", {}, good=False),
        Request("/reports", text, headers, good=False),
        Request(f"/reports/{value}", b"[]", {}, good=False),
        Request(f"/nowhere/{value}", text, headers, good=False),
        Request(f"/v1/batches/{value}", body, {}, good=False),
        Request("/v1/batches", body, headers | {"x-api-key": needle.value.strip()}, good=False),
        Request("/v1/batches", body, headers | {"X-Bad\x01Name": "1"}, good=False),
    ]
    return ways[number % len(ways)]


def _headers(needle: Needle, key: str) -> dict[str, str]:
    """Headers that say more than they should; the address is believed, as from a proxy."""
    line = needle.sentence.replace("\n", " ")
    return {
        "x-api-key": key,
        "User-Agent": f"Shop/5.2 ({line})",
        "X-Forwarded-For": needle.value if needle.kind in {"ipv4", "ipv6"} else "203.0.113.7",
        "Cookie": f"a={quote(needle.value)}",
        "Referer": f"https://shop.example/?q={quote(needle.value)}",
        "Sec-CH-UA-Model": f'"{line}"',
        "X-Request-Id": quote(needle.value),
        "baggage": f"user={quote(needle.value)}",
        "tracestate": f"v={quote(needle.value)}",
    }
