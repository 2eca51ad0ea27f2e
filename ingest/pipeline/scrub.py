"""scrub: every text of the batch, judged by where it stands; what comes out is built anew from scrubbed text alone.

The new string table is filled only with what `privacy` gave back, so a text that no column names cannot survive:
leaving one out loses it, never leaks it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

import privacy
from ingest.model import I32, I64, Attributes, SpanBatch
from ingest.outcome import DROP_REASONS
from ingest.pipeline.strings import StringTable

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
CLOSED = {"method": (METHODS, "_OTHER"), "reason": (DROP_REASONS, "other")}
"""Columns with a closed vocabulary, and what stands for any other word (for methods: as semantic conventions write)."""

TABLES = ("bodies", "resources", "spans", "attributes", "resource_attributes", "events", "drops")
KIND_BY_COLUMN = {"url": "url", "route": "path", "screen": "path", "name": "message", "key": "message"}
"""How the text of a column is judged; any other is an attribute with the column's name for a key."""
PSEUDONYMS = frozenset({"session", "installation"})


@dataclass(slots=True)
class _Desk:
    """Texts waiting to be scrubbed together, and the place of each in the order in which they came."""

    kinds: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def lay(self, kind: str, keys: list[str], texts: list[str]) -> slice:
        start = len(self.texts)
        self.kinds.extend([kind] * len(texts))
        self.keys.extend(keys)
        self.texts.extend(texts)
        return slice(start, len(self.texts))


def scrub(batch: SpanBatch, pseudonym_key: bytes) -> SpanBatch:
    """The same rows with scrubbed text; sessions and installations become keyed pseudonyms."""
    strings = batch.strings
    desk, table = _Desk(), StringTable()
    columns: list[tuple[str, str, I64, slice | I32]] = []
    for name in TABLES:
        for column in getattr(batch, name).CODES:
            if column == "value":
                continue
            used = _used(getattr(getattr(batch, name), column), len(strings))
            texts = [strings[code] for code in used.tolist()]
            if column in PSEUDONYMS:
                columns.append((name, column, used, table.codes([privacy.pseudonym(pseudonym_key, t) for t in texts])))
            elif column in CLOSED:
                known, other = CLOSED[column]
                columns.append((name, column, used, table.codes([t if t in known else other for t in texts])))
            else:
                columns.append(
                    (
                        name,
                        column,
                        used,
                        desk.lay(KIND_BY_COLUMN.get(column, "attribute"), [column] * len(texts), texts),
                    )
                )
    values = {name: _lay_values(getattr(batch, name), strings, desk) for name in ("attributes", "resource_attributes")}

    new_codes = table.codes(privacy.scrub_many(desk.kinds, desk.keys, desk.texts))
    changes: dict[str, dict[str, I32]] = {name: {} for name in TABLES}
    for name, column, used, place in columns:
        mapping = np.zeros(len(strings), dtype=np.int32)
        mapping[used] = new_codes[place] if isinstance(place, slice) else place
        changes[name][column] = mapping[getattr(getattr(batch, name), column)]
    for name, (place, inverse) in values.items():
        changes[name]["value"] = new_codes[place][inverse]
    tables: dict[str, Any] = {name: replace(getattr(batch, name), **changes[name]) for name in TABLES}
    return replace(batch, strings=table.strings, **tables)


def _used(codes: I32, size: int) -> I64:
    """The distinct codes of a column, without the empty string's."""
    marks = np.zeros(size, dtype=np.bool_)
    marks[codes] = True
    marks[0] = False
    return np.flatnonzero(marks)


def _lay_values(attributes: Attributes, texts: Sequence[str], desk: _Desk) -> tuple[slice, I64]:
    """Puts each distinct (key, value) on the desk once; the second part says which of them each row holds."""
    size = len(texts)
    pairs = attributes.key.astype(np.int64) * size + attributes.value
    distinct, inverse = np.unique(pairs, return_inverse=True)
    key_codes, value_codes = (part.tolist() for part in np.divmod(distinct, size))
    place = desk.lay("attribute", [texts[code] for code in key_codes], [texts[code] for code in value_codes])
    return place, inverse.ravel()
