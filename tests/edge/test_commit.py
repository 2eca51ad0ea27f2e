"""Group commit: one durable commit for many bodies, and nothing acknowledged without it."""

import asyncio
import threading
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

from client_sdk_spec import encoder
from ingest.decode.formats import DECODERS, Format
from ingest.device_classes import Agent
from ingest.edge.commit import BATCH_BYTES
from ingest.model import Processed, Scrubs
from ingest.pipeline.process import process
from tests.batches import built_in
from tests.edge.conftest import POLICY, RunningEdge, StartEdge, native
from tests.edge.test_answers import PROTOBUF, otlp_request


async def test_nothing_is_answered_before_it_is_durable(edge: RunningEdge):
    edge.journal.open.clear()
    sending = asyncio.create_task(edge.send(native()))
    await edge.journal.until(lambda journal: journal.waiting > 0)
    assert not sending.done()
    edge.journal.open.set()
    assert (await sending).status == 202


async def test_bodies_that_arrive_together_share_a_commit_and_are_all_answered(start_edge: StartEdge):
    edge = await start_edge(commit_wait_s=0.05)
    answers = await asyncio.gather(*(edge.send(native(n % 5, batch_id=n)) for n in range(1, 61)))
    assert [answer.json()["accepted"] for answer in answers] == [n % 5 for n in range(1, 61)]
    assert len(edge.journal.records) < 10
    assert edge.journal.spans == sum(n % 5 for n in range(1, 61))


async def test_formats_share_a_commit_and_each_gets_its_own_answer(start_edge: StartEdge):
    edge = await start_edge(commit_wait_s=0.05)
    natives = [edge.send(native(2, batch_id=n, encoding="msgpack")) for n in range(1, 6)]
    otlps = [edge.send(otlp_request(n).SerializeToString(), "/v1/traces", content_type=PROTOBUF) for n in range(1, 4)]
    answers = await asyncio.gather(*natives, *otlps)
    assert [answer.status for answer in answers] == [202] * 5 + [200] * 3
    assert edge.journal.spans == 10 + 6


async def test_a_body_that_cannot_be_read_leaves_the_bodies_beside_it_alone(start_edge: StartEdge):
    edge = await start_edge(commit_wait_s=0.05)
    bodies = [native(1, batch_id=1), b"{", native(2, batch_id=2), b"[]", native(3, batch_id=3)]
    answers = await asyncio.gather(*(edge.send(body) for body in bodies))
    assert [answer.status for answer in answers] == [202, 400, 202, 400, 202]
    assert sum(len(record.ledger) for record in edge.journal.records) == 3
    assert sorted(int(n) for record in edge.journal.records for n in record.ledger.spans) == [1, 2, 3]


async def test_a_body_that_breaks_the_pipeline_is_the_only_one_refused(start_edge: StartEdge):
    guilty = native(1, batch_id=13)

    def decode(bodies: Any, limits: Any) -> Any:
        if guilty in bodies:
            raise RuntimeError("a bug")
        return DECODERS[Format.NATIVE](bodies, limits)

    edge = await start_edge(commit_wait_s=0.05, decoders={**DECODERS, Format.NATIVE: decode})
    bodies = [native(1, batch_id=1), guilty, native(1, batch_id=2)]
    answers = await asyncio.gather(*(edge.send(body) for body in bodies))
    assert [answer.status for answer in answers] == [202, 500, 202]
    assert edge.journal.spans == 2
    assert (await edge.metrics())['firsthop_refused_total{reason="internal"}'] == 1


async def test_while_the_journal_is_away_everybody_is_told_to_come_back_and_nothing_is_written(edge: RunningEdge):
    edge.journal.broken = True
    answers = await asyncio.gather(*(edge.send(native(batch_id=n)) for n in range(1, 6)))
    assert {answer.status for answer in answers} == {503}
    assert all(1 <= int(answer.headers["Retry-After"]) <= 5 for answer in answers)
    assert edge.journal.records == []
    assert (await edge.send(b"", "/readyz", "GET")).json() == {"ready": False, "failing": ["journal"]}
    edge.journal.broken = False
    assert (await edge.send(native())).status == 202


async def test_otlp_clients_are_told_too_in_their_own_words(edge: RunningEdge):
    edge.journal.broken = True
    answer = await edge.send(otlp_request(1).SerializeToString(), "/v1/traces", content_type=PROTOBUF)
    assert (answer.status, answer.headers["Content-Type"]) == (503, PROTOBUF)
    assert "Retry-After" in answer.headers


async def test_two_commits_may_be_under_way_and_the_rest_gathers(edge: RunningEdge):
    edge.journal.open.clear()
    first = asyncio.create_task(edge.send(native(batch_id=1)))
    await edge.journal.until(lambda journal: journal.waiting == 1)
    second = asyncio.create_task(edge.send(native(batch_id=2)))
    await edge.journal.until(lambda journal: journal.waiting == 2)
    rest = [asyncio.create_task(edge.send(native(batch_id=n))) for n in range(3, 30)]
    metrics = await edge.metrics()
    while metrics["firsthop_bodies_total"] < 29:
        metrics = await edge.metrics()
    assert edge.journal.waiting == 2
    edge.journal.open.set()
    answers = await asyncio.gather(first, second, *rest)
    assert {answer.status for answer in answers} == {202}
    assert len(edge.journal.records) == 3


