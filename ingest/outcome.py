"""How a received span can end, and how a request can be refused.

The ledger's law: every received span ends in exactly one `Outcome`, so per app and hour

    received = Σ outcomes

What the client says it dropped stands beside the ledger, not in it.
"""

from enum import IntEnum


class Outcome(IntEnum):
    """The one end of a received span. Values are stored: never renumber, only append."""

    KEPT = 0
    """Counted, and stored whole as part of the fair sample."""
    COUNTED_ONLY = 1
    """Counted in the sketches; the sampler did not choose it."""
    DUPLICATE = 2
    """Its batch had been stored before: a retry after a lost answer."""
    INVALID_ID = 3
    """Trace or span id missing, of wrong length or all zeros."""
    INVALID_TIME = 4
    """Start or duration missing or not representable."""
    NEGATIVE_DURATION = 5
    """It ends before it starts."""
    TOO_LONG = 6
    """Its duration exceeds `Limits.duration_us`."""
    FUTURE = 7
    """It starts further ahead of the server's clock than `Limits.future_us`."""
    TOO_OLD = 8
    """It started before what retention holds."""
    INVALID_NAME = 9
    """It has no name, or one that is not text."""
    COUNTED_NO_CONSENT = 10
    """Counted without identifiers; the user has not agreed to more."""
    NO_CONSENT = 11
    """The user has not agreed even to that."""

    @property
    def label(self) -> str:
        """The stable name in ledger, metrics and answers, e.g. `rejected:future`."""
        return _LABELS[self]


ACCEPTED = (Outcome.KEPT, Outcome.COUNTED_ONLY, Outcome.COUNTED_NO_CONSENT)
REJECTIONS = tuple(outcome for outcome in Outcome if outcome not in {*ACCEPTED, Outcome.DUPLICATE})

_LABELS = {
    outcome: (f"rejected:{outcome.name.lower()}" if outcome in REJECTIONS else outcome.name.lower())
    for outcome in Outcome
}


DROP_REASONS = frozenset(
    {
        "before_send",
        "consent",
        "expired",
        "network_error",
        "queue_overflow",
        "rate_limited",
        "rejected",
        "sampled",
        "storage_full",
        "too_large",
    }
)
"""Reasons a client may give for spans it dropped before sending; any other counts as `other`."""
