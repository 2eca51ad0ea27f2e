"""Which attribute fills which column: OpenTelemetry's names, old and new, best first.

Names and their history: https://opentelemetry.io/docs/specs/semconv/ (1.44) for HTTP, URL, network, app, device, OS and
session attributes; the names before 1.21 still come from Swift and older agents. What has no column stays an attribute,
with two exceptions: `NEVER_KEPT` names carry a raw address or User-Agent and are dropped here, before anything could
write them; the address of the request itself serves for the country.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from ingest.model import ConsentState

NEVER_KEPT: Final = frozenset(
    {
        "browser.user_agent",
        "client.address",
        "host.ip",
        "http.client_ip",
        "http.request.header.forwarded",
        "http.request.header.user-agent",
        "http.request.header.x-forwarded-for",
        "http.request.header.x-real-ip",
        "http.user_agent",
        "net.host.ip",
        "net.peer.ip",
        "net.sock.host.addr",
        "net.sock.peer.addr",
        "network.local.address",
        "network.peer.address",
        # The web SDK's first browser detector wrote the User-Agent here.
        "process.runtime.version",
        "source.address",
        "user_agent.original",
    }
)
"""Raw addresses and User-Agents: dropped on spans, resources and exceptions alike."""

CONSENT: Final = "firsthop.consent"
"""The user's consent in a word of `ConsentState`; the conventions (1.44) have no name for it."""

REPORTED: Final = "firsthop.reported"
"""`true`: sent because the user reported a problem; there is no name for that either."""

MAX_BYTES: Final = 1 << 62
MIB: Final = 1 << 20


class Target(NamedTuple):
    """Where an attribute of one name goes."""

    column: int
    """Row of the grid: text columns first, then numbers."""
    rank: int
    """0 is the best name of a column; a better one wins over a worse one."""
    stays: bool
    """It is listed among the attributes too."""
    read: "Callable[[str], int | str | None] | None"
    """Text → what the column holds, None when it can hold nothing of the kind; no function: the text as it is."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the attribute names of spans, or of resources, mean."""

    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    targets: Mapping[str, Target]
    row: Mapping[str, int]
    """Column → its row of the grid, texts first."""
    renamed: Mapping[str, str]
    """Attribute → the name it is listed under, where that is another."""


def number_in(text: str, low: float, high: float) -> float | None:
    if not text.isascii() or "_" in text or len(text) > 32:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if low <= value <= high else None


def whole_in(low: int, high: int) -> Callable[[str], int | None]:
    """Also `200.0`: browser SDKs switch between integer and double by value."""

    def read(text: str) -> int | None:
        if text.isascii() and text.isdigit() and len(text) < 20:
            return int(text) if low <= int(text) <= high else None
        value = number_in(text, low, high)
        return int(value) if value is not None and value.is_integer() else None

    return read


def _mebibytes(unit: float) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        value = number_in(text, 0, MAX_BYTES)
        return None if value is None else int(value * unit / MIB)

    return read


_PROTOCOLS: Final = {
    "1": "h1",
    "1.0": "h1",
    "1.1": "h1",
    "http/1.0": "h1",
    "http/1.1": "h1",
    "2": "h2",
    "2.0": "h2",
    "http/2": "h2",
    "http/2.0": "h2",
    "3": "h3",
    "3.0": "h3",
    "http/3": "h3",
    "quic": "h3",
}


def _name_protocol(text: str) -> str:
    """`h1`, `h2` or `h3` for the versions of HTTP; anything else as it is."""
    return _PROTOCOLS.get(text.lower(), text)


def _name_consent(text: str) -> str:
    """The state's own word: what a client wrote instead goes no further."""
    return ConsentState.of(text).word


def _read_flag(text: str) -> int:
    return int(text in {"true", "1"})


READERS: Final[Mapping[str, Callable[[str], int | str | None]]] = {
    "http_status": whole_in(0, 999),
    "request_bytes": whole_in(0, MAX_BYTES),
    "response_bytes": whole_in(0, MAX_BYTES),
    "protocol": _name_protocol,
    "consent": _name_consent,
    "cores": whole_in(1, 1 << 20),
    "reported": _read_flag,
    "device.memory_mb": _mebibytes(MIB),
    "device.memory_size": _mebibytes(1),
    # `navigator.deviceMemory`: GiB, rounded for privacy.
    "device.memory": _mebibytes(1 << 30),
}
"""By column, or by name where the names of a column differ in unit."""


