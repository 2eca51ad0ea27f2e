"""What the overview asks of the store beyond rollups: how spans failed, what servers took, how far back data go."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ingest.model import F64, I32, I64
from ingest.ports.reader import Question, Suppressed


@dataclass(frozen=True, slots=True)
class FailedSpans:
    """Sampled spans that failed: a struct of arrays, one row per span."""

    kinds: Sequence[str]
    """How spans failed. Of requests: `no_answer` (status 0), `4xx`, `5xx`, `other`; of reports: the browser's word."""
    kind: I32
    """(n,) row of `kinds`."""
    duration_us: I64
    weight: F64
    """(n,) how many spans each one stands for."""
    cluster: I64
    """(n,) as in `Samples`."""
    suppressed: Suppressed
    """Kinds of too few sessions; their spans are not here."""


NONE_FAILED = FailedSpans(
    kinds=(),
    kind=np.zeros(0, np.int32),
    duration_us=np.zeros(0, np.int64),
    weight=np.zeros(0),
    cluster=np.zeros(0, np.int64),
    suppressed=Suppressed(),
)


@dataclass(frozen=True, slots=True)
class ServerTimes:
    """Sampled requests whose time to first byte was measured: a struct of arrays, one row per request."""

    ttfb_us: I64
    server_us: I64
    """(n,) what the server took: a backend span of kind server that hangs on the request, else what its answer said.
    UNKNOWN when neither tells."""
    weight: F64
    cluster: I64
    """(n,) as in `Samples`."""


class Overviews(Protocol):
    """Raises `ingest.errors.Unavailable` as `Reader` does. Of a question, range, signal, filters and `least_sessions`
    count; what is left out is judged over all spans of the range that are looked at, whatever the filters let pass."""

    async def failed(self, question: Question) -> FailedSpans:
        """The sampled spans that failed."""

    async def server_times(self, question: Question) -> ServerTimes:
        """What servers told of sampled requests, of about 10,000 at most; of more, a part that weighs more."""

    async def began(self, app_id: int) -> int | None:
        """Start of the oldest window kept that holds spans, µs since 1970, as finely as it is still known; None when
        there is none."""
