"""Policies per app on their way from a file to the stored row: applied while everything runs, and kept for ever."""

import asyncio
import contextlib
import json
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest

from client_sdk_spec import encoder
from ingest.app_file import parse
from ingest.compose.policies import PolicyFiles, read
from ingest.errors import Unavailable
from ingest.policy_book import PolicyBook
from ingest.ports import PolicyText
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from privacy import BUILT_IN
from privacy.policy_file import PolicyError
from tests.service import Service, running_service
from tests.test_serve import firsthop

HASHING = '[actions]\nemail = "hash"\n'


class Written:
    """Policies as an edge would read them; may be out of reach."""

    def __init__(self, *texts: tuple[int, int, str]) -> None:
        self.texts, self.away = texts, False

    async def newest(self) -> Sequence[PolicyText]:
        if self.away:
            raise Unavailable("store_unreachable", "away")
        return [PolicyText(app_id, version, text, 0) for app_id, version, text in self.texts]

    async def apply(self, app_id: int, text: str) -> int:
        raise NotImplementedError


async def book_of(written: Written) -> PolicyBook:
    book = PolicyBook(written, parse)
    await book.refresh()
    return book


async def test_an_app_has_its_own_policy_else_the_one_for_every_app_else_the_built_in_one():
    book = await book_of(Written((0, 4, "[figures]\nleast_sessions = 4"), (7, 5, "[figures]\nleast_sessions = 7")))
    assert [(book.of(app).version, book.of(app).rules.least_sessions) for app in (7, 8)] == [(5, 7), (4, 4)]
    bare = (await book_of(Written())).of(8)
    assert (bare.version, bare.rules) == (0, BUILT_IN)


async def test_an_empty_policy_takes_the_apps_own_away_again():
    written = Written((7, 5, HASHING), (0, 4, "[figures]\nleast_sessions = 4"))
    book = await book_of(written)
    written.texts = ((7, 6, ""), (0, 4, "[figures]\nleast_sessions = 4"))
    await book.refresh()
    assert book.of(7).version == 4


async def test_a_policy_is_read_once_for_as_long_as_it_stays_the_same():
    written = Written((7, 5, HASHING))
    book = await book_of(written)
    first = book.of(7).rules
    await book.refresh()
    assert book.of(7).rules is first


async def test_what_was_promised_stays_while_policies_cannot_be_reached(caplog: pytest.LogCaptureFixture):
    written = Written((7, 5, HASHING))
    book = await book_of(written)
    written.away = True
    await book.refresh()
    await book.refresh()
    assert (book.of(7).version, book.reachable) == (5, False)
    assert len(caplog.records) == 1


async def test_a_policy_that_cannot_be_read_leaves_the_last_good_one_in_force(caplog: pytest.LogCaptureFixture):
    written = Written((7, 5, HASHING), (8, 6, HASHING))
    book = await book_of(written)
    written.texts = ((7, 9, "[future]\nx = 1"), (8, 6, HASHING), (9, 10, "[future]\nx = 1"))
    await book.refresh()
    await book.refresh()
    assert [book.of(app).version for app in (7, 8, 9)] == [5, 6, 0]
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    written.texts = ((7, 11, ""),)
    await book.refresh()
    assert book.of(7).version == 0


async def test_without_any_policy_it_can_keep_an_app_gets_none_and_other_apps_go_on():
    written = Written((7, 9, "[future]\nx = 1"), (8, 6, HASHING))
    book = await book_of(written)
    with pytest.raises(Unavailable) as refused:
        book.of(7)
    assert refused.value.reason == "policy"
    assert [book.of(app).version for app in (8, 9)] == [6, 0]
    await book.refresh()
    with pytest.raises(Unavailable):
        book.of(7)
    written.texts = ((7, 10, HASHING), (8, 6, HASHING))
    await book.refresh()
    assert book.of(7).version == 10


async def test_when_the_policy_for_every_app_cannot_be_kept_only_apps_with_their_own_are_served():
    book = await book_of(Written((0, 9, "[future]\nx = 1"), (8, 6, HASHING)))
    assert book.of(8).version == 6
    with pytest.raises(Unavailable):
        book.of(9)


async def test_nobody_is_served_before_policies_were_read():
    written = Written()
    written.away = True
    book = await book_of(written)
    with pytest.raises(Unavailable):
        book.of(7)


