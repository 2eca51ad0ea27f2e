"""The sampling vectors: thresholds, single decisions, and what a client sends under an answer of `GET /v1/config`.

Expected values are written by hand: thresholds are long divisions of 2^56, decisions compare hex digits from the left.
"""

from typing import Any

THRESHOLDS: list[dict[str, Any]] = [
    {"probability": 1.0, "th": "0", "weight": 1},
    {"probability": 0.5, "th": "8", "weight": 2},
    {"probability": 0.25, "th": "c", "weight": 4},
    {"probability": 0.75, "th": "4", "weight": 4 / 3},
    {"probability": 0.0625, "th": "f", "weight": 16},
    # Above 15/16 the first digit is a zero, and counts: 1 − 31/32 is 8 of 256, 1 − 255/256 is 1 of 256.
    {"probability": 0.9375, "th": "1", "weight": 16 / 15},
    {"probability": 0.96875, "th": "08", "weight": 32 / 31},
    {"probability": 0.99609375, "th": "01", "weight": 256 / 255},
    {"probability": 1 - 2**-20, "th": "00001", "weight": 1 / (1 - 2**-20)},
    {"probability": 1 - 2**-53, "th": "00000000000008", "weight": 1 / (1 - 2**-53)},
    {"probability": 2**-13, "th": "fff8", "weight": 8_192},
    # Heavier than 10,000 is taken for 10,000.
    {"probability": 2**-14, "th": "fffc", "weight": 10_000},
    {"probability": 2**-52, "th": "fffffffffffff", "weight": 10_000},
    {"probability": 0.0, "th": None, "weight": None},
]
"""Share kept → `th`, and how many spans one then stands for."""


def decision(trace_id: str, th: str, weight: float | None, rv: str = "", note: str = "") -> dict[str, Any]:
    """One span and one threshold; it is kept where there is a weight."""
    return {
        "meaning": note,
        "trace_id": trace_id,
        "rv": rv,
        "th": th,
        "kept": weight is not None,
        "weight": weight,
    }


LOW = "4bf92f3577b34da6a30000000000000f"
"""R = 0000000000000f"""
HALF = "4bf92f3577b34da6a380000000000000"
BELOW_HALF = "4bf92f3577b34da6a37fffffffffffff"
HIGH = "00000000000000000ffffffffffffffe"[:18] + "fffffffffffffe"

DECISIONS = [
    decision(LOW, "0", 1, note="a threshold of 0 keeps everything"),
    decision("ff" * 9 + "00" * 7, "0", 1, note="R = 0, too"),
    decision(HALF, "8", 2, note="R = T is kept"),
    decision(BELOW_HALF, "8", None, note="R = T − 1 is not"),
    decision(HALF, "80000000000001", None, note="the last of 14 digits decides"),
    decision("ff" * 9 + "00" * 7, "8", None, note="only the last 56 bits of a trace id count"),
    decision(HIGH, "ffffffffffffff", None, note="the greatest threshold keeps one of 2^56"),
    decision(HIGH[:-1] + "f", "ffffffffffffff", 10_000, note="and that weighs no more than 10,000"),
    decision(HIGH, "fff8", 8_192, note="a weight below 10,000 is whole"),
    decision(LOW, "08", None, note="th with a zero in front is read from the left: T = 08000000000000"),
    decision(LOW[:-14] + "07ffffffffffff", "08", None, note="the same, just below"),
    decision(LOW[:-14] + "08000000000000", "08", 32 / 31, note="the same, just there"),
    decision(LOW[:-14] + "10000000000000", "08", 32 / 31, note="who drops that zero would leave this one out"),
    decision(LOW, "8", 2, rv="80000000000000", note="rv goes before the trace id"),
    decision(HIGH, "8", None, rv="7fffffffffffff", note="in both directions"),
    decision(HIGH, "8", None, rv="00000000000000", note="an rv of zeros is one"),
]

CONFIG = {
    "v": 1,
    "app": 7,
    "ttl_s": 300,
    "send": True,
    "class": "low",
    "sampling": {
        "th": "8",
        "routes": {"GET api.shop.example/cart": "0", "GET api.shop.example/items/{id}": "f"},
        "always": ["error", "slow", "reported"],
    },
    "slow": {"default_ms": 3000, "routes_ms": {"GET api.shop.example/cart": 410}},
}
CART, ITEM, ORDER = "GET api.shop.example/cart", "GET api.shop.example/items/{id}", "GET api.shop.example/orders"


