"""SQL without its literals: statements are told apart by their shape, and the values in them are somebody's."""

import re

from privacy import marks

_STRING = re.compile(
    r"'(?:[^'\\]|\\[^']|'')*+(?:'|\\'.*|\Z)"  # what \' means depends on the database: drop the rest
    r"|\"[^\"]*\"?"
    r"|\$([A-Za-z_]*)\$.*?(?:\$\1\$|\Z)",
    re.DOTALL,
)
_IDENTIFIER = re.compile(r"\"[\w.$]*\"\Z")
_NUMBER = re.compile(r"(?<![\w$.:@?{])-?[0-9][0-9A-Fa-fxX.]*(?![\w.])")
_PASSES = 5
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|--[^\n]*", re.DOTALL)


def strip_literals(statement: str) -> str:
    """`SELECT a FROM t WHERE b = 'jane' AND c = 77` → `SELECT a FROM t WHERE b = '{value}' AND c = {value}`.

    Strings in single quotes, in dollar quotes, and in double quotes when they are no identifier; numbers; comments.
    Parameters (`?`, `$1`, `:name`, `@name`) stay. A statement that does not settle in
    five passes becomes `{unexamined}`.
    """
    for _ in range(_PASSES):  # what a literal or comment kept apart may read differently once it is gone
        stripped = _STRING.sub(_mark_string, statement)
        stripped = _COMMENT.sub(" ", stripped)
        stripped = _NUMBER.sub(marks.VALUE, stripped)
        if stripped == statement:
            return statement
        statement = stripped
    return marks.UNEXAMINED


def _mark_string(found: re.Match[str]) -> str:
    text = found.group()
    return text if _IDENTIFIER.match(text) else f"'{marks.VALUE}'"
