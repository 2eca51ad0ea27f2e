"""Exact tests on values that follow a telling name; see `privacy.verdicts`."""

import re
from urllib.parse import unquote_plus

from privacy import keys, marks
from privacy.verdicts import Verdict, before, is_word_byte, is_wordlike
from privacy.vocabulary import words_of

_QUOTED = {quote: re.compile(rb"[^\x00" + quote + rb"]*") for quote in (b'"', b"'")}
_BARE = re.compile(rb"[^\x00\s,;&)}\]\"'<>|]+")
_LOOKED_AT = 256
"""Bytes of a value by which it is judged; all of it goes."""
_WIDE_STOPS = (b"\xe3\x80\x81", b"\xe3\x80\x82", b"\xef\xbc\x8c", b"\xef\xbc\x9b")
"""Full-width commas, stops and semicolons end an unquoted value as well."""
_SCHEME_WORD = re.compile(rb"(?i)(?:bearer|basic|digest|token|negotiate)\Z")
HARMLESS = re.compile(
    rb"(?i)(?:true|false|null|none|nil|undefined|yes|no|on|off|[?*.]+|\$[0-9]+|\$?:[a-z_]+|%[sd@]|\$?\{[^{}]*\}|"
    rb"\[?redacted\]?|\[filtered\]|\[hidden\])\Z"
)
_ASSIGNMENT = re.compile(
    rb"([A-Za-z_\x80-\xff][A-Za-z0-9_.\-\x80-\xff]*(?:\[[A-Za-z0-9_\-]*\])*)\]?((?:\\*[\"'])?)\s*(=>|->|:=|[:=])\s*"
)
_OPENER = re.compile(rb"(\\*)([\"'])")
_LIST = re.compile(rb"\[([^\[\]{}\x00]*)\]")
_WORDS_BEFORE = re.compile(r"[A-Za-z]+ (?:[A-Za-z]+ )?\Z")
_MARK_AHEAD = re.compile(rb"\{[a-z_]+(?::[0-9a-f]+)?\}")


def assignment(text: bytes, start: int, end: int) -> Verdict:
    """The value that follows a telling name and `=` or `:`, quoted or not."""
    parts = _ASSIGNMENT.match(text, start, end)
    if parts is None:
        return None
    name = parts.group(1)[-keys.LONGEST_KEY :].decode("utf-8", "replace")
    opener = _OPENER.match(text, parts.end())
    if (not keys.may_tell(name) and text[start - 1 : start] != b" ") or not _assigns(text, parts, opener):
        return None
    if opener is None and text[parts.end() : parts.end() + 1] == b"[" and keys.mark_of(name):
        return _list(text, parts.end(), name)
    return _assigned(text, parts, name, opener)


def _assigns(text: bytes, parts: re.Match[bytes], opener: re.Match[bytes] | None) -> bool:
    """Whether the sign is one: not half of `==`; not behind a name that a quote ends, as in `a[href^="mailto:"]`."""
    sign = parts.group(3)
    if sign in b":=" and text[parts.end(3) : parts.end(3) + 1] == sign:
        return False
    return opener is None or bool(parts.group(2)) or text[parts.start() - 1 : parts.start()] != opener.group(2)


def _assigned(text: bytes, parts: re.Match[bytes], name: str, opener: re.Match[bytes] | None) -> Verdict:
    bare, in_object = opener is None, bool(parts.group(2))
    start = opener.end() if opener else parts.end()
    end = _value_end(text, start, opener)
    found = text[start:end]
    in_prose = parts.group(3) == b":" and bare and not in_object
    mark = _judged(text, parts.start(), name, found, in_prose=in_prose, spaced=bare)
    if mark is None and bare:
        end, mark = _judged_with_more(text, name, start, end)
    if mark is None or left_alone(text, start, found, bare=bare, in_object=in_object):
        return None
    if bare and not in_object and _is_code(text, parts, start, end):
        return None
    return start, _extended(text, start, end, mark) if bare else end, mark


