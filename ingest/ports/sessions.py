"""Sessions of the fair sample as the query API reads them. A session is known by its pseudonym alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ingest.ports.reader import Suppressed, TraceSearch
from ingest.ports.traces import TraceSpans

MOST_SESSION_SPANS = 11_000
"""Of one session that are read."""


@dataclass(frozen=True, slots=True)
class SessionRead:
    """What is stored of one session: the sampled spans of its clients."""

    strings: Sequence[str]
    spans: TraceSpans
    """The earliest, at most `MOST_SESSION_SPANS`, of however many traces."""
    details: Sequence[Mapping[str, Any]]
    """By span: `trace_id`, `signal`, `screen`, `http_status`, `error_type`, `version`, `country`, `device_class`,
    `network`, `os`, `phases_us`, `weight`."""
    more: bool
    """There are later ones, which were not read."""


class SampledSessions(Protocol):
    """What the query API reads of sessions. Raises as `Reader` does."""

    async def sessions(
        self, search: TraceSearch, views: Sequence[str]
    ) -> tuple[Sequence[Mapping[str, Any]], Suppressed]:
        """Sessions that hold a span which passes, those whose newest such span is newest first.

        `session`; `newest_us`, when the newest span that passes starts; of all its sampled client spans `spans`,
        `errors`, `traces`, `first_us`, `last_us` (the first start, the last end, µs since 1970), `slowest_name`,
        `slowest_us` of the longest that somebody waited for (None: there is none); of the newest of them `version`,
        `country`, `device_class`, `network`, `os`.
        """

    async def session(self, app_id: int, pseudonym: str) -> SessionRead | None:
        """One session; None when the sample holds no span of it."""
