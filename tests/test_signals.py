"""One span of each signal through a running service: every figure is about one of them."""

import asyncio
import time
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from client_sdk_spec import encoder
from client_sdk_spec.samples import SIGNALS, signals_case
from tests.service import running_service


async def test_every_signal_has_figures_and_samples_of_its_own(tmp_path: Path) -> None:
    batch = dict(signals_case())
    now_us = time.time_ns() // 1000
    batch["clock"] = {"kind": "wall"}
    batch["spans"] = [span | {"start_us": now_us - 60_000_000} for span in batch["spans"]]
    async with running_service(tmp_path / "data") as service, aiohttp.ClientSession() as session:
        body = encoder.encode(batch, "json")
        async with session.post(f"{service.edge}/v1/batches?key={service.client_key}", data=body) as answer:
            assert (answer.status, (await answer.json())["accepted"]) == (202, len(SIGNALS))
        await service.drained()

        async def ask(path: str, **parameters: str) -> Any:
            headers = {"Authorization": f"Bearer {service.token}"}
            async with session.get(f"{service.query}/api/v1/{path}", params=parameters, headers=headers) as answer:
                return await answer.json()

        async def figures(word: str, **more: str) -> Any:
            async with asyncio.timeout(30):
                while not (groups := (await ask("latency", q="0.5", signal=word, **more))["groups"]):
                    await asyncio.sleep(0.1)
            return groups[0]["total"]

        for word, _, duration_us in SIGNALS:
            for more in ({}, {"os": "web", "group_by": "country,network"}):  # from sketches, and from samples
                total = await figures(word, **more)
                assert (total["spans"], total["errors"]) == (1, word in {"exception"})
                assert total["quantiles"] == [pytest.approx(duration_us, rel=0.01, abs=0.6)]
            phases = (await ask("phases", signal=word))["groups"][0]["phases"]
            dns = next(phase for phase in phases if phase["phase"] == "dns")
            assert dns["reused"] == (word == "request")
            assert len((await ask("traces", signal=word))["traces"]) == 1
        assert (await ask("latency"))["groups"][0]["total"]["spans"] == 1, "requests, unless asked for something else"
        assert (await ask("latency", signal="smell"))["error"] == "bad_parameter"
        spans = (await ask("traces/5b8efff798038103d269b633813fc60c"))["spans"]
        assert {span["name"]: span["signal"] for span in spans} == {name: word for word, name, _ in SIGNALS}
