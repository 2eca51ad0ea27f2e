"""What log records have and spans have not, on their way into `Rows`."""

from array import array
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

from ingest.decode.otlp_log_attributes import LOG, snake_case
from ingest.decode.otlp_rows import Rows
from ingest.decode.otlp_text import text_of
from ingest.model import Kind, Status
from ingest.settings import Limits

SEVERITIES: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Of four numbers each, from 1 on: https://opentelemetry.io/docs/specs/otel/logs/data-model/#severity-fields."""
PER_SEVERITY: Final = 4
_ERROR: Final = SEVERITIES.index("ERROR") * PER_SEVERITY + 1
_NUMBER_OF: Final[Mapping[str, int]] = {name: place * PER_SEVERITY + 1 for place, name in enumerate(SEVERITIES)}
_BROWSER: Final = "browser."
"""How names of events begin whose body, before the conventions 1.44, held what attributes hold now."""


class LogRows(Rows):
    """Rows of log records: name is the event's, parent the record's span, start and end its time."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits, LOG)
        self.severities = array("q")
        """Code of the severity's name."""
        self.bodies = array("q")
        """Code of the body as text."""
        self.second_ids: list[bytes] = []
        """For records that become two spans."""
        self._growing = (*self._growing, self.severities, self.bodies, self.second_ids)
        self._occurrences: dict[bytes, int] = {}

    def begin(self, body: int) -> None:
        super().begin(body)
        self._occurrences.clear()

    def add_ids(self, trace_id: bytes, span_id: bytes, content: bytes) -> None:
        """The ids of a record: its trace, its span as parent, and ids of its own by its content.

        So the same record sent again has the same ids, and of equal ones in a body each has its own.
        """
        self.trace_ids.append(trace_id)
        self.parent_ids.append(span_id)
        hashed = blake2b(content, digest_size=16).digest()
        before = self._occurrences.get(hashed, 0)
        self._occurrences[hashed] = before + 1
        if before:
            hashed = blake2b(before.to_bytes(8, "little"), key=hashed, digest_size=16).digest()
        self.span_ids.append(hashed[:8])
        self.second_ids.append(hashed[8:])

    def add_time(self, time_ns: int, observed_ns: int) -> None:
        """When it happened, else when it was seen."""
        self.starts.append(time_ns or observed_ns)
        self.ends.append(time_ns or observed_ns)

    def add_severity(self, number: int, text: str) -> None:
        """What it is called, and whether it is an error."""
        number = number if 0 < number <= len(SEVERITIES) * PER_SEVERITY else _NUMBER_OF.get(text.upper(), 0)
        self.severities.append(self.codes[text or (SEVERITIES[(number - 1) // PER_SEVERITY] if number else "")])
        self.statuses.append(Status.ERROR if number >= _ERROR else Status.UNSET)
        self.kinds.append(Kind.INTERNAL)

    def add_pairs(self, pairs: list[int]) -> None:
        """The attributes of a record, which has no events."""
        self.pair_ids.extend(pairs)
        self.pair_counts.append(len(pairs))
        self.event_counts.append(0)

    def browser_event(self, name: str) -> str:
        """The name of an event whose body holds what attributes hold elsewhere; else nothing."""
        return name if name.startswith(_BROWSER) else ""

    def members(self, event: str, fields: Mapping[str, Any]) -> list[int]:
        """The pairs that stand for the fields of such a body; of an unknown one the name stays as it is."""
        kept = dict(self.first(list(fields.items()), self.limits.attributes))
        self.budget.spend(len(kept))
        pairs = []
        for key, plain in kept.items():
            name = f"{event}.{snake_case(key)}"
            known = name in LOG.targets or name in LOG.renamed
            pairs.append(self.span_pairs.add(name if known else key, text_of(plain)))
        return pairs
