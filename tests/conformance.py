"""`make conformance`: both halves of the specification, and its vectors in every language that is here. Prints tables.

The server half is checked against a service that is started for it, the client half with the reference client. A part
of another language is a selection of tests: `PARTS`. One that is not in this checkout is said to be missing.
"""

import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from client_sdk_spec.conformance.client_half import by_sentence, check_command
from client_sdk_spec.conformance.server_half import check_server
from client_sdk_spec.conformance.verdicts import Verdict, failed, table
from tests.service import running_service

ROOT = Path(__file__).parent.parent
REFERENCE = (sys.executable, "-m", "client_sdk_spec.conformance.driver")
_COUNTS = re.compile(r"(\d+) (passed|failed|skipped|error)")


class Part(NamedTuple):
    """Tests of vectors and conformance in one language."""

    name: str
    needs: Path
    """What is not there when the part is missing."""
    tests: tuple[str, ...]
    """Arguments of pytest."""


SPEC = ROOT / "client_sdk_spec"
PARTS = (
    Part("vectors, reference in Python", SPEC / "vectors", ("tests/client_sdk_spec",)),
    Part("vectors, service", SPEC / "vectors", ("tests/decode", "tests/pipeline/test_anchor_clock_vectors.py")),
    Part("browser SDK", SPEC / "web", ("tests/client_sdk_spec/test_web_sdk.py",)),
    Part("JVM client", SPEC / "jvm", ("tests/contracts/test_jvm_client.py", "-k", "own_tests or specification")),
)


def main() -> int:
    """Runs everything; 1 when something is broken."""
    with tempfile.TemporaryDirectory() as directory:
        server = asyncio.run(server_half(Path(directory) / "data"))
    print(table("Server half: a service started for this", server), flush=True)
    client = by_sentence(asyncio.run(check_command(REFERENCE, timeout_s=3.0)))
    print("\n" + table("Client half, by sentence of SPEC.md: the reference client", client), flush=True)
    parts = [run(part) for part in PARTS]
    print("\n" + table("Vectors and clients by language", parts))
    return int(failed([*server, *client, *parts]))


async def server_half(data: Path) -> list[Verdict]:
    """All checks of the server half against a fresh service, its ledger and signatures included."""
    async with running_service(data) as service:
        listed = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest.cli", "app", "list", "--json",
            env=os.environ | {"FIRSTHOP_DATA": str(data)}, stdout=subprocess.PIPE,
        )  # fmt: skip
        apps = json.loads((await listed.communicate())[0])
        return await check_server(
            service.edge,
            service.client_key,
            config_key=apps[0]["config_key"],
            query=service.query,
            token=service.token,
        )


def run(part: Part) -> Verdict:
    """The verdict on the tests of a part."""
    if not part.needs.exists():
        return Verdict(part.name, (), "not seen", f"{part.needs.relative_to(ROOT)} is not here")
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *part.tests]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    counts = {word: int(count) for count, word in _COUNTS.findall(done.stdout.rpartition("\n\n")[2] or done.stdout)}
    seen = ", ".join(f"{count} {word}" for word, count in counts.items())
    if done.returncode:
        print(done.stdout)
        return Verdict(part.name, (), "broken", seen or f"pytest ended with {done.returncode}")
    return Verdict(part.name, (), "holds" if counts.get("passed") else "not seen", seen)


if __name__ == "__main__":
    sys.exit(main())
