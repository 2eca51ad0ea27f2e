"""`make bench`: what a span costs, stage by stage and end to end, and how the service behaves near and over its limit.

    python -m loadtest.bench

Prints its tables, writes them into loadtest/README.md and exits with 1 when a bound is missed by more than NOISE: on a
busy machine figures wander, by a factor of two they do not.
"""

import datetime as dt
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from loadtest import load
from loadtest.processes import Meter
from loadtest.service import Service, running_baseline, running_service
from loadtest.stages import STAGES, measure_stages

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
NOISE = 2.0
SIZES = (5, 30, 100)
SECONDS = 4.0
CONNECTIONS = 256
STEADY_SHARE = 0.7
OVERLOAD = 10.0
OVERLOAD_SPANS = 100
OVERLOAD_CONNECTIONS = 3000
COLUMNS = (("native", 5), ("native", 30), ("native", 100), ("native-json", 30), ("otlp", 30), ("otlp-json", 30))
"""Format and spans per batch of the stage table."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A figure that is promised."""

    name: str
    limit: float
    unit: str


EDGE_NATIVE = Bound("edge CPU, native, 30 spans a batch", 10, "µs/span")
EDGE_OTLP = Bound("edge CPU, OTLP protobuf, 30 spans a batch", 25, "µs/span")
AGGREGATOR = Bound("aggregator CPU, native, 30 spans a batch", 5, "µs/span")
ACK = Bound("acknowledgement p99 at 70 % load, native", 100, "ms")
MEMORY = Bound("edge memory under 10 × overload", 300, "MiB")


@dataclass(frozen=True, slots=True)
class Cost:
    """A format at a size under full load."""

    format: str
    spans: int
    report: load.Report
    cpu_us: Mapping[str, float]
    """µs per span by role, the draining of the journal included."""
    baseline_us: float
    """The same for a server that only reads the body."""


def stage_table(measured: Mapping[tuple[str, int], Mapping[str, float]]) -> list[str]:
    """The stage table in Markdown; each sum leaves the aggregator's part out."""
    rows = [
        "| CPU µs per span | " + " | ".join(f"{name}, {spans}" for name, spans in measured) + " |",
        "|---|" + "--:|" * len(measured),
    ]
    rows += [f"| {stage} | " + " | ".join(f"{m[stage]:.2f}" for m in measured.values()) + " |" for stage in STAGES]
    edge = [sum(m[stage] for stage in STAGES if stage not in STAGES[-2:]) for m in measured.values()]
    rows.append("| **edge, without HTTP and journal** | " + " | ".join(f"**{total:.1f}**" for total in edge) + " |")
    return rows


def cost_table(costs: Sequence[Cost]) -> list[str]:
    """The end-to-end table in Markdown."""
    rows = [
        "| format, spans a batch | spans/s | edge µs/span | aggregator µs/span | PostgreSQL µs/span | aiohttp alone |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    rows += [
        f"| {cost.format}, {cost.spans} | {cost.report.spans_per_s:,.0f} | {cost.cpu_us['edge']:.1f} "
        f"| {cost.cpu_us['aggregate']:.1f} | {cost.cpu_us['postgres']:.1f} | {cost.baseline_us:.1f} |"
        for cost in costs
    ]
    return rows


async def measure_cost(service: Service, baseline: tuple[str, Mapping[str, Sequence[int]]], plan: load.Plan) -> Cost:
    """Full load on the service until its journal is empty again, then the same on the yardstick."""
    async with Meter(service.roles) as meter:
        report = await load.run(replace(plan, seed=load.fresh_seed()))
        await service.drained()
    spans = max(1, report.accepted * plan.spans)
    url, roles = baseline
    yardstick = await load.run(replace(plan, url=url, key="", seconds=1.5, roles=roles))
    return Cost(
        format=plan.format,
        spans=plan.spans,
        report=report,
        cpu_us={role: used.cpu_s / spans * 1e6 for role, used in meter.usage.items()},
        baseline_us=yardstick.cpu_us_per_span["edge"],
    )


