"""The bound on a span's start holds the truth, whatever the device did, as long as its clock drifts by less than ρ."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import ClockQuality
from ingest.pipeline.clock_bounds import SEND_TIMEOUT_US
from ingest.pipeline.findings import Anchored
from tests.pipeline.clocks import Device, anchored

HOUR_US = 3_600_000_000
DELAYS = st.integers(0, SEND_TIMEOUT_US // 2 - 10_000)
DRIFTS = st.integers(-99, 99)
WAITS = st.integers(0, 3 * 24 * HOUR_US)
SPANS = st.lists(st.tuples(st.integers(0, 20 * 60_000_000), st.integers(0, 60_000_000)), min_size=1, max_size=6)


def measure(device: Device, plan: list[tuple[int, int]]) -> tuple[list[tuple[int, int]], list[int]]:
    """Spans as measured, and their true starts; each comes after a wait."""
    spans, truths = [], []
    for wait_us, duration_us in plan:
        device.wait(wait_us)
        span, truth = device.span(duration_us)
        spans.append(span)
        truths.append(truth)
    return spans, truths


def check(found: Anchored, truths: list[int], *qualities: ClockQuality) -> None:
    assert set(found.quality.tolist()) <= set(qualities)
    errors = np.abs(found.start_at_us - np.array(truths))
    assert not found.conflict.any()
    assert (errors <= found.err_ms * 1000 + 1).all(), (errors, found.err_ms)


@settings(max_examples=150, deadline=None)
@given(drift=DRIFTS, plan=SPANS, up=DELAYS, exchanges=st.lists(st.tuples(DELAYS, DELAYS), max_size=3), later=WAITS)
def test_of_the_current_epoch(
    drift: int, plan: list[tuple[int, int]], up: int, exchanges: list[tuple[int, int]], later: int
):
    device = Device(drift_ppm=drift)
    for there, back in exchanges:
        device.exchange(there, back)
    spans, truths = measure(device, plan)
    clock = device.client.sealed()
    device.wait(later)
    found = anchored(device.send(clock, spans, up))
    check(found, truths, ClockQuality.A, ClockQuality.B)
    if not exchanges:
        assert set(found.quality.tolist()) == {ClockQuality.B}


@settings(max_examples=100, deadline=None)
@given(drift=DRIFTS, plan=SPANS, there=DELAYS, back=DELAYS, later=WAITS, upload=st.integers(0, 6 * HOUR_US))
def test_of_a_background_upload_whose_stamp_is_stale(
    drift: int, plan: list[tuple[int, int]], there: int, back: int, later: int, upload: int
):
    device = Device(drift_ppm=drift)
    device.exchange(there, back)
    spans, truths = measure(device, plan)
    clock = device.client.sealed()
    device.wait(later)
    check(anchored(device.send(clock, spans, upload, background=True)), truths, ClockQuality.A)


@settings(max_examples=100, deadline=None)
@given(
    drift=DRIFTS, plan=SPANS, there=DELAYS, back=DELAYS, later=WAITS, up=DELAYS, wall_by=st.integers(-HOUR_US, HOUR_US)
)
def test_of_an_earlier_boot_with_an_anchor_of_its_own(
    drift: int, plan: list[tuple[int, int]], there: int, back: int, later: int, up: int, wall_by: int
):
    device = Device(drift_ppm=drift)
    device.exchange(there, back)
    spans, truths = measure(device, plan)
    clock = device.client.sealed()
    device.wait(later)
    device.reboot(keeping_anchors=True)
    device.set_wall(wall_by)
    check(anchored(device.send(clock, spans, up)), truths, ClockQuality.C)


@settings(max_examples=100, deadline=None)
@given(
    drift=DRIFTS,
    plan=SPANS,
    up=DELAYS,
    by=st.one_of(st.integers(300_000, 12 * HOUR_US), st.integers(-12 * HOUR_US, -300_000)),
    slept=st.booleans(),
    exchange=st.none() | st.tuples(DELAYS, DELAYS),
)
def test_of_an_epoch_that_a_sleep_or_a_step_of_the_wall_clock_ended(
    drift: int, plan: list[tuple[int, int]], up: int, by: int, slept: bool, exchange: tuple[int, int] | None
):
    device = Device(counts_sleep=False, drift_ppm=drift)
    spans, truths = measure(device, plan)
    clock = device.client.sealed()
    if slept:
        device.sleep(abs(by))
    else:
        device.set_wall(by)
    if exchange is not None:
        device.exchange(*exchange)
    assert device.client.epoch != clock["epoch"]
    check(anchored(device.send(clock, spans, up)), truths, ClockQuality.D)


@settings(max_examples=100, deadline=None)
@given(
    drift=DRIFTS,
    plans=st.lists(SPANS, min_size=2, max_size=4),
    ups=st.lists(DELAYS, min_size=4, max_size=4),
    exchanges=st.lists(st.none() | st.tuples(DELAYS, DELAYS), min_size=4, max_size=4),
)
def test_of_bodies_of_one_epoch_which_share_an_offset_and_their_bounds(
    drift: int, plans: list[Any], ups: list[int], exchanges: list[Any]
):
    device = Device(drift_ppm=drift)
    bodies, truths = [], []
    for plan, up, exchange in zip(plans, ups, exchanges, strict=False):
        spans, begun = measure(device, plan)
        truths += begun
        bodies.append(device.send(device.client.sealed(), spans, up))
        if exchange is not None:
            device.exchange(*exchange)
    found = anchored(*bodies)
    check(found, truths, ClockQuality.A, ClockQuality.B)
    assert len(set(found.body_offset_us.tolist())) == 1
    assert len(set(found.quality.tolist())) == 1
