"""Spans of several clocks on one line of time: what moves, what never does, and what is certain afterwards."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import UNKNOWN
from ingest.query.timeline import BACKEND, DRIFT, Timeline, align, number_clocks
from ingest.query.trace_shape import shape
from ingest.query.trace_tree import grow
from tests.pipeline.clocks import Body, Device, anchored
from tests.query.trace_rows import START_US, Made, columns, server

HOUR = 3_600_000_000


def aligned(made: Sequence[Made]) -> dict[int, tuple[int, int]]:
    """By span id: start on the line of time from START_US, and its error, both in µs."""
    line, ids = timeline(made)
    return {
        span_id: (start - START_US, err)
        for span_id, start, err in zip(ids, line.start_us.tolist(), line.err_us.tolist(), strict=True)
    }


def timeline(made: Sequence[Made]) -> tuple[Timeline, list[int]]:
    """The line of time, and whose rows it has."""
    spans = columns(made).spans
    clock = number_clocks(spans)
    return align(spans, grow(spans.span_id, spans.parent_id, clock, spans.start_us), clock), spans.span_id.tolist()


def test_spans_of_one_clock_that_came_with_two_offsets_get_the_middle_of_what_both_allow() -> None:
    # Two batches of one boot: the second learned the offset better, and says 60 ms less.
    made = [
        Made(1, start=1_000_000, segment=5, offset=700, err_ms=100),
        Made(2, start=1_440_000, segment=5, offset=700 - 60_000, err_ms=20),
    ]
    # [-100, 100] and [-80, -40] ms: both hold -80 to -40. The clock may drift by 50 us in the half second between.
    assert aligned(made) == {1: (940_000, 20_051), 2: (1_440_000, 20_000)}


def test_backend_spans_stay_where_they_are_with_the_error_they_came_with() -> None:
    made = [server(1, 0, 500, 300, err_ms=100), Made(2, start=10, segment=3, err_ms=50)]
    assert aligned(made)[1] == (500, 100_000)


def test_a_server_inside_its_clients_request_moves_the_whole_clock_of_the_client() -> None:
    # The phone is a minute slow within its bound of 100 s; the server worked from 20 to 80 ms into a request of 100 ms.
    slow = 60_000_000
    made = [
        Made(1, start=-slow, us=900_000, segment=9, err_ms=100_000),
        Made(2, 1, start=300_000 - slow, us=100_000, segment=9, err_ms=100_000),
        Made(3, 1, start=700_000 - slow, us=1000, segment=9, err_ms=100_000),
        server(4, 2, start=320_000, us=60_000, err_ms=0),
    ]
    found = aligned(made)
    assert found[4] == (320_000, 0)
    # The request starts 0 to 40 ms before the server, give or take the drift of an instant.
    for span_id, truth in ((1, 0), (2, 300_000), (3, 700_000)):
        start, err = found[span_id]
        assert abs(start - truth) <= err <= 20_100
    assert found[2][0] - found[1][0] == 300_000
    assert found[3][0] - found[1][0] == 700_000
    line, ids = timeline(made)
    assert [ids[row] for row in np.flatnonzero(line.tightens)] == [4]
    assert not line.conflict.any()


def test_a_backend_span_that_contradicts_the_client_is_flagged_and_changes_nothing() -> None:
    made = [
        Made(1, start=0, us=100_000, segment=9, err_ms=1000),
        server(2, 1, start=50_000_000, us=60_000, err_ms=100),
    ]
    line, ids = timeline(made)
    assert line.conflict[line.clock[ids.index(1)]]
    assert not line.tightens.any()
    assert aligned(made)[1] == (0, 1_000_000)


def test_offsets_of_one_clock_that_contradict_each_other_are_flagged_and_move_nothing() -> None:
    made = [Made(1, segment=4, offset=0, err_ms=1), Made(2, start=10, segment=4, offset=9_000_000, err_ms=1)]
    line, _ = timeline(made)
    assert line.conflict[1:].tolist() == [True]
    assert line.shift_us.tolist() == [0, 0]
    assert line.err_us.tolist() == [1000, 1000]


def test_a_client_without_any_bound_is_bounded_by_its_backend() -> None:
    made = [Made(1, start=-HOUR, us=100_000), server(2, 1, start=20_000, us=60_000, err_ms=10)]
    start, err = aligned(made)[1]
    assert abs(start - 0) <= err
    assert err <= 31_000


def test_without_a_segment_what_a_backend_tells_of_one_span_is_no_bound_on_another_batch() -> None:
    # Two batches of one session, each placed by its own time of receipt: the second is 3 s late, nobody knows.
    made = [
        Made(1, start=-20_000, us=100_000, session="a"),
        Made(2, start=10_000_000 + 3_000_000, us=100_000, session="a"),
        server(3, 1, start=20_000, us=60_000, err_ms=10),
    ]
    found = aligned(made)
    # The request began 0 to 40 ms before its server, give or take the server's own 10 ms and the drift of an instant.
    start, err = found[1]
    assert abs(start) <= err <= 30_010
    assert found[2] == (start + 13_020_000, UNKNOWN)


def test_without_a_segment_every_span_keeps_the_bound_of_its_own_batch() -> None:
    # Offsets that differ by no known amount: one true to 10 ms, the other 3 s off within its bound of 5 s.
    made = [
        Made(1, start=0, us=100_000, session="a", err_ms=10),
        Made(2, start=10_000_000 + 3_000_000, us=100_000, session="a", err_ms=5000),
    ]
    found = aligned(made)
    for span_id, truth in ((1, 0), (2, 10_000_000)):
        start, err = found[span_id]
        assert abs(start - truth) <= err


def test_without_any_bound_the_error_stays_unknown_and_the_clock_keeps_together() -> None:
    made = [
        Made(1, segment=2, offset=5),
        Made(2, start=100, segment=2, offset=5),
        Made(3, start=200, segment=2, offset=9),
    ]
    assert aligned(made) == {1: (0, UNKNOWN), 2: (100, UNKNOWN), 3: (196, UNKNOWN)}


def test_a_server_longer_than_its_request_bounds_nothing() -> None:
    made = [Made(1, start=0, us=1000, segment=9, err_ms=500), server(2, 1, start=90_000, us=60_000, err_ms=0)]
    line, _ = timeline(made)
    assert not line.conflict.any()
    assert aligned(made)[1] == (0, 500_000)


def test_a_stranger_who_repeats_an_id_moves_no_ones_clock() -> None:
    victim = [Made(1, start=0, us=100_000, segment=9, err_ms=500), server(2, 1, start=40_000, us=50_000, err_ms=10)]
    stranger = Made(1, start=-30_000_000, us=99_000, segment=77, err_ms=60_000)
    found = timeline([*victim, stranger])[0]
    assert not found.tightens.any()
    assert not found.shift_us.any()


def test_two_sessions_without_segments_are_two_clocks() -> None:
    made = [
        Made(1, start=0, us=100_000, session="a"),
        Made(3, start=0, us=100_000, session="b"),
        server(2, 1, start=1_020_000, us=60_000, err_ms=0),
    ]
    found = aligned(made)
    assert found[3] == (0, UNKNOWN)
    assert 1_000_000 <= found[1][0] + 20_000 <= 1_040_000


def test_drift_widens_what_is_known_far_away() -> None:
    made = [Made(1, segment=1, err_ms=10), Made(2, start=10 * HOUR, segment=1, err_ms=100_000)]
    found = aligned(made)
    assert found[1][1] <= 10_000
    assert found[2][1] - 10_000 == 10 * HOUR // DRIFT + 1


def test_offsets_that_wrap_around_are_only_compared() -> None:
    top = (1 << 63) - 1
    made = [Made(1, segment=6, offset=top, err_ms=100), Made(2, start=10, segment=6, offset=top - 8, err_ms=100)]
    assert aligned(made) == aligned(
        [Made(1, segment=6, offset=8, err_ms=100), Made(2, start=10, segment=6, err_ms=100)]
    )


def stored(body: Body, first_id: int) -> list[Made]:
    """The spans of a micro-batch of one body as the clock stage stores them."""
    found = anchored(body)
    rows = zip(found.start_at_us, found.segment, found.offset_us, found.err_ms, body.spans, strict=True)
    return [
        Made(first_id + place, 0, int(at) - START_US, us, segment=int(segment), offset=int(offset), err_ms=int(err))
        for place, (at, segment, offset, err, (_, us)) in enumerate(rows)
    ]


def test_two_micro_batches_of_one_boot_are_put_together_as_the_device_measured_them() -> None:
    device = Device(drift_ppm=40)
    device.exchange(up_us=2_500_000, down_us=100_000)
    early, early_truth = device.span(80_000)
    first = stored(device.send(device.client.sealed(), [early], up_us=900_000), 1)
    device.wait(20_000_000)
    device.exchange(up_us=20_000, down_us=20_000)
    late, late_truth = device.span(50_000)
    second = stored(device.send(device.client.sealed(), [late], up_us=30_000), 2)
    assert second[0].start - first[0].start != late[0] - early[0], "each micro-batch had an offset of its own"
    assert first[0].err_ms is not None
    assert second[0].err_ms is not None
    found = aligned([*first, *second])
    assert found[2][0] - found[1][0] == late[0] - early[0]
    for span_id, truth in ((1, early_truth), (2, late_truth)):
        assert abs(found[span_id][0] + START_US - truth) <= found[span_id][1]
    assert found[1][1] < first[0].err_ms * 1000 / 10, "what was learned later holds for what was sent before"


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Made], dict[int, int]]:
    """Spans of phones and of servers as stored, and the true starts. Every stored interval holds the truth."""
    made, truth, number = [], {}, 0
    for phone in range(1, draw(st.integers(1, 3)) + 1):
        offset = draw(st.integers(-HOUR, HOUR))
        rate = draw(st.integers(-9, 9)) / (DRIFT * 10)
        for _ in range(draw(st.integers(1, 6))):
            start, us = draw(st.integers(0, 600_000_000)), draw(st.integers(0, 5_000_000))
            number += 1
            client, truth[number] = number, start
            err_ms = draw(st.none() | st.integers(1, 60_000))
            wrong = 0 if err_ms is None else draw(st.integers(-err_ms * 1000, err_ms * 1000))
            # Its own clock ran `start - (offset + drift)`; the stored start puts back an offset that is wrong.
            by_clock = start - offset - round(start * rate)
            own_offset = start - by_clock + wrong
            made.append(
                Made(
                    client,
                    start=start + wrong,
                    us=us,
                    segment=phone,
                    offset=own_offset,
                    err_ms=err_ms,
                    session=str(phone),
                )
            )
            if draw(st.booleans()):
                number += 1
                inside = draw(st.integers(0, us))
                took = draw(st.integers(0, us - inside))
                off_ms = draw(st.integers(0, 100))
                shown = start + inside + draw(st.integers(-off_ms * 1000, off_ms * 1000))
                made.append(server(number, client, shown, took, err_ms=off_ms))
                truth[number] = start + inside
    return made, truth


@settings(max_examples=300)
@given(worlds())
def test_intervals_that_held_the_truth_still_do_when_the_clocks_are_aligned(
    world: tuple[list[Made], dict[int, int]],
) -> None:
    made, truth = world
    line, ids = timeline(made)
    assert not line.conflict.any()
    for span_id, start, err in zip(ids, (line.start_us - START_US).tolist(), line.err_us.tolist(), strict=True):
        # Two roundings to whole microseconds.
        assert err == UNKNOWN or abs(start - truth[span_id]) <= err + 2


@settings(max_examples=200)
@given(worlds())
def test_no_known_error_grows_and_a_true_order_is_never_contradicted(world: tuple[list[Made], dict[int, int]]) -> None:
    made, truth = world
    found = aligned(made)
    for span in made:
        if span.err_ms is not None and not span.backend:
            assert found[span.id][1] <= span.err_ms * 1000 + 2 * 600_000_000 // DRIFT + 2, "but for drift"
    known = sorted(
        (start - err, start + err, truth[span_id]) for span_id, (start, err) in found.items() if err != UNKNOWN
    )
    for low, high, true_start in known:
        for other_low, _, other_start in known:
            if high + 4 < other_low:
                assert true_start <= other_start
        assert low - 2 <= true_start <= high + 2


@settings(max_examples=200)
@given(
    st.lists(
        st.builds(
            Made,
            id=st.integers(1, 6),
            parent=st.integers(0, 6),
            start=st.integers(-(1 << 50), 1 << 50),
            us=st.integers(0, 1 << 50),
            segment=st.integers(-2, 2),
            offset=st.integers(-(1 << 63), (1 << 63) - 1),
            err_ms=st.none() | st.integers(0, 1 << 53),
            backend=st.booleans(),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_whatever_is_stored_the_clocks_move_as_a_whole_or_not_at_all(made: list[Made]) -> None:
    found = shape(columns(made))
    line, spans = found.line, found.read.spans
    assert not line.shift_us[line.clock == BACKEND].any()
    assert int((found.path.to_us - found.path.from_us).sum()) == spans.duration_us[found.root]
    for clock in set(line.clock.tolist()) - {BACKEND}:
        rows = np.flatnonzero((line.clock == clock) & (spans.clock_segment == 0))
        assert len(set(line.shift_us[rows].tolist())) <= 1
