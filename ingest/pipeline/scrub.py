"""scrub: every text of the batch, judged by where it stands; what comes out is built anew from scrubbed text alone.

The new string table is filled only with what `privacy` gave back, so a text that no column names cannot survive:
leaving one out loses it, never leaks it.

A *role* is a column of text; a *cell* is a role and a code, numbered role · size + code. So what stands where, in which
of two dozen columns, is one array, and each distinct cell is judged once.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

import privacy
from ingest.model import I32, I64, Attributes, Bodies, Columns, Drops, Events, Resources, SpanBatch, Spans
from ingest.outcome import DROP_REASONS
from ingest.pipeline.strings import StringTable

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
CLOSED = {"method": (METHODS, "_OTHER"), "reason": (DROP_REASONS, "other")}
"""Columns with a closed vocabulary, and what stands for any other word (for methods: as semantic conventions write)."""
KIND_BY_COLUMN = {"url": "url", "route": "path", "screen": "path", "name": "message", "key": "message"}
"""How the text of a column is judged; any other is an attribute with the column's name for a key."""
PSEUDONYMS = frozenset({"session", "installation"})


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
}
ATTRIBUTES = ("attributes", "resource_attributes")
ROLES = tuple(Role(name, column) for name, table in TABLES.items() for column in table.CODES if column != "value")
PLAIN = np.array([role.column not in PSEUDONYMS | CLOSED.keys() for role in ROLES])


def scrub(batch: SpanBatch, pseudonym_key: bytes) -> SpanBatch:
    """The same rows with scrubbed text; sessions and installations become keyed pseudonyms."""
    strings, size = batch.strings, len(batch.strings)
    cells, lengths = _cells(batch, size)
    roles, codes = np.divmod(_distinct(cells, len(ROLES) * size), size)
    given, named = codes != 0, PLAIN[roles]
    plain, special = np.flatnonzero(given & named), np.flatnonzero(given & ~named)
    pairs = [_distinct_pairs(getattr(batch, name), size) for name in ATTRIBUTES]

    kinds = [ROLES[role].kind for role in roles[plain].tolist()]
    keys = [ROLES[role].column for role in roles[plain].tolist()]
    texts = [strings[code] for code in codes[plain].tolist()]
    for distinct, _ in pairs:
        key_codes, value_codes = (part.tolist() for part in np.divmod(distinct, size))
        kinds += ["attribute"] * len(distinct)
        keys += [strings[code] for code in key_codes]
        texts += [strings[code] for code in value_codes]
    table = StringTable()
    scrubbed = table.codes(privacy.scrub_many(kinds, keys, texts))

    new_codes = np.zeros(len(ROLES) * size, dtype=np.int32)
    new_codes[roles[plain] * size + codes[plain]] = scrubbed[: len(plain)]
    for role, code in zip(roles[special].tolist(), codes[special].tolist(), strict=True):
        new_codes[role * size + code] = table.code(_replace(ROLES[role].column, strings[code], pseudonym_key))
    columns = np.split(new_codes[cells], np.cumsum(lengths)[:-1])

    changes: dict[str, dict[str, I32]] = {name: {} for name in TABLES}
    for role, column in zip(ROLES, columns, strict=True):
        changes[role.table][role.column] = column
    start = len(plain)
    for name, (distinct, inverse) in zip(ATTRIBUTES, pairs, strict=True):
        changes[name]["value"] = scrubbed[start : start + len(distinct)][inverse]
        start += len(distinct)
    tables: dict[str, Any] = {name: replace(getattr(batch, name), **changes[name]) for name in TABLES}
    return replace(batch, strings=table.strings, **tables)


def _cells(batch: SpanBatch, size: int) -> tuple[I64, list[int]]:
    """The cells of all columns of text, one after the other, and how long each column is."""
    columns = [getattr(getattr(batch, role.table), role.column) for role in ROLES]
    lengths = [len(column) for column in columns]
    offsets = np.repeat(np.arange(len(ROLES), dtype=np.int64) * size, lengths)
    return np.concatenate(columns) + offsets, lengths


def _distinct(numbers: I64, limit: int) -> I64:
    """The distinct values of numbers in [0, limit), ascending; cheaper than sorting them."""
    marks = np.zeros(limit, dtype=np.bool_)
    marks[numbers] = True
    return np.flatnonzero(marks)


def _distinct_pairs(attributes: Attributes, size: int) -> tuple[I64, I64]:
    """The distinct (key, value) of a table as key · size + value, and which of them each row holds."""
    pairs = attributes.key.astype(np.int64) * size + attributes.value
    distinct, inverse = np.unique(pairs, return_inverse=True)
    return distinct, inverse.ravel()


def _replace(column: str, text: str, pseudonym_key: bytes) -> str:
    if column in PSEUDONYMS:
        return privacy.pseudonym(pseudonym_key, text)
    known, other = CLOSED[column]
    return text if text in known else other
