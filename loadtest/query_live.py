"""How soon what was sent is in an answer: a real service, a batch by POST, the same question until it is counted."""

import asyncio
import secrets
import time
from collections.abc import Sequence

import aiohttp

from client_sdk_spec.encoder import compress, encode
from loadtest.service import running_service

ROUNDS = 10
POLL_S = 0.05


async def measure_live() -> Sequence[float]:
    """Seconds from sending a batch of one span to an answer that counts it, ascending."""
    async with running_service() as service, aiohttp.ClientSession() as session:
        ready = service.ready
        taken = []
        for number in range(1, ROUNDS + 1):
            started = time.monotonic()
            async with session.post(
                f"{ready['edge']}/v1/batches", data=_batch(), headers={"x-api-key": ready["client_key"]}
            ) as response:
                response.raise_for_status()
            while await _counted(session, ready["query"], ready["token"]) < number:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(POLL_S)
            taken.append(time.monotonic() - started)
    return sorted(taken)


async def _counted(session: aiohttp.ClientSession, url: str, token: str) -> int:
    query = {"from": "-30m", "step": "10s"}
    headers = {"Authorization": f"Bearer {token}"}
    async with session.get(f"{url}/api/v1/latency", params=query, headers=headers) as response:
        response.raise_for_status()
        answer = await response.json()
    return sum(int(group["total"]["spans"]) for group in answer["groups"])


def _batch() -> bytes:
    span = {
        "trace_id": secrets.token_hex(16),
        "span_id": secrets.token_hex(8),
        "name": "GET /live",
        "method": "GET",
        "url": "https://api.shop.example/live",
        "http_status": 200,
        "start_us": time.time_ns() // 1000 - 200_000,
        "duration_us": 100_000,
    }
    return compress(encode({"id": secrets.token_hex(16), "clock": {"kind": "wall"}, "spans": [span]}), "zstd")
