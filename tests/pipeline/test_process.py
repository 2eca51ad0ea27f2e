"""The pipeline as a whole: what goes in, what is journaled, and that every span ends in exactly one outcome."""

import numpy as np
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import sketch
from ingest.device_classes import Agent, nobody
from ingest.journal.record import encode
from ingest.model import (
    DIMENSIONS,
    REUSED,
    UNKNOWN,
    WINDOW_US,
    ClockQuality,
    DeviceClass,
    Kind,
    Phase,
    Processed,
    Stratum,
)
from ingest.outcome import Outcome
from ingest.pipeline.process import process
from tests.batches import DAY_US, NOW_US, built_in, policy, reception, spans_of


def nowhere(_: str) -> str:
    return ""


def run(spans, bodies=1, receptions=None, rules=None, country_of=nowhere, agent_of=nobody, **resource) -> Processed:
    batch = spans_of(spans, bodies=bodies, **resource)
    return process(
        batch,
        receptions or [reception()] * bodies,
        rules or policy(),
        policy_of=built_in,
        country_of=country_of,
        agent_of=agent_of,
    )


def outcomes(record: Processed, body: int = 0) -> dict[Outcome, int]:
    return {o: int(record.ledger.outcomes[o, body]) for o in Outcome if record.ledger.outcomes[o, body]}


def series(record: Processed) -> list[dict[str, str]]:
    return [
        {name: record.strings[code] for name, code in zip(DIMENSIONS, column, strict=True)}
        for column in record.series.values.T.tolist()
    ]


