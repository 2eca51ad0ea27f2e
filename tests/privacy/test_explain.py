"""Developers can see which rule did what."""

from privacy import scrub
from privacy.explain import explain
from privacy.policy import DROP


def test_every_replacement_is_told_with_its_rule_and_place() -> None:
    text = "mail jane@example.com from 203.0.113.9"
    steps = explain("message", "", text)
    assert [(step.rule, step.original, step.replacement) for step in steps] == [
        ("email", "jane@example.com", "{email}"),
        ("ipv4", "203.0.113.9", "{ip}"),
    ]
    assert all(text[step.start : step.end] == step.original for step in steps)


def test_what_an_encoding_hid_is_told_decoded_with_its_depth() -> None:
    (step,) = explain("message", "", "mail jane%2540example.com")
    assert (step.rule, step.original, step.depth) == ("email", "jane@example.com", 2)


def test_structure_is_told_by_the_step_that_condemned_it() -> None:
    (step,) = explain("url", "", "/a?password=hunter2")
    assert (step.rule, step.original, step.replacement) == ("url", "hunter2", "{password}")


def test_a_text_in_which_nothing_is_found_has_no_steps() -> None:
    assert explain("message", "", "GET /checkout") == []


def test_what_a_policy_puts_in_place_is_what_is_told() -> None:
    def secretive(mark: str, original: str) -> str:
        return DROP if mark == "{email}" else mark

    (step,) = explain("message", "", "mail jane@example.com", replace=secretive)
    assert step.replacement == DROP
    assert scrub("message", "", "mail jane%40example.com", replace=secretive) == ""
