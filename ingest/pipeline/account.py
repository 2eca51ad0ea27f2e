"""One app's account at one edge worker: what it may store, what it stored, and how much comes of each kind.

Counts fade with a time constant of a minute, so a count is about what the last minute brought. Totals are also
counted with one of `FAST_S`: where the two differ, traffic is changing. Which is believed depends on the account: who
has stored too much takes the larger demand for true, who has stored too little the smaller. What was stored beyond the
budget is repaid, and what was left of it is spent, within seconds: the sum over any minute stays near the budget.

No clock: every call is told the time.
"""

import math
from collections.abc import Callable, Sequence

import numpy as np

from ingest.model import F64, I64, U8, DeviceClass
from ingest.pipeline.budgets import Cells, Water

MINUTE_S = 60.0
FAST_S = 3.0
"""Short enough to see a tenfold change before the account is off by a tenth of a minute's budget."""
SAVED_S = 5.0
"""So many seconds' budget may be saved up by storing less."""
DEBT_S = 6.0
"""As many seconds' budget too much lower the rates as far as they go."""
DOUBT_S = 1.0
"""So many seconds' budget above or below zero decide which demand is believed; in between it is one between them."""
LEAST_PACE, MOST_PACE = 0.1, 3.0
"""Of the budget: what may be stored while the account is far below zero, or full."""
STOP_S = 20.0
"""At a debt of so many seconds' budget nothing is stored: rates do not reach who makes up the randomness."""
UNHURRIED = 0.15
"""While a minute brings less than this share of its budget nothing is left out, however fast it comes."""
ORDINARY = 0.1
"""Share of the budget that ordinary spans keep when errors and slow ones alone would use it up."""
PLAN_S = 0.25
"""How long a distribution of the budget over the cells is used."""
MOST_CELLS = 2000
"""Kinds of spans of one app that are told apart; all others of a device class share one cell."""
PRUNE_S = 10.0
"""Room among them is made no more often. In how many such periods a kind came says how steady it is."""
STEADY_S = 1800.0
_REBASE = 1e9


class Faded:
    """Numbers that fade with time: added to at one moment, worth a share of it later.

    Kept multiplied by e^(t / τ), so that nothing has to be done to those that nobody adds to.
    """

    def __init__(self, size: int, fades_s: float, now_s: float) -> None:
        self.numbers: F64 = np.zeros(size)
        self._fades_s, self._since_s, self._scale = fades_s, now_s, 1.0

    def pass_to(self, now_s: float) -> None:
        """Lets time go by."""
        self._scale = math.exp(min((now_s - self._since_s) / self._fades_s, 700.0))
        if self._scale > _REBASE:
            self.numbers /= self._scale
            self._since_s, self._scale = now_s, 1.0

    def add(self, rows: I64, amounts: F64) -> None:
        """Adds to some; a row may come more than once."""
        np.add.at(self.numbers, rows, amounts * self._scale)

    def worth(self, rows: I64 | slice = slice(None)) -> F64:
        """What they are worth now."""
        worth: F64 = self.numbers[rows] / self._scale
        return worth

    def keep(self, rows: I64) -> None:
        """Only these rows, in this order, the others of no worth."""
        kept = np.zeros_like(self.numbers)
        kept[: len(rows)] = self.numbers[rows]
        self.numbers = kept


