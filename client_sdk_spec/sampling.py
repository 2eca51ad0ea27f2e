"""The reference of sampling (`SPEC.md`, S; `CONFIG.md`): which spans a client sends, and the threshold it declares.

Pure, and exact: thresholds and randomness are whole numbers of 56 bits, or text of 14 hex digits that compares alike.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

ALL = 1 << 56
DIGITS = 14
MOST_WEIGHT = 10_000
"""A span that claims to stand for more is taken to stand for as many."""
UNKNOWN = -2

Rank = Literal["ordinary", "slow", "error"]
Span = Mapping[str, Any]


def threshold(probability: float) -> int:
    """T of the share that is kept, from 0 to 1; `ALL` keeps nothing."""
    return ALL - round(probability * ALL)


def written(threshold: int) -> str | None:
    """T as `th`: all 14 hex digits, then without the zeros at the end. None: it keeps nothing, which has no text.

    Below 2^52, for shares above 15/16, T begins with zeros that count.
    """
    return None if threshold >= ALL else f"{threshold:014x}".rstrip("0") or "0"


def read(th: str) -> int:
    """T of a `th`."""
    return int(th.ljust(DIGITS, "0"), 16)


def weight(threshold: int) -> float:
    """How many spans one stands for that was kept by this T."""
    return min(ALL / (ALL - threshold), MOST_WEIGHT)


def randomness(trace_id: str, rv: str = "") -> int:
    """R of a span: `rv` where the client has set one, else the last 56 bits of the trace id."""
    return int(rv or trace_id[-DIGITS:], 16)


class Decision(NamedTuple):
    """What becomes of a span."""

    sent: bool
    threshold: str
    """For the column `threshold`; "" where the span stands for itself."""
    rank: Rank


def decide(config: Mapping[str, Any], span: Span, route: str = "", rv: str = "", *, reported: bool = False) -> Decision:
    """Whether the span is sent under this answer of `GET /v1/config`.

    Args:
        config: the answer.
        span: with the keys of `encoder.encode`.
        route: as the server names it: method, host, template.
        rv: the session's, where whole sessions are kept or left; then routes have no thresholds of their own.
        reported: the user reported a problem.
    """
    rank = rank_of(config, span, route)
    if not config["send"]:
        return Decision(False, "", rank)
    sampling = config["sampling"]
    if (reported and "reported" in sampling["always"]) or rank in sampling["always"]:
        return Decision(True, "", rank)
    th = sampling["th"] if rv else sampling["routes"].get(route, sampling["th"])
    kept = randomness(span["trace_id"], rv) >= read(th)
    return Decision(kept, th if kept and read(th) else "", rank)


def rank_of(config: Mapping[str, Any], span: Span, route: str = "") -> Rank:
    """How much a span matters: an error, a slow request, or neither."""
    http_status = span.get("http_status", UNKNOWN)
    if span.get("status") == 2 or http_status == 0 or http_status >= 400:
        return "error"
    slow_ms = config["slow"]["routes_ms"].get(route, config["slow"]["default_ms"])
    request = span.get("signal", 0) == 0 and span.get("kind", 3) == 3
    return "slow" if request and span["duration_us"] >= slow_ms * 1_000 else "ordinary"
