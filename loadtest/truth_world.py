"""The seeded world of `make truth`: what devices send, and beside it what is true.

Every device runs the reference client clock (`client_sdk_spec/clock.py`) over its own bad clocks, seals batches, queues
them while it is offline, stamps every attempt anew, gives up after ten seconds and tries again, loses answers, reboots,
and leaves some batches to the system. What the server receives are bytes and send stamps, as over HTTP.

Some of it breaks what the protocol assumes, on purpose and rarely (`Chances`): the spans it touches are marked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from loadtest.devices import make_life
from loadtest.truth_network import Chances
from loadtest.truth_sdk import Delivery, Sdk

I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of every span that was made, sent or not: one row per span."""

    span_id: npt.NDArray[np.uint64]
    trace_id: npt.NDArray[np.uint8]
    """(n, 16)"""
    start_at_us: I64
    """True start, µs since 1970."""
    wall_us: I64
    """What the device's wall clock said then."""
    duration_us: I64
    request: Mask
    """It is a request, not a screen."""
    required: Mask
    """An error or slow: kept by everybody."""
    device_class: I64
    """Row of `CLASSES`."""
    threshold: I64
    """T that its client samples ordinary spans by; 0: it sends all."""
    sent: Mask
    """Its client put it into the batch."""
    batch: I64
    touched: Mask
    """Something that the protocol assumes did not hold for its epoch or batch."""

    def __len__(self) -> int:
        return len(self.span_id)


@dataclass(frozen=True, slots=True)
class World:
    """All that the server receives, and the truth."""

    truth: Truth
    deliveries: Sequence[Delivery]
    """By time of receipt; lost answers make some batches come twice."""
    received_at_us: I64
    """By batch number: when it first came, µs since 1970; 0: never."""
    sent_wall_us: I64
    """By batch number: what the device's wall clock said when that attempt was sent."""


def make_world(
    seed: int, spans: int, *, days: float = 3.0, chances: Chances | None = None, sends_all: bool = False
) -> World:
    """Devices that together make at least this many spans in so many days.

    Args:
        seed: the same seed gives the same world.
        spans: how many spans are made, sent or not; a device more or less.
        sends_all: clients that sample declare their threshold and leave nothing out, so that somebody else can draw.
    """
    rng = np.random.default_rng(seed)
    chances = chances or Chances()
    numbers = count()
    rows: list[Mapping[str, npt.NDArray[Any]]] = []
    receipts: list[Delivery] = []
    walls: dict[int, tuple[int, int]] = {}
    made = 0
    while made < spans:
        life = make_life(rng, days, nap_share=chances.naps)
        sdk = Sdk(life, rng, chances, numbers, sends_all=sends_all)
        sdk.live()
        made += sum(len(row["span_id"]) for row in sdk.rows)
        rows += sdk.rows
        receipts += sdk.receipts
        walls |= sdk.first_receipts
    receipts.sort(key=lambda receipt: (receipt.reception.received_at_us, receipt.batch))
    firsts = np.array([walls.get(number, (0, 0)) for number in range(next(numbers))], dtype=np.int64).reshape(-1, 2)
    truth = Truth(**{field.name: np.concatenate([row[field.name] for row in rows]) for field in fields(Truth)})
    return World(truth, receipts, firsts[:, 0], firsts[:, 1])
