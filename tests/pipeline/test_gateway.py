"""Whose trace ids an app goes by: a gateway's own, partners', backends', and what a stranger can do with a victim's."""

from typing import Any

import numpy as np
import pytest

from ingest.outcome import Note
from ingest.pipeline.process import process
from ingest.pipeline.thresholds import low_56_bits
from tests.batches import built_in, policy, reception, spans_of
from tests.pipeline.test_link_traces import (
    CONTEXT,
    PARTNER,
    SERVER_TIMING,
    SPAN,
    TRACE,
    answered,
    gateway,
    link,
    links_of,
    noted,
    run,
    traces_of,
    with_links,
)

ROOT = {"trace_id": bytes.fromhex(TRACE), "span_id": b"rootroot"}
CHILD = {"trace_id": bytes.fromhex(TRACE), "span_id": b"childone", "parent_span_id": b"rootroot"}
ORPHAN = {"trace_id": bytes.fromhex(TRACE), "span_id": b"orphan..", "parent_span_id": b"left out"}


def test_a_gateway_gives_a_trace_one_id_of_its_own_and_keeps_the_clients_on_each_piece():
    linked = link(spans_of([ROOT, CHILD, ORPHAN, {}]), gateway)
    renamed = traces_of(linked.batch)
    assert TRACE not in renamed
    assert (renamed[0] == renamed[1] == renamed[2], renamed[3] == renamed[0]) == (True, False)
    assert links_of(linked.batch, 0) == [("external", TRACE, b"rootroot".hex())]
    assert links_of(linked.batch, 1) == []
    assert links_of(linked.batch, 2) == [("external", TRACE, b"orphan..".hex())]
    assert noted(linked) == {Note.TRACE_RENAMED: [True] * 4}


def test_the_id_is_the_same_from_every_body_and_another_in_every_app():
    spans = [ROOT, {**CHILD, "body": 1}, {**ROOT, "body": 2}]
    first, again, other = traces_of(link(spans_of(spans, bodies=3), gateway, apps=(1, 1, 2)).batch)
    assert first == again != other
    assert traces_of(link(spans_of([ROOT]), gateway).batch) == [first]


def test_a_parent_in_another_body_or_trace_is_no_parent_here():
    spans = [ROOT, {**CHILD, "body": 1}, {**CHILD, "trace_id": bytes.fromhex("ab" * 16)}]
    linked = link(spans_of(spans, bodies=2), gateway)
    assert [kind for row in range(3) for kind, _, _ in links_of(linked.batch, row)] == ["external"] * 3


def test_partners_and_backends_keep_their_trace_ids():
    spans = [ROOT, {**ROOT, "body": 1}]
    assert (traces_of(link(spans_of(spans, bodies=2), gateway, partners=(False, True)).batch)[1]) == TRACE
    for received in ({"origin": PARTNER}, {"trusted": True}):
        assert traces_of(run(spans_of([ROOT]), gateway, **received).kept.batch) == [TRACE]
    for received in ({"origin": "https://partner.example.evil.example"}, {"origin": ""}):
        record = run(spans_of([ROOT]), gateway, **received)
        assert traces_of(record.kept.batch) != [TRACE]
        assert Note.TRACE_RENAMED in record.notes.note.tolist()


def test_without_a_gateway_nothing_is_renamed():
    record = run(spans_of([ROOT, CHILD]))
    assert traces_of(record.kept.batch) == [TRACE] * 2
    assert Note.TRACE_RENAMED not in record.notes.note.tolist()


def test_sampling_goes_by_the_id_that_backends_know():
    rng = np.random.default_rng(7)
    ids = [rng.bytes(16) for _ in range(400)]
    batch = spans_of([{"trace_id": one} for one in ids])
    half = policy(low=0.5, mid=0.5, high=0.5, unknown=0.5)
    records = [process(batch, [reception()], half, policy_of=of, country_of=lambda _: "") for of in (built_in, gateway)]
    plain, renamed = (record.kept for record in records)
    assert 100 < len(plain.batch.spans) < 300
    assert renamed.batch.spans.span_id.tolist() == plain.batch.spans.span_id.tolist()
    assert renamed.assigned.randomness.tolist() == low_56_bits(plain.batch.spans.trace_id).tolist()


def test_a_clients_own_link_leads_to_the_renamed_trace_and_stays_as_sent():
    batch = with_links(spans_of([{}, ROOT]), (0, TRACE, b"rootroot".hex()))
    linked = link(batch, gateway)
    assert links_of(linked.batch, 0) == [
        ("span", traces_of(linked.batch)[1], b"rootroot".hex()),
        ("external", f"{1:032x}", f"{1:016x}"),
        ("external", TRACE, b"rootroot".hex()),
    ]


def test_links_to_servers_stay_as_the_answer_named_them():
    linked = link(spans_of([answered(**{SERVER_TIMING: f'traceparent;desc="{CONTEXT}"'})]), gateway)
    assert ("server", TRACE, SPAN) in links_of(linked.batch)


@pytest.mark.parametrize("policy_of", [built_in, gateway])
def test_a_stranger_with_the_victims_ids_changes_nothing_of_the_victims(policy_of: Any):
    victim = [ROOT | answered(90_000, **{SERVER_TIMING: f'traceparent;desc="{CONTEXT}";dur=20'}), CHILD, ORPHAN]
    strangers = [
        {**ROOT, **answered(90_000, **{SERVER_TIMING: f"trace;desc=00-{'ee' * 16}-{'dd' * 8}-01"})},
        {**CHILD, "parent_span_id": bytes(8), "http_status": 500},
        # Parent of the orphan, and a parent that comes later than its child.
        {**ROOT, "span_id": b"left out"},
    ]
    alone = run(with_links(spans_of(victim), (1, TRACE, "ab" * 8)), policy_of)
    crowd = [*victim, *({**span, "body": 1} for span in strangers)]
    beside = run(with_links(spans_of(crowd, bodies=2), (1, TRACE, "ab" * 8), (3, TRACE, b"childone".hex())), policy_of)
    assert len(beside.kept.batch.spans) == len(alone.kept.batch.spans) + len(strangers)
    for row in range(len(victim)):
        assert links_of(beside.kept.batch, row) == links_of(alone.kept.batch, row)
    for column in ("trace_id", "span_id", "parent_span_id", "duration_us", "http_status"):
        theirs = getattr(beside.kept.batch.spans, column)[: len(victim)]
        assert theirs.tolist() == getattr(alone.kept.batch.spans, column).tolist()
    assert beside.kept.assigned.server_us[: len(victim)].tolist() == alone.kept.assigned.server_us.tolist()
