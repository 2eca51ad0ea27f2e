"""Whether samples are fair: what weighted samples say of counts and quantiles, against all spans, over many draws.

The spans of one world are drawn again and again with new random trace ids, through `process` itself; a client that
samples leaves out by the new ids, too. Every draw gives estimates with an interval of its own, made here from the kept
spans alone (Horvitz and Thompson; whole traces are drawn, so a trace is one unit of the variance).
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.model import Processed, SpanBatch, Spans, Stratum
from ingest.pipeline.process import process
from ingest.settings import AppPolicy, Limits, Policy, Sampling
from ingest.user_agent import UserAgents
from loadtest.truth_rule import ALL, keeps, randomness
from loadtest.truth_sdk import CLASSES
from loadtest.truth_store import RING, decode
from loadtest.truth_world import Truth, make_world

RATES = (1.0, 0.05, 0.001)
QUANTILES = (0.5, 0.95)
Z99 = 2.5758
HALF_A_DAY = 0.5
ANY_TIME = Policy(Limits(future_us=1 << 60), Sampling(), RING, 1 << 60)
"""Nothing is rejected for its time: this is about sampling."""

NO_TRACES = np.zeros((0, 16), dtype=np.uint8)

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class Estimate(NamedTuple):
    """An estimate with its own 99 % interval, and what is true."""

    value: float
    low: float
    high: float
    truth: float
    off: float
    """What should be 0 on average: estimate / truth − 1 of a count; of a quantile, which is skewed however fair the
    sample is, the same of the count of spans at or below the true one."""
    traces: float
    """How many equal ones would decide as much as the traces of the class that are there by chance (Kish)."""

    @property
    def holds(self) -> bool:
        """Whether the interval holds the truth."""
        return self.low <= self.truth <= self.high


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one draw kept: rows of the population, with their weights."""

    row: I64
    """Row of the truth."""
    copy: I64
    """Which copy of the population."""
    trace_id: npt.NDArray[np.uint8]
    weight: F64
    device_class: I64
    """As the server found it."""
    ordinary: Mask
    """Drawn by chance, not required."""
    offered: npt.NDArray[np.uint8]
    """(copies × traces, 16) ids of the traces that were drawn from."""


class Population:
    """All spans of a world as one decoded batch, ready to be drawn from."""

    def __init__(self, seed: int, spans: int) -> None:
        # Many devices for a short while: classes are sampled fairly or not by device.
        world = make_world(seed, spans, days=HALF_A_DAY, sends_all=True)
        firsts = {delivery.batch: delivery for delivery in reversed(world.deliveries)}
        batch, self._receptions = decode(list(firsts.values()))
        # What hangs on spans has no part in sampling.
        batch = replace(
            batch,
            attributes=batch.attributes.take(np.zeros(0, np.intp)),
            events=batch.events.take(np.zeros(0, np.intp)),
            links=batch.links.take(np.zeros(0, np.intp)),
        )
        self._batch = batch
        truth, self._trace = _truth_of(world.truth, batch)
        self._agent_of = UserAgents().agent_of
        # Which class a device has is another question than whether each class is sampled fairly.
        whole = _drawn(self._process(replace(batch, spans=_by_number(batch.spans)), rate=1.0), len(truth))
        found = np.zeros(len(truth), dtype=np.int64)
        found[whole.row] = whole.device_class
        self.truth = replace(truth, device_class=found)

    def draw(self, rng: np.random.Generator, rate: float, copies: int) -> Drawn:
        """Draws once from so many copies of the population, each with traces of its own."""
        spans = len(self.truth)
        traces = int(self._trace.max()) + 1
        trace_ids = rng.integers(0, 256, (copies * traces, 16), dtype=np.uint8)
        copy, row = np.divmod(np.arange(copies * spans), spans)
        made = replace(self._batch.spans.take(row), trace_id=trace_ids[copy * traces + self._trace[row]])
        sent = self.truth.required[row] | (randomness(made.trace_id) >= self.truth.threshold[row])
        batch = replace(self._batch, spans=_by_number(made)).select(sent)
        return _drawn(self._process(batch, rate), spans, trace_ids)

    def ordinary_traces(self) -> tuple[I64, F64]:
        """The traces of one copy that hold ordinary spans, and by which probability their clients sample."""
        ordinary = ~self.truth.required
        traces, first = np.unique(self._trace[ordinary], return_index=True)
        return traces, (ALL - self.truth.threshold[ordinary][first]) / ALL

    def _process(self, batch: SpanBatch, rate: float) -> Processed:
        sampling = Sampling(low=rate, mid=rate, high=rate, unknown=rate)
        return process(
            batch,
            self._receptions,
            replace(ANY_TIME, sampling=sampling),
            policy_of=lambda _: AppPolicy(),
            country_of=lambda _: "",
            agent_of=self._agent_of,
        )


