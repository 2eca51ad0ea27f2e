"""The critical path: what the end of the root waited for."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.query.trace_shape import Shape, shape
from tests.query.trace_rows import START_US, Made, columns, server


def thought(made: Sequence[Made]) -> Shape:
    """The trace thought through; all clients of one clock that is exact, unless they say otherwise."""
    return shape(columns(made))


def pieces(made: Sequence[Made]) -> list[tuple[int, int, int]]:
    """(span, from, to) in µs from START_US."""
    found = thought(made)
    ids = found.read.spans.span_id[found.path.row].tolist()
    return list(zip(ids, (found.path.from_us - START_US).tolist(), (found.path.to_us - START_US).tolist(), strict=True))


def check_cover(found: Shape) -> None:
    """The path lasts exactly as long as the root, without gaps and overlaps."""
    path, row = found.path, found.root
    start, us = int(found.line.start_us[row]), int(found.read.spans.duration_us[row])
    assert int((path.to_us - path.from_us).sum()) == us <= found.end_us - found.begin_us
    if us == 0:
        assert len(path) == 0
        return
    assert (path.from_us[0], path.to_us[-1]) == (start, start + us)
    assert path.from_us[1:].tolist() == path.to_us[:-1].tolist()
    assert (path.to_us > path.from_us).all()


def test_a_lone_span_is_its_own_path() -> None:
    assert pieces([Made(1, start=5, us=100)]) == [(1, 5, 105)]


def test_the_path_leads_through_the_last_child_to_end_and_back_in_time() -> None:
    made = [
        Made(1, us=100),
        Made(2, 1, start=10, us=20),
        Made(3, 1, start=15, us=30),
        Made(4, 1, start=50, us=40),
        Made(5, 4, start=60, us=10),
    ]
    # 2 ran beside 3 and held nothing up: when 4 began, 3 had just ended.
    assert pieces(made) == [(1, 0, 15), (3, 15, 45), (1, 45, 50), (4, 50, 60), (5, 60, 70), (4, 70, 90), (1, 90, 100)]


def test_a_chain_of_requests_is_on_the_path_in_full() -> None:
    made = [Made(1, us=90), Made(2, 1, start=0, us=30), Made(3, 1, start=30, us=30), Made(4, 1, start=60, us=30)]
    assert pieces(made) == [(2, 0, 30), (3, 30, 60), (4, 60, 90)]


def test_a_child_that_outlives_its_parent_by_one_clock_was_not_waited_for() -> None:
    made = [Made(1, us=100), Made(2, 1, start=10, us=80), Made(3, 1, start=20, us=5000), Made(4, 3, start=30, us=10)]
    assert pieces(made) == [(1, 0, 10), (2, 10, 90), (1, 90, 100)]


def test_a_child_of_another_clock_that_reaches_out_is_cut_to_its_parent_for_the_path_alone() -> None:
    made = [Made(1, us=100_000, err_ms=50, segment=3), Made(2, 1, start=10_000, us=95_000, err_ms=30, segment=4)]
    assert pieces(made) == [(1, 0, 10_000), (2, 10_000, 100_000)]
    found = thought(made)
    assert (found.line.start_us - START_US).tolist() == [0, 10_000], "shown where it is"


def test_a_skewed_child_that_began_before_its_parent_is_cut_too() -> None:
    made = [Made(1, us=100_000, err_ms=50, segment=3), Made(2, 1, start=-20_000, us=60_000, err_ms=30, segment=4)]
    assert pieces(made) == [(2, 0, 40_000), (1, 40_000, 100_000)]


def test_a_child_that_outlives_its_parent_by_more_than_the_clocks_may_err_is_left_out() -> None:
    made = [server(1, 0, 0, 100_000), server(2, 1, 50_000, 251_000), server(3, 1, 20_000, 30_000)]
    assert pieces(made) == [(1, 0, 20_000), (3, 20_000, 50_000), (1, 50_000, 100_000)]


def test_spans_of_no_duration_are_on_no_path() -> None:
    assert pieces([Made(1, us=50), Made(2, 1, start=20, us=0)]) == [(1, 0, 50)]
    assert pieces([Made(1, us=0), Made(2, 1, start=0, us=0)]) == []


def test_the_path_is_of_the_earliest_root_of_a_client() -> None:
    made = [server(5, 0, -50, 10), Made(9, 77, start=-20, us=10), Made(2, start=3, us=7), Made(1, start=9, us=100)]
    assert pieces(made) == [(2, 3, 10)]


def grown(count: int, seed: int) -> list[Made]:
    """A trace of so many spans: nested work, async children that outlive, skewed backends, zero durations."""
    rng = np.random.default_rng(seed)
    made = [Made(1, us=60_000_000, err_ms=50, segment=7)]
    for number in range(2, count + 1):
        parent = made[int(rng.integers(0, max(1, len(made) // 3)))]
        start = parent.start + int(rng.integers(-500, parent.us + 500))
        us = int(rng.integers(0, parent.us + 1000)) if number % 7 else 0
        if number % 5 == 0 and not parent.backend:
            made.append(server(number, parent.id, start + int(rng.integers(-90_000, 90_000)), us))
        elif parent.backend:
            made.append(Made(number, parent.id, start, us, backend=True, err_ms=100, session=None))
        else:
            made.append(Made(number, parent.id, start, us, err_ms=50, segment=7))
    return made


@pytest.mark.parametrize("count", [10, 1000, 10_000])
def test_the_path_covers_the_root_whatever_hangs_below_it(count: int) -> None:
    for seed in range(3):
        found = thought(grown(count, seed))
        check_cover(found)
        assert len(found.path) > 1


def test_the_path_does_not_depend_on_the_order_in_which_spans_are_read() -> None:
    made = grown(1000, seed=4)
    assert pieces(made) == pieces(made[::-1])


def test_ten_thousand_calls_one_after_the_other_are_all_on_the_path() -> None:
    made = [Made(1, us=100_000), *(Made(n, 1, start=(n - 2) * 10, us=10) for n in range(2, 10_002))]
    found = thought(made)
    check_cover(found)
    assert len(found.path) == 10_000


def test_ten_thousand_spans_inside_each_other_are_walked_to_the_innermost() -> None:
    made = [Made(n, n - 1, start=n, us=2 * (10_001 - n)) for n in range(1, 10_001)]
    found = thought(made)
    check_cover(found)
    assert len(found.path) == 2 * 10_000 - 1


any_span = st.builds(
    Made,
    id=st.integers(1, 12),
    parent=st.integers(0, 14),
    start=st.integers(-100, 400),
    us=st.integers(0, 300),
    err_ms=st.none() | st.integers(0, 3),
    segment=st.integers(0, 2),
    backend=st.booleans(),
)


@settings(max_examples=500)
@given(st.lists(any_span, min_size=1, max_size=25))
def test_any_spans_give_a_path_that_lasts_as_long_as_the_root_without_gaps(made: list[Made]) -> None:
    check_cover(thought(made))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(1, 60)), min_size=1, max_size=8))
def test_of_children_in_time_the_path_takes_those_that_end_last_before_the_next_begins(
    children: list[tuple[int, int]],
) -> None:
    made = [Made(1, us=200), *(Made(n, 1, start=start, us=us) for n, (start, us) in enumerate(children, start=2))]
    cursor, expected = 200, set()
    while ended := [span for span in made[1:] if span.start + span.us <= cursor and span.id not in expected]:
        last = max(ended, key=lambda span: (span.start + span.us, -span.start, -span.id))
        expected.add(last.id)
        cursor = last.start
    assert {span_id for span_id, _, _ in pieces(made)} - {1} == expected
