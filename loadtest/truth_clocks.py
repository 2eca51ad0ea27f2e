"""What the store says of when spans began, against the truth; and what the usual ways to correct clocks would say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.model import ClockQuality
from loadtest.truth_store import Stored
from loadtest.truth_world import Truth, World

SECOND, MINUTE, DAY = 1_000_000, 60_000_000, 86_400_000_000
BOUNDED = (ClockQuality.A, ClockQuality.B, ClockQuality.C)
"""Grades that promise their interval."""
LEAST_HELD = 0.999
"""Of the spans of these grades, in how many the interval must hold the truth."""
LARGEST_P99_US = 1 * SECOND
"""Error of these grades together at the 99th percentile."""
SENTRY_DRIFT_US = 55 * MINUTE

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Row:
    """One way of saying when spans began, over some of them."""

    name: str
    spans: int
    share: float
    held: float | None
    """Share of spans whose interval holds the truth; None where no interval is given."""
    width_us: float | None
    """Median half-width of the interval."""
    p50_us: float
    p99_us: float
    max_us: float
    over_a_minute: float


def match(truth: Truth, stored: Stored) -> npt.NDArray[np.intp]:
    """The row of the truth that each stored span is.

    Raises:
        ValueError: a stored span was never made, or one is stored twice.
    """
    order = np.argsort(truth.span_id)
    found = order[np.searchsorted(truth.span_id, stored.span_id, sorter=order).clip(max=len(order) - 1)]
    if (truth.span_id[found] != stored.span_id).any() or len(np.unique(found)) != len(found):
        raise ValueError("the store holds a span that was never made, or one twice")
    return found


def by_grade(truth: Truth, stored: Stored) -> list[Row]:
    """A row for A to C together, and one for every grade that occurs."""
    start_at_us = truth.start_at_us[match(truth, stored)]
    error = np.abs(stored.start_at_us - start_at_us)
    groups: list[tuple[str, Sequence[ClockQuality]]] = [("A to C", BOUNDED)]
    groups += [(quality.name, (quality,)) for quality in ClockQuality]
    rows = []
    for name, grades in groups:
        chosen = np.isin(stored.quality, grades)
        if chosen.any():
            rows.append(_row(name, error[chosen], len(error), stored.err_us[chosen]))
    return rows


def usual_ways(world: World, stored: Stored) -> list[Row]:
    """The same spans as others would date them, from the same wall clocks and receipts."""
    truth = world.truth
    rows = match(truth, stored)
    start_at_us, wall_us, batch = truth.start_at_us[rows], truth.wall_us[rows], truth.batch[rows]
    received_us, sent_wall_us = world.received_at_us[batch], world.sent_wall_us[batch]
    drift_us = received_us - sent_wall_us
    sentry_us = np.where(np.abs(drift_us) >= SENTRY_DRIFT_US, wall_us + drift_us, wall_us)
    impossible = (sentry_us > received_us + MINUTE) | (sentry_us < received_us - 30 * DAY)
    said = {
        "wall clock as it is": wall_us,
        "Sentry: shifted from 55 min on": np.where(impossible, received_us, sentry_us),
        "Snowplow: shifted always": wall_us + drift_us,
        "time of receipt": received_us,
    }
    return [_row(name, np.abs(each - start_at_us), len(rows), None) for name, each in said.items()]


def _row(name: str, error: I64, of: int, err_us: I64 | None) -> Row:
    p50, p99, largest = np.percentile(error, [50, 99, 100])
    bounded = err_us is not None and bool((err_us >= 0).all())
    return Row(
        name=name,
        spans=len(error),
        share=len(error) / of,
        held=float((error <= err_us).mean()) if err_us is not None and bounded else None,
        width_us=float(np.median(err_us)) if err_us is not None and bounded else None,
        p50_us=p50,
        p99_us=p99,
        max_us=largest,
        over_a_minute=float((error > MINUTE).mean()),
    )


def untouched(truth: Truth, stored: Stored) -> tuple[int, int]:
    """Spans of grades A to C for which all held that the protocol assumes, and in how many the interval is wrong."""
    rows = match(truth, stored)
    chosen = np.isin(stored.quality, BOUNDED) & ~truth.touched[rows]
    wrong = np.abs(stored.start_at_us - truth.start_at_us[rows]) > stored.err_us
    return int(chosen.sum()), int((chosen & wrong).sum())


def judge(rows: Sequence[Row]) -> list[str]:
    """What is promised and does not hold; empty when all does."""
    faults = []
    by_name: Mapping[str, Row] = {row.name: row for row in rows}
    for name in ("A to C", *(quality.name for quality in BOUNDED)):
        row = by_name.get(name)
        if row is None:
            faults.append(f"no span has grade {name}")
            continue
        if row.held is None or row.held < LEAST_HELD:
            faults.append(f"grade {name}: the interval holds the truth in {row.held or 0:.3%}, not in {LEAST_HELD:.1%}")
        if name == "A to C" and row.p99_us > LARGEST_P99_US:
            faults.append(f"grade {name}: p99 of the error is {row.p99_us / 1e6:.2f} s, more than 1 s")
    return faults


def table(rows: Sequence[Row]) -> list[str]:
    """The rows in Markdown."""
    lines = [
        "| start by | spans | share | interval holds | median ± | p50 error | p99 error | largest | over 60 s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in rows:
        held = "none given" if row.held is None else f"{row.held:.3%}"
        width = "" if row.width_us is None else span_of_time(row.width_us)
        errors = " | ".join(span_of_time(us) for us in (row.p50_us, row.p99_us, row.max_us))
        lines.append(
            f"| {row.name} | {row.spans:,} | {row.share:.1%} | {held} | {width} | {errors} | {row.over_a_minute:.2%} |"
        )
    return lines


def span_of_time(us: float) -> str:
    """µs for people, three digits at most: `63 ms`, `0.7 s`, `14 h`, `3.1 d`."""
    for unit, size in (("d", DAY), ("h", 60 * MINUTE), ("min", MINUTE), ("s", SECOND)):
        if us >= size:
            return f"{us / size:.3g} {unit}" if us < 1000 * size else f"{us / size:.0f} {unit}"
    return f"{us / 1000:.3g} ms"
