"""A real `firsthop serve` for a benchmark: one edge worker, free ports, a data directory that goes away."""

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

START_S = 90.0
DRAIN_S = 120.0
STOP_S = 60.0
ROLES = ("edge", "aggregate", "postgres")


@dataclass(frozen=True, slots=True)
class Service:
    """A running service as its ready.json describes it."""

    ready: Mapping[str, Any]

    @property
    def roles(self) -> Mapping[str, Sequence[int]]:
        """The processes whose cost is measured."""
        return {role: self.ready["pids"][role] for role in ROLES}

    async def drained(self) -> None:
        """Returns when the aggregator has taken everything out of the journal.

        Raises:
            TimeoutError: it has not within two minutes.
        """
        connection = await asyncpg.connect(self.ready["database"])
        try:
            async with asyncio.timeout(DRAIN_S):
                while await connection.fetchval("SELECT EXISTS (SELECT FROM journal)"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()


@asynccontextmanager
async def running_service(**settings: str) -> AsyncIterator[Service]:
    """Starts the service with these settings, yields when it takes traffic, and stops it in order.

    Raises:
        RuntimeError: it ended before it was ready; the message is its own.
    """
    with tempfile.TemporaryDirectory(prefix="firsthop-bench-", ignore_cleanup_errors=True) as directory:
        data, log_path = Path(directory) / "data", Path(directory) / "log"
        environment = {k: v for k, v in os.environ.items() if not k.startswith("FIRSTHOP_") and k != "DATABASE_URL"}
        environment |= {
            "FIRSTHOP_DATA": str(data),
            "FIRSTHOP_EDGE_PORT": "0",
            "FIRSTHOP_QUERY_PORT": "0",
            "FIRSTHOP_WORKERS": "1",
            **settings,
        }
        with log_path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ingest.cli", "serve", env=environment, stdout=log, stderr=log
            )
        try:
            async with asyncio.timeout(START_S):
                while not (data / "ready.json").exists():
                    if process.returncode is not None:
                        raise RuntimeError(f"firsthop serve did not start: {log_path.read_text()[-2000:]}")
                    await asyncio.sleep(0.1)
            yield Service(json.loads((data / "ready.json").read_text()))
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(process.wait(), STOP_S)


@asynccontextmanager
async def running_baseline() -> AsyncIterator[tuple[str, Mapping[str, Sequence[int]]]]:
    """The yardstick server: its address, and its process under the role `edge`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "loadtest.baseline", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        port = int(await process.stdout.readline())
        yield f"http://127.0.0.1:{port}", {"edge": [process.pid]}
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), STOP_S)
