"""Synthetic batches, the same for the same seed: what the preset dictionary and the golden vectors are made from.

Nothing here is personal: names, hosts and ids are invented.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

APPS = (
    ("shop", "api.shop.example", ("home", "search", "product", "cart", "checkout")),
    ("bank", "api.bank.example", ("accounts", "transfer", "cards", "login", "profile")),
    ("video", "edge.video.example", ("feed", "player", "channel", "download", "settings")),
    ("news", "www.news.example", ("front", "article", "comments", "saved", "topics")),
)
DEVICES = (
    ("android", "14", "samsung", "SM-A146P", 4096, 8),
    ("android", "13", "Xiaomi", "Redmi Note 12", 6144, 8),
    ("android", "15", "Google", "Pixel 8", 8192, 9),
    ("android", "12", "motorola", "moto g(20)", 4096, 8),
    ("ios", "17.5.1", "Apple", "iPhone14,5", 4096, 6),
    ("ios", "18.1", "Apple", "iPhone16,1", 8192, 6),
    ("ios", "16.7", "Apple", "iPhone10,4", 2048, 6),
    ("web", "Chrome 141", "", "", 8192, 8),
)
NETWORKS = ("wifi", "4g", "5g", "3g", "wired")
METHODS = ("GET", "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE")
THINGS = ("items", "users", "orders", "sessions", "images", "events", "search", "config", "messages", "payments")
ERRORS = ("timeout", "connection_refused", "dns_failure", "tls_handshake", "cancelled", "500", "503")


def batch(random: Random, spans: int) -> dict[str, Any]:
    """A logical batch (see `encoder`) of one session of one app on one device."""
    service, host, screens = random.choice(APPS)
    os_name, os_version, manufacturer, model, memory_mb, cores = random.choice(DEVICES)
    mono_us = random.randrange(10**9, 10**11)
    made: list[dict[str, Any]] = []
    while len(made) < spans:
        made += _screen(random, host, random.choice(screens), mono_us + len(made) * 400_000)
    return {
        "id": _hex(random, 16),
        "resource": {
            "service": service,
            "version": f"{random.randrange(1, 9)}.{random.randrange(20)}.{random.randrange(5)}",
            "environment": "production",
            "os_name": os_name,
            "os_version": os_version,
            "device_manufacturer": manufacturer,
            "device_model": model,
            "network": random.choice(NETWORKS),
            "session": _hex(random, 16),
            "installation": _hex(random, 16),
            "sdk": "firsthop-web/0.1.0" if os_name == "web" else f"firsthop-{os_name}/0.1.0",
            "memory_mb": memory_mb,
            "cores": cores,
        },
        "clock": {
            "kind": "mono",
            "epoch": _hex(random, 4),
            "mono_us": mono_us + spans * 400_000,
            "wall_us": 1_760_000_000_000_000 + mono_us,
        },
        "spans": made[:spans],
    }


def _screen(random: Random, host: str, screen: str, start_us: int) -> list[dict[str, Any]]:
    """A screen and the requests it made, in one trace."""
    trace_id, span_id = _hex(random, 16), _hex(random, 8)
    requests = [
        {
            "trace_id": trace_id,
            "span_id": _hex(random, 8),
            "parent_span_id": span_id,
            "start_us": start_us + at * 9_000,
            "screen": screen,
            **_request(random, host),
        }
        for at in range(random.randrange(2, 7))
    ]
    duration_us = max(r["start_us"] + r["duration_us"] for r in requests) - start_us
    shown = {
        "trace_id": trace_id,
        "span_id": span_id,
        "name": f"screen {screen}",
        "kind": 1,
        "start_us": start_us,
        "duration_us": duration_us,
        "screen": screen,
        "events": [{"name": "first_frame", "offset_us": random.randrange(8_000, 90_000)}],
    }
    return [shown, *requests]


def _request(random: Random, host: str) -> dict[str, Any]:
    method, thing = random.choice(METHODS), random.choice(THINGS)
    number = random.randrange(10**6)
    phases = _phases(random)
    failed = random.random() < 0.04
    span: dict[str, Any] = {
        "name": f"{method} /{thing}/{{id}}",
        "status": 2 if failed else 0,
        "duration_us": sum(us for us in phases.values() if us > 0) + random.randrange(400),
        **phases,
        "method": method,
        "url": f"https://{host}/v1/{thing}/{number}",
        "route": f"/v1/{thing}/{{id}}",
        "http_status": random.choice((200, 200, 200, 200, 201, 204, 304, 404)),
        "protocol": random.choice(("h2", "h2", "h3", "h1")),
        "request_bytes": 0 if method == "GET" else random.randrange(80, 2_000),
        "response_bytes": int(random.lognormvariate(8.5, 1.2)),
    }
    if failed:
        span |= {"error_type": random.choice(ERRORS), "http_status": 0, "response_bytes": -2}
    if random.random() < 0.3:
        span["attributes"] = {"retry": random.randrange(1, 4), "cache": random.choice(("hit", "miss"))}
    return span


def _phases(random: Random) -> dict[str, int]:
    """A connection is reused seven times in ten."""
    reused = random.random() < 0.7

    def log_normal(median_us: int, sigma: float = 0.6) -> int:
        return int(median_us * random.lognormvariate(0, sigma))

    return {
        "redirect_us": -1,
        "blocked_us": log_normal(700),
        "dns_us": -1 if reused else log_normal(14_000),
        "tcp_us": -1 if reused else log_normal(32_000),
        "tls_us": -1 if reused else log_normal(41_000),
        "request_us": log_normal(300),
        "ttfb_us": log_normal(85_000, 0.8),
        "download_us": log_normal(9_000, 1.0),
    }


def _hex(random: Random, width: int) -> str:
    return random.randbytes(width).hex()


def consent_case(state: str) -> Mapping[str, Any]:
    """One request of a user who has said what may be known of it."""
    return {
        "id": "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
        "resource": {"service": "shop", "session": "5e55", "consent": state},
        "clock": {"kind": "wall"},
        "spans": [
            {
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "span_id": "00f067aa0ba902b7",
                "name": "GET /orders/{id}",
                "start_us": 1_760_000_000_000_000,
                "duration_us": 120_000,
            }
        ],
    }


SIGNALS = (
    ("request", "GET /cart", 120_000),
    ("operation", "sort the cart", 4_000),
    ("page", "Cart", 2_100_000),
    ("screen", "Cart", 340_000),
    ("exception", "TypeError", 0),
    ("long_task", "longtask", 87_000),
    ("event", "session_start", 0),
    ("lcp", "LCP", 1_850_000),
    ("inp", "INP", 96_000),
    ("cls", "CLS", 81_250),
    ("fcp", "FCP", 900_000),
    ("ttfb", "TTFB", 210_000),
    ("report", "network-error", 30_000),
    ("start", "AppStart", 640_000),
)
"""Of each signal by its number: its word, a name, a duration; that of CLS is 0.08125 in millionths."""


def signals_case() -> Mapping[str, Any]:
    """One span of each signal, and none of a phase but the first's."""
    spans: list[dict[str, Any]] = [
        {
            "trace_id": "5b8efff798038103d269b633813fc60c",
            "span_id": f"{number + 1:016x}",
            "name": name,
            "signal": number,
            "kind": 1,
            "start_us": 90_000_000 + number * 1_000,
            "duration_us": duration_us,
            "url": "https://www.shop.example/cart",
        }
        for number, (_, name, duration_us) in enumerate(SIGNALS)
    ]
    spans[0] |= {"kind": 3, "method": "GET", "http_status": 200, "dns_us": -1, "ttfb_us": 80_000}
    spans[4] |= {"status": 2, "error_type": "TypeError", "attributes": {"exception.message": "x is undefined"}}
    return {
        "id": "c0ffee000000000000000000000000c5",
        "resource": {"service": "shop", "version": "5.2.1", "os_name": "web"},
        "clock": {"kind": "mono", "epoch": "s1", "mono_us": 99_000_000},
        "spans": spans,
    }


