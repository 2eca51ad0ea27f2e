"""The parameters of the query API: what each accepts, and the error that names the one that is wrong.

A `Parameter` says what its text means and how OpenAPI describes it, in one place, so that the two cannot part.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from multidict import MultiMapping

from ingest.errors import Malformed
from ingest.model import DIMENSIONS, METRICS, Signal

LONGEST_RANGE_US = 400 * 86_400_000_000
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MOST_VALUES = 100
"""Of one filter."""
_LONGEST_VALUE = 512
_MOST_QUANTILES = 10
MOST_LINE_POINTS = 60
_FIRST_YEAR, _LAST_YEAR = 1971, 2999


class BadParameter(Malformed):
    """A parameter cannot be used; `parameter` is its name, None for one that the call does not have."""

    def __init__(self, parameter: str | None, message: str) -> None:
        super().__init__("bad_parameter", f"{parameter or 'This call'} {message}")
        self.parameter = parameter


class Moment(NamedTuple):
    """A point in time as asked for."""

    relative: bool
    us: int
    """µs since 1970, or from now when relative."""

    def at(self, now_us: int) -> int:
        """µs since 1970."""
        return now_us + self.us if self.relative else self.us


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter."""

    name: str
    help: str
    parse: Callable[[str], Any]
    """Text to value; a ValueError's message continues the sentence that starts with the parameter's name."""
    schema: Mapping[str, Any]
    """JSON Schema of one value, for OpenAPI."""
    default: str | None = None
    """Text to read when it is not given; None: the value is then None."""
    repeats: bool = False
    """May be given up to `MOST_VALUES` times; the value is then the tuple of them."""

    def read(self, query: MultiMapping[str]) -> Any:
        """Its value in a query; empty text counts as not given.

        Raises:
            BadParameter: names it, the rule and the remedy; never quotes what was sent.
        """
        texts = [text for text in query.getall(self.name, []) if text]
        if len(texts) > (MOST_VALUES if self.repeats else 1):
            times = f"at most {MOST_VALUES} times" if self.repeats else "only once"
            raise BadParameter(self.name, f"may be given {times}.")
        if not texts and self.default is not None:
            texts = [self.default]
        try:
            values = [self.parse(text) for text in texts]
        except ValueError as error:
            raise BadParameter(self.name, str(error)) from None
        if self.repeats:
            return tuple(dict.fromkeys(values))
        return values[0] if values else None


def read(query: MultiMapping[str], parameters: Sequence[Parameter]) -> Mapping[str, Any]:
    """The value of each parameter by name.

    Raises:
        BadParameter: for the first that is wrong, or that this call does not have: a misspelt filter that is silently
            ignored would answer another question.
    """
    known = {parameter.name for parameter in parameters}
    if any(name not in known for name in query):
        raise BadParameter(None, f"was given a parameter that it does not know; it knows {', '.join(sorted(known))}.")
    return {parameter.name: parameter.read(query) for parameter in parameters}


def whole(low: int, high: int) -> Callable[[str], int]:
    """Parser of whole numbers in a range."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}.")
        return int(text)

    return parse


def one_of(*words: str) -> Callable[[str], str]:
    """Parser of one word of a few."""

    def parse(text: str) -> str:
        if text not in words:
            raise ValueError(f"must be one of {', '.join(words)}.")
        return text

    return parse


def parse_moment(text: str) -> Moment:
    """`now`, `-90s`, `-30m`, `-1h`, `-7d`, or RFC 3339 with an offset, e.g. `2026-01-31T08:00:00Z`."""
    if text == "now":
        return Moment(True, 0)
    if relative := re.fullmatch(r"-([0-9]{1,9})([smhd])", text):
        return Moment(True, -int(relative[1]) * _UNITS_S[relative[2]] * 1_000_000)
    # An unescaped + arrives as a space; RFC 3339 has no other use for one here.
    at = _rfc3339(text.replace(" ", "+"))
    if at is None:
        raise ValueError("must be RFC 3339 with an offset (2026-01-31T08:00:00Z), relative (-1h, -30m, -7d) or now.")
    return Moment(False, at)


def _rfc3339(text: str) -> int | None:
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})", text):
        return None
    try:
        at = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise ValueError(f"must lie in the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def parse_step(text: str) -> int | None:
    """A width in µs, a multiple of 10 s: `10s`, `60s`, `5m`, `1h`, `1d`; None for `auto`."""
    if text == "auto":
        return None
    found = re.fullmatch(r"([0-9]{1,7})([smhd])", text)
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 10 <= seconds <= 400 * 86_400 or seconds % 10:
        raise ValueError("must be auto, or a multiple of 10 s up to 400 days such as 10s, 60s, 5m, 1h, 1d.")
    return seconds * 1_000_000


def parse_quantile(text: str) -> float:
    """A probability."""
    if not re.fullmatch(r"0?\.[0-9]{1,9}|[01]|0\.|1\.0{0,9}", text):
        raise ValueError("must be a number from 0 to 1, e.g. 0.95.")
    return float(text)


def parse_quantiles(text: str) -> tuple[float, ...]:
    """Probabilities separated by commas, in the order given."""
    parts = text.split(",")
    if len(parts) > _MOST_QUANTILES:
        raise ValueError(f"must be at most {_MOST_QUANTILES} numbers from 0 to 1 separated by commas.")
    try:
        return tuple(dict.fromkeys(parse_quantile(part.strip()) for part in parts))
    except ValueError:
        raise ValueError("must be numbers from 0 to 1 separated by commas, e.g. 0.5,0.95.") from None


def parse_group_by(text: str) -> tuple[str, ...]:
    """One or two dimensions separated by a comma."""
    names = tuple(name.strip() for name in text.split(","))
    if len(names) > 2 or len(set(names)) != len(names) or any(name not in DIMENSIONS for name in names):
        raise ValueError(f"must be one or two of {', '.join(DIMENSIONS)}, separated by a comma.")
    return names


def parse_value(text: str) -> str:
    """A dimension's value."""
    if not _storable(text):
        raise ValueError(f"must be a value of 1 to {_LONGEST_VALUE} characters, as /api/v1/values lists them.")
    return text


