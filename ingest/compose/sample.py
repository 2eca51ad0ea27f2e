"""A sample of what clients send, as the texts that a policy would judge: for `firsthop privacy preview`.

A file may be one body in JSON (native, OTLP, Faro's, of reports), as it would be posted; or lines, each a text of its
own or a JSON object with `text` and, where they matter, `kind` and `key`.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ingest.compose.home import StartError
from ingest.decode.formats import DECODERS, Format
from ingest.model import SpanBatch
from ingest.pipeline.scrub import ATTRIBUTES, PSEUDONYMS, ROLES, Role
from ingest.pipeline.scrub import PLAIN as JUDGED
from ingest.pipeline.texts import Texts
from ingest.settings import Limits

MOST_BYTES = 64 << 20


class Sample(NamedTuple):
    """Distinct texts, and where each was found."""

    texts: Texts
    """Those of columns, then attributes."""
    columns: int
    """How many are no attributes."""
    where: list[str]
    """In step: a column, or the table of an attribute; "" for a line."""
    identities: list[tuple[str, str]]
    """(column, id) of what becomes a pseudonym without being judged."""


class _Place(NamedTuple):
    where: str
    kind: str
    key: str
    text: str


def read_sample(data: bytes, limits: Limits) -> Sample:
    """The texts of a file.

    Raises:
        StartError: it is too large, or a body that the edge would refuse.
    """
    if len(data) > MOST_BYTES:
        raise StartError(f"the sample is larger than {MOST_BYTES >> 20} MiB: take a part of it")
    form = _format_of(_json(data))
    if form is not None:
        return _of_body(form, data, limits)
    places = [_of_line(line) for line in data.decode("utf-8", "replace").splitlines() if line.strip()]
    return _sample(places, [])


_TELLING = {
    "resourceSpans": Format.OTLP_JSON,
    "strings": Format.NATIVE,
    "meta": Format.FARO,
    "csp-report": Format.REPORTS,
}
"""Member of a body → what it is a body of."""


def _format_of(body: Any) -> Format | None:
    """What a whole file is a body of; None for lines."""
    if isinstance(body, list):
        return Format.REPORTS
    return next((form for name, form in _TELLING.items() if name in body), None) if isinstance(body, dict) else None


def _of_line(line: str) -> _Place:
    given = _json(line) if line.startswith("{") else None
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        return _Place("", "message", "", line)
    return _Place("", str(given.get("kind", "message")), str(given.get("key", "")), given["text"])


def _of_body(form: Format, data: bytes, limits: Limits) -> Sample:
    bounds = replace(limits, body_bytes=MOST_BYTES)
    decoded = DECODERS[form]([data], bounds)
    if decoded.faults:
        raise StartError(f"the edge would refuse this body: {decoded.faults[0]}")
    batch = decoded.batch
    judged = [role for role, judge in zip(ROLES, JUDGED.tolist(), strict=True) if judge]
    pseudonyms = [role for role in ROLES if role.column in PSEUDONYMS]
    places = [
        _Place(f"{role.table}.{role.column}", role.kind, role.column, text)
        for role in judged
        for text in _column(batch, role)
    ]
    places += [place for name in ATTRIBUTES for place in _attributes(batch, name)]
    return _sample(places, [(role.column, text) for role in pseudonyms for text in _column(batch, role)])


def _column(batch: SpanBatch, role: Role) -> Iterator[str]:
    for code in np.unique(getattr(getattr(batch, role.table), role.column)).tolist():
        if code:
            yield batch.strings[code]


def _attributes(batch: SpanBatch, name: str) -> Iterator[_Place]:
    table = getattr(batch, name)
    for key, value in np.unique(np.stack([table.key, table.value]), axis=1).T.tolist():
        yield _Place(name, "attribute", batch.strings[key], batch.strings[value])


def _sample(places: list[_Place], identities: list[tuple[str, str]]) -> Sample:
    places = list(dict.fromkeys(places))
    places.sort(key=lambda place: place.kind == "attribute" and place.where in ("", *ATTRIBUTES))
    columns = sum(not (place.kind == "attribute" and place.where in ("", *ATTRIBUTES)) for place in places)
    texts = Texts([], [], [])
    for place in places:
        texts.add(place.kind, place.key, place.text)
    return Sample(texts, columns, [place.where for place in places], identities)


def _json(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
