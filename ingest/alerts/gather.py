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


async def gather_baseline(measurer: Measurer, rule: Rule, asked: Question) -> Series:
    """The hours of other days for the windows of a question."""
    grid = ask.baseline_grid(Grid(asked.from_us, asked.to_us, asked.step_us))
    hourly = replace(asked, from_us=grid.from_us, to_us=grid.to_us, step_us=grid.width_us)
    return await measurer.series(hourly, ask.probability(rule))
