"""A real Alertmanager: what fires arrives there, is told again before it lapses, and its end arrives as an end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from ingest.alerts.deliver import Receiver, Worker
from ingest.alerts.messages import RESEND_US
from tests.alerts import stage as staged
from tests.alerts.stage import Inbox, Stage, inbox, minutes, put, rule, store
from tests.debian import program

CONFIGURATION = """
route: {{receiver: hook, group_wait: 0s, group_interval: 1s, repeat_interval: 1h, group_by: [...]}}
receivers: [{{name: hook, webhook_configs: [{{url: "{url}", send_resolved: true}}]}}]
"""


@asynccontextmanager
async def alertmanager(folder: Path, hook: Inbox) -> AsyncIterator[str]:
    """An Alertmanager that sends to a receiver; yields its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (folder / "am.yml").write_text(CONFIGURATION.format(url=hook.url))
    process = await asyncio.create_subprocess_exec(
        program("prometheus-alertmanager"),
        f"--config.file={folder}/am.yml",
        f"--storage.path={folder}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(30), aiohttp.ClientSession() as session:
            while not await _ready(session, url):
                await asyncio.sleep(0.05)
        yield url
    finally:
        process.kill()
        await process.wait()


async def _ready(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/-/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def known(url: str) -> list[Any]:
    """What Alertmanager holds for firing."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/api/v2/alerts") as answer:
        alerts: list[Any] = await answer.json()
    return alerts


async def test_alertmanager_is_told_what_fires_and_that_it_ended(
    pool: "asyncpg.Pool[Any]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_us = await pool.fetchval("SELECT (extract(epoch FROM now()) * 1000000)::bigint")
    # Alertmanager goes by the clock on the wall.
    monkeypatch.setattr(staged, "START_US", now_us // 60_000_000 * 60_000_000 - 5 * 60_000_000)
    await store(pool, minutes([200, 3000, 3000, 200, 200], spans=40), sampled=True)
    await put(pool, rule(severity="critical", group_by=["country"], annotations={"runbook": "https://wiki.example/x"}))
    async with inbox() as hook, alertmanager(tmp_path, hook) as url:
        play = Stage(pool, [Receiver("alertmanager", f"{url}/api/v2/alerts")])
        await play.states.lead()
        play.now_us = now_us
        await play.at(3)
        async with asyncio.timeout(20):
            await hook.came.wait()
        hook.came.clear()
        (alert,) = await known(url)
        labels = {"alertname": "slow", "app": "shop", "severity": "critical", "country": "DE"}
        assert alert["labels"] == labels
        assert alert["annotations"]["runbook"] == "https://wiki.example/x"
        assert alert["annotations"]["traces"].count("trace=") == 3
        async with aiohttp.ClientSession() as session:
            worker = Worker(play.receivers[0], play.states, play.lookups, session)
            play.now_us += RESEND_US
            await worker.step()
        (again,) = await known(url)
        assert (again["startsAt"], again["fingerprint"]) == (alert["startsAt"], alert["fingerprint"])
        assert again["endsAt"] > alert["endsAt"]
        await play.at(5)
        async with asyncio.timeout(20):
            while [body["status"] for body in hook.bodies] != ["firing", "resolved"]:
                hook.came.clear()
                await hook.came.wait()
        assert await known(url) == []
    assert hook.bodies[1]["alerts"][0]["labels"] == labels
