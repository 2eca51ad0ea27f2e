"""Which attribute of a log record fills which column, beside those that spans have, too.

The records of a browser are those of `@opentelemetry/browser-instrumentation` (0.6) and of the conventions that it grew
from: https://opentelemetry.io/docs/specs/semconv/browser/ (1.27 to 1.45). A navigation is told with the names of a
resource where it has the same stamps.
"""

import re
from collections.abc import Callable
from typing import Final

from ingest.decode.otlp_attributes import (
    MAX_BYTES,
    READERS,
    SPAN_NUMBERS,
    SPAN_STAY,
    SPAN_TEXTS,
    Names,
    name_columns,
    number_in,
    whole_in,
)
from ingest.decode.otlp_phases import MOMENTS

RESOURCE_TIMING: Final = "browser.resource_timing"
NAVIGATION_TIMING: Final = "browser.navigation_timing"
WEB_VITAL: Final = "browser.web_vital"
HANG: Final = "metrickit.diagnostic.hang"

LOAD_MOMENTS: Final = (
    "unloadEventStart",
    "unloadEventEnd",
    "domInteractive",
    "domContentLoadedEventStart",
    "domContentLoadedEventEnd",
    "domComplete",
    "loadEventStart",
    "loadEventEnd",
)
"""What else happens while a page loads: events of its span, by the names that traces have for them."""

_MS: Final = 1_000_000
_SECOND: Final = 1_000_000_000
_LONGEST_MS: Final = 1e10
"""Nearly four months; what is longer is no stamp."""
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def snake_case(text: str) -> str:
    """`fetchStart` as `fetch_start`."""
    return _WORD.sub("_", text).lower()


def _scaled(unit: int, highest: float) -> Callable[[str], int | None]:
    """The number in units of 1/unit."""

    def read(text: str) -> int | None:
        value = number_in(text, 0, highest)
        return None if value is None else round(value * unit)

    return read


def _plain_whole(text: str) -> str | None:
    """`0` for `0.0`, too."""
    value = _whole(text)
    return None if value is None else str(value)


_whole: Final = whole_in(0, MAX_BYTES)
millionths: Final = _scaled(_MS, 1e9)
"""The value of a web vital: nanoseconds, for those in milliseconds."""
_STAMP: Final = _scaled(_MS, _LONGEST_MS)
_VITAL_FIELDS: Final = ("name", "value", "delta", "rating", "id", "navigation_type")

LOG: Final[Names] = name_columns(
    {
        **SPAN_TEXTS,
        # The page itself last: of a resource, that is another address.
        "url": (*SPAN_TEXTS["url"], f"{RESOURCE_TIMING}.url", f"{NAVIGATION_TIMING}.url", "browser.document.url.full"),
        "protocol": (*SPAN_TEXTS["protocol"], f"{RESOURCE_TIMING}.next_hop_protocol"),
        # Events before the field `event_name` of OTLP 1.5, and those of Swift's MetricKit.
        "event": ("event.name", "otel.event.name"),
        "vital": (f"{WEB_VITAL}.name",),
        "vital_value": (f"{WEB_VITAL}.value",),
        "initiator": (f"{RESOURCE_TIMING}.initiator_type",),
    },
    {
        **SPAN_NUMBERS,
        "response_bytes": (*SPAN_NUMBERS["response_bytes"], f"{RESOURCE_TIMING}.encoded_body_size"),
        "hang": (f"{HANG}.hang_duration",),
        # Times in ns since the page's time origin. The package sends the first twelve of `MOMENTS`.
        **{
            moment: (f"{RESOURCE_TIMING}.{name}", f"{NAVIGATION_TIMING}.{name}")
            for moment, name in ((moment, snake_case(moment)) for moment in (*MOMENTS, "duration"))
        },
        **{moment: (f"{NAVIGATION_TIMING}.{snake_case(moment)}",) for moment in LOAD_MOMENTS},
    },
    SPAN_STAY | {f"{RESOURCE_TIMING}.initiator_type", f"{WEB_VITAL}.name", f"{WEB_VITAL}.value"},
    {
        **READERS,
        **dict.fromkeys((*MOMENTS, "duration", *LOAD_MOMENTS), _STAMP),
        "wire_size": _plain_whole,
        "hang": _scaled(_SECOND, 1e7),
    },
    {f"{WEB_VITAL}.{field}": f"web_vital.{field}" for field in _VITAL_FIELDS},
)
"""Its columns of text begin with those of `SPAN`, in the same order."""

STAMP_ROWS: Final = slice(LOG.row[MOMENTS[0]], LOG.row[MOMENTS[-1]] + 1)
LOAD_ROWS: Final = slice(LOG.row[LOAD_MOMENTS[0]], LOG.row[LOAD_MOMENTS[-1]] + 1)
