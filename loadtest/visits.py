"""Seeded visits to the synthetic world: pure functions from a random generator to batches of columns.

A visit is one sender's batch: screens with their requests as parent and child spans, timed so that a request's phases
sum to at most its duration. The same seed and times give the same bytes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from loadtest import people
from loadtest.timing import PHASES, Timed, time_requests
from loadtest.world import APPS, COUNTRIES, DEVICES, NETWORKS, App, Country, Device, Network

I64 = npt.NDArray[np.int64]
U8 = npt.NDArray[np.uint8]
_Shared = TypeVar("_Shared", App, Country, Device, Network)

SCREEN = 3
"""The signal of a screen in `client_sdk_spec/fields.json`; that of a request is 0."""
ROLLOUT_US = 900_000_000
"""How long a release takes from its first user to its final share."""
NEWEST_SHARE = 0.45
"""Share of the newest version once rolled out."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends: the facts of app and device, and how its clocks stand to true time."""

    app: App
    country: Country
    device: Device
    network: Network
    version: str
    address: str
    resource: Mapping[str, str | int]
    epoch: str
    epoch_at_us: int
    """True time at which the device's monotonic clock stood at 0."""
    wall_error_us: int
    """The device's wall clock minus true time."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch; columns are named as in `client_sdk_spec/fields.json`, starts are in the sender's monotonic clock."""

    sender: Sender
    batch_id: bytes
    sealed_at_us: int
    """True time at which the batch was sealed."""
    strings: Sequence[str]
    """Code k is strings[k - 1]; code 0 is the empty string."""
    trace_ids: U8
    """(t, 16)"""
    span_ids: U8
    """(n, 8)"""
    parent_span_ids: U8
    """(n, 8); zeros for a root."""
    columns: Mapping[str, I64]
    attributes: Sequence[tuple[int, int, int]] = field(default=())
    """(span, key code, value code)"""

    @property
    def spans(self) -> int:
        """Number of spans."""
        return len(self.columns["start_us"])

    @property
    def sealed_mono_us(self) -> int:
        """The device's monotonic clock when the batch was sealed."""
        return self.sealed_at_us - self.sender.epoch_at_us


def visits(
    rng: np.random.Generator, sealed_at_us: Sequence[int], release_at_us: int, *, app: str = "", spans: int = 0
) -> Iterator[Batch]:
    """One batch per time in `sealed_at_us`.

    Args:
        rng: the only source of chance.
        sealed_at_us: true time at which each batch is sealed; its spans lie before.
        release_at_us: when the newest version of every app begins to roll out.
        app: only visits of this app; empty: of all, by share.
        spans: exactly this many spans in every batch; 0: as many as the visit made, about 30.
    """
    for at_us in sealed_at_us:
        sender = make_sender(rng, at_us, release_at_us, app)
        yield visit(rng, sender, at_us, spans)


def make_sender(rng: np.random.Generator, at_us: int, release_at_us: int, app_name: str = "") -> Sender:
    """Somebody who opens the app at this true time; see `visits` for the arguments."""
    app = next((a for a in APPS if a.name == app_name), None) or _choose(rng, APPS)
    device = _choose(rng, [d for d in DEVICES if d.platform in app.platforms])
    country = _choose(rng, COUNTRIES)
    network = _choose(rng, NETWORKS)
    if network.name == "wired" and device.platform != "web":
        network = NETWORKS[0]
    version = _version(rng, app, at_us, release_at_us)
    epoch_age_us = int(
        rng.integers(150_000_000, 600_000_000) if device.platform == "web" else rng.integers(3, 400) * 10**9
    )
    wall_error_us = int(rng.normal(0, 1_500_000) if rng.random() > 0.035 else rng.choice([-1, 1]) * 5_400_000_000)
    epoch_at_us = at_us - epoch_age_us
    return Sender(
        app=app,
        country=country,
        device=device,
        network=network,
        version=version,
        address=f"{country.network.rsplit('.', 1)[0]}.{rng.integers(1, 255)}",
        resource=_resource(rng, app, device, network, version),
        epoch=rng.bytes(8).hex(),
        epoch_at_us=epoch_at_us,
        wall_error_us=wall_error_us,
    )


