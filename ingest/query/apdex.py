"""Apdex: how satisfied users are with a target time, as one number from 0 to 1. Pure.

    (satisfied + tolerating / 2) / all

A request that takes at most T satisfies, one of at most 4 T is tolerated, any longer one and any that failed frustrates
(Apdex Alliance, "Application Performance Index, Apdex Technical Specification", version 1.1, 2007).

Sketches count every span, the failed ones among them, and do not say how long those took. The sample, which prefers
them, says how many of the failed were in which zone, and so many are taken from the sketch's zones. Where it holds none
of them, the score is unknown. The range holds it whatever the failed ones took: at its upper end they were frustrated
already, at its lower end satisfied.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ingest.ports import FailedSpans
from ingest.query import schemas
from ingest.query.distribution import Distribution

TOLERATED = 4
"""Times the target."""

SCORE = {"type": "number", "minimum": 0, "maximum": 1}
SCHEMA: schemas.Schema = {
    **schemas.row(
        target_ms={"type": "integer"},
        score={"type": ["number", "null"], "minimum": 0, "maximum": 1, "description": "null: see `range`."},
        range={
            "type": "array",
            "items": SCORE,
            "minItems": 2,
            "maxItems": 2,
            "description": "Least and greatest, whatever the failed spans took.",
        },
        satisfied=schemas.COUNT,
        tolerating=schemas.COUNT,
        frustrated=schemas.COUNT,
    ),
    "description": "Apdex of the duration; zones count failed spans by their duration.",
}


@dataclass(frozen=True, slots=True)
class Zones:
    """Spans by how long they took, failed ones included."""

    satisfied: float
    tolerating: float
    frustrated: float

    @classmethod
    def of(cls, duration: Distribution, target_us: int) -> "Zones":
        """The zones of a distribution with one owner."""
        (satisfied,), (tolerated,), (every,) = (
            duration.up_to(target_us),
            duration.up_to(TOLERATED * target_us),
            duration.weights(),
        )
        return cls(float(satisfied), float(tolerated - satisfied), float(every - tolerated))

    @property
    def every(self) -> float:
        return self.satisfied + self.tolerating + self.frustrated

    def score(self, failed_satisfied: float, failed_tolerating: float) -> float:
        """The score when so many of the first two zones failed."""
        good = max(self.satisfied - failed_satisfied, 0.0) + max(self.tolerating - failed_tolerating, 0.0) / 2
        return round(good / self.every, 4)


def apdex(duration: Distribution, errors: int, failed: FailedSpans | None, target_ms: int) -> Mapping[str, Any] | None:
    """The score of a distribution with one owner; None without spans.

    Args:
        duration: of all spans, failed ones included.
        errors: how many of them failed.
        failed: sampled ones of these; None when the sample could not be read.
        target_ms: T.
    """
    zones = Zones.of(duration, target_ms * 1000)
    if not zones.every:
        return None
    failed_total = min(float(errors), zones.every)
    return {
        "target_ms": target_ms,
        "score": _score(zones, failed_total, failed, target_ms * 1000),
        "range": [zones.score(*_earliest(zones, failed_total)), zones.score(*_latest(zones, failed_total))],
        "satisfied": round(zones.satisfied),
        "tolerating": round(zones.tolerating),
        "frustrated": round(zones.frustrated),
    }


def _score(zones: Zones, failed_total: float, failed: FailedSpans | None, target_us: int) -> float | None:
    if not failed_total:
        return zones.score(0.0, 0.0)
    sampled = float(failed.weight.sum()) if failed else 0.0
    if failed is None or not sampled:
        return None
    quick = failed.duration_us <= target_us
    tolerated = (failed.duration_us <= TOLERATED * target_us) & ~quick
    shares = [float(failed.weight[zone].sum()) / sampled for zone in (quick, tolerated)]
    return zones.score(failed_total * shares[0], failed_total * shares[1])


def _earliest(zones: Zones, failed: float) -> tuple[float, float]:
    """As many failed spans as may be were satisfied, then tolerated."""
    satisfied = min(failed, zones.satisfied)
    return satisfied, min(failed - satisfied, zones.tolerating)


def _latest(zones: Zones, failed: float) -> tuple[float, float]:
    """As few as may be."""
    tolerating = min(max(failed - zones.frustrated, 0.0), zones.tolerating)
    return max(failed - zones.frustrated - tolerating, 0.0), tolerating
