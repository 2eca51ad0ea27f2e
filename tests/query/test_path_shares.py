"""Whom the end of a trace waited for: the critical path, summed over spans alike."""

import numpy as np
import pytest

from ingest.query.path_shares import share
from tests.query.test_critical_path import grown, thought
from tests.query.trace_rows import Made


def shares(made: list[Made]) -> list[tuple[str, str, int, int, int]]:
    """(name, service, spans, µs, id of the longest)."""
    found = thought(made)
    spans, strings = found.read.spans, found.read.strings
    summed = share(found.path, spans)
    return [
        (strings[spans.name[row]], strings[spans.service[row]], count, us, int(spans.span_id[row]))
        for row, count, us in zip(summed.longest, summed.spans.tolist(), summed.us.tolist(), strict=True)
    ]


def test_repeated_calls_are_one_share_and_name_the_longest() -> None:
    calls = [Made(n + 2, 1, start=n * 100, us=50 + n, name="SELECT", service="db") for n in range(4)]
    made = [Made(1, us=1000, name="page"), *calls]
    assert shares(made) == [("page", "app", 1, 1000 - 206, 1), ("SELECT", "db", 4, 206, 5)]


def test_the_same_name_from_another_sender_is_another_share() -> None:
    made = [
        Made(1, us=1000, name="GET"),
        Made(2, 1, start=0, us=600, name="GET", service="proxy", backend=True, err_ms=0),
    ]
    assert shares(made) == [("GET", "proxy", 1, 600, 2), ("GET", "app", 1, 400, 1)]


def test_what_nobody_waited_for_has_no_share() -> None:
    assert shares([Made(1, us=1000), Made(2, 1, start=100, us=0, name="instant")]) == [("span", "app", 1, 1000, 1)]


@pytest.mark.parametrize("count", [1, 10, 1000, 10_000])
def test_the_shares_last_as_long_as_the_path(count: int) -> None:
    found = thought(grown(count, seed=5))
    summed = share(found.path, found.read.spans)
    assert summed.us.sum() == (found.path.to_us - found.path.from_us).sum()
    assert summed.spans.sum() == len(np.unique(found.path.row))
    assert (np.diff(summed.us) <= 0).all()
