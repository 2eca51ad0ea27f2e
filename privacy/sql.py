"""SQL without its literals: statements are told apart by their shape, and the values in them are somebody's.

Read so far as all dialects agree, or so that a misreading takes out more: strings in single quotes with `''` and `\\'`
(and the prefixes E, N, U&, X, B, r), Oracle's `q'[…]'`, PostgreSQL's dollar quotes, MySQL's double quotes where a value
stands, numbers, comments. Names, operators, types and parameters (`?`, `$1`, `:name`, `@name`, `%s`) stay.
"""

import re

from privacy import marks
from privacy.policy import Replace, mark_only

_PASSES = 5
_MOST_LITERALS = 256
"""In one statement; what stands behind the last of them goes unread. Each costs microseconds."""
_TOKEN = re.compile(
    r"(?P<comment>/\*(?:[^*]|\*(?!/))*+(?:\*/)?|--[^\n]*)"
    r"|(?P<oracle>\b[Nn]?[Qq]'(?:\[[^\]]*+(?:\](?!')[^\]]*+)*+(?:\]')?|\{[^}]*+(?:\}(?!')[^}]*+)*+(?:\}')?"
    r"|\([^)]*+(?:\)(?!')[^)]*+)*+(?:\)')?|<[^>]*+(?:>(?!')[^>]*+)*+(?:>')?|([!|#~/^])(?:(?!\3').)*+(?:\3')?))"
    r"|(?P<dollar>\$([A-Za-z_]\w*+)?\$)"
    r"|(?P<single>')"
    r"|(?P<double>(?:\\{1,8})?\")"
    r"|(?P<number>(?<![\w$.:@?{%#])-?(?:0[xX][0-9A-Fa-f]+|[0-9][0-9.]*(?:[eE][+\-]?[0-9]+)?)(?![\w.]))",
    re.DOTALL,
)
_QUOTED = re.compile(r"(?:[^'\\]|''|\\[^'])*+")
"""The inside of a string up to its end or to a `\\'`, of which each dialect thinks otherwise."""
_IDENTIFIER = re.compile(r"[\w.$]+\Z")
_IN_TUPLE = re.compile(r"(?i)(?:\bvalues\s*(?:\([^()]{0,200}\)\s*,\s*)*\(|\bin\s*\()(?:[^()]|\([^()]*\))*\Z")
_WORD_BEFORE = re.compile(r"(?i)\b(?:like|ilike|rlike|regexp|between|and|then|else|identified by|password)\s*\Z")
_PREFIX_BEFORE = re.compile(r"(?i)(?:^|[^\w])(?:[enxbr]|u&|_[a-z0-9]{3,10})\Z")
_SMALL = frozenset({"0", "1", "-1"})
_COUNT_BEFORE = re.compile(
    r"(?i)(?:\b(?:limit|offset|top|fetch\s(?:first|next)|sample|rows|precision)|"
    r"\b(?:var)?char(?:acter)?(?:\s?varying)?2?\s?\(|\bn?varchar\s?\(|\b(?:numeric|decimal|float|bit|varbinary|binary|int|"
    r"bigint|tinyint|smallint|timestamp|time|datetime2?)\s?\((?:[0-9]{1,3},)?)\s*\Z"
)
_REACH = 400
"""Characters before a literal that are looked at for what it is."""

_STATEMENT = re.compile(
    r"(?i)\b(?:select\b[^'\"]{1,300}?\bfrom|insert\s+(?:ignore\s+|or\s+\w+\s+)?into|replace\s+into|merge\s+into|"
    r"update\s+[\w.\"`\[\]]{1,128}\s+(?:as\s+\w+\s+)?set|delete\s+(?:\*\s+)?from\s+[\w.\"`\[\]]{1,128}\s*(?:where\b|using\b|returning\b|;|\Z)|values\s*\(|"
    r"call\s+[\w.]{1,128}\s*\(|exec(?:ute)?\s+[\w.\[\]]{1,128}\s+(?:@|N?'[^']{0,64}'\s*(?:,|;|\Z))|(?:alter|create)\s+(?:user|role|login)|identified\s+by|"
    r"where\s+[\w.\"`\[\]]{1,128}\s*(?:[=<>]|(?:not\s+)?(?:like|ilike|in)\b)|detail:\s+key\s+\()"
)
_BEGINS = re.compile(
    r"(?i)(?:\s|--[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/|[(;])*+(?:select|insert|update|delete|merge|replace|upsert|with|create|alter|"
    r"drop|truncate|begin|commit|rollback|savepoint|release|start|end|call|exec|execute|set|show|explain|analy[sz]e|values|grant|"
    r"revoke|lock|unlock|use|declare|fetch|close|open|copy|vacuum|pragma|attach|detach|describe|desc|do|listen|notify|prepare|"
    r"deallocate|refresh|reindex|reset|load|optimize|rename|kill|flush|if|while|return|print|go|table|from)\b"
)
_WORDS = (
    "select",
    "insert",
    "update",
    "delete",
    "values",
    "where",
    "merge",
    "replace",
    "call ",
    "exec",
    "identified",
    "role",
)
_DUPLICATE = re.compile(r"(?i)(\b(?:key|index)\s*\(([^()]{1,256})\)\s*=\s*\()([^()]*)(\)?)")
_DUPLICATE_ENTRY = re.compile(r"(?i)(\bduplicate entry ')((?:[^']|'(?! for key)){0,512}+)(' for key)")


