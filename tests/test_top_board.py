"""What `firsthop top` writes: rows in order, lines that fit, and nothing that a client could make of them."""

from typing import Any

import msgspec
import pytest

from ingest.client.answers import Latency
from ingest.top import QUANTILES
from ingest.top.ask import Question, Snapshot
from ingest.top.board import Board, lines, text
from ingest.top.figures import count, duration


def snapshot(*groups: tuple[str, float, float], by: str = "route", error: str = "") -> Snapshot:
    """Of groups with a value, spans and a p95 in µs."""

    def latency(made: list[dict[str, Any]]) -> Latency:
        shared = {"from": "2026-03-01T11:45:00Z", "to": "2026-03-01T12:00:00Z", "step_s": 80, "quantiles": QUANTILES}
        about = {"metric": "duration", "unit": "us", "source": "", "basis": "exact", "exact": True, "truncated": False}
        none = {"hidden_spans": 0, "weighted_spans": 0, "relative_error": 0.01}
        suppressed = {"least_sessions": 5, "groups": 2, "points": 0}
        return msgspec.convert({**shared, **about, **none, "suppressed": suppressed, "groups": made}, Latency)

    def tally(spans: float, p95: float) -> dict[str, Any]:
        counts = dict.fromkeys(("errors", "measured", "reused", "unknown"), 0)
        return {"spans": spans, **counts, "quantiles": [1.0, 2.0, p95, None]}

    made = [
        {
            "group": {by: value},
            "total": tally(spans, p95),
            "points": [{"at": "2026-03-01T11:58:40Z", **tally(1, p95)}],
        }
        for value, spans, p95 in groups
    ]
    every = latency([{"group": {}, "total": tally(10, 2e6), "points": []}])
    return Snapshot(Question("shop", 900, by), every, latency(made), error)


def test_what_clients_call_their_routes_moves_no_cursor_and_chooses_no_colour() -> None:
    hostile = snapshot(("GET \x1b[2J\x1b]0;title\x07/\n\r\u202e", 1, 1e6))
    assert all(line.isprintable() for line in text(Board(), hostile))
    assert all(line.text.isprintable() for line in lines(Board(), hostile, 100, 20))


@pytest.mark.parametrize(("width", "height"), [(200, 50), (80, 24), (20, 5), (3, 2), (1, 1), (0, 0)])
def test_lines_fit_every_size_of_a_terminal(width: int, height: int) -> None:
    wide = snapshot(*(("GET /東京/" + "x" * n, n, 1e6) for n in range(60)))
    drawn = lines(Board(), wide, width, height)
    assert len(drawn) == height
    assert all(len(line.text) <= width for line in drawn)


def test_letters_of_two_cells_count_as_two() -> None:
    drawn = lines(Board(unicode=False), snapshot(("東京" * 20, 1, 1e6)), 60, 10)
    assert drawn[4].text.endswith("東")
    assert len(drawn[4].text) == 57


def test_rows_are_sorted_and_scrolled_no_further_than_there_are_any() -> None:
    three = snapshot(("a", 3, 1e6), ("b", 2, 3e6), ("c", 1, 2e6))
    assert [row.split()[-1] for row in text(Board(sort="p95"), three)[4:]] == ["b", "c", "a"]
    assert Board().scrolled(3, 10).first == 2
    assert Board(first=2).scrolled(3, -10).first == 0
    assert Board().scrolled(0, 1).first == 0


def test_what_is_left_out_and_what_is_wrong_is_said() -> None:
    told = [line.text for line in lines(Board(), snapshot(("a", 1, 1e6), error="no answer"), 120, 10)]
    assert "2 left out: fewer than 5 sessions" in told[1]
    assert told[-1] == "These figures are from before: no answer"


@pytest.mark.parametrize(
    ("us", "written"),
    [
        (0, "0 us"),
        (999.4, "999 us"),
        (999.6, "1.00 ms"),
        (99_960, "100 ms"),
        (119.6e6, "1.99 min"),
        (9e9, "2.50 h"),
        (None, "–"),
    ],
)
def test_durations_are_written_in_the_unit_that_fits(us: float | None, written: str) -> None:
    assert duration(us) == written


def test_numbers_of_spans_stay_short() -> None:
    assert [count(n) for n in (9999, 10_000, 999_600, 5e9)] == ["9999", "10.0k", "1.0M", "5.0G"]
