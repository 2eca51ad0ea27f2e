"""Sketches of distinct sessions, against sets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import sessions
from ingest.sessions import MOST_EXACT

IDS = st.integers(-(2**63), 2**63 - 1).filter(bool)


def sketch(ids: "set[int] | frozenset[int] | range") -> bytes:
    (found,) = sessions.sketches(np.zeros(len(ids), np.int64), np.array(sorted(ids), np.int64), 1)
    return found


@given(groups=st.lists(st.sets(IDS, max_size=MOST_EXACT), max_size=5))
def test_few_sessions_are_counted_exactly_apart_and_together(groups: list[set[int]]) -> None:
    numbers = np.repeat(np.arange(len(groups)), [len(group) for group in groups])
    ids = np.array([each for group in groups for each in sorted(group)], np.int64)
    found = sessions.sketches(numbers, ids, len(groups))
    assert [round(sessions.count(each)) for each in found] == [len(group) for group in groups]
    together: set[int] = set().union(*groups)
    assert sessions.count(sessions.merge(found)) == pytest.approx(len(together), rel=0.15)
    if len(together) <= MOST_EXACT:
        assert round(sessions.count(sessions.merge(found))) == len(together)


@given(groups=st.lists(st.sets(IDS, max_size=MOST_EXACT), max_size=5), most=st.integers(1, MOST_EXACT))
def test_coupons_tell_sessions_apart_across_sketches(groups: list[set[int]], most: int) -> None:
    whole = [sketch(group) for group in groups]
    heads = [each[: sessions.head_bytes(most)] for each in whole]
    number, coupon = sessions.coupons(b"".join(whole), np.array([len(each) for each in whole], np.int64))
    assert [len(set(coupon[number == place].tolist())) for place in range(len(groups))] == list(map(len, groups))
    assert len(set(coupon.tolist())) == len(set().union(*groups))
    number, coupon = sessions.coupons(b"".join(heads), np.array([len(each) for each in heads], np.int64))
    for place, group in enumerate(groups):
        assert len(set(coupon[number == place].tolist())) >= min(len(group), most)


@pytest.mark.parametrize("merged", [False, True])
def test_coupons_of_a_merged_sketch_are_those_of_its_parts(merged: bool) -> None:
    parts = [sketch(range(1, 30)), sketch(range(20, 60))]
    strung = [sessions.merge(parts)] if merged else parts
    _, coupon = sessions.coupons(b"".join(strung), np.array([len(each) for each in strung]))
    assert len(set(coupon.tolist())) == 59


@pytest.mark.parametrize("count", [MOST_EXACT + 1, 1000, 200_000])
def test_many_sessions_are_enough_for_any_policy_and_take_little_room(count: int) -> None:
    large = sketch(range(1, count + 1))
    assert len(large) < 700
    assert sessions.count(large) == pytest.approx(count, rel=0.15)
    for part in (large, large[: sessions.head_bytes(5)]):
        number, coupon = sessions.coupons(part, np.array([len(part)]))
        assert set(number.tolist()) == {0}
        assert len(set(coupon.tolist())) == MOST_EXACT


def test_no_sessions_are_no_bytes() -> None:
    assert sessions.sketches(np.zeros(0, np.int64), np.zeros(0, np.int64), 2) == [b"", b""]
    assert sessions.merge([b"", b""]) == b""
    assert sessions.count(b"") == 0
    number, coupon = sessions.coupons(b"", np.array([0, 0]))
    assert (len(number), len(coupon)) == (0, 0)


def test_strung_sketches_come_apart_again() -> None:
    parts = [sketch({1}), b"", sketch(range(1, 50))]
    assert list(sessions.split(b"".join(parts), np.array([len(part) for part in parts]))) == parts
