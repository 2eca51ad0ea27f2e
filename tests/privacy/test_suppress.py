"""Suppression, against an attacker who solves equations: every sum that can be computed is of k sessions."""

from collections.abc import Iterable, Sequence
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy.suppress import Hidden, suppress

Group = frozenset[int]
Table = dict[tuple[int, ...], Group]
"""Cell → who was there; a cell that is there may have nobody with a session."""


def decide(table: Table, least: int, sizes: Sequence[int] | None = None) -> Hidden:
    cells = sorted(table)
    pairs = [(place, session) for place, cell in enumerate(cells) for session in sorted(table[cell])]
    return suppress(
        np.array(cells, np.int64).reshape(len(cells), -1).T,
        np.array(sizes or [len(table[cell]) + 1 for cell in cells]),
        (np.array([p for p, _ in pairs], np.int64), np.array([s for _, s in pairs], np.int64)),
        least,
    )


def hidden_cells(table: Table, least: int, sizes: Sequence[int] | None = None) -> set[tuple[int, ...]]:
    found = decide(table, least, sizes)
    finest = max(found.masks, key=len)
    return {cell for cell, hidden in zip(sorted(table), found.masks[finest], strict=True) if hidden}


def figures(table: Table, least: int, tables: Iterable[tuple[int, ...]], shape: tuple[int, ...]) -> np.ndarray:
    """Everything that is shown in these tables, each as a row over all combinations of values."""
    found = decide(table, least)
    combinations_of = list(product(*map(range, shape)))
    rows = []
    for kept in tables:
        shown = {
            tuple(cell[place] for place in kept)
            for cell, hidden in zip(sorted(table), found.masks[kept], strict=True)
            if not hidden
        }
        rows += [[tuple(at[place] for place in kept) == cell for at in combinations_of] for cell in sorted(shown)]
    return np.array(rows, np.float64).reshape(len(rows), len(combinations_of))


def isolated(table: Table, least: int, shown: np.ndarray, shape: tuple[int, ...]) -> list[set[tuple[int, ...]]]:
    """The sets of cells with fewer sessions than k whose sum is a combination of what is shown."""
    at = list(product(*map(range, shape)))
    sets = np.array(list(product((0.0, 1.0), repeat=len(at))))
    if not len(shown):
        return []
    basis = np.linalg.svd(shown, full_matrices=False)
    basis = basis[2][basis[1] > 1e-9]
    computable = sets[np.abs(sets - sets @ basis.T @ basis).max(axis=1) < 1e-9]
    leaks = []
    for members in computable:
        cells = {cell for cell, inside in zip(at, members, strict=True) if inside and cell in table}
        if cells and len(frozenset().union(*(table[cell] for cell in cells))) < least:
            leaks.append(cells)
    return leaks


def subsets(dimensions: int) -> list[tuple[int, ...]]:
    return [chosen for count in range(dimensions + 1) for chosen in combinations(range(dimensions), count)]


@st.composite
def tables(draw: st.DrawFn, shape: tuple[int, ...]) -> Table:
    people = draw(st.integers(1, 14))
    groups = st.one_of(
        st.none(), st.frozensets(st.integers(1, people), max_size=2), st.frozensets(st.integers(1, people), max_size=9)
    )
    cells = {at: draw(groups) for at in product(*map(range, shape))}
    return {at: group for at, group in cells.items() if group is not None} or {next(iter(cells)): frozenset()}


@pytest.mark.parametrize("shape", [(5,), (2, 2), (2, 5), (3, 3), (3, 4)])
def test_no_computation_from_a_table_and_its_totals_isolates_fewer_than_k(shape: tuple[int, ...]) -> None:
    @given(table=tables(shape), least=st.integers(2, 5))
    @settings(max_examples=300)
    def check(table: Table, least: int) -> None:
        shown = figures(table, least, subsets(len(shape)), shape)
        assert isolated(table, least, shown, shape) == []

    check()


@pytest.mark.parametrize("shape", [(2, 2, 2), (2, 2, 3)])
def test_with_three_dimensions_neither_does_one_from_a_coarser_table(shape: tuple[int, ...]) -> None:
    @given(table=tables(shape), least=st.integers(2, 5), data=st.data())
    @settings(max_examples=300)
    def check(table: Table, least: int, data: st.DataObject) -> None:
        coarser = [chosen for chosen in subsets(3) if len(chosen) < 3]
        one = data.draw(st.sampled_from(coarser))
        shown = figures(table, least, [one, (0, 1, 2)], shape)
        assert isolated(table, least, shown, shape) == []

    check()


