"""What may be kept of many kinds of spans within one budget: floors first, then one rate for all (water-filling).

A cell (a device class and a route) of which a minute brings `population` spans, `received` of them over the wire, is
kept at p = min(ceiling, max(λ, floor / population)). All of it together, Σ min(received, p · population), rises with
λ and is linear between corners, so the λ that uses a budget up is found by looking between two corners.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import F64

FLOORS = 0.5
"""Share of the budget that floors may take: when they would take more, all are lowered to one height."""


@dataclass(frozen=True, slots=True)
class Cells:
    """One row per device class and route, spans by the minute."""

    population: F64
    """With those that clients left out."""
    received: F64
    ceiling: F64
    """Most that may be kept, as a probability."""


@dataclass(frozen=True, slots=True)
class Water:
    """λ for every budget, for the cells it was made from."""

    floor: float
    """Spans a minute of every cell, as lowered."""
    _rates: F64
    """λ at the corners, ascending."""
    _kept: F64
    """Spans a minute kept there."""

    @classmethod
    def fill(cls, cells: Cells, floor: float, budget: float) -> "Water":
        """Args:
        floor: spans a minute of every cell that are kept whatever λ, while the budget has room.
        budget: spans a minute that floors are measured by.
        """
        population = np.maximum(cells.population, 1e-9)
        most = np.minimum(cells.ceiling, cells.received / population)
        lowered = min(floor, _level(most * population, FLOORS * budget))
        least = np.minimum(lowered / population, most)
        corners = np.concatenate([least, most])
        slopes = np.concatenate([population, -population])
        order = np.argsort(corners, kind="stable")
        rates = np.concatenate([[0.0], corners[order]])
        slope = np.concatenate([[0.0], np.cumsum(slopes[order])])
        kept = float((least * population).sum()) + np.cumsum(np.diff(rates, prepend=0.0) * np.roll(slope, 1))
        return cls(lowered, rates, np.maximum.accumulate(kept))

    def rate(self, budget: float) -> tuple[float, float]:
        """λ, and what all probabilities are to be multiplied by: below 1 when the floors alone exceed the budget."""
        if budget >= self._kept[-1]:
            return 1.0, 1.0
        if budget < self._kept[0]:
            return 0.0, max(budget, 0.0) / float(self._kept[0])
        return float(np.interp(budget, self._kept, self._rates)), 1.0


def _level(heights: F64, volume: float) -> float:
    """The height at which Σ min(height, heights) is the volume; infinity where all of them hold less."""
    ascending = np.sort(heights)
    below = np.concatenate([[0.0], np.cumsum(ascending)[:-1]])
    levels = (volume - below) / np.arange(len(ascending), 0, -1)
    reached = np.flatnonzero(levels <= ascending)
    return max(float(levels[reached[0]]), 0.0) if len(reached) else np.inf
