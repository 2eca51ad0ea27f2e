"""Kind, key and policy decide how a text is read."""

import pytest

from privacy.fields import RULES, treatment
from privacy.policy import DROP, Names, Policy

POLICY = Policy(deny_keys=Names(["shop.secret*", "note"]), allow_keys=Names(["screen.token", "user"]), listed=None)


@pytest.mark.parametrize(
    ("kind", "key", "text", "prepared"),
    [
        ("attribute", "shop.secret_plan", "anything", "{denied}"),
        ("header", "Note", "anything", "{denied}"),
        ("attribute", "other", '{"note":"anything","n":1}', '{"note":"{denied}","n":1}'),
        ("url", "", "/a?note=anything&n=1", "/a?note={denied}&n=1"),
        ("attribute", "screen.token", "abc", "abc"),
        ("attribute", "user", "jane", "jane"),
        ("url", "", "/a?user=jane&token=abc", "/a?user=jane&token={token}"),
        ("attribute", "auth.token", "abc", "{token}"),
        ("attribute", "shop.secret_plan", "{denied}", "{denied}"),
    ],
)
def test_a_policy_denies_and_allows_names_wherever_they_stand(kind: str, key: str, text: str, prepared: str) -> None:
    assert treatment(kind, key, POLICY).prepare(text) == prepared


def test_an_attribute_that_is_not_listed_is_dropped_and_a_header_is_not() -> None:
    policy = Policy(listed=Names(["app.*"]))
    assert treatment("attribute", "cart.size", policy).prepare("3") == DROP
    assert treatment("attribute", "app.version", policy).prepare("3") == "3"
    assert treatment("header", "ETag", policy).prepare("3") == "3"
    assert treatment("message", "", policy).prepare("3") == "3"


def test_every_mark_is_asked_for_with_what_stood_there() -> None:
    asked: list[tuple[str, str]] = []

    def replace(mark: str, original: str) -> str:
        asked.append((mark, original))
        return mark

    for kind, key, text in (
        ("attribute", "user.email", "jane"),
        ("header", "Cookie", "sid=31d4"),
        ("message", "", '{"password":"hunter2"}'),
        ("sql", "", "SELECT 'x', 12"),
        ("url", "", "/a?token=abc"),
        ("attribute", "user_agent.original", "okhttp/4"),
    ):
        treatment(kind, key).prepare(text, replace)
    assert asked == [
        ("{email}", "jane"),
        ("{cookie}", "31d4"),
        ("{password}", "hunter2"),
        ("{value}", "x"),
        ("{value}", "12"),
        ("{token}", "abc"),
        ("{user_agent}", "okhttp/4"),
    ]


@pytest.mark.parametrize("kind", ["url", "path", "attribute", "header", "message", "sql", "user_agent", "no such kind"])
def test_the_steps_bear_names_of_the_closed_set(kind: str) -> None:
    assert {step.rule for step in treatment(kind, "x").steps} <= set(RULES)


def test_what_is_no_url_is_read_as_a_message_whatever_its_kind() -> None:
    assert treatment("url", "").prepare('{"password":"hunter2"}') == '{"password":"{password}"}'
    assert "assignment" in treatment("path", "").skips("/home/deals;a=b")
    assert not treatment("path", "").skips("password=hunter2 rejected")


@pytest.mark.parametrize(
    ("text", "prepared"),
    [
        ("Mozilla/5.0 (Linux; Android 14; Pixel 8) Chrome/126.0.0.0 Mobile", None),
        ("Acme/5.1 (iPhone; deviceId/2F1D5C1A-9C1B-4D2E-8F3A-7B6C5D4E3F2A)", "Acme/5.1 (iPhone; deviceId/{device})"),
        ("App/1.2 device/9774d56d682e549c SN:RHVR90RC3QB5", "App/1.2 device/{device} SN:{device}"),
        ("Bot/2 (+https://x.example/?email=x)", "Bot/2 (+https://x.example/?email={email})"),
    ],
)
def test_a_user_agent_of_its_own_keeps_its_products_and_loses_what_names_one_device(
    text: str, prepared: str | None
) -> None:
    assert treatment("user_agent", "").prepare(text) == (prepared or text)
