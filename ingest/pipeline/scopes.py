"""Whose rules apply to a body: its app's privacy policy, and the key of its app and period for pseudonyms."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ingest.model import I32, Reception, SpanBatch
from ingest.settings import AppPolicy
from privacy import Ring
from privacy.pseudonyms import period_of


class Scope(NamedTuple):
    """One app in one key period."""

    app_id: int
    policy: AppPolicy
    key: bytes


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of a micro-batch."""

    all: Sequence[Scope]
    of_body: I32
    """(m,) row of `all`."""

    def rows_of(self, batch: SpanBatch) -> "dict[str, I32]":
        """Table of the batch → the scope of each of its rows."""
        of_resource = self.of_body[batch.resources.body]
        of_span = of_resource[batch.spans.resource]
        return {
            "bodies": self.of_body,
            "resources": of_resource,
            "spans": of_span,
            "attributes": of_span[batch.attributes.owner],
            "resource_attributes": of_resource[batch.resource_attributes.owner],
            "events": of_span[batch.events.owner],
            "drops": self.of_body[batch.drops.body],
            "sketches": of_resource[batch.sketches.resource],
        }


def find_scopes(receptions: Sequence[Reception], ring: Ring, policy_of: Callable[[int], AppPolicy]) -> Scopes:
    """The scopes of these bodies: pseudonyms change with the period of receipt.

    Args:
        ring: the keys.
        policy_of: app → the policy in force.
    """
    places: dict[tuple[int, int], int] = {}
    of_body = [
        places.setdefault((reception.app_id, period_of(reception.received_at_us)), len(places))
        for reception in receptions
    ]
    scopes = [Scope(app_id, policy_of(app_id), ring.key(app_id, period)) for app_id, period in places]
    return Scopes(scopes, np.array(of_body, dtype=np.int32))
