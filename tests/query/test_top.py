"""`firsthop top` as an operator meets it: in a pipe, and in a real terminal, before the real query server."""

import argparse
import asyncio
import errno
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from ingest import cli_top, top
from ingest.cli import main
from ingest.compose.home import Home, Ready
from ingest.model import DIMENSIONS as KNOWN
from ingest.top import DIMENSIONS, QUANTILES, SORTS
from tests.query.conftest import OPERATOR, TOKEN

REDRAW = "\x0c"
WHOLE = r"spans(?s:.*)(q quit|from before)"
"""From the first line of a screen to its last."""
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m")


def settings(**more: str) -> Mapping[str, str]:
    """The environment of a command: this machine's, without settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTHOP_")}
    return kept | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "FIRSTHOP_DATA": "/nonexistent/data"} | more


Run = Callable[..., Awaitable[tuple[int, str, str]]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs it with its output in a pipe: exit code, output, complaints."""

    async def run(*arguments: str, **more: str) -> tuple[int, str, str]:
        for name, value in settings(**more).items():
            monkeypatch.setenv(name, value)
        try:
            code = await asyncio.to_thread(main, ["top", *arguments])
        except SystemExit as left:
            code = int(left.code or 0)
        return (code, *capsys.readouterr())

    return run


@pytest.fixture
def address(client: TestClient[Any, Any]) -> str:
    return str(client.make_url("/"))


@dataclass
class Terminal:
    """A real terminal of the kernel, with `firsthop top` in it."""

    process: asyncio.subprocess.Process
    end: int
    seen: str = ""

    async def until(self, pattern: str) -> str:
        """Waits until this is on the screen; the screen then. Only changes are sent, so that it asks for all of it."""
        async with asyncio.timeout(20):
            while True:
                self.seen = ""
                self.press(REDRAW)
                while not re.search(WHOLE, plain(self.seen)):
                    assert await self._read(), self.seen
                if re.search(pattern, plain(self.seen)):
                    return self.seen

    async def _read(self) -> bool:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().add_reader(self.end, ready.set_result, None)
        try:
            await ready
            self.seen += os.read(self.end, 1 << 16).decode(errors="replace")
        except OSError as error:
            if error.errno != errno.EIO:  # how a terminal says that nobody holds its other end
                raise
            return False
        finally:
            asyncio.get_running_loop().remove_reader(self.end)
        return True

    def press(self, keys: str) -> None:
        os.write(self.end, keys.encode())

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    async def left(self) -> int:
        """Its exit code, once all it draws is read."""
        async with asyncio.timeout(20):
            while await self._read():
                pass
            return await self.process.wait()


def plain(drawn: str) -> str:
    """Without sequences that move the cursor or choose a colour."""
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>78M])", " ", drawn)


