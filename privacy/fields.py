"""What is known of a text from its kind and key alone, before anything is searched for."""

import re
from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple

from privacy import commands, headers, keys, marks, objects, shapes, sql, urls
from privacy.keys import Judge
from privacy.policy import BUILT_IN, DROP, Policy, Replace, mark_only

Apply = Callable[[str, Replace], str]
"""(text, replace) → the text without what its structure condemns; every mark comes from `replace`."""


class Step(NamedTuple):
    """One thing done to a text because of its structure."""

    rule: str
    """Under which name its finds are counted: one of `RULES`."""
    apply: Apply


RULES = ("key", "header", "url", "sql", "member", "user_agent", "unlisted")
"""Names of the steps."""


class Treatment(NamedTuple):
    """How texts of one kind and key are scrubbed."""

    steps: tuple[Step, ...]
    """In this order."""
    skipped: frozenset[str] = frozenset()
    """Rules that would mistake this field."""
    expects: Callable[[str], bool] | None = None
    """What texts of this field should be; of a text that is not, no rule is left out."""

    def prepare(self, text: str, replace: Replace = mark_only) -> str:
        """The text after all steps."""
        for step in self.steps:
            text = step.apply(text, replace)
        return text

    def skips(self, text: str) -> frozenset[str]:
        """The rules to leave out for this text."""
        return _NOTHING if self.expects is not None and not self.expects(text) else self.skipped


_URL_WORDS = frozenset(
    {"url", "uri", "href", "referrer", "referer", "origin", "target", "link", "location", "endpoint"}
)
_PAGE_WORDS = frozenset({"route", "screen", "view", "page"})
_URL = re.compile(r"(?![{\[])[^\s\"<>]*+\Z")
_VERSION = re.compile(r"[A-Za-z]{0,16}[ /]?v?[0-9][\w.+\-]*+(?: \([\w.]{1,24}\))?\Z")
_DEVICE_WORDS = frozenset({"device", "id", "uid", "uuid", "install", "installation"})
_PRODUCT = re.compile(r"(?<![\w.\-])([A-Za-z_][\w.\-]*+)([/:=])([^\s;,()/{}]++)")
_REMARK = re.compile(r"(?<=[(;])(?! )[^();]+|(?<=[(;] )[^();]+")
_UUID = re.compile(r"(?i)(?<![0-9a-z])[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?![0-9a-z])")

_NOTHING: frozenset[str] = frozenset()
_ADDRESSES = frozenset({"ipv4", "dashed_ip"})
_URLS = frozenset({"parameter", "assignment", "element", "argument", "cookie"})
"""What `urls.strip_url` judges itself, parameter by parameter."""
_USER_AGENTS = frozenset({"user_agent"})
_STATEMENT = frozenset({"assignment", "label"})


@lru_cache(maxsize=8192)
def treatment(kind: str, key: str, policy: Policy = BUILT_IN) -> Treatment:
    """The treatment of a kind and key under a policy; an unknown kind is treated as a message."""
    if kind == "attribute" and not policy.lists(key):
        return Treatment((Step("unlisted", _drop),))
    if key and policy.denies(key):
        return Treatment((Step("key", _denied),))
    judge = _judge(policy)
    if kind in {"header", "attribute"}:
        telling = "" if policy.allows(key) else key
        return _of_header(telling, judge) if kind == "header" else _of_attribute(telling, judge)
    if kind in {"url", "path"}:
        return _of_url(judge)
    if kind == "user_agent":
        return Treatment((Step("user_agent", partial(_reduced, judge)), *_message(judge)), _USER_AGENTS)
    return _of_statement(judge) if kind == "sql" else Treatment(_message(judge))


@lru_cache(maxsize=256)
def _judge(policy: Policy) -> Judge:
    if not policy.allow_keys.all and not policy.deny_keys.all:
        return keys.judge

    def judge(name: str, value: str) -> str | None:
        if policy.denies(name):
            return None if shapes.is_plain(value) else marks.DENIED
        return None if policy.allows(name) else keys.judge(name, value)

    return judge


def _message(judge: Judge) -> tuple[Step, ...]:
    return (
        Step("sql", sql.strip_embedded),
        Step("member", partial(objects.strip_members, judge=judge)),
        Step("url", partial(urls.strip_embedded, judge=judge)),
    )


