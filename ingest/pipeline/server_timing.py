"""What an answer says of the server behind it: the headers `Server-Timing` and `traceresponse`.

Server-Timing (https://www.w3.org/TR/server-timing/): entries separated by commas, each a name with parameters after
semicolons, values plain or quoted: `traceparent;desc="00-<trace>-<span>-01", total;dur=25.3`. Of a parameter said twice
the first counts; what is no entry is passed over. Servers that name their span write the entry `traceparent` (PHP,
Python, Splunk) or `trace` (the W3C's draft), or the older header traceresponse, all with the fields of a traceparent
(https://www.w3.org/TR/trace-context/#traceparent-header). Flags are not looked at: context is not trusted.
"""

import re
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

import orjson

from ingest.model import UNKNOWN

MOST_HEADERS: Final = 8
"""Values of one header that are read."""
MOST_ENTRIES: Final = 32
"""Of one header value, and of all that one answer said."""
LONGEST_MS: Final = 86_400_000.0
"""A day: no answer took longer."""
TRACE_ENTRIES: Final = frozenset({"traceparent", "trace"})
TOTAL_ENTRIES: Final = ("total", "app", "server", "origin")
"""Names under which servers give the whole of their time, best first."""

_ENTRY: Final = re.compile(
    r'([^\s;,="]++)((?:[^",]++|"(?:[^"\\]++|\\.)*+"?)*+)(?:,|$)|"(?:[^"\\]++|\\.)*+"?', re.DOTALL
)
"""A name and what follows up to the next comma outside of quotes. What is quoted and no entry's is passed over."""
_PARAMETER: Final = re.compile(r';\s*+(\w++)\s*+=\s*+("(?:[^"\\]++|\\.)*+"?|[^;\s]*+)', re.DOTALL | re.ASCII)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CONTEXT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})?-([0-9a-f]{16})?(?:-.*)?", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_NUMBER_CHARS: Final = 64
_HIT: Final = re.compile(r"(?<![a-z])hit(?![a-z])", re.IGNORECASE)
"""`cdn-cache;desc=HIT`, `cache;desc="TCP_HIT"`, `cdn-cache-hit`."""


class ServerSpan(NamedTuple):
    """The span on the other side of a request, as the answer named it."""

    trace_id: bytes
    """16 bytes; empty where only the span was named: it is in the request's own trace."""
    span_id: bytes
    """8 bytes; zeros where only the trace was named."""


class Entry(NamedTuple):
    """One entry of Server-Timing."""

    name: str
    """In lower case."""
    time_us: int
    """Its `dur`, or UNKNOWN: none, no number, negative or longer than a day. So is 0: browsers' scripts read it where a
    server gave none (`PerformanceServerTiming.duration`), and no server takes no time."""
    span: ServerSpan | None
    cached: bool
    """It says that a cache answered: times may be those of the answer that the cache took in."""


def read_values(text: str) -> Sequence[str]:
    """The values of a header as attributes hold them: a JSON array of texts, or the header's own text."""
    if not text.startswith("["):
        return (text,)
    try:
        values = orjson.loads(text)
    except orjson.JSONDecodeError:
        return ()
    return [value for value in values[:MOST_HEADERS] if isinstance(value, str)] if isinstance(values, list) else ()


def read_entries(value: str) -> Sequence[Entry]:
    """The entries of one Server-Timing value."""
    return [_entry(*match.groups()) for match in islice(_ENTRY.finditer(value), MOST_ENTRIES) if match[1]]


def read_context(text: str) -> ServerSpan | None:
    """The span that a traceparent or traceresponse names; None when it names neither trace nor span."""
    match = _CONTEXT.fullmatch(text.strip())
    if match is None:
        return None
    trace, span = match.groups()
    if trace == "0" * 32 or (trace is None and (span is None or span == "0" * 16)):
        return None
    return ServerSpan(bytes.fromhex(trace or ""), bytes.fromhex(span or "0" * 16))


def server_time(entries: Sequence[Entry]) -> int:
    """How long the server took, in µs, or UNKNOWN.

    The time of the entry that names the server's span, else of `total`, `app`, `server` or `origin`, else the only time
    there is. Of several under one name the longest: each server on the way adds its own, and the outermost holds the
    others. UNKNOWN when a cache answered.
    """
    if any(entry.cached for entry in entries):
        return UNKNOWN
    timed = [entry for entry in entries if entry.time_us != UNKNOWN]
    traced = [entry.time_us for entry in timed if entry.span is not None]
    if traced:
        return max(traced)
    for name in TOTAL_ENTRIES:
        named = [entry.time_us for entry in timed if entry.name == name]
        if named:
            return max(named)
    return timed[0].time_us if len(timed) == 1 else UNKNOWN


def _entry(name: str, rest: str) -> Entry:
    name, duration, description = name.lower(), None, None
    for parameter, text in _PARAMETER.findall(rest):
        word = parameter.lower()
        if word == "dur" and duration is None:
            duration = _unquoted(text)
        elif word == "desc" and description is None:
            description = _unquoted(text)
    span = read_context(description) if description and name in TRACE_ENTRIES else None
    cached = span is None and (_says_hit(name) or (description is not None and _says_hit(description)))
    return Entry(name, _time_us(duration) if duration else UNKNOWN, span, cached)


def _says_hit(text: str) -> bool:
    return "hit" in text.lower() and _HIT.search(text) is not None


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    text = text[1:].removesuffix('"')
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _time_us(text: str) -> int:
    match = _NUMBER.match(text[:_NUMBER_CHARS])
    if match is None:
        return UNKNOWN
    time_ms = float(match[0])
    return round(time_ms * 1000) or UNKNOWN if 0.0 < time_ms <= LONGEST_MS else UNKNOWN
