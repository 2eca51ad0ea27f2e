"""Repeated siblings of a trace, folded."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.query.fold import FOLD_FROM, Groups, fold
from ingest.query.trace_tree import NONE, Tree, grow
from tests.query.trace_rows import START_US, Made, columns


def folded(made: Sequence[Made]) -> tuple[Groups, Tree, list[int]]:
    """The groups, the tree, and the ids of its rows."""
    spans = columns(made).spans
    tree = grow(spans.span_id, spans.parent_id, np.zeros(len(spans), np.int64), spans.start_us)
    return fold(spans, tree, spans.start_us), tree, spans.span_id.tolist()


def images(count: int, parent: int = 1, first: int = 100) -> list[Made]:
    """So many requests for images, one a millisecond; the n-th lasts n ms, every tenth fails."""
    return [
        Made(first + n, parent, start=n * 1000, us=n * 1000, name="GET", route="GET cdn/{id}.png", failed=n % 10 == 0)
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("count", [10, 1000, 9990])
def test_siblings_of_one_name_and_route_are_one_group_with_its_figures(count: int) -> None:
    groups, _, ids = folded([Made(1, us=10_000_000), *images(count), Made(2, 1, name="POST"), Made(3, 1, name="POST")])
    assert len(groups) == 1
    assert ids[groups.leader[0]] == 101
    assert groups.spans[0] == count
    assert groups.errors[0] == count // 10
    assert groups.total_us[0] == 1000 * count * (count + 1) // 2
    assert (groups.min_us[0], groups.max_us[0]) == (1000, 1000 * count)
    assert groups.p95_us[0] == 1000 * -(-95 * count // 100)
    assert groups.start_us[0] == START_US + 1000
    assert groups.end_us[0] == START_US + 2000 * count
    assert (groups.of_row == 0).sum() == count


def test_fewer_than_a_handful_stay_as_they_are() -> None:
    assert len(folded([Made(1), *images(FOLD_FROM - 1)])[0]) == 0
    assert len(folded([Made(1), *images(FOLD_FROM)])[0]) == 1


def test_siblings_of_different_parents_are_different_groups() -> None:
    groups, _, ids = folded([Made(1), Made(2), *images(6), *images(7, parent=2, first=200)])
    assert {ids[leader]: size for leader, size in zip(groups.leader, groups.spans.tolist(), strict=True)} == {
        101: 6,
        201: 7,
    }


def test_orphans_of_one_missing_parent_are_folded_and_those_of_another_apart() -> None:
    groups, _, _ = folded([*images(6, parent=55), *images(8, parent=56, first=300)])
    assert sorted(groups.spans.tolist()) == [6, 8]


def test_a_route_of_its_own_keeps_a_span_out_of_the_group() -> None:
    groups, _, _ = folded([Made(1), *images(6), Made(500, 1, name="GET", route="GET cdn/{id}.svg")])
    assert groups.spans.tolist() == [6]


def test_a_trace_without_spans_has_no_groups() -> None:
    assert len(folded([])[0]) == 0


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.booleans(), st.integers(0, 50)), max_size=60),
)
def test_groups_are_what_counting_by_hand_finds(drawn: list[tuple[int, str, bool, int]]) -> None:
    made = [
        Made(number, parent, start=number, us=us, name=name, failed=failed)
        for number, (parent, name, failed, us) in enumerate(drawn, start=1)
    ]
    groups, tree, ids = folded(made)
    by_id = {span.id: span for span in made}
    families: dict[tuple[int, int, str], list[Made]] = {}
    for row, span_id in enumerate(ids):
        span, parent = by_id[span_id], int(tree.parent[row])
        families.setdefault((parent, span.parent if parent == NONE else 0, span.name), []).append(span)
    expected = {
        min(span.id for span in family): (
            len(family),
            sum(span.failed for span in family),
            sum(span.us for span in family),
            sorted(span.us for span in family)[-(-95 * len(family) // 100) - 1],
        )
        for family in families.values()
        if len(family) >= FOLD_FROM
    }
    columns_of = (groups.spans, groups.errors, groups.total_us, groups.p95_us)
    found = zip(*(column.tolist() for column in columns_of), strict=True)
    assert dict(zip([ids[leader] for leader in groups.leader], found, strict=True)) == expected
