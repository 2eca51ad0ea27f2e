"""Consent through a real edge: what clients are answered, and what of them is in the journal."""

import time
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest
import zstandard
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from client_sdk_spec import encoder
from ingest.journal.record import encode
from ingest.model import Processed
from ingest.outcome import Outcome
from ingest.pipeline.process import process
from ingest.settings import AppPolicy
from privacy.policy import BUILT_IN, Consent, Extent
from tests.edge.conftest import POLICY, SERVER_KEY, RunningEdge, StartEdge, native

PROTOBUF = "application/x-protobuf"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def of_user(consent: str | None, encoding: str = "msgpack") -> bytes:
    """A native batch of one span of a session."""
    resource = {"service": "shop", "version": "1.2.0", "session": "session-of-jane"}
    return encoder.encode(
        {
            "id": "0f" * 16,
            "resource": resource | ({} if consent is None else {"consent": consent}),
            "clock": {"kind": "wall"},
            "dropped": {"consent": 4},
            "spans": [
                {
                    "trace_id": TRACE,
                    "span_id": SPAN,
                    "name": "GET /orders/{id}",
                    "start_us": time.time_ns() // 1000 - 1_000_000,
                    "duration_us": 120_000,
                    "screen": "Screen of needles",
                }
            ],
        },
        encoding,
    )


def otlp(resource: dict[str, Any], *spans: dict[str, Any]) -> bytes:
    """An OTLP request in protobuf: attributes of its resource, and of each span."""
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    for key, value in resource.items():
        group.resource.attributes.add(key=key).value.string_value = value
    scope, now = group.scope_spans.add(), time.time_ns()
    for row, attributes in enumerate(spans):
        span = scope.spans.add(trace_id=bytes.fromhex(TRACE), span_id=bytes([row + 1] * 8), name="GET", kind=3)
        span.start_time_unix_nano, span.end_time_unix_nano = now - 2_000_000_000, now - 1_000_000_000
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    return request.SerializeToString()


def ends(edge: RunningEdge) -> dict[str, int]:
    """How all spans in the journal ended."""
    totals = sum(record.ledger.outcomes.sum(axis=1) for record in edge.journal.records)
    return {outcome.label: int(totals[outcome]) for outcome in Outcome if totals[outcome]}


def under(**rule: Extent) -> Any:
    """The pipeline with these rules of consent for every app."""
    rules = AppPolicy(1, replace(BUILT_IN, consent=Consent(**rule)))
    return partial(process, policy=POLICY, policy_of=lambda _: rules, country_of=lambda _: "")


@pytest.mark.parametrize("encoding", ["json", "msgpack"])
@pytest.mark.parametrize(
    ("consent", "ended"),
    [
        (None, "kept"),
        ("granted", "kept"),
        ("pending", "counted_no_consent"),
        ("denied", "counted_no_consent"),
        ("Granted", "counted_no_consent"),
        ("", "counted_no_consent"),
    ],
)
async def test_a_native_client_says_what_its_user_agreed_to(edge: RunningEdge, encoding: str, consent, ended: str):
    answer = await edge.send(of_user(consent, encoding))
    assert (answer.status, answer.json()["accepted"], answer.json()["rejected"]) == (202, 1, {})
    assert ends(edge) == {ended: 1}
    assert (await edge.metrics())[f'firsthop_spans_total{{outcome="{ended}"}}'] == 1


async def test_a_browser_s_global_privacy_control_is_honoured_unasked(edge: RunningEdge):
    await edge.send(native(3), sec_gpc="1", dnt="1", origin="https://shop.example")
    assert ends(edge) == {"counted_no_consent": 3}


async def test_a_backend_s_headers_are_not_its_users(edge: RunningEdge):
    await edge.send(native(), sec_gpc="1", dnt="1", x_api_key=SERVER_KEY)
    assert ends(edge) == {"kept": 1}


async def test_what_may_not_be_counted_is_rejected_by_reason_and_never_asked_for_again(start_edge: StartEdge):
    edge = await start_edge(process=under(denied=Extent.NOTHING))
    answer = await edge.send(of_user("denied"))
    assert (answer.status, answer.headers.get("Retry-After")) == (202, None)
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (0, {"rejected:no_consent": 1})
    assert ends(edge) == {"rejected:no_consent": 1}


async def test_an_otlp_client_is_told_as_a_partial_success(start_edge: StartEdge):
    edge = await start_edge(process=under(denied=Extent.NOTHING))
    body = otlp({"firsthop.consent": "denied"}, {}, {})
    answer = await edge.send(body, "/v1/traces", content_type=PROTOBUF)
    told = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, told.rejected_spans, told.error_message) == (200, 2, "no_consent: 2")


async def test_an_otlp_resource_says_what_its_user_agreed_to(edge: RunningEdge):
    await edge.send(otlp({"firsthop.consent": "pending"}, {}, {}), "/v1/traces", content_type=PROTOBUF)
    assert ends(edge) == {"counted_no_consent": 2}


async def test_a_span_s_own_word_goes_before_its_resource_s_for_consent_changes_while_an_app_runs(edge: RunningEdge):
    body = otlp({"firsthop.consent": "pending"}, {}, {"firsthop.consent": "granted"}, {"firsthop.consent": "denied"})
    await edge.send(body, "/v1/traces", content_type=PROTOBUF)
    assert ends(edge) == {"kept": 1, "counted_no_consent": 2}
    [record] = edge.journal.records
    assert record.kept.batch.spans.span_id[0].tolist() == [2] * 8


@pytest.mark.parametrize("consent", ["granted", "denied", "no such word"])
async def test_the_state_itself_is_not_stored(edge: RunningEdge, consent: str):
    resource = {"firsthop.consent": consent, "session.id": "session-of-jane"}
    body = otlp(resource, {"firsthop.consent": consent}, {"firsthop.consent": consent})
    assert (await edge.send(body, "/v1/traces", content_type=PROTOBUF)).status == 200
    assert (await edge.send(of_user(consent))).status == 202
    texts = {text for record in edge.journal.records for text in record.strings}
    assert "1.2.0" in texts
    assert not {text for text in texts if "firsthop" in text or text in {"granted", "denied", "no such word"}}


async def test_the_journal_holds_no_id_of_those_who_did_not_agree(edge: RunningEdge):
    await edge.send(of_user("denied"))
    body = otlp({"firsthop.consent": "denied", "session.id": "session-of-jane"}, {})
    await edge.send(body, "/v1/traces", content_type=PROTOBUF)
    assert len(edge.journal.records) == 2
    for record in edge.journal.records:
        assert_nobody(record)
    assert [drop for record in edge.journal.records for drop in record.drops.spans.tolist()] == [4]


def assert_nobody(record: Processed) -> None:
    assert len(record.counted)
    assert not record.counted.session.any()
    assert len(record.kept.batch.spans) == len(record.kept.batch.resources) == 0
    assert "needles" not in " ".join(record.strings)
    assert bytes.fromhex(TRACE) not in zstandard.decompress(encode(record)[1:], max_output_size=1 << 24)


async def test_a_state_of_another_type_is_refused(edge: RunningEdge):
    body = orjson.loads(of_user("granted", "json"))
    body["resource"]["consent"] = True
    answer = await edge.send(orjson.dumps(body))
    assert (answer.status, answer.json()["error"]) == (400, "wrong_type")
    assert edge.journal.spans == 0
