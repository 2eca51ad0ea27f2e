"""Time to first byte, split into network and server."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import REUSED, UNKNOWN
from ingest.query.first_byte import ROUNDING_US, Split
from ingest.query.trace_shape import shape
from ingest.query.trace_tree import NONE
from tests.query.trace_rows import Made, columns, server


def split_of(made: Sequence[Made], span_id: int = 1) -> tuple[Split, int, int, int]:
    """State, network and server in µs and the id of the backend's span, of the span with this id."""
    found = shape(columns(made))
    ids = found.read.spans.span_id.tolist()
    row, first = ids.index(span_id), found.first_bytes
    told = int(first.server[row])
    server_id = NONE if told == NONE else ids[told]
    return Split(first.state[row]), int(first.network_us[row]), int(first.server_us[row]), server_id


def test_network_is_what_the_server_did_not_take() -> None:
    made = [Made(1, us=400_000, ttfb=300_000), server(2, 1, 50_000, 200_000)]
    assert split_of(made) == (Split.MEASURED, 100_000, 200_000, 2)


def test_without_a_backend_span_the_answer_says_how_long_the_server_took() -> None:
    assert split_of([Made(1, ttfb=300, server_us=120)]) == (Split.MEASURED, 180, 120, NONE)


def test_the_backends_own_span_counts_before_what_the_answer_said() -> None:
    made = [Made(1, us=400_000, ttfb=300_000, server_us=1), server(2, 1, 50_000, 200_000)]
    assert split_of(made)[1:] == (100_000, 200_000, 2)


def test_of_several_servers_the_last_to_start_made_the_final_answer() -> None:
    made = [Made(1, us=400_000, ttfb=100_000), server(2, 1, 10_000, 150_000), server(3, 1, 200_000, 70_000)]
    assert split_of(made) == (Split.MEASURED, 30_000, 70_000, 3)


def test_a_server_that_took_longer_than_the_first_byte_contradicts_it() -> None:
    made = [Made(1, us=400_000, ttfb=100_000), server(2, 1, 10_000, 150_000)]
    assert split_of(made) == (Split.CONTRADICTORY, UNKNOWN, 150_000, 2)


def test_timers_that_round_leave_no_network_below_zero() -> None:
    made = [Made(1, us=400_000, ttfb=100_000), server(2, 1, 10_000, 100_000 + ROUNDING_US)]
    assert split_of(made)[:2] == (Split.MEASURED, 0)


@pytest.mark.parametrize("ttfb", [UNKNOWN, REUSED])
def test_without_a_first_byte_the_network_is_unknown(ttfb: int) -> None:
    made = [Made(1, us=400_000, ttfb=ttfb), server(2, 1, 10_000, 150_000)]
    assert split_of(made) == (Split.UNKNOWN, UNKNOWN, 150_000, 2)


def test_a_span_whose_id_a_stranger_repeats_cannot_be_split_by_a_child() -> None:
    made = [Made(1, us=400, ttfb=300), Made(1, start=5, us=400, ttfb=300, session="x"), server(2, 1, 50, 200)]
    assert split_of(made)[:2] == (Split.UNKNOWN, UNKNOWN)


def test_a_span_of_which_no_server_told_is_not_linked() -> None:
    assert split_of([Made(1, ttfb=300), Made(2, 1)])[0] == Split.NOT_LINKED


def test_work_that_the_backend_did_later_does_not_split_anything() -> None:
    consumer = Made(2, 1, 50, 200, backend=True)
    assert split_of([Made(1, us=400, ttfb=300), consumer])[0] == Split.NOT_LINKED


@given(st.integers(UNKNOWN, 10**6), st.none() | st.integers(0, 10**6), st.none() | st.integers(0, 10**6))
def test_network_and_server_add_up_to_the_first_byte_or_network_is_unknown(
    ttfb: int, said: int | None, took: int | None
) -> None:
    made = [Made(1, us=10**6, ttfb=ttfb, server_us=said), *([] if took is None else [server(2, 1, 0, took)])]
    state, network, told, _ = split_of(made)
    if state == Split.MEASURED:
        assert 0 <= network <= ttfb
        assert max(ttfb, told) - (network + told) == 0
        assert told - ttfb <= ROUNDING_US
    else:
        assert network == UNKNOWN
