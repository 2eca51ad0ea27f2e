"""After a hostile network every span is stored exactly once, or its client said that it dropped it."""

import random
import secrets
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from client_sdk_spec.client import Client, mono_us
from tests.adversity.hostile_network import FATES, hostile_network
from tests.service import Service, running_service

EVERYTHING = {f"FIRSTHOP_KEEP_{name}": "1" for name in ("LOW", "MID", "HIGH", "UNKNOWN")} | {
    "FIRSTHOP_SPANS_PER_MINUTE": "1000000"
}
"""Nothing is sampled away, so that the store can be compared with what was sent span by span."""
BATCHES = 60


def span(chance: random.Random) -> dict[str, Any]:
    """A request that just ended; every tenth failed."""
    failed = chance.random() < 0.1
    return {
        "trace_id": secrets.token_hex(16),
        "span_id": secrets.token_hex(8),
        "name": "GET /orders",
        "method": "GET",
        "url": f"https://api.shop.example/orders/{chance.randrange(1000)}",
        "http_status": 503 if failed else 200,
        "start_us": mono_us() - 80_000,
        "duration_us": 80_000,
        "ttfb_us": 60_000,
        "attributes": {"note": "x" * chance.randrange(200)},
    }


async def stored(service: Service) -> Counter[str]:
    """How often each span is stored, by its id."""
    await service.drained()
    connection = await asyncpg.connect(service.dsn)
    try:
        return Counter(row["span_id"].hex() for row in await connection.fetch("SELECT span_id FROM span"))
    finally:
        await connection.close()


async def ledger(service: Service) -> Counter[str]:
    """The ledger's rows, summed."""
    connection = await asyncpg.connect(service.dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY 1")
    finally:
        await connection.close()
    return Counter({row["outcome"]: row["spans"] for row in rows})


def judge(sent: Sequence[str], found: Counter[str], said: Counter[str]) -> None:
    """Every span once or owned up to, counted as often as stored, and nothing that was never sent."""
    assert set(found) <= set(sent)
    assert max(found.values()) == 1, "stored twice"
    missing = len(sent) - len(found)
    dropped = sum(spans for outcome, spans in said.items() if outcome.startswith("client:"))
    assert missing == dropped, "missing and not reported, or reported and not missing"
    assert said["kept"] == len(found)
    assert said["received"] == len(found) + said["duplicate"]
    assert said["duplicate"] > 0, "the network repeated something"


async def test_the_reference_client_gets_every_span_through_once(tmp_path: Path) -> None:
    chance = random.Random(5)
    async with running_service(tmp_path / "data", **EVERYTHING) as service:
        async with hostile_network(service.edge, seed=5) as (address, network):
            async with Client(address, service.client_key, {"service": "shop"}, chance=lambda: 0.02) as client:
                sent: list[str] = []
                for _ in range(BATCHES):
                    spans = [span(chance) for _ in range(chance.randrange(1, 60))]
                    sent += [each["span_id"] for each in spans]
                    for each in spans:
                        client.record(each)
                    client.seal()
                network.offline = True
                for _ in range(5):
                    later = span(chance)
                    sent.append(later["span_id"])
                    client.record(later)
                client.seal()
                network.offline = False
                await client.flush()
                network.hostile = False
                client.seal()  # what was dropped last is told by a batch of its own
                await client.flush()
                assert client.held == 0
            assert await network.deliver_late_copies() > 0
        found, said = await stored(service), await ledger(service)
        assert set(network.fates) == set(FATES), "every fate struck"
        judge(sent, found, said)
        assert len(found) > 0.9 * len(sent)
