"""scrub: every text of the batch, judged by where it stands; what comes out is built anew from scrubbed text alone.

The new string table is filled only with what `privacy` gave back, so a text that no column names cannot survive:
leaving one out loses it, never leaks it.

A *role* is a column of text; a *cell* is a scope (an app's policy and key), a role and a code, numbered in this order.
So what stands where, in which of two dozen columns, is one array, and each distinct cell is judged once.

What a policy has *hashed* stands as `{email:<pseudonym>}`, but never in a column that series are cut by: rollups are
kept long and are about nobody. Attributes that a policy has *dropped*, or does not list, are left out.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

import privacy
from ingest.model import (
    I32,
    I64,
    Attributes,
    Bodies,
    Columns,
    Drops,
    Events,
    Resources,
    Scrubs,
    Sketches,
    SpanBatch,
    Spans,
)
from ingest.outcome import DROP_REASONS
from ingest.pipeline.scopes import Scope, Scopes
from ingest.pipeline.strings import StringTable
from ingest.pipeline.texts import Texts, judge

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
CLOSED = {"method": (METHODS, "_OTHER"), "reason": (DROP_REASONS, "other")}
"""Columns with a closed vocabulary, and what stands for any other word (for methods: as semantic conventions write)."""
KIND_BY_COLUMN = {"url": "url", "route": "path", "screen": "path", "name": "message", "key": "message"}
"""How the text of a column is judged; any other is an attribute with the column's name for a key."""
PSEUDONYMS = frozenset({"session", "installation", "epoch"})
"""Columns of identities. The name of a clock's epoch is one, of a boot or a page; `anchor_clock` compares it."""


class Role(NamedTuple):
    """A column of text."""

    table: str
    column: str

    @property
    def kind(self) -> str:
        """How `privacy` judges it."""
        return KIND_BY_COLUMN.get(self.column, "attribute")


TABLES: dict[str, type[Columns]] = {
    "bodies": Bodies,
    "resources": Resources,
    "spans": Spans,
    "attributes": Attributes,
    "resource_attributes": Attributes,
    "events": Events,
    "drops": Drops,
    "sketches": Sketches,
}
ATTRIBUTES = ("attributes", "resource_attributes")
ROLES = tuple(Role(name, column) for name, table in TABLES.items() for column in table.CODES if column != "value")
PLAIN = np.array([role.column not in PSEUDONYMS | CLOSED.keys() for role in ROLES])

_LEFT_OUT = -1
"""Stands for the code of an attribute's value that is not to be stored."""


def scrub(batch: SpanBatch, scopes: Scopes) -> tuple[SpanBatch, Scrubs]:
    """The same rows with text scrubbed by each app's policy, and what was found.

    Sessions, installations and clock epochs become keyed pseudonyms.
    """
    scope_of = scopes.rows_of(batch)
    size = len(batch.strings)
    cells, lengths = _cells(batch, scope_of, size)
    pairs = [_distinct_pairs(getattr(batch, name), scope_of[name], size) for name in ATTRIBUTES]
    given = _Given(_distinct(cells, len(scopes.all) * len(ROLES) * size), *(distinct for distinct, _ in pairs))

    table = StringTable()
    new = _Given(*(np.zeros(len(numbers), dtype=np.int32) for numbers in given))
    counts: Counter[tuple[int, str]] = Counter()
    for number, scope in enumerate(scopes.all):
        parts = given.of_scope(number, size)
        own = _Given(*(numbers[part] for numbers, part in zip(given, parts, strict=True)))
        codes, hits = _scrub_scope(own, batch.strings, scope, table)
        for column, part, new_codes in zip(new, parts, codes, strict=True):
            column[part] = new_codes
        counts.update({(scope.app_id, rule): finds for rule, finds in hits.items()})

    new_codes = np.zeros(len(scopes.all) * len(ROLES) * size, dtype=np.int32)
    new_codes[given.cells] = new.cells
    changes: dict[str, dict[str, I32]] = {name: {} for name in TABLES}
    for role, column in zip(ROLES, np.split(new_codes[cells], np.cumsum(lengths)[:-1]), strict=True):
        changes[role.table][role.column] = column
    for name, (_, inverse), values in zip(ATTRIBUTES, pairs, new[1:], strict=True):
        changes[name]["value"] = values[inverse]
    tables: dict[str, Any] = {name: replace(getattr(batch, name), **changes[name]) for name in TABLES}
    for name in ATTRIBUTES:
        lost_key = (tables[name].key == 0) & (getattr(batch, name).key != 0)
        if (left_out := lost_key | (tables[name].value == _LEFT_OUT)).any():
            tables[name] = tables[name].take(~left_out)
    return replace(batch, strings=table.strings, **tables), _scrubs(counts, table)


