"""honour_consent: how much of each sender's spans may be taken in, by its app's policy; the rest is taken out here.

Signs of a user's will are what the SDK says (`ConsentState`) and the headers `Sec-GPC` and `DNT`; the strictest counts.
A backend's HTTP client knows of no user, so of what came with a server key only the state counts.

What may only be counted keeps no text but what its series is made of. What may not even be counted keeps none at all.
This happens before scrubbing, so that whatever later stages do, nothing more of it can be journaled. What a client says
it dropped stays: it is a number of the ledger and says nothing of a span.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

import numpy as np

from ingest.model import (
    U8,
    Attributes,
    ConsentState,
    Events,
    Links,
    Reception,
    Resources,
    Sketches,
    SpanBatch,
    Spans,
)
from ingest.outcome import Outcome
from ingest.pipeline.findings import COUNTERS, EVERYTHING, NOTHING
from ingest.pipeline.scopes import Scopes
from privacy.policy import Consent, Extent

STRICTNESS: Mapping[Extent, int] = {
    Extent.EVERYTHING: EVERYTHING,
    Extent.COUNTERS: COUNTERS,
    Extent.NOTHING: NOTHING,
}
COUNTED_TEXTS = frozenset({"version", "network", "os_name", "name", "method", "url", "route"})
"""Columns of resources and spans that series are made of: no text of another is read for one."""

_Described = TypeVar("_Described", Resources, Spans, Sketches)
_Owned = TypeVar("_Owned", Attributes, Events, Links)


class Honoured(NamedTuple):
    """What consent leaves."""

    batch: SpanBatch
    fates: U8
    extents: U8
    """(r,) of each resource: EVERYTHING, COUNTERS or NOTHING."""


def honour_consent(batch: SpanBatch, receptions: Sequence[Reception], scopes: Scopes, fates: U8) -> Honoured:
    """The same rows with what their users have not agreed to taken out.

    Args:
        fates: of the spans so far. For what may not be counted, consent is the reason whatever else is wrong with it.
    """
    extents = _extents(batch.resources, receptions, scopes)
    if not extents.any():
        return Honoured(batch, fates, extents)
    of_span = extents[batch.spans.resource]
    left = replace(
        batch,
        resources=_blank(batch.resources, extents),
        spans=_blank(batch.spans, of_span),
        sketches=_blank(batch.sketches, extents[batch.sketches.resource]),
        attributes=_leave_out(batch.attributes, of_span),
        resource_attributes=_leave_out(batch.resource_attributes, extents),
        events=_leave_out(batch.events, of_span),
        links=_leave_out(batch.links, of_span),
    )
    return Honoured(left, np.where(of_span == NOTHING, np.uint8(Outcome.NO_CONSENT), fates), extents)


def _extents(resources: Resources, receptions: Sequence[Reception], scopes: Scopes) -> U8:
    rules = [scope.policy.rules.consent for scope in scopes.all]
    by_state = np.array([_by_state(rule) for rule in rules], dtype=np.uint8).reshape(-1, len(ConsentState))
    by_headers = np.array(
        [_by_headers(reception, rules[scope]) for reception, scope in zip(receptions, scopes.of_body, strict=True)],
        dtype=np.uint8,
    )
    said: U8 = by_state[scopes.of_body[resources.body], resources.consent]
    return np.maximum(said, by_headers[resources.body])


def _by_state(rule: Consent) -> list[int]:
    allowed = {
        ConsentState.MISSING: rule.missing,
        ConsentState.GRANTED: rule.granted,
        ConsentState.PENDING: rule.pending,
        ConsentState.DENIED: rule.denied,
    }
    return [STRICTNESS[allowed[state]] for state in ConsentState]


def _by_headers(reception: Reception, rule: Consent) -> int:
    if reception.trusted:
        return EVERYTHING
    gpc = STRICTNESS[rule.gpc] if reception.gpc else EVERYTHING
    dnt = STRICTNESS[rule.dnt] if reception.dnt else EVERYTHING
    return max(gpc, dnt)


def _blank(table: _Described, extents: U8) -> _Described:
    """The table without the texts that may not be read."""
    allowed = {name: extents <= (COUNTERS if name in COUNTED_TEXTS else EVERYTHING) for name in table.CODES}
    return replace(table, **{name: np.where(mask, getattr(table, name), 0) for name, mask in allowed.items()})


def _leave_out(table: _Owned, extents: U8) -> _Owned:
    """Only the rows whose owner may be taken in as a whole."""
    return table.take(extents[table.owner] == EVERYTHING)
