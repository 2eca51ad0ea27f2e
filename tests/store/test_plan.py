"""Every range is covered once, from tiers that are still kept."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.model import Signal
from ingest.ports import Question
from ingest.settings import Settings
from ingest.store.plan import TIERS, Plan, Retention, plan

NOW_US = 1_772_366_400_123_456
HOUR_US = 3_600_000_000
RETENTION = Retention.of(Settings.from_env({}))

QUESTIONS = st.builds(
    lambda ago, length, step, over_time: Question(
        app_id=1,
        from_us=NOW_US - ago,
        to_us=NOW_US - ago + length,
        now_us=NOW_US,
        step_us=step * 10_000_000,
        signal=Signal.REQUEST,
        over_time=over_time,
    ),
    ago=st.integers(0, 400 * 24 * HOUR_US),
    length=st.integers(1, 400 * 24 * HOUR_US),
    step=st.sampled_from([1, 2, 6, 9, 30, 360, 361, 8640]),
    over_time=st.booleans(),
)


def planned(question: Question) -> Plan:
    """The plan under the default retention."""
    return plan(question, RETENTION)


@given(QUESTIONS)
def test_the_pieces_cover_the_widened_range_once_and_in_order(question: Question) -> None:
    found = planned(question)
    assert found.from_us <= question.from_us < question.to_us <= found.to_us
    assert found.from_us % found.step_us == found.to_us % found.step_us == 0
    at = found.from_us
    for piece in found.pieces:
        assert piece.from_us == at < piece.to_us
        at = piece.to_us
    assert at == found.to_us


@given(QUESTIONS)
def test_pieces_are_whole_windows_of_tiers_still_kept(question: Question) -> None:
    found = planned(question)
    kept = dict(zip(TIERS, RETENTION.tiers_us, strict=True))
    for piece in found.pieces:
        assert piece.from_us % piece.tier.width_us == piece.to_us % piece.tier.width_us == 0
        assert found.step_us % piece.tier.width_us == 0 or not question.over_time
        assert question.from_us >= NOW_US - kept[piece.tier] or piece.tier == TIERS[-1]


@given(QUESTIONS)
def test_the_step_is_never_finer_than_asked(question: Question) -> None:
    assert planned(question).step_us >= question.step_us


def test_a_month_reads_days_in_the_middle_and_finer_tiers_at_both_ends() -> None:
    question = Question(
        app_id=1,
        from_us=NOW_US - 30 * 24 * HOUR_US,
        to_us=NOW_US,
        now_us=NOW_US,
        step_us=60_000_000,
        signal=Signal.REQUEST,
        over_time=False,
    )
    tables = [piece.tier.table for piece in planned(question).pieces]
    assert tables == ["rollup_1h", "rollup_1d", "rollup_1h"]


def test_steps_of_whole_days_are_read_from_days() -> None:
    question = Question(
        app_id=1,
        from_us=NOW_US - 30 * 24 * HOUR_US,
        to_us=NOW_US,
        now_us=NOW_US,
        step_us=7 * 24 * HOUR_US,
        signal=Signal.REQUEST,
        over_time=True,
    )
    assert [piece.tier.table for piece in planned(question).pieces] == ["rollup_1d"]


def test_a_whole_day_reads_hours_in_the_middle_and_finer_tiers_at_both_ends() -> None:
    end = NOW_US // 600_000_000 * 600_000_000 - 1_800_000_000
    question = Question(
        app_id=1,
        from_us=end - 24 * HOUR_US,
        to_us=end,
        now_us=NOW_US,
        step_us=300_000_000,
        signal=Signal.REQUEST,
        over_time=False,
    )
    assert [piece.tier.table for piece in planned(question).pieces] == ["rollup_1m", "rollup_1h", "rollup_1m"]
