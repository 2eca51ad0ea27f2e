"""GET /api/v1/metrics: requests, errors and durations of an app's routes, and its web vitals, as OpenMetrics text.

Counters come from totals (`ingest.ports.totals`), which never go back; so they may be scraped at any pace and from
several places. Beside a bucket of durations stands the newest sampled trace of the last minutes that fell into it.

Source: OpenMetrics 1.0, https://prometheus.io/docs/specs/om/open_metrics_spec/
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from ingest.model import OTHER, Signal
from ingest.openmetrics import head, labels
from ingest.ports import Candidates, Question
from ingest.ports.totals import BOUNDS_US, RouteTotal
from ingest.query.call import Call
from ingest.query.parameters import APP
from ingest.query.schemas import Schema

PARAMETERS = (APP,)
SCHEMA: Schema = {"type": "string", "description": "OpenMetrics text; see ingest/query/metrics.md."}

EXEMPLARS_US = 600_000_000
"""How far back traces are looked for."""
_STEP_US = 10_000_000


class _Family(NamedTuple):
    """A histogram of one signal's values."""

    signal: Signal
    name: str
    about: str


REQUESTS, ERRORS = "firsthop_requests", "firsthop_errors"
_ABOUT = {REQUESTS: "Requests of clients.", ERRORS: "Those of them that failed."}
_DURATIONS = _Family(Signal.REQUEST, "firsthop_request_duration_seconds", "How long they took for the client.")
HISTOGRAMS = (
    _DURATIONS,
    _Family(Signal.PAGE, "firsthop_page_load_seconds", "Page loads, to the end of the load event."),
    _Family(Signal.LCP, "firsthop_lcp_seconds", "Largest contentful paint."),
    _Family(Signal.INP, "firsthop_inp_seconds", "Interaction to next paint."),
    _Family(Signal.CLS, "firsthop_cls", "Cumulative layout shift."),
    _Family(Signal.FCP, "firsthop_fcp_seconds", "First contentful paint."),
    _Family(Signal.TTFB, "firsthop_ttfb_seconds", "Time to first byte, from the start of the navigation."),
)

Exemplar = str
"""What follows a bucket's count."""


async def metrics(call: Call) -> bytes:
    """The text."""
    totals = await call.sources.totals.totals(call.app_id)
    question = Question(
        app_id=call.app_id,
        from_us=call.now_us - EXEMPLARS_US,
        to_us=call.now_us,
        now_us=call.now_us,
        step_us=_STEP_US,
        signal=_DURATIONS.signal,
        over_time=False,
        metrics=("duration",),
        group_by=("route",),
        least_sessions=call.least_sessions,
    )
    found = await call.sources.exemplars.candidates(question, ["route"], ())
    own = {total.route for total in totals if total.signal == _DURATIONS.signal}
    name = next(app.name for app in call.apps if app.app_id == call.app_id)
    lines = render(name, totals, exemplars(found, own))
    return "\n".join([*lines, "# EOF\n"]).encode()


def exemplars(found: Candidates, own: set[str]) -> Mapping[tuple[str, int], Exemplar]:
    """(route, bucket) → the newest candidate; of routes that are not `own`, under `{other}`."""
    newest: dict[tuple[str, int], int] = {}
    buckets = np.searchsorted(BOUNDS_US, found.value_us).tolist()
    for row in np.argsort(found.start_us, kind="stable").tolist():
        route = found.route[row]
        newest[route if route in own else OTHER, buckets[row]] = row
    return {key: _exemplar(found, row) for key, row in newest.items()}


def _exemplar(found: Candidates, row: int) -> Exemplar:
    us = int(found.value_us[row])
    end_us = int(found.start_us[row]) + us
    return f' # {{trace_id="{found.trace_id[row].hex()}"}} {_seconds(us)} {end_us // 1000 / 1000:.3f}'


def render(app: str, totals: Sequence[RouteTotal], examples: Mapping[tuple[str, int], Exemplar]) -> Iterator[str]:
    """The lines, but for the last, which says that they are all."""
    requests = [total for total in totals if total.signal == _DURATIONS.signal]
    for name, counts in ((REQUESTS, [each.spans for each in requests]), (ERRORS, [each.errors for each in requests])):
        yield from head(name, "counter", _ABOUT[name])
        for total, count in zip(requests, counts, strict=True):
            yield f"{name}_total{{{labels({'app': app, 'route': total.route})}}} {count}"
    bounds = [*map(_seconds, BOUNDS_US.tolist()), "+Inf"]
    for family in HISTOGRAMS:
        yield from head(family.name, "histogram", family.about)
        for total in totals:
            if total.signal != family.signal:
                continue
            common = labels({"app": app, "route": total.route})
            for place, (bound, count) in enumerate(zip(bounds, accumulate(total.buckets), strict=True)):
                example = examples.get((total.route, place), "") if family is _DURATIONS else ""
                yield f'{family.name}_bucket{{{common},le="{bound}"}} {count}{example}'
            yield f"{family.name}_count{{{common}}} {sum(total.buckets)}"
            yield f"{family.name}_sum{{{common}}} {total.sum_us / 1e6:.6f}"


def _seconds(us: int) -> str:
    """µs as seconds without rounding: what a bucket holds, its bound must not cut off."""
    text = f"{us / 1e6:.6f}".rstrip("0")
    return f"{text}0" if text.endswith(".") else text