_FOREIGN = re.compile(r"([^\s:=\uff1a\uff1d0-9+(]+)\s*(?P<sign>[:=\uff1a\uff1d]\s*)?[0-9+(]?\Z")
_FOREIGN_VALUE = re.compile(rb"[\"']?((?:(?!\xe3\x80[\x81\x82]|\xef\xbc[\x8c\x9b])[^\x00\s,;&)}\]\"'<>|])+)")


def foreign_assignment(text: bytes, start: int, end: int) -> Verdict:
    """The value behind a telling name in another script: `пароль: …`, `密码：…`."""
    parts = _FOREIGN.match(text[start:end].decode("utf-8", "replace"))
    end -= text[end - 1] in b"0123456789+("
    value = _FOREIGN_VALUE.match(text, end)
    if parts is None or value is None:
        return None
    mark = keys.judge(parts.group(1), value.group(1).decode("utf-8", "replace"))
    if mark is None or (not parts.group("sign") and mark not in _NUMBERED):
        return None
    if left_alone(text, value.start(1), value.group(1), bare=True, in_object=False):
        return None
    return value.start(1), _extended(text, value.start(1), value.end(1), mark), mark


_COORDINATE = re.compile(rb"v?[0-9]+(?:\.[0-9]+){2,}(?:[\-@+][\w.:@\-]*)?\Z|[A-Za-z_]\w*:")
_SHORT_VERSION = re.compile(rb"[0-9]{1,3}\.[0-9]{1,3}\Z")
_CALL = re.compile(rb"(?:[A-Za-z_]\w*+\.)*+[A-Za-z_]\w*+\(")
_MEMBER = re.compile(rb"[a-z_]\w*+(?:\.[A-Za-z_]\w*+)+\Z")
_PLACEHOLDER = re.compile(rb"[$#%]\{|\{\{|\{[A-Za-z_.]*+\}|<[A-Za-z_]|%[A-Z_]+%")


def _is_code(text: bytes, parts: re.Match[bytes], start: int, end: int) -> bool:
    """Whether it is a program's text, not a value: a call, a member, a placeholder, `group:name:1.2.3`, a selector."""
    found = text[start:end]
    if _PLACEHOLDER.match(found) and not _MARK_AHEAD.match(found):
        return True
    if parts.group(3) == b":" and parts.end() == parts.end(3):
        return _COORDINATE.match(found) is not None or (
            b"-" in parts.group(1) and _SHORT_VERSION.match(found) is not None
        )
    spaced = parts.end() > parts.end(3)
    return _CALL.match(text, start) is not None or (spaced and _MEMBER.match(found) is not None)


def _judged_with_more(text: bytes, name: str, start: int, end: int) -> tuple[int, str | None]:
    """Judges an unquoted value with the words behind it that may belong to it: `name=Jane Doe`, `phone: 06 12 34 …`."""
    for words, expected in ((_MORE_NAME, {marks.NAME}), (_MORE_DIGITS, _NUMBERED), (_MORE_LINES, {marks.ADDRESS})):
        more = words.match(text, end)
        if more is not None and more.end() <= end + 80:
            mark = keys.judge(name, text[start : more.end()].decode("utf-8", "replace"))
            if mark in expected:
                return more.end(), mark
    return end, None


def _value_end(text: bytes, start: int, opener: re.Match[bytes] | None) -> int:
    value = (_QUOTED[opener.group(2)] if opener else _BARE).match(text, start)
    if value is None:
        return start
    if opener is not None:
        return value.end() - len(opener.group(1))
    stops = [at for at in (text.find(stop, start, value.end()) for stop in _WIDE_STOPS) if at >= 0]
    return min(stops, default=value.end())


