"""Sketches on their way through the pipeline: consent, scrubbing, clocks, routes and the ledger hold for them too."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import zstandard

from ingest.journal.record import decode, encode
from ingest.model import DIMENSIONS, METRICS, WINDOW_US, Processed, SendStamp
from ingest.outcome import Note
from ingest.pipeline.forget import forget
from ingest.ports import Tombstones
from ingest.settings import AppPolicy
from privacy.policy import BUILT_IN, Consent, Extent
from tests.batches import DAY_US, NOW_US, reception
from tests.sketched import SENDER, START_US, Span, batch_of, record_of, sets_of, spans_of_client

TEN: list[Span] = [
    {"name": "GET /cart", "method": "GET", "url": "https://api.shop.example/cart/77", "duration_us": 100_000 + at}
    for at in range(10)
]


def one_set(start_us: int = START_US, width_us: int = WINDOW_US, spans: list[Span] = TEN) -> dict[str, Any]:
    return {"start_us": start_us, "width_us": width_us, "spans": spans}


def notes(record: Processed) -> dict[tuple[int, Note], int]:
    rows = record.notes
    return {
        (int(body), Note(note)): int(spans)
        for body, note, spans in zip(rows.body, rows.note, rows.spans, strict=True)
        if "SKETCH" in Note(note).name
    }


def routes(record: Processed) -> list[str]:
    row = DIMENSIONS.index("route")
    return sorted(record.strings[code] for code in record.series.values[row].tolist())


def stored_text(record: Processed) -> bytes:
    """What would be on the disk, as plain bytes."""
    return zstandard.ZstdDecompressor().decompress(encode(record)[1:], max_output_size=1 << 26)


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
def test_a_set_counts_in_the_series_of_its_spans_and_in_the_window_of_its_middle(encoding: str) -> None:
    spans = [TEN[0] | {"trace_id": "1" * 32, "span_id": "2" * 16, "start_us": START_US}]
    record = record_of([batch_of(1, spans=spans, sketches=[one_set(width_us=3 * WINDOW_US)])], encoding=encoding)
    assert routes(record) == ["GET api.shop.example/cart/{id}"]
    assert record.counted.series.tolist() == record.summaries.series.tolist() == [0]
    assert record.summaries.window.tolist() == [START_US // WINDOW_US + 1]
    assert record.summaries.spans.tolist() == [10]
    assert record.summary_bins.count.sum() == 10
    assert set(record.summary_bins.metric.tolist()) == {METRICS.index("duration")}
    assert record.summaries.session.tolist() == record.counted.session.tolist() != [0]
    assert notes(record) == {(0, Note.SKETCHED): 10}
    assert record.ledger.spans.tolist() == [1]


def test_a_batch_of_sketches_alone_is_counted_and_received_no_span() -> None:
    record = record_of([batch_of(1, sketches=[one_set()])])
    assert record.ledger.spans.tolist() == record.ledger.outcomes.sum(axis=0).tolist() == [0]
    assert record.summaries.spans.tolist() == [10]
    assert len(record.counted) == len(record.kept.batch.spans) == 0


def test_a_journaled_record_gives_its_summaries_back() -> None:
    record = record_of([batch_of(1, sketches=sets_of(spans_of_client(1, 80)))])
    again = decode(encode(record))
    assert again.summaries.spans.tolist() == record.summaries.spans.tolist()
    assert again.summaries.reused.tolist() == record.summaries.reused.tolist()
    assert again.summary_bins.bucket.tolist() == record.summary_bins.bucket.tolist()
    assert len(again.kept.batch.sketches) == 0


def test_sets_of_the_future_and_from_before_retention_are_left_out_and_counted_by_reason() -> None:
    sets = [
        one_set(NOW_US + 3_600_000_000),
        one_set(NOW_US - 8 * DAY_US, spans=TEN[:4]),
        one_set(spans=TEN[:1]),
        one_set(1 << 62, spans=TEN[:2]),
        one_set(0, spans=TEN[:3]),
    ]
    record = record_of([batch_of(1, sketches=sets), batch_of(2)])
    assert record.summaries.spans.tolist() == [1]
    assert record.summary_bins.count.tolist() == [1]
    assert record.summary_bins.owner.tolist() == [0]
    assert notes(record) == {(0, Note.SKETCHED): 1, (0, Note.SKETCH_FUTURE): 12, (0, Note.SKETCH_TOO_OLD): 7}


def test_sets_with_other_buckets_count_and_are_noted_for_their_larger_error() -> None:
    sets = [one_set(), one_set(spans=TEN[:4]) | {"accuracy": 0.02}, one_set(0, spans=TEN[:3]) | {"accuracy": 0.02}]
    record = record_of([batch_of(1, sketches=sets)])
    assert record.summaries.spans.tolist() == [10, 4]
    assert notes(record) == {(0, Note.SKETCHED): 14, (0, Note.SKETCH_TOO_OLD): 3, (0, Note.SKETCH_REMAPPED): 4}


def test_a_monotonic_clock_places_sets_by_the_offset_of_their_body() -> None:
    """Sent 20 s after the set's middle; the set lies in the window of 20 s before the receipt."""
    clock = {"kind": "mono", "epoch": "b1", "mono_us": 90_000_000, "wall_us": NOW_US}
    batch = batch_of(1, clock=clock, sketches=[one_set(start_us=75_000_000)])
    stamp = SendStamp(mono_us=100_000_000, wall_us=NOW_US, epoch="b1", rtt_us=0)
    record = record_of([batch], [reception(send=stamp)])
    assert abs(int(record.summaries.window[0]) - (NOW_US - 20_000_000) // WINDOW_US) <= 1
    assert notes(record) == {(0, Note.SKETCHED): 10}


def test_a_batch_of_sketches_without_any_clock_ends_no_later_than_it_came() -> None:
    record = record_of([batch_of(1, clock={"kind": "mono", "epoch": "b1"}, sketches=[one_set(5_000_000)])])
    assert notes(record) == {(0, Note.SKETCHED): 10}
    assert record.summaries.window[0] <= NOW_US // WINDOW_US


def test_sketches_of_a_backend_are_in_no_figure() -> None:
    came = [reception(trusted=True), reception(address="203.0.113.9")]
    record = record_of([batch_of(1, sketches=[one_set()]), batch_of(2, sketches=[one_set(spans=TEN[:3])])], came)
    assert record.summaries.spans.tolist() == [3]
    assert notes(record) == {(0, Note.SKETCH_OF_BACKEND): 10, (1, Note.SKETCHED): 3}


class TestConsent:
    def test_who_agrees_to_counters_alone_is_counted_without_a_session(self) -> None:
        denied = SENDER | {"consent": "denied"}
        record = record_of([batch_of(1, resource=denied, sketches=[one_set()])])
        assert record.summaries.spans.tolist() == [10]
        assert record.summaries.session.tolist() == [0]
        assert routes(record) == ["GET api.shop.example/cart/{id}"]

    def test_who_agrees_to_nothing_is_not_counted_and_leaves_no_text(self) -> None:
        rules = replace(BUILT_IN, consent=Consent(denied=Extent.NOTHING))
        needle = [TEN[0] | {"name": "needlename", "url": "https://needlehost.example/needlepath"}]
        batches = [
            batch_of(1, resource=SENDER | {"consent": "denied"}, sketches=[one_set(spans=needle)]),
            batch_of(2, sketches=[one_set()]),
        ]
        record = record_of(batches, policy_of=lambda _: AppPolicy(1, rules))
        assert record.summaries.body.tolist() == [1]
        assert notes(record) == {(0, Note.SKETCH_NO_CONSENT): 1, (1, Note.SKETCHED): 10}
        assert b"needle" not in stored_text(record)


def test_personal_data_in_the_texts_of_a_set_is_scrubbed_before_the_journal() -> None:
    told = {
        "name": "mail jane.doe@shop.example",
        "method": "GET",
        "url": "https://api.shop.example/users/jane.doe@shop.example/cart?token=abcdef123456",
    }
    sets = [
        one_set(spans=[told | {"duration_us": 5}]),
        one_set(spans=[{"name": told["name"], "duration_us": 5}]),
        one_set(spans=[{"name": "x", "route": "/users/jane.doe@shop.example", "duration_us": 5}]),
    ]
    record = record_of([batch_of(1, sketches=sets)])
    stored = stored_text(record)
    assert record.summaries.spans.tolist() == [1, 1, 1]
    assert b"jane" not in stored
    assert b"abcdef123456" not in stored
    scrubbed = {record.strings[rule] for rule in record.scrubs.rule.tolist()}
    assert "email" in scrubbed
    assert routes(record)[0] == "/users/{id}"


def test_a_set_is_named_as_its_spans_are() -> None:
    spans = spans_of_client(3, 60)
    sent = record_of([batch_of(1, spans=spans)])
    sketched = record_of([batch_of(1, sketches=sets_of(spans))])
    assert set(routes(sketched)) == set(routes(sent))
    assert len(routes(sent)) > 3


def test_who_was_erased_is_no_longer_told_apart_in_summaries() -> None:
    record = record_of([batch_of(1, sketches=[one_set()]), batch_of(2, resource={}, sketches=[one_set()])])
    with_span = record_of(
        [batch_of(1, spans=[TEN[0] | {"trace_id": "1" * 32, "span_id": "2" * 16, "start_us": START_US}])]
    )
    (session,) = (with_span.strings[code] for code in with_span.kept.batch.resources.session.tolist())
    tombstones = {1: Tombstones(names=frozenset({session}), sessions=frozenset())}
    forgotten, _ = forget(record, tombstones)
    before, after = record.summaries.session.tolist(), forgotten.summaries.session.tolist()
    assert before[0] != 0
    assert after == [0, before[1]]
    assert forgotten.summaries.spans.tolist() == [10, 10]


def test_a_reported_span_that_its_device_had_sketched_is_counted_once() -> None:
    """It is in the sketch: sent after all, it is stored at weight 0 and in no count."""
    declared = 2**56 - 2**53
    late = TEN[0] | {"trace_id": "0" * 31 + "1", "span_id": "2" * 16, "start_us": START_US}
    late |= {"threshold": f"{declared:014x}".rstrip("0")}
    record = record_of(
        [
            batch_of(1, sketches=[one_set()]),
            batch_of(2, resource=SENDER | {"reported": True}, spans=[late], unsent="sketched"),
        ]
    )
    assert len(record.counted) == 0
    assert record.summaries.spans.sum() == 10
    assert record.kept.assigned.weight.tolist() == [0.0]


def test_hostile_sets_never_break_the_pipeline_and_keep_every_number_in_its_place() -> None:
    rng = np.random.default_rng(5)
    for _ in range(30):
        sets = [
            one_set(
                int(rng.choice([0, 1, NOW_US, START_US, 2**62])), int(rng.integers(0, 300_000_001)), TEN[: size + 1]
            )
            for size in rng.integers(0, 10, 5)
        ]
        clock = {"kind": str(rng.choice(["mono", "wall"])), "mono_us": int(rng.choice([0, 2**62, -(2**62)]))}
        clock |= {"wall_us": int(rng.choice([0, 2**62, -(2**62), NOW_US]))}
        record = record_of([batch_of(1, clock=clock, sketches=sets)])
        told = sum(notes(record).values())
        assert told == sum(len(each["spans"]) for each in sets)
        assert record.summaries.spans.sum() == notes(record).get((0, Note.SKETCHED), 0)
        lowest, highest = (NOW_US - 7 * DAY_US) // WINDOW_US, (NOW_US + 60_000_000) // WINDOW_US
        assert ((record.summaries.window >= lowest) & (record.summaries.window <= highest)).all()
