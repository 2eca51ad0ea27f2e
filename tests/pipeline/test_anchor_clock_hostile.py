"""Whatever numbers a client sends: no exception, no number that wrapped around, and no span outside what is kept."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import NOT_MEASURED, UNKNOWN, Anchor, ClockQuality, SendStamp
from ingest.outcome import Outcome
from tests.batches import NOW_US, policy
from tests.pipeline.clocks import Body, anchored

INT64 = st.one_of(
    st.integers(-(1 << 63), (1 << 63) - 1),
    st.integers(-(1 << 53), 1 << 53),
    st.sampled_from([0, -1, -2, (1 << 32) - 3, 71 * 60_000_000, NOW_US, (1 << 63) - 1, -(1 << 63), 1 << 60, 1 << 62]),
)
WIRE = st.one_of(st.integers(0, (1 << 53) - 1), st.sampled_from([0, 1, 100_000_000, (1 << 53) - 1, NOW_US]))
SIGNED = st.one_of(WIRE, WIRE.map(lambda number: -number))
EPOCHS = st.sampled_from(["", "b1", "b2"])
ANCHORS = st.none() | st.builds(Anchor, offset_us=SIGNED, err_us=SIGNED, at_us=WIRE, epoch=EPOCHS)
STAMPS = st.none() | st.builds(
    SendStamp,
    mono_us=WIRE,
    wall_us=WIRE | st.just(UNKNOWN),
    epoch=EPOCHS,
    rtt_us=WIRE | st.just(UNKNOWN),
    background=st.booleans(),
    anchor=ANCHORS,
    bridge_us=st.none() | SIGNED,
)
CLOCKS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["mono", "wall"]), "epoch": EPOCHS},
    optional={"mono_us": INT64, "wall_us": INT64, "steps": INT64},
)
BODIES = st.builds(
    Body,
    clock=CLOCKS,
    spans=st.lists(st.tuples(INT64, INT64), max_size=5),
    stamp=STAMPS,
    session=st.sampled_from(["", "s-1"]),
    trusted=st.booleans(),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(BODIES, min_size=1, max_size=4))
def test_hostile_clocks_are_graded_and_bounded(bodies: list[Body]):
    rules = policy()
    found = anchored(*bodies, rules=rules)
    row = 0
    for number, body in enumerate(bodies):
        offset = int(found.body_offset_us[number])
        for start, _ in body.spans:
            # In numbers without end: what was stored is what the sum is.
            at = min(max(start, 0), 1 << 60) + offset
            assert int(found.start_at_us[row]) == at
            future, too_old = at > NOW_US + rules.limits.future_us, at < NOW_US - rules.retention_us
            fate = Outcome.FUTURE if future else Outcome.TOO_OLD if too_old else Outcome.KEPT
            assert found.fates[row] == fate
            row += 1
    bounded = found.quality <= ClockQuality.D
    assert (found.err_ms[bounded] >= 0).all()
    assert (found.err_ms[~bounded] <= rules.limits.backend_clock_err_ms).all()
    assert ((found.upload_delay_ms >= 0) | (found.upload_delay_ms == NOT_MEASURED)).all()


@pytest.mark.parametrize(
    ("clock", "stamp", "fate"),
    [
        ({"mono_us": -(1 << 62), "wall_us": 1 << 62}, None, Outcome.FUTURE),
        ({"mono_us": 1 << 62, "wall_us": -(1 << 62)}, None, Outcome.TOO_OLD),
        ({}, SendStamp((1 << 63) - 1), Outcome.TOO_OLD),
    ],
)
def test_differences_beyond_64_bits_stay_on_their_side(clock: dict[str, int], stamp: SendStamp | None, fate: Outcome):
    assert anchored(Body(clock, [(0, 0)], stamp)).fates.tolist() == [fate]


def exact(body: Body, start: int) -> tuple[int, int]:
    """Offset and bound in µs of the one span of a stamped body with an anchor, in numbers without end: `WIRE.md`."""
    stamp, anchor = body.stamp, body.stamp.anchor if body.stamp else None
    assert stamp is not None
    assert anchor is not None

    def drift(here: int, there: int) -> int:
        return -(-abs(here - there) // 10_000)

    at = min(start, stamp.mono_us)

    def possible(mono: int) -> tuple[int, int]:
        late, wide = drift(mono, stamp.mono_us), anchor.err_us + drift(mono, anchor.at_us)
        latest = body.received_us - stamp.mono_us
        return (
            max(latest - 10_000_000 - late, anchor.offset_us - wide),
            min(latest + late, anchor.offset_us + wide),
        )

    low, high = possible(at)
    offset = low + (high - low) // 2
    low, high = possible(start)
    return offset, max(abs(high - offset), abs(offset - low))


@settings(max_examples=300, deadline=None)
@given(
    start=st.integers(0, 1 << 60),
    sent=WIRE,
    made_before=st.integers(0, 1 << 40),
    err=st.integers(0, 4_000_000),
    shift=st.integers(-3_000_000, 0),
)
def test_the_columns_compute_what_numbers_without_end_do(start: int, sent: int, made_before: int, err: int, shift: int):
    anchor = Anchor(NOW_US - sent + shift, err, max(sent - made_before, 0), "b1")
    body = Body({"epoch": "b1"}, [(start, 0)], SendStamp(sent, epoch="b1", anchor=anchor))
    found: Any = anchored(body)
    if found.quality[0] == ClockQuality.A:
        offset, err_us = exact(body, start)
        assert int(found.body_offset_us[0]) == offset
        assert int(found.err_ms[0]) == -(-err_us // 1000)
    else:
        assert 2 * (err + -(-made_before // 10_000)) >= 10_000_000