def strip_literals(statement: str, replace: Replace = mark_only) -> str:
    """`SELECT a FROM t WHERE b = 'jane' AND c = 77` → `SELECT a FROM t WHERE b = '{value}' AND c = {value}`.

    Comments become a space; 0, 1, the numbers of LIMIT and OFFSET and the lengths of types stay. A statement that does
    not settle in five passes becomes `{unexamined}`.
    """
    for _ in range(_PASSES):  # what a literal or comment kept apart may read differently once it is gone
        stripped = _strip(statement, 0, replace, whole=True)
        if stripped == statement:
            return statement
        statement = stripped
    return marks.UNEXAMINED


def is_statement(text: str) -> bool:
    """Whether a text begins as a statement does, comments aside; a PEM block, whose dashes look like one, does not."""
    return _BEGINS.match(text) is not None


def strip_embedded(text: str, replace: Replace = mark_only) -> str:
    """The same for a statement inside a message: strings go from its first keyword on, numbers of five digits and more.

    Also the values that databases quote back: `Key (email)=(jane@…)`, `Duplicate entry 'jane' for key`.
    """
    quoted = "'" in text or '"' in text
    if not quoted and ")" not in text:
        return text
    if "=" in text and ")" in text:
        text = _DUPLICATE.sub(lambda found: _between(found, 1, 3, 4, replace), text)
    if "entry '" in text:
        text = _DUPLICATE_ENTRY.sub(lambda found: _between(found, 1, 2, 3, replace), text)
    if not quoted and "alues" not in text and "ALUES" not in text:
        return text
    lower = text.lower()
    if not any(map(lower.__contains__, _WORDS)):
        return text
    start = _STATEMENT.search(text)
    return text if start is None else _strip(text, start.start(), replace, whole=False)


def _between(found: re.Match[str], before: int, value: int, after: int, replace: Replace) -> str:
    original = found.group(value)
    kept = not original or all(marks.is_mark(part.strip()) for part in original.split(","))
    return found.group(before) + (original if kept else replace(marks.VALUE, original)) + found.group(after)


def _strip(text: str, begin: int, replace: Replace, *, whole: bool) -> str:
    pieces: list[str] = []
    done, at = 0, begin
    for _ in range(_MOST_LITERALS):
        token = _TOKEN.search(text, at)
        if token is None:
            break
        start, at, inside = _extent(text, token, begin, whole=whole)
        if inside and not marks.is_mark(inside):
            pieces += (text[done:start], _replacement(token, inside, replace))
            done = at
    else:
        return "".join(pieces) + text[done:at] + replace(marks.VALUE, text[at:])
    return "".join(pieces) + text[done:] if pieces else text


def _extent(text: str, token: re.Match[str], begin: int, *, whole: bool) -> tuple[int, int, str]:
    """Where a literal begins and ends, and what it holds; holds nothing when it is to stay."""
    start, end = token.span()
    kind, found = token.lastgroup, token.group()
    inside = found
    if kind == "comment":
        inside = found if whole else ""
    elif kind == "number":
        before = text[max(begin, start - _REACH) : start]
        inside = found if (_number_goes if whole else _embedded_number_goes)(found, before) else ""
    elif kind == "single":
        if (
            not whole
            and text[start - 1 : start].isalnum()
            and not _PREFIX_BEFORE.search(text[max(0, start - 12) : start])
        ):
            return start, end, ""  # the apostrophe of a word behind the statement
        inside, end = _single(text, end)
    elif kind == "double":
        inside, end = _double(text, token, begin, whole=whole)
    elif kind == "dollar":
        close = text.find(found, end)
        if close < 0 and not whole:
            return start, end, ""
        inside, end = (text[end:], len(text)) if close < 0 else (text[end:close], close + len(found))
    return start, end, inside


def _replacement(token: re.Match[str], inside: str, replace: Replace) -> str:
    kind = token.lastgroup
    if kind == "comment":
        return " "
    mark = replace(marks.VALUE, inside)
    if kind == "number":
        return mark
    quote = token.group() if kind == "double" else "'"
    return f"{quote}{mark}{quote}"


def _single(text: str, begin: int) -> tuple[str, int]:
    at = begin
    while True:
        at = _QUOTED.match(text, at).end()  # type: ignore[union-attr]  # matches nothing at least
        if at >= len(text):
            return text[begin:], at
        if text[at] == "'":
            return text[begin:at], at + 1
        if not text[at + 2 : at + 3].isalnum():  # what \' means depends on the dialect: the rest goes
            return text[begin:], len(text)
        at += 2


def _double(text: str, token: re.Match[str], begin: int, *, whole: bool) -> tuple[str, int]:
    start, end = token.span()
    close = text.find(token.group(), end)
    inside = text[end:] if close < 0 else text[end:close]
    after = len(text) if close < 0 else close + len(token.group())
    before = text[max(begin, start - _REACH) : start]
    is_value = _is_value(before)
    if _IDENTIFIER.match(inside):
        is_value = is_value and text[after : after + 1] != "."
        return (inside if is_value else ""), after
    if is_value or whole:
        return inside, after
    return "", end


def _is_value(before: str) -> bool:
    last = before.rstrip()[-1:]
    if last in {"(", ","}:
        return _IN_TUPLE.search(before) is not None
    return last in {"=", "<", ">", "~"} or (last.isalpha() and _WORD_BEFORE.search(before[-20:]) is not None)


def _number_goes(number: str, before: str) -> bool:
    if number in _SMALL:
        return False
    last = before.rstrip()[-1:]
    return not ((last.isalpha() or last in {"(", ","}) and _COUNT_BEFORE.search(before[-40:]))


def _embedded_number_goes(number: str, before: str) -> bool:
    is_value = _is_value(before)
    if is_value and before.rstrip()[-1:] in {"(", ","}:
        return _number_goes(number, before)
    return is_value and sum(map(str.isdigit, number)) >= 5