def _judged(text: bytes, start: int, name: str, found: bytes, *, in_prose: bool, spaced: bool) -> str | None:
    value = found[:_LOOKED_AT].decode("utf-8", "replace")
    if "%" in value:
        value = unquote_plus(value)
    mark = keys.judge(name, value)
    if mark is None and spaced and text[start - 1 : start] == b" ":
        phrase = _WORDS_BEFORE.search(before(text, start, 32))
        if phrase is not None:  # date of birth: 1984-03-12
            name = phrase.group() + name
            mark = keys.judge(name, value)
    if mark is None or (in_prose and not _looks_given(value, name, mark)):
        return None
    return mark


def left_alone(text: bytes, start: int, found: bytes, *, bare: bool, in_object: bool) -> bool:
    if not found or HARMLESS.match(found) or (bare and _SCHEME_WORD.match(found)):
        return True
    ahead = _MARK_AHEAD.match(text, start)
    if ahead is not None and marks.is_mark(ahead.group().decode()):
        return True
    return bare and in_object and found[:1] in b"{["  # whose own keys are judged


def _list(text: bytes, start: int, name: str) -> Verdict:
    """All elements of a flat list."""
    elements = _LIST.match(text, start)
    if elements is None or not elements.group(1).strip():
        return None
    inner = elements.group(1).strip().strip(b"\\\"'")
    mark = keys.judge(name, inner.decode("utf-8", "replace"))
    if mark is None or _MARK_AHEAD.match(inner):
        return None
    return elements.start(1), elements.end(1), mark


DIGIT_OR_AT = re.compile(r"[0-9@]")


def _looks_given(value: str, name: str, mark: str) -> bool:
    """Whether a word after a colon in prose is a value, no part of the sentence: "Missing token: check it"."""
    if mark == marks.NAME and value[:1].isupper():
        return True
    if keys.is_strong(name):
        return not value.isalpha() or (name.lower() == "bearer" and len(value) >= 16)
    return DIGIT_OR_AT.search(value) is not None


_MORE_NAME = re.compile(rb"(?: [A-Z\x80-\xff][\w'.\-\x80-\xff]*(?![\w=:]))+")
_MORE_DIGITS = re.compile(rb"(?:[ ]?[(\-./]{0,2}[0-9]{1,12}\)?(?![A-Za-z=:0-9]))+")
_MORE_GROUPS = re.compile(rb"(?:[ ]?[\-./]?(?=[A-Z]{0,3}[0-9]|[A-Z]\b)[0-9A-Z]{1,4}(?![A-Za-z=:0-9]))+")
_MORE_LINES = re.compile(
    rb"(?: (?![\w.\-]+[=:])[\w'.\-\x80-\xff]+)*"
    rb"(?:, ?[A-Z0-9\x80-\xff][\w'.\-\x80-\xff]*(?: (?![\w.\-]+[=:])[\w'.\-\x80-\xff]+)*){0,4}"
)
"""The words of an address behind its first, and the lines behind a comma that begin like a place or a number."""
_NUMBERED = frozenset({marks.PHONE, marks.CARD, marks.IBAN, marks.NATIONAL_ID, marks.TOKEN})
"""Classes whose number may follow its name without a sign between."""
_SPACED = frozenset({marks.CARD, marks.IBAN, marks.NATIONAL_ID, marks.DEVICE})


def _extended(text: bytes, start: int, end: int, mark: str) -> int:
    """Where an unquoted value ends that is written with spaces: a name, a telephone number."""
    more = None
    if mark == marks.NAME:
        more = _MORE_NAME.match(text, end)
    elif mark == marks.PHONE:
        more = _MORE_DIGITS.match(text, end)
    elif mark in _SPACED:
        more = _MORE_GROUPS.match(text, end)
    elif mark == marks.ADDRESS:
        more = _MORE_LINES.match(text, end)
    return end if more is None else min(more.end(), end + 80)


_COOKIE = re.compile(rb"(?i)(?:set-)?cookie[\"']?\s*[:=]\s*[\"']?")


