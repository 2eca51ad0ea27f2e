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
    FARO = "takes what Grafana Faro sends"
    REPORTS = "takes browsers' own reports"
    CONFIG = "tells clients what they may sample away"
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
        return self.service in TAKES_SPANS

    @property
    def serves_clients(self) -> bool:
        """Asked with a key, perhaps from a page of another origin."""
        return self.takes_spans or self.service is Service.CONFIG


TAKES_SPANS = frozenset({Service.NATIVE, Service.OTLP_TRACES, Service.FARO, Service.REPORTS})

ROUTES: Mapping[str, Route] = {
    "/v1/batches": Route(Service.NATIVE, ("POST", "OPTIONS")),
    "/v1/traces": Route(Service.OTLP_TRACES, ("POST", "OPTIONS")),
    "/collect": Route(Service.FARO, ("POST", "OPTIONS")),
    "/reports": Route(Service.REPORTS, ("POST", "OPTIONS")),
    "/v1/config": Route(Service.CONFIG, ("GET", "OPTIONS")),
    "/healthz": Route(Service.ALIVE, ("GET", "HEAD")),
    "/readyz": Route(Service.READY, ("GET", "HEAD")),
    "/metrics": Route(Service.METRICS, ("GET", "HEAD")),
}

OTLP_TYPES: Mapping[str, Format] = {
    "application/x-protobuf": Format.OTLP_PROTOBUF,
    "application/json": Format.OTLP_JSON,
}


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
    try:
        return OTLP_TYPES[content_type.partition(";")[0].strip().lower()]
    except KeyError:
        raise UnsupportedType("content_type", f"Content-Type must be {' or '.join(OTLP_TYPES)}") from None


def dialect_of(route: Route, content_type: str) -> Format:
    """The format to answer errors in, also when the content type is not spoken here."""
    if route.service is not Service.OTLP_TRACES:
        return FORMATS.get(route.service, Format.NATIVE)
    return OTLP_TYPES.get(content_type.partition(";")[0].strip().lower(), Format.OTLP_JSON)