async def measure(lines: list[str]) -> dict[Bound, float]:
    """Runs everything; adds the tables to `lines` and returns the promised figures."""
    async with running_service() as service, running_baseline() as baseline:
        url, key, roles = service.ready["edge"], service.ready["client_key"], service.roles
        full = load.Plan(url, key=key, rate=0, seconds=SECONDS, connections=CONNECTIONS, roles=roles)
        await load.run(replace(full, seconds=2.0))
        await service.drained()
        plans = [replace(full, format=name, spans=spans) for name in ("native", "otlp") for spans in SIZES]
        plans += [replace(full, format="native-json"), replace(full, format="otlp-json", encoding="identity")]
        costs = [await measure_cost(service, baseline, plan) for plan in plans]
        by = {(cost.format, cost.spans): cost for cost in costs}
        lines += cost_table(costs)

        capacity = {name: by[name, 30].report.spans_per_s for name in ("native", "otlp")}
        steady = {}
        for name, spans_per_s in capacity.items():
            steady[name] = await load.run(
                replace(
                    full,
                    seed=load.fresh_seed(),
                    format=name,
                    rate=spans_per_s * STEADY_SHARE,
                    seconds=2 * SECONDS,
                    poisson=True,
                )
            )
            await service.drained()
        over = await load.run(
            replace(
                full,
                seed=load.fresh_seed(),
                spans=OVERLOAD_SPANS,
                rate=by["native", OVERLOAD_SPANS].report.spans_per_s * OVERLOAD,
                connections=OVERLOAD_CONNECTIONS,
            )
        )
        await service.drained()
    lines += ["", *_behaviour(steady, over)]
    return {
        EDGE_NATIVE: by["native", 30].cpu_us["edge"],
        EDGE_OTLP: by["otlp", 30].cpu_us["edge"],
        AGGREGATOR: by["native", 30].cpu_us["aggregate"],
        ACK: steady["native"].latency_ms["p99"],
        MEMORY: over.rss_peak_mb["edge"] / 1.048576,
    }


def _behaviour(steady: Mapping[str, load.Report], over: load.Report) -> list[str]:
    rows = [
        "| load | accepted spans/s | p50 ms | p95 ms | p99 ms | answers | edge RSS MiB |",
        "|---|--:|--:|--:|--:|---|--:|",
    ]
    named = [(f"{name}, 30 spans, 70 % of full", report) for name, report in steady.items()]
    for name, report in [*named, (f"native, {OVERLOAD_SPANS} spans, {OVERLOAD:.0f} × full", over)]:
        latency = " | ".join(f"{report.latency_ms[q]:.1f}" for q in ("p50", "p95", "p99"))
        answers = ", ".join(f"{count} × {status or 'none'}" for status, count in report.statuses.items())
        answers += f", {report.unsent} not sent" if report.unsent else ""
        rss = report.rss_peak_mb["edge"] / 1.048576
        rows.append(f"| {name} | {report.spans_per_s:,.0f} | {latency} | {answers} | {rss:.0f} |")
    return rows


def judge(figures: Mapping[Bound, float]) -> tuple[list[str], bool]:
    """The table of promised figures, and whether each holds within NOISE."""
    rows = ["| bound | aim | measured | |", "|---|--:|--:|---|"]
    for bound, figure in figures.items():
        verdict = "holds" if figure <= bound.limit else "over" if figure <= bound.limit * NOISE else "**missed**"
        rows.append(f"| {bound.name} | {bound.limit:g} {bound.unit} | {figure:.1f} | {verdict} |")
    return rows, all(figure <= bound.limit * NOISE for bound, figure in figures.items())


def machine() -> str:
    """One line on where and when the figures were taken."""
    today = dt.datetime.now(dt.UTC).date()
    return (
        f"{today}, {os.cpu_count()} cores shared by service, database and generator, {platform.machine()}, "
        f"Python {platform.python_version()}, load average before: {os.getloadavg()[0]:.1f}."
    )


def write_figures(path: Path, lines: Sequence[str]) -> None:
    """Replaces what stands between the two markers of a Markdown file.

    Raises:
        ValueError: the file has no markers.
    """
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path.name} has no lines {BEGIN} and {END}")
    path.write_text("\n".join([before + begin, "", *lines, "", end + after]))


def main() -> int:
    """Measures, prints and writes; 1 when a bound is missed by what no noise explains."""
    lines = [machine(), ""]
    lines += [*stage_table({(name, spans): measure_stages(name, "gzip", spans) for name, spans in COLUMNS}), ""]
    figures = uvloop.run(measure(lines))
    verdict, holds = judge(figures)
    lines += ["", *verdict]
    print("\n".join(lines))
    write_figures(README, lines)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