@asynccontextmanager
async def terminal(*arguments: str, width: int = 120, height: int = 30, **more: str) -> AsyncIterator[Terminal]:
    ours, theirs = pty.openpty()
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    command = (sys.executable, "-m", "ingest.cli", "top", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command,
        env=settings(**more),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(ours)


async def test_in_a_pipe_it_prints_once_sorted_and_without_colour(run: Run, address: str) -> None:
    code, output, complaints = await run("--address", address, "--last", "2h", "--sort", "p95", FIRSTHOP_TOKEN=TOKEN)
    assert (code, complaints) == (0, "")
    assert "\x1b" not in output
    summary, about, _, head, *rows = output.splitlines()
    assert re.match(r"\d+ spans  \d+\.\d\d% failed  p50 .* p99 ", summary)
    assert about == "shop · request · last 2 h"
    assert head.split()[:6] == ["spans", "errors", "p50", "p75", ">p95", "p99"]
    assert len(rows) > 2
    assert all(re.search(r"(GET|POST) ", row) for row in rows)


async def test_filters_and_grouping_are_those_that_were_asked_for(run: Run, address: str) -> None:
    filters = ("--country", "DE", "--country", "US", "--by", "version")
    code, output, _ = await run(
        "--address", address, "--app", "shop", "--last", "2h", *filters, FIRSTHOP_TOKEN=OPERATOR
    )
    assert code == 0
    assert "country=DE|US" in output
    assert [row.split()[-1] for row in output.splitlines()[4:]].count("5.2.0") == 1


async def test_a_terminal_that_knows_no_unicode_gets_none(address: str) -> None:
    command = (sys.executable, "-m", "ingest.cli", "top", "--address", address, "--last", "2h", "--once")
    ascii_alone = settings(FIRSTHOP_TOKEN=TOKEN, PYTHONIOENCODING="ascii")
    process = await asyncio.create_subprocess_exec(*command, env=ascii_alone, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    assert output.isascii()
    assert b"shop, request, last 2 h" in output


async def test_the_server_of_this_data_directory_is_found_by_itself(run: Run, address: str, tmp_path: Path) -> None:
    with (tmp_path / "serve.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        home = Home(tmp_path)
        home.write_ready(Ready("", address, "shop", "", TOKEN, "", {}))
        code, output, _ = await run("--last", "2h", FIRSTHOP_DATA=str(tmp_path))
        # As the demo, which has several apps and keeps a token for all of them.
        home.keep(replace(home.secrets(), admin=OPERATOR))
        _, _, several = await run("--last", "2h", FIRSTHOP_DATA=str(tmp_path))
    assert code == 0
    assert "shop · request" in output
    assert "name one by --app, of shop, other" in several


@pytest.mark.parametrize(
    ("arguments", "token", "says"),
    [
        (["--address", "ADDRESS"], OPERATOR, "name one by --app, of shop, other"),
        (["--address", "ADDRESS", "--app", "other"], TOKEN, "403"),
        (["--address", "ADDRESS"], "fh_tok_wrong", "401"),
        (["--address", "ADDRESS", "--signal", "nonsense"], TOKEN, "signal must be one of"),
        (["--address", "ADDRESS"], "", "needs that server's token in FIRSTHOP_TOKEN"),
        (["--address", "http://127.0.0.1:1"], TOKEN, "cannot be reached"),
        ([], TOKEN, "nothing serves from FIRSTHOP_DATA"),
    ],
)
async def test_what_is_wrong_is_said_in_one_line(
    run: Run, address: str, arguments: list[str], token: str, says: str
) -> None:
    given = [address if each == "ADDRESS" else each for each in arguments]
    code, output, complaints = await run(*given, FIRSTHOP_TOKEN=token)
    assert (code, output) == (1, "")
    assert complaints.startswith("firsthop: ")
    assert complaints.count("\n") == 1
    assert says in complaints
    assert "fh_tok" not in complaints


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--address", "ftp://here"], "must begin with http://"),
        (["--last", "7 weeks"], "must be 10s to 400d"),
        (["--every", "0"], "must be 1 to 3600 seconds"),
        (["--by", "session"], "invalid choice"),
    ],
)
async def test_an_argument_that_cannot_be_used_is_refused(run: Run, arguments: list[str], says: str) -> None:
    try_it = await run(*arguments, FIRSTHOP_TOKEN=TOKEN)
    assert try_it[0] == 2
    assert says in try_it[2]


async def test_keys_sort_group_and_quit_and_a_new_size_is_followed(address: str) -> None:
    async with terminal("--address", address, "--last", "2h", FIRSTHOP_TOKEN=TOKEN) as shown:
        drawn = await shown.until(r">spans(?s:.*)route(?s:.*)q quit")
        assert COLOUR.search(drawn)
        assert "spans  " in plain(drawn)
        shown.press("9")
        await shown.until(r">\s*p95")
        shown.press("g")
        await shown.until(r"version(?s:.*)5\.2\.0")
        shown.resize(60, 12)
        await shown.until(r"\A(?!(?s:.*)0 p99)(?s:.*)q quit")
        shown.press("\x1b[B")
        shown.press("p")
        await shown.until("paused")
        shown.press("q")
        assert await shown.left() == 0
        # The terminal is given back as it was found: without the second screen.
        assert "\x1b[?1049l" in shown.seen


async def test_ctrl_c_leaves_without_a_complaint(address: str) -> None:
    async with terminal("--address", address, "--last", "2h", FIRSTHOP_TOKEN=TOKEN) as shown:
        await shown.until("q quit")
        shown.process.send_signal(signal.SIGINT)
        assert await shown.left() == 0
        assert "Traceback" not in shown.seen


async def test_no_color_is_honoured(address: str) -> None:
    async with terminal("--address", address, "--last", "2h", FIRSTHOP_TOKEN=TOKEN, NO_COLOR="1") as shown:
        assert not COLOUR.search(await shown.until("q quit"))


async def test_a_terminal_that_cannot_be_drawn_on_is_told_of(address: str) -> None:
    async with terminal("--address", address, "--last", "2h", FIRSTHOP_TOKEN=TOKEN, TERM="no-such-terminal") as shown:
        assert await shown.left() == 1
        assert "cannot be drawn on: set TERM, or print with --once" in shown.seen


async def test_while_the_server_is_away_the_last_figures_stay_and_say_so(
    client: TestClient[Any, Any], address: str
) -> None:
    arguments = ("--address", address, "--last", "2h", "--every", "1")
    async with terminal(*arguments, FIRSTHOP_TOKEN=TOKEN) as shown:
        await shown.until("q quit")
        await client.server.close()
        await shown.until("These figures are from before: (?s:.*)cannot be reached")
        shown.press("q")
        assert await shown.left() == 0


def test_rows_can_be_every_dimension_and_sorted_by_every_percentile() -> None:
    assert DIMENSIONS == KNOWN
    assert SORTS[2:] == tuple(f"p{quantile * 100:g}" for quantile in QUANTILES)


def test_every_argument_and_key_is_in_the_readme() -> None:
    parser = argparse.ArgumentParser()
    cli_top.add_to(parser)
    readme = (Path(top.__file__).parent / "README.md").read_text()
    options = {
        option for action in parser._actions for option in action.option_strings if option not in ("-h", "--help")
    }
    assert set(re.findall(r"`(--[a-z-]+)`", readme)) == options
    assert "| `n` `e` `5` `7` `9` `0` |" in readme
