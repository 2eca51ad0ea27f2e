"""What an edge worker counts about itself, in OpenMetrics text.

The equation between the counters: every body that was read to its end is answered, so

    firsthop_bodies_total = bodies accepted + firsthop_refused_total of reasons met after reading

and every span of an accepted body has one outcome in `firsthop_spans_total`. Duplicates are found by the aggregator, so
a worker counts them as kept or counted_only; the ledger has the truth. No label ever holds what a client sent.
"""

import logging
import traceback
from collections.abc import Iterable, Mapping

from ingest.openmetrics import Counter, Gauge, Histogram, labels
from ingest.outcome import ACCEPTED, REJECTIONS, Note
from privacy.detect import RULE_NAMES

log = logging.getLogger("ingest.edge")

OF_POLICIES = "policy"
"""The label under which everything counts that is no rule of the software: the patterns of the apps' policies."""


class Measures:
    """Everything one edge worker counts.

    Args:
        told_by: labels, what tells this worker from the others on the same port, e.g. {"worker": "0"}.
    """

    def __init__(self, told_by: Mapping[str, str]) -> None:
        self._common = labels(told_by)
        outcomes = tuple(outcome.label for outcome in (*ACCEPTED, *REJECTIONS))
        self.bodies = Counter("firsthop_bodies", "Request bodies read to their end.")
        self.bytes_in = Counter("firsthop_body_bytes", "Bytes of those bodies as sent.")
        self.spans = Counter("firsthop_spans", "Spans of accepted bodies by outcome.", "outcome", outcomes)
        noted = tuple(note.label for note in Note)
        self.notes = Counter("firsthop_noted_spans", "Accepted spans by what was noticed about them.", "note", noted)
        self.trimmed = Counter("firsthop_trimmed", "Attributes, events and links beyond the limits of one span.")
        rules = (*sorted(RULE_NAMES), OF_POLICIES)
        self.scrubbed = Counter("firsthop_scrubbed", "What was replaced before it was stored.", "rule", rules)
        self.configs = Counter("firsthop_configs", "Answers of /v1/config.", "answer", ("sent", "unchanged"))
        self.refused = Counter("firsthop_refused", "Requests refused as a whole, by reason.", "reason")
        self.unhandled = Counter("firsthop_unhandled_errors", "Errors that nobody foresaw: each is a bug.")
        self.batch_bodies = Histogram(
            "firsthop_micro_batch_bodies", "Bodies that were committed together.", (1, 2, 5, 10, 20, 50, 100, 200, 500)
        )
        self.batch_bytes = Histogram(
            "firsthop_micro_batch_bytes",
            "Inflated bytes that were committed together.",
            (1024, 4096, 16384, 65536, 131072, 262144, 524288, 1048576, 2097152),
        )
        self.prepare_seconds = Histogram(
            "firsthop_prepare_seconds",
            "Decoding and processing a micro-batch, the wait for its turn included.",
            (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0),
        )
        self.commit_seconds = Histogram(
            "firsthop_commit_seconds",
            "From taking a micro-batch to its durable commit.",
            (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
        )
        self.queue_bytes = Gauge("firsthop_queue_bytes", "Bytes of bodies held: being read, waiting or in a commit.")

    def count_scrubs(self, finds: Iterable[tuple[str, int]]) -> None:
        """Counts what each rule replaced."""
        for rule, count in finds:
            self.scrubbed.add(count, rule if rule in RULE_NAMES else OF_POLICIES)

    def unforeseen(self, error: BaseException) -> None:
        """Counts an error that nobody foresaw and logs where it came from; what it says may quote a client."""
        self.unhandled.add()
        frames = traceback.extract_tb(error.__traceback__)[-6:]
        place = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
        log.error("unforeseen %s at %s", type(error).__name__, place)

    def render(self) -> bytes:
        """All of it as OpenMetrics text."""
        lines = [
            line
            for metric in vars(self).values()
            if isinstance(metric, Counter | Histogram | Gauge)
            for line in metric.lines(self._common)
        ]
        return "\n".join([*lines, "# EOF\n"]).encode()
