"""Asks the store what a rule needs to know, all at one go."""

import asyncio
from dataclasses import replace

from ingest.alerts import ask
from ingest.alerts.ask import Grid
from ingest.alerts.verdicts import Evidence
from ingest.model import Signal
from ingest.ports import Measurer, Question, Rule, Series


async def gather(measurer: Measurer, rule: Rule, asked: Question, baseline: Series | None = None) -> Evidence:
    """What was measured for the windows of a question.

    Args:
        baseline: of other days, if the rule compares with them.
    """
    probability = ask.probability(rule)
    if not ask.counts_reports(rule):
        return Evidence(await measurer.series(asked, probability), baseline=baseline)
    series, reports = await asyncio.gather(
        measurer.series(asked, probability), measurer.series(replace(asked, signal=Signal.REPORT), probability)
    )
    return Evidence(series, reports, baseline)


async def ask_alone(measurer: Measurer, asked: Question, evidence: Evidence) -> Evidence:
    """The same, with each missing window of all an app's traffic asked about for itself.

    Side by side, a window of too few sessions takes others with it that would give it away, however large they are.
    Alone, one that is not shown is of too few sessions: as good as none, where traffic is what is asked about.
    """
    known = dict(evidence.series.points.get((), {}))
    windows = range(asked.from_us, asked.to_us, asked.step_us)
    for start in [start for start in windows if start not in known]:
        alone = replace(asked, from_us=start, to_us=start + asked.step_us)
        known |= (await measurer.series(alone, 0.5)).points.get((), {})
    return replace(evidence, series=replace(evidence.series, points={(): known}, withheld=False))


async def gather_baseline(measurer: Measurer, rule: Rule, asked: Question) -> Series:
    """The hours of other days for the windows of a question."""
    grid = ask.baseline_grid(Grid(asked.from_us, asked.to_us, asked.step_us))
    hourly = replace(asked, from_us=grid.from_us, to_us=grid.to_us, step_us=grid.width_us)
    return await measurer.series(hourly, ask.probability(rule))
