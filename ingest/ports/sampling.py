"""What the sampler is asked, and what it answers: how rare a span of each kind must be to be stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ingest.model import I32, I64, U8


@dataclass(frozen=True, slots=True)
class Demand:
    """The accepted spans of a micro-batch by kind: one row for each app, origin, device class and route.

    Ordinary spans whose client gave them a randomness of their own stand under the route "": rates that differ by
    route would tear the session apart that the client wants kept or left as a whole.
    """

    app_id: I32
    origin: U8
    """`Origin`."""
    device_class: U8
    routes: Sequence[str]
    ordinary: I64
    """Spans of `Stratum.RANDOM`, each with what its client left out."""
    received: I64
    """The same as they came."""
    required: I64
    """Spans of all other strata."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """W3C thresholds T in [0, 2^56], by row of the demand: a span is kept iff its R ≥ T."""

    ordinary: I64
    required: I64
    """0, everything is kept, unless such spans alone exceed the app's budget."""


class Published(NamedTuple):
    """What clients of one app and device class may sample away before they send. Thresholds as in `Allotment`."""

    threshold: int
    """Of every route that is no exception."""
    exceptions: Mapping[str, int]
    """Route → its own, for the routes with most traffic."""
    default_slow_us: int
    """A request this long is slow, on every route that has no duration of its own."""
    slow_us: Mapping[str, int]
    """Route → its own."""


class SlowRoute(NamedTuple):
    """From which duration on requests of a route are slow, as learned from its own traffic."""

    app_id: int
    route: str
    slow_us: int
    sessions: int
    """So many distinct ones it was learned from."""


class SlowRoutes(Protocol):
    """What has been learned about all routes of all apps."""

    async def newest(self, known: int) -> tuple[int, Sequence[SlowRoute]] | None:
        """All of it and the number of its version; None while that is the known one. Cheap to call every few seconds.

        Raises:
            ingest.errors.Unavailable: it cannot be read now.
        """


class Rates(Protocol):
    """The rates in force."""

    def slow_us(self, app_ids: I32, routes: Sequence[str]) -> I64:
        """From which duration on a request of each (app, route) counts as slow."""

    def allot(self, demand: Demand) -> Allotment:
        """What may be kept of this demand, by budgets and floors; remembers that it was asked."""

    def stored(self, demand: Demand, spans: I64) -> None:
        """Remembers how many spans of each row of a demand were kept after all."""

    def published(self, app_id: int, device_class: int) -> Published:
        """What `GET /v1/config` tells clients of an app and device class (`DeviceClass`)."""
