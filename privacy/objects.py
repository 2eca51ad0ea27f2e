"""Objects written out in text: what their members' names say of their values.

JSON, whole or inside a message, cut off, or escaped in any depth; what Python, JavaScript, Ruby, PHP and Kotlin print
 (`{'password': 'x'}`, `{password: "x"}`, `{:password=>"x"}`, `{password=x}`, `User(name=Jane Doe)`);
arguments in GraphQL (`login(password: "x")`). One scan over the text with a stack of what is open, so that a member is
judged with its name and its parent's: `number` tells in `card`, `city` in `address`. Pairs of a name and a value
(`{"key": "user.email", "value": …}`) count as members. Values are replaced where they stand; all else stays verbatim.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import unquote

import re2

from privacy import keys, marks
from privacy.keys import Judge
from privacy.policy import Replace, mark_only

_TOKEN = re.compile(
    r"(?P<mark>\{[a-z_]+(?::[0-9a-f]{8,64})?\})|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<comma>,)|(?P<sign>=>|(?<![=!<>:])=(?![=])|(?<!:):(?![:/]))"
    r"|(?P<quote>\\*[\"'`])|(?P<number>[+\-]?[0-9][\w.\-]*+)|(?P<word>\$?[^\W\d][\w.$\-]*+)"
)
_BEFORE_STRING = frozenset({"", "open", "comma", "sign"})
_SIGN = re.compile(r"\s*(?:=>|=(?!=)|:(?!:))")
_OPENS = re.compile(r"\s?[({\[]")
_INSIDE = {
    '"': re.compile(r"(?:[^\"\\]|\\.)*+", re.DOTALL),
    "'": re.compile(r"(?:[^'\\]|\\.)*+", re.DOTALL),
    "`": re.compile(r"[^`]*+"),
}
_BARE = re.compile(r"(?:[^,;}\])\n\"'&]|&(?![A-Za-z_][\w.\-]*=))*+")
_NESTED = re.compile(r"[{\[(]")
_ESCAPE = re.compile(r"\\+(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_SHORT = 4
"""Letters up to which a name is looked for only where a word begins: `ph` is in `graph`."""
_DEEPEST = 8
"""Strings inside strings that are scanned."""

_LABELS = frozenset(
    {"name", "key", "field", "fieldname", "param", "parameter", "attribute", "header", "k", "label", "property"}
)
"""Members whose value names another member."""
_VALUES = frozenset({"value", "val", "v", "stringvalue", "string_value", "data", "content", "values", "body", "text"})
"""Members whose value is that other member's."""


_AGAIN = frozenset({"confirm", "confirmation", "repeat", "again", "retype", "verify"})
"""Members that hold a password once more when they stand behind one."""


def _gate() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = 1 << 26
    options.log_errors = False
    apart = r"[_.\- \[]?"
    names = {apart.join(phrase) for phrase in keys.PHRASES + keys.WHOLE} | keys.ENDINGS
    short = {name for name in names if len(name) <= _SHORT}
    parents = {phrase[0] for phrase in keys.PHRASES if len(phrase) > 1 and len(phrase[0]) > 2}
    humps = "|".join(sorted(name.capitalize() for name in short))
    rest = r"(?:[A-Z0-9_.\-][A-Za-z0-9_.\-]*)?"
    follows = r"(?:\\*[\"'`])?\s*(?:=>|[:=({\[,])"
    pattern = "|".join(
        (
            rf"(?i:{'|'.join(sorted(names - short))})[A-Za-z0-9_.\-]*{follows}",
            rf"(?:^|[^A-Za-z])(?i:{'|'.join(sorted(short))}){rest}{follows}",
            rf"[a-z0-9](?:{humps}){rest}{follows}",
            rf"(?i:{'|'.join(sorted(parents))})s?(?:\\*[\"'`])?\s*(?:=>|[:=])?\s*[A-Za-z]*[({{\[]",
            r"[A-Z0-9]_KEY\\*[\"'`]?\s*[:=]",
            r"[\x80-\xff][A-Za-z]*\\*[\"'`]?\s*[:=]",
        )
    )
    return re2.compile(pattern.encode("latin-1"), options)


_GATE = _gate()


class _Frame:
    """One bracket that is open."""

    __slots__ = ("holds_password", "label", "name", "opener", "unnamed")

    def __init__(self, opener: str, name: str) -> None:
        self.opener = opener
        self.name = name
        self.label = ""
        """What a member such as `key` gave as the name of the member `value`."""
        self.holds_password = False
        self.unnamed: tuple[int, int] | None = None
        """Where a member `value` stood before its name was given."""


class _Edit(NamedTuple):
    start: int
    end: int
    mark: str


def strip_members(text: str, replace: Replace = mark_only, judge: Judge = keys.judge) -> str:
    """The text with the values of telling members replaced by marks.

    >>> strip_members('sent {"id": 7, "card": {"number": "4111…", "cvc": "404"}} (retry)')
    'sent {"id": 7, "card": {"number": "{card}", "cvc": "{card}"}} (retry)'
    """
    if "{" not in text and "[" not in text and "(" not in text:
        return text
    if '"' not in text and "=" not in text and "'" not in text and (":" not in text or "{" not in text):
        return text
    if judge is keys.judge and not _GATE.search(text.encode("utf-8", "surrogatepass")):
        return text
    first = min(at for at in map(text.find, "{[(") if at >= 0)
    begin = max(text.rfind(" ", 0, max(0, first - 1)), text.rfind("\n", 0, max(0, first - 1))) + 1
    scan = _Scan(text, judge)
    scan.run(begin, len(text), "", 0)
    if not scan.edits:
        return text
    pieces: list[str] = []
    done = 0
    for start, end, mark in sorted(scan.edits):
        pieces += (text[done:start], replace(mark, text[start:end]))
        done = end
    return "".join(pieces) + text[done:]


