"""`firsthop conformance` as an author of a server or client runs it."""

import asyncio
import re
import signal
import subprocess
import sys

import pytest

from client_sdk_spec.client import Client
from client_sdk_spec.conformance.__main__ import main as conformance
from client_sdk_spec.conformance.driver import take
from client_sdk_spec.conformance.scenarios import SCENARIOS
from ingest.cli import main
from tests.edge.conftest import CLIENT_KEY, StartEdge, start_edge

__all__ = ["start_edge"]


async def run(*arguments: str) -> tuple[int, str]:
    """Exit code and what was printed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "ingest.cli", "conformance", *arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def test_a_server_is_checked_and_the_exit_code_says_whether_something_is_broken(start_edge: StartEdge):
    edge = await start_edge(read_timeout_s=1.0)
    code, told = await run(edge.url, "--key", CLIENT_KEY)
    assert code == 0, told
    assert re.search(r"^holds +golden +R-1 +80 bodies$", told, re.MULTILINE)
    code, told = await run(edge.url, "--key", "fh_nobody")
    assert code == 1
    assert re.search(r"^broken +golden ", told, re.MULTILINE)


async def test_a_client_that_is_started_by_hand_is_judged_when_the_receiver_is_stopped():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "client_sdk_spec.conformance", "--client", "--scenario", "well", stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    address = re.search(r"http://[\d.:]+\d", (await process.stdout.readline()).decode())
    assert address is not None
    while (await process.stdout.readline()).strip():
        pass
    async with Client(address[0], "well", {}) as client:
        await take(client, SCENARIOS["well"].steps)
    process.send_signal(signal.SIGINT)
    told = (await process.communicate())[0].decode()
    assert process.returncode == 0, told
    assert re.search(r"^holds +B-2 ", told, re.MULTILINE)


@pytest.mark.parametrize(
    "arguments", [[], ["http://127.0.0.1:9"], ["--client", "http://127.0.0.1:9"], ["--client", "--scenario", "nothing"]]
)
def test_arguments_that_cannot_be_used_are_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        conformance(arguments)
    assert ended.value.code == 2
    assert "firsthop conformance: error:" in capsys.readouterr().err


def test_other_commands_still_refuse_what_they_do_not_know(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--nothing"])
    assert ended.value.code == 2
    assert "--nothing" in capsys.readouterr().err