def cookie(text: bytes, start: int, end: int) -> Verdict:
    """Everything behind `Cookie:` that is a pair of name and value."""
    label = _COOKIE.match(text, start, end)
    is_set = text[start : start + 1].lower() == b"c" and before(text, start, 4).lower() == "set-"
    return None if label is None or is_set else (label.end(), end, marks.COOKIE)


CONNECTORS = (
    r"no|nr|num|number|nummer|numara|is|was|ist|war|es|est|eq|equals|of|value|for|the|del|de|mit|with|=|code|id|sv|key|"
    r"n[\xc2\xba\xb0]+|\xe2\x84\x96|\xc3\xa9"
)
"""Words between a name and its value."""
_LABEL_VALUE = re.compile(r"(.*[ \t:#=(\"'<])([^ \t:#=(\"'<]+)\Z", re.DOTALL)
_BETWEEN = " \t:#=.(\"'<"
_TRAILING = words_of("is was ist war es est eq equals of for the del de mit with")
_ANY_UUID = re.compile(r"(?i)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\Z")
_HEX = re.compile(r"(?:[0-9a-f]{16,}|[0-9A-F]{16,})\Z")
_DECIMAL = re.compile(r"-?[0-9]{1,3}\.[0-9]+\Z")


def label(text: bytes, start: int, end: int) -> Verdict:
    """A value that looks drawn, or valid, a space behind a telling name: `client secret 8f3K…`, `adid 7a1c-…`."""
    parts = _LABEL_VALUE.match(text[start:end].decode("utf-8", "replace"))
    if parts is None or is_word_byte(text, end):
        return None
    value = parts.group(2).rstrip(".,;:!)]}>\"'")
    name = parts.group(1).rstrip(_BETWEEN)
    while name.rpartition(" ")[2].lower() in _TRAILING:
        name = name.rpartition(" ")[0].rstrip(_BETWEEN)
    value_start = start + len(parts.group(1).encode())
    if _COORDINATE.match(value.encode()):
        return None  # acme/session:5.2.1
    more = _MORE_DIGITS.match(text, value_start + len(value.encode()))
    number = value if more is None else value + more.group().decode()
    mark = keys.judge(name, value) or keys.judge(name, number) or keys.judge(before(text, start, 24) + name, value)
    if mark is None or not _looks_drawn(mark, value, name):
        return None
    value_end = value_start + len(value.encode())
    return value_start, _extended(text, value_start, value_end, mark), mark


_VERSIONED = re.compile(
    r"(?i)(?:sha|md|bcrypt|argon|pbkdf|scrypt|v|version|utf|aes|oauth|step|field|attempt)[\-_]?[0-9.]+[a-z]*\Z"
)
_NEVER_IN_PROSE = frozenset({marks.USER, marks.NAME, marks.EMAIL, marks.ADDRESS, marks.IP})


def _looks_drawn(mark: str, value: str, name: str) -> bool:
    """Whether a value behind a name in prose is one: by what the class asks of it."""
    digits = sum(map(str.isdigit, value))
    mixed = digits > 0 and any(map(str.isalpha, value))
    if mark in {marks.NATIONAL_ID, marks.IBAN, marks.CARD, marks.PHONE}:
        return digits >= 2 and not _DECIMAL.match(value) and not (mixed and mark == marks.PHONE)
    if mark in {marks.GEO, marks.DATE}:
        return _DECIMAL.match(value) is not None if mark == marks.GEO else digits >= 6
    if mark == marks.PASSWORD:
        return len(value) >= 6 and mixed and not _VERSIONED.match(value)
    if mark in _NEVER_IN_PROSE:
        return False
    drawn = mixed and len(value) >= 8 and not is_wordlike(value)
    long = not mixed and mark == marks.DEVICE and digits >= 12
    return drawn or long or _ANY_UUID.match(value) is not None or _HEX.match(value) is not None
