"""Accounts and budgets by themselves: whatever is asked, probabilities are probabilities, and budgets are used up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.pipeline.account import MOST_CELLS, Account, Faded
from ingest.pipeline.budgets import FLOORS, Cells, Water

COUNTS = st.integers(0, 10**12)
ASKED = st.lists(
    st.tuples(
        st.floats(-10, 1e7),
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), COUNTS, COUNTS, COUNTS), min_size=1, max_size=6),
        st.floats(0, 1e12),
    ),
    min_size=1,
    max_size=20,
)


@given(ASKED, st.floats(1, 1e8), st.integers(0, 10_000), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_whatever_comes_at_whatever_time_what_is_answered_are_probabilities(
    asked: list[tuple[float, list[tuple[int, int, int, int, int]], float]],
    budget: float,
    floor: int,
    ceilings: list[float],
):
    now_s, account = 0.0, Account(np.array(ceilings), 0.0)
    for later_s, kinds, stored in asked:
        now_s += later_s
        classes, routes, ordinary, received, required = (np.array(column) for column in zip(*kinds, strict=True))
        counts = ordinary, np.minimum(received, ordinary), required
        found, others = account.ask(
            now_s, budget, floor, (classes.astype(np.uint8), [str(route) for route in routes]), counts
        )
        assert ((found >= 0) & (found <= np.array(ceilings)[classes])).all()
        assert 0 <= others <= 1
        account.stored(stored)
        rate, lowered = account.rate(now_s, budget, floor)
        assert 0 <= rate <= 1
        assert 0 <= lowered <= floor


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1e6), st.floats(0.01, 1), st.sampled_from([1.0, 0.5, 0.02, 0.0])),
        min_size=1,
        max_size=40,
    ),
    st.floats(0, 1e7),
    st.floats(0, 1e4),
)
def test_a_budget_is_used_up_or_everything_is_kept_and_floors_take_half_of_it_at_most(
    kinds: list[tuple[float, float, float]], budget: float, floor: float
):
    population, sent, ceiling = (np.array(column) for column in zip(*kinds, strict=True))
    cells = Cells(population, population * sent, ceiling)
    water = Water.fill(cells, floor, budget)
    rate, lowered = water.rate(budget)
    probability = np.minimum(ceiling, np.maximum(rate, water.floor / population)) * lowered
    kept = np.minimum(cells.received, probability * population)
    most = np.minimum(cells.received, ceiling * population)
    assert kept.sum() == pytest.approx(min(budget, most.sum()), rel=1e-6, abs=1e-6)
    assert np.minimum(water.floor, most).sum() <= FLOORS * budget * (1 + 1e-9) + 1e-6


def test_what_was_counted_fades_and_survives_any_length_of_time():
    faded = Faded(2, 60.0, 0.0)
    faded.add(np.array([0, 0, 1]), np.array([1.0, 2.0, 4.0]))
    faded.pass_to(60.0)
    assert faded.worth().tolist() == pytest.approx([3 / np.e, 4 / np.e])
    for later in (3600.0, 1e6, 1e9):
        faded.pass_to(later)
        faded.add(np.array([1]), np.array([1.0]))
        assert faded.worth().tolist() == pytest.approx([0.0, 1.0], abs=1e-9)


def test_a_kind_that_keeps_coming_outlives_those_that_came_once():
    account = Account(np.ones(4), 0.0)
    one = np.ones(1, np.int64)
    for minute in range(10):
        account.ask(60.0 * minute, 100.0, 1.0, (np.array([2], np.uint8), ["real"]), (one, one, one * 0))
    for second in range(60):
        routes = [f"invented {second} {number}" for number in range(500)]
        many = np.ones(500, np.int64)
        account.ask(600.0 + second, 100.0, 1.0, (np.full(500, 2, np.uint8), routes), (many, many, many * 0))
    assert "real" in [route for route, _ in account.busiest(2)]
    assert len(account.busiest(2)) <= MOST_CELLS
