"""The tour of the code: one batch, from a device's POST to the percentiles on the dashboard, step by step.

Every step names the place where it happens. The first test walks through the stages by hand, the second sends the same
batch to a running service and reads the same figures back over its query API.
"""

import time
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import numpy as np
import pytest

from client_sdk_spec import encoder
from ingest.aggregate.catalog import Catalog
from ingest.aggregate.items import Counts
from ingest.aggregate.windows import fold
from ingest.decode.inflate import inflate
from ingest.decode.native import decode_native
from ingest.device_classes import Agent
from ingest.journal import record
from ingest.model import METRICS, VIEWS, Phase, Reception
from ingest.outcome import Outcome
from ingest.pipeline.process import process
from ingest.settings import Limits, Policy, Sampling
from ingest.sketch import Bins, quantiles
from privacy import Ring
from tests.batches import built_in
from tests.service import running_service

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOW_US = time.time_ns() // 1000
ADDRESS, USER_AGENT = "203.0.113.7", "Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/141.0"

BATCH: dict[str, Any] = {
    "id": "00112233445566778899aabbccddeeff",
    "resource": {
        "service": "shop-app",
        "version": "5.2.1",
        "network": "wifi",
        "memory_mb": 2048,
        "cores": 8,
        "session": "session-of-jane",
    },
    "clock": {"kind": "wall"},
    "spans": [
        {
            "trace_id": TRACE,
            "span_id": "00f067aa0ba902b7",
            "name": "GET",
            "method": "GET",
            "url": "https://api.shop.example/orders/1234?email=jane.doe@example.com&token=s3cr3t",
            "start_us": NOW_US - 900_000,
            "duration_us": 251_500,
            "http_status": 200,
            "dns_us": 20_000,
            "tcp_us": 30_000,
            "tls_us": 41_000,
            "ttfb_us": 150_000,
            "download_us": 9_000,
        },
        {
            "trace_id": TRACE,
            "span_id": "00f067aa0ba902b8",
            "name": "GET",
            "method": "GET",
            "url": "https://api.shop.example/orders/5678",
            "start_us": NOW_US - 500_000,
            "duration_us": 120_000,
            "http_status": 200,
            "dns_us": -1,
            "tcp_us": -1,
            "tls_us": -1,
            "ttfb_us": 100_000,
            "download_us": 19_000,
        },
        {"trace_id": TRACE, "span_id": "00f067aa0ba902b9", "name": "broken", "start_us": NOW_US, "duration_us": -1000},
    ],
}


