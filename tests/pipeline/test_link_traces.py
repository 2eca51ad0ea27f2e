"""Links to the server, the server's time, and whose trace ids an app goes by."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.decode.formats import DECODERS, Format
from ingest.model import REUSED, UNKNOWN, LinkKind, Links, Phase, Processed, SpanBatch
from ingest.outcome import Note, Outcome
from ingest.pipeline.link_traces import MOST_SERVERS, Linked, link_traces
from ingest.pipeline.process import process
from ingest.pipeline.scopes import find_scopes
from ingest.settings import AppPolicy, AppTraces
from privacy import Policy as Rules
from privacy.policy import Consent, Extent
from tests.batches import NOW_US, built_in, policy, reception, spans_of

SERVER_TIMING = "http.response.header.server-timing"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
CONTEXT = f"00-{TRACE}-{SPAN}-01"
PARTNER = "https://partner.example"
GATEWAY = AppPolicy(traces=AppTraces(gateway=True, partners=(PARTNER,)))


def gateway(_: int) -> AppPolicy:
    return GATEWAY


def with_links(batch: SpanBatch, *links: tuple[int, str, str]) -> SpanBatch:
    """The batch with span links of a client: owner, trace id, span id."""
    return replace(
        batch,
        links=Links(
            owner=np.array([owner for owner, _, _ in links], dtype=np.int32),
            trace_id=np.frombuffer(bytes.fromhex("".join(t for _, t, _ in links)), np.uint8).reshape(-1, 16),
            span_id=np.frombuffer(bytes.fromhex("".join(s for _, _, s in links)), np.uint8).reshape(-1, 8),
            kind=np.zeros(len(links), np.uint8),
        ),
    )


def link(
    batch: SpanBatch, policy_of: Any = built_in, partners: tuple[bool, ...] = (), apps: tuple[int, ...] = ()
) -> Linked:
    bodies = len(batch.bodies)
    receptions = [reception(app_id=app) for app in apps or (1,) * bodies]
    scopes = find_scopes(receptions, policy().ring, policy_of)
    return link_traces(batch, scopes, np.array(partners or (False,) * bodies))


def links_of(batch: SpanBatch, row: int = 0) -> list[tuple[str, str, str]]:
    """(kind, trace, span) of a span's links."""
    found = zip(
        batch.links.owner.tolist(), batch.links.kind.tolist(), batch.links.trace_id, batch.links.span_id, strict=True
    )
    return [
        (LinkKind(kind).name.lower(), trace.tobytes().hex(), span.tobytes().hex())
        for owner, kind, trace, span in found
        if owner == row
    ]


def traces_of(batch: SpanBatch) -> list[str]:
    return [row.tobytes().hex() for row in batch.spans.trace_id]


def noted(linked: Linked) -> dict[Note, list[bool]]:
    return {note: about.tolist() for note, about in linked.notes if about.any()}


def run(batch: SpanBatch, policy_of: Any = built_in, **received: Any) -> Processed:
    receptions = [reception(**received)] * len(batch.bodies)
    return process(batch, receptions, policy(), policy_of=policy_of, country_of=lambda _: "")


def answered(ttfb_us: int = UNKNOWN, **attributes: str) -> dict[str, Any]:
    """A request whose answer left these attributes."""
    phases = [UNKNOWN] * len(Phase)
    phases[Phase.TTFB] = ttfb_us
    return {"phases_us": phases, "duration_us": 300_000, "attributes": attributes}


@pytest.mark.parametrize(
    "attributes",
    [
        {SERVER_TIMING: f'["cache;desc=HIT", "traceparent;desc=\\"{CONTEXT}\\""]'},
        {SERVER_TIMING: f'traceparent;desc="{CONTEXT}"'},
        {"http.response.header.server_timing": f'["trace;desc={CONTEXT}"]'},
        {"HTTP.Response.Header.TraceResponse": f'["{CONTEXT}"]'},
        {"link.traceId": TRACE, "link.spanId": SPAN},
        {"link.traceId": TRACE, "link.spanId": SPAN, SERVER_TIMING: f'traceparent;desc="{CONTEXT}"'},
    ],
)
def test_the_server_span_that_an_answer_names_becomes_one_link(attributes: dict[str, str]):
    linked = link(spans_of([{}, answered(**attributes), {}]))
    assert links_of(linked.batch, 1) == [("server", TRACE, SPAN)]
    assert len(linked.batch.links) == 1


