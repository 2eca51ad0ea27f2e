"""The policy file of an app: sampling and traces beside what `privacy.policy_file` reads."""

import re
from pathlib import Path

import pytest

from ingest.app_file import SECTIONS, alert_rules, parse
from ingest.ports.alert_rules import Errors
from ingest.settings import AppSampling, AppTraces, Settings
from privacy.policy_file import PolicyError
from privacy.policy_file import parse as parse_rules

ROOT = Path(__file__).parent.parent
WHOLE = """
[figures]
least_sessions = 9

[sampling]
budget_per_minute = 5000
floor_per_minute = 2

[traces]
gateway = true
partners = ["https://partner.example", "http://localhost:8080"]
"""


def test_every_section_is_read():
    file = parse(WHOLE)
    assert file.rules.least_sessions == 9
    assert file.sampling == AppSampling(budget_per_minute=5000, floor_per_minute=2)
    assert file.traces == AppTraces(gateway=True, partners=("https://partner.example", "http://localhost:8080"))


@pytest.mark.parametrize("text", ["", "[sampling]\n[traces]\n", "[keys]\nallow = []\n"])
def test_what_is_not_said_is_as_built_in(text: str):
    file = parse(text)
    assert (file.sampling, file.traces) == (AppSampling(), AppTraces())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[smapling]\nbudget_per_minute = 100", ("smapling", "did you mean sampling")),
        ("[zzz]", ("zzz", "sampling", "traces", "figures")),
        ("sampling = 1", ("sampling is a section", "[sampling]")),
        ("[[traces]]", ("traces is a section", "[traces]")),
        ("[sampling]\nbudget = 100", ("sampling.budget", "did you mean budget_per_minute")),
        ("[sampling]\nbudget_per_minute = 59", ("sampling.budget_per_minute", "60 to 100000000")),
        ("[sampling]\nbudget_per_minute = 100000001", ("sampling.budget_per_minute", "100000000")),
        ("[sampling]\nbudget_per_minute = 100.5", ("sampling.budget_per_minute", "whole number")),
        ('[sampling]\nsend = "no"', ("sampling.send", "true or false")),
        ("[sampling]\nfloor_per_minute = true", ("sampling.floor_per_minute", "0 to 10000")),
        ("[sampling]\nfloor_per_minute = -1", ("sampling.floor_per_minute", "0 to 10000")),
        ("[traces]\ngateway = 1", ("traces.gateway", "true or false")),
        ("[traces]\npartners = 'https://a.example'", ("traces.partners", "list of web origins")),
        ("[traces]\npartners = [1]", ("traces.partners", "list of web origins")),
        ("[traces]\npartners = ['partner.example']", ('"partner.example"', "scheme, host and port")),
        ("[traces]\npartners = ['https://a.example/']", ('"https://a.example/"', "https://shop.example")),
        ("[traces]\npartners = ['https://A.example']", ('"https://A.example"', "no web origin")),
        ("[traces]\npartners = ['https://*.example']", ('"https://*.example"', "no web origin")),
        ("[traces]\npartners = ['null']", ('"null"', "no web origin")),
        (f"[traces]\npartners = {[f'https://a{n}.example' for n in range(101)]}", ("traces.partners", "100")),
        ("[figures]\nleast_sessions = 0", ("figures.least_sessions", "96")),
        ("[sampling", ("not TOML",)),
        ("[alerts]\nname = 'x'", ("alerts", "[[alerts]]")),
        ("[[alerts]]\nname = 'x'", ("rule 1", "when")),
        ("[[alerts]]\nname = 'x'\nwhen = { kind = 'errors', above = 2.0 }", ("rule 1", "above", "< 1")),
        ("[[alerts]]\nname = 'x'\nwhen = { kind = 'errors', above = 0.1 }\n" * 2, ("two rules of one name",)),
    ],
)
def test_a_mistake_is_named_with_its_remedy(text: str, words: tuple[str, ...]):
    with pytest.raises(PolicyError) as refused:
        parse(text)
    for word in words:
        assert word in str(refused.value)


def test_the_part_about_privacy_alone_knows_no_other_sections():
    with pytest.raises(PolicyError, match="sampling is not a key"):
        parse_rules("[sampling]")


def test_the_first_policy_shows_the_defaults_of_both_sections():
    first = (ROOT / "ingest/compose/first_policy.toml").read_text()
    opened = parse(re.sub(r"^# (\[|\w+ = )", r"\1", first, flags=re.MULTILINE))
    usual = Settings.from_env({})["FIRSTHOP_SPANS_PER_MINUTE"]
    assert opened.sampling == AppSampling(budget_per_minute=usual)
    assert opened.traces == AppTraces()


def test_alert_rules_stand_beside_the_sections():
    text = "[[alerts]]\nname = 'x'\nwhen = { kind = 'errors', above = 0.1 }\nfor = '10m'\n[sampling]\nsend = false"
    assert not parse(text).sampling.send
    (rule,) = alert_rules(text)
    assert (rule.name, rule.when, rule.for_us) == ("x", Errors(above=0.1), 600_000_000)


KEYS = {"sampling": ("budget_per_minute", "floor_per_minute", "send"), "traces": ("gateway", "partners")}


def test_the_page_lists_every_key():
    page = (ROOT / "ingest/apps.md").read_text()
    for section, reader in SECTIONS.items():
        for key in KEYS[section]:
            assert f"| `{section}.{key}` |" in page
        assert reader({}) in ({}, {"partners": ()})
