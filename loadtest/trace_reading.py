"""How long the summary of a large trace takes over HTTP: a trace of 10,000 spans, sent as clients would, then read.

python -m loadtest.trace_reading
"""

import asyncio
import secrets
import time
from typing import Any

import aiohttp
import numpy as np

from client_sdk_spec.encoder import compress, encode
from loadtest.service import Service, running_service

SPANS = 10_000
BATCH = 1_000
CHILDREN = 4
READS = 40
SPAN_US = 40_000_000
"""Of the root."""


def batches(spans: int = SPANS, *, now_us: int) -> tuple[str, list[bytes]]:
    """A trace as a tree of four children each, one in three of them alike; its id passes any threshold."""
    trace_id = secrets.token_hex(9) + "f" * 14
    ids = [f"{number + 1:016x}" for number in range(spans)]
    start, length = [now_us - SPAN_US], [SPAN_US]
    made = []
    for number in range(spans):
        if number:
            parent, place = divmod(number - 1, CHILDREN)
            length.append(max(length[parent] // (CHILDREN + 1), 10))
            start.append(start[parent] + place * length[-1])
        route = f"/items/{number % 3}" if number % 3 else "/image"
        made.append(
            {
                "trace_id": trace_id,
                "span_id": ids[number],
                **({"parent_span_id": ids[(number - 1) // CHILDREN]} if number else {}),
                "name": f"GET {route}",
                "method": "GET",
                "url": f"https://api.shop.example{route}",
                "http_status": 500 if number % 997 == 0 else 200,
                "start_us": start[number],
                "duration_us": length[number],
                "ttfb_us": length[number] // 2,
            }
        )
    portions = [made[first : first + BATCH] for first in range(0, spans, BATCH)]
    return trace_id, [
        compress(encode({"id": secrets.token_hex(16), "clock": {"kind": "wall"}, "spans": portion}), "zstd")
        for portion in portions
    ]


async def measure(service: Service) -> list[float]:
    """Milliseconds of each reading of the summary, the first ones left out, from the request to the last byte."""
    ready: Any = service.ready
    trace_id, bodies = batches(now_us=time.time_ns() // 1000)
    async with aiohttp.ClientSession() as session:
        for body in bodies:
            async with session.post(f"{ready['edge']}/v1/batches?key={ready['client_key']}", data=body) as answer:
                answer.raise_for_status()
        await service.drained()
        url, headers = f"{ready['query']}/api/v1/traces/{trace_id}", {"Authorization": f"Bearer {ready['token']}"}
        took = []
        for _ in range(READS):
            began = time.perf_counter()
            async with session.get(url, headers=headers) as answer:
                summary = await answer.json()
            took.append((time.perf_counter() - began) * 1000)
            if summary["counts"]["spans"] != SPANS:
                raise RuntimeError(f"{summary['counts']['spans']} of {SPANS} spans were kept")
    return took[READS // 8 :]


async def main() -> None:
    """Starts a service, measures, prints."""
    async with running_service() as service:
        took = await measure(service)
    p50, p95 = np.quantile(took, [0.5, 0.95])
    print(f"summary of a trace of {SPANS:,} spans: p50 {p50:.0f} ms, p95 {p95:.0f} ms, largest {max(took):.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