class Account:
    """See the module.

    Args:
        ceilings: (4,) most that may be kept by `DeviceClass`, as probabilities.
    """

    def __init__(self, ceilings: F64, now_s: float) -> None:
        self._ceilings = ceilings
        classes = len(DeviceClass)
        self._names: list[tuple[int, str]] = [(number, "") for number in range(classes)]
        self._rows: dict[tuple[int, str], int] = {}
        self._classes: U8 = np.zeros(MOST_CELLS + classes, np.uint8)
        self._classes[:classes] = range(classes)
        self._population = Faded(len(self._classes), MINUTE_S, now_s)
        self._received = Faded(len(self._classes), MINUTE_S, now_s)
        self._steady, self._period = Faded(len(self._classes), STEADY_S, now_s), np.zeros(len(self._classes), np.int64)
        self._totals, self._fast = Faded(2, MINUTE_S, now_s), Faded(2, FAST_S, now_s)
        self._now_s, self._pruned_s, self._planned_s = now_s, now_s, float("-inf")
        self._saved = 0.0
        self._water: Water | None = None

    def ask(
        self,
        now_s: float,
        budget: float,
        floor: float,
        kinds: tuple[U8, Sequence[str]],
        counts: tuple[I64, I64, I64],
    ) -> tuple[F64, float]:
        """Probabilities for spans that have just come: (k,) of ordinary ones by kind, and that of all others.

        Args:
            budget: spans a minute.
            floor: spans a minute of every kind.
            kinds: (k,) device class and route of each.
            counts: (k,) ordinary spans with what clients left out, as received, and spans of the other strata.
        """
        ordinary, received, required = counts
        self._pass_to(now_s, budget)
        rows = self._rows_of(*kinds, ordinary)
        self._population.add(rows, ordinary.astype(np.float64))
        self._received.add(rows, received.astype(np.float64))
        totals = np.array([ordinary.sum(), required.sum()], np.float64)
        self._totals.add(_BOTH, totals)
        self._fast.add(_BOTH, totals)
        ceilings = self._ceilings[kinds[0]]
        if float(self._received.worth().sum() + self._totals.worth()[1]) <= UNHURRIED * budget:
            return ceilings, 1.0
        water = self._water
        if water is None or now_s - self._planned_s >= PLAN_S:
            water = self._plan(now_s, budget, floor)
        population = np.maximum(self._population.worth(rows), 1e-9)
        demand = self._demand(budget / MINUTE_S)

        def rates(pace: float) -> tuple[F64, float]:
            return _rates(water, pace * budget, budget, demand, (ceilings, population))

        def costs(pace: float) -> float:
            ordinarily, otherwise = rates(pace)
            return float(np.minimum(received, ordinarily * ordinary).sum() + otherwise * required.sum())

        return rates(self._pace(budget, costs))

    def stored(self, spans: float) -> None:
        """So many have been stored."""
        self._saved -= spans

    def rate(self, now_s: float, budget: float, floor: float) -> tuple[float, float]:
        """λ at this budget, and the floor; 1 while everything is kept."""
        self._pass_to(now_s, budget)
        if float(self._received.worth().sum() + self._totals.worth()[1]) <= UNHURRIED * budget:
            return 1.0, floor
        water = self._plan(now_s, budget, floor)
        ratios = self._demand(budget / MINUTE_S)
        room = max(ORDINARY * budget, budget - float(ratios[1]))
        return water.rate(room / float(ratios[0]))[0], water.floor

    def busiest(self, device_class: int) -> Sequence[tuple[str, float]]:
        """Routes of a device class by what a minute brings of them, most first."""
        worth = self._population.worth()
        found = [(route, float(worth[row])) for (of, route), row in self._rows.items() if of == device_class and route]
        return sorted(found, key=lambda each: (-each[1], each[0]))

    def _pass_to(self, now_s: float, budget: float) -> None:
        now_s = max(now_s, self._now_s)
        second = budget / MINUTE_S
        self._saved = min(self._saved + (now_s - self._now_s) * second, SAVED_S * second)
        self._saved = max(self._saved, -budget)
        self._now_s = now_s
        for faded in (self._population, self._received, self._steady, self._totals, self._fast):
            faded.pass_to(now_s)

    def _rows_of(self, classes: U8, routes: Sequence[str], spans: I64) -> I64:
        names = list(zip(classes.tolist(), routes, strict=True))
        missing = [name for name, some in zip(names, spans.tolist(), strict=True) if some and name not in self._rows]
        if missing and len(self._rows) + len(missing) > MOST_CELLS and self._now_s - self._pruned_s >= PRUNE_S:
            self._prune()
        for name in missing[: MOST_CELLS - len(self._rows)]:
            row = len(self._names)
            self._rows[name] = row
            self._names.append(name)
            self._classes[row] = name[0]
        rows = np.array([self._rows.get(name, name[0]) for name in names], np.int64)
        period = int(self._now_s / PRUNE_S)
        if len(new := rows[self._period[rows] != period]):
            again = np.unique(new)
            self._period[again] = period
            self._steady.add(again, np.ones(len(again)))
        return rows

    def _prune(self) -> None:
        """Makes room for a quarter by forgetting the least steady kinds: what is invented comes once."""
        shared = len(DeviceClass)
        used = slice(shared, len(self._names))
        order = np.lexsort([self._population.worth(used), self._steady.worth(used)])
        rows = np.concatenate([np.arange(shared), np.sort(order[-(MOST_CELLS * 3 // 4) :]) + shared])
        for faded in (self._population, self._received, self._steady):
            faded.keep(rows)
        self._period[: len(rows)] = self._period[rows]
        self._names = [self._names[row] for row in rows.tolist()]
        self._rows = {name: row for row, name in enumerate(self._names) if row >= shared}
        self._classes[: len(rows)] = self._classes[rows]
        self._pruned_s, self._water = self._now_s, None

    def _plan(self, now_s: float, budget: float, floor: float) -> Water:
        used = slice(0, len(self._names))
        cells = Cells(self._population.worth(used), self._received.worth(used), self._ceilings[self._classes[used]])
        self._planned_s = now_s
        self._water = Water.fill(cells, floor, budget)
        return self._water

    def _demand(self, second: float) -> F64:
        """How much faster than in the last minute ordinary spans come now, and how many others by the minute."""
        slow = np.maximum(self._totals.worth(), 1e-9)
        fast = np.maximum(self._fast.worth() * (MINUTE_S / FAST_S), 1e-9)
        doubt = min(max(0.5 - self._saved / (2.0 * DOUBT_S * second), 0.0), 1.0)
        demand = np.minimum(slow, fast) ** (1.0 - doubt) * np.maximum(slow, fast) ** doubt
        return np.array([max(demand[0] / slow[0], 1e-6), demand[1]])

    def _pace(self, budget: float, costs: Callable[[float], float]) -> float:
        """What may be stored now, in budgets: the one that the account would still allow after it was stored."""
        second = budget / MINUTE_S

        def allowed(saved: float) -> float:
            if saved < -STOP_S * second:
                return 0.0
            pace = 1.0 + saved / second * ((MOST_PACE - 1.0) / SAVED_S if saved > 0 else 1.0 / DEBT_S)
            return max(LEAST_PACE, pace)

        high = allowed(self._saved)
        if costs(high) <= 0.02 * DEBT_S * second:
            return high
        low = min(LEAST_PACE, high)
        for _ in range(8):
            middle = (low + high) / 2
            if allowed(self._saved - costs(middle)) >= middle:
                low = middle
            else:
                high = middle
        return low


_BOTH = np.arange(2)


def _rates(water: Water, target: float, budget: float, demand: F64, kinds: tuple[F64, F64]) -> tuple[F64, float]:
    """Probabilities by which about `target` spans a minute are stored; errors and slow ones first, all that fit."""
    ceilings, population = kinds
    faster, others = demand.tolist()
    fit = target > 0 and others <= (1.0 - ORDINARY) * budget
    otherwise = 1.0 if fit else min((1.0 - ORDINARY) * target / max(others, 1e-9), 1.0)
    room = max(ORDINARY * target, target - otherwise * others)
    rate, lowered = water.rate(room / faster)
    return np.minimum(ceilings, np.maximum(rate, water.floor / population)) * lowered, otherwise