async def test_bodies_beyond_the_queue_are_refused_at_once_and_the_room_comes_back(start_edge: StartEdge):
    body = native(10)
    edge = await start_edge(queue_bytes=len(body) * 3)
    edge.journal.open.clear()
    held = [asyncio.create_task(edge.send(body)) for _ in range(3)]
    metrics = await edge.metrics()
    while metrics["firsthop_queue_bytes"] < 3 * len(body):
        metrics = await edge.metrics()
    refused = await edge.send(body)
    assert (refused.status, refused.json()["error"]) == (503, "queue_full")
    assert "Retry-After" in refused.headers
    edge.journal.open.set()
    assert {answer.status for answer in await asyncio.gather(*held)} == {202}
    assert (await edge.metrics())["firsthop_queue_bytes"] == 0
    assert (await edge.send(body)).status == 202


async def test_a_large_micro_batch_is_taken_without_waiting_for_the_clock(start_edge: StartEdge):
    edge = await start_edge(commit_wait_s=3600.0)
    answer = await asyncio.wait_for(edge.send(native() + b" " * BATCH_BYTES), 30)
    assert answer.status == 202


async def test_stopping_answers_everything_that_was_accepted(edge: RunningEdge):
    edge.journal.open.clear()
    sending = [asyncio.create_task(edge.send(native(batch_id=n))) for n in range(1, 6)]
    await edge.journal.until(lambda journal: journal.waiting > 0)
    edge.stop.set()
    await asyncio.sleep(0)
    edge.journal.open.set()
    assert {answer.status for answer in await asyncio.gather(*sending)} == {202}
    await edge.server
    assert edge.journal.spans == 5


async def test_personal_data_of_the_transport_is_not_in_the_record(start_edge: StartEdge):
    edge = await start_edge(
        trusted_proxies=("127.0.0.0/8",),
        process=partial(process, policy=POLICY, country_of=lambda _: "BR", agent_of=lambda _: Agent("Android")),
    )
    await edge.send(native(), x_forwarded_for="203.0.113.77", user_agent="JaneDoesPhone/1.0")
    text = repr(edge.journal.records)
    assert "203.0.113.77" not in text
    assert "JaneDoes" not in text


async def test_what_was_scrubbed_is_counted_by_rule_when_it_is_durable(edge: RunningEdge):
    body = native(name="mail jane.roe@example.org and john@example.org")
    edge.journal.broken = True
    await edge.send(body)
    assert (await edge.metrics())['firsthop_scrubbed_total{rule="email"}'] == 0
    edge.journal.broken = False
    await edge.send(body)
    assert (await edge.metrics())['firsthop_scrubbed_total{rule="email"}'] == 2


async def test_what_a_policy_calls_its_patterns_is_no_label(start_edge: StartEdge):
    def with_patterns(batch: Any, receptions: Any) -> Processed:
        record = process(batch, receptions, POLICY, policy_of=built_in, country_of=lambda _: "")
        strings = [*record.strings, "policy:loyalty_card", "policy:seat"]
        scrubs = Scrubs(
            app_id=np.array([1, 1], dtype=np.int32),
            rule=np.array([len(strings) - 2, len(strings) - 1], dtype=np.int32),
            finds=np.array([3, 4]),
        )
        return replace(record, strings=strings, scrubs=scrubs)

    edge = await start_edge(process=with_patterns)
    await edge.send(native())
    metrics = await edge.metrics()
    assert metrics['firsthop_scrubbed_total{rule="policy"}'] == 7
    assert {name for name in metrics if "loyalty" in name or "seat" in name} == set()


def where_processed(threads: list[str]) -> Any:
    """The pipeline, writing down the thread it runs in."""

    def run(batch: Any, receptions: Any) -> Any:
        threads.append(threading.current_thread().name)
        return process(batch, receptions, POLICY, policy_of=built_in, country_of=lambda _: "")

    return run


async def test_what_is_large_is_processed_beside_the_event_loop(start_edge: StartEdge):
    threads: list[str] = []
    edge = await start_edge(process=where_processed(threads))
    span = {"trace_id": "1" * 32, "span_id": "2" * 16, "name": "GET", "start_us": 1, "duration_us": 1}
    notes = {f"note{number}": f"{number} " + "word " * 1600 for number in range(80)}
    large = {"id": "3" * 32, "resource": {}, "clock": {"kind": "wall"}, "spans": [span | {"attributes": notes}]}
    body = encoder.encode(large)
    assert len(body) > BATCH_BYTES
    await edge.send(native(batch_id=1))
    await edge.send(body)
    await edge.send(native(batch_id=2))
    assert [name.startswith("process") for name in threads] == [False, True, False]


async def test_after_a_micro_batch_that_held_the_loop_too_long_all_are_processed_beside_it(
    start_edge: StartEdge, monkeypatch: pytest.MonkeyPatch
):
    threads: list[str] = []
    edge = await start_edge(process=where_processed(threads))
    monkeypatch.setattr("ingest.edge.commit.HOLD_S", 0.0)
    for number in range(1, 4):
        await edge.send(native(batch_id=number))
    assert [name.startswith("process") for name in threads] == [False, True, True]