def asked(
    meaning: str, route: str, trace_id: str, declared: str | None, rank: str = "ordinary", **given: Any
) -> dict[str, Any]:
    """A span under a configuration: sent with this threshold, or with None left out."""
    beside: dict[str, Any] = {name: given.pop(name) for name in ("rv", "reported") if name in given}
    return {
        "meaning": meaning,
        "route": route,
        "span": {"trace_id": trace_id, "duration_us": 120_000, "http_status": 200} | given,
        **beside,
        "expected": {"sent": declared is not None, "threshold": declared or "", "rank": rank},
    }


SPANS = [
    asked("the rate of all routes", ORDER, HALF, "8"),
    asked("left out by it", ORDER, BELOW_HALF, None),
    asked("a route with a rate of its own that keeps everything: nothing to declare", CART, BELOW_HALF, ""),
    asked("a route with a rate of its own that keeps one of 16", ITEM, HALF, None),
    asked("kept by it", ITEM, LOW[:-14] + "f0000000000000", "f"),
    asked("a route that the client does not know", "", HALF, "8"),
    asked("an answer of 404 stands for itself", ORDER, BELOW_HALF, "", "error", http_status=404),
    asked("so does one of 503", ORDER, HALF, "", "error", http_status=503),
    asked("and a request without an answer", ORDER, BELOW_HALF, "", "error", http_status=0),
    asked("and a span with status error", ORDER, BELOW_HALF, "", "error", status=2),
    asked("399 is no error", ORDER, BELOW_HALF, None, http_status=399),
    asked("status ok and an unknown answer are no error", ORDER, BELOW_HALF, None, status=1, http_status=-2),
    asked("slow by the default: 3 s", ORDER, BELOW_HALF, "", "slow", duration_us=3_000_000),
    asked("one microsecond less is not", ORDER, BELOW_HALF, None, duration_us=2_999_999),
    asked("slow by the route's own limit: 410 ms", CART, BELOW_HALF, "", "slow", duration_us=410_000),
    asked("an error that is slow is an error", ORDER, HALF, "", "error", duration_us=9_000_000, http_status=500),
    asked("only requests are slow, pages are not", ORDER, BELOW_HALF, None, duration_us=9_000_000, signal=2),
    asked("nor an internal span", ORDER, BELOW_HALF, None, duration_us=9_000_000, kind=1),
    asked("of a user who reported a problem", ORDER, BELOW_HALF, "", reported=True),
    asked("a session kept as a whole", ORDER, BELOW_HALF, "8", rv="80000000000000"),
    asked("a session left as a whole", ORDER, HALF, None, rv="7fffffffffffff"),
    asked("in a session routes have no rates of their own", CART, HALF, None, rv="7fffffffffffff"),
    asked("neither those that would leave it out", ITEM, LOW, "8", rv="80000000000000"),
    asked("errors of a session that is left are sent", ORDER, HALF, "", "error", rv="0" * 14, http_status=500),
]
"""Under `CONFIG`."""

SILENT = [
    asked("send: false, and a span that would be kept", ORDER, HALF, None),
    asked("send: false, and an error", ORDER, HALF, None, "error", http_status=500),
    asked("send: false, and a reported problem", ORDER, HALF, None, reported=True),
]
"""Under the same with `send: false`; each counts as dropped for `sampled`."""

SESSIONS = ["00000000000000", "3fffffffffffff", "40000000000000", "7fffffffffffff", "bfffffffffffff", "c0000000000001"]
RAISED = [
    {"th": "c", "kept": ["c0000000000001"]},
    {"th": "8", "kept": ["bfffffffffffff", "c0000000000001"]},
    {"th": "4", "kept": ["40000000000000", "7fffffffffffff", "bfffffffffffff", "c0000000000001"]},
    {"th": "0", "kept": SESSIONS},
]
"""A rate that is raised keeps the sessions that it kept before: those sent half are the exception, not the rule."""

VECTORS = {
    "thresholds": THRESHOLDS,
    "decisions": DECISIONS,
    "config": CONFIG,
    "spans": SPANS,
    "config_silent": CONFIG | {"send": False},
    "spans_silent": SILENT,
    "sessions": {"rv": SESSIONS, "rates": RAISED},
}
