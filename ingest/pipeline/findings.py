"""What the stages find out about a batch and hand to each other through `process`."""

from dataclasses import dataclass

from ingest.model import F64, I32, I64, U8, Mask

START_LIMIT_US = 1 << 60
"""36,000 years: beyond it sums of times would leave 64 bits."""

EVERYTHING, COUNTERS, NOTHING = 0, 1, 2
"""How much of a resource's spans may be taken in: `privacy.policy.Extent` as numbers that grow with strictness."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Per span: start in server time (µs since 1970), `ClockQuality`, error bound, and its fate by time."""

    start_at_us: I64
    quality: U8
    err_ms: I64
    fates: U8


@dataclass(frozen=True, slots=True)
class Devices:
    """Per resource: `DeviceClass`, and the code of its operating system's name."""

    classes: U8
    os: I32


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


@dataclass(frozen=True, slots=True)
class Sampled:
    """Per span: whether it is kept, its weight if so, and the stratum it was drawn from."""

    kept: Mask
    weight: F64
    stratum: U8