def test_a_response_that_names_only_a_span_means_the_requests_own_trace():
    linked = link(spans_of([{}, answered(**{"http.response.header.traceresponse": f"00--{SPAN}-01"})]))
    assert links_of(linked.batch, 1) == [("server", f"{2:032x}", SPAN)]


def test_a_response_that_names_only_a_trace_leaves_the_span_open():
    linked = link(spans_of([answered(**{"http.response.header.traceresponse": f"00-{TRACE}--01"})]))
    assert links_of(linked.batch) == [("server", TRACE, "0" * 16)]


def test_a_server_that_names_a_thousand_spans_gets_few_links():
    entries = ", ".join(f"trace;desc=00-{TRACE}-{number:016x}-01" for number in range(1, 1000))
    assert len(link(spans_of([answered(**{SERVER_TIMING: entries})])).batch.links) == MOST_SERVERS


def test_a_long_header_that_every_span_repeats_in_every_attribute_is_read_once(monkeypatch: pytest.MonkeyPatch):
    read = []
    monkeypatch.setattr("ingest.pipeline.link_traces.read_entries", lambda value: read.append(value) or [])
    batch = spans_of([answered(**{SERVER_TIMING: "total;dur=1"}) for _ in range(50)])
    attributes = batch.attributes
    often = replace(
        attributes, **{name: np.repeat(getattr(attributes, name), 128) for name in ("owner", "key", "value")}
    )
    link(replace(batch, attributes=often))
    assert read == ["total;dur=1"]


def test_client_links_without_ids_go_and_the_others_stay_with_their_spans():
    batch = with_links(spans_of([{}, {}]), (0, "0" * 32, SPAN), (1, TRACE, SPAN), (1, TRACE, "0" * 16))
    linked = link(batch)
    assert (links_of(linked.batch, 0), links_of(linked.batch, 1)) == ([], [("span", TRACE, SPAN)])


@pytest.mark.parametrize(
    ("ttfb_us", "dur", "server_us", "contradicts"),
    [
        (200_000, "120.5", 120_500, False),
        (200_000, "0", UNKNOWN, False),
        # Rounded up by the server, down by the browser: no longer than the wait.
        (200_000, "201", 200_000, False),
        (200_000, "203", UNKNOWN, True),
        (UNKNOWN, "250", 250_000, False),
        (UNKNOWN, "310", UNKNOWN, True),
        # The header of a cached answer tells of an earlier request.
        (REUSED, "20", UNKNOWN, False),
        (200_000, "-5", UNKNOWN, False),
        (200_000, "NaN", UNKNOWN, False),
    ],
)
def test_the_servers_time_counts_as_far_as_it_can_be_true(ttfb_us: int, dur: str, server_us: int, contradicts: bool):
    linked = link(spans_of([answered(ttfb_us, **{SERVER_TIMING: f"total;dur={dur}"}), {}]))
    assert linked.server_us.tolist() == [server_us, UNKNOWN]
    assert noted(linked) == ({Note.SERVER_TIME_EXCEEDS: [True, False]} if contradicts else {})


def test_tracestate_and_baggage_are_stored_nowhere():
    foreign = {
        "baggage": "user=jane",
        "tracestate": "vendor=secret",
        "http.request.header.baggage": '["user=jane"]',
        "http.response.header.Tracestate": '["vendor=secret"]',
    }
    batch = spans_of([{"attributes": {**foreign, "order.step": "pay"}}])
    of_span = batch.attributes
    batch = replace(batch, resource_attributes=replace(of_span, owner=np.zeros_like(of_span.owner)))
    record = process(
        batch,
        [reception(address="203.0.113.9")],
        policy(),
        policy_of=built_in,
        country_of=lambda _: "BR",
        provider_of=lambda _: "Telecom",
    )
    kept = record.kept.batch
    left = [
        {record.strings[code] for code in table.key.tolist()} for table in (kept.attributes, kept.resource_attributes)
    ]
    assert left == [{"order.step"}, {"order.step", "client.as.organization.name"}]
    assert not any(word in text for text in record.strings for word in ("jane", "secret", "baggage", "tracestate"))


def test_links_and_server_times_come_through_the_whole_pipeline_unchanged_by_scrubbing():
    header = f'["traceparent;desc=\\"{CONTEXT}\\"", "total;dur=80.25, db;dur=9;desc=\\"of jane.doe@example.com\\""]'
    record = run(spans_of([answered(100_000, **{SERVER_TIMING: header}), {"duration_us": -5}, {}]))
    assert links_of(record.kept.batch) == [("server", TRACE, SPAN)]
    assert record.kept.assigned.server_us.tolist() == [80_250, UNKNOWN]
    assert not any("jane" in text for text in record.strings)


