"""What can be set, served, counted and answered is documented; nothing documented is missing."""

import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from ingest.edge.measure import Measures
from ingest.edge.respond import TABLE, UNFORESEEN
from ingest.edge.routes import ROUTES
from ingest.openmetrics import Counter, Gauge, Histogram
from ingest.outcome import DROP_REASONS, Note, Outcome
from ingest.ports.alert_rules import Condition, Errors, Rule
from ingest.ports.backlog import Backlog
from ingest.query.endpoints import ENDPOINTS
from ingest.query.measure import Measures as QueryMeasures
from ingest.query.metrics import render
from ingest.settings import SETTINGS

ROOT = Path(__file__).parent.parent
EDGE = (ROOT / "ingest/edge/README.md").read_text()
SETTINGS_PAGE = (ROOT / "ingest/settings.md").read_text()
METRICS_PAGE = (ROOT / "ingest/query/metrics.md").read_text()
QUERY = (ROOT / "ingest/query/README.md").read_text()
ALERTS = (ROOT / "ingest/query/alerts.md").read_text()

RULE = Rule(name="any", when=Errors(above=0.1))

REFUSAL = re.compile(
    r"\b(?:Malformed|Unauthenticated|Forbidden|UnknownPath|MethodNotAllowed|TooSlow|TooLarge|UnsupportedType|TooMany"
    r'|Unavailable|self\._refuse)\((?:[^"()]|\([^"()]*\))*?"(\w+)"'
)


def first_cells(page: str, heading: str) -> list[str]:
    """The code in the first cell of every row under a heading."""
    section = re.split(r"^#+ ", page.partition(heading)[2], maxsplit=1, flags=re.MULTILINE)[0]
    rows = [line for line in section.splitlines() if line.startswith("| `")]
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])]


def test_the_settings_page_is_the_table_of_settings():
    rows = re.findall(r"^\| `(\w+)` \| (?:`(.*?)`|empty) \| (.*) \|$", SETTINGS_PAGE, re.MULTILINE)
    assert rows == [(setting.name, setting.default, setting.help) for setting in SETTINGS]


def test_every_setting_has_a_default_that_can_be_used():
    for setting in SETTINGS:
        setting.parse(setting.default)


def test_every_route_of_the_edge_is_documented_with_its_methods():
    for path, route in ROUTES.items():
        assert f"`{path}" in EDGE
        row = next(line for line in EDGE.splitlines() if line.startswith(f"| `{path}`"))
        assert f"| {', '.join(route.methods)} |" in row
    documented = {path for path in first_cells(EDGE, "## Routes") if "{key}" not in path}
    assert documented == set(ROUTES)


def test_every_call_of_the_query_api_is_documented():
    for endpoint in ENDPOINTS:
        assert f"{endpoint.method} {endpoint.path}" in QUERY + ALERTS


def test_every_member_of_an_alert_rule_is_documented_with_its_default():
    page = (ROOT / "ingest/alerts/README.md").read_text()
    members = [field.encode_name for field in msgspec.structs.fields(Rule)]
    assert set(members) == set(first_cells(page, "## Rules")[: len(members)])
    for name in ("window", "hold", "signal", "min_spans", "severity"):
        encoded = "for" if name == "hold" else name
        assert f"| `{encoded}` | `{getattr(RULE, name)}` |" in page
    for kind in get_args(Condition):
        row = next(line for line in page.splitlines() if line.startswith(f"| `{kind.__struct_config__.tag}` |"))
        assert all(f"`{name}`" in row for name in kind.__struct_fields__)


def test_every_metric_is_documented_with_its_type():
    metrics = [m for m in vars(Measures({"worker": "0"})).values() if isinstance(m, Counter | Histogram | Gauge)]
    for metric in metrics:
        assert f"| `{metric.name}` | {type(metric).__name__.lower()}" in EDGE
    assert first_cells(EDGE, "## Metrics") == [metric.name for metric in metrics]


async def test_every_metric_of_the_query_server_is_documented_with_its_type():
    described = (await QueryMeasures(lambda: 0.0).render(Nothing())).decode()
    assert types(described) == documented(METRICS_PAGE, "## The service's own")


def test_every_metric_of_an_app_is_documented_with_its_type():
    assert types("\n".join(render("shop", [], {}))) == documented(METRICS_PAGE, "## An app's figures")


def types(text: str) -> list[tuple[str, str]]:
    """Name and type of the metrics in OpenMetrics text."""
    return re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)


def documented(page: str, heading: str) -> list[tuple[str, str]]:
    """Name and type of the metrics under a heading."""
    section = page.partition(f"{heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)` \| (\w+)", section, re.MULTILINE)


class Nothing:
    """A store in which nothing waits."""

    async def backlog(self) -> Backlog:
        return Backlog(0, 0.0, 0, 0, 0)


def test_every_outcome_is_documented():
    section = EDGE.partition("## Answers")[2].partition("## Errors")[0]
    assert re.findall(r"^\| `([^`]+)`", section, re.MULTILINE) == [outcome.label for outcome in Outcome]


def test_every_note_is_documented():
    assert first_cells(EDGE, "## Notes") == [note.label for note in Note]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ("OUTCOMES", [outcome.label for outcome in Outcome]),
        ("NOTES", [note.label for note in Note]),
        ("DROPS", [*DROP_REASONS, "other"]),
    ],
)
def test_the_dashboard_has_a_sentence_for_every_outcome_note_and_reason_of_clients(table: str, words: list[str]):
    source = (ROOT / "ingest/query/dashboard/src/outcomeWords.ts").read_text()
    body = source.partition(f"export const {table}:")[2].partition("\n};")[0]
    assert sorted(re.findall(r'^  "?([\w:]+)"?: \{', body, re.MULTILINE)) == sorted(words)


def test_the_page_has_the_table_of_errors():
    for kind, answered in TABLE.items():
        retry = {True: "yes", False: "halved" if answered.status == 413 else "no"}[answered.retry]
        assert f"| {answered.status} | {kind.__name__} | {answered.rpc_code} | {retry} |" in EDGE
    assert f"| {UNFORESEEN.status} | anything else | {UNFORESEEN.rpc_code} |" in EDGE


@pytest.mark.parametrize("package", ["edge", "decode", "journal"])
def test_every_reason_of_a_refusal_is_documented(package: str):
    errors = EDGE.partition("## Errors")[2].partition("## Metrics")[0]
    reasons = {
        reason for file in (ROOT / "ingest" / package).rglob("*.py") for reason in REFUSAL.findall(file.read_text())
    }
    assert reasons
    assert {reason for reason in reasons if f"`{reason}`" not in errors} == set()
