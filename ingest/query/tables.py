"""Answers as tables: what `format=csv` writes. One row per fact, so that a spreadsheet can sort and filter them.

What an answer says about all of its rows (`basis`, `source`) stands in every row: a file that is passed on keeps saying
that its figures are estimates.
"""

import csv
import io
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import orjson

from ingest.query.parameters import Parameter, one_of

Row = Mapping[str, Any]
Table = Callable[[Row], Iterable[Row]]
"""An answer's rows: column → value; an object or a list becomes several columns (`flat`)."""

FORMAT = Parameter(
    "format",
    "json or csv; without it what the header Accept asks for.",
    one_of("json", "csv"),
    {"type": "string", "enum": ["json", "csv"]},
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""With these a spreadsheet takes a text for a formula; a quote in front makes it text again."""
_ENDS = ("low", "high")


def member(name: str) -> Table:
    """The rows of a list that the answer holds."""
    return lambda answer: [{**row, **_provenance(answer)} for row in answer[name]]


def latency(answer: Row) -> Iterable[Row]:
    """One row per group and point."""
    for group in answer["groups"]:
        for point in group["points"]:
            yield {**_group(group), **_quantiles(point, answer["quantiles"]), **_provenance(answer)}


def versions(answer: Row) -> Iterable[Row]:
    """One row per version and point."""
    for version in answer["versions"]:
        of_version = {"version": version["version"], "arrived_at": version["arrived_at"]}
        for point in version["points"]:
            yield {**of_version, **point, **_provenance(answer)}


def histogram(answer: Row) -> Iterable[Row]:
    """One row per bar; examples are not figures."""
    for bar in answer["bars"]:
        yield {**{name: bar[name] for name in ("from_us", "to_us", "spans")}, **_provenance(answer)}


def phases(answer: Row) -> Iterable[Row]:
    """One row per group and phase."""
    for group in answer["groups"]:
        for phase in group["phases"]:
            yield {**_group(group), "spans": group["spans"], **phase, **_provenance(answer)}


def failures(answer: Row) -> Iterable[Row]:
    """One row per group."""
    for group in answer["groups"]:
        counts = {"requests": group["requests"], "reports": group["reports"]}
        yield {**_group(group), **counts, "rate": group["rate"], **_provenance(answer)}


def ledger(answer: Row) -> Iterable[Row]:
    """One row per hour and outcome."""
    for hour in answer["hours"]:
        yield {"hour": hour["hour"], "kind": "received", "outcome": "received", "spans": hour["received"]}
        for kind in ("outcomes", "client", "noted"):
            for outcome, spans in hour[kind].items():
                yield {"hour": hour["hour"], "kind": kind, "outcome": outcome, "spans": spans}


def audit(answer: Row) -> Iterable[Row]:
    """One row per change; its states as JSON."""
    for change in answer["changes"]:
        states = {name: change[name] and _json(change[name]) for name in ("before", "after")}
        yield {**change, **states}


def write(rows: Iterable[Row]) -> bytes:
    """CSV as RFC 4180 has it, UTF-8, with a line of names; columns that only some rows have are empty in the others."""
    flattened = [flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in flattened for name in row))
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in flattened)
    return text.getvalue().encode()


def flat(row: Row) -> dict[str, Any]:
    """Members of objects as `name.member`, ends of an interval as `name.low` and `name.high`, other lists as JSON."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= {f"{name}.{inner}": each for inner, each in flat(value).items()}
        elif isinstance(value, Sequence) and not isinstance(value, str):
            interval = name == "rate" or name.endswith("interval")
            found |= (
                dict(zip((f"{name}.{end}" for end in _ENDS), value, strict=True)) if interval else {name: _json(value)}
            )
        else:
            found[name] = value
    return found


def _group(group: Row) -> Row:
    return dict(group["group"])


def _quantiles(point: Row, quantiles: Sequence[float]) -> Row:
    named = dict(point)
    values, intervals = named.pop("quantiles"), named.pop("intervals", None)
    for place, quantile in enumerate(quantiles):
        name = f"p{quantile * 100:.6g}_us"
        named[name] = values[place]
        if intervals is not None:
            named |= {f"{name}.{end}": (intervals[place] or (None, None))[at] for at, end in enumerate(_ENDS)}
    return named


def _provenance(answer: Row) -> Row:
    return {name: answer[name] for name in ("basis", "source") if name in answer}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and not math.isfinite(value):
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
