"""Figures as plain numbers for whoever in this process asks by code: `ingest.ports.series` over the store's reader."""

import asyncio
from collections.abc import Sequence

import numpy as np

from ingest.ports import Point, Question, Reader, Series, TraceSearch
from ingest.query.figures import Figures, Tally, covering, measure


class FigureSeries:
    """Implements `ingest.ports.Measurer`."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def series(self, question: Question, probability: float) -> Series:
        """The figures, quantiles at this probability."""
        figures = await measure(self._reader, question)
        return await asyncio.to_thread(_plain, figures, probability)

    async def examples(self, search: TraceSearch) -> Sequence[str]:
        """Ids of traces that pass, the slowest of the newest first."""
        traces, _ = await self._reader.traces(search, covering(search.filters))
        return [trace["trace_id"].hex() for trace in sorted(traces, key=lambda trace: -trace["duration_us"])]


def _plain(figures: Figures, probability: float) -> Series:
    found: dict[tuple[str, ...], dict[int, Point]] = {tuple(group.values()): {} for group in figures.groups}
    if figures.points is not None:
        groups = list(found.values())
        rows = _points(figures.points, probability)
        for group, at_us, point in zip(figures.point_group.tolist(), figures.point_at_us.tolist(), rows, strict=True):
            groups[group][at_us] = point
    withheld = figures.suppressed.groups + figures.suppressed.points > 0
    return Series(figures.step_us, found, withheld)


def _points(tally: Tally, probability: float) -> list[Point]:
    metrics = range(len(tally.distributions))
    quantiles = [
        tally.distributions[metric].quantiles([probability])[0]
        if tally.estimate is None
        else tally.estimate.quantiles(metric, [probability])[0, :, 0]
        for metric in metrics
    ]
    by_metric = (
        tally.measured,
        tally.reused,
        tally.unknown,
        [distribution.excess_us(0.0) for distribution in tally.distributions],
        quantiles,
    )
    columns = [list(zip(*map(np.ndarray.tolist, rows), strict=True)) or [()] * len(tally.spans) for rows in by_metric]
    return [Point(*row) for row in zip(tally.spans.tolist(), tally.errors.tolist(), *columns, strict=True)]
