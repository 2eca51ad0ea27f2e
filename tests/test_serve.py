"""`firsthop serve` as an operator meets it: a real subprocess, a real database, free ports."""

import asyncio
import base64
import contextlib
import json
import os
import signal
import socket
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.service import Service, running_service

ROOT = Path(__file__).parent.parent


def environment(data: Path, **settings: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("FIRSTHOP_") and k != "DATABASE_URL"}
    ports = {"FIRSTHOP_EDGE_PORT": "0", "FIRSTHOP_QUERY_PORT": "0", "FIRSTHOP_WORKERS": "1"}
    return kept | {"FIRSTHOP_DATA": str(data)} | ports | settings


async def firsthop(*arguments: str, data: Path, **settings: str) -> tuple[int, str]:
    """Exit code and output of one command that ends by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "ingest.cli",
        *arguments,
        env=environment(data, **settings),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, output.decode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """A service that tests share which leave it running."""
    async with running_service(tmp_path_factory.mktemp("serve") / "data") as running:
        yield running


@pytest.fixture
def data(service: Service) -> Path:
    """Where the shared service keeps its data."""
    return service.data


async def get(service: Service, path: str) -> Any:
    headers = {"Authorization": f"Bearer {service.token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(service.query + path) as answer:
        return await answer.json()


async def until_traces(service: Service, count: int) -> list[Any]:
    async with asyncio.timeout(30):
        while True:
            traces: list[Any] = (await get(service, "/api/v1/traces"))["traces"]
            if len(traces) >= count:
                return traces
            await asyncio.sleep(0.1)


async def send_example(service: Service) -> None:
    """Runs what `serve` printed, as a reader would."""
    printed = service.data.with_name("data.log").read_text()
    script = printed[printed.index("id=$(") :].partition("\n\n")[0]
    process = await asyncio.create_subprocess_exec("sh", "-c", script, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert json.loads(output)["accepted"] == 1


def runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


async def test_the_printed_example_sends_a_span_that_shows(service: Service):
    await send_example(service)
    [trace] = await until_traces(service, 1)
    assert trace["route"] == "GET api.shop.example/orders/{id}"
    shown = json.dumps(await get(service, f"/api/v1/traces/{trace['trace_id']}"))
    assert "jane" not in shown


async def test_starts_find_what_earlier_ones_stored_however_those_ended(tmp_path: Path):
    data = tmp_path / "data"
    async with running_service(data) as first:
        await send_example(first)
        before = await until_traces(first, 1)
        pids = first.ready["pids"]
        assert set(pids) == {"supervisor", "postgres", "edge", "aggregate", "alerts", "query"}
        assert all(runs(pid) for role in pids.values() for pid in role)
    assert not (data / "ready.json").exists()
    assert not any(runs(pid) for role in pids.values() for pid in role)
    async with running_service(data) as second:
        assert (second.client_key, second.token) == (first.client_key, first.token)
        assert await until_traces(second, 1) == before
        pids = [pid for role in second.ready["pids"].values() for pid in role]
        os.kill(second.ready["pids"]["supervisor"][0], signal.SIGKILL)
        await second.until(lambda: not any(runs(pid) for pid in pids))
    (data / "ready.json").unlink()
    code, output = await firsthop("app", "list", "--json", data=data)
    assert (code, [app["app"] for app in json.loads(output)]) == (0, ["app"])
    async with running_service(data) as third:
        assert await until_traces(third, 1) == before


async def test_clients_get_a_configuration_signed_with_the_key_that_is_shown(service: Service, data: Path):
    code, output = await firsthop("app", "list", "--json", data=data)
    shown = json.loads(output)[0]["config_key"]
    assert (code, shown in (await firsthop("doctor", data=data))[1]) == (0, True)
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(shown))
    address = f"{service.edge}/v1/config?key={service.client_key}&os=Android&memory_mb=2048"
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        signature = answer.headers["Firsthop-Signature"].partition("ed25519=")[2]
        key.verify(base64.b64decode(signature), await answer.read())
        told = await answer.json()
    assert (answer.status, told["class"], told["send"]) == (200, "low", True)


async def test_secrets_are_readable_by_their_owner_alone(service: Service, data: Path):
    for name in ("keys.json", "ready.json"):
        assert stat.S_IMODE((data / name).stat().st_mode) == 0o600


async def test_a_second_serve_on_the_same_directory_says_who_is_there(service: Service, data: Path):
    code, output = await firsthop("serve", data=data)
    assert code == 1
    assert str(service.ready["pids"]["supervisor"][0]) in output
    assert "FIRSTHOP_DATA" in output
    assert (data / "ready.json").exists()


async def test_a_process_that_dies_is_started_again(service: Service):
    for role in ("edge", "query", "aggregate", "postgres"):
        [old] = service.pids(role)
        os.kill(old, signal.SIGKILL)
        await service.until(lambda role=role, old=old: service.pids(role) not in ([], [old]))
    async with asyncio.timeout(30), aiohttp.ClientSession() as session:
        for address in (service.edge, service.query):
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.get(address + "/readyz") as answer:
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.05)


async def test_apps_and_keys_are_made_beside_a_running_service(service: Service, data: Path):
    code, output = await firsthop("app", "create", "shop", "--origin", "https://shop.example", "--json", data=data)
    assert code == 0, output
    shop = json.loads(output)
    code, output = await firsthop("app", "key", "shop", "--role", "server", "--json", data=data)
    server_key = json.loads(output)["server_key"]
    async with aiohttp.ClientSession() as session:
        for key, origin, status in (
            (shop["client_key"], "https://shop.example", 400),
            (shop["client_key"], "https://evil.example", 403),
            (server_key, "", 400),
            (shop["token"], "", 403),
        ):
            headers = {"x-api-key": key} | ({"Origin": origin} if origin else {})
            async with session.post(service.edge + "/v1/batches", data=b"{", headers=headers) as answer:
                assert answer.status == status, await answer.text()
    code, output = await firsthop("app", "create", "shop", data=data)
    assert (code, "exists" in output) == (1, True)
    code, output = await firsthop("app", "key", "nobody", data=data)
    assert (code, "app list" in output) == (1, True)


async def test_the_token_that_serve_prints_makes_a_key_and_the_command_line_ends_it(service: Service, data: Path):
    owner = {"Authorization": f"Bearer {service.token}"}
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):

        async def sent(key: str) -> int:
            async with session.post(service.edge + "/v1/batches", data=b"{", headers={"x-api-key": key}) as answer:
                return answer.status

        async with session.post(service.query + "/api/v1/keys", json={"role": "server"}, headers=owner) as answer:
            made = await answer.json()
            assert answer.status == 200, made
        assert await sent(made["key"]) == 400
        code, output = await firsthop("app", "keys", service.ready["app"], "--json", data=data)
        assert made["id"] in [key["id"] for key in json.loads(output)]
        assert (await firsthop("app", "revoke", made["id"], data=data))[0] == 0
        while await sent(made["key"]) != 403:
            await asyncio.sleep(0.2)
        async with session.get(service.query + "/api/v1/audit", headers=owner) as answer:
            changes = (await answer.json())["changes"]
        assert [(change["action"], change["actor"].split(":")[0]) for change in changes[:2]] == [
            ("key.revoke", "command line"),
            ("key.create", "key"),
        ]
    code, output = await firsthop("app", "revoke", made["id"], data=data)
    assert (code, "app keys" in output) == (1, True)


async def test_every_kind_of_token_is_made_by_the_command_line(service: Service, data: Path):
    del service
    for arguments, prefix in (
        (("key", "app", "--role", "owner", "--label", "ci"), "fh_own_"),
        (("token", "app"), "fh_tok_"),
        (("token", "--operator"), "fh_ops_"),
        (("token", "--admin"), "fh_adm_"),
    ):
        code, output = await firsthop("app", *arguments, "--json", data=data)
        assert (code, prefix in output) == (0, True), output
    code, output = await firsthop("app", "keys", "--every-app", "--json", data=data)
    assert {"operator", "admin"} <= {key["role"] for key in json.loads(output)}
    for arguments in (("token",), ("token", "app", "--admin"), ("keys",)):
        assert (await firsthop("app", *arguments, data=data))[0] == 1


async def test_a_setting_that_cannot_be_used_is_one_clear_line(tmp_path: Path):
    code, output = await firsthop("serve", data=tmp_path, FIRSTHOP_WORKERS="many")
    assert (code, output.count("\n")) == (2, 1)
    assert "FIRSTHOP_WORKERS" in output
    code, output = await firsthop("serve", data=tmp_path, FIRSTHOP_GEOIP=str(tmp_path / "nothing.mmdb"))
    assert (code, output.count("\n")) == (2, 1)


async def test_a_role_alone_says_that_it_needs_a_database(tmp_path: Path):
    code, output = await firsthop("edge", data=tmp_path)
    assert (code, "DATABASE_URL" in output) == (2, True)
    code, output = await firsthop("query", data=tmp_path, DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert (code, "cannot be reached" in output, "Traceback" in output) == (1, True, False)


async def test_the_doctor_finds_nothing_wrong_where_nothing_is(data: Path):
    code, output = await firsthop("doctor", data=data)
    assert "WRONG data directory" not in output
    assert "WRONG edge port" not in output
    assert (code == 0) == ("WRONG" not in output)


async def test_the_doctor_tells_of_records_that_had_to_be_set_aside(service: Service, data: Path):
    assert "no record had to be set aside" in (await firsthop("doctor", data=data))[1]
    connection = await asyncpg.connect(service.dsn)
    await connection.execute("INSERT INTO journal_dead (lane, seq, record, reason) VALUES (1, 1, '', 'damaged')")
    code, output = await firsthop("doctor", data=data)
    await connection.execute("DELETE FROM journal_dead")
    await connection.close()
    assert (code, "WRONG journal: 1 records could not be stored" in output) == (1, True)


async def test_the_doctor_names_what_is_wrong_and_what_helps(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, output = await firsthop("doctor", data=tmp_path, FIRSTHOP_EDGE_PORT=port)
        assert code == 1
        assert "WRONG edge port" in output
        assert "ss -ltnp" in output
        code, output = await firsthop("serve", data=tmp_path, FIRSTHOP_EDGE_PORT=port)
        assert (code, "FIRSTHOP_EDGE_PORT" in output) == (1, True)
    file = tmp_path / "file"
    file.write_text("")
    assert "WRONG data directory" in (await firsthop("doctor", data=file))[1]
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("12\n")
    assert "PostgreSQL 12" in (await firsthop("doctor", data=tmp_path))[1]
    code, output = await firsthop("doctor", data=tmp_path, DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert (code, "WRONG database" in output) == (1, True)
    code, output = await firsthop("doctor", data=tmp_path, FIRSTHOP_GEOIP="/nowhere.mmdb")
    assert (code, "WRONG countries" in output) == (1, True)
    code, output = await firsthop("doctor", data=tmp_path, FIRSTHOP_WORKERS="many")
    assert (code, "WRONG settings" in output) == (1, True)