def parse_app(text: str) -> str:
    """An app's id or name."""
    if not _storable(text):
        raise ValueError("must be the id or the name of an app, as /api/v1/apps lists them.")
    return text


def _storable(text: str) -> bool:
    """Whether PostgreSQL could hold it: no NUL, no half of a surrogate pair."""
    return len(text) <= _LONGEST_VALUE and not re.search("[\0\ud800-\udfff]", text)


def parse_line_points(text: str) -> int:
    """Steps of a line: none, or enough to make one."""
    if not re.fullmatch(r"[0-9]{1,3}", text) or int(text) not in (0, *range(2, MOST_LINE_POINTS + 1)):
        raise ValueError(f"must be 0, or a whole number from 2 to {MOST_LINE_POINTS}.")
    return int(text)


def parse_flag(text: str) -> bool:
    """true or false."""
    if text not in ("true", "false", "1", "0"):
        raise ValueError("must be true or false.")
    return text in ("true", "1")


def parse_span_id(text: str) -> int:
    """A span's id, as a number."""
    if not re.fullmatch(r"[0-9a-fA-F]{16}", text):
        raise ValueError("must be 16 hex digits.")
    return int(text, 16)


def parse_cursor(text: str) -> tuple[int, int]:
    """A span's id and which of those that claim it: where a page ended."""
    if not re.fullmatch(r"[0-9a-f]{16}[0-9a-f]{4}", text):
        raise ValueError("must be the `next` of the page before.")
    return int(text[:16], 16), int(text[16:], 16)


_VALUE = {"type": "string", "maxLength": _LONGEST_VALUE}
_TIME = {"type": "string", "examples": ["-1h", "now", "2026-01-31T08:00:00Z"]}
_QUANTILE = {"type": "number", "minimum": 0, "maximum": 1}