def _truth_of(truth: Truth, batch: SpanBatch) -> tuple[Truth, I64]:
    """The truth in the order of the batch, and the number of each span's trace."""
    span_id = batch.spans.span_id.view(">u8").ravel().astype(np.uint64)
    order = np.argsort(truth.span_id)
    rows = order[np.searchsorted(truth.span_id, span_id, sorter=order)]
    ordered = Truth(**{name: getattr(truth, name)[rows] for name in Truth.__slots__})
    _, trace = np.unique(ordered.trace_id, axis=0, return_inverse=True)
    return ordered, trace.ravel()


def _by_number(spans: Spans) -> Spans:
    """The same spans with their row as id, from 1."""
    rows = np.arange(len(spans), dtype=np.uint64) + 1
    return replace(spans, span_id=rows.astype(">u8").view(np.uint8).reshape(-1, 8))


def _drawn(processed: Processed, spans: int, offered: npt.NDArray[np.uint8] = NO_TRACES) -> Drawn:
    kept, assigned = processed.kept.batch.spans, processed.kept.assigned
    copy, row = np.divmod(kept.span_id.view(">u8").ravel().astype(np.int64) - 1, spans)
    return Drawn(
        row=row,
        copy=copy,
        trace_id=kept.trace_id,
        weight=assigned.weight,
        device_class=assigned.device_class.astype(np.int64),
        ordinary=assigned.stratum == Stratum.RANDOM,
        offered=offered,
    )


def estimates(truth: Truth, drawn: Drawn, copies: int) -> dict[tuple[str, str], Estimate]:
    """By device class and figure: `spans`, and the quantiles of the duration of requests."""
    found = {}
    _, trace = np.unique(drawn.trace_id, axis=0, return_inverse=True)
    for number, name in enumerate(CLASSES):
        here, true = drawn.device_class == number, truth.device_class == number
        if not true.any():
            continue
        weight = np.where(here, drawn.weight, 0.0)
        value, spread = float(weight.sum()), Z99 * _deviation(weight, trace, drawn.weight)
        spans = copies * float(true.sum())
        traces = _effective(weight, trace)
        found[name, "spans"] = Estimate(value, value - spread, value + spread, spans, value / spans - 1, traces)
        here &= truth.request[drawn.row]
        values = truth.duration_us[drawn.row[here]]
        true_values = np.sort(truth.duration_us[true & truth.request])
        for q in QUANTILES:
            found[name, f"p{round(q * 100)}"] = _quantile(
                values, drawn.weight[here], trace[here], q, true_values, copies=copies, traces=traces
            )
    return found


def _deviation(contribution: F64, trace: npt.NDArray[np.intp], weight: F64) -> float:
    """Standard deviation of a sum over kept spans, where traces are drawn; those of weight 1 are certain."""
    by_chance = weight > 1
    totals = np.bincount(trace[by_chance], contribution[by_chance])
    most = np.ones(len(totals))
    np.maximum.at(most, trace[by_chance], weight[by_chance])
    return float(np.sqrt((totals**2 * (1 - 1 / most)).sum()))


