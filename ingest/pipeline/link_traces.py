"""link_traces: which other spans the kept ones point at, how long the server says it took, whose trace ids count.

Client context is untrusted. Links without valid ids go, and so do tracestate and baggage that instrumentation copied
into attributes: of tracestate only its sampling members count (decoders read them), baggage says anything of anybody.

What an answer said of its server becomes links of `LinkKind.SERVER` and `server_us`: `ingest.pipeline.server_timing`
reads it from the attributes in which OpenTelemetry keeps response headers, and from those of Splunk's SDKs.

An app with `traces.gateway` does not go by its clients' trace ids. The edge gives their traces ids of its own: a keyed
hash, so that one trace gets one id from every edge and none leads back. What the client wrote stays as a link of
`LinkKind.EXTERNAL` on every kept span whose parent is not kept from the same body, so that each piece of a trace has
it, whatever else was sampled; it names the span itself. A client's own span links are stored twice, into the renamed
trace and as sent: nobody can tell whether a link leads to a client (renamed) or to a backend (not).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

import numpy as np

from ingest.model import I32, I64, REUSED, U8, UNKNOWN, Attributes, LinkKind, Links, Mask, Phase, SpanBatch
from ingest.outcome import Note
from ingest.pipeline.findings import Noted
from ingest.pipeline.scopes import Scopes
from ingest.pipeline.server_timing import (
    MOST_ENTRIES,
    Entry,
    ServerSpan,
    read_context,
    read_entries,
    read_values,
    server_time,
)

SERVER_TIMING: Final = frozenset({"http.response.header.server-timing", "http.response.header.server_timing"})
"""With `_` by SDKs from before the conventions of 1.21."""
TRACE_RESPONSE: Final = frozenset({"http.response.header.traceresponse"})
LINK_TRACE: Final = "link.traceid"
LINK_SPAN: Final = "link.spanid"
"""As Splunk's SDKs for web, Android and iOS write what they read in Server-Timing: `link.traceId`, `link.spanId`."""
TELLING: Final = SERVER_TIMING | TRACE_RESPONSE | {LINK_TRACE, LINK_SPAN}
NEVER_STORED: Final = frozenset(
    where + name
    for where in ("", "http.request.header.", "http.response.header.")
    for name in ("baggage", "tracestate")
)
MOST_SERVERS: Final = 4
"""Server spans of one answer: gateways on the way may add theirs."""
TOLERANCE_US: Final = 2_000
"""By which a server's time may exceed the wait for its first byte: browsers give moments to the ms, on both sides."""


@dataclass(frozen=True, slots=True)
class Linked:
    """The kept spans with their links."""

    batch: SpanBatch
    server_us: I64
    """(k,) how long the server says it took, or UNKNOWN."""
    notes: Sequence[Noted]
    """Masks (k,)."""


def link_traces(batch: SpanBatch, scopes: Scopes, partners: Mask) -> Linked:
    """The batch with its links, and with trace ids of the edge's own where the app's policy asks for them.

    Args:
        batch: the kept spans; its strings hold what stages before added.
        partners: (m,) bodies whose trace ids are kept whatever the app's policy.
    """
    if len(batch.links):
        batch = replace(batch, links=_named(batch.links))
    batch, answers = _read_answers(batch)
    if answers:
        batch = replace(batch, links=Links.concat([batch.links, _server_links(batch, answers)]))
    server_us, exceeded = _server_times(batch, answers)
    batch, renamed = _rename(batch, scopes, partners)
    return Linked(batch, server_us, ((Note.TRACE_RENAMED, renamed), (Note.SERVER_TIME_EXCEEDS, exceeded)))


def _named(links: Links) -> Links:
    """Those with valid ids."""
    named: Mask = np.any(links.trace_id, axis=1) & (np.any(links.span_id, axis=1) | (links.kind != LinkKind.SPAN))
    return links.take(named)


class _Answer:
    """What the answer to one request said."""

    __slots__ = ("digits", "entries", "spans")

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.spans: list[ServerSpan] = []
        self.digits: dict[str, str] = {}

    def read(self, key: str, text: str, known: dict[str, Sequence[Entry]]) -> None:
        """Takes an attribute in, unless enough is known: a client may send many, all with the same long text.

        Args:
            known: text → its entries.
        """
        if key in (LINK_TRACE, LINK_SPAN):
            self.digits[key] = text
        elif key in SERVER_TIMING and len(self.entries) < MOST_ENTRIES:
            if text not in known:
                known[text] = [entry for value in read_values(text) for entry in read_entries(value)][:MOST_ENTRIES]
            self.entries += known[text]
        elif key in TRACE_RESPONSE and len(self.spans) < MOST_SERVERS:
            self.spans += [span for span in map(read_context, read_values(text)) if span is not None]

    def servers(self) -> list[ServerSpan]:
        """The distinct server spans it named."""
        named = [entry.span for entry in self.entries if entry.span is not None]
        if self.digits:
            told = read_context(f"00-{self.digits.get(LINK_TRACE, '')}-{self.digits.get(LINK_SPAN, '')}")
            named += [told] if told else []
        return list(dict.fromkeys([*named, *self.spans]))[:MOST_SERVERS]


