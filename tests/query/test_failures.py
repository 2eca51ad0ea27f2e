"""The failure rate has those in it of whom no client could tell, and says how far it may be off."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_sdk_spec import encoder
from ingest.query.failures import rate
from tests.service import running_service

PAGE = "https://shop.example/"


def request(number: int, status: int, now_us: int) -> dict[str, Any]:
    return {
        "trace_id": f"{number + 1:032x}",
        "span_id": f"{number + 1:016x}",
        "name": "document",
        "method": "GET",
        "url": PAGE,
        "http_status": status,
        "start_us": now_us - 60_000_000,
        "duration_us": 90_000,
    }


async def test_users_for_whom_no_page_ever_loaded_are_in_the_rate(tmp_path: Path) -> None:
    now_us = time.time_ns() // 1000
    loaded = [request(number, 500 if number == 0 else 200, now_us) for number in range(9)]
    batch = {"id": "ab" * 16, "resource": {"service": "shop"}, "clock": {"kind": "wall"}, "spans": loaded}
    never = {
        "sampling_fraction": 1.0,
        "phase": "dns",
        "type": "dns.name_not_resolved",
        "elapsed_time": 12,
        "method": "GET",
    }
    report = {"age": 30_000, "type": "network-error", "url": PAGE, "user_agent": "x", "body": never}
    async with running_service(tmp_path / "data") as service, aiohttp.ClientSession() as session:
        address = f"{service.edge}/v1/batches?key={service.client_key}"
        async with session.post(address, data=encoder.encode(batch)) as answer:
            assert answer.status == 202
        headers = {"Content-Type": "application/reports+json"}
        body = json.dumps([report | {"age": 30_000 + each} for each in range(3)])
        async with session.post(f"{service.edge}/reports/{service.client_key}", data=body, headers=headers) as answer:
            assert answer.status == 202
        await service.drained()

        async def failures(**parameters: str) -> Any:
            address = f"{service.query}/api/v1/failures"
            async with session.get(
                address, params=parameters, headers={"Authorization": f"Bearer {service.token}"}
            ) as answer:
                assert answer.status == 200, await answer.text()
                return (await answer.json())["groups"]

        async with asyncio.timeout(30):
            while sum(group["reports"]["errors"] for group in await failures()) < 3:
                await asyncio.sleep(0.1)
        (group,) = await failures(group_by="route")
        assert group == {
            "group": {"route": "GET shop.example/"},
            "requests": {"spans": 9, "errors": 1},
            "reports": {"spans": 3, "errors": 3},
            "rate": [pytest.approx(3 / 11, abs=1e-6), pytest.approx(4 / 12, abs=1e-6)],
        }
        assert await failures(route="GET other.example/") == []


@given(
    ok=st.integers(0, 1000), only_clients=st.integers(0, 50), only_browsers=st.integers(0, 50), both=st.integers(0, 50)
)
def test_whatever_was_told_twice_the_true_share_is_within(
    ok: int, only_clients: int, only_browsers: int, both: int
) -> None:
    errors, failed = only_clients + both, only_browsers + both
    low, high = rate(ok + errors, errors, failed)
    every = ok + only_clients + only_browsers + both
    share = (only_clients + only_browsers + both) / every if every else 0.0
    assert low - 1e-6 <= share <= high + 1e-6


def test_without_reports_the_rate_is_what_clients_say() -> None:
    assert rate(100, 7, 0) == (0.07, 0.07)
    assert rate(0, 0, 0) == (0.0, 0.0)