def test_a_server_time_longer_than_the_wait_is_noted_in_the_ledger():
    record = run(spans_of([{}, answered(10_000, **{SERVER_TIMING: "total;dur=800"})]))
    notes = dict(zip(record.notes.note.tolist(), record.notes.spans.tolist(), strict=True))
    assert notes[Note.SERVER_TIME_EXCEEDS] == 1


def test_backend_spans_are_in_no_series_and_end_kept_or_not_sampled():
    none = policy(low=0, mid=0, high=0, unknown=0)
    spans = [{"kind": 2}, {"kind": 2, "http_status": 503}]
    record = process(spans_of(spans), [reception(trusted=True)], none, policy_of=built_in, country_of=lambda _: "")
    ends = {Outcome(o): int(n) for o, n in enumerate(record.ledger.outcomes[:, 0]) if n}
    assert ends == {Outcome.KEPT: 1, Outcome.NOT_SAMPLED: 1}
    assert (len(record.series), len(record.counted), len(record.kept.batch.spans)) == (0, 0, 1)


def test_a_backends_span_of_somebody_who_did_not_agree_is_refused_and_not_said_to_be_counted():
    def reserved(_: int) -> AppPolicy:
        return AppPolicy(rules=Rules(consent=Consent(missing=Extent.COUNTERS)))

    record = run(spans_of([{}]), reserved, trusted=True)
    assert record.ledger.outcomes[Outcome.NO_CONSENT].tolist() == [1]
    assert len(record.kept.batch.spans) == 0


def test_headers_come_out_of_otlp_as_the_conventions_write_them():
    request = ExportTraceServiceRequest()
    span = (
        request.resource_spans.add()
        .scope_spans.add()
        .spans.add(name="GET", kind=3, trace_state="ot=th:0,vendor=secret")
    )
    span.trace_id, span.span_id = bytes.fromhex("ab" * 16), bytes.fromhex("cd" * 8)
    span.start_time_unix_nano = (NOW_US - 900_000) * 1000
    span.end_time_unix_nano = span.start_time_unix_nano + 300_000_000
    span.attributes.add(key="http.request.method").value.string_value = "GET"
    header = span.attributes.add(key=SERVER_TIMING).value.array_value
    header.values.add().string_value = "db;dur=9"
    header.values.add().string_value = f'traceparent;desc="{CONTEXT}", total;dur=20'
    decoded = DECODERS[Format.OTLP_PROTOBUF]([request.SerializeToString()], policy().limits)
    record = run(decoded.batch)
    assert links_of(record.kept.batch) == [("server", TRACE, SPAN)]
    assert record.kept.assigned.server_us.tolist() == [20_000]
    assert not any("secret" in text for text in record.strings)


_TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from([CONTEXT, f'["{CONTEXT}"]', "total;dur=1e9, trace;desc=00---", "[", "[[[[", '["a;dur=5",null,7]']),
    st.from_regex(r'(trace|total|x);(dur|desc)=("?[0-9a-f.-]{0,60}"?)', fullmatch=True),
)
_KEYS = st.sampled_from(
    [SERVER_TIMING, "http.response.header.traceresponse", "link.traceId", "link.spanId", "baggage", "step"]
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.dictionaries(_KEYS, _TEXTS, max_size=4), st.integers(-5, 10**7), st.integers(-2, 10**7)),
        max_size=4,
    ),
    st.booleans(),
)
def test_whatever_clients_say_no_link_is_empty_and_no_server_took_longer_than_they_waited(
    said: list[tuple[dict[str, str], int, int]], behind_gateway: bool
):
    spans = [
        {**answered(ttfb_us, **attributes), "duration_us": duration_us, "body": row % 2}
        for row, (attributes, ttfb_us, duration_us) in enumerate(said)
    ]
    record = run(spans_of(spans, bodies=2), gateway if behind_gateway else built_in)
    kept = record.kept
    assert kept.batch.links.trace_id.any(axis=1).all()
    wait = kept.batch.spans.phases_us[Phase.TTFB]
    longest = np.where(wait >= 0, wait, kept.batch.spans.duration_us)
    known = kept.assigned.server_us != UNKNOWN
    assert ((kept.assigned.server_us >= 0) & (kept.assigned.server_us <= longest))[known].all()
    assert not (known & (wait == REUSED)).any()