def _of_url(judge: Judge) -> Treatment:
    message = Treatment(_message(judge)).prepare

    def apply(text: str, replace: Replace) -> str:
        plain = urls.PLAIN.match(text)
        if plain is not None and plain.end() == len(text) and " " not in text:
            return text
        return urls.strip_url(text, replace, judge) if _is_url(text) else message(text, replace)

    return Treatment((Step("url", apply),), _URLS, _is_url)


def _of_statement(judge: Judge) -> Treatment:
    message = Treatment(_message(judge)).prepare

    def apply(text: str, replace: Replace) -> str:
        if commands.is_command(text):
            return commands.strip_command(text, replace)
        return sql.strip_literals(text, replace) if sql.is_statement(text) else message(text, replace)

    return Treatment((Step("sql", apply),), _STATEMENT, _is_statement)


def _is_statement(text: str) -> bool:
    return sql.is_statement(text) or commands.is_command(text)


def _of_header(key: str, judge: Judge) -> Treatment:
    if keys.names_user_agent(key):
        return Treatment((Step("user_agent", _user_agent),))
    steps = (Step("header", partial(headers.strip_header, key)), *_message(judge))
    if headers.holds_url(key):
        return Treatment((steps[0], *_of_url(judge).steps), _URLS, _is_url)
    return Treatment(steps, headers.skipped(key))


def _of_attribute(key: str, judge: Judge) -> Treatment:
    words = keys.words(key)
    name = headers.name_in_attribute(words)
    if name is not None:
        header = _of_header(name, judge)
        return header._replace(steps=(Step("header", partial(_listed, header.steps[0].apply)), *header.steps[1:]))
    if keys.names_user_agent(key):
        return Treatment((Step("user_agent", _user_agent),))
    own = (Step("key", partial(_judged, key, judge)),) if keys.may_tell(key) or judge is not keys.judge else ()
    if words[-2:] in {("url", "query"), ("http", "query"), ("query", "string")}:
        return Treatment((*own, Step("url", partial(urls.strip_query, judge=judge))))
    if words[-1:] in {("sql",), ("statement",)} or words[-3:] == ("db", "query", "text"):
        return _of_statement(judge)
    if not _URL_WORDS.isdisjoint(words) or not _PAGE_WORDS.isdisjoint(words):
        return Treatment((*own, *_of_url(judge).steps))
    value = Treatment((*own, *_value(judge)))
    return value._replace(skipped=_ADDRESSES, expects=_is_version) if keys.names_version(key) else value


def _value(judge: Judge) -> tuple[Step, ...]:
    sql_step, member, embedded = _message(judge)

    def apply(text: str, replace: Replace) -> str:
        if text[:1] == "/" and _is_url(text):
            return urls.strip_url(text, replace, judge)
        return embedded.apply(text, replace)

    return sql_step, member, Step("url", apply)


def _is_version(text: str) -> bool:
    return _VERSION.match(text) is not None


def _is_url(text: str) -> bool:
    return _URL.match(text) is not None


def _judged(key: str, judge: Judge, text: str, replace: Replace) -> str:
    mark = judge(key, text)
    return text if mark is None else replace(mark, text)


def _listed(apply: Apply, text: str, replace: Replace) -> str:
    """An attribute may hold the values of a header as a list of strings."""
    if text[:2] == '["' and text[-2:] == '"]':
        return f'["{apply(text[2:-2], replace)}"]'
    return apply(text, replace)


def _denied(text: str, replace: Replace) -> str:
    return text if marks.is_mark(text) else replace(marks.DENIED, text)


def _user_agent(text: str, replace: Replace) -> str:
    return text if shapes.is_plain(text) else replace(marks.USER_AGENT, text)


def _reduced(judge: Judge, text: str, replace: Replace) -> str:
    """A User-Agent that is a value of its own keeps its products, versions and system, not what names one device."""

    def product(found: re.Match[str]) -> str:
        mark = judge(found.group(1), found.group(3))
        if mark is None and shapes.drawn(found.group(3)) and not _DEVICE_WORDS.isdisjoint(keys.words(found.group(1))):
            mark = marks.DEVICE
        return found.group() if mark is None else f"{found.group(1)}{found.group(2)}{replace(mark, found.group(3))}"

    def remark(found: re.Match[str]) -> str:
        return replace(marks.DEVICE, found.group()) if shapes.owned_device(found.group()) else found.group()

    text = _REMARK.sub(remark, _PRODUCT.sub(product, text))
    return _UUID.sub(lambda found: replace(marks.DEVICE, found.group()), text) if "-" in text else text


def _drop(text: str, replace: Replace) -> str:
    del text, replace
    return DROP
