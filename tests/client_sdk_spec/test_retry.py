"""The reference of retries: the traces of `vectors/retry.json`, and what holds of every one."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_sdk_spec.retry import (
    LONGEST_BACKOFF_US,
    LONGEST_RETRY_AFTER_US,
    Schedule,
    expired,
    fate_of,
    halves,
    jitter_us,
    retry_after_us,
)
from client_sdk_spec.retry_cases import CASES
from tests.client_sdk_spec.vectors import as_json, load


def play(case: dict[str, Any]) -> dict[str, Any]:
    """What a client does that sends one batch at a time by the reference's schedule."""
    chances = iter(case["chances"])
    schedule = Schedule(lambda: next(chances))
    waiting = [(batch["id"], batch["spans"], batch["sealed_us"]) for batch in case["batches"]]
    attempts, splits, dropped, now_us = [], {}, Counter[str](), 0

    def due() -> bool:
        """Whether there is a batch to send; time passes until it may be sent."""
        nonlocal now_us
        now_us = max(now_us, schedule.not_before_us or 0)
        while waiting and expired(waiting[0][2], now_us):
            dropped["expired"] += waiting.pop(0)[1]
        return bool(waiting) and not schedule.stopped

    for answer in case["answers"]:
        assert due()
        name, spans, sealed_us = waiting[0]
        attempts.append({"at_us": now_us, "batch": name})
        now_us += answer["after_us"]
        fate = schedule.answered(answer.get("status", 0), now_us, answer.get("retry_after"), answer.get("date"))
        if fate == "later":
            continue
        del waiting[0]
        parts = halves(spans) if fate == "halve" else None
        if parts is not None:
            splits[name] = [{"id": f"{name}.{at}", "rows": list(part)} for at, part in enumerate(parts, 1)]
            waiting[:0] = [(f"{name}.{at}", end - first, sealed_us) for at, (first, end) in enumerate(parts, 1)]
        elif fate != "accepted":
            dropped["too_large" if fate == "halve" else "rejected"] += spans
    ready = due()
    assert list(chances) == [], "a chance is taken for each wait and for nothing else"
    return {
        "attempts": attempts,
        "splits": splits,
        "dropped": dict(dropped),
        "left": [name for name, _, _ in waiting],
        "next_us": now_us if ready else None,
        "stopped": schedule.stopped,
    }


@pytest.mark.parametrize("name", CASES)
def test_the_reference_sends_what_the_trace_says_when_it_says(name: str):
    case = load("retry.json")["cases"][name]
    assert play(case) == case["expected"], case["meaning"]


def test_the_traces_are_the_cases():
    assert load("retry.json")["cases"] == as_json(CASES)


@given(st.integers(0, 100), st.floats(0, 1, exclude_max=True))
def test_a_wait_is_never_longer_than_five_minutes_and_its_bound_doubles(failures: int, chance: float):
    bound = min(300 * 1_000_000, 1_000_000 * 2**failures)
    assert 0 <= jitter_us(failures, chance) <= bound <= LONGEST_BACKOFF_US
    assert jitter_us(failures, 0.5) == bound // 2


@given(st.one_of(st.none(), st.text()), st.one_of(st.none(), st.text()))
def test_any_retry_after_is_understood_or_ignored(text: str | None, date: str | None):
    assert 0 <= retry_after_us(text, date) <= LONGEST_RETRY_AFTER_US


@given(st.integers(-1_000, 1_000))
def test_every_status_has_one_fate_and_only_what_may_get_better_is_repeated(status: int):
    repeated = status in (408, 429) or not (200 <= status < 300 or 400 <= status < 500)
    assert (fate_of(status) == "later") == repeated


@given(st.integers(2, 1_000))
def test_halves_are_the_batch_in_order_and_differ_by_one_at_most(spans: int):
    first, second = halves(spans) or pytest.fail("two spans can be cut")
    assert (first.first, first.end, second.end) == (0, second.first, spans)
    assert 0 <= (second.end - second.first) - (first.end - first.first) <= 1


def test_a_span_alone_cannot_be_cut():
    assert halves(1) is halves(0) is None
