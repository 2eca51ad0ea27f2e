"""A device that sketches, against a real service: what the owner reads is what happened, retries included."""

import time
from pathlib import Path
from typing import Any

import aiohttp

from client_sdk_spec.encoder import compress, encode
from ingest.model import WINDOW_US
from tests.service import Service, running_service
from tests.sketched import START_US, sets_of, spans_of_client


async def ask(service: Service, path: str) -> Any:
    headers = {"Authorization": f"Bearer {service.token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(service.query + path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def test_the_dashboard_counts_what_a_device_sketched_and_what_it_sent_once_each(tmp_path: Path) -> None:
    now_us = time.time_ns() // 1000
    shift_us = (now_us - 5 * 60_000_000) // WINDOW_US * WINDOW_US - START_US
    spans = [span | {"start_us": span["start_us"] + shift_us} for span in spans_of_client(9, 400)]
    sent, left = spans[:40], spans[40:]
    resource = {"service": "shop", "version": "5.2.1", "session": "5e55"}
    batches = [
        {"id": "11" * 16, "spans": sent, "unsent": "sketched"},
        {"id": "22" * 16, "spans": [], "sketches": sets_of(left[:200])},
        {"id": "33" * 16, "spans": [], "sketches": sets_of(left[200:], accuracy=0.02)},
    ]
    async with running_service(tmp_path / "data") as service, aiohttp.ClientSession() as session:
        for batch in [*batches, *batches[1:]]:
            body = compress(encode(batch | {"resource": resource, "clock": {"kind": "wall"}}), "zstd")
            headers = {"x-api-key": service.client_key}
            async with session.post(f"{service.edge}/v1/batches", data=body, headers=headers) as answer:
                assert answer.status == 202, await answer.text()
                assert (await answer.json())["accepted"] == len(batch["spans"])
        await service.drained()
        (total,) = (await ask(service, "/api/v1/latency?metric=duration&q=0.5"))["groups"]
        (screens,) = (await ask(service, "/api/v1/latency?metric=duration&q=0.5&signal=operation"))["groups"]
        ledger = (await ask(service, "/api/v1/ledger"))["total"]
    durations = sorted(span["duration_us"] for span in spans if "url" in span)
    assert total["total"]["spans"] == total["total"]["measured"] == len(durations)
    assert screens["total"]["spans"] == 400 - len(durations) > 0
    assert abs(total["total"]["quantiles"][0] / durations[(len(durations) - 1) // 2] - 1) < 0.031
    assert ledger["noted"]["sketched"] == 360
    assert ledger["received"] == 40