def test_the_life_of_a_batch_stage_by_stage():
    # The device encodes columns and compresses them (client_sdk_spec/WIRE.md).
    sent = encoder.compress(encoder.encode(BATCH), "zstd")

    # The edge inflates within bounds; the encoding is found by its first bytes (ingest/decode/inflate.py).
    body = inflate(sent, None, Limits().body_bytes)

    # Many bodies become one struct of arrays; here it is one body (ingest/decode/native.py).
    decoded = decode_native([body], Limits())
    assert not decoded.faults
    batch = decoded.batch
    assert batch.spans.duration_us.tolist() == [251_500, 120_000, -1_000]

    # Twelve verbs in one function (ingest/pipeline/process.py). Address and User-Agent go in, and do not come out.
    reception = Reception(app_id=1, received_at_us=NOW_US, address=ADDRESS, user_agent=USER_AGENT)
    policy = Policy(Limits(), Sampling(), ring=Ring(0, b"k" * 32), retention_us=7 * 86_400_000_000)
    processed = process(
        batch,
        [reception],
        policy,
        policy_of=built_in,
        country_of={ADDRESS: "BR"}.__getitem__,
        agent_of=lambda _: Agent("Android"),
    )

    # The ledger closes: three received, two kept, one rejected with its reason (ingest/outcome.py).
    ends = processed.ledger.outcomes[:, 0]
    assert ends[Outcome.KEPT] == 2
    assert ends[Outcome.NEGATIVE_DURATION] == 1
    assert ends.sum() == processed.ledger.spans[0] == 3

    # What is journaled is bytes without personal data (ingest/journal/record.py), and comes back exactly.
    stored = record.decode(record.encode(processed))
    text = "\n".join(stored.strings)
    for secret in ("jane", "s3cr3t", ADDRESS, "Pixel 8"):
        assert secret not in text
    assert "GET api.shop.example/orders/{id}" in stored.strings

    # The aggregator folds counting columns into the views (ingest/aggregate/windows.py).
    catalog = Catalog(day=NOW_US // 86_400_000_000, known={}, limit=100)
    series, rollups = fold(
        [Counts(stored.strings, stored.series, stored.counted, stored.summaries, stored.summary_bins)], catalog
    )
    routes = [row.values[0] for row in series if row.view == "route"]
    assert routes == ["GET api.shop.example/orders/{id}"]

    # Sketches answer percentiles within 1 %; a reused connection is not a phase of 0 ms (ingest/sketch.py).
    dns = stored.counted.buckets[METRICS.index("dns")]
    measured = np.array([(dns[0], 1)], dtype=Bins)
    assert quantiles(measured, [0.5])[0] == pytest.approx(20_000, rel=0.01)
    assert stored.kept.batch.spans.phases_us[Phase.DNS].tolist() == [20_000, -1]
    assert rollups.spans.sum() == 2 * len(VIEWS)


async def test_the_same_batch_through_a_running_service(tmp_path: Path):
    async with running_service(tmp_path / "data") as service, aiohttp.ClientSession() as session:
        body = encoder.compress(encoder.encode(BATCH), "zstd")
        for _ in range(2):  # the answer to the first attempt was lost, so the device sends the same bytes again
            async with session.post(
                f"{service.edge}/v1/batches",
                data=body,
                headers={"x-api-key": service.client_key, "User-Agent": "NeedleAgent/7.3 (somebody's phone)"},
            ) as answer:
                assert answer.status == 202
                assert (await answer.json())["rejected"] == {"rejected:negative_duration": 1}
        await service.drained()

        async def ask(path: str, **parameters: str) -> Any:
            headers = {"Authorization": f"Bearer {service.token}"}
            async with session.get(f"{service.query}/api/v1/{path}", params=parameters, headers=headers) as answer:
                assert answer.status == 200, await answer.text()
                return await answer.json()

        latency = await ask("latency", q="0,1", group_by="route")
        (group,) = latency["groups"]
        assert latency["exact"]
        assert group["group"] == {"route": "GET api.shop.example/orders/{id}"}
        assert group["total"]["spans"] == 2, "the retry was not counted again"
        assert group["total"]["quantiles"] == pytest.approx([120_000, 251_500], rel=0.01)

        (phases,) = (await ask("phases", q="0.5", device_class="low", version="5.2.1"))["groups"]
        dns = next(phase for phase in phases["phases"] if phase["phase"] == "dns")
        assert (dns["measured"], dns["reused"], dns["unknown"]) == (1, 1, 0)
        assert dns["us"] == pytest.approx(20_000, rel=0.01)

        spans = (await ask(f"traces/{TRACE}"))["spans"]
        assert [span["duration_us"] for span in spans] == [251_500, 120_000]
        assert spans[0]["url"] == "https://api.shop.example/orders/1234?email={email}&token={token}"

        database = await asyncpg.connect(service.dsn)
        for (table,) in await database.fetch("SELECT relname FROM pg_stat_user_tables"):
            text = await database.fetchval(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            for secret in ("jane", "s3cr3t", "session-of", "NeedleAgent", "127.0.0.1"):
                assert secret not in text, table
        await database.close()

        total = (await ask("ledger"))["total"]
        assert total["received"] == 6
        assert total["outcomes"] == {"kept": 2, "rejected:negative_duration": 1, "duplicate": 3}
