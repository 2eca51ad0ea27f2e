"""The words: array types, marks, phases, metrics, dimensions, views, and what the transport knows of a request."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

REUSED = -1
"""The phase did not happen: a pooled connection, a cached name, no redirect."""
UNKNOWN = -2
"""Nobody knows: opaque cross-origin timing, or a client that does not measure it. Also: no such number."""

NOT_MEASURED = -(1 << 62)
"""No such number, where -2 could be one: differences of clocks."""

WINDOW_US = 10_000_000
"""Width of the finest rollup window, in microseconds."""


class Phase(IntEnum):
    """The phases of a request in the order in which they happen: the rows of `Spans.phases_us`. Stored: append only."""

    REDIRECT = 0
    BLOCKED = 1
    DNS = 2
    TCP = 3
    TLS = 4
    REQUEST = 5
    TTFB = 6
    """From the end of sending the request to the first byte of the final response, on every platform."""
    DOWNLOAD = 7


METRICS = ("duration", *(phase.name.lower() for phase in Phase))
"""What a sketch can be about, in the order of `Counted.buckets`' rows."""

DIMENSIONS = ("route", "version", "country", "device_class", "network", "os")
"""What a series can be cut by, in the order of `Series.values`' rows."""

VIEWS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "route": ("route",),
    "version": ("version",),
    "route_version": ("route", "version"),
    "route_country": ("route", "country"),
    "route_device": ("route", "device_class", "network"),
    "who": ("version", "country", "device_class", "network"),
    "os_version": ("os", "version"),
}
"""The sets of dimensions that series are kept for. A query reads the smallest view that covers it."""

OTHER = "{other}"
"""Value of every dimension of the series that counts what exceeds a view's cardinality limit."""

VERSION_CHARS = 64
"""Of an app's version as series and spans hold it: clients choose it, and every series of it repeats it."""
NAME_CHARS = 32
"""Of a network's or system's name."""


def short_name(text: str) -> str:
    """The name of a network or operating system as series and spans hold it."""
    return text.lower()[:NAME_CHARS]


class Signal(IntEnum):
    """What a span is about; every figure is about one of these. Sent and stored: append only."""

    REQUEST = 0
    """Went over a network. On the wire also any span whose client does not say what it is."""
    OPERATION = 1
    """Anything else that took time."""
    PAGE = 2
    """A page load, from the start of the navigation to the end of its load event.

    Without phases: they are those of the request for the document, a span of its own.
    """
    SCREEN = 3
    """A view of an app, or a change of route in a page."""
    EXCEPTION = 4
    LONG_TASK = 5
    """The main thread was busy."""
    EVENT = 6
    """A moment: a log line, a session's start, a violated policy."""
    LCP = 7
    """A web vital: its value is the duration; of CLS, which has no unit, in millionths."""
    INP = 8
    CLS = 9
    FCP = 10
    TTFB = 11
    """As web vitals define it: from the start of the navigation. Not `Phase.TTFB`."""
    REPORT = 12
    """The browser reports by itself: a request that failed, also where no page ever loaded (Network Error Logging)."""
    START = 13
    """An app's start."""

    @property
    def word(self) -> str:
        """How queries and stored rows name it."""
        return self.name.lower()


class Repair(IntEnum):
    """What a decoder put right of what a client is known to send wrongly: bits of `Spans.repairs`. Append only."""

    FARO_TLS_ON_HTTP = 0
    """A duration of TLS where there was none: Faro writes the end of the connection, counted from the navigation."""
    FARO_OPAQUE = 1
    """Durations of a request whose timing the browser hid: Faro writes 0, and stamps for durations."""
    FARO_TCP_WITH_TLS = 2
    """TLS was counted as a part of TCP."""
    FARO_ROUNDED = 3
    """Durations in whole milliseconds that add up to more than their request; the longest was cut."""
    FARO_TWICE = 4
    """Sent as the browser's own timing entry and as a span, in different bodies: the one that is no request here."""

    @property
    def word(self) -> str:
        """As the attribute `firsthop.repaired` says it."""
        return self.name.lower().replace("_", "-")


class Kind(IntEnum):
    """Span kind, numbered as in OTLP."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Status(IntEnum):
    """Span status, numbered as in OTLP."""

    UNSET = 0
    OK = 1
    ERROR = 2


class ClockKind(IntEnum):
    """What a body's `start_us` values count from."""

    WALL = 0
    """Microseconds since 1970 by the device's own wall clock."""
    MONOTONIC = 1
    """Microseconds since the start of the device's clock epoch (a boot, a page)."""


