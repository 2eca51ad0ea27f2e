"""`make truth`: does the store say when things happened and how many there were, in a world whose truth is known?

    python -m loadtest.truth [--write]

Prints its tables and exits with 1 when a promise does not hold; with `--write` puts them into loadtest/README.md and
README.md, too. Everything is seeded: the same code gives the same numbers.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from loadtest import truth_clocks, truth_sampling
from loadtest.bench import write_figures
from loadtest.truth_clocks import Row
from loadtest.truth_sampling import RATES, Fairness, Population
from loadtest.truth_store import Stored, fresh_database, store
from loadtest.truth_world import World, make_world

HERE = Path(__file__).parent
BEGIN, END = "<!-- truth: begin -->", "<!-- truth: end -->"
SEED = 1
SPANS = 200_000
POPULATION = 12_000
"""Spans that are drawn from, copy by copy."""
DRAWS = {1.0: 50, 0.05: 50, 0.001: 20}
COPIES = {1.0: 1, 0.05: 3, 0.001: 60}
"""Copies of the population in every draw, by rate: a thousandth of few spans says nothing."""
LEAST_HELD = 0.95
"""Of the 99 % intervals of all draws at a rate, how many must hold, ..."""
LEAST_TRACES = 20
"""... where at least so many traces are there by chance: intervals take their sum for normal, which few are not."""


def measure_clocks(world: World) -> Stored:
    """What a real store, made for the purpose, says of this world."""

    async def run() -> Stored:
        async with fresh_database() as dsn:
            return await store(world, dsn)

    return asyncio.run(run())


def judge_samples(fair: Sequence[Fairness], disagreements: Sequence[tuple[int, int]]) -> list[str]:
    """What is promised of samples and does not hold; empty when all does.

    Args:
        fair: of all rates.
        disagreements: by rate, from `truth_sampling.inconsistent`.
    """
    faults = [
        f"{row.rate:.1%} kept, {row.device_class}: {row.figure} is off by {row.bias:+.3%} ± {row.error:.3%}"
        for row in fair
        if not row.unbiased
    ]
    for rate in dict.fromkeys(row.rate for row in fair):
        held = [row.held for row in fair if row.rate == rate and row.traces >= LEAST_TRACES]
        if held and sum(held) / len(held) < LEAST_HELD:
            faults.append(f"{rate:.1%} kept: only {sum(held) / len(held):.1%} of the 99 % intervals hold the truth")
    faults += [f"a backend disagrees about {wrong} of {kept} kept traces" for kept, wrong in disagreements if wrong]
    faults += ["no trace was kept: nothing was shown" for kept, _ in disagreements if not kept]
    return faults


def sample_table(fair: Sequence[Fairness]) -> list[str]:
    """Mean error by rate and class, with three standard errors, in Markdown."""
    figures = list(dict.fromkeys(row.figure for row in fair))
    lines = [
        "| kept | device class | stored a draw | traces by chance | "
        + " | ".join(f"{figure}, mean error" for figure in figures)
        + " | 99 % intervals that hold |",
        "|--:|---|--:|--:|" + "--:|" * (len(figures) + 1),
    ]
    cells: dict[tuple[float, str], dict[str, Fairness]] = {}
    for row in fair:
        cells.setdefault((row.rate, row.device_class), {})[row.figure] = row
    for (rate, name), by_figure in cells.items():
        errors = [f"{by_figure[figure].bias:+.2%} ± {3 * by_figure[figure].error:.2%}" for figure in figures]
        held = sum(row.held for row in by_figure.values()) / len(by_figure)
        first = by_figure[figures[0]]
        counts = f"{first.kept:,.0f} | {first.traces:,.0f}"
        lines.append(f"| {rate:.4g} | {name} | {counts} | " + " | ".join(errors) + f" | {held:.1%} |")
    return lines


def summary(world: World, stored: Stored) -> str:
    """What became of the spans of the world, in a sentence or two."""
    truth = world.truth
    outcomes = {name: spans for name, spans in stored.ledger.items() if not name.startswith("noted:")}
    rejected = ", ".join(f"{spans:,} {name}" for name, spans in outcomes.items() if name.startswith("rejected:"))
    good, wrong = truth_clocks.untouched(truth, stored)
    duplicates = outcomes.get("duplicate", 0)
    return (
        f"{len(truth):,} spans made, {int(truth.sent.sum()):,} sent (the rest sampled away by their clients), "
        f"{outcomes['received']:,} received in {len(world.deliveries):,} requests with {duplicates:,} duplicates; "
        f"{rejected or 'none'} by reason, {len(stored.span_id):,} stored. For {truth.touched.mean():.2%} of the spans "
        f"something does not hold that the protocol assumes; without them, the interval was wrong in {wrong} of "
        f"{good:,}."
    )


def main(arguments: Sequence[str]) -> int:
    """Measures, prints and, when asked, writes; 1 when a promise does not hold."""
    started = time.monotonic()
    world = make_world(SEED, SPANS)
    stored = measure_clocks(world)
    rows: list[Row] = truth_clocks.by_grade(world.truth, stored)
    clock_table = truth_clocks.table([*rows, *truth_clocks.usual_ways(world, stored)])
    said = summary(world, stored)
    print("\n".join([said, "", *clock_table, ""]), flush=True)

    population = Population(SEED + 1, POPULATION)
    fair = [
        row
        for rate in RATES
        for row in truth_sampling.fairness(population, rate, draws=DRAWS[rate], copies=COPIES[rate], seed=SEED + 2)
    ]
    disagreements = [truth_sampling.inconsistent(population, rate, seed=SEED + 3) for rate in RATES]
    print("\n".join([*sample_table(fair), ""]))
    faults = truth_clocks.judge(rows) + judge_samples(fair, disagreements)
    wrong = truth_clocks.untouched(world.truth, stored)[1]
    faults += [f"{wrong} intervals are wrong though the protocol's assumptions held"] if wrong else []
    print("\n".join(faults) or "All bounds hold.", f"({time.monotonic() - started:.0f} s)")
    if "--write" in arguments:
        write_figures(HERE / "README.md", [said, "", *clock_table, "", *sample_table(fair)], BEGIN, END)
        write_figures(HERE.parent / "README.md", clock_table, BEGIN, END)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
