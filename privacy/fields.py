"""What is known of a text from its kind and key alone, before anything is searched for."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from privacy import keys, marks, sql, urls


class Treatment(NamedTuple):
    """How texts of one kind and key are scrubbed."""

    prepare: Callable[[str], str]
    """Replaces what the field's structure condemns."""
    skipped: frozenset[str]
    """Rules that would mistake this field."""


_URL_WORDS = frozenset(
    {"url", "uri", "href", "referrer", "referer", "origin", "target", "link", "location", "endpoint"}
)
_URL_HEADERS = frozenset({"referer", "location", "origin", "content-location", "link", "refresh"})
_PAGE_WORDS = frozenset({"route", "screen", "view", "page"})
_HARMLESS = re.compile(r"(?i)(?:true|false|null|none|undefined|yes|no|on|off|\?[01]|)\Z")

_NOTHING: frozenset[str] = frozenset()
_ADDRESSES = frozenset({"ipv4", "dashed_ip"})
_PATHS = frozenset({"user_path", "assignment"})
_URLS = _PATHS | {"parameter"}  # taken apart by `strip_url`, parameter by parameter
_STATEMENT = frozenset({"assignment", "labelled_id", "opaque"})


@lru_cache(maxsize=4096)
def treatment(kind: str, key: str) -> Treatment:
    """The treatment of a kind and key; an unknown kind is treated as a message."""
    if kind in {"url", "path"}:
        return Treatment(urls.strip_url, _URLS)
    if kind == "user_agent" or (kind in {"header", "attribute"} and keys.names_user_agent(key)):
        return Treatment(_whole(marks.USER_AGENT), _NOTHING)
    if kind == "sql":
        return Treatment(sql.strip_literals, _STATEMENT)
    if kind == "header":
        return _header(key)
    if kind == "attribute":
        return _attribute(key)
    return Treatment(urls.strip_embedded, _NOTHING)


def _header(key: str) -> Treatment:
    mark = keys.mark_of(key)
    if mark is not None:
        return Treatment(_whole(mark), _NOTHING)
    return Treatment(urls.strip_url if key.lower() in _URL_HEADERS else urls.strip_embedded, _NOTHING)


def _attribute(key: str) -> Treatment:
    words = keys.words(key)
    mark = keys.mark_of(key)
    if mark is not None:
        return Treatment(_whole(mark), _NOTHING)
    if words[-2:] in {("url", "query"), ("http", "query"), ("query", "string")}:
        return Treatment(urls.strip_query, _PATHS)
    if words[-1:] == ("sql",) or words[-2:] == ("db", "statement") or words[-3:] == ("db", "query", "text"):
        return Treatment(sql.strip_literals, _STATEMENT)
    if not _URL_WORDS.isdisjoint(words):
        return Treatment(_url, _PATHS)
    if not _PAGE_WORDS.isdisjoint(words):
        return Treatment(_value, _PATHS)
    return Treatment(_value, _ADDRESSES if keys.names_version(key) else _NOTHING)


@lru_cache(maxsize=len(marks.MARKS))
def _whole(mark: str) -> Callable[[str], str]:
    def replace(text: str) -> str:
        return text if text in marks.MARKS or _HARMLESS.match(text) else mark

    return replace


def _url(text: str) -> str:
    return urls.strip_embedded(text) if " " in text else urls.strip_url(text)


def _value(text: str) -> str:
    return urls.strip_url(text) if text[0] == "/" and " " not in text else urls.strip_embedded(text)