class _Scan:
    """The scan over one text; finds are collected in `edits`."""

    def __init__(self, text: str, judge: Judge) -> None:
        self._text = text
        self._judge = judge
        self.edits: list[_Edit] = []

    def run(self, at: int, end: int, name: str, depth: int) -> None:
        """Scans a part of the text, which stands in a member of this name."""
        text = self._text
        frames = [_Frame("", name)]
        name, sign, last = "", "", ""
        while (token := _TOKEN.search(text, at, end)) is not None:
            kind, at, before, last = str(token.lastgroup), token.end(), last, str(token.lastgroup)
            frame = frames[-1]
            if kind == "quote":
                if token.group()[-1] != '"' and before not in _BEFORE_STRING:
                    continue  # the apostrophe of a word
                at, name, sign = self._string(frame, name if sign else "", token, end, depth)
            elif kind == "sign":
                sign = token.group() if name else ""
            elif sign and kind in {"number", "word"}:
                at, name, sign = self._bare(frame, name, sign, token, end)
            elif kind == "word":
                name = token.group()
            else:
                if kind == "open":
                    frames.append(_Frame(token.group(), _name_of_frame(frame, name)))
                elif kind == "close" and len(frames) > 1:
                    frames.pop()
                elif kind == "number" and frame.opener == "[":
                    self._value(frame, "", token.start(), at, _DEEPEST)
                name, sign = "", ""

    def _string(self, frame: _Frame, name: str, token: re.Match[str], end: int, depth: int) -> tuple[int, str, str]:
        """A value of this name, or a name, in quotes; where the scan goes on, with which name and sign."""
        start = token.end()
        close, after = _end_of_string(self._text, start, end, token.group())
        if not name and _SIGN.match(self._text, after, end):
            return after, self._text[start:close], ""
        if name or frame.opener == "[":
            self._value(frame, name, start, close, depth)
        return after, "", ""

    def _bare(self, frame: _Frame, name: str, sign: str, token: re.Match[str], end: int) -> tuple[int, str, str]:
        """A value without quotes; where the scan goes on, with which name and sign."""
        text, start, after = self._text, token.start(), token.end()
        if token.lastgroup == "word" and _OPENS.match(text, after, end):
            return after, f"{name}.{token.group()}", ""  # owner=User(name=…)
        if sign == "=" and frame.opener in {"{", "("}:
            after = _BARE.match(text, start, end).end()  # type: ignore[union-attr]  # matches nothing at least
            after -= len(text[start:after]) - len(text[start:after].rstrip())
        elif token.lastgroup == "word" and text[start:after].isalpha():
            return after, "", ""  # a value of an enumeration, a type, a word of the sentence
        self._value(frame, name, start, after, _DEEPEST)
        return max(after, token.end()), "", ""

    def _value(self, frame: _Frame, name: str, start: int, end: int, depth: int) -> None:
        """Marks a value, or scans what is nested in it."""
        raw = self._text[start:end]
        if not raw:
            return
        lower = name.lower()
        value = _decoded(raw)
        if lower in _LABELS and keys.may_tell(value):
            frame.label = value
            if frame.unnamed is not None:
                self._mark(frame, value, *frame.unnamed)
        if lower in _VALUES:
            if frame.label:
                name = frame.label
            else:
                frame.unnamed = (start, end)
        if self._mark(frame, name, start, end) or depth >= _DEEPEST or not _NESTED.search(raw):
            return
        self.run(start, end, name or frame.name, depth + 1)

    def _mark(self, frame: _Frame, name: str, start: int, end: int) -> bool:
        """Whether the value is to be replaced; if so, it will be."""
        if name.startswith("$"):
            return False  # a parameter of GraphQL being declared
        value = _decoded(self._text[start:end])
        if value != value.strip():
            value = value.strip()
        mark = self._judge(name, value) if name else None
        if mark is None and frame.name:
            mark = self._judge(f"{frame.name}.{name}" if name else frame.name, value)
        if mark is None and frame.holds_password and name.lower() in _AGAIN:
            mark = self._judge("password", value)
        frame.holds_password = frame.holds_password or mark == marks.PASSWORD
        if mark is None or marks.is_mark(value):
            return False
        self.edits.append(_Edit(start, end, mark))
        return True


def _name_of_frame(parent: _Frame, name: str) -> str:
    if name.lower() in _VALUES and parent.label:
        return parent.label
    if not name and parent.opener == "[":
        return parent.name[:-1] if parent.name.endswith("s") and not parent.name.endswith("ss") else parent.name
    return name[-keys.LONGEST_KEY :]


def _end_of_string(text: str, at: int, end: int, quote: str) -> tuple[int, int]:
    """Where the string's inside ends, and where the text goes on; both the end when the string is cut off."""
    if len(quote) == 1:
        close = _INSIDE[quote].match(text, at, end).end()  # type: ignore[union-attr]  # matches nothing at least
        return close, min(close + 1, end)
    escapes = len(quote) - 1
    start = at
    while (close := text.find(quote[-1], at, end)) >= 0:
        before = close
        while before > start and text[before - 1] == "\\":
            before -= 1
        # Where quotes bear n backslashes, an escaped backslash is 2n + 2 and an escaped quote has n + 1 more.
        if (close - before) % (2 * escapes + 2) == escapes:
            return close - escapes, close + 1
        at = close + 1
    return end, end


def _decoded(raw: str) -> str:
    if "\\" in raw:
        raw = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)) if found.group(1) else found.group(2), raw)
    return unquote(raw) if "%" in raw else raw
