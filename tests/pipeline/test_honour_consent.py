"""Consent: what is counted, what is stored and what leaves no trace, by every sign of a user's will."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import zstandard

from ingest.journal.record import encode
from ingest.model import ConsentState, Events, Links, Processed, Reception
from ingest.outcome import Outcome
from ingest.pipeline.process import process
from ingest.settings import AppPolicy
from privacy.policy import BUILT_IN, Consent, Extent
from tests.batches import policy, reception, spans_of

TRACE, SPAN, LINKED = b"needle-of-traces", b"needle-s", b"needle-of-links!"
TOLD: dict[str, Any] = {
    "trace_id": TRACE,
    "span_id": SPAN,
    "parent_span_id": b"needle-p",
    "name": "GET /orders/{id}",
    "url": "https://api.shop.example/orders/needleurl?q=needlequery",
    "screen": "needlescreen",
    "error_type": "needleerror",
    "protocol": "needleprotocol",
    "attributes": {"team": "needleattribute"},
    "duration_us": 250_000,
}
SENDER = {
    "version": "5.2.1",
    "network": "wifi",
    "os_name": "Android",
    "session": "needlesession",
    "installation": "needleinstallation",
    "service": "needleservice",
    "environment": "needleenvironment",
    "os_version": "needleosversion",
    "device_model": "needlemodel",
    "device_manufacturer": "needlemaker",
    "sdk": "needlesdk",
}


def told_of(*consents: ConsentState, spans: list[dict[str, Any]] | None = None) -> Any:
    """A batch of one span a body, full of text, with an event, a link and a resource attribute each."""
    count = len(consents)
    batch = spans_of(spans or [TOLD | {"body": body} for body in range(count)], bodies=count, **SENDER)
    strings = [*batch.strings, "needleevent", "needlekey", "needlevalue"]
    rows = np.arange(count, dtype=np.int32)
    event, key, value = (np.full(count, len(strings) - at, dtype=np.int32) for at in (3, 2, 1))
    return replace(
        batch,
        strings=strings,
        resources=replace(batch.resources, consent=np.array(consents, dtype=np.uint8)),
        resource_attributes=replace(batch.resource_attributes, owner=rows, key=key, value=value),
        events=Events(rows, event, np.zeros(count, dtype=np.int64)),
        links=Links(
            rows,
            np.frombuffer(LINKED * count, dtype=np.uint8).reshape(count, 16),
            np.frombuffer(SPAN * count, dtype=np.uint8).reshape(count, 8),
            np.zeros(count, dtype=np.uint8),
        ),
    )


def run(*consents: ConsentState, where: list[Reception] | None = None, batch: Any = None, **rule: Extent) -> Processed:
    rules = replace(BUILT_IN, consent=Consent(**rule))
    return process(
        told_of(*consents) if batch is None else batch,
        where or [reception(address="192.0.2.7", user_agent="NeedleAgent/1")] * len(consents),
        policy(),
        policy_of=lambda _: AppPolicy(1, rules),
        country_of=lambda _: "BR",
        provider_of=lambda _: "needleprovider",
    )


def outcome(record: Processed, body: int = 0) -> str:
    (found,) = (outcome for outcome in Outcome if record.ledger.outcomes[outcome, body])
    return found.label


def bytes_of(record: Processed) -> bytes:
    return zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)


GRANTED, PENDING, DENIED, MISSING = (
    ConsentState.GRANTED,
    ConsentState.PENDING,
    ConsentState.DENIED,
    ConsentState.MISSING,
)


@pytest.mark.parametrize(
    ("consent", "expected"),
    [
        (GRANTED, "kept"),
        (MISSING, "kept"),
        (PENDING, "counted_no_consent"),
        (DENIED, "counted_no_consent"),
    ],
)
def test_the_built_in_policy_stores_spans_of_those_who_agree_and_counts_those_of_others(consent, expected):
    record = run(consent)
    assert outcome(record) == expected
    assert len(record.counted) == 1


@pytest.mark.parametrize("consent", list(ConsentState))
@pytest.mark.parametrize(
    ("extent", "expected", "counted", "kept"),
    [
        (Extent.EVERYTHING, "kept", 1, 1),
        (Extent.COUNTERS, "counted_no_consent", 1, 0),
        (Extent.NOTHING, "rejected:no_consent", 0, 0),
    ],
)
def test_each_state_is_treated_as_the_policy_says(consent, extent, expected, counted, kept):
    record = run(consent, **{consent.word: extent})
    assert outcome(record) == expected
    assert (len(record.counted), len(record.kept.batch.spans)) == (counted, kept)


@pytest.mark.parametrize(
    ("signs", "rule", "expected"),
    [
        ({"gpc": True}, {}, "counted_no_consent"),
        ({"dnt": True}, {}, "kept"),
        ({"gpc": True}, {"gpc": Extent.EVERYTHING}, "kept"),
        ({"dnt": True}, {"dnt": Extent.NOTHING}, "rejected:no_consent"),
        ({"gpc": True, "dnt": True}, {"dnt": Extent.NOTHING}, "rejected:no_consent"),
        ({"gpc": True, "dnt": True}, {"gpc": Extent.NOTHING, "dnt": Extent.COUNTERS}, "rejected:no_consent"),
    ],
)
def test_of_several_signs_the_strictest_counts_even_against_a_state_that_is_granted(signs, rule, expected):
    assert outcome(run(GRANTED, where=[reception(**signs)], **rule)) == expected


def test_headers_do_not_soften_what_the_sdk_says():
    assert outcome(run(DENIED, where=[reception(gpc=True)], denied=Extent.NOTHING)) == "rejected:no_consent"


def test_a_backend_s_own_headers_say_nothing_of_its_users_but_its_state_does():
    where = [reception(trusted=True, gpc=True, dnt=True)] * 2
    record = run(GRANTED, DENIED, where=where, dnt=Extent.NOTHING)
    # Backends are counted nowhere, so a span of which counting is all that is allowed is taken in nowhere.
    assert [outcome(record, 0), outcome(record, 1)] == ["kept", "rejected:no_consent"]


def test_of_a_span_that_may_only_be_counted_the_record_holds_nothing_but_its_series():
    record = run(DENIED)
    rules = {record.strings[code] for code in record.scrubs.rule}
    route = "GET api.shop.example/orders/needleurl"
    assert set(record.strings) - rules == {"", "5.2.1", "BR", route, "android", "unknown", "wifi"}
    journaled = bytes_of(record)
    for needle in (TRACE, SPAN, LINKED, b"needle-p", b"192.0.2", b"NeedleAgent", b"needleprovider"):
        assert needle not in journaled
    assert record.counted.session.tolist() == [0]
    assert record.counted.window.any()


def test_of_a_span_that_may_not_be_counted_the_record_holds_only_the_ledger():
    record = run(DENIED, denied=Extent.NOTHING)
    assert list(record.strings) == [""]
    assert len(record.series) == len(record.counted) == len(record.kept.batch.spans) == len(record.scrubs) == 0
    assert record.ledger.spans.tolist() == [1]
    for needle in (TRACE, SPAN, LINKED, b"needle", b"192.0.2", b"NeedleAgent"):
        assert needle not in bytes_of(record)


def test_the_same_words_are_found_in_the_record_of_somebody_who_agrees():
    """Else the two tests above would pass for a record that never holds any text."""
    journaled = bytes_of(run(GRANTED))
    for needle in (TRACE, SPAN, LINKED, b"needlescreen", b"needleattribute", b"needleevent", b"needlevalue"):
        assert needle in journaled


def test_what_is_not_taken_in_is_not_counted_among_what_was_scrubbed_either():
    def finds(extent: Extent) -> int:
        batch = told_of(DENIED, spans=[TOLD | {"screen": "of jane.doe@example.com"}])
        return int(run(DENIED, batch=batch, denied=extent).scrubs.finds.sum())

    assert finds(Extent.EVERYTHING) > finds(Extent.COUNTERS)
    assert finds(Extent.NOTHING) == 0


def test_no_consent_is_the_reason_whatever_else_is_wrong_with_a_span():
    batch = told_of(DENIED, spans=[TOLD | {"duration_us": -5}])
    assert outcome(run(DENIED, batch=batch, denied=Extent.NOTHING)) == "rejected:no_consent"


def test_a_span_that_nobody_can_believe_is_not_counted_without_consent_either():
    batch = told_of(DENIED, spans=[TOLD | {"duration_us": -5}])
    assert outcome(run(DENIED, batch=batch)) == "rejected:negative_duration"


def test_senders_of_one_micro_batch_are_told_apart():
    record = run(GRANTED, DENIED, PENDING, MISSING, pending=Extent.NOTHING)
    assert [outcome(record, body) for body in range(4)] == ["kept", "counted_no_consent", "rejected:no_consent", "kept"]
    assert record.counted.body.tolist() == [0, 1, 3]
    assert len(record.kept.batch.links) == len(record.kept.batch.events) == len(record.kept.batch.attributes) == 2
    assert [int(session != 0) for session in record.counted.session.tolist()] == [1, 0, 1]


def test_each_app_s_own_policy_counts():
    lenient = AppPolicy(2, replace(BUILT_IN, consent=Consent(denied=Extent.NOTHING)))
    record = process(
        told_of(DENIED, DENIED),
        [reception(app_id=1), reception(app_id=2)],
        policy(),
        policy_of=lambda app_id: AppPolicy() if app_id == 1 else lenient,
        country_of=lambda _: "",
    )
    assert [outcome(record, 0), outcome(record, 1)] == ["counted_no_consent", "rejected:no_consent"]


def test_an_error_is_not_kept_for_being_one_without_consent():
    batch = told_of(PENDING, spans=[TOLD | {"status": 2, "duration_us": 9_000_000}])
    record = run(PENDING, batch=batch)
    assert outcome(record) == "counted_no_consent"
    assert record.counted.error.tolist() == [True]
