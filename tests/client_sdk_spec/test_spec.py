"""Every sentence of the specification is checked by something that exists, and every check is of a sentence."""

import ast
import re
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from client_sdk_spec.conformance.judgements import JUDGEMENTS
from client_sdk_spec.conformance.scenarios import SCENARIOS
from client_sdk_spec.conformance.server_half import CHECKS
from client_sdk_spec.conformance.spec import SPEC, Sentence, sentences
from client_sdk_spec.encoder import FIELDS
from tests.client_sdk_spec.vectors import FOLDER, load

ROOT = Path(__file__).parents[2]
WEB = ROOT / "client_sdk_spec" / "web"
GROUPS: dict[str, tuple[str, str]] = {
    "retry": ("retry.json", "cases"),
    "stories": ("clock/stories.json", "stories"),
    "backend": ("clock/backend.json", "cases"),
    "queues": ("eviction.json", "queues"),
    "counters": ("eviction.json", "counters"),
}
"""Prefix of a check → file and table of the vectors that it names."""
FIRST = {
    "text": "name method url route error_type protocol screen threshold randomness",
    "number": "kind status start_us duration_us http_status request_bytes response_bytes signal",
    "phase": "redirect_us blocked_us dns_us tcp_us tls_us request_us ttfb_us download_us",
}
"""Columns of version 1, by type."""


@cache
def functions_of(path: Path) -> frozenset[str]:
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def exists(check: str) -> bool | None:
    """Whether there is what a check names; None for one of a part that is not in this checkout."""
    kind, _, name = check.partition(":")
    if kind.startswith("tests/"):
        path = ROOT / kind
        if "web_sdk" in path.name and not WEB.exists():
            return None
        return path.exists() and name.removeprefix(":") in functions_of(path)
    if kind == "web":
        if not WEB.exists():
            return None
        return any(f'test("{name}"' in path.read_text() for path in (WEB / "test").glob("*.ts"))
    return name in named(kind)


@cache
def named(kind: str) -> Collection[str]:
    """What there is of a kind that is not read from the code."""
    if kind in GROUPS:
        file, table = GROUPS[kind]
        return {*load(file)[table]}
    return {
        "golden": {"", *(path.name.removesuffix(".batch.json") for path in FOLDER.glob("golden/*.batch.json"))},
        "tolerated": {path.name for path in FOLDER.glob("tolerated/*")},
        "malformed": {"", *load("malformed/reasons.json")},
        "clock": {path.stem.removeprefix("case_") for path in FOLDER.glob("clock/case_*.json")},
        "exchanges": {""},
        "phases": {""},
        "sampling": {*load("sampling.json")},
        "sketches": {*load("sketches.json")},
        "server": {check.name for check in CHECKS},
        "client": {*JUDGEMENTS},
    }.get(kind, set())


def test_there_are_sentences_of_every_group():
    numbers = [sentence.number for sentence in sentences()]
    assert {number[0] for number in numbers} == set("WBCPSVNDGXR")
    rows = re.findall(r"^\| [A-Z]+-?\d+ ", SPEC.read_text(), re.MULTILINE)
    assert len(rows) == len(numbers), "every row is read"
    assert len(set(numbers)) == len(numbers), "no number is given twice"


@pytest.mark.parametrize("sentence", sentences(), ids=lambda sentence: sentence.number)
def test_a_sentence_says_how_binding_it_is_and_is_checked_by_what_exists(sentence: Sentence):
    assert re.search(r"\b(MUST|SHOULD|MAY)\b", sentence.text)
    assert sentence.checks, "nothing is named"
    found = {check: exists(check) for check in sentence.checks}
    assert [check for check, there in found.items() if there is False] == []
    if None in found.values():
        pytest.skip("the browser SDK is not here, and its tests are named")


def test_every_check_of_the_runner_is_of_a_sentence():
    named = {check for sentence in sentences() for check in sentence.checks}
    checks = {f"server:{check.name}" for check in CHECKS} | {f"client:{name}" for name in JUDGEMENTS}
    assert checks - named == set()


def test_a_check_that_does_not_exist_is_found():
    wrong = [
        "retry:nothing",
        "server:nothing",
        "client:",
        "tests/nothing.py::test",
        "golden:nothing",
        "nonsense",
        "clock:x",
    ]
    assert [check for check in wrong if exists(check)] == []


def test_every_judgement_that_a_scenario_names_exists():
    assert {name for scenario in SCENARIOS.values() for name in scenario.judged} <= set(JUDGEMENTS)


def test_fields_are_only_added():
    """A change of what version 1 began with would break clients in the field."""
    columns: dict[str, Any] = FIELDS["columns"]
    kinds = {"text": "code", "number": "number", "phase": "phase"}
    for kind, names in FIRST.items():
        assert {name: columns[name]["type"] for name in names.split()} == dict.fromkeys(names.split(), kinds[kind])
    defaults = {name: column["default"] for name, column in columns.items()}
    assert (
        defaults
        | {
            "trace": None,
            "span_id": None,
            "parent_span_id": 0,
            "kind": 3,
            "status": 0,
            "start_us": None,
            "duration_us": None,
            "http_status": -2,
            "signal": 0,
            **dict.fromkeys(FIRST["phase"].split(), -2),
        }
        == defaults
    )
