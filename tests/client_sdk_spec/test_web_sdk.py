"""The browser SDK without a browser: its own tests, its types, what it is made of, how large it is."""

import gzip
import json
import re
from pathlib import Path

import pytest

from client_sdk_spec.web.build import HERE, NotInstallable, build, run

CORE_GZIP, WHOLE_GZIP = 12_000, 20_000
"""What a page has to load at most, bytes."""


@pytest.fixture(scope="module")
def dist() -> Path:
    """The built SDK."""
    try:
        return build()
    except NotInstallable as reason:
        pytest.skip(str(reason))


def test_the_parts_of_the_sdk_pass_their_own_tests(dist: Path) -> None:
    run("--test", "test/*.test.ts")


def test_the_types_of_the_sdk_hold(dist: Path) -> None:
    run("node_modules/typescript/bin/tsc", "--noEmit")


@pytest.mark.parametrize("extension", ["js", "mjs"])
@pytest.mark.parametrize(("name", "budget"), [("firsthop-core", CORE_GZIP), ("firsthop", WHOLE_GZIP)])
def test_the_sdk_stays_within_its_budget(dist: Path, name: str, budget: int, extension: str) -> None:
    assert len(gzip.compress((dist / f"{name}.{extension}").read_bytes(), 9)) <= budget


def test_the_core_depends_on_nothing() -> None:
    sources = [path for path in (HERE / "src").glob("*.ts") if path.name not in {"full.ts", "tag.ts"}]
    imported = {name for path in sources for name in re.findall(r'from "([^"]+)"', path.read_text())}
    assert imported
    assert all(re.fullmatch(r"\./[a-z]+\.ts", name) for name in imported)


def test_the_lock_file_names_every_package_s_digest_and_no_registry() -> None:
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package and "resolved" not in package for path, package in packages.items() if path)