def edge_case() -> Mapping[str, Any]:
    """One span in which every rule of the format shows: escapes, marks, defaults, foreign text, links, sampling."""
    return {
        "id": "0102030405060708090a0b0c0d0e0f10",
        "resource": {"service": "böckerei", "version": "1.0", "network": "wired", "memory_mb": 512},
        "clock": {"kind": "wall", "epoch": "起動", "mono_us": 5, "wall_us": 1_760_000_000_123_456},
        "dropped": {"queue_overflow": 3, "expired": 12},
        "spans": [
            {
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
                "span_id": "00f067aa0ba902b7",
                "name": "オンライン 🚄",
                "kind": 3,
                "status": 2,
                "start_us": 1_760_000_000_000_000,
                "duration_us": 2**32 - 3,
                "redirect_us": -1,
                "dns_us": 0,
                "tcp_us": -2,
                "ttfb_us": 2**32 + 7,
                "download_us": 2**32 - 4,
                "method": "GET",
                "route": "/straße/{id}",
                "http_status": 0,
                "error_type": "timeout",
                "response_bytes": 2**40,
                "threshold": "e666",
                "randomness": "0123456789abcd",
                "attributes": {"retry": 2, "offline": False, "note": "emoji 🙂", "list": [1, "a"]},
                "events": [{"name": "resumed", "offset_us": 2**32 + 1}, {"name": "cached", "offset_us": 0}],
                "links": [{"trace_id": "af" * 16, "span_id": "be" * 8}],
            }
        ],
    }