def _read_answers(batch: SpanBatch) -> tuple[SpanBatch, dict[int, _Answer]]:
    """The batch without tracestate and baggage, and what answers said, by row of the span."""
    strings = batch.strings
    answers: dict[int, _Answer] = {}
    known: dict[str, Sequence[Entry]] = {}
    keys = {code: strings[code].lower() for code in np.unique(batch.attributes.key).tolist()}
    attributes = _without_context(batch.attributes, strings)
    telling = [c for c, key in keys.items() if key in TELLING]
    for row in np.flatnonzero(np.isin(attributes.key, telling)).tolist() if telling else ():
        answer = answers.setdefault(int(attributes.owner[row]), _Answer())
        answer.read(keys[int(attributes.key[row])], strings[attributes.value[row]], known)
    of_resources = _without_context(batch.resource_attributes, strings)
    return replace(batch, attributes=attributes, resource_attributes=of_resources), answers


def _without_context(attributes: Attributes, strings: Sequence[str]) -> Attributes:
    """The attributes but those that hold tracestate or baggage."""
    foreign = [code for code in np.unique(attributes.key).tolist() if strings[code].lower() in NEVER_STORED]
    return attributes.take(~np.isin(attributes.key, foreign)) if foreign else attributes


def _server_links(batch: SpanBatch, answers: dict[int, _Answer]) -> Links:
    found = [(owner, span) for owner, answer in answers.items() for span in answer.servers()]
    owners = np.array([owner for owner, _ in found], dtype=np.int32)
    own = batch.spans.trace_id[owners].tobytes()
    trace_ids = b"".join(span.trace_id or own[16 * row : 16 * row + 16] for row, (_, span) in enumerate(found))
    return Links(
        owner=owners,
        trace_id=_ids(trace_ids, 16),
        span_id=_ids(b"".join(span.span_id for _, span in found), 8),
        kind=np.full(len(found), LinkKind.SERVER, dtype=np.uint8),
    )


def _server_times(batch: SpanBatch, answers: dict[int, _Answer]) -> tuple[I64, Mask]:
    """(k,) the server's time as far as it can be true, and where it cannot.

    A server takes its time between the request and the first byte of the answer. Where that wait was not measured, the
    span's duration bounds it. What the cache answered carries the header of an earlier answer: unknown.
    """
    spans = batch.spans
    said = np.full(len(spans), UNKNOWN, dtype=np.int64)
    if not answers:
        return said, np.zeros(len(spans), dtype=np.bool_)
    for owner, answer in answers.items():
        said[owner] = server_time(answer.entries)
    wait = spans.phases_us[Phase.TTFB]
    longest = np.where(wait == UNKNOWN, spans.duration_us, wait)
    told = (said != UNKNOWN) & (wait != REUSED)
    exceeded = told & (said > longest + TOLERANCE_US)
    return np.where(told & ~exceeded, np.minimum(said, longest), UNKNOWN), exceeded


def _rename(batch: SpanBatch, scopes: Scopes, partners: Mask) -> tuple[SpanBatch, Mask]:
    """The batch with the edge's own ids for the traces of clients, where the policy asks for them."""
    gateway = np.array([scope.policy.traces.gateway for scope in scopes.all], dtype=np.bool_)
    of_body = gateway[scopes.of_body] & ~partners
    renamed = of_body[batch.body_of_span]
    if not renamed.any():
        return batch, renamed
    spans, links = batch.spans, batch.links
    scope = scopes.of_body[batch.body_of_span]
    heads = np.flatnonzero(renamed & ~_has_parent(batch))
    pointing = np.flatnonzero(renamed[links.owner] & (links.kind == LinkKind.SPAN))
    as_sent = Links(
        owner=np.concatenate([heads.astype(np.int32), links.owner[pointing]]),
        trace_id=np.concatenate([spans.trace_id[heads], links.trace_id[pointing]]),
        span_id=np.concatenate([spans.span_id[heads], links.span_id[pointing]]),
        kind=np.full(len(heads) + len(pointing), LinkKind.EXTERNAL, dtype=np.uint8),
    )
    trace_ids, linked = spans.trace_id.copy(), links.trace_id.copy()
    trace_ids[renamed] = _new_ids(spans.trace_id[renamed], scope[renamed], scopes)
    linked[pointing] = _new_ids(links.trace_id[pointing], scope[links.owner[pointing]], scopes)
    return replace(
        batch,
        spans=replace(spans, trace_id=trace_ids),
        links=Links.concat([replace(links, trace_id=linked), as_sent]),
    ), renamed


def _has_parent(batch: SpanBatch) -> Mask:
    """(k,) spans whose parent is here too: in the same trace and body, so that nobody else's spans can tell."""
    spans = batch.spans
    where = np.concatenate([_bytes_of(batch.body_of_span), spans.trace_id], axis=1)
    own = np.ascontiguousarray(np.concatenate([where, spans.span_id], axis=1)).view("V28").ravel()
    parent = np.ascontiguousarray(np.concatenate([where, spans.parent_span_id], axis=1)).view("V28").ravel()
    here = set(own.tolist())
    return np.fromiter((one in here for one in parent.tolist()), dtype=np.bool_, count=len(parent))


def _new_ids(trace_ids: U8, scope: I32, scopes: Scopes) -> U8:
    """(n, 16) keyed hashes of (n, 16) trace ids, by the key of each one's app and period."""
    known: dict[tuple[int, bytes], bytes] = {}
    raw = trace_ids.tobytes()
    made = []
    for row, number in enumerate(scope.tolist()):
        trace_id = raw[16 * row : 16 * row + 16]
        if (number, trace_id) not in known:
            key = scopes.all[number].key
            known[number, trace_id] = blake2b(trace_id, key=key, digest_size=16, person=b"trace").digest()
        made.append(known[number, trace_id])
    return _ids(b"".join(made), 16)


def _bytes_of(numbers: I32) -> U8:
    return np.ascontiguousarray(numbers, dtype="<i4").view(np.uint8).reshape(-1, 4)


def _ids(raw: bytes, width: int) -> U8:
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, width)