class DeviceClass(IntEnum):
    """How capable the device is. Unknown is never taken for high."""

    UNKNOWN = 0
    LOW = 1
    MID = 2
    HIGH = 3


class ClockQuality(IntEnum):
    """How well a span's start is anchored to server time; `clients.md` grades."""

    A = 0
    """Two-way anchor in the same epoch."""
    B = 1
    """One-way bound from the send stamp, same epoch."""
    C = 2
    """An older epoch or boot with an anchor of its own."""
    D = 3
    """Bridged over a clock step."""
    E = 4
    """The device's wall clock only."""
    F = 5
    """Nothing but the time of receipt."""


class Stratum(IntEnum):
    """Why a span is in the sample. Stored: append only.

    Those but `RANDOM` are kept whatever the rate, unless they alone exceed the app's budget.
    """

    RANDOM = 0
    ERROR = 1
    SLOW = 2
    REPORTED = 3
    """Its user reported a problem."""


class Origin(IntEnum):
    """Who measured a span."""

    CLIENT = 0
    BACKEND = 1
    """A backend service, with a server key: joins client spans by trace id, and is in no figure about clients."""


class LinkKind(IntEnum):
    """How a span came to point at another. Stored: append only."""

    SPAN = 0
    """A span link that its sender made."""
    SERVER = 1
    """The answer named the server's span (`Server-Timing`, `traceresponse`)."""
    EXTERNAL = 2
    """The trace id as the client sent it, where the edge gave the trace another one."""


class ConsentState(IntEnum):
    """What the SDK says its user has agreed to."""

    MISSING = 0
    GRANTED = 1
    PENDING = 2
    """Not asked yet, or not answered."""
    DENIED = 3

    @classmethod
    def of(cls, text: str | None) -> "ConsentState":
        """The state that a client names: `granted`, `pending` or `denied`. Any other word fails closed as denied.

        None, nothing said at all, is `MISSING`; an empty text is a word that nobody knows.
        """
        return cls.MISSING if text is None else _CONSENT_WORDS.get(text, cls.DENIED)

    @property
    def word(self) -> str:
        """How clients write it."""
        return self.name.lower()


_CONSENT_WORDS = {state.word: state for state in ConsentState if state is not ConsentState.MISSING}


@dataclass(frozen=True, slots=True)
class Anchor:
    """A two-way measurement of a device's clock, made from an answer of ours: server − monotonic = offset ± error.

    With t1, t4 the device's monotonic clock at send and answer, and R, S the server's times in the answer, offset =
    ((R + S) − (t1 + t4)) / 2 and error = ((t4 − t1) − (S − R)) / 2. The client keeps the best one of each epoch.
    """

    offset_us: int
    err_us: int
    at_us: int
    """t4."""
    epoch: str


@dataclass(frozen=True, slots=True)
class SendStamp:
    """The volatile send header of the native format: stamped anew for every attempt, outside the immutable body."""

    mono_us: int
    """The device's monotonic clock when this attempt was sent."""
    wall_us: int = UNKNOWN
    epoch: str = ""
    rtt_us: int = UNKNOWN
    """Smallest round trip the client has seen."""
    background: bool = False
    """Handed to the system for later upload: the stamp bounds nothing."""
    anchor: Anchor | None = None
    bridge_us: int | None = None
    """How far the wall clock moved against the monotonic one from the batch's epoch to the stamp's: sleep or steps."""


@dataclass(frozen=True, slots=True, repr=False)
class Reception:
    """What the transport knows of one request. Never encoded, never printed, gone when the batch is processed."""

    app_id: int
    received_at_us: int
    """Server time at the arrival of the request's head, µs since 1970."""
    address: str = ""
    user_agent: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Client-hint headers by lower-case name."""
    send: SendStamp | None = None
    trusted: bool = False
    """Sent with a server key, by a backend service."""
    gpc: bool = False
    """`Sec-GPC: 1`: Global Privacy Control."""
    dnt: bool = False
    """`DNT: 1`: Do Not Track."""
    origin: str = ""
    """The web origin of the page that sent it, "" from outside a browser."""
    host: str = ""
    """Name and port that it was sent to, as the client knows them; lower case."""

    def __repr__(self) -> str:
        return f"<Reception app={self.app_id}>"
