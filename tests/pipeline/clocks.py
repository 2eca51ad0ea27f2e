"""Bodies with clocks, put before `anchor_clock` as the pipeline does; and a device whose true times are known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np

from client_sdk_spec.clock import Anchor, DeviceClock
from ingest.edge.receive import read_stamp
from ingest.model import UNKNOWN, ClockKind, Reception, SendStamp, SpanBatch
from ingest.pipeline.anchor_clock import anchor_clock
from ingest.pipeline.findings import Anchored
from ingest.pipeline.scopes import find_scopes
from ingest.pipeline.scrub import scrub
from ingest.settings import Policy
from tests.batches import NOW_US, built_in, policy, spans_of


@dataclass(frozen=True)
class Body:
    """One request: what its `clock` map says, what its spans are and how it came in."""

    clock: dict[str, Any]
    spans: Sequence[tuple[int, int]]
    """Start and duration by the device's clock."""
    stamp: SendStamp | None = None
    received_us: int = NOW_US
    session: str = "s-1"
    trusted: bool = False
    app_id: int = 1


def decoded(bodies: Sequence[Body]) -> SpanBatch:
    """What the decoder would make of them."""
    spans = [
        {"body": row, "start_us": start, "duration_us": duration}
        for row, body in enumerate(bodies)
        for start, duration in body.spans
    ]
    batch = spans_of(spans, bodies=len(bodies))
    texts = [text for body in bodies for text in (body.clock.get("epoch", ""), body.session)]
    strings = [*batch.strings, *texts]
    codes = np.arange(len(batch.strings), len(strings), dtype=np.int32)
    codes[[not text for text in texts]] = 0
    clocks = [body.clock for body in bodies]
    return replace(
        batch,
        strings=strings,
        resources=replace(batch.resources, session=codes[1::2]),
        bodies=replace(
            batch.bodies,
            clock=np.array(
                [ClockKind.WALL if c.get("kind") == "wall" else ClockKind.MONOTONIC for c in clocks], np.uint8
            ),
            epoch=codes[::2],
            sealed_mono_us=np.array([c.get("mono_us", UNKNOWN) for c in clocks], np.int64),
            sealed_wall_us=np.array([c.get("wall_us", UNKNOWN) for c in clocks], np.int64),
            steps=np.array([c.get("steps", UNKNOWN) for c in clocks], np.int64),
        ),
    )


def anchored(*bodies: Body, rules: Policy | None = None) -> Anchored:
    """What the stage finds of the bodies of one micro-batch."""
    rules = rules or policy()
    receptions = [
        Reception(app_id=body.app_id, received_at_us=body.received_us, send=body.stamp, trusted=body.trusted)
        for body in bodies
    ]
    scopes = find_scopes(receptions, rules.ring, built_in)
    batch, _ = scrub(decoded(bodies), scopes)
    return anchor_clock(batch, receptions, rules, scopes)


class Device:
    """A device in true time: its clocks drift, it may sleep, its wall clock may be set. It runs the reference clock."""

    def __init__(self, *, counts_sleep: bool = True, drift_ppm: int = 0, wall_error_us: int = 0) -> None:
        self.now_us = NOW_US
        """True time."""
        self.wall_error_us = wall_error_us
        self._counts_sleep, self._drift_ppm = counts_sleep, drift_ppm
        self._names = (f"epoch-{number}" for number in count())
        self._running_us = 5_000_000
        self.client = self._boot({})

    def _boot(self, anchors: dict[str, Anchor]) -> DeviceClock:
        return DeviceClock(self.mono, self.wall, counts_sleep=self._counts_sleep, names=self._names, anchors=anchors)

    def mono(self) -> int:
        return self._running_us + self._running_us * self._drift_ppm // 1_000_000

    def wall(self) -> int:
        return self.now_us + self.wall_error_us

    def wait(self, us: int) -> None:
        """Time passes while the client samples its clocks."""
        self.now_us += us
        self._running_us += us
        self.client.sample()

    def sleep(self, us: int) -> None:
        """Nobody samples anything until it wakes."""
        self.now_us += us
        self._running_us += us if self._counts_sleep else 0
        self.client.sample()

    def set_wall(self, by_us: int) -> None:
        self.wall_error_us += by_us
        self.client.sample()

    def reboot(self, *, keeping_anchors: bool) -> None:
        self.now_us += 40_000_000
        self._running_us = 3_000_000
        self.client = self._boot(self.client.anchors if keeping_anchors else {})

    def exchange(self, up_us: int, down_us: int, serving_us: int = 2_000) -> None:
        """A request and its answer, of which the client makes an anchor."""
        sent = self.mono()
        self.wait(up_us)
        received_us = self.now_us
        self.wait(serving_us)
        replied_us = self.now_us
        self.wait(down_us)
        self.client.answered(sent, self.mono(), received_us, replied_us)

    def span(self, duration_us: int) -> tuple[tuple[int, int], int]:
        """A span as measured, and when it truly began."""
        start, truth = self.mono(), self.now_us
        self.wait(duration_us)
        return (start, self.mono() - start), truth

    def send(
        self, clock: dict[str, Any], spans: Sequence[tuple[int, int]], up_us: int, *, background: bool = False
    ) -> Body:
        """The batch as it arrives after `up_us`, with the stamp of an attempt made now."""
        stamp = read_stamp(self.client.stamp(clock["epoch"], background=background))
        self.wait(up_us)
        return Body(clock, spans, stamp, received_us=self.now_us)
