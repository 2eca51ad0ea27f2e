"""What is served where: the one table of the edge's paths."""

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from ingest.decode.formats import Format
from ingest.errors import MethodNotAllowed, UnknownPath, UnsupportedType


class Service(Enum):
    """What a path does."""

    NATIVE = "takes batches in the native format"
    OTLP_TRACES = "takes OTLP/HTTP traces"
    OTLP_LOGS = "takes OTLP/HTTP logs"
    FARO = "takes what Grafana Faro sends"
    REPORTS = "takes browsers' own reports"
    CONFIG = "tells clients what they may sample away"
    SCRIPT = "serves the browser SDK"
    ALIVE = "says that the worker runs"
    READY = "says whether the worker may take traffic"
    METRICS = "shows the worker's counters"


class Route(NamedTuple):
    """One path: what it does, and the methods it knows."""

    service: Service
    methods: tuple[str, ...]

    @property
    def takes_spans(self) -> bool:
        """A client sends here; its key may follow the path."""
        return self.service in FORMATS or self.service in OTLP_TYPES

    @property
    def serves_clients(self) -> bool:
        """Asked with a key, perhaps from a page of another origin."""
        return self.takes_spans or self.service is Service.CONFIG


ROUTES: Mapping[str, Route] = {
    "/v1/batches": Route(Service.NATIVE, ("POST", "OPTIONS")),
    "/v1/traces": Route(Service.OTLP_TRACES, ("POST", "OPTIONS")),
    "/v1/logs": Route(Service.OTLP_LOGS, ("POST", "OPTIONS")),
    "/collect": Route(Service.FARO, ("POST", "OPTIONS")),
    "/reports": Route(Service.REPORTS, ("POST", "OPTIONS")),
    "/v1/config": Route(Service.CONFIG, ("GET", "OPTIONS")),
    "/firsthop.js": Route(Service.SCRIPT, ("GET", "HEAD")),
    "/healthz": Route(Service.ALIVE, ("GET", "HEAD")),
    "/readyz": Route(Service.READY, ("GET", "HEAD")),
    "/metrics": Route(Service.METRICS, ("GET", "HEAD")),
}

JSON, PROTOBUF = "application/json", "application/x-protobuf"
OTLP_TYPES: Mapping[Service, Mapping[str, Format]] = {
    Service.OTLP_TRACES: {PROTOBUF: Format.OTLP_PROTOBUF, JSON: Format.OTLP_JSON},
    Service.OTLP_LOGS: {PROTOBUF: Format.LOGS_PROTOBUF, JSON: Format.LOGS_JSON},
}
"""The content types of OTLP/HTTP, for each kind of telemetry."""


def find(path: str) -> tuple[Route, str]:
    """The route of a path, and the key in it ("" for none).

    Raises:
        UnknownPath: nothing is served there.
    """
    route = ROUTES.get(path)
    if route is not None:
        return route, ""
    head, _, key = path.rpartition("/")
    route = ROUTES.get(head)
    if route is None or not route.takes_spans:
        raise UnknownPath("path", f"nothing is served under this path; there are {', '.join(ROUTES)}")
    return route, key


def check_method(route: Route, method: str) -> None:
    """Raises MethodNotAllowed when the route does not know the method."""
    if method not in route.methods:
        raise MethodNotAllowed("method", f"this path takes {', '.join(route.methods)}")


FORMATS: Mapping[Service, Format] = {
    Service.NATIVE: Format.NATIVE,
    Service.FARO: Format.FARO,
    Service.REPORTS: Format.REPORTS,
}
"""Where the path alone tells it."""


def format_of(route: Route, content_type: str) -> Format:
    """The format of a body: by the path, of OTLP by its content type (parameters ignored).

    Raises:
        UnsupportedType: a content type that OTLP/HTTP does not know.
    """
    if route.service in FORMATS:
        return FORMATS[route.service]
    types = OTLP_TYPES[route.service]
    try:
        return types[content_type.partition(";")[0].strip().lower()]
    except KeyError:
        raise UnsupportedType("content_type", f"Content-Type must be {' or '.join(types)}") from None


def dialect_of(route: Route, content_type: str) -> Format:
    """The format to answer errors in, also when the content type is not spoken here."""
    types = OTLP_TYPES.get(route.service)
    if types is None:
        return FORMATS.get(route.service, Format.NATIVE)
    return types.get(content_type.partition(";")[0].strip().lower(), types[JSON])
