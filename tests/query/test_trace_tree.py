"""The tree of a trace's spans, however they contradict each other."""

from collections.abc import Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.query.trace_tree import NONE, Top, Tree, grow


def tree_of(spans: Sequence[tuple[int, int]], senders: Sequence[int] = (), starts: Sequence[int] = ()) -> Tree:
    """The tree of (id, parent's id); senders all alike and starts by row unless given."""
    count = len(spans)
    return grow(
        np.array([span_id for span_id, _ in spans], np.uint64),
        np.array([parent for _, parent in spans], np.uint64),
        np.array(senders or [1] * count, np.int64),
        np.array(starts or range(count), np.int64),
    )


def test_children_hang_on_their_parent_by_start() -> None:
    tree = tree_of([(1, 0), (2, 1), (3, 1), (4, 3)], starts=[0, 30, 20, 25])
    assert tree.parent.tolist() == [NONE, 0, 0, 2]
    assert tree.children(0).tolist() == [2, 1]
    assert tree.depth.tolist() == [0, 1, 1, 2]
    assert tree.children_count.tolist() == [2, 0, 1, 0]


def test_a_span_whose_parent_is_not_there_is_an_orphan_at_the_top() -> None:
    tree = tree_of([(1, 0), (2, 77), (3, 2)])
    assert tree.top.tolist() == [Top.ROOT, Top.ORPHAN, Top.NOT]
    assert tree.tops.tolist() == [0, 1]
    assert tree.depth.tolist() == [0, 0, 1]


def test_several_roots_are_all_tops() -> None:
    assert tree_of([(1, 0), (2, 0), (3, 0)], starts=[5, 1, 3]).tops.tolist() == [1, 2, 0]


def test_a_ring_of_ancestors_is_cut_above_its_earliest_span() -> None:
    tree = tree_of([(1, 3), (2, 1), (3, 2), (4, 3)], starts=[20, 10, 30, 0])
    assert tree.parent.tolist() == [2, NONE, 1, 2]
    assert tree.top.tolist() == [Top.NOT, Top.CYCLE, Top.NOT, Top.NOT]
    assert tree.depth.tolist() == [2, 0, 1, 2]


def test_a_span_that_is_its_own_parent_is_a_top() -> None:
    tree = tree_of([(1, 1), (2, 1)])
    assert tree.top.tolist() == [Top.CYCLE, Top.NOT]


def test_a_child_stays_with_its_own_sender_when_a_stranger_repeats_its_parents_id() -> None:
    tree = tree_of([(1, 0), (1, 0), (2, 1)], senders=[66, 5, 5])
    assert tree.parent.tolist() == [NONE, NONE, 1]
    assert tree.shared_id.tolist() == [True, True, False]


def test_a_child_of_nobodys_sender_hangs_on_the_earliest_of_the_spans_with_the_id() -> None:
    tree = tree_of([(1, 0), (1, 0), (2, 1)], senders=[66, 5, 4], starts=[9, 3, 10])
    assert tree.parent[2] == 1


def test_ten_thousand_spans_below_each_other_are_no_deeper_than_they_say() -> None:
    count = 10_000
    tree = tree_of([(row + 1, row) for row in range(count)])
    assert tree.depth.tolist() == list(range(count))


def test_ten_thousand_spans_of_one_id_that_name_it_as_their_parent_end_in_a_tree() -> None:
    tree = tree_of([(7, 7)] * 10_000)
    assert tree.tops.tolist() == [0]
    assert tree.children_count[0] == 9_999


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(1, 8), st.integers(0, 10), st.integers(0, 3), st.integers(0, 5)), max_size=20))
def test_every_span_is_in_the_tree_once_whatever_they_say_of_each_other(spans: list[tuple[int, int, int, int]]) -> None:
    tree = tree_of(
        [(span_id, parent) for span_id, parent, _, _ in spans],
        [sender for _, _, sender, _ in spans],
        [start for _, _, _, start in spans],
    )
    met, waiting = [], [(row, 0) for row in tree.tops.tolist()]
    while waiting:
        row, depth = waiting.pop()
        met.append(row)
        assert tree.depth[row] == depth
        waiting += [(child, depth + 1) for child in tree.children(row).tolist()]
    assert sorted(met) == list(range(len(spans)))
    assert [top != Top.NOT for top in tree.top.tolist()] == (tree.parent == NONE).tolist()
    for row, parent in enumerate(tree.parent.tolist()):
        if parent != NONE:
            assert spans[parent][0] == spans[row][1], "a child hangs on a span of the id that it names"