def test_a_good_span_is_kept_and_counted_with_its_duration_and_phases_exact():
    phases = [UNKNOWN, 1_000, 20_000, 30_000, REUSED, 500, 200_000, 0]
    record = run([{"duration_us": 251_501, "phases_us": phases, "url": "https://api.shop.example/orders/17?x=1"}])
    assert outcomes(record) == {Outcome.KEPT: 1}
    assert record.kept.batch.spans.duration_us.tolist() == [251_501]
    assert record.kept.batch.spans.phases_us[:, 0].tolist() == phases
    assert record.counted.buckets[0, 0] == sketch.bucket(np.array([251_501]))[0]
    assert record.counted.buckets[1 + Phase.TLS, 0] == sketch.REUSED
    assert record.counted.buckets[1 + Phase.REDIRECT, 0] == sketch.UNKNOWN
    assert record.counted.buckets[1 + Phase.DOWNLOAD, 0] == sketch.ZERO
    assert record.counted.window.tolist() == [(NOW_US - 1_000_000) // WINDOW_US]


def test_a_span_that_is_no_request_has_no_phases_to_be_unknown():
    screen = {"name": "Checkout", "method": "", "http_status": UNKNOWN, "kind": Kind.INTERNAL}
    record = run([screen, {"url": "https://api.shop.example/cart"}])
    assert set(record.counted.buckets[1:, 0].tolist()) == {sketch.ABSENT}
    assert set(record.counted.buckets[1:, 1].tolist()) == {sketch.UNKNOWN}
    assert set(record.kept.batch.spans.phases_us.ravel().tolist()) == {UNKNOWN}


def test_every_dimension_of_the_series_is_filled_in():
    record = run(
        [{"url": "https://api.shop.example/orders/17/items?q=jane@example.com"}],
        receptions=[reception(address="203.0.113.9", user_agent="agent")],
        country_of={"203.0.113.9": "BR"}.__getitem__,
        agent_of={"agent": Agent("Android")}.__getitem__,
        version="5.2.1",
        network="WiFi",
        memory_mb=2048,
        cores=8,
    )
    assert series(record) == [
        {
            "route": "GET api.shop.example/orders/{id}/items",
            "version": "5.2.1",
            "country": "BR",
            "device_class": "low",
            "network": "wifi",
            "os": "android",
        }
    ]


def test_what_nobody_knows_is_called_unknown():
    found = series(run([{}]))[0]
    assert {found[name] for name in DIMENSIONS if name != "route"} == {"unknown"}


def test_a_bad_span_inside_a_good_batch_is_rejected_alone_and_counted_by_reason():
    record = run(
        [
            {},
            {"trace_id": bytes(16)},
            {"span_id": bytes(8)},
            {"start_us": UNKNOWN},
            {"duration_us": -5},
            {"duration_us": UNKNOWN},
            {"duration_us": 25 * 3_600_000_000},
            {"name": ""},
            {"start_us": NOW_US + 3_600_000_000},
            {"start_us": NOW_US - 8 * DAY_US},
        ]
    )
    assert outcomes(record) == {
        Outcome.KEPT: 1,
        Outcome.INVALID_ID: 2,
        Outcome.INVALID_TIME: 2,
        Outcome.NEGATIVE_DURATION: 1,
        Outcome.TOO_LONG: 1,
        Outcome.INVALID_NAME: 1,
        Outcome.FUTURE: 1,
        Outcome.TOO_OLD: 1,
    }
    assert len(record.counted) == 1
    assert len(record.kept.batch.spans) == 1


def test_the_rate_of_the_device_class_decides_and_every_span_is_counted_all_the_same():
    spans = [{"trace_id": hash_id(i)} for i in range(4000)]
    record = run(spans, rules=policy(low=0.25), memory_mb=2048, cores=4)
    kept = len(record.kept.batch.spans)
    assert 900 < kept < 1100
    assert len(record.counted) == 4000
    assert set(record.kept.assigned.weight.tolist()) == {4.0}
    assert outcomes(record) == {Outcome.KEPT: kept, Outcome.COUNTED_ONLY: 4000 - kept}


def test_raising_a_rate_keeps_every_trace_that_was_kept_before():
    spans = [{"trace_id": hash_id(i)} for i in range(500)]
    few = kept_traces(run(spans, rules=policy(unknown=0.1)))
    more = kept_traces(run(spans, rules=policy(unknown=0.5)))
    assert few < more


def test_errors_and_slow_requests_are_always_kept_at_weight_one():
    record = run(
        [{"status": 2}, {"http_status": 0}, {"http_status": 503}, {"duration_us": 9_000_000}, {}],
        rules=policy(unknown=0.0),
    )
    assert record.kept.assigned.stratum.tolist() == [Stratum.ERROR] * 3 + [Stratum.SLOW]
    assert record.kept.assigned.weight.tolist() == [1.0] * 4


def test_a_client_threshold_weighs_and_a_forged_one_does_not():
    heavy = (1 << 56) - 1
    record = run(
        [
            {"threshold": 1 << 55, "randomness": (1 << 56) - 1},
            {"threshold": 1 << 55, "randomness": 1},
            {"threshold": heavy, "randomness": heavy},
        ]
    )
    weights = record.kept.assigned.weight.tolist()
    assert weights[:2] == [2.0, 1.0]
    assert weights[2] <= 10_000.001


def test_a_monotonic_clock_with_a_send_stamp_is_anchored_with_a_bound():
    from dataclasses import replace

    from ingest.model import SendStamp

    batch = spans_of([{"start_us": 5_000_000}, {"start_us": 6_000_000}])
    batch = replace(batch, bodies=replace(batch.bodies, clock=np.array([1], np.uint8)))
    stamped = reception(send=SendStamp(mono_us=65_000_000, rtt_us=80_000))
    record = process(batch, [stamped], policy(), policy_of=built_in, country_of=nowhere)
    starts = record.kept.assigned.start_at_us
    assert starts.tolist() == [NOW_US - 60_040_000, NOW_US - 59_040_000]
    assert record.kept.assigned.clock_quality.tolist() == [ClockQuality.B] * 2
    drift_ms = 6
    assert record.kept.assigned.clock_err_ms.tolist() == [10_000 - 40 + drift_ms] * 2


def test_a_stamp_of_another_epoch_or_of_a_background_upload_bounds_nothing():
    from dataclasses import replace

    from ingest.model import SendStamp

    for stamp in (SendStamp(mono_us=1, epoch="other"), SendStamp(mono_us=1, background=True)):
        batch = spans_of([{"start_us": 5_000_000}])
        batch = replace(batch, bodies=replace(batch.bodies, clock=np.array([1], np.uint8)))
        record = process(batch, [reception(send=stamp)], policy(), policy_of=built_in, country_of=nowhere)
        assert record.kept.assigned.clock_quality.tolist() == [ClockQuality.F]
        assert record.kept.assigned.start_at_us.tolist() == [NOW_US - 100_000]


def test_a_micro_batch_of_many_bodies_keeps_their_ledgers_apart():
    record = run(
        [{"body": 0}, {"body": 1, "duration_us": -1}, {"body": 1}],
        bodies=3,
        receptions=[reception(app_id=1), reception(app_id=2), reception(app_id=3)],
    )
    assert record.ledger.app_id.tolist() == [1, 2, 3]
    assert record.ledger.spans.tolist() == [1, 2, 0]
    assert outcomes(record, 1) == {Outcome.KEPT: 1, Outcome.NEGATIVE_DURATION: 1}
    assert sorted(record.series.app_id.tolist()) == [1, 2]


def test_nothing_personal_reaches_the_record():
    secrets = {
        "url": "https://user:hunter2secret@api.shop.example/u/jane.doe@example.com/cart?card=4111111111111111#tok=abcd",
        "name": "GET jane.doe@example.com",
        "screen": "Profile of jane.doe@example.com",
        "attributes": {"client.note": "from 198.51.100.23", "enduser.email": "jane.doe@example.com"},
    }
    where = reception(address="203.0.113.77", user_agent="Mozilla/5.0 (Needle) Gecko/1")
    record = run([secrets], receptions=[where], session="session-needle-1234567890", installation="install-needle-99")
    journaled = zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)
    text = journaled + "\n".join(record.strings).encode()
    for needle in (
        b"hunter2secret",
        b"jane.doe",
        b"4111111111111111",
        b"abcd",
        b"198.51.100.23",
        b"203.0.113.77",
        b"Needle",
        b"session-needle",
        b"install-needle",
    ):
        assert needle not in text


