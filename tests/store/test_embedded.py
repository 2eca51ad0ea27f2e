"""The embedded server's life, with real processes."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from ingest.store.embedded import SOCKET_PATH_BYTES, EmbeddedError, EmbeddedPostgres

SUPERVISOR = """
import sys, time
from pathlib import Path
from ingest.store.embedded import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="firsthop-test-") as directory:
        yield Path(directory)


def query(dsn: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(dsn)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_data_survives_a_stop_and_a_kill(place: Path) -> None:
    server = EmbeddedPostgres(place / "pg")
    query(server.start(), "CREATE TABLE kept (n int)")
    first = server.pid
    assert first is not None
    server.stop()
    assert server.pid is None
    query(server.start(), "INSERT INTO kept VALUES (7)")
    second = server.pid
    assert second is not None
    os.kill(second, signal.SIGKILL)
    until(lambda: server.pid is None)
    try:
        assert query(server.start(), "SELECT n FROM kept") == 7
        assert server.pid not in (first, second, None)
    finally:
        server.stop()


def test_starting_twice_gives_the_same_server(place: Path) -> None:
    server = EmbeddedPostgres(place / "pg")
    try:
        assert server.start() == server.start()
    finally:
        server.stop()


def test_a_second_process_is_told_that_the_directory_is_in_use(place: Path) -> None:
    server = EmbeddedPostgres(place / "pg")
    server.start()
    try:
        with pytest.raises(EmbeddedError, match="another firsthop"):
            EmbeddedPostgres(place / "pg").start()
    finally:
        server.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_the_server_ends_with_its_supervisor_even_when_that_is_killed(place: Path) -> None:
    supervisor = subprocess.Popen([sys.executable, "-c", SUPERVISOR, str(place / "pg")], stdout=subprocess.PIPE)
    assert supervisor.stdout is not None
    try:
        pid = int(supervisor.stdout.readline())
    finally:
        supervisor.kill()
        supervisor.wait()
        supervisor.stdout.close()
    until(lambda: not Path(f"/proc/{pid}").exists())
    server = EmbeddedPostgres(place / "pg")
    try:
        assert query(server.start(), "SELECT 1") == 1
    finally:
        server.stop()


def test_a_server_left_behind_is_stopped_before_a_new_one_starts(place: Path) -> None:
    left = EmbeddedPostgres(place / "pg")
    query(left.start(), "CREATE TABLE kept (n int)")
    pid = left.pid
    assert pid is not None
    # What a supervisor's death without notice to the server looks like: its lock is free, the server runs.
    assert left._lock is not None
    os.close(left._lock)
    server = EmbeddedPostgres(place / "pg")
    try:
        assert query(server.start(), "SELECT count(*) FROM kept") == 0
        assert server.pid != pid
        assert left.pid is None
    finally:
        server.stop()


def test_the_data_directory_may_be_deep_and_the_socket_is_its_users_alone(place: Path) -> None:
    deep = place / ("d" * 60) / ("e" * 60) / "pg"
    server = EmbeddedPostgres(deep)
    try:
        dsn = server.start()
        assert query(dsn, "SELECT 1") == 1
        assert len(str(deep)) > SOCKET_PATH_BYTES
        directory = Path(str(query(dsn, "SHOW unix_socket_directories")))
        assert directory.stat().st_mode & 0o077 == 0
        assert query(dsn, "SHOW listen_addresses") == ""
    finally:
        server.stop()


def test_a_half_made_directory_is_no_database(place: Path) -> None:
    """What is left of an initdb that was killed does not stand in the way of the next."""
    (place / "pg.abc").mkdir()
    (place / "pg.abc" / "PG_VERSION").write_text("18")
    (place / "pg").mkdir()
    server = EmbeddedPostgres(place / "pg")
    try:
        assert query(server.start(), "SELECT 1") == 1
    finally:
        server.stop()


def test_a_server_that_cannot_start_says_why(place: Path) -> None:
    server = EmbeddedPostgres(place / "pg")
    server.start()
    server.stop()
    (place / "pg" / "global" / "pg_control").unlink()
    with pytest.raises(EmbeddedError, match="pg_control"):
        server.start()
    server.stop()