@pytest.mark.parametrize("shape", [(2, 4), (3, 3), (4, 3)])
def test_nor_where_rows_and_columns_are_of_small_cells_alone(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(5)
    for _ in range(150):
        least, first, table = int(rng.integers(3, 6)), 0, Table()
        for at in product(*map(range, shape)):
            people = int(rng.choice([0, 1, 2, 3, rng.integers(6, 20)], p=[0.15, 0.15, 0.25, 0.15, 0.3]))
            if people:
                table[at] = frozenset(range(first, first + people))
                first += people if rng.random() < 0.8 else 1
        shown = figures(table, least, subsets(2), shape)
        assert isolated(table, least, shown, shape) == [], (table, least)


def people(*counts: int) -> list[Group]:
    """Groups of so many, nobody in two of them."""
    ends = np.cumsum(counts).tolist()
    return [frozenset(range(end - count, end)) for end, count in zip(ends, counts, strict=True)]


def grid(*rows: Sequence[int]) -> Table:
    groups = iter(people(*(count for row in rows for count in row)))
    cells = {(r, c): next(groups) for r, row in enumerate(rows) for c in range(len(row))}
    return {at: group for at, group in cells.items() if group}


def test_nothing_is_hidden_where_every_group_is_large_enough() -> None:
    table = grid([5, 6, 7], [8, 5, 5])
    assert hidden_cells(table, 5) == set()
    assert decide(table, 5).cells == {(): 0, (0,): 0, (1,): 0, (0, 1): 0}


def test_of_one_dimension_the_smallest_of_the_others_goes_with_a_small_group() -> None:
    table = {(number,): group for number, group in enumerate(people(2, 30, 9, 12))}
    assert hidden_cells(table, 5) == {(0,), (2,)}


def test_small_groups_that_are_enough_together_take_nobody_with_them() -> None:
    table = {(number,): group for number, group in enumerate(people(2, 3, 9, 12))}
    assert hidden_cells(table, 5) == {(0,), (1,)}


def test_the_same_people_in_several_small_groups_are_not_enough_together() -> None:
    table = {(0,): frozenset({1, 2}), (1,): frozenset({1, 2, 3}), (2,): frozenset(range(9)), (3,): frozenset(range(20))}
    assert hidden_cells(table, 5) == {(0,), (1,), (2,)}


def test_a_small_cell_takes_a_rectangle_with_it() -> None:
    table = grid([2, 9, 30, 40], [8, 7, 30, 40], [30, 30, 30, 40])
    assert hidden_cells(table, 5) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_two_lines_with_a_large_hidden_cell_each_would_not_do() -> None:
    """Else column 0 less what it shows were (0,0) + (1,0), and row 1 less what it shows (1,0)."""
    table = grid([2, 9, 30], [8, 30, 30], [30, 30, 30])
    hidden = hidden_cells(table, 5)
    assert {(0, 0), (0, 1), (1, 0)} < hidden
    assert (1, 1) in hidden


def test_a_column_of_small_cells_alone_has_one_complement_for_all_its_rows() -> None:
    table = grid([2, 9, 30], [3, 30, 9], [0, 30, 30])
    assert isolated(table, 5, figures(table, 5, subsets(2), (3, 3)), (3, 3)) == []
    assert (2, 1) not in hidden_cells(table, 5)


def test_what_is_hidden_in_a_coarser_table_is_hidden_in_every_finer_one() -> None:
    rng = np.random.default_rng(9)
    for _ in range(20):
        table = {
            at: frozenset(rng.integers(0, 40, rng.integers(0, 9)).tolist())
            for at in product(range(3), range(3), range(3))
            if rng.random() < 0.8
        }
        found = decide(table, 4)
        for chosen, mask in found.masks.items():
            for left_out in chosen:
                coarser = found.masks[tuple(each for each in chosen if each != left_out)]
                assert not (coarser & ~mask).any()


def test_a_coarser_table_is_decided_alike_whether_asked_alone_or_not() -> None:
    rng = np.random.default_rng(11)
    for _ in range(20):
        fine = {
            at: frozenset(rng.integers(0, 60, rng.integers(0, 12)).tolist())
            for at in product(range(4), range(3))
            if rng.random() < 0.8
        }
        coarse: Table = {}
        for (value, _other), group in fine.items():
            coarse[value,] = coarse.get((value,), frozenset()) | group
        sizes = [sum(len(fine[at]) + 1 for at in fine if at[0] == value) for (value,) in sorted(coarse)]
        masks = decide(fine, 5).masks
        within = {at[:1] for at, hidden in zip(sorted(fine), masks[0,], strict=True) if hidden}
        assert within == hidden_cells(coarse, 5, sizes)


def test_the_order_of_cells_does_not_matter_and_ties_go_to_the_first() -> None:
    table = grid([2, 9, 9], [9, 9, 9], [9, 9, 9])
    cells = sorted(table)
    order = np.random.default_rng(2).permutation(len(cells))
    shuffled = suppress(
        np.array([cells[place] for place in order]).T,
        np.full(len(cells), 10),
        (
            np.array([row for row, place in enumerate(order) for _ in table[cells[place]]]),
            np.array([each for place in order for each in table[cells[place]]]),
        ),
        5,
    )
    found = {cells[place] for place, hidden in zip(order, shuffled.masks[0, 1], strict=True) if hidden}
    assert found == hidden_cells(table, 5) == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_any_k_of_a_large_group_will_do() -> None:
    table = grid([2, 90, 30], [80, 70, 30], [30, 30, 30])
    capped = {at: frozenset(sorted(group)[:5]) for at, group in table.items()}
    sizes = [len(table[at]) for at in sorted(table)]
    assert hidden_cells(capped, 5, sizes) == hidden_cells(table, 5, sizes)


def test_an_empty_table_has_nothing_to_hide() -> None:
    none = np.zeros(0, np.int64)
    found = suppress(np.zeros((2, 0), np.int64), none, (none, none), 5)
    assert {chosen: len(mask) for chosen, mask in found.masks.items()} == {(): 0, (0,): 0, (1,): 0, (0, 1): 0}