async def test_every_policy_is_kept_and_the_same_text_is_no_new_one(pool: "asyncpg.Pool[Any]"):
    policies = PostgresPolicies(pool)
    first = await policies.apply(7, HASHING)
    assert await policies.apply(7, HASHING) == first
    other, again = await policies.apply(0, "# all"), await policies.apply(7, "")
    assert first < other < again
    newest = {text.app_id: text for text in await policies.newest()}
    assert {app_id: (text.version, text.text) for app_id, text in newest.items()} == {
        0: (other, "# all"),
        7: (again, ""),
    }
    assert abs(newest[7].applied_at_us - time.time_ns() // 1000) < 60_000_000
    assert [text.version for text in await policies.history()] == [again, other, first]
    assert await policies.apply(8, "") == 0


async def test_the_same_text_applied_by_many_at_once_is_one_version(pool: "asyncpg.Pool[Any]"):
    policies = PostgresPolicies(pool)
    assert len(set(await asyncio.gather(*(policies.apply(7, HASHING) for _ in range(8))))) == 1


async def test_a_database_out_of_reach_is_said_to_be(dsn: str):
    closed = await asyncpg.create_pool(dsn, min_size=1, max_size=1)
    await closed.close()
    with pytest.raises(Unavailable):
        await PostgresPolicies(closed).newest()


@pytest.mark.parametrize("content", [b"\xff", b"[future]\nx = 1", b"[keys", b"#" * 70_000])
def test_a_file_that_is_no_policy_is_not_read(tmp_path: Path, content: bytes):
    (tmp_path / "shop.toml").write_bytes(content)
    with pytest.raises(PolicyError):
        read(tmp_path / "shop.toml")


class Watched:
    """A directory of policies beside a database."""

    def __init__(self, directory: Path, pool: "asyncpg.Pool[Any]") -> None:
        self.directory, self.reachable = directory, True
        self.policies, self.files = PostgresPolicies(pool), PolicyFiles(directory, self._connect)
        self._pool = pool

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[Any]:
        if not self.reachable:
            raise Unavailable("store_unreachable", "away")
        yield self._pool

    def write(self, name: str, text: str) -> None:
        (self.directory / f"{name}.toml").write_text(text)

    async def until(self, app_id: int, text: str) -> None:
        async with asyncio.timeout(20):
            while {found.app_id: found.text for found in await self.policies.newest()}.get(app_id) != text:
                await asyncio.sleep(0.05)


@pytest.fixture
async def watched(tmp_path: Path, pool: "asyncpg.Pool[Any]") -> AsyncIterator[Watched]:
    """A watched directory with apps 1, `shop`, and 2, `bank`."""
    keys = PostgresKeys(pool)
    assert [(await keys.create_app(name)).app_id for name in ("shop", "bank")] == [1, 2]
    watched = Watched(tmp_path, pool)
    watching = asyncio.create_task(watched.files.watch())
    yield watched
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def test_files_are_applied_as_they_come_change_and_go(watched: Watched):
    watched.write("shop", HASHING)
    watched.write("default", "# all\n")
    await watched.until(1, HASHING)
    await watched.until(0, "# all\n")
    watched.write("shop", "# changed\n")
    await watched.until(1, "# changed\n")
    (watched.directory / "shop.toml").unlink()
    await watched.until(1, "")
    assert [text.app_id for text in await watched.policies.history()].count(0) == 1


async def test_a_broken_file_changes_nothing_and_says_why(watched: Watched, caplog: pytest.LogCaptureFixture):
    watched.write("shop", HASHING)
    await watched.until(1, HASHING)
    watched.write("shop", "[actions]\nemial = 'hash'\n")
    async with asyncio.timeout(20):
        while "did you mean email" not in caplog.text:
            await asyncio.sleep(0.05)
    assert len(await watched.policies.history()) == 1
    watched.write("shop", "# mended\n")
    await watched.until(1, "# mended\n")
    assert caplog.text.count("did you mean email") == 1


async def test_a_file_waits_for_its_app_and_for_the_database(watched: Watched, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ingest.compose.policies.AGAIN_S", 0.2)
    watched.reachable = False
    watched.write("video", HASHING)
    watched.write("bank", HASHING)
    await watched.files.apply_all()
    assert await watched.policies.newest() == []
    watched.reachable = True
    await watched.until(2, HASHING)
    app = await PostgresKeys(watched._pool).create_app("video")
    await watched.until(app.app_id, HASHING)


async def test_a_start_applies_what_differs_from_what_is_in_force(watched: Watched):
    await watched.policies.apply(1, HASHING)
    await watched.policies.apply(2, HASHING)
    watched.write("shop", HASHING)
    watched.write("bank", "# other\n")
    await watched.files.apply_all()
    assert {text.app_id: text.text for text in await watched.policies.newest()} == {1: HASHING, 2: "# other\n"}
    assert len(await watched.policies.history()) == 3


def batch(number: int, text: str) -> bytes:
    """One span of that name, under a batch id and trace of its own."""
    return encoder.encode(
        {
            "id": f"{number:032x}",
            "resource": {"service": "shop"},
            "clock": {"kind": "wall"},
            "spans": [
                {
                    "trace_id": f"{number:032x}",
                    "span_id": f"{number:016x}",
                    "name": text,
                    "start_us": time.time_ns() // 1000 - 1_000_000,
                    "duration_us": 1000,
                }
            ],
        },
        "json",
    )


async def stored(service: Service, trace_id: int) -> tuple[str, int]:
    """Name and policy version of a span once it is stored."""
    connection = await asyncpg.connect(service.dsn)
    try:
        async with asyncio.timeout(30):
            while True:
                row = await connection.fetchrow(
                    "SELECT name, policy_version FROM span WHERE trace_id = $1", trace_id.to_bytes(16, "big")
                )
                if row is not None:
                    return row["name"], row["policy_version"]
                await asyncio.sleep(0.05)
    finally:
        await connection.close()


async def test_a_saved_file_is_in_force_while_everything_runs_and_rows_name_its_version(tmp_path: Path):
    numbers = iter(range(1, 1000))

    async def send(service: Service, text: str) -> tuple[str, int]:
        number = next(numbers)
        async with (
            aiohttp.ClientSession(headers={"x-api-key": service.client_key}) as session,
            session.post(service.edge + "/v1/batches", data=batch(number, text)) as answer,
        ):
            assert answer.status == 202, await answer.text()
        return await stored(service, number)

    async with running_service(tmp_path / "data") as service:
        file = service.data / "policies" / "app.toml"
        assert parse(file.read_text()).rules.least_sessions == 1
        name, first = await send(service, "to jane@shop.example")
        assert (name, first > 0) == ("to {email}", True)
        file.write_text("[[patterns]]\nname = 'order_number'\npattern = 'ORD-[0-9]+'\n" + '[actions]\nemail = "drop"\n')
        async with asyncio.timeout(30):
            while (found := await send(service, "order ORD-17"))[1] == first:
                assert found[0] == "order ORD-17"
        name, second = found
        assert (name, second > first) == ("order {order_number}", True)
        assert await send(service, "to jane@shop.example") == ("", second)
        log = (tmp_path / "data.log").read_text()
        assert f"version {second} is in force" in log
        assert json.loads((service.data / "keys.json").read_text())["pseudonym_period"] > 0


async def test_an_edge_that_cannot_keep_an_apps_policy_takes_nothing_in_for_it(tmp_path: Path):
    async with running_service(tmp_path / "data") as service:
        connection = await asyncpg.connect(service.dsn)
        await connection.execute(
            "INSERT INTO policy (app_id, text) SELECT app_id, '[future]' FROM app WHERE name = 'app'"
        )
        await connection.close()
        [old] = service.pids("edge")
        os.kill(old, signal.SIGKILL)
        await service.until(lambda: service.pids("edge") not in ([], [old]))
        code, output = await firsthop("app", "create", "shop", "--json", data=service.data)
        assert code == 0, output
        async with aiohttp.ClientSession() as session:

            async def send(key: str, number: int) -> tuple[int, dict[str, Any]]:
                headers = {"x-api-key": key}
                data = batch(number, "x")
                async with session.post(service.edge + "/v1/batches", data=data, headers=headers) as answer:
                    return answer.status, await answer.json()

            async with asyncio.timeout(30):
                while True:
                    with contextlib.suppress(aiohttp.ClientError):
                        status, answer = await send(service.client_key, 1)
                        if answer.get("error") != "starting":
                            break
            assert (status, answer["error"]) == (503, "policy")
            assert (await send(json.loads(output)["client_key"], 2))[0] == 202
        code, output = await firsthop("doctor", data=service.data)
        assert "WRONG privacy policies" in output
        assert "future is not a key of policies" in output
