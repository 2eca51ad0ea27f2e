"""Policies as TOML: what can be said, and that anything else is an error that helps."""

import contextlib
import re
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from ingest import app_file
from privacy import BUILT_IN, Policy, marks
from privacy.policy import Action, Consent, Extent, Names, Pattern
from privacy.policy_file import MOST_BYTES, SECTIONS, PolicyError, parse

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "privacy/policies.md").read_text()
FIRST = (ROOT / "ingest/compose/first_policy.toml").read_text()

EVERYTHING = """
[keys]
allow = ["order.session"]
deny = ["X-Internal-*", "note"]
[attributes]
listed = ["http.*", "cart.size"]
[actions]
email = "hash"
card = "drop"
user = "mark"
order_number = "hash"
[[patterns]]
name = "order_number"
pattern = 'ORD-[0-9]{6}'
[[patterns]]
name = "team"
pattern = '(?i)team é+'
[addresses]
keep_network = true
[consent]
granted = "counters"
missing = "nothing"
pending = "everything"
denied = "nothing"
gpc = "everything"
dnt = "nothing"
[figures]
least_sessions = 12
"""
SETTABLE = re.findall(r"^(?:\[+(\w+)\]+|(\w+) =)", EVERYTHING, re.MULTILINE)


def said(policy: Policy) -> tuple[object, ...]:
    listed = None if policy.listed is None else policy.listed.all
    lists = (policy.allow_keys.all, policy.deny_keys.all, listed, [pattern.name for pattern in policy.patterns])
    return (*lists, dict(policy.actions), policy.keep_network, policy.consent, policy.least_sessions)


def test_everything_that_can_be_said_is_taken():
    assert said(parse(EVERYTHING)) == (
        ("order.session",),
        ("x-internal-*", "note"),
        ("http.*", "cart.size"),
        ["order_number", "team"],
        {
            marks.EMAIL: Action.HASH,
            marks.CARD: Action.DROP,
            marks.USER: Action.MARK,
            "{order_number}": Action.HASH,
        },
        True,
        Consent(
            Extent.COUNTERS,
            Extent.NOTHING,
            Extent.EVERYTHING,
            Extent.NOTHING,
            gpc=Extent.EVERYTHING,
            dnt=Extent.NOTHING,
        ),
        12,
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "[keys]\n[attributes]\n[actions]\n[consent]\n[figures]\n"])
def test_what_is_not_said_is_as_in_the_built_in_policy(text: str):
    assert said(parse(text)) == said(BUILT_IN)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[key]\nallow = []", ("key", "did you mean keys")),
        ("[keys]\nalow = []", ("keys.alow", "did you mean allow")),
        ("[consent]\nzzz = 'nothing'", ("consent.zzz", "gpc")),
        ("[actions]\nemial = 'hash'", ("actions.emial", "did you mean email")),
        ("[actions]\nemail = 'remove'", ("actions.email", "mark, hash, drop")),
        ("[actions]\nemail = 1", ("actions.email", "mark, hash, drop")),
        ("[actions]\norder_number = 'hash'", ("actions.order_number", "is not a key")),
        ("keys = 1", ("keys is a section", "[keys]")),
        ("[keys]\nallow = 'a'", ("keys.allow", "list of names")),
        ("[keys]\nallow = ['a', 1]", ("keys.allow", "list of names")),
        ("[keys]\nallow = ['']", ("keys.allow", "empty or longer than 200")),
        (f"[keys]\ndeny = ['{'x' * 201}']", ("keys.deny", "200")),
        ("[keys]\nallow = ['A']\ndeny = ['a']", ("keys.allow", "keys.deny", '"a"')),
        (f"[attributes]\nlisted = {[f'k{n}' for n in range(1001)]}", ("attributes.listed", "1000")),
        (f"[attributes]\nlisted = {[f'k{n}*' for n in range(101)]}", ("attributes.listed", "100 names with *")),
        ("patterns = 1", ("patterns", "[[patterns]]")),
        ("[[patterns]]\npattern = 'a'", ("pattern 1", "name")),
        ("[[patterns]]\nname = 'Order'\npattern = 'a'", ("pattern 1", "lower-case")),
        ("[[patterns]]\nname = 'email'\npattern = 'a'", ("pattern 1", "always looked for")),
        ("[[patterns]]\nname = 'order'", ('pattern "order"', "1 to 1000")),
        (f"[[patterns]]\nname = 'order'\npattern = '{'x' * 1001}'", ('pattern "order"', "1 to 1000")),
        ("[[patterns]]\nname = 'order'\npattern = '(a'", ('pattern "order"', "RE2")),
        ("[[patterns]]\nname = 'order'\npattern = '(?=a)b'", ('pattern "order"', "look-around")),
        ("[[patterns]]\nname = 'order'\npattern = '((a{100}){100}){100}'", ('pattern "order"', "RE2")),
        ("[[patterns]]\nname = 'order'\npattern = '\\Qa'", ('pattern "order"', "one by one")),
        ("[[patterns]]\nname = 'order'\npattern = 'a*'", ('pattern "order"', "empty")),
        ("[[patterns]]\nname = 'order'\npattern = '\\b'", ('pattern "order"', "empty")),
        ("[[patterns]]\nname = 'a'\npattern = 'x'\n" * 2, ("two patterns", '"a"')),
        ("[[patterns]]\nname = 'a'\npattern = 'x'\nflags = 1", ("pattern 1.flags",)),
        ("patterns = [" + "{name = 'a', pattern = 'x'}," * 51 + "]", ("50 patterns",)),
        ("[addresses]\nkeep_network = 1", ("addresses.keep_network", "true or false")),
        ("[consent]\ndenied = 'everything'", ("consent.denied", "counters")),
        ("[consent]\ngpc = 'all'", ("consent.gpc", "everything, counters, nothing")),
        ("[figures]\nleast_sessions = 0", ("figures.least_sessions", "1 (show all) to 96")),
        ("[figures]\nleast_sessions = 97", ("figures.least_sessions", "96")),
        ("[figures]\nleast_sessions = true", ("figures.least_sessions", "whole number")),
        ("[figures]\nleast_sessions = 2.0", ("figures.least_sessions", "whole number")),
        ("[keys", ("not TOML",)),
        ("[keys]\nallow = []\nallow = []", ("not TOML",)),
        ("a\0", ("not TOML",)),
        ("x = " + "[" * 30_000, ("nested too deep",)),
        ("# \ud800", ("Unicode",)),
        ("#" * (MOST_BYTES + 1), (str(MOST_BYTES),)),
    ],
)
def test_what_cannot_be_said_is_an_error_that_names_the_key_and_the_remedy(text: str, words: tuple[str, ...]):
    with pytest.raises(PolicyError) as error:
        parse(text)
    for word in words:
        assert word in str(error.value)