def _effective(weight: F64, trace: npt.NDArray[np.intp]) -> float:
    totals = np.bincount(trace[weight > 1], weight[weight > 1])
    return float(totals.sum() ** 2 / (totals**2).sum()) if len(totals) else 0.0


def _quantile(
    values: I64,
    weight: F64,
    trace: npt.NDArray[np.intp],
    q: float,
    true_values: I64,
    *,
    copies: int,
    traces: float,
) -> Estimate:
    """By the weighted distribution; the interval by inverting that of the share below it (Woodruff, 1952).

    Args:
        true_values: ascending.
    """
    order = np.argsort(values, kind="stable")
    ordered, share = values[order], np.cumsum(weight[order]) / weight.sum()

    def at(level: float) -> float:
        if not 0 <= level < 1:
            return float(-np.inf if level < 0 else np.inf)
        return float(ordered[min(int(np.searchsorted(share, level)), len(ordered) - 1)])

    value = at(q)
    spread = Z99 * _deviation(weight * ((values <= value) - q), trace, weight) / weight.sum()
    truth = int(true_values[int(np.ceil(q * len(true_values))) - 1])
    off = float((weight * (values <= truth)).sum() / (copies * (true_values <= truth).sum()) - 1)
    return Estimate(value, at(q - spread), at(q + spread), float(truth), off, traces)


class Fairness(NamedTuple):
    """A figure of one class at one rate, over all draws."""

    rate: float
    device_class: str
    figure: str
    kept: float
    """Spans kept of this class in a draw, on average."""
    bias: float
    """Mean of `Estimate.off`."""
    error: float
    """Standard error of that mean."""
    traces: float
    """Mean of `Estimate.traces`."""
    held: float
    """Share of draws whose own 99 % interval holds the truth."""

    @property
    def unbiased(self) -> bool:
        """Whether chance explains the mean."""
        return abs(self.bias) <= 3 * self.error + 1e-9


def fairness(population: Population, rate: float, *, draws: int, copies: int, seed: int) -> list[Fairness]:
    """What many draws at one rate say, by class and figure."""
    rng = np.random.default_rng(seed)
    by_figure: dict[tuple[str, str], list[tuple[float, float, bool, int]]] = {}
    for _ in range(draws):
        drawn = population.draw(rng, rate, copies)
        kept = np.bincount(drawn.device_class, minlength=len(CLASSES))
        for (name, figure), estimate in estimates(population.truth, drawn, copies).items():
            row = (estimate.off, estimate.traces, estimate.holds, int(kept[CLASSES.index(name)]))
            by_figure.setdefault((name, figure), []).append(row)
    found = []
    for (name, figure), rows in by_figure.items():
        off, traces, held, kept_of_class = np.array(rows, dtype=np.float64).T
        error = float(off.std(ddof=1) / np.sqrt(draws))
        means = (float(column.mean()) for column in (traces, held))
        found.append(Fairness(rate, name, figure, float(kept_of_class.mean()), float(off.mean()), error, *means))
    return found


def inconsistent(population: Population, rate: float, *, seed: int) -> tuple[int, int]:
    """Traces that one draw kept ordinary spans of at this rate, and on how many of all a backend would not agree.

    It does not agree if it drops at this rate or at a higher one what the edge kept, or keeps at this rate what the
    edge left out. The backend is another implementation of the rule: it compares texts, as tracestate has them.
    """
    drawn = population.draw(np.random.default_rng(seed), rate, copies=1)
    kept = {bytes(trace_id) for trace_id in drawn.trace_id[drawn.ordinary]}
    traces, probabilities = population.ordinary_traces()
    higher = [p for p in (rate, 2 * rate, 10 * rate, 0.97, 1.0) if rate <= p <= 1]
    disagreed = 0
    for trace, probability in zip(traces.tolist(), probabilities.tolist(), strict=True):
        trace_id = bytes(drawn.offered[trace])
        stays = keeps(trace_id.hex(), min(rate, probability))
        disagreed += stays != (trace_id in kept)
        disagreed += trace_id in kept and not all(keeps(trace_id.hex(), p) for p in higher)
    return len(kept), disagreed
