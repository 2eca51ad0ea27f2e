"""What the stages find out about a batch and hand to each other through `process`."""

from dataclasses import dataclass

from ingest.model import F64, I32, I64, U8, Mask
from ingest.outcome import Note

START_LIMIT_US = 1 << 60
"""36,000 years: beyond it sums of times would leave 64 bits."""

EVERYTHING, COUNTERS, NOTHING = 0, 1, 2
"""How much of a resource's spans may be taken in: `privacy.policy.Extent` as numbers that grow with strictness."""


Noted = tuple[Note, Mask]
"""A note and the (n,) spans it is about."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Per span: start in server time (µs since 1970), `ClockQuality`, error bound, and its fate by time."""

    start_at_us: I64
    quality: U8
    err_ms: I64
    fates: U8
    skew_ms: I64
    """Device's wall clock minus server time, or NOT_MEASURED."""
    conflict: Mask
    """The bounds contradicted each other."""
    upload_delay_ms: I64
    """Or NOT_MEASURED."""
    segment: I64
    """Which stretch of which device's clock; 0 when none is named."""
    offset_us: I64
    """start_at − start, plus a constant of the segment that nobody can know."""
    body_offset_us: I64
    """(m,) start_at − start, by body."""


@dataclass(frozen=True, slots=True)
class Devices:
    """Per resource: `DeviceClass`, and the code of its operating system's name."""

    classes: U8
    os: I32


@dataclass(frozen=True, slots=True)
class Placed:
    """Per sketch set: whether it counts, and the middle of its while in server time (µs since 1970)."""

    accepted: Mask
    at_us: I64
    spans: I64
    """(len(Note), m) spans in sets of each body, by what became of them."""


@dataclass(frozen=True, slots=True)
class Found:
    """All that counting needs beside the batch."""

    accepted: Mask
    """(n,) spans that no stage rejected."""
    anchored: Anchored
    devices: Devices
    countries: I32
    """(r,) code of the country of each resource's sender."""
    routes: I32
    """(n,) code of each span's route."""
    identities: I64
    """(r,) 64 bits of whoever is behind each resource, 0 when nobody may be told apart."""
    placed: Placed
    sketched_routes: I32
    """(s,) code of each sketch set's route."""
    sketched_signals: U8
    """(s,) `Signal` of each sketch set."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """Per span: whether it is kept, its weight if so, and the stratum it was drawn from."""

    kept: Mask
    weight: F64
    stratum: U8
    thinned: Mask
    """Spans that are always kept, if there were not too many of them."""
    barred: Mask
    """Spans that had no chance: no kept one stands for them."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """Per span: what its client's own sampling means."""

    randomness: I64
    """R in [0, 2^56)."""
    declared: I64
    """T that the client applied, 0 where it is not to be believed."""
    stands_for: I32
    """How many spans it counts for; 0 where others stand for it."""
    forged: Mask
    clamped: Mask
