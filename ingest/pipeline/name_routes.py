"""name_routes: the group each span is compared with, e.g. `GET api.shop.example/orders/{id}/items`.

The client's own template wins. Without one the route is derived from the URL: scheme, query and fragment go, and path
segments that look like an id become `{id}`. Spans without a URL go by their name, treated the same way. No pseudonym
stays in a route: series outlive whoever is erased. How many routes an app may have is the aggregator's business, which
sees them all.
"""

import re

import numpy as np

from ingest.model import I32, I64, Signal, Sketches, SpanBatch, Spans
from ingest.pipeline.strings import StringTable
from privacy.pseudonyms import without_pseudonyms

MAX_CHARS = 200

_UNWANTED = re.compile(r"[?#;][^\n]*")
_ID_SEGMENT = re.compile(
    r"/(?:"
    r"[0-9]++"
    r"|(?=[^/\n0-9]*+[0-9])(?:"
    r"[0-9a-fA-F]{8,}+"
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[\w~-]{20,}+"
    r"|(?=[\w~-]*[0-9]{3})[\w~-]++"
    r")"
    r"|[^/\n{]*+\{[a-z_]++\}[^/\n]*+"
    r")(?=[/\n]|$)"
)
"""Nothing taken is given back, or a segment of 8 KB would be tried in as many ways as it has pairs of characters."""
_ASSET_HASHES = tuple(
    (re.compile(re.escape(before) + r"(?=[a-f]*[0-9])[0-9a-f]{8,}(?=\.)"), before + "{hash}") for before in "/.-"
)
"""One expression for each character before the hash: a constant replacement is several times faster than a group's."""


def name_routes(batch: SpanBatch, table: StringTable) -> I32:
    """(n,) code of each span's route."""
    return _name(batch.spans, batch, table)


def name_sketched(batch: SpanBatch, table: StringTable) -> I32:
    """(s,) code of each sketch set's route: that of the spans it stands for."""
    return _name(batch.sketches, batch, table)


def _name(named: Spans | Sketches, batch: SpanBatch, table: StringTable) -> I32:
    if not len(named):
        return np.zeros(0, dtype=np.int32)
    size = len(batch.strings)
    templated = named.route != 0
    what = np.where(templated, named.route, np.where(named.url != 0, named.url, named.name))
    if isinstance(named, Spans):
        # What happens at a page is compared by what it is, not by where it was.
        what = np.where(named.signal == Signal.EVENT, named.name, what)
    local = StringTable()
    path = _by_code(what, size, local, batch, hosts=False)[what]
    host = _by_code(named.url[templated], size, local, batch, hosts=True)[np.where(templated, named.url, 0)]

    wide = len(local.strings)
    keys = (path * wide + host) * size + named.method
    distinct, inverse = np.unique(keys, return_inverse=True)
    pairs, methods = np.divmod(distinct, size)
    names = [
        _join(batch.strings[method], local.strings[pair % wide], local.strings[pair // wide])
        for method, pair in zip(methods.tolist(), pairs.tolist(), strict=True)
    ]
    codes: I32 = table.codes(names)[inverse.ravel()]
    return codes


def _by_code(codes: I32, size: int, local: StringTable, batch: SpanBatch, *, hosts: bool) -> I64:
    """For every string code in use, the local code of its route, or of its host alone."""
    marks = np.zeros(size, dtype=np.bool_)
    marks[codes] = True
    used = np.flatnonzero(marks)
    routes = _generalise([batch.strings[code] for code in used.tolist()])
    of_code = np.zeros(size, dtype=np.int64)
    of_code[used] = local.codes([route.partition("/")[0] for route in routes] if hosts else routes)
    return of_code


def _generalise(texts: list[str]) -> list[str]:
    """The routes of URLs, all at once: a pass over one long text costs a fraction of a call for each."""
    lines = "\n".join(texts)
    if lines.count("\n") >= len(texts):
        lines = "\n".join(text.replace("\n", " ") for text in texts)
    lines = without_pseudonyms(lines.replace("https://", "").replace("http://", ""))
    lines = _ID_SEGMENT.sub("/{id}", _UNWANTED.sub("", lines))
    for pattern, replacement in _ASSET_HASHES:
        lines = pattern.sub(replacement, lines)
    return lines.split("\n")


def _join(method: str, host: str, path: str) -> str:
    where = host + path if path.startswith("/") else path
    return (f"{method} {where}" if method and not where.startswith(method + " ") else where)[:MAX_CHARS]
