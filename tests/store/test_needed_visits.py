"""Who was where, as a question judges it: sessions that change no decision are left out, and none that does."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest import sessions
from ingest.store.disclose import Visits, hidden_cells
from ingest.store.fetched import Fetched
from ingest.store.plan import Plan

DAY_US = 86_400_000_000
CELLS = [(f"route {route}", f"version {version}") for route in range(3) for version in range(3)]
ROWS = st.lists(
    st.tuples(st.integers(0, len(CELLS) - 1), st.lists(st.integers(1, 12), max_size=8)), min_size=1, max_size=30
)
"""Cell and sessions of each."""


def fetched(rows: list[tuple[int, list[int]]]) -> Fetched:
    """One sketch for each row."""
    seen = [(row, session) for row, (_, of_row) in enumerate(rows) for session in of_row]
    row, session = np.array(seen, np.int64).reshape(-1, 2).T
    sketches = sessions.sketches(row, session, len(rows))
    zero = np.zeros(len(rows), np.int64)
    return Fetched(
        cell=np.array([cell for cell, _ in rows], np.int64),
        at_us=zero,
        spans=np.array([max(len(of_row), 1) for _, of_row in rows], np.int64),
        errors=zero,
        reused=np.zeros((0, len(rows)), np.int64),
        unknown=np.zeros((0, len(rows)), np.int64),
        sketches=[],
        visited=np.arange(len(rows)),
        session_sizes=np.array([len(sketch) for sketch in sketches], np.int64),
        sessions=b"".join(sketches),
    )


@given(ROWS, st.integers(2, 6))
def test_the_same_cells_are_hidden_as_if_every_session_were_counted(
    rows: list[tuple[int, list[int]]], least: int
) -> None:
    found = fetched(rows)
    some = found.visits(Plan(0, DAY_US, DAY_US, ()), least)
    place, session = sessions.coupons(found.sessions, found.session_sizes)
    everyone = Visits(some.cell, some.step, some.spans, found.visited[place], session)
    assert len(some.session) <= len(everyone.session)
    hidden, suppressed = hidden_cells(CELLS, some, least)
    expected, all_suppressed = hidden_cells(CELLS, everyone, least)
    assert hidden.tolist() == expected.tolist()
    assert suppressed == all_suppressed


def test_of_a_cell_with_a_large_sketch_no_more_sessions_are_judged_than_wanted() -> None:
    found = fetched([(0, [*range(1, 200)]), (0, [300, 301]), (1, [300])])
    visits = found.visits(Plan(0, DAY_US, DAY_US, ()), 5)
    assert np.bincount(found.cell[visits.row]).tolist() == [5, 1]
