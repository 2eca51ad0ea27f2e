"""The rates that keep what is stored near an app's budget, with a clock and traffic of the test's own."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from ingest.errors import Unavailable
from ingest.model import DeviceClass, Origin
from ingest.pipeline.account import MOST_CELLS
from ingest.pipeline.thresholds import ALL, weight
from ingest.ports import Demand, SlowRoute
from ingest.rate_book import RateBook
from ingest.settings import AppPolicy, AppSampling, Sampling
from privacy import Policy

BUDGET = 60_000
STEP_S = 0.25
MINUTE = round(60 / STEP_S)
Profile = Callable[[float], float]


class Learned:
    """What has been learned about routes; may be out of reach."""

    def __init__(self, *routes: SlowRoute) -> None:
        self.version, self.routes, self.away = 1, routes, False

    async def newest(self, known: int) -> tuple[int, Sequence[SlowRoute]] | None:
        if self.away:
            raise Unavailable("store_unreachable", "away")
        return None if known == self.version else (self.version, self.routes)


class Host:
    """A host's edge workers with one budget, at a time of the test's choosing."""

    def __init__(self, workers: int = 1, learned: Learned | None = None, **sampling: float) -> None:
        self.now_s = 1000.0
        self.wanted = AppSampling()
        self.books = [
            RateBook(
                replace(Sampling(), **sampling),
                per_minute=BUDGET,
                workers=workers,
                policy_of=lambda _: AppPolicy(1, Policy(), self.wanted),
                routes=learned or Learned(),
                clock=lambda: self.now_s,
            )
            for _ in range(workers)
        ]


class Traffic:
    """Spans of some routes, much of a few and little of many, and what a host keeps of them by seeded dice."""

    def __init__(self, host: Host, *, seed: int = 1, errors: Profile = lambda _: 0.01, trace: int = 1) -> None:
        self.host, self.errors, self.trace = host, errors, trace
        self.dice = np.random.default_rng(seed)
        shares = self.dice.pareto(1.0, 40) + 0.05
        self.shares = shares / shares.sum()
        self.classes = self.dice.integers(0, len(DeviceClass), 40).astype(np.uint8)
        self.routes = [f"GET api/{number}" for number in range(40)]
        self.estimated = 0.0
        """What the kept spans stand for."""

    def run(self, rate: Profile, seconds: float) -> tuple["np.ndarray[Any, Any]", "np.ndarray[Any, Any]"]:
        """Spans that came and spans that were kept, in every step; `rate` in budgets."""
        steps = round(seconds / STEP_S)
        came, kept = np.zeros(steps), np.zeros(steps)
        for step in range(steps):
            self.host.now_s += STEP_S
            at_s = step * STEP_S
            for book in self.host.books:
                expected = rate(at_s) * BUDGET / 60 * STEP_S / len(self.host.books) * self.shares
                spans = self.dice.poisson(expected / self.trace) * self.trace
                failed = self.dice.binomial(spans, self.errors(at_s))
                kept[step] += self.send(book, spans - failed, failed)
                came[step] += spans.sum()
        return came, kept

    def send(self, book: RateBook, ordinary: Any, failed: Any) -> int:
        """One micro-batch; returns how many of it are kept."""
        demand = demand_of(self.routes, ordinary, required=failed, classes=self.classes)
        asked = book.allot(demand)
        traces = self.dice.binomial(-(-ordinary // self.trace), probability(asked.ordinary))
        kept = np.minimum(traces * self.trace, ordinary), self.dice.binomial(failed, probability(asked.required))
        stored = kept[0] + kept[1]
        book.stored(demand, stored)
        self.estimated += float(kept[0] @ weight(asked.ordinary) + kept[1] @ weight(asked.required))
        return int(stored.sum())


def probability(thresholds: Any) -> Any:
    return (ALL - thresholds) / ALL


def demand_of(
    routes: Sequence[str],
    ordinary: Any,
    *,
    required: Any = 0,
    received: Any = None,
    classes: Any = DeviceClass.MID,
    origin: Origin = Origin.CLIENT,
) -> Demand:
    count = len(routes)

    def column(given: Any, kind: Any) -> Any:
        return np.broadcast_to(given, count).astype(kind)

    return Demand(
        app_id=column(1, np.int32),
        origin=column(origin, np.uint8),
        device_class=column(classes, np.uint8),
        routes=list(routes),
        ordinary=column(ordinary, np.int64),
        received=column(ordinary if received is None else received, np.int64),
        required=column(required, np.int64),
    )


def by_minute(counts: Any) -> Any:
    """The sum of every minute, whenever it begins."""
    return sliding_window_view(counts, MINUTE).sum(axis=1)


def between(before: float, during: float, from_s: float = 120, to_s: float = 300) -> Profile:
    return lambda at_s: during if from_s <= at_s < to_s else before


def ramp(at_s: float) -> float:
    """More than tenfold up within two minutes, and down again."""
    return 1.1 * 13 ** max(0.0, 1 - abs(at_s - 210) / 120)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize("rate", [between(1.2, 12), between(12, 1.2), ramp], ids=["up", "down", "ramp"])
def test_a_minute_of_kept_spans_is_within_a_fifth_of_the_budget_while_traffic_changes_tenfold(
    rate: Profile, workers: int
):
    came, kept = Traffic(Host(workers)).run(rate, 420)
    minutes = by_minute(kept) / BUDGET
    assert by_minute(came).max() > 9 * by_minute(came).min()
    assert 0.8 <= minutes.min() <= minutes.max() <= 1.2
    assert minutes.mean() == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_kept_stands_for_all_that_came_while_the_rates_change(seed: int):
    """Some 400,000 spans are kept: one standard error is 0.3 %."""
    traffic = Traffic(Host(2), seed=seed, errors=between(0.01, 0.5, 150, 200))
    came, _ = traffic.run(between(1.2, 12), 420)
    assert traffic.estimated == pytest.approx(came.sum(), rel=0.01)


@pytest.mark.parametrize("before", [0.0, 0.1, 0.5, 0.95])
def test_a_flood_after_quiet_minutes_stays_within_the_budget_and_quiet_ones_after_it_are_whole(before: float):
    came, kept = Traffic(Host(2)).run(between(before, 10), 420)
    assert by_minute(kept).max() <= 1.2 * BUDGET
    flooded = by_minute(kept[round(121 / STEP_S) : round(300 / STEP_S)])
    assert flooded.min() >= 0.8 * BUDGET
    after = slice(round(310 / STEP_S), None)
    assert kept[after].sum() >= 0.95 * came[after].sum()


@pytest.mark.parametrize("seed", range(3))
def test_whole_traces_and_small_budgets_stay_within_it_too(seed: int):
    host = Host(2)
    host.wanted = AppSampling(budget_per_minute=1200)
    scale = 1200 / BUDGET
    _, kept = Traffic(host, seed=seed, trace=5).run(lambda at_s: scale * between(2, 20)(at_s), 420)
    minutes = by_minute(kept) / 1200
    assert 0.8 <= minutes.min() <= minutes.max() <= 1.2


def test_below_its_budget_everything_of_an_app_is_kept():
    came, kept = Traffic(Host(2)).run(lambda _: 0.8, 300)
    assert kept.sum() >= 0.99 * came.sum()
    host = Host(2)
    assert Traffic(host).send(host.books[0], np.full(40, 100), np.zeros(40, np.int64)) == 4000


def test_errors_and_slow_ones_are_all_kept_while_they_fit():
    host = Host()
    traffic = Traffic(host, errors=lambda _: 0.08)
    traffic.run(lambda _: 8.0, 120)
    asked = host.books[0].allot(demand_of(["GET api/1"], 10, required=10))
    assert asked.required.tolist() == [0]
    assert 0 < probability(asked.ordinary)[0] < 0.2


def test_in_an_outage_errors_are_thinned_to_the_budget_and_ordinary_spans_keep_a_share():
    host = Host(2)
    traffic = Traffic(host, errors=between(0.01, 0.95))
    _, kept = traffic.run(lambda _: 10.0, 300)
    minutes = by_minute(kept) / BUDGET
    assert 0.8 <= minutes.min() <= minutes.max() <= 1.2
    asked = host.books[0].allot(demand_of(["GET api/1"], 10, required=10))
    assert 0 < probability(asked.required)[0] < 0.2
    assert probability(asked.ordinary)[0] > 0.02
    traffic.errors = lambda _: 0.01
    traffic.run(lambda _: 10.0, 30)
    assert host.books[0].allot(demand_of(["GET api/1"], 10, required=10)).required.tolist() == [0]


def test_a_rare_route_is_kept_beside_routes_that_take_the_budget():
    host = Host()
    book = host.books[0]
    for _ in range(480):
        host.now_s += STEP_S
        demand = demand_of(["GET busy"], 5000)
        book.stored(demand, np.round(5000 * probability(book.allot(demand).ordinary)).astype(np.int64))
    rare = book.allot(demand_of(["GET busy", "GET rare"], [5000, 1]))
    assert probability(rare.ordinary)[0] < 0.1
    assert probability(rare.ordinary)[1] == 1.0


def test_a_million_routes_from_one_key_take_neither_memory_nor_the_floor_of_real_ones():
    host = Host()
    book, dice = host.books[0], np.random.default_rng(1)
    made = kept = 0
    for step in range(1440):
        host.now_s += STEP_S
        real = demand_of(["GET busy", "GET rare"], [5000, int(step % 48 == 0)])
        asked = probability(book.allot(real).ordinary)
        stored = np.round(real.ordinary * asked).astype(np.int64)
        book.stored(real, stored)
        kept += int(stored.sum())
        if step > 120 and step % 48 == 0:
            assert asked[0] < 0.2
            assert asked[1] == 1.0
        if step >= 480:
            invented = demand_of([f"GET x/{number}" for number in range(made, made + 1050)], 1)
            made += 1050
            stored = (dice.random(1050) < probability(book.allot(invented).ordinary)).astype(np.int64)
            book.stored(invented, stored)
            kept += int(stored.sum())
    assert made > 1_000_000
    assert len(book._accounts[1, Origin.CLIENT]._rows) <= MOST_CELLS
    assert kept <= 1.1 * BUDGET * 1440 * STEP_S / 60


def test_a_key_that_invents_its_randomness_cannot_fill_the_store():
    host = Host()
    book = host.books[0]
    kept = np.zeros(960)
    for step in range(len(kept)):
        host.now_s += STEP_S
        demand = demand_of(["GET a"], 2500, required=100)
        # Every span claims the highest R there is: it passes any threshold but the one that nothing passes.
        asked = book.allot(demand)
        kept[step] = 2500 * (asked.ordinary[0] < ALL) + 100 * (asked.required[0] < ALL)
        book.stored(demand, np.array([kept[step]]))
    assert by_minute(kept)[MINUTE:].max() <= 1.2 * BUDGET


def test_the_share_of_a_device_class_stays_the_most_that_is_kept_of_it():
    host = Host(low=0.25, high=0.0)
    asked = host.books[0].allot(
        demand_of(["GET a"] * 3, 10, required=1, classes=[DeviceClass.LOW, DeviceClass.HIGH, DeviceClass.MID])
    )
    assert probability(asked.ordinary).tolist() == [0.25, 0.0, 1.0]
    assert asked.required.tolist() == [0, 0, 0]
    backend = host.books[0].allot(demand_of(["GET a"], 10, classes=DeviceClass.LOW, origin=Origin.BACKEND))
    assert probability(backend.ordinary).tolist() == [1.0]


def test_what_backends_send_takes_nothing_of_what_clients_may_have_stored():
    host = Host()
    book = host.books[0]
    for _ in range(480):
        host.now_s += STEP_S
        demand = demand_of(["GET a"], 5000, origin=Origin.BACKEND)
        asked = probability(book.allot(demand).ordinary)
        book.stored(demand, np.round(5000 * asked).astype(np.int64))
    assert asked[0] == pytest.approx(0.05, rel=0.2)
    assert book.allot(demand_of(["GET a"], 100)).ordinary.tolist() == [0]


def test_a_budget_that_changes_is_kept_from_then_on():
    host = Host(2)
    traffic = Traffic(host)
    traffic.run(lambda _: 3.0, 120)
    host.wanted = AppSampling(budget_per_minute=BUDGET // 4)
    traffic.run(lambda _: 3.0, 60)
    _, kept = traffic.run(lambda _: 3.0, 120)
    minutes = by_minute(kept) / (BUDGET // 4)
    assert 0.8 <= minutes.min() <= minutes.max() <= 1.2


def test_spans_of_clients_that_sample_themselves_count_with_those_they_left_out():
    """A client that sends one of a hundred and one that sends all: the same share of both is kept."""
    host = Host()
    book = host.books[0]
    for _ in range(720):
        host.now_s += STEP_S
        demand = demand_of(["GET all", "GET some"], [2500, 2500], received=[2500, 25])
        asked = probability(book.allot(demand).ordinary)
        book.stored(demand, np.array([round(2500 * asked[0]), min(25, round(2500 * asked[1]))]))
    assert asked[0] == asked[1]
    # The budget is 250 a step; what was not sent cannot be kept, so the other route gets what is left of it.
    assert 2500 * asked[0] == pytest.approx(225, rel=0.1)


async def test_a_route_is_slow_from_what_was_learned_else_from_the_setting():
    learned = Learned(SlowRoute(1, "GET a", 250_000, 9), SlowRoute(2, "GET b", 9_000_000, 9))
    host = Host(learned=learned)
    book = host.books[0]
    apps, routes = np.array([1, 1, 2], np.int32), ["GET a", "GET b", "GET b"]
    assert book.slow_us(apps, routes).tolist() == [3_000_000] * 3
    await book.refresh()
    assert book.slow_us(apps, routes).tolist() == [250_000, 3_000_000, 9_000_000]
    learned.away, learned.version, learned.routes = True, 2, ()
    await book.refresh()
    assert book.slow_us(apps, routes).tolist() == [250_000, 3_000_000, 9_000_000]
    learned.away = False
    await book.refresh()
    assert book.slow_us(apps, routes).tolist() == [3_000_000] * 3


async def test_clients_are_told_the_rates_in_force_and_nothing_of_routes_that_few_sessions_were_seen_on():
    learned = Learned(SlowRoute(1, "GET busy", 250_000, 99), SlowRoute(1, "GET rare", 400_000, 5))
    learned.routes += (SlowRoute(1, "GET secret", 500_000, 4),)
    host = Host(learned=learned, high=0.02)
    book = host.books[0]
    await book.refresh()
    assert book.published(1, DeviceClass.MID).threshold == 0
    for step in range(720):
        host.now_s += STEP_S
        demand = demand_of(["GET busy", "GET rare", "GET secret"], [5000, int(step % 80 == 0), int(step % 80 == 0)])
        asked = book.allot(demand)
        book.stored(demand, np.round(demand.ordinary * probability(asked.ordinary)).astype(np.int64))
    told = book.published(1, DeviceClass.MID)
    assert told.threshold == 0, "routes that are not named are rare: the edge wants to see them all"
    assert list(told.exceptions) == ["GET busy"]
    assert probability(told.exceptions["GET busy"]) == pytest.approx(probability(asked.ordinary)[0], rel=0.1)
    assert told.slow_us == {"GET busy": 250_000, "GET rare": 400_000}
    assert told.default_slow_us == 3_000_000
    assert probability(book.published(1, DeviceClass.HIGH).threshold) == pytest.approx(0.02)
