"""Rollups of a busy app without its spans: who sent how much when, and sketches drawn beforehand.

Fifty million spans and their seven views take an hour to sketch. How long a question takes depends on how many rows and
bins it meets, not on which: so sketches of every size are drawn once, from log-normal times, and each row of the world
takes one of about its own number of spans, moved to its series' typical time. Counts are drawn for every series and
window by the traffic's own proportions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ingest import sessions, sketch
from ingest.model import DIMENSIONS, F64, I64, METRICS, VIEWS, Phase, Signal
from ingest.ports import Rollups, SeriesRow

APP_ID = 1
DAYS = 30
SPANS = 56_000_000
"""Drawn; rounding to the sizes of templates leaves about 51 million."""
MINUTE_US, HOUR_US, DAY_US = 60_000_000, 3_600_000_000, 86_400_000_000
SPANS_OF_A_SESSION = 6
_VALUES = {"route": 2000, "version": 50, "country": 60, "device_class": 4, "network": 5, "os": 8}
_STEEPNESS = {"route": 0.9, "country": 1.1, "device_class": 0.6, "network": 1.0, "os": 1.0}
"""Zipf's exponent."""
_MOST_DRAWN = 60_000
"""Spans of all templates of one size."""
_TEMPLATES = 32
"""Of one size."""


def _zipf(count: int, steepness: float) -> F64:
    shares = np.arange(1, count + 1) ** -steepness
    return np.asarray(shares / shares.sum(), np.float64)


def _versions(day: float) -> F64:
    """Shares of the versions on a day: one is released every 14 hours, and has lost half of its users in two days."""
    age = day + 5.0 - np.arange(_VALUES["version"]) * (DAYS / _VALUES["version"])
    weight = np.where(age > 0, np.minimum(age / 1.5, 1.0) * np.exp(-np.maximum(age - 1.5, 0) / 2.5), 0.0)
    weight[weight < weight.max() * 1e-3] = 0
    return np.asarray(weight / weight.sum(), np.float64)


