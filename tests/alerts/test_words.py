"""What is said of each kind of rule, and the link to the view that it is about."""

from typing import Any
from urllib.parse import parse_qs

import pytest

from ingest.alerts.link import view
from ingest.alerts.words import describe, title
from tests.alerts.stage import START_US, rule


@pytest.mark.parametrize(
    ("members", "value", "words"),
    [
        ({"when": {"kind": "latency", "above_ms": 2000}}, 2_310_000, "p95 of requests is 2.31 s, above 2 s"),
        (
            {"when": {"kind": "latency", "above_ms": 90, "metric": "tls", "quantile": 0.5}},
            120_000,
            "p50 of the tls phase of requests is 120 ms, above 90 ms",
        ),
        ({"when": {"kind": "latency", "above_ms": 250}, "signal": "cls"}, 310_000, "p95 of CLS is 0.31, above 0.25"),
        ({"when": {"kind": "errors", "above": 0.05}, "signal": "page"}, 0.081, "8.1 % of page loads failed, above 5 %"),
        ({"when": {"kind": "phase_share", "phase": "tls", "above": 0.3}}, 0.41, "tls: 41 % of the time, above 30 %"),
        (
            {"when": {"kind": "phase_share", "phase": "tcp", "above": 0.3, "of": "unknown"}},
            0.41,
            "tcp: 41 % of requests unknown, above 30 %",
        ),
        ({"when": {"kind": "traffic", "below_spans": 100}}, 7, "7 requests in 1m, below 100"),
        (
            {"when": {"kind": "traffic", "below_share": 0.5}},
            70,
            "70 requests in 1m, below 50 % of the same hour on other days",
        ),
        (
            {"when": {"kind": "deviation"}},
            4.26,
            "p95 of requests is 4.3 σ above the same hour on other days, beyond 3 σ",
        ),
    ],
)
def test_each_kind_of_rule_says_what_it_found(members: dict[str, Any], value: float, words: str) -> None:
    assert describe(rule(**members), value) == words
    assert "unknown" in describe(rule(**members), None)


def test_a_group_is_named_beside_its_rule() -> None:
    assert title(rule(), {"country": "BR", "version": "5.2.1"}) == "slow (country BR, version 5.2.1)"
    assert title(rule(), {}) == "slow"


def test_a_link_holds_filters_group_range_signal_quantile_and_metric_as_the_page_reads_them() -> None:
    made = rule(
        when={"kind": "latency", "above_ms": 9, "quantile": 0.99, "metric": "tls"},
        filters={"route": ["GET x/{id}?a&b"], "version": ["1", "2"], "country": ["DE", "FR"]},
        group_by=["country"],
    )
    query = parse_qs(view("shop & co", made, {"country": "DE"}, START_US, START_US + 60_000_000)[1:])
    assert query == {
        "app": ["shop & co"],
        "from": ["2026-03-01T12:00:00Z"],
        "to": ["2026-03-01T12:01:00Z"],
        "q": ["0.99"],
        "metric": ["tls"],
        "version": ["1", "2"],
        "country": ["DE"],
        "route": ["GET x/{id}?a&b"],
    }


def test_a_link_leaves_out_what_a_view_cannot_show() -> None:
    made = rule(when={"kind": "latency", "above_ms": 9, "quantile": 0.9}, filters={"route": ["a", "b"]}, signal="lcp")
    query = parse_qs(view("shop", made, {}, START_US, START_US)[1:])
    assert query.keys() == {"app", "from", "to", "signal"}
