"""A real Prometheus scrapes an app's counters, and the service's own, and answers from them."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import numpy as np
import pytest

from tests.debian import program
from tests.query import world as seeded
from tests.query.conftest import TOKEN, add_apps, serve, show_from
from tests.query.test_metrics import CART, SEARCH, Shop, crowd
from tests.query.world import NOW_US

DEADLINE_S = 30
Ask = Callable[..., Awaitable[Any]]


@asynccontextmanager
async def running_prometheus(folder: Path, target: str) -> AsyncIterator[Ask]:
    """A Prometheus that scrapes the target's app and the target itself; yields its API."""
    config = {
        "global": {"scrape_interval": "200ms", "scrape_timeout": "200ms"},
        "scrape_configs": [
            {
                "job_name": "shop",
                "metrics_path": "/api/v1/metrics",
                "params": {"app": ["shop"]},
                "authorization": {"type": "Bearer", "credentials": TOKEN},
                "static_configs": [{"targets": [target]}],
            },
            {"job_name": "query", "static_configs": [{"targets": [target]}]},
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
    process = await asyncio.create_subprocess_exec(
        program("prometheus"),
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--web.listen-address=127.0.0.1:0",
        "--enable-feature=exemplar-storage",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            said = ""
            while "Server is ready" not in said:
                line = (await process.stderr.readline()).decode()
                assert line, said
                said += line
        address = re.search(r"Listening on.* address=(127\.0\.0\.1:\d+)", said)
        assert address is not None
        draining = asyncio.create_task(process.stderr.read())
        async with aiohttp.ClientSession(f"http://{address[1]}") as session:

            async def ask(path: str, **query: str) -> Any:
                async with session.get(f"/api/v1/{path}", params=query) as response:
                    answer = await response.json()
                    assert answer["status"] == "success", answer
                    return answer["data"]

            yield ask
        draining.cancel()
    finally:
        process.terminate()
        await process.wait()


async def until(ask: Ask, query: str, holds: Callable[[float], bool]) -> float:
    """The value of a query of one series, once it is such."""
    found: Any = None
    async with asyncio.timeout(DEADLINE_S):
        while True:
            found = (await ask("query", query=query))["result"]
            if found and holds(float(found[0]["value"][1])):
                return float(found[0]["value"][1])
            await asyncio.sleep(0.05)


@pytest.fixture
async def target(pool: "asyncpg.Pool[Any]") -> AsyncIterator[tuple[Shop, str]]:
    """An app with 60 requests, all sampled, in two routes; and the server's address."""
    made = crowd(20, route=CART, minutes_ago=2)
    made.come(10, spans=2, route=SEARCH, minutes_ago=2)
    async with pool.acquire() as connection:
        await add_apps(connection)
        await seeded.store_spans(connection, made.world(), np.ones(60))
    async with serve(pool, policy_of=lambda _: show_from(5)) as client:
        shop = Shop(pool, client, 5)
        await shop.comes(made)
        await shop.fold()
        yield shop, f"{client.server.host}:{client.server.port}"


async def test_prometheus_counts_rates_quantiles_and_traces(target: tuple[Shop, str], tmp_path: Path) -> None:
    shop, address = target
    async with running_prometheus(tmp_path, address) as ask:
        requests = f'firsthop_requests_total{{route="{CART}"}}'
        assert await until(ask, requests, lambda _: True) == 40
        await shop.comes(crowd(10, 100, route=CART, minutes_ago=1))
        await shop.fold()
        assert await until(ask, requests, lambda value: value != 40) == 60
        assert await until(ask, f"rate({requests}[1m])", lambda value: value > 0) < 60
        assert await until(ask, f"resets({requests}[5m])", lambda _: True) == 0

        # The durations of a crowd are 1 ms, 2 ms, 3 ms …
        buckets = f'firsthop_request_duration_seconds_bucket{{route="{SEARCH}"}}'
        median = await until(ask, f"histogram_quantile(0.5, {buckets})", lambda _: True)
        assert median == pytest.approx(0.050, rel=0.03)

        seconds = NOW_US / 1e6
        found = await ask(
            "query_exemplars",
            query="firsthop_request_duration_seconds_bucket",
            start=str(seconds - 3600),
            end=str(seconds),
        )
        shown = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
        assert shown
        trace = next(iter(shown))
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert (await shop._client.get(f"/api/v1/traces/{trace}", headers=headers)).status == 200


async def test_every_target_is_up_and_types_and_units_are_understood(target: tuple[Shop, str], tmp_path: Path) -> None:
    _, address = target
    async with running_prometheus(tmp_path, address) as ask:
        for job in ("shop", "query"):
            assert await until(ask, f'up{{job="{job}"}}', lambda up: up == 1) == 1
        described = await ask("metadata")
        assert described["firsthop_requests"][0]["type"] == "counter"
        assert described["firsthop_request_duration_seconds"][0] == {
            "type": "histogram",
            "unit": "seconds",
            "help": "How long they took for the client.",
        }
        assert await until(ask, "firsthop_store_up", lambda _: True) == 1
