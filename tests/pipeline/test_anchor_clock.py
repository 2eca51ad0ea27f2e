"""How devices' clocks are put right, case by case: what is shared, what is believed, and what is left alone."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ingest.model import NOT_MEASURED, UNKNOWN, Anchor, ClockQuality, SendStamp
from ingest.outcome import Outcome
from ingest.pipeline.process import process
from privacy.pseudonyms import PERIOD_US, period_of
from tests.batches import NOW_US, built_in, policy, reception, spans_of
from tests.pipeline.clocks import Body, anchored, decoded

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
OFFSET_US = NOW_US - 100 * SECOND_US
MONO = {"kind": "mono", "epoch": "b1", "mono_us": 100 * SECOND_US}
WALL = {"kind": "wall"}
STAMP = SendStamp(mono_us=100 * SECOND_US, epoch="b1", rtt_us=80_000)
ANCHOR = Anchor(OFFSET_US - 48_000, 5_000, 90 * SECOND_US, "b1")
SPAN = (95 * SECOND_US, SECOND_US)


def body(*spans: tuple[int, int], clock: dict[str, Any] = MONO, stamp: SendStamp | None = STAMP, **more: Any) -> Body:
    return Body(clock, spans or (SPAN,), stamp, **more)


def with_anchor(**changes: Any) -> SendStamp:
    return replace(STAMP, anchor=replace(ANCHOR, **changes))


def wall_body(start_us: int, **more: Any) -> Body:
    return body((start_us, SECOND_US), clock=WALL, **more)


def test_spans_of_a_body_keep_their_distances_whatever_bounds_them():
    spans = [(10 * SECOND_US, 85 * SECOND_US), (11 * SECOND_US, 1), (11 * SECOND_US + 1, 0), (95 * SECOND_US, 999)]
    for stamp in (None, STAMP, with_anchor(), replace(STAMP, epoch="b2", bridge_us=HOUR_US)):
        found = anchored(body(*spans, stamp=stamp))
        assert np.diff(found.start_at_us).tolist() == np.diff([start for start, _ in spans]).tolist()


def test_durations_are_never_altered():
    batch = decoded([body((95 * SECOND_US, 4_711), stamp=with_anchor())])
    where = [reception(send=with_anchor())]
    record = process(batch, where, policy(), policy_of=built_in, country_of=lambda _: "")
    assert record.kept.batch.spans.duration_us.tolist() == [4_711]
    assert record.kept.assigned.clock_quality.tolist() == [ClockQuality.A]


def test_every_span_has_a_bound_of_its_own_that_grows_with_the_distance_from_the_anchor():
    found = anchored(body((1 * SECOND_US, 1), (90 * SECOND_US, 1), SPAN, stamp=with_anchor()))
    assert found.err_ms.tolist() == [14, 5, 6]


def test_bodies_of_a_session_and_epoch_share_one_offset_and_the_best_of_their_bounds():
    slow = replace(STAMP, mono_us=97 * SECOND_US)
    cold, warm = body(stamp=slow, clock=MONO | {"mono_us": 96 * SECOND_US}), body(stamp=with_anchor())
    apart, together = [anchored(cold), anchored(warm)], anchored(cold, warm)
    assert [one.quality.tolist() for one in apart] == [[ClockQuality.B], [ClockQuality.A]]
    assert together.quality.tolist() == [ClockQuality.A] * 2
    assert len(set(together.start_at_us.tolist())) == 1
    assert together.err_ms.tolist() == apart[1].err_ms.tolist() * 2


def test_of_several_requests_without_an_anchor_the_quickest_tells_the_offset():
    late = replace(STAMP, mono_us=97 * SECOND_US)
    found = anchored(body(stamp=late, clock={"epoch": "b1"}), body())
    assert found.body_offset_us.tolist() == [OFFSET_US - 40_000] * 2
    assert found.err_ms[0] < anchored(body()).err_ms[0]


@pytest.mark.parametrize(
    "other",
    [
        {"session": "s-2"},
        {"session": ""},
        {"app_id": 2},
        {"clock": MONO | {"epoch": "b2"}, "stamp": replace(STAMP, epoch="b2")},
        {"clock": MONO | {"epoch": ""}, "stamp": replace(STAMP, epoch="")},
    ],
    ids=["session", "no session", "app", "epoch", "no epoch"],
)
def test_clocks_that_are_not_one_are_not_pooled(other: dict[str, Any]):
    found = anchored(body(stamp=with_anchor()), body(**other))
    assert found.quality.tolist() == [ClockQuality.A, ClockQuality.B]
    assert found.segment[0] != found.segment[1]


def test_bodies_of_a_segment_that_contradict_each_other_are_left_apart_and_marked():
    found = anchored(body(), body(received_us=NOW_US + HOUR_US), body(stamp=with_anchor(), session="s-2"))
    assert found.body_offset_us.tolist()[:2] == [OFFSET_US - 40_000, OFFSET_US - 40_000 + HOUR_US]
    assert found.conflict.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "changes",
    [
        {"offset_us": OFFSET_US + HOUR_US},
        {"offset_us": OFFSET_US - HOUR_US},
        {"err_us": -1},
        {"err_us": -(1 << 53)},
        {"at_us": 101 * SECOND_US},
    ],
    ids=["ahead", "behind", "negative error", "very negative error", "from the future"],
)
def test_an_anchor_that_cannot_be_true_is_left_out_and_counted(changes: dict[str, int]):
    found = anchored(body(stamp=with_anchor(**changes)))
    plain = anchored(body())
    assert found.conflict.tolist() == [True]
    assert (found.quality, found.start_at_us, found.err_ms) == (plain.quality, plain.start_at_us, plain.err_ms)


def test_an_anchor_of_a_third_epoch_says_nothing():
    found = anchored(body(stamp=with_anchor(epoch="b7")))
    assert (found.quality.tolist(), found.conflict.tolist()) == ([ClockQuality.B], [False])


def test_one_absurd_span_does_not_move_the_others_and_is_marked():
    absurd = (1 << 59, SECOND_US)
    for stamp in (STAMP, with_anchor(), replace(with_anchor(), epoch="b2")):
        good, found = anchored(body(stamp=stamp)), anchored(body(SPAN, absurd, stamp=stamp))
        assert found.start_at_us[0] == good.start_at_us[0]
        assert found.err_ms[0] == good.err_ms[0]
        assert found.conflict.tolist() == [False, True]
        assert found.fates.tolist() == [Outcome.KEPT, Outcome.FUTURE]


def test_a_wall_clock_without_a_stamp_is_taken_as_it_is_and_nothing_is_said_of_its_error():
    found = anchored(wall_body(NOW_US - 60 * SECOND_US, stamp=None))
    assert found.start_at_us.tolist() == [NOW_US - 60 * SECOND_US]
    assert (found.quality.tolist(), found.err_ms.tolist()) == ([ClockQuality.E], [UNKNOWN])
    assert (found.skew_ms.tolist(), found.upload_delay_ms.tolist()) == ([NOT_MEASURED], [59_000])


def test_a_wall_clock_that_is_ahead_is_refused_and_not_moved_to_now():
    found = anchored(wall_body(NOW_US + 600 * SECOND_US, stamp=None))
    assert found.start_at_us.tolist() == [NOW_US + 600 * SECOND_US]
    assert found.fates.tolist() == [Outcome.FUTURE]
    assert found.upload_delay_ms.tolist() == [NOT_MEASURED]


def test_a_wall_clock_with_a_stamp_is_put_right_by_what_it_is_wrong_now():
    stamp = replace(STAMP, wall_us=NOW_US - 40_000 + HOUR_US)
    found = anchored(wall_body(NOW_US + HOUR_US - 60 * SECOND_US, stamp=stamp))
    assert found.start_at_us.tolist() == [NOW_US - 60 * SECOND_US]
    assert found.quality.tolist() == [ClockQuality.E]
    assert (found.err_ms.tolist(), found.skew_ms.tolist()) == ([UNKNOWN], [3_600_000])


@pytest.mark.parametrize("stamp", [None, replace(STAMP, wall_us=NOW_US - 2 * SECOND_US)])
def test_a_backends_clock_is_believed_within_the_setting(stamp: SendStamp | None):
    rules = replace(policy(), limits=replace(policy().limits, backend_clock_err_ms=250))
    found = anchored(wall_body(NOW_US - 60 * SECOND_US, stamp=stamp, trusted=True), rules=rules)
    assert found.start_at_us.tolist() == [NOW_US - 60 * SECOND_US]
    assert (found.quality.tolist(), found.err_ms.tolist()) == ([ClockQuality.E], [250])


def test_the_wall_clock_of_a_monotonic_body_is_judged_but_not_needed():
    found = anchored(body(stamp=replace(with_anchor(), wall_us=NOW_US - 40_000 - 2 * HOUR_US)))
    assert (found.quality.tolist(), found.skew_ms.tolist()) == ([ClockQuality.A], [-7_200_000])


def test_the_skew_is_told_in_two_digits_so_that_it_tells_no_device_from_another():
    ahead_us = 2 * HOUR_US + 13 * 60 * SECOND_US + 7_482_000
    for skew_us, told_ms in ((ahead_us, 7_900_000), (-ahead_us, -7_900_000), (-45_000, -45), (12_345_000, 12_000)):
        found = anchored(body(stamp=replace(with_anchor(), wall_us=NOW_US - 40_000 + skew_us)))
        assert found.skew_ms.tolist() == [told_ms]


def test_the_upload_delay_counts_from_sealing_and_else_from_the_end_of_the_newest_span():
    later = replace(STAMP, mono_us=130 * SECOND_US)
    assert anchored(body(stamp=later)).upload_delay_ms.tolist() == [30_040]
    assert anchored(body(stamp=later, clock={"epoch": "b1"})).upload_delay_ms.tolist() == [34_040]


@pytest.mark.parametrize("epoch", ["jane@example.com", "4bf92f35-77b3-4da6-a3ce-929d0e0e4736", "AKIAIOSFODNN7EXAMPLE"])
def test_an_epoch_may_be_called_anything_and_its_name_is_not_kept(epoch: str):
    given = body(clock=MONO | {"epoch": epoch}, stamp=replace(STAMP, epoch=epoch))
    assert anchored(given).quality.tolist() == [ClockQuality.B]
    where = [reception(send=given.stamp)]
    record = process(decoded([given]), where, policy(), policy_of=built_in, country_of=lambda _: "")
    assert record.kept.assigned.clock_quality.tolist() == [ClockQuality.B]
    assert epoch not in "\n".join(record.strings)


class TestSegments:
    def test_are_the_same_in_every_micro_batch(self) -> None:
        here, there = anchored(body(stamp=with_anchor())), anchored(body(), body(session="s-2"))
        assert here.segment[0] == there.segment[0] != 0
        assert here.segment[0] != there.segment[1]

    def test_let_offsets_be_compared_exactly_and_only_inside_them(self) -> None:
        near, far = anchored(body(stamp=with_anchor())), anchored(body())
        moved = far.start_at_us - near.start_at_us
        assert (far.offset_us - near.offset_us).tolist() == moved.tolist() == [8_000]
        assert abs(int(near.offset_us[0]) - (OFFSET_US - 48_000)) > 1 << 40
        other = anchored(body(stamp=with_anchor(), session="s-2"))
        assert abs(int(other.offset_us[0] - near.offset_us[0])) > 1 << 40

    def test_change_with_the_period_of_the_keys(self) -> None:
        turn_us = (period_of(NOW_US) + 1) * PERIOD_US
        before, after = (anchored(body(received_us=turn_us + by)) for by in (-1, 0))
        assert before.segment[0] != after.segment[0]

    def test_a_client_without_a_session_has_one_for_each_batch(self) -> None:
        found = anchored(body(session=""), body(session=""))
        assert 0 not in found.segment
        assert found.segment[0] != found.segment[1]

    @pytest.mark.parametrize("clock", [WALL, WALL | {"epoch": "b1"}, {"kind": "mono"}])
    def test_there_are_none_without_an_epoch_or_for_wall_clocks(self, clock: dict[str, Any]) -> None:
        found = anchored(body((NOW_US - SECOND_US, 1), clock=clock, stamp=None))
        assert (found.segment.tolist(), found.offset_us.tolist()) == ([0], [0])


def test_a_micro_batch_without_bodies_or_spans_is_none_the_less_anchored():
    assert len(anchored(Body(MONO, ())).start_at_us) == 0
    assert anchored(Body(MONO, (), STAMP)).body_offset_us.tolist() == [OFFSET_US - 40_000]
    nothing = spans_of([], bodies=0)
    record = process(nothing, [], policy(), policy_of=built_in, country_of=lambda _: "")
    assert len(record.kept.batch.spans) == 0