@dataclass(frozen=True, slots=True)
class _Templates:
    """Rollup rows of every size, to be used again and again."""

    size: I64
    """(t,) spans, ascending."""
    first: I64
    """(s,) first template of each size that occurs."""
    steps: I64
    """(s,) these sizes."""
    errors: I64
    reused: I64
    """(8, t), as `unknown`."""
    unknown: I64
    sizes: I64
    """(t, 9) bins of each sketch."""
    starts: I64
    """(t, 9) first of these in `bins`."""
    bins: npt.NDArray[np.void]
    sessions: Sequence[bytes]

    @classmethod
    def draw(cls, rng: np.random.Generator) -> "_Templates":
        """From one span to 120,000, each size a fifth larger than the one before."""
        steps = np.unique(np.rint(1.2 ** np.arange(0, 65)).astype(np.int64))
        repeats = np.clip(_MOST_DRAWN // steps, 2, _TEMPLATES)
        size = np.repeat(steps, repeats)
        owner = np.repeat(np.arange(len(size)), size)
        values = [np.exp(rng.normal(12.1, 0.9, len(owner))), *(_phase(rng, phase, len(owner)) for phase in Phase)]
        parts, sizes = [], np.zeros((len(size), len(METRICS)), np.int64)
        for metric, of_metric in enumerate(values):
            buckets = sketch.bucket(of_metric.astype(np.int64))
            measured = buckets >= 0
            keys, counts = np.unique(
                owner[measured] * sketch.BUCKET_LIMIT + buckets[measured].astype(np.int64), return_counts=True
            )
            sizes[:, metric] = np.bincount(keys // sketch.BUCKET_LIMIT, minlength=len(size))
            bins = np.empty(len(keys), sketch.Bins)
            bins["bucket"], bins["count"] = keys % sketch.BUCKET_LIMIT, counts
            parts.append(bins)
        before = np.concatenate([[0], np.cumsum([len(part) for part in parts])[:-1]])
        marks = [
            np.stack([np.bincount(owner, weights=of_phase == mark, minlength=len(size)) for of_phase in values[1:]])
            for mark in (sketch.REUSED, sketch.UNKNOWN)
        ]
        visited = rng.integers(1, 1 << 62, len(owner))[np.arange(len(owner)) // SPANS_OF_A_SESSION]
        return cls(
            size=size,
            first=np.searchsorted(size, steps),
            steps=steps,
            errors=rng.binomial(size, 0.03),
            reused=marks[0].astype(np.int64),
            unknown=marks[1].astype(np.int64),
            sizes=sizes,
            starts=np.cumsum(sizes, axis=0) - sizes + before,
            bins=np.concatenate(parts),
            sessions=sessions.sketches(owner, visited, len(size)),
        )

    def choose(self, rng: np.random.Generator, counts: I64) -> I64:
        """(n,) a template of about so many spans for each."""
        size = np.clip(np.searchsorted(self.steps, counts, side="right") - 1, 0, len(self.steps) - 1)
        ends = np.append(self.first[1:], len(self.size))
        return np.asarray(rng.integers(self.first[size], ends[size]), np.int64)


def _phase(rng: np.random.Generator, phase: Phase, count: int) -> F64:
    values = np.exp(rng.normal(9.2, 1.1, count))
    dice = rng.random(count)
    rare = phase is Phase.REDIRECT
    pooled = phase in (Phase.DNS, Phase.TCP, Phase.TLS)
    values[dice < (0.98 if rare else 0.7 if pooled else 0.0)] = sketch.REUSED
    values[dice < (0.9 if rare else 0.1)] = sketch.REUSED if rare else sketch.UNKNOWN
    return values


@dataclass(frozen=True)
class World:
    """An app with 2,000 routes in the last 30 days before a moment."""

    now_us: int
    seed: int = 1

    @cached_property
    def templates(self) -> _Templates:
        """Drawn at the first use."""
        return _Templates.draw(np.random.default_rng(self.seed))

    @cached_property
    def series_ids(self) -> dict[str, I64]:
        """By view, one id for each combination of values, the last dimension changing fastest."""
        rng = np.random.default_rng(self.seed + 1)
        counts = {view: int(np.prod([_VALUES[name] for name in names])) for view, names in VIEWS.items()}
        return {view: rng.integers(-(1 << 62), 1 << 62, count) for view, count in counts.items()}

    def rows(self, view: str, places: I64) -> list[SeriesRow]:
        """The series at these places of the view's ids."""
        names = VIEWS[view]
        codes = np.unravel_index(places, [_VALUES[name] for name in names] or [1])
        columns = {name: of_name.tolist() for name, of_name in zip(names, codes, strict=False)}
        return [
            SeriesRow(
                APP_ID,
                series_id,
                view,
                Signal.REQUEST,
                tuple(_name(name, columns[name][row]) if name in columns else None for name in DIMENSIONS),
            )
            for row, series_id in enumerate(self.series_ids[view][places].tolist())
        ]

    def rollups(self, views: Sequence[str], windows: I64, width_us: int, until_us: int) -> Rollups:
        """What these views hold in windows of this width, series by series.

        Args:
            until_us: end of what the last window holds, when it is not full.
        """
        found: list[tuple[I64, I64, I64, I64]] = []
        for window in windows.tolist():
            start_us = window * width_us
            end_us = min(start_us + width_us, until_us)
            rng = np.random.default_rng([self.seed, width_us, window])
            spans = rng.poisson(SPANS * (end_us - start_us) / (DAYS * DAY_US) * _busy(start_us))
            for view in views:
                ids, counts, shifts = self._counts(rng, view, spans, start_us)
                found.append((ids, counts, shifts, np.full(len(ids), window)))
        ids, counts, shifts, of_window = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.lexsort((of_window, ids))
        rng = np.random.default_rng([self.seed, width_us, int(windows[0])])
        chosen = self.templates.choose(rng, counts[order])
        return _of_templates(self.templates, chosen, ids[order], of_window[order], shifts[order])

    def _counts(self, rng: np.random.Generator, view: str, spans: int, at_us: int) -> tuple[I64, I64, I64]:
        """Ids of the series that have spans, how many, and by how many buckets their times are off the usual."""
        day = (at_us - self.now_us) / DAY_US + DAYS
        shares = np.ones(1)
        for name in VIEWS[view]:
            of_name = _versions(day) if name == "version" else _zipf(_VALUES[name], _STEEPNESS[name])
            shares = np.outer(shares, of_name).ravel()
        counts = rng.multinomial(spans, shares / shares.sum())
        places = np.flatnonzero(counts)
        ids = self.series_ids[view][places]
        return ids, counts[places], ids % 120 - 40


def _busy(at_us: int) -> float:
    return 1.0 + 0.5 * float(np.sin(2 * np.pi * at_us / DAY_US))


def _name(dimension: str, code: int) -> str:
    if dimension == "route":
        return f"GET api.shop.example/things/{code}/{{id}}"
    return f"{5 + code // 10}.{code % 10}.0" if dimension == "version" else f"{dimension} {code}"


def _of_templates(templates: _Templates, chosen: I64, ids: I64, windows: I64, shifts: I64) -> Rollups:
    sizes, starts = templates.sizes[chosen], templates.starts[chosen]
    flat = sizes.ravel()
    ends = np.cumsum(flat)
    bins = templates.bins[np.repeat(starts.ravel() - ends + flat, flat) + np.arange(int(flat.sum()))]
    bins["bucket"] = np.maximum(bins["bucket"] + np.repeat(shifts, sizes.sum(axis=1)), 0)
    return Rollups(
        app_id=np.full(len(chosen), APP_ID, np.int32),
        series_id=ids,
        window=windows,
        spans=templates.size[chosen],
        errors=templates.errors[chosen],
        reused=templates.reused[:, chosen],
        unknown=templates.unknown[:, chosen],
        sizes=sizes,
        bins=bins,
        sessions=[templates.sessions[template] for template in chosen.tolist()],
    )