class _Given(NamedTuple):
    """What there is to judge, ascending: cells, and attributes as (scope, key, value). Or the codes of each."""

    cells: Any
    attributes: Any
    resource_attributes: Any

    def of_scope(self, number: int, size: int) -> "_Given":
        """Which rows of each belong to a scope."""

        def part(numbers: I64, width: int) -> slice:
            return slice(*np.searchsorted(numbers, [number * width, (number + 1) * width]))

        pairs = (part(numbers, size * size) for numbers in self[1:])
        return _Given(part(self.cells, len(ROLES) * size), *pairs)


def _scrub_scope(
    given: _Given, strings: Sequence[str], scope: Scope, table: StringTable
) -> tuple[Sequence[I32], Mapping[str, int]]:
    """The new code of everything given in one scope, and how often each rule found something."""
    size = len(strings)
    roles, old = given.cells // size % len(ROLES), given.cells % size
    plain = np.flatnonzero((old != 0) & PLAIN[roles])
    texts = _texts_of_cells(strings, roles[plain], old[plain])
    for pairs in given[1:]:
        _add_pairs(texts, strings, pairs)
    judged = judge(texts, len(plain), scope)
    codes = table.codes(judged.texts)
    codes[judged.left_out] = _LEFT_OUT

    cells = np.zeros(len(old), dtype=np.int32)
    cells[plain] = codes[: len(plain)]
    for row in np.flatnonzero((old != 0) & ~PLAIN[roles]).tolist():
        cells[row] = table.code(_replace(ROLES[roles[row]].column, strings[old[row]], scope.key))
    ends = np.cumsum([len(plain), len(given.attributes)])
    return (cells, *np.split(codes, ends)[1:]), judged.hits


def _texts_of_cells(strings: Sequence[str], roles: I64, codes: I64) -> Texts:
    named = [ROLES[role] for role in roles.tolist()]
    texts = [strings[code] for code in codes.tolist()]
    return Texts([role.kind for role in named], [role.column for role in named], texts)


def _add_pairs(texts: Texts, strings: Sequence[str], pairs: I64) -> None:
    """Attributes as (scope, key, value)."""
    size = len(strings)
    texts.kinds.extend(["attribute"] * len(pairs))
    texts.keys.extend([strings[code] for code in (pairs // size % size).tolist()])
    texts.texts.extend([strings[code] for code in (pairs % size).tolist()])


def _scrubs(counts: Mapping[tuple[int, str], int], table: StringTable) -> Scrubs:
    return Scrubs(
        app_id=np.array([app_id for app_id, _ in counts], dtype=np.int32),
        rule=table.codes([rule for _, rule in counts]),
        finds=np.array([*counts.values()], dtype=np.int64),
    )


def _cells(batch: SpanBatch, scope_of: Mapping[str, I32], size: int) -> tuple[I64, list[int]]:
    """The cells of all columns of text, one after the other, and how long each column is."""
    columns = [getattr(getattr(batch, role.table), role.column) for role in ROLES]
    lengths = [len(column) for column in columns]
    offsets = np.repeat(np.arange(len(ROLES), dtype=np.int64) * size, lengths)
    scopes = np.concatenate([scope_of[role.table] for role in ROLES]).astype(np.int64)
    return np.concatenate(columns) + offsets + scopes * (len(ROLES) * size), lengths


def _distinct(numbers: I64, limit: int) -> I64:
    """The distinct values of numbers in [0, limit), ascending; cheaper than sorting them."""
    marks = np.zeros(limit, dtype=np.bool_)
    marks[numbers] = True
    return np.flatnonzero(marks)


def _distinct_pairs(attributes: Attributes, scope: I32, size: int) -> tuple[I64, I64]:
    """The distinct (scope, key, value) of a table as numbers to the base `size`, and which of them each row holds."""
    pairs = (scope.astype(np.int64) * size + attributes.key) * size + attributes.value
    distinct, inverse = np.unique(pairs, return_inverse=True)
    return distinct, inverse.ravel()


def _replace(column: str, text: str, pseudonym_key: bytes) -> str:
    if column in PSEUDONYMS:
        return privacy.pseudonym(pseudonym_key, text)
    known, other = CLOSED[column]
    return text if text in known else other
