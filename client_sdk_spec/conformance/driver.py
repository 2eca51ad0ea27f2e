"""The reference client in a process of its own, for the client half: takes the steps that its environment names."""

import asyncio
import json
import os
import secrets
from collections.abc import Iterable

from client_sdk_spec.client import Client, mono_us
from client_sdk_spec.conformance.scenarios import Step


async def main() -> None:
    """Takes all steps."""
    steps = json.loads(os.environ["FIRSTHOP_STEPS"])
    client = Client(
        os.environ["FIRSTHOP_EDGE"],
        os.environ["FIRSTHOP_KEY"],
        {"service": "conformance", "sdk": "reference"},
        config_key=os.environ["FIRSTHOP_CONFIG_KEY"],
        timeout_us=int(float(os.environ["FIRSTHOP_TIMEOUT_S"]) * 1e6),
    )
    async with client:
        await take(client, steps)


async def take(client: Client, steps: Iterable[Step]) -> None:
    """Takes steps with a client that runs."""
    number = 0
    for what, count in steps:
        if what == "settle":
            await client.flush()
        elif what == "wait":
            await asyncio.sleep(count)
        else:
            for _ in range(int(count)):
                client.record(_span(number, 500 if what == "errors" else 200))
                number += 1
            client.seal()


def _span(number: int, http_status: int) -> dict[str, object]:
    return {
        "trace_id": secrets.token_hex(16),
        "span_id": secrets.token_hex(8),
        "name": f"span {number}",
        "start_us": mono_us() - 5_000,
        "duration_us": 5_000,
        "method": "GET",
        "url": "https://api.shop.example/orders/7",
        "http_status": http_status,
    }


if __name__ == "__main__":
    asyncio.run(main())
