"""New traces per key and address: who makes them up waits, nobody beside them does."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ingest.edge.trace_limits import MOST_BUCKETS, REMEMBERED, Buckets, Sender, TraceLimits
from ingest.errors import TooMany
from tests.batches import spans_of
from tests.edge.conftest import SERVER_KEY, SHOP_KEY, StartEdge, native
from tests.edge.test_answers import PROTOBUF, otlp_request

ADDRESS, OTHER = "203.0.113.9", "198.51.100.4"


def traces(first: int, count: int, body: int = 0) -> list[dict[str, Any]]:
    return [{"trace_id": number.to_bytes(16, "big"), "body": body} for number in range(first, first + count)]


class Worker:
    """Limits with a clock that a test moves."""

    def __init__(self, per_key: int = 1_000_000, per_address: int = 1_000_000) -> None:
        self.limits = TraceLimits(per_key, per_address)
        self.now_s = 1000.0

    def send(
        self, spans: list[dict[str, Any]], *senders: tuple[str, str], trusted: bool = False, bodies: int = 1
    ) -> list[int]:
        """The bodies that are refused."""
        named = [self.limits.sender(key, address, trusted) for key, address in senders or [("key", ADDRESS)] * bodies]
        refused = self.limits.charge(spans_of(spans, bodies=bodies), named, self.now_s)
        assert all(type(error) is TooMany and error.reason == "too_many_traces" for error in refused.values())
        return list(refused)


def test_a_minutes_worth_may_come_at_once_and_then_the_key_waits_until_it_is_earned_again():
    worker = Worker(per_key=600)
    assert worker.send(traces(1, 600)) == []
    assert worker.send(traces(601, 1)) == [0]
    worker.now_s += 0.15
    assert worker.send(traces(601, 1)) == []
    assert worker.send(traces(602, 1)) == [0]
    worker.now_s += 3600
    assert worker.send(traces(1000, 600)) == []
    assert worker.send(traces(2000, 1)) == [0], "an hour of silence earns no more than a minute's worth"


def test_a_body_larger_than_the_limit_passes_and_is_paid_back():
    worker = Worker(per_key=60)
    assert worker.send(traces(1, 180)) == []
    worker.now_s += 119
    assert worker.send(traces(1000, 1)) == [0]
    worker.now_s += 2
    assert worker.send(traces(1000, 1)) == []


def test_a_trace_that_was_brought_a_moment_ago_costs_nothing():
    worker = Worker(per_key=10)
    assert worker.send(traces(1, 10)) == []
    for _ in range(20):
        assert worker.send(traces(1, 10)) == []
    assert worker.send(traces(5, 10)) == [0]


def test_many_spans_of_one_trace_are_one_trace():
    worker = Worker(per_key=2)
    assert worker.send(traces(1, 1) * 500) == []
    assert worker.send(traces(2, 1)) == []
    assert worker.send(traces(3, 1)) == [0]


def test_what_was_refused_is_still_new_when_it_comes_again():
    worker = Worker(per_key=60)
    worker.send(traces(1, 60))
    for _ in range(3):
        assert worker.send(traces(100, 1)) == [0]
    worker.now_s += 1.5
    assert worker.send(traces(100, 1)) == []


def test_a_key_that_brings_too_many_does_not_hold_up_another():
    worker = Worker(per_key=5)
    spans = [*traces(1, 6), *traces(10, 3, body=1), *traces(20, 1, body=2), *traces(30, 1, body=3)]
    senders = [("a", ADDRESS), ("b", ADDRESS), ("a", ADDRESS), ("b", OTHER)]
    assert worker.send(spans, *senders, bodies=4) == [2]


def test_two_keys_do_not_know_each_others_traces():
    worker = Worker(per_key=5)
    assert worker.send(traces(1, 5), ("a", ADDRESS)) == []
    assert worker.send(traces(1, 5), ("b", ADDRESS)) == []
    assert worker.send(traces(6, 1), ("b", ADDRESS)) == [0], "else a stranger's traces would make hers free"


def test_an_address_is_limited_whatever_key_it_uses():
    worker = Worker(per_address=5)
    assert worker.send(traces(1, 5), ("a", ADDRESS)) == []
    assert worker.send(traces(10, 1), ("b", ADDRESS)) == [0]
    assert worker.send(traces(10, 1), ("b", OTHER)) == []


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("203.0.113.9", "203.0.113.10", False),
    ],
)
def test_an_address_is_what_one_subscriber_has(first: str, second: str, same: bool):
    limits = TraceLimits(1, 1)
    assert (limits.sender("k", first, False).address == limits.sender("k", second, False).address) == same


def test_backends_this_host_and_who_has_no_address_are_limited_by_key_alone():
    limits = TraceLimits(1, 1)
    senders = [limits.sender("k", ADDRESS, True)]
    senders += [limits.sender("k", address, False) for address in ("127.0.0.1", "127.1.2.3", "::1", "")]
    assert {sender.address for sender in senders} == {0}
    assert len({sender.key for sender in senders}) == 1
    worker = Worker(per_key=5, per_address=1)
    assert worker.send(traces(1, 5), ("server", ADDRESS), trusted=True) == []
    assert worker.send(traces(6, 1), ("server", ADDRESS), trusted=True) == [0]


def test_no_address_and_no_key_can_be_read_back():
    limits = TraceLimits(10, 10)
    again = TraceLimits(10, 10)
    sender = limits.sender("fh_pub_one", ADDRESS, False)
    assert isinstance(sender, Sender)
    assert set(map(type, sender)) == {int}
    assert sender != again.sender("fh_pub_one", ADDRESS, False), "the hash has a secret of the process"
    limits.charge(spans_of(traces(1, 3)), [sender], 0.0)
    assert ADDRESS not in repr(vars(limits)) + repr(vars(limits._addresses)) + repr(vars(limits._keys))


def test_memory_is_bounded_however_many_addresses_and_traces_come():
    limits = TraceLimits(10**9, 10)
    rng = np.random.default_rng(3)
    batch = spans_of([{"body": row} for row in range(4096)], bodies=4096)
    for _ in range(17):
        ids = rng.integers(0, 256, (4096, 16), dtype=np.uint8)
        senders = [Sender(1, int(number)) for number in rng.integers(1, 1 << 62, 4096)]
        assert limits.charge(replace(batch, spans=replace(batch.spans, trace_id=ids)), senders, 0.0) == {}
    assert len(limits._addresses) == MOST_BUCKETS
    assert limits._seen.nbytes == 8 * REMEMBERED


def test_the_bucket_that_was_unused_for_longest_is_forgotten():
    buckets = Buckets(10)
    buckets.take(1, 10, 0.0)
    for whose in range(2, MOST_BUCKETS + 1):
        buckets.take(whose, 1, 0.0)
    assert buckets.holds(1, 0.0) == 0
    buckets.take(MOST_BUCKETS + 1, 1, 0.0)
    assert buckets.holds(1, 0.0) == 10, "who comes back after so many others begins anew"


async def test_a_body_over_the_limit_is_told_to_come_back_and_those_beside_it_are_taken(start_edge: StartEdge):
    edge = await start_edge(commit_wait_s=0.05, traces_per_key=4)
    assert (await edge.send(native(4, batch_id=1))).status == 202
    sent = [
        edge.send(native(2, batch_id=2)),
        edge.send(native(3, batch_id=3), x_api_key=SHOP_KEY),
        edge.send(native(4, batch_id=1)),
        edge.send(b"{"),
        edge.send(otlp_request(2).SerializeToString(), "/v1/traces", content_type=PROTOBUF),
        edge.send(native(0, batch_id=4)),
    ]
    answers = await asyncio.gather(*sent)
    assert [answer.status for answer in answers] == [429, 202, 202, 400, 429, 202]
    assert answers[0].json()["error"] == "too_many_traces"
    assert 1 <= int(answers[0].headers["Retry-After"]) <= 5
    assert edge.journal.spans == 4 + 3 + 4
    assert (await edge.metrics())['firsthop_refused_total{reason="too_many_traces"}'] == 2


async def test_an_address_behind_a_trusted_proxy_is_limited_and_its_neighbour_is_not(start_edge: StartEdge):
    edge = await start_edge(traces_per_address=4, trusted_proxies=("127.0.0.0/8",))
    assert (await edge.send(native(4, batch_id=1), x_forwarded_for=ADDRESS)).status == 202
    assert (await edge.send(native(1, batch_id=2), x_forwarded_for=ADDRESS)).status == 429
    assert (await edge.send(native(1, batch_id=2), x_forwarded_for=OTHER)).status == 202
    assert (await edge.send(native(9, batch_id=3), x_forwarded_for=ADDRESS, x_api_key=SERVER_KEY)).status == 202


async def test_what_a_body_brought_is_not_charged_again_when_the_journal_failed(start_edge: StartEdge):
    edge = await start_edge(traces_per_key=4)
    edge.journal.broken = True
    for _ in range(3):
        assert (await edge.send(native(4, batch_id=1))).status == 503
    edge.journal.broken = False
    assert (await edge.send(native(4, batch_id=1))).status == 202


async def test_leaving_a_body_out_leaves_the_others_with_all_that_is_theirs(start_edge: StartEdge):
    """Attributes, sessions and drops of the bodies on both sides of it stay with their own spans."""
    edge = await start_edge(commit_wait_s=0.05, traces_per_key=2)
    assert (await edge.send(native(2, batch_id=9))).status == 202
    around = {"x_api_key": SHOP_KEY}
    answers = await asyncio.gather(
        edge.send(native(1, batch_id=1, attributes={"order.step": "first"}), **around),
        edge.send(native(3, batch_id=2, attributes={"order.step": "refused"})),
        edge.send(native(1, batch_id=3, attributes={"order.step": "last"}), **around),
    )
    assert [answer.status for answer in answers] == [202, 429, 202]
    kept = {}
    for record in edge.journal.records[1:]:
        batch = record.kept.batch
        for owner, value in zip(batch.attributes.owner.tolist(), batch.attributes.value.tolist(), strict=True):
            kept[batch.spans.trace_id[owner].tobytes().hex()] = record.strings[value]
    assert kept == {f"{1:016x}{1:016x}": "first", f"{3:016x}{1:016x}": "last"}
