"""Exact tests on elements of XML, fields of forms and options of command lines (see `privacy.verdicts`)."""

import re

from privacy import keys, marks, shapes
from privacy.verdicts import Verdict, before
from privacy.verdicts_named import DIGIT_OR_AT, HARMLESS, left_alone

_ELEMENT = re.compile(rb"<([A-Za-z][\w.:\-]*)[^<>\x00]*>([^<>\x00]+)</")


def element(text: bytes, start: int, end: int) -> Verdict:
    """The text of an XML element whose name tells."""
    parts = _ELEMENT.match(text, start, end)
    if parts is None:
        return None
    name = parts.group(1).rpartition(b":")[2].decode("latin-1")[-keys.LONGEST_KEY :]
    value = parts.group(2).decode("utf-8", "replace").strip()
    mark = keys.judge(name, value)
    if mark is None or marks.is_mark(value) or HARMLESS.match(parts.group(2).strip()):
        return None
    return parts.start(2), parts.end(2), mark


_FIELD_NAME = re.compile(rb"(?i)\s(?:name|key|id|property)\s*=\s*[\"']([^\"'<>\x00]+)[\"']")
_FIELD_VALUE = re.compile(rb"(?i)\s(?:value|content)\s*=\s*[\"']([^\"'<>\x00]+)[\"']")


def form_field(text: bytes, start: int, end: int) -> Verdict:
    """The value of a form's field or a setting in XML: `<input name="password" value="…">`."""
    name, value = _FIELD_NAME.search(text, start, end), _FIELD_VALUE.search(text, start, end)
    if name is None or value is None:
        return None
    said = value.group(1).decode("utf-8", "replace")
    mark = keys.judge(name.group(1).decode("utf-8", "replace"), said)
    return None if mark is None or marks.is_mark(said) else (value.start(1), value.end(1), mark)


_ARGUMENT = re.compile(rb"[\x00\s\"'\[,]?--?([A-Za-z][\w\-]*)([\"'],\s{0,2}[\"']|[= ]{1,3})([\"']?)([^\s\x00\"']+)")


def argument(text: bytes, start: int, end: int) -> Verdict:
    """What follows an option of a command line whose name tells: `--password hunter2`."""
    parts = _ARGUMENT.match(text, start, end)
    if parts is None:
        return None
    name, found = parts.group(1).decode("latin-1")[-keys.LONGEST_KEY :], parts.group(4)
    value = found.decode("utf-8", "replace").rstrip(",;)]")
    mark = keys.judge(name, value)
    if mark is None or found[:1] == b"-" or not _looks_argued(parts.group(2), value, name):
        return None
    if left_alone(text, parts.start(4), found, bare=True, in_object=False):
        return None
    return parts.start(4), parts.start(4) + len(value.encode("utf-8", "surrogatepass")), mark


def _looks_argued(gap: bytes, value: str, name: str) -> bool:
    """Whether the word behind an option belongs to it, and not to the sentence."""
    return b"=" in gap or b"," in gap or keys.is_strong(name) or DIGIT_OR_AT.search(value) is not None


_SHORT = re.compile(rb"[\x00\s\"'\[,]?-([apPu])\s{0,3}([^\s\x00]+)")
_COMMAND = re.compile(
    r"(?i)(?:mysql|mysqldump|mariadb|psql|sshpass|redis-cli|mongo|mongosh|curl|wget|docker|ldap\w*|smbclient|login)\b"
)
_SERVICE_ACCOUNTS = frozenset({"root", "admin", "postgres", "mysql", "app", "user", "www-data", "nobody", "default"})
LIKE_PASSWORD = re.compile(r"(?=.*[A-Za-z])(?=.*[0-9!@#$%^&*])[^/\\]{6,64}\Z")


def short_argument(text: bytes, start: int, end: int) -> Verdict:
    """`-pS3cret` of a database's client, `-u jane:pw` of curl; not `-p 8080`, `mkdir -p a/b`."""
    parts = _SHORT.match(text, start, end)
    if parts is None:
        return None
    value = parts.group(2).decode("utf-8", "replace").rstrip("\"',;)]")
    value_end = parts.start(2) + len(value.encode("utf-8", "surrogatepass"))
    if marks.is_mark(value):
        return None
    known = _COMMAND.search(before(text, start, 120)) is not None
    if parts.group(1) == b"u":
        if not known or "/" in value or value.isdigit() or value.lower() in _SERVICE_ACCOUNTS:
            return None
        return parts.start(2), value_end, marks.USERINFO if ":" in value else marks.USER
    drawn = LIKE_PASSWORD.match(value) is not None and ":" not in value
    return (parts.start(2), value_end, marks.PASSWORD) if drawn else None


_SET = re.compile(rb"([A-Za-z_]\w*)\(\s?(\\*)([\"'])([^\"'\x00]+)\Z")
_SETTERS = frozenset({"set", "with", "enter", "type", "fill", "change", "update", "put"})


def setter(text: bytes, start: int, end: int) -> Verdict:
    """What a call sets whose name tells: `form.setPassword("hunter2")`; not what one asks for by its name."""
    parts = _SET.match(text, start, end)
    if parts is None:
        return None
    name, value = parts.group(1).decode(), parts.group(4).rstrip(b"\\").decode("utf-8", "replace")
    mark = keys.judge(name, value)
    if mark is None or keys.words(name)[0] not in _SETTERS or _is_field(value) or marks.is_mark(value):
        return None
    return parts.start(4), parts.start(4) + len(parts.group(4).rstrip(b"\\")), mark


def _is_field(value: str) -> bool:
    """Whether a value is rather the name of a field: `["password", "email"]`."""
    return value.isalpha() and (keys.may_tell(value) or not shapes.persons(value) or len(value) < 5)


_PAIR = re.compile(rb"\[\s?\\*[\"']([A-Za-z][\w.\-]*)\\*[\"'],\s?\\*[\"']([^\"'\x00\\]+)\\*[\"']\s?\]")


def pair(text: bytes, start: int, end: int) -> Verdict:
    """The second of two strings in brackets, the first of which tells: `["password", "hunter2"]`, a form's entry."""
    parts = _PAIR.match(text, start, end)
    if parts is None:
        return None
    value = parts.group(2).decode("utf-8", "replace")
    mark = keys.judge(parts.group(1).decode(), value)
    if mark is None or _is_field(value) or marks.is_mark(value):
        return None  # ["password", "email"]: names of fields
    return parts.start(2), parts.end(2), mark


_HOLDS_QUOTE = re.compile(rb"(?:'([^'\x00]+(?:'[a-z][^'\x00 ]*)?)'|\"([^\"\x00]+)\")\Z")


def quoted_password(text: bytes, start: int, end: int) -> Verdict:
    """A password in quotes that holds the other quote: `password "don't-x9"`."""
    value = _HOLDS_QUOTE.search(text[start:end])
    if (
        value is None
        or value.group()[1:-1].count(b" ") > 1
        or marks.is_mark(value.group()[1:-1].decode("utf-8", "replace"))
    ):
        return None
    return start + value.start() + 1, end - 1, marks.PASSWORD