def test_a_version_of_any_length_is_short_in_every_series():
    long = "5.2.1-" + "release-candidate-" * 100
    assert series(run([{}], version=long))[0]["version"] == long[:64]


def test_the_client_s_own_route_template_wins():
    record = run([{"url": "https://api.shop.example/a/b?c=d", "route": "/orders/{id}"}])
    assert series(record)[0]["route"] == "GET api.shop.example/orders/{id}"


def test_memory_and_cores_decide_the_device_class():
    for memory_mb, cores, expected in (
        (2048, 8, DeviceClass.LOW),
        (6144, 8, DeviceClass.MID),
        (8192, 8, DeviceClass.HIGH),
        (16384, 2, DeviceClass.LOW),
        (UNKNOWN, UNKNOWN, DeviceClass.UNKNOWN),
        (UNKNOWN, 16, DeviceClass.UNKNOWN),
    ):
        record = run([{}], memory_mb=memory_mb, cores=cores)
        assert record.kept.assigned.device_class.tolist() == [expected]


def test_a_memory_hint_of_the_browser_counts_where_the_client_says_nothing():
    record = run([{}], receptions=[reception(hints={"device-memory": "2"})])
    assert record.kept.assigned.device_class.tolist() == [DeviceClass.LOW]


EXTREME = st.sampled_from([UNKNOWN, REUSED, 0, 1, 1 << 31, 1 << 53, (1 << 63) - 1, -(1 << 63), -7])


@settings(max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "start_us": EXTREME | st.just(NOW_US),
                "duration_us": EXTREME,
                "phases_us": st.lists(EXTREME, min_size=8, max_size=8),
                "name": st.text(max_size=20),
                "url": st.text(max_size=60),
                "randomness": st.integers(UNKNOWN, (1 << 56) - 1),
                "threshold": st.integers(UNKNOWN, (1 << 56) - 1),
                "status": st.integers(0, 2),
            }
        ),
        max_size=12,
    )
)
def test_whatever_the_client_claims_every_span_ends_in_exactly_one_outcome(spans):
    record = run(spans)
    assert record.ledger.outcomes.sum() == record.ledger.spans.sum() == len(spans)
    counted = record.ledger.outcomes[[Outcome.KEPT, Outcome.COUNTED_ONLY]].sum()
    assert len(record.counted) == counted
    assert len(record.kept.batch.spans) == record.ledger.outcomes[Outcome.KEPT].sum()


def hash_id(i: int) -> bytes:
    from hashlib import blake2b

    return blake2b(i.to_bytes(4, "big"), digest_size=16).digest()


def kept_traces(record: Processed) -> set[bytes]:
    return {bytes(trace) for trace in record.kept.batch.spans.trace_id}
