"""What follows from windows: runs, gaps, flapping, late data, silences."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.alerts.judge import Judgement, Verdict, Window, judge
from ingest.ports import Standing, State

W = 60_000_000
VERDICTS = {"M": Verdict.MET, "C": Verdict.CLEAR, "-": Verdict.UNDECIDED}


def windows(text: str, first: int = 0) -> list[Window]:
    """One window a letter: Met, Clear, - undecided."""
    return [
        Window((first + n) * W, (first + n + 1) * W, VERDICTS[letter], None if letter == "-" else float(first + n))
        for n, letter in enumerate(text)
    ]


def told(text: str, *, held: int = 0, back: int = 8, silent: Sequence[int] = ()) -> list[tuple[str, int]]:
    """What is told as window after window becomes complete: word and number of the newest window."""
    state, found = State(), []
    every = windows("-" * back + text, -back)
    for end in range(back + 1, len(every) + 1):
        judgement = judge(every[end - back : end], state, for_us=held * W, silenced=end - back - 1 in silent)
        state = judgement.state or State()
        if judgement.tell:
            found.append((judgement.tell, end - back - 1))
    return found


@pytest.mark.parametrize(
    ("text", "held", "expected"),
    [
        ("CCCC", 0, []),
        ("CMC", 0, [("firing", 1)]),
        ("CMCC", 0, [("firing", 1), ("resolved", 3)]),
        ("MMCMM", 2, [("firing", 1)]),
        ("MCMCMCMC", 2, []),
        ("MMMM", 3, [("firing", 2)]),
        ("MM-M", 3, [("firing", 3)]),
        ("M--M", 3, [("firing", 3)]),
        ("M---M", 2, []),
        ("MM---", 2, [("firing", 1), ("resolved", 4)]),
        ("M-C-C", 0, [("firing", 0), ("resolved", 4)]),
        ("MCCMCC", 0, [("firing", 0), ("resolved", 2), ("firing", 3), ("resolved", 5)]),
        ("MCMCMCC", 0, [("firing", 0), ("resolved", 6)]),
    ],
)
def test_a_run_fires_and_two_clear_windows_or_three_undecided_ones_end_it(
    text: str, held: int, expected: list[tuple[str, int]]
) -> None:
    assert told(text, held=held) == expected


def test_the_start_of_a_firing_is_when_the_condition_had_held_long_enough_however_late_that_is_noticed() -> None:
    at_once = judge(windows("CMMM"), State(), for_us=2 * W, silenced=False)
    later = judge(windows("CMMMMM"), State(), for_us=2 * W, silenced=False)
    assert at_once.state is not None
    assert later.state is not None
    assert at_once.state.started_us == later.state.started_us == 3 * W


def test_late_data_that_makes_an_old_window_bad_completes_a_run() -> None:
    before = judge(windows("CCCM"), State(), for_us=3 * W, silenced=False)
    assert (before.state or State()).standing is Standing.PENDING
    after = judge(windows("CMMM"), before.state or State(), for_us=3 * W, silenced=False)
    assert after.tell == "firing"


def test_late_data_that_makes_the_newest_windows_good_ends_a_firing() -> None:
    fired = judge(windows("CCMM"), State(), for_us=2 * W, silenced=False)
    assert fired.state is not None
    ended = judge(windows("CCCC"), fired.state, for_us=2 * W, silenced=False)
    assert (ended.changed, ended.reason, ended.tell) == ("resolved", "recovered", "resolved")


def test_what_was_judged_before_an_end_does_not_fire_again_when_late_data_fills_the_gap() -> None:
    fired = judge(windows("CMMM"), State(), for_us=2 * W, silenced=False)
    assert fired.state is not None
    ended = judge(windows("M---", 3), fired.state, for_us=2 * W, silenced=False)
    assert ended.reason == "no_data"
    assert ended.state is not None
    again = judge(windows("MMMM", 3), ended.state, for_us=2 * W, silenced=False)
    assert again.changed == ""


def test_what_begins_in_silence_is_told_when_the_silence_ends_and_its_end_is_told_in_any_case() -> None:
    assert told("MMMMCC", silent=[0, 1]) == [("firing", 2), ("resolved", 5)]
    assert told("MMMMCC", silent=[3, 4, 5]) == [("firing", 0), ("resolved", 5)]


def test_what_begins_and_ends_in_silence_is_told_to_nobody() -> None:
    assert told("MMCCC", silent=range(5)) == []


def test_nothing_is_remembered_of_a_quiet_group_once_its_end_is_out_of_sight() -> None:
    state = State(resolved_us=2 * W)
    assert judge(windows("CCCC"), state, for_us=0, silenced=False) == Judgement(State(resolved_us=2 * W))
    assert judge(windows("CCCC", 2), state, for_us=0, silenced=False) == Judgement(None)


histories = st.text("MC-", min_size=8, max_size=40)


@given(histories, st.integers(0, 4), st.sets(st.integers(0, 40)))
def test_firing_and_resolved_are_told_in_turn(text: str, held: int, silent: set[int]) -> None:
    words = [word for word, _ in told(text, held=held, silent=sorted(silent))]
    assert words == ["firing", "resolved"] * (len(words) // 2) + ["firing"] * (len(words) % 2)


@given(histories, st.integers(0, 4))
def test_nothing_fires_without_a_run_as_long_as_for(text: str, held: int) -> None:
    for word, at in told(text, held=held):
        if word == "firing":
            run = text[: at + 1].rpartition("C")[2].rpartition("---")[2]
            assert run.count("M") >= 1
            assert len(run.lstrip("-")) >= max(held, 1)


@given(histories, st.integers(0, 4))
def test_judging_twice_is_judging_once(text: str, held: int) -> None:
    first = judge(windows(text), State(), for_us=held * W, silenced=False)
    again = judge(windows(text), first.state or State(), for_us=held * W, silenced=False)
    assert (again.state, again.changed, again.tell) == (first.state, "", "")


@given(st.lists(histories, min_size=2, max_size=6), st.integers(0, 3))
def test_no_two_firings_have_the_same_start_however_late_data_rewrites_the_windows(texts: list[str], held: int) -> None:
    state, starts = State(), []
    for shift, text in enumerate(texts):
        judgement = judge(windows(text[:8], shift * 3), state, for_us=held * W, silenced=False)
        state = judgement.state or State()
        if judgement.changed == "firing":
            starts.append(state.started_us)
    assert len(set(starts)) == len(starts)