def _version(rng: np.random.Generator, app: App, at_us: int, release_at_us: int) -> str:
    rolled_out = min(1.0, max(0.0, (at_us - release_at_us) / ROLLOUT_US)) * NEWEST_SHARE
    old, current, newest = app.versions
    draw = rng.random()
    if draw < rolled_out:
        return newest
    return current if draw < rolled_out + (1 - rolled_out) * 0.8 else old


def _resource(
    rng: np.random.Generator, app: App, device: Device, network: Network, version: str
) -> dict[str, str | int]:
    resource: dict[str, str | int] = {
        "service": app.name,
        "version": version,
        "environment": "production",
        "os_name": device.os_name,
        "os_version": device.os_version,
        "device_manufacturer": device.manufacturer,
        "device_model": device.model,
        "network": network.name,
        "session": rng.bytes(16).hex(),
        "installation": rng.bytes(16).hex(),
        "sdk": f"firsthop-{device.platform}/1.0.0",
        "memory_mb": device.memory_mb,
        "cores": device.cores,
    }
    return {name: value for name, value in resource.items() if value}


@dataclass(slots=True)
class _Plan:
    """The screens and requests of a visit before they are timed."""

    screen_of: list[int] = field(default_factory=list)
    """Per request: the screen instance that made it."""
    endpoint_of: list[int] = field(default_factory=list)
    screens: list[int] = field(default_factory=list)
    """Per screen instance: row of `App.screens`."""


def _plan(rng: np.random.Generator, app: App, spans: int) -> _Plan:
    plan = _Plan()
    wanted = spans or int(rng.integers(12, 48))
    screen = 0
    while len(plan.screens) + len(plan.endpoint_of) < wanted:
        instance = len(plan.screens)
        plan.screens.append(screen)
        for endpoint, probability in app.screens[screen].requests:
            if rng.random() < probability:
                plan.endpoint_of.append(endpoint)
                plan.screen_of.append(instance)
        screen = (screen + 1) % len(app.screens) if rng.random() < 0.75 else int(rng.integers(len(app.screens)))
    return plan


def visit(rng: np.random.Generator, sender: Sender, sealed_at_us: int, spans: int = 0) -> Batch:
    """What one sender does until it seals its batch at this true time; see `visits` for the arguments."""
    plan = _plan(rng, sender.app, spans)
    endpoint_of = np.asarray(plan.endpoint_of, dtype=np.int64)
    screen_of = np.asarray(plan.screen_of, dtype=np.int64)
    timed = time_requests(
        rng,
        sender.app,
        endpoint_of,
        device=sender.device,
        network=sender.network,
        country=sender.country,
        version=sender.version,
    )

    within_us = rng.integers(2_000, 250_000, len(endpoint_of))
    render_us = rng.lognormal(np.log({"low": 180_000, "mid": 90_000}.get(sender.device.device_class, 45_000)), 0.4)
    screen_us = np.full(len(plan.screens), int(render_us), dtype=np.int64)
    np.maximum.at(screen_us, screen_of, within_us + timed.duration_us + 1_000)
    dwell_us = rng.integers(1_500_000, 9_000_000, len(plan.screens))
    ends_us = np.cumsum(screen_us + dwell_us)
    screen_start_us = ends_us - screen_us - dwell_us + (sealed_at_us - sender.epoch_at_us - int(ends_us[-1]))

    return _Columns(rng, sender, sealed_at_us).build(
        plan,
        timed,
        screen_start_us=screen_start_us,
        screen_us=screen_us,
        request_start_us=screen_start_us[screen_of] + within_us,
        spans=spans,
    )


