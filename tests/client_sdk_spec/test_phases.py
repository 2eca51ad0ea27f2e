"""The phases of timing entries that a browser here cannot be made to show: HTTP/3, older versions, broken clocks."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ingest.decode.otlp import decode_otlp_protobuf
from ingest.model import REUSED, UNKNOWN, Phase
from ingest.settings import Limits
from tests.contracts.web.bundle import NotInstallable, node
from tests.decode.otlp_messages import request_of, span_of

SPECIFICATION = Path(__file__).parents[2] / "client_sdk_spec"
VECTORS = json.loads((SPECIFICATION / "vectors" / "phases.json").read_text())
CASES = [pytest.param(case, id=case["why"]) for case in VECTORS["cases"]]
SENT_BY_THE_SDK = (
    *("fetchStart", "domainLookupStart", "domainLookupEnd", "connectStart", "secureConnectionStart", "connectEnd"),
    *("requestStart", "responseStart", "responseEnd"),
)
MARKS = {"reused": REUSED, "unknown": UNKNOWN}
SCRIPT = """
import {{ readFileSync }} from "node:fs";
const {{ phases }} = await import("data:text/javascript;base64,{source}");
const entries = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(entries.map(phases)));
"""


def entry_of(case: dict[str, Any]) -> dict[str, Any]:
    """The entry as its browser has it."""
    return {name: value for name, value in (VECTORS["base"] | case["entry"]).items() if value is not None}


@pytest.fixture(scope="module")
def derived() -> dict[str, dict[str, int]]:
    """What the reference makes of each case."""
    source = base64.b64encode((SPECIFICATION / "phases.js").read_bytes()).decode()
    try:
        executable = node()
    except NotInstallable as reason:
        pytest.skip(str(reason))
    done = subprocess.run(
        [executable, "--input-type=module", "-e", SCRIPT.format(source=source)],
        input=json.dumps([entry_of(case) for case in VECTORS["cases"]]),
        capture_output=True,
        text=True,
        check=True,
    )
    return {case["why"]: found for case, found in zip(VECTORS["cases"], json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("case", CASES)
def test_the_reference_derives_the_phases_of_the_vector(case: dict[str, Any], derived: dict[str, Any]) -> None:
    assert derived[case["why"]] == {f"{phase}_us": MARKS.get(us, us) for phase, us in case["phases"].items()}


@pytest.mark.parametrize("case", [case for case in CASES if case.values[0].get("otlp", {}) is not None])
def test_the_same_stamps_as_events_of_a_span_give_the_same_phases_or_less(case: dict[str, Any]) -> None:
    entry = entry_of(case)
    named = [*SENT_BY_THE_SDK, *case.get("otlp_events", ())]
    events = [(name, round(entry[name] * 1_000_000)) for name in named if entry[name] != 0]
    attributes = {"url.full": entry["name"]} | case.get("otlp_attributes", {})
    decoded = decode_otlp_protobuf([request_of(span_of(attributes, events=events)).SerializeToString()], Limits())
    found = decoded.batch.spans.phases_us[:, 0].tolist()
    due = case["phases"] | case.get("otlp", {})
    if "redirectStart" not in named:
        due |= {"redirect": "unknown"}
    assert [max(us, UNKNOWN) for us in found] == [MARKS.get(us := due[phase.name.lower()], us) for phase in Phase]
