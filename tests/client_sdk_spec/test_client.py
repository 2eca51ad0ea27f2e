"""The reference client against the receiver of the client half: what is sealed together, told, held back."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from random import Random
from typing import Any

import pytest

from client_sdk_spec.client import BYTES, SPANS, Client, mono_us, wall_us
from client_sdk_spec.conformance.receiver import Receiver, receiving
from client_sdk_spec.samples import batch
from client_sdk_spec.sender import seal

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
REASONS = {
    "before_send", "consent", "expired", "network_error", "queue_overflow",
    "rate_limited", "rejected", "sampled", "storage_full", "too_large",
}  # fmt: skip


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as made:
        yield made


@pytest.fixture
async def start(receiver: Receiver) -> AsyncIterator[Callable[..., Any]]:
    """Starts clients of the scenario in which everything is accepted, or of another."""
    async with AsyncExitStack() as stack:

        def started(key: str = "well", **options: Any) -> Any:
            resource = options.pop("resource", {"service": "shop"})
            return stack.enter_async_context(Client(receiver.address, key, resource, **options))

        yield started


def span(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "trace_id": secrets.token_hex(16),
        "span_id": secrets.token_hex(8),
        "name": f"span {number}",
        "start_us": mono_us() - 5_000,
        "duration_us": 5_000,
        "http_status": 200,
        **changes,
    }


def batches(receiver: Receiver, key: str = "well") -> list[dict[str, Any]]:
    return [dict(attempt.batch) for attempt in receiver.of(key).attempts]


def sizes(receiver: Receiver) -> list[int]:
    return [len(each["spans"]) for each in batches(receiver)]


async def test_a_batch_is_sealed_at_a_hundred_spans_and_before_it_exceeds_48_kib(start: Any, receiver: Receiver):
    client = await start()
    for number in range(2 * SPANS + 7):
        client.record(span(number))
    await client.flush()
    assert sizes(receiver) == [SPANS, SPANS, 7]
    for number in range(10):
        client.record(span(number, attributes={"note": "x" * 20_000}))
    await client.flush()
    assert sizes(receiver)[3:] == [2] * 5
    assert all(len(attempt.body) <= BYTES for attempt in receiver.of("well").attempts)


async def test_what_is_open_is_sealed_after_thirty_seconds(start: Any, receiver: Receiver):
    passed_us = [0]
    client = await start(mono=lambda: mono_us() + passed_us[0])
    client.record(span())
    client.tick()
    assert client.held == 1
    assert not receiver.of("well").attempts, "it is open still"
    passed_us[0] = 15 * SECOND_US
    client.tick()
    await client.flush()
    assert sizes(receiver) == [1], "by the next time it would be thirty seconds old"


async def test_spans_of_two_epochs_go_in_batches_of_their_own(start: Any, receiver: Receiver):
    slept_us = [0]
    client = await start(wall=lambda: wall_us() + slept_us[0], counts_sleep=False)
    client.record(span(0))
    slept_us[0] = 8 * HOUR_US
    client.record(span(1))
    client.record(span(2))
    await client.flush()
    first, second = batches(receiver)
    assert [each["name"] for each in first["spans"]] == ["span 0"]
    assert [each["name"] for each in second["spans"]] == ["span 1", "span 2"]
    assert first["clock"]["epoch"] != second["clock"]["epoch"]
    bridge_us = int(receiver.of("well").attempts[0].query["b"])
    assert abs(bridge_us - 8 * HOUR_US) < SECOND_US


async def test_no_two_clients_share_an_epoch_or_a_batch_id(start: Any, receiver: Receiver):
    for _ in range(20):
        client = await start()
        client.record(span())
        await client.flush()
    found = batches(receiver)
    assert len({each["id"] for each in found}) == len({each["clock"]["epoch"] for each in found}) == 20


async def test_each_session_has_a_randomness_of_its_own_on_all_of_its_spans(start: Any, receiver: Receiver):
    for _ in range(5):
        client = await start(keep_sessions_whole=True)
        for number in range(4):
            client.record(span(number))
        await client.flush()
    drawn = [{each["randomness"] for each in found["spans"]} for found in batches(receiver)]
    assert all(len(each) == 1 for each in drawn)
    assert len(set.union(*drawn)) == 5


async def test_spans_of_before_and_after_a_change_of_consent_go_in_batches_of_their_own(start: Any, receiver: Receiver):
    client = await start(resource={"consent": "pending"})
    client.record(span(0))
    client.set_resource(consent="granted")
    client.record(span(1))
    await client.flush()
    assert [(each["resource"]["consent"], len(each["spans"])) for each in batches(receiver)] == [
        ("pending", 1),
        ("granted", 1),
    ]


async def test_without_consent_nothing_is_sent_and_it_is_told_afterwards(start: Any, receiver: Receiver):
    client = await start(resource={"consent": "denied"})
    for number in range(3):
        client.record(span(number))
    await client.flush()
    assert not any(each["spans"] for each in batches(receiver))
    client.set_resource(consent="granted")
    client.record(span(3))
    await client.flush()
    told = Counter[str]()
    for each in batches(receiver):
        told.update(each.get("dropped", {}))
    assert (told, sum(sizes(receiver))) == ({"consent": 3}, 1)


async def test_counters_are_told_by_a_batch_without_spans_when_there_are_none(start: Any, receiver: Receiver):
    client = await start()
    client.drops.count("before_send", 4)
    await client.flush()
    await client.flush()
    assert [(each["spans"], each["dropped"]) for each in batches(receiver)] == [([], {"before_send": 4})]


async def test_a_client_that_saves_power_sends_errors_and_holds_the_rest(start: Any, receiver: Receiver):
    client = await start()
    client.save_power(True)
    client.record(span(0))
    await client.flush()
    client.record(span(1, http_status=500))
    await client.flush()
    assert [each["name"] for found in batches(receiver) for each in found["spans"]] == ["span 1"]
    assert client.held == 1
    client.save_power(False)
    await client.flush()
    assert (sum(sizes(receiver)), client.held) == (2, 0)


async def test_an_edge_that_says_to_send_nothing_gets_nothing_that_waits_either(start: Any, receiver: Receiver):
    client = await start("forged")
    for number in range(3):
        client.record(span(number))
    await client.flush()
    assert not receiver.of("forged").attempts
    assert client.drops.untold == {"sampled": 3}


async def test_what_is_held_is_bounded_and_what_had_to_go_is_counted(start: Any, receiver: Receiver):
    client = await start("refused_410", capacity=20_000)
    client.record(span())
    await client.flush()
    assert client.stopped
    for _ in range(100):
        client.record(span(attributes={"note": secrets.token_hex(500)}))
        client.seal()
    await asyncio.sleep(0)
    assert 0 < client.held < 100
    told = Counter(client.drops.untold)
    for each in client._queue.held.values():
        told.update(each.dropped)
    assert (client.held + told["queue_overflow"], told["rejected"]) == (100, 1), "told, or carried by what is held"
    assert len(receiver.of("refused_410").attempts) == 1


def test_the_reasons_of_the_reference_are_those_of_the_wire():
    from client_sdk_spec.encoder import HERE

    wire = (HERE / "WIRE.md").read_text()
    used = {"queue_overflow", "expired", "rejected", "too_large", "sampled", "consent"}
    assert used <= REASONS
    assert all(f"`{reason}`" in wire for reason in REASONS)


def test_an_hour_of_a_thousand_spans_is_less_than_100_kb():
    """1,000 spans of the synthetic world in batches of 30, as MessagePack with the preset dictionary."""
    random = Random(1)
    sent = [seal(batch(random, 30), "ordinary", 0, "msgpack", "deflate").bytes for _ in range(34)]
    assert sum(sent) < 100_000
    stamps = 34 * len(
        json.dumps({"s": "1" * 13, "w": "1" * 16, "e": "x" * 16, "o": "1" * 16, "d": "1" * 6, "t": "1" * 13})
    )
    assert sum(sent) + stamps < 100_000
