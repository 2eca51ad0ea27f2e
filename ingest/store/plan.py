"""Which rollup tiers to read for a range of time: the coarsest that answer exactly, the finest that are still kept.

Each tier is whole for as long as it is kept, so a range may be covered by pieces of different tiers, each piece by one.
"""

from dataclasses import dataclass
from typing import NamedTuple

from ingest.ports import Question
from ingest.settings import Settings


class Tier(NamedTuple):
    """A table of rollups, the width of its windows, and the stretch of time of a row in the table it is packed into."""

    table: str
    width_us: int
    stretch_us: int = 0
    """A multiple of the width; 0: the tier is not packed."""

    @property
    def packed(self) -> str:
        """The table it is packed into."""
        return f"{self.table}_packed"


TIERS = (
    Tier("rollup_10s", 10_000_000),
    Tier("rollup_1m", 60_000_000, 3_600_000_000),
    Tier("rollup_1h", 3_600_000_000, 86_400_000_000),
    Tier("rollup_1d", 86_400_000_000, 32 * 86_400_000_000),
)
"""Finest first. Days are UTC's."""


@dataclass(frozen=True, slots=True)
class Retention:
    """For how long things are kept, in µs."""

    tiers_us: tuple[int, int, int, int]
    """By `TIERS`."""
    spans_us: int

    @classmethod
    def of(cls, settings: Settings) -> "Retention":
        """As configured."""
        hour, day = 3_600_000_000, 86_400_000_000
        return cls(
            tiers_us=(
                settings["FIRSTHOP_ROLLUP_10S_HOURS"] * hour,
                settings["FIRSTHOP_ROLLUP_1M_DAYS"] * day,
                settings["FIRSTHOP_ROLLUP_1H_DAYS"] * day,
                settings["FIRSTHOP_ROLLUP_1D_DAYS"] * day,
            ),
            spans_us=settings["FIRSTHOP_SPAN_DAYS"] * day,
        )


class Piece(NamedTuple):
    """A stretch of time to read from one tier."""

    tier: Tier
    from_us: int
    to_us: int


@dataclass(frozen=True, slots=True)
class Plan:
    """The range widened to whole steps, the step as used, and the pieces that cover the range without overlap."""

    from_us: int
    to_us: int
    step_us: int
    pieces: tuple[Piece, ...]


def plan(question: Question, retention: Retention) -> Plan:
    """Where to read. A step that only a tier no longer kept could give is widened to one that can be given."""
    kept = [
        tier
        for tier, kept_us in zip(TIERS, retention.tiers_us, strict=True)
        if question.from_us - question.step_us >= question.now_us - kept_us
    ] or [TIERS[-1]]
    step = ceil(question.step_us, kept[0].width_us)
    start, end = floor(question.from_us, step), ceil(question.to_us, step)
    if question.over_time:
        tier = [tier for tier in kept if step % tier.width_us == 0][-1]
        pieces = [Piece(tier, start, end)]
    else:
        pieces = _cover(start, end, kept)
    return Plan(start, end, step, tuple(pieces))


def _cover(start: int, end: int, tiers: list[Tier]) -> list[Piece]:
    """Whole windows of the coarsest tier in the middle, finer tiers at both ends."""
    if start >= end:
        return []
    if len(tiers) == 1:
        return [Piece(tiers[0], start, end)]
    *finer, coarsest = tiers
    middle, rest = ceil(start, coarsest.width_us), floor(end, coarsest.width_us)
    if middle >= rest:
        return _cover(start, end, finer)
    return [*_cover(start, middle, finer), Piece(coarsest, middle, rest), *_cover(rest, end, finer)]


def floor(at_us: int, width_us: int) -> int:
    """The multiple of the width at or before."""
    return at_us // width_us * width_us


def ceil(at_us: int, width_us: int) -> int:
    """The multiple of the width at or after."""
    return -(-at_us // width_us) * width_us