APP = Parameter("app", "Id or name of the app; may be left out when the token opens one app.", parse_app, _VALUE)
FROM = Parameter(
    "from", "Start of the range: RFC 3339, or relative such as -1h, -30m, -7d.", parse_moment, _TIME, "-1h"
)
TO = Parameter("to", "End of the range, at most 400 days after its start.", parse_moment, _TIME, "now")
FILTERS = tuple(
    Parameter(name, f"Only spans with this {name}; repeat for several.", parse_value, _VALUE, repeats=True)
    for name in DIMENSIONS
)
_SIGNALS = tuple(signal.word for signal in Signal)
SIGNAL = Parameter(
    "signal",
    "What the figures are about; never about two of these.",
    one_of(*_SIGNALS),
    {"type": "string", "enum": list(_SIGNALS)},
    Signal.REQUEST.word,
)
METRIC = Parameter(
    "metric", "Duration, or a phase.", one_of(*METRICS), {"type": "string", "enum": list(METRICS)}, "duration"
)
STEP = Parameter(
    "step",
    "Width of a point, a multiple of 10 s (at most 1,500 points), or auto (at most 400).",
    parse_step,
    {"type": "string", "examples": ["auto", "10s", "60s", "5m", "1h"]},
    "auto",
)
GROUP_BY = Parameter(
    "group_by",
    "Up to two dimensions, separated by a comma.",
    parse_group_by,
    {"type": "string", "examples": list(DIMENSIONS)},
)
QUANTILES = Parameter(
    "q",
    f"At most {_MOST_QUANTILES} probabilities separated by commas.",
    parse_quantiles,
    {"type": "string"},
    "0.5,0.75,0.95,0.99",
)
VALUE_QUANTILE = Parameter("q", "Also answers this quantile of the duration.", parse_quantile, _QUANTILE)
PHASE_QUANTILE = Parameter("q", "The quantile of every phase.", parse_quantile, _QUANTILE, "0.75")
ROUTE_QUANTILE = Parameter("q", "The quantile of every route.", parse_quantile, _QUANTILE, "0.95")
AT = Parameter("at", "The quantile that is compared.", parse_quantile, _QUANTILE, "0.95")
TARGET = Parameter(
    "target_ms",
    "Impact counts the time above this, in ms.",
    whole(0, 86_400_000),
    {"type": "integer", "minimum": 0, "maximum": 86_400_000},
    "1000",
)
LINE_POINTS = Parameter(
    "points",
    "At most so many steps of a line for each of the first routes; 0: no lines.",
    parse_line_points,
    {"type": "integer", "enum": [0, *range(2, MOST_LINE_POINTS + 1)]},
    "0",
)
DIMENSION = Parameter(
    "dimension",
    "Whose values to list.",
    one_of(*DIMENSIONS),
    {"type": "string", "enum": list(DIMENSIONS)},
)
_AXIS = {"type": "string", "enum": list(DIMENSIONS)}
ROWS = Parameter("y", "The dimension of the rows.", one_of(*DIMENSIONS), _AXIS, "country")
COLUMNS = Parameter("x", "The dimension of the columns.", one_of(*DIMENSIONS), _AXIS, "device_class")
FACETS = Parameter("facet", "A dimension to cut the grid by: one grid for each value.", one_of(*DIMENSIONS), _AXIS)
CELL_QUANTILE = Parameter("q", "The quantile of every cell.", parse_quantile, _QUANTILE, "0.95")
ROW_LIMIT = Parameter("limit", "Most rows.", whole(1, 100), {"type": "integer", "minimum": 1, "maximum": 100}, "20")
LIMIT = Parameter("limit", "Most rows.", whole(1, 1000), {"type": "integer", "minimum": 1, "maximum": 1000}, "100")
TRACE_LIMIT = Parameter("limit", "Most traces.", whole(1, 500), {"type": "integer", "minimum": 1, "maximum": 500}, "50")
SESSION_LIMIT = Parameter(
    "limit", "Most sessions.", whole(1, 500), {"type": "integer", "minimum": 1, "maximum": 500}, "50"
)
SPAN_LIMIT = Parameter("limit", "Most spans.", whole(1, 500), {"type": "integer", "minimum": 1, "maximum": 500}, "100")
MIN_MS = Parameter(
    "min_ms",
    "Only those with a span that lasts this long, in ms.",
    whole(0, 86_400_000),
    {"type": "integer", "minimum": 0, "maximum": 86_400_000},
    "0",
)
ERRORS = Parameter("errors", "true: only those with a failed span.", parse_flag, {"type": "boolean"}, "false")
OVERSIZED = Parameter(
    "oversized",
    "true: only traces that had no room for some of their spans.",
    parse_flag,
    {"type": "boolean"},
    "false",
)
_SPAN_ID = {"type": "string", "pattern": "^[0-9a-fA-F]{16}$"}
PARENT = Parameter("parent", "Only what hangs below this span; left out: below none.", parse_span_id, _SPAN_ID)
LIKE = Parameter(
    "like",
    "Instead: the members of the folded group that this span is in, and what hangs below.",
    parse_span_id,
    _SPAN_ID,
)
DEPTH = Parameter("depth", "Levels to show.", whole(1, 20), {"type": "integer", "minimum": 1, "maximum": 20}, "1")
UNIT_LIMIT = Parameter(
    "limit", "Most spans and groups.", whole(1, 500), {"type": "integer", "minimum": 1, "maximum": 500}, "100"
)
CURSOR = Parameter("cursor", "Where the page before ended: its `next`.", parse_cursor, {"type": "string"})

COMMON = (APP, FROM, TO, SIGNAL, *FILTERS)
"""What every call about spans takes."""


def side(name: str) -> tuple[Parameter, ...]:
    """What one side of a comparison may give for itself, in place of what is common to both: `a.version`."""
    own = (replace(FROM, default=None), replace(TO, default=None), *FILTERS)
    return tuple(replace(each, name=f"{name}.{each.name}", help=f"Of side {name} alone: {each.help}") for each in own)
