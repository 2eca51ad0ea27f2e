"""A real `firsthop serve` in a directory of its own, as an operator would start it; for tests that need the whole."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from client_sdk_spec import encoder, samples

START_SECONDS = 60
DEADLINE_SECONDS = 60


@dataclass
class Service:
    """What `ready.json` says of a running service, and ways to wait for it."""

    data: Path
    ready: dict[str, Any]

    @property
    def edge(self) -> str:
        return str(self.ready["edge"])

    @property
    def query(self) -> str:
        return str(self.ready["query"])

    @property
    def client_key(self) -> str:
        return str(self.ready["client_key"])

    @property
    def token(self) -> str:
        return str(self.ready["token"])

    @property
    def dsn(self) -> str:
        return str(self.ready["database"])

    @staticmethod
    def native_batch(batch_id: bytes, spans: int, seed: int) -> bytes:
        """A realistic batch of `spans` spans under the given id, as a device would send it."""
        batch = samples.batch(random.Random(seed), spans)
        clock = batch["clock"] | {"wall_us": time.time_ns() // 1000}
        return encoder.compress(encoder.encode(batch | {"id": batch_id.hex(), "clock": clock}), "zstd")

    def pids(self, role: str) -> list[int]:
        """The role's processes now; the supervisor rewrites the file when it restarts one."""
        try:
            pids: list[int] = json.loads((self.data / "ready.json").read_text())["pids"].get(role, [])
        except (OSError, ValueError):
            return []
        return pids

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds.

        Raises:
            TimeoutError: it did not within `DEADLINE_SECONDS`.
        """
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not condition():
                await asyncio.sleep(0.02)

    async def drained(self) -> None:
        """Returns when the aggregator has taken everything out of the journal."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while True:
                try:
                    connection = await asyncpg.connect(self.dsn)
                    try:
                        if not await connection.fetchval("SELECT count(*) FROM journal"):
                            return
                    finally:
                        await connection.close()
                except (OSError, asyncpg.PostgresError):
                    pass
                await asyncio.sleep(0.1)


@asynccontextmanager
async def running_service(data: Path, **settings: str) -> AsyncIterator[Service]:
    """Starts `firsthop serve` on free ports, yields when it is ready, and stops it as an operator would."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FIRSTHOP_") and k != "DATABASE_URL"}
    environment |= {
        "FIRSTHOP_DATA": str(data),
        "FIRSTHOP_EDGE_PORT": "0",
        "FIRSTHOP_QUERY_PORT": "0",
        "FIRSTHOP_WORKERS": "1",
        **settings,
    }
    output = data.with_name(data.name + ".log")
    with output.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest.cli", "serve", env=environment, stdout=log, stderr=log
        )
        try:
            async with asyncio.timeout(START_SECONDS):
                while not (data / "ready.json").exists():
                    assert process.returncode is None, output.read_text()
                    await asyncio.sleep(0.05)
            yield Service(data, json.loads((data / "ready.json").read_text()))
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 30)