def name_columns(
    texts: Mapping[str, Sequence[str]],
    numbers: Mapping[str, Sequence[str]],
    stay: frozenset[str] = frozenset(),
    readers: Mapping[str, Callable[[str], int | str | None]] = READERS,
    renamed: Mapping[str, str] | None = None,
) -> Names:
    """The meaning of names.

    Args:
        texts: column → names of attributes that fill it, best first.
        numbers: the same of columns of numbers.
        stay: names of those that are listed besides.
        readers: column or name → what turns an attribute's text into what the column holds.
        renamed: as `Names.renamed`.
    """
    targets = {}
    for column, (title, names) in enumerate([*texts.items(), *numbers.items()]):
        for rank, name in enumerate(names):
            targets[name] = Target(column, rank, name in stay, readers.get(name) or readers.get(title))
    row = {name: row for row, name in enumerate([*texts, *numbers])}
    return Names(tuple(texts), tuple(numbers), targets, row, renamed or {})


SPAN_TEXTS: Final[Mapping[str, Sequence[str]]] = {
    "method": ("http.request.method", "http.method"),
    "url": ("url.full", "http.url"),
    "route": ("url.template", "http.route"),
    "error_type": ("error.type", "exception.type"),
    "protocol": ("network.protocol.version", "net.protocol.version", "http.flavor"),
    "screen": ("app.screen.name", "screen.name", "view.name"),
    # Said of a span, these go before what its resource says.
    "version": ("service.version", "app.version"),
    "session": ("session.id",),
    "network": ("network.connection.type", "net.host.connection.type"),
    "consent": (CONSENT,),
    # Parts of a URL, for clients that send no whole one.
    "scheme": ("url.scheme", "http.scheme"),
    "host": ("server.address", "http.host", "net.peer.name"),
    "port": ("server.port", "net.peer.port"),
    "path": ("url.path", "http.target"),
    "query": ("url.query",),
    # `0` here tells an answer out of a cache from one that came at once.
    "wire_size": ("http.response.size", "browser.resource_timing.transfer_size"),
}
SPAN_NUMBERS: Final[Mapping[str, Sequence[str]]] = {
    "http_status": ("http.response.status_code", "http.status_code"),
    "request_bytes": ("http.request.body.size", "http.request_content_length"),
    "response_bytes": (
        "http.response.body.size",
        "http.response_content_length",
        "http.response_content_length_uncompressed",
    ),
}
SPAN_STAY: Final = frozenset(
    {
        "exception.type",
        "url.scheme",
        "http.scheme",
        "server.address",
        "http.host",
        "net.peer.name",
        "server.port",
        "net.peer.port",
        "url.path",
        "http.target",
        "url.query",
        "http.response.size",
        "browser.resource_timing.transfer_size",
    }
)
SPAN: Final = name_columns(SPAN_TEXTS, SPAN_NUMBERS, SPAN_STAY)

RESOURCE: Final = name_columns(
    texts={
        "service": ("service.name",),
        "version": ("service.version", "app.version"),
        "environment": ("deployment.environment.name", "deployment.environment"),
        "os_name": ("os.name", "os.type"),
        "os_version": ("os.version",),
        "device_manufacturer": ("device.manufacturer",),
        "device_model": ("device.model.identifier", "device.model.name"),
        "network": ("network.connection.type", "net.host.connection.type"),
        "session": ("session.id",),
        # Not `service.instance.id`: SDKs draw a new one at every start.
        "installation": ("app.installation.id", "device.id"),
        "consent": (CONSENT,),
        "sdk_name": ("telemetry.sdk.name",),
        "sdk_version": ("telemetry.sdk.version",),
    },
    # The conventions have no name for the first two. These are what browsers call them, and Sentry's SDKs.
    numbers={
        "memory_mb": ("device.memory_mb", "device.memory_size", "device.memory"),
        "cores": ("device.cores", "device.processor_count", "device.hardware_concurrency"),
        "reported": (REPORTED,),
    },
)