class _Columns:
    """Turns a timed visit into the columns and the string table of its batch."""

    def __init__(self, rng: np.random.Generator, sender: Sender, sealed_at_us: int) -> None:
        self._rng = rng
        self._sender = sender
        self._sealed_at_us = sealed_at_us
        self._codes: dict[str, int] = {"": 0}

    def _code(self, text: str) -> int:
        return self._codes.setdefault(text, len(self._codes))

    def build(
        self, plan: _Plan, timed: Timed, *, screen_start_us: I64, screen_us: I64, request_start_us: I64, spans: int
    ) -> Batch:
        rng, app = self._rng, self._sender.app
        screens, requests = len(plan.screens), len(plan.endpoint_of)
        screen_of = np.asarray(plan.screen_of, dtype=np.int64)
        total = screens + requests
        # Parents stand before their children, as clients that seal in order of start would send them.
        order = np.lexsort((np.r_[np.zeros(screens), np.ones(requests)], np.r_[np.arange(screens), screen_of]))
        order = order[: spans or total]

        span_ids = np.frombuffer(rng.bytes(8 * total), dtype=np.uint8).reshape(total, 8)
        parents = np.concatenate([np.zeros((screens, 8), dtype=np.uint8), span_ids[:screens][screen_of]])
        endpoints = [app.endpoints[e] for e in plan.endpoint_of]
        screen_names = [self._code(app.screens[s].name) for s in plan.screens]
        none = np.full(screens, -2, dtype=np.int64)
        zero = np.zeros(screens, dtype=np.int64)

        def both(of_screens: Sequence[int] | I64, of_requests: Sequence[int] | I64) -> I64:
            return np.concatenate([np.asarray(of_screens, dtype=np.int64), np.asarray(of_requests, dtype=np.int64)])[
                order
            ]

        failed = (timed.http_status == 0) | (timed.http_status >= 400)
        columns: dict[str, I64] = {
            "trace": both(np.arange(screens), screen_of),
            "name": both(screen_names, [self._code(f"HTTP {e.method}") for e in endpoints]),
            "signal": both(zero + SCREEN, np.zeros(requests)),
            "kind": both(zero + 1, np.full(requests, 3)),
            "status": both(zero, np.where(failed, 2, 0)),
            "start_us": both(screen_start_us, request_start_us),
            "duration_us": both(screen_us, timed.duration_us),
            "method": both(zero, [self._code(e.method) for e in endpoints]),
            "url": both(zero, [self._code(self._url(e.host + e.path, e.query)) for e in endpoints]),
            "route": both(zero, [self._code(e.template) for e in endpoints]),
            "http_status": both(none, timed.http_status),
            "error_type": both(zero, [self._code(text) for text in timed.error_type]),
            "protocol": both(zero, [self._code(text) for text in timed.protocol]),
            "screen": both(screen_names, np.asarray(screen_names, dtype=np.int64)[screen_of]),
            "request_bytes": both(none, [e.request_bytes for e in endpoints]),
            "response_bytes": both(none, timed.response_bytes),
        }
        for row, phase in enumerate(PHASES):
            columns[f"{phase}_us"] = both(none, timed.phases_us[row])
        attributes = self._attributes(failed, screens, order)
        return Batch(
            sender=self._sender,
            batch_id=rng.bytes(16),
            sealed_at_us=self._sealed_at_us,
            strings=list(self._codes)[1:],
            trace_ids=np.frombuffer(rng.bytes(16 * screens), dtype=np.uint8).reshape(screens, 16),
            span_ids=span_ids[order],
            parent_span_ids=parents[order],
            columns=columns,
            attributes=attributes,
        )

    def _url(self, base: str, query: str) -> str:
        return people.fill(f"{base}?{query}" if query else base, self._rng)

    def _attributes(self, failed: npt.NDArray[np.bool_], screens: int, order: I64) -> list[tuple[int, int, int]]:
        rows = []
        for row in np.flatnonzero(np.r_[np.zeros(screens, dtype=bool), failed][order]).tolist():
            message = f"request of {people.email(self._rng)} failed"
            rows.append((row, self._code("exception.message"), self._code(message)))
        return rows


def _choose(rng: np.random.Generator, among: Sequence[_Shared]) -> _Shared:
    shares = np.cumsum([one.share for one in among])
    return among[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))]
