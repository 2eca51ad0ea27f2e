"""Attributes spread over a grid of columns, and what follows from several attributes together."""

from array import array
from collections.abc import Sequence

import numpy as np

from ingest.decode.otlp_attributes import RESOURCE, SPAN
from ingest.decode.otlp_rows import NO_COLUMN, RULE_WIDTH, Codes, Pairs
from ingest.model import I64, UNKNOWN, Attributes, ConsentState

SAID_OF_SPANS = ("version", "session", "network", "consent")
"""Columns of a resource that a span may say otherwise for itself."""


def ints(numbers: "array[int]") -> I64:
    """A growing array as a column; it must not grow any more."""
    return np.frombuffer(numbers, dtype=np.int64) if numbers else np.zeros(0, dtype=np.int64)


def spread(pairs: Pairs, ids: I64, owner: I64, count: int) -> tuple[I64, Attributes]:
    """The grid (columns, count) that attributes fill, and the attributes that fill none or stay besides."""
    names = pairs.names
    grid = np.zeros((len(names.texts) + len(names.numbers), count), dtype=np.int64)
    grid[len(names.texts) :] = UNKNOWN
    value = ints(pairs.value)[ids]
    column, rank, key, place = ints(pairs.rules).reshape(-1, RULE_WIDTH).T[:, ints(pairs.rule)[ids]]
    aimed = np.flatnonzero(column != NO_COLUMN)
    if rank.any():
        # Numpy lets the last of several writes to a cell stand: the best name comes last.
        aimed = aimed[np.argsort(-rank[aimed], kind="stable")]
    cells = column[aimed] * count + owner[aimed]
    flat = grid.reshape(-1)
    flat[cells] = value[aimed]
    stay = np.flatnonzero(key)
    lost = aimed[(flat[cells] != value[aimed]) & (column[aimed] < len(names.texts)) & (key[aimed] == 0)]
    if lost.size:
        # Two states that contradict each other are no consent, and no attribute either.
        at = names.row["consent"]
        contradicted = column[lost] == at
        grid[at, owner[lost[contradicted]]] = pairs.codes[ConsentState.DENIED.word]
        lost = lost[~contradicted]
    owners, keys, values = owner[stay], key[stay], value[stay]
    if lost.size:
        spelled = np.array([pairs.codes[pairs.spellings[p]] for p in place[lost].tolist()], dtype=np.int64)
        owners = np.concatenate([owners, owner[lost]])
        keys, values = np.concatenate([keys, spelled]), np.concatenate([values, value[lost]])
    return grid, Attributes(owner=owners.astype(np.int32), key=keys.astype(np.int32), value=values.astype(np.int32))


def divide_resources(
    spans: I64, resource: I64, resources: I64, attributes: Attributes, texts: int
) -> tuple[I64, I64, Attributes, I64]:
    """Splits resources whose spans differ in what they say for themselves; the spans' word goes before theirs.

    Args:
        spans: the grid of the spans.
        resource: (n,) row of each span's resource.
        resources: the grid of the resources.
        attributes: of the resources.
        texts: size of the string table.

    Returns:
        The last three for the new resources, and for each of them the old one it came from.
    """
    divided, origin = _divide(resource, [spans[SPAN.row[name]] for name in SAID_OF_SPANS], texts)
    if origin is None:
        return resource, resources, attributes, np.arange(resources.shape[1])
    _, first = np.unique(divided, return_index=True)
    own = resources[:, origin]
    for name in SAID_OF_SPANS:
        said = spans[SPAN.row[name], first]
        own[RESOURCE.row[name]] = np.where(said > 0, said, own[RESOURCE.row[name]])
    return divided, own, _copy_rows(attributes, origin), origin


def _divide(resource: I64, own: Sequence[I64], texts: int) -> tuple[I64, I64 | None]:
    """Splits resources whose spans differ in what they say for themselves.

    Returns:
        For each span its new resource, and for each new resource the old one; None when nothing changed.
    """
    key = resource
    for codes in own:
        if codes.any():
            _, key = np.unique(key * texts + codes, return_inverse=True)
    if key is resource:
        return resource, None
    _, first, divided = np.unique(key, return_index=True, return_inverse=True)
    # In the order of appearance, which unlike that of codes is the same in every encoding.
    order = np.argsort(first)
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return place[divided], resource[first[order]]


def _copy_rows(attributes: Attributes, origin: I64) -> Attributes:
    """For each new resource the attributes of the one it came from."""
    order = np.argsort(attributes.owner, kind="stable")
    owners = attributes.owner[order]
    left = np.searchsorted(owners, origin, side="left")
    lengths = np.searchsorted(owners, origin, side="right") - left
    ends = np.cumsum(lengths)
    within = np.arange(int(lengths.sum())) - np.repeat(ends - lengths, lengths)
    rows = order[np.repeat(left, lengths) + within]
    return Attributes(
        owner=np.repeat(np.arange(len(origin), dtype=np.int32), lengths),
        key=attributes.key[rows],
        value=attributes.value[rows],
    )


def compose_urls(spans: I64, codes: Codes) -> None:
    """Whole URLs for spans that came with the parts of one."""
    url, scheme, host = (spans[SPAN.row[name]] for name in ("url", "scheme", "host"))
    port, path, query = (spans[SPAN.row[name]] for name in ("port", "path", "query"))
    parts = np.flatnonzero((url == 0) & (scheme > 0) & (host > 0) & (path > 0))
    if not parts.size:
        return
    strings = list(codes)
    for span in parts.tolist():
        authority = strings[host[span]]
        if port[span] and ":" not in authority:
            authority = f"{authority}:{strings[port[span]]}"
        whole = f"{strings[scheme[span]]}://{authority}/{strings[path[span]].lstrip('/')}"
        if query[span] and "?" not in whole:
            whole = f"{whole}?{strings[query[span]].removeprefix('?')}"
        url[span] = codes[whole]
