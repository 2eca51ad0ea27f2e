"""The rates in force at one edge worker: an account for each app, and the durations from which its routes are slow.

What clients send and what backends send are two accounts with the same budget. A budget is divided evenly among the
workers of a host, which see even shares of the requests; hosts do not know of each other.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock

import numpy as np

from ingest.errors import Unavailable
from ingest.model import F64, I32, I64, DeviceClass, Origin
from ingest.pipeline.account import Account
from ingest.pipeline.thresholds import threshold, thresholds
from ingest.ports import Allotment, Demand, Published, SlowRoutes
from ingest.settings import AppPolicy, AppSampling, Sampling

log = logging.getLogger("ingest.rates")

EXCEPTIONS = 50
"""Routes that clients are told a rate or a duration of their own for."""


@dataclass(frozen=True, slots=True)
class _Slow:
    """What is known about the routes of one app."""

    us: dict[str, int] = field(default_factory=dict)
    sessions: dict[str, int] = field(default_factory=dict)


class RateBook:
    """Rates by budget (`ingest.ports.Rates`). Safe to ask from several threads.

    Args:
        sampling: most that may be kept by device class, and from when on a route is slow that nothing is known about.
        per_minute: budget of an app that names none.
        workers: edge workers of this host.
        policy_of: app → its policy.
        routes: what has been learned about routes.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        sampling: Sampling,
        *,
        per_minute: int,
        workers: int,
        policy_of: Callable[[int], AppPolicy],
        routes: SlowRoutes,
        clock: Callable[[], float],
    ) -> None:
        self._sampling, self._per_minute, self._workers = sampling, per_minute, workers
        self._policy_of, self._routes, self._clock = policy_of, routes, clock
        self._ceilings: F64 = np.zeros(len(DeviceClass))
        for device_class, most in zip(
            (DeviceClass.UNKNOWN, DeviceClass.LOW, DeviceClass.MID, DeviceClass.HIGH),
            (sampling.unknown, sampling.low, sampling.mid, sampling.high),
            strict=True,
        ):
            self._ceilings[device_class] = most
        self._accounts: dict[tuple[int, int], Account] = {}
        self._lock = Lock()
        self._slow: Mapping[int, _Slow] = {}
        self._version = 0
        self._reachable = True

    def slow_us(self, app_ids: I32, routes: Sequence[str]) -> I64:
        """See `ingest.ports.Rates`."""
        known, nothing, default = self._slow, _Slow(), self._sampling.slow_us
        return np.array(
            [
                known.get(app_id, nothing).us.get(route, default)
                for app_id, route in zip(app_ids.tolist(), routes, strict=True)
            ],
            dtype=np.int64,
        )

    def allot(self, demand: Demand) -> Allotment:
        """See `ingest.ports.Rates`."""
        kinds = len(demand.app_id)
        ordinary, required = np.zeros(kinds), np.ones(kinds)
        with self._lock:
            now_s = self._clock()
            for owner, rows in _owners(demand):
                budget, floor = self._share(owner[0])
                ordinary[rows], required[rows] = self._account(owner, now_s).ask(
                    now_s,
                    budget,
                    floor,
                    (demand.device_class[rows], [demand.routes[row] for row in rows.tolist()]),
                    (demand.ordinary[rows], demand.received[rows], demand.required[rows]),
                )
        return Allotment(thresholds(ordinary), thresholds(required))

    def stored(self, demand: Demand, spans: I64) -> None:
        """See `ingest.ports.Rates`."""
        with self._lock:
            now_s = self._clock()
            for owner, rows in _owners(demand):
                self._account(owner, now_s).stored(float(spans[rows].sum()))

    def published(self, app_id: int, device_class: int) -> Published:
        """See `ingest.ports.Rates`. Names only routes that enough sessions were seen on.

        The busiest are named, with the rates that budget and floor leave them. All others, among them those too rare to
        be named, are sent as often as the class allows: the edge leaves out what is too much, and keeps their floor.
        """
        least = self._policy_of(app_id).rules.least_sessions
        slow = self._slow.get(app_id, _Slow())
        ceiling = float(self._ceilings[device_class])
        with self._lock:
            account = self._account((app_id, Origin.CLIENT), self._clock())
            rate, floor = account.rate(self._clock(), *self._share(app_id))
            busiest = account.busiest(device_class)
        told = [(route, spans) for route, spans in busiest if slow.sessions.get(route, 0) >= least]
        rates = {route: min(ceiling, max(rate, floor / max(spans, 1e-9))) for route, spans in told}
        return Published(
            threshold=threshold(ceiling),
            exceptions=dict([(route, threshold(own)) for route, own in rates.items() if own < ceiling][:EXCEPTIONS]),
            default_slow_us=self._sampling.slow_us,
            slow_us={route: slow.us[route] for route, _ in told[:EXCEPTIONS]},
        )

    async def refresh(self) -> None:
        """Reads again what has been learned about routes; when that fails, what is known stays."""
        try:
            newest = await self._routes.newest(self._version)
        except Unavailable as error:
            if self._reachable:
                log.warning("slow routes cannot be read: %s; those known stay", error.message)
            self._reachable = False
            return
        self._reachable = True
        if newest is None:
            return
        found: dict[int, _Slow] = {}
        for app_id, route, slow_us, sessions in newest[1]:
            of_app = found.setdefault(app_id, _Slow())
            of_app.us[route], of_app.sessions[route] = slow_us, sessions
        self._version, self._slow = newest[0], found

    async def keep_fresh(self, every_s: float = 5.0) -> None:
        """Refreshes for ever; cancel to stop."""
        while True:
            await self.refresh()
            await asyncio.sleep(every_s)

    def _account(self, owner: tuple[int, int], now_s: float) -> Account:
        account = self._accounts.get(owner)
        if account is None:
            # The share of devices of a class that is kept says nothing about backends.
            ceilings = self._ceilings if owner[1] == Origin.CLIENT else np.ones_like(self._ceilings)
            account = self._accounts[owner] = Account(ceilings, now_s)
        return account

    def _share(self, app_id: int) -> tuple[float, float]:
        """This worker's part of an app's budget and floor, by the minute."""
        wanted: AppSampling = self._policy_of(app_id).sampling
        budget = self._per_minute if wanted.budget_per_minute is None else wanted.budget_per_minute
        return budget / self._workers, wanted.floor_per_minute / self._workers


def _owners(demand: Demand) -> list[tuple[tuple[int, int], I64]]:
    """Of each account that is asked: app and origin, and its rows."""
    owners = demand.app_id.astype(np.int64) * len(Origin) + demand.origin
    return [(divmod(owner, len(Origin)), np.flatnonzero(owners == owner)) for owner in sorted(set(owners.tolist()))]
