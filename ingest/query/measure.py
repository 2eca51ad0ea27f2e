"""What the query server counts about itself, and what waits for the aggregator, in OpenMetrics text.

The aggregator's process listens nowhere; what it is behind with stands in the store, and is read there.
"""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial

from aiohttp import web

from ingest.errors import Unavailable
from ingest.openmetrics import Counter, Gauge, Histogram, labels
from ingest.ports.backlog import Backlog, Backlogs

_WAITING: Mapping[str, tuple[str, str]] = {
    "journal_records": ("firsthop_journal_records", "Records accepted and not counted yet."),
    "journal_oldest_s": ("firsthop_journal_oldest_seconds", "Age of the oldest of them."),
    "dead_records": ("firsthop_journal_dead_records", "Records set aside because they cannot be stored."),
    "open_erasures": ("firsthop_open_erasures", "Erasures asked for and not completed."),
    "export_spans": ("firsthop_export_queue_spans", "Spans that wait for a tracing backend."),
}


class Measures:
    """Everything the query server counts, and the gauges of what waits.

    Args:
        clock: seconds of a clock that never steps.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.answers = Counter("firsthop_query_answers", "Answers of the query API by status.", "status")
        self.seconds = Histogram(
            "firsthop_query_seconds",
            "From a call's arrival to its answer, waiting included.",
            (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
        )
        self.waiting = Gauge("firsthop_query_waiting", "Calls that wait for their turn.")
        self.store_up = Gauge("firsthop_store_up", "Whether the database answers; what waits is told only then.")

    async def render(self, backlogs: Backlogs) -> bytes:
        """All of it as OpenMetrics text."""
        metrics: list[Counter | Histogram | Gauge] = [self.answers, self.seconds, self.waiting, self.store_up]
        try:
            metrics += _gauges(await backlogs.backlog())
            self.store_up.read = lambda: 1
        except Unavailable:
            self.store_up.read = lambda: 0
        common = labels({"role": "query"})
        return "\n".join([*(line for metric in metrics for line in metric.lines(common)), "# EOF\n"]).encode()

    @web.middleware
    async def count(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Counts the calls of the API that pass through it; those who gave up waiting are none."""
        started = self._clock()
        response = await handler(request)
        if request.path.startswith("/api/"):
            self.answers.add(value=str(response.status))
            self.seconds.observe(self._clock() - started)
        return response


def _gauges(waiting: Backlog) -> Iterator[Gauge]:
    for field, (name, about) in _WAITING.items():
        gauge = Gauge(name, about)
        gauge.read = partial(getattr, waiting, field)
        yield gauge
