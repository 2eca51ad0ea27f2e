"""CPU µs per span of decoding what Grafana Faro and browsers' reports send, and of the pipeline behind it.

    python -m loadtest.dialects

Bodies of 30 items with addresses of the synthetic world, decoded 60 at a time as a busy edge does.
"""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import orjson

from ingest.decode.formats import DECODERS, Format
from ingest.model import Reception, SendStamp
from ingest.pipeline.process import process
from ingest.settings import AppPolicy, Settings
from loadtest.visits import Batch, visits
from privacy import Ring

ITEMS = 30
"""In a body."""
BODIES = 60
"""In a micro-batch."""
ROUNDS = 15
WARM_UP = 3


def requests_of(batch: Batch) -> list[tuple[str, int]]:
    """(address, duration in ms) of the batch's requests, repeated to `ITEMS`."""
    strings, columns = ["", *batch.strings], batch.columns
    rows = np.flatnonzero(columns["url"] > 0).tolist()
    found = [(strings[columns["url"][row]], int(columns["duration_us"][row]) // 1000) for row in rows]
    return (found * ITEMS)[:ITEMS]


def stamp(batch: Batch) -> str:
    """When it was sealed, as browsers write it."""
    at = datetime.fromtimestamp(batch.sealed_at_us / 1e6, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def faro_meta(batch: Batch) -> dict[str, Any]:
    """Who sends, as the web SDK says it."""
    said = batch.sender.resource
    return {
        "sdk": {"name": "faro-web", "version": "2.12.1"},
        "app": {"name": said.get("service"), "version": said.get("version"), "environment": "production"},
        "browser": {"name": "Chrome", "version": "156.0.0.0", "language": "en-US", "mobile": False},
        "os": {"name": said.get("os_name"), "version": said.get("os_version")},
        "page": {"url": "https://shop.example/checkout"},
        "session": {"id": batch.batch_id.hex()[:10]},
    }


def entries(batch: Batch) -> bytes:
    """A body of timing entries, the bulk of what Faro sends."""
    events = [
        {
            "name": "faro.performance.resource",
            "domain": "browser",
            "timestamp": stamp(batch),
            "attributes": {
                "name": url,
                "httpHost": "api.shop.example",
                "duration": str(ms),
                "tcpHandshakeTime": str(ms // 5),
                "dnsLookupTime": str(ms // 9),
                "tlsNegotiationTime": str(ms // 7),
                "responseStatus": "200",
                "redirectTime": "0",
                "requestTime": str(ms // 4),
                "responseTime": str(ms // 3),
                "fetchTime": str(ms),
                "serviceWorkerTime": "0",
                "decodedBodySize": str(ms * 31),
                "encodedBodySize": str(ms * 17),
                "cacheHitStatus": "fullLoad",
                "renderBlockingStatus": "non-blocking",
                "protocol": "h2",
                "initiatorType": "fetch",
                "visibilityState": "visible",
                "ttfb": str(ms // 4),
                "transferSize": str(ms * 17 + 300),
                "faroNavigationId": "kWMvTLm0Yo",
                "faroResourceId": f"{place:010x}",
            },
        }
        for place, (url, ms) in enumerate(requests_of(batch))
    ]
    return orjson.dumps({"meta": faro_meta(batch), "events": events})


def spans(batch: Batch) -> bytes:
    """A body of traced fetches, with the events that repeat them."""
    said, traced = [], []
    for place, (url, ms) in enumerate(requests_of(batch)):
        ids = {
            "trace_id": batch.batch_id.hex()[:-2] + f"{place:02x}",
            "span_id": batch.batch_id.hex()[:14] + f"{place:02x}",
        }
        texts = {"http.request.method": "GET", "url.full": url, "session.id": batch.batch_id.hex()[:10]}
        attributes = [{"key": key, "value": {"stringValue": value}} for key, value in texts.items()]
        attributes.append({"key": "http.response.status_code", "value": {"intValue": 200}})
        start = batch.sealed_at_us * 1000 + place
        traced.append(
            {
                "traceId": ids["trace_id"],
                "spanId": ids["span_id"],
                "name": "GET",
                "kind": 3,
                "startTimeUnixNano": str(start),
                "endTimeUnixNano": str(start + ms * 1_000_000),
                "attributes": attributes,
                "status": {"code": 0},
            }
        )
        said.append({"name": "faro.tracing.fetch", "timestamp": stamp(batch), "attributes": texts, "trace": ids})
    scope = {"scope": {"name": "@opentelemetry/instrumentation-fetch"}, "spans": traced}
    traces = {"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [scope]}]}
    return orjson.dumps({"meta": faro_meta(batch), "events": said, "traces": traces})


def reports(batch: Batch) -> bytes:
    """Network errors."""
    failed = {
        "sampling_fraction": 1.0,
        "method": "GET",
        "phase": "dns",
        "protocol": "h2",
        "referrer": "",
        "status_code": 0,
    }
    return orjson.dumps(
        [
            {
                "age": ms,
                "type": "network-error",
                "url": url,
                "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
                "body": failed | {"elapsed_time": ms, "type": "dns.name_not_resolved"},
            }
            for url, ms in requests_of(batch)
        ]
    )


KINDS: dict[str, tuple[Format, Callable[[Batch], bytes]]] = {
    "Faro, timing entries": (Format.FARO, entries),
    "Faro, traced fetches and their events": (Format.FARO, spans),
    "reports, network errors": (Format.REPORTS, reports),
}


def measure(format_: Format, bodies: Sequence[bytes]) -> tuple[float, float]:
    """µs per span of decoding, and of the pipeline: medians."""
    settings = Settings.from_env({})
    policy = settings.policy(Ring(0, b"k" * 32))
    receptions = [Reception(1, time.time_ns() // 1000, send=SendStamp(1 << 52)) for _ in bodies]
    found = []
    for _ in range(WARM_UP + ROUNDS):
        start = time.thread_time_ns()
        decoded = DECODERS[format_](bodies, policy.limits)
        then = time.thread_time_ns()
        process(decoded.batch, receptions, policy, policy_of=lambda _: AppPolicy(), country_of=lambda _: "BR")
        spent = then - start, time.thread_time_ns() - then
        assert not decoded.faults
        found.append(tuple(ns / 1000 / len(decoded.batch.spans) for ns in spent))
    decode, rest = np.median(found[WARM_UP:], axis=0).tolist()
    return decode, rest


def main() -> None:
    """Prints the table."""
    rng = np.random.default_rng(7)
    batches = list(visits(rng, [time.time_ns() // 1000] * BODIES, 0, spans=ITEMS))
    print("| CPU µs per span, 30 items a body | decode | pipeline |\n|---|--:|--:|")
    for name, (format_, encode) in KINDS.items():
        decode, rest = measure(format_, [encode(batch) for batch in batches])
        print(f"| {name} | {decode:.1f} | {rest:.1f} |")


if __name__ == "__main__":
    main()