@given(st.text(max_size=200))
def test_any_other_text_is_a_policy_or_an_error_of_ours(text: str):
    with contextlib.suppress(PolicyError):
        assert isinstance(parse(text), Policy)


def test_the_largest_policy_that_is_allowed_is_read():
    names = [f"key.{n:06}" for n in range(999)] + ["other.*"]
    patterns = "".join(f"[[patterns]]\nname = '{'a' * (n + 1)}'\npattern = 'x{n}'\n" for n in range(32))
    policy = parse(f"[attributes]\nlisted = {names}\n{patterns}")
    assert policy.lists("key.000998")
    assert policy.lists("OTHER.thing")
    assert not policy.lists("key.000999")
    assert len(policy.patterns) == 32


def test_names_match_whole_keys_in_any_case_and_stars_stand_for_anything():
    names = Names(["http.*", "*.id", "a*b*c", "Plain"])
    assert all(key in names for key in ("http.", "HTTP.Request", "user.id", "abc", "a-b-c", "plain", "http.\n\0\ud800"))
    assert not any(key in names for key in ("xhttp.a", "user.ids", "ab", "plain2", "", "a.c"))


@pytest.mark.parametrize("name", ["a.b", "a[0]", "a?c", "(", "a+", "é", "\\d", "^$"])
def test_nothing_but_a_star_is_special_in_a_name(name: str):
    assert name in Names([name])
    assert name in Names([name + "*"])
    assert name + "zz" in Names([name + "*"])
    assert "abc" not in Names([name])
    assert "0" not in Names([name + "*"])


def test_names_full_of_stars_cost_no_more_than_their_length():
    hostile = Names(["*a" * 99 + "*b"])
    assert "a" * 20_000 not in hostile


@pytest.mark.parametrize("text", ["ORD-17", "ord-17", "abc", "xabcx", "x", "", "é", "\ud800ORD-1", "a\nb", "AB\0C"])
def test_one_search_tells_whether_any_pattern_may_match(text: str):
    named = ["ORD-[0-9]+", "^abc$", "(?i)ab.c", "(?P<n>é)", "(?P<m>x)y|(x)z", "[^a]b$", "(?m)^b"]
    patterns = "".join(f"[[patterns]]\nname = '{'p' * n}'\npattern = '{one}'\n" for n, one in enumerate(named, 1))
    policy, line = parse(patterns), text.encode("utf-8", "surrogatepass")
    each = any(pattern.expression.search(line) for pattern in policy.patterns)
    assert policy.may_find(line) == each
    assert not parse("").may_find(line)
    assert parse(f"[[patterns]]\nname = 'a'\npattern = '{named[0]}'").may_find(line) == ("ORD-" in text)


def test_patterns_that_cannot_be_joined_are_searched_for_one_by_one():
    quoting = Policy(patterns=(Pattern("a", re2.compile(rb"\Qab")),))
    assert quoting.may_find(b"xyz")


def test_two_policies_are_never_taken_for_each_other():
    first, second = parse(""), parse("")
    assert len({first, second}) == 2
    assert first.without_list is first.without_list


def test_the_page_explains_every_key():
    documented = re.findall(r"^\| `([\w.]+)`", PAGE, re.MULTILINE)
    section = ""
    for table, key in SETTABLE:
        section = table or section
        if key and section != "actions":
            assert f"{section}.{key}" in documented
    assert {name.partition(".")[0] for name in documented if "." in name} == set(SECTIONS) - {"actions"}


def test_the_page_explains_every_class():
    section = PAGE.partition("## Actions")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == {mark[1:-1] for mark in marks.MARKS}


def test_what_the_page_shows_can_be_said():
    shown = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown
    for text in shown:
        parse(text)


def test_the_first_policy_shows_everything_and_says_no_more_than_it_shows():
    assert app_file.parse(FIRST).rules.least_sessions == 1
    opened = re.sub(r"^# (\[|\w+ = )", r"\1", FIRST, flags=re.MULTILINE)
    assert app_file.parse(opened).rules.consent == BUILT_IN.consent
    for _, key in SETTABLE:
        if key and key not in {"card", "order_number"}:
            assert re.search(rf"^{key} = ", opened, re.MULTILINE), key
