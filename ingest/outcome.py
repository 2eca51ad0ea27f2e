"""How a received span can end, and how a request can be refused.

The ledger's law: every received span ends in exactly one `Outcome`, so per app and hour

    received = Σ outcomes

What the client says it dropped stands beside the ledger, not in it.
"""

from enum import IntEnum, unique


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
    NOT_SAMPLED = 12
    """A backend's span that the sampler did not choose: it is in no figure about clients."""

    @property
    def label(self) -> str:
        """The stable name in ledger, metrics and answers, e.g. `rejected:future`."""
        return _LABELS[self]


ACCEPTED = (Outcome.KEPT, Outcome.COUNTED_ONLY, Outcome.COUNTED_NO_CONSENT, Outcome.NOT_SAMPLED)
REJECTIONS = tuple(outcome for outcome in Outcome if outcome not in {*ACCEPTED, Outcome.DUPLICATE})

_LABELS = {
    outcome: (f"rejected:{outcome.name.lower()}" if outcome in REJECTIONS else outcome.name.lower())
    for outcome in Outcome
}


@unique
class Note(IntEnum):
    """What is noticed about a span beside how it ended. Counted in the ledger as `noted:<label>`; values are stored:
    never renumber, only append."""

    CLOCK_A = 0
    """Its start is anchored with this quality: `ingest.model.ClockQuality`."""
    CLOCK_B = 1
    CLOCK_C = 2
    CLOCK_D = 3
    CLOCK_E = 4
    CLOCK_F = 5
    CLOCK_CONFLICT = 6
    """The two bounds on its clock contradicted each other; the anchor was left out."""
    PHASE_NEGATIVE = 7
    """A phase ended before it began; it is unknown."""
    PHASE_TOO_LONG = 8
    """A phase was longer than its span; it is unknown."""
    PHASES_EXCEED = 9
    """The phases together were longer than the span; those measured are unknown."""
    PHASE_IMPOSSIBLE = 10
    """A phase that cannot be: TLS over plain http, TCP under HTTP/3, a first byte where no answer came."""
    THRESHOLD_FORGED = 11
    """The client's sampling threshold is belied by the trace's own randomness; it is left out."""
    THRESHOLD_CLAMPED = 12
    """The client's threshold would have made it weigh more than allowed."""
    STRATUM_THINNED = 13
    """An error, slow or reported span that was sampled, because those alone exceeded the budget."""
    SKETCHED = 14
    """In a client's sketch instead of sent; counted from there."""
    TRACE_FULL = 15
    """Sampled, but its trace holds as many spans as one may."""
    TRACE_RENAMED = 16
    """The edge gave its trace an id of its own."""
    TTFB_INTERIM = 17
    """Its first byte was that of an interim answer (103); the phase is unknown."""
    WEIGHTED = 18
    """Counted for more than itself: its client declared a sampling rate and sends no sketches of what it left out."""
    SKETCH_FUTURE = 19
    """In a sketch of a time further ahead of the server's clock than `Limits.future_us`; not counted."""
    SKETCH_TOO_OLD = 20
    """In a sketch of a time before what retention holds; not counted."""
    SKETCH_NO_CONSENT = 21
    """In a sketch of somebody who has not agreed even to be counted; not counted."""
    SKETCH_OF_BACKEND = 22
    """In a sketch that came with a server key; backends are in no figure about clients."""
    SERVER_TIME_EXCEEDS = 23
    """Its server said to have taken longer than the client waited for it; the server's time is unknown."""
    EXPORT_DROPPED = 24
    """Not sent on to the tracing backend: too many waited for it."""
    EXPORT_REFUSED = 25
    """Not sent on: the tracing backend refused it for good."""
    SKETCH_REMAPPED = 26
    """In a sketch that counts, with other buckets than ours: its quantiles have the error of both."""
    UNSAMPLED = 27
    """Counted, and had no chance to be sampled: the rate of its kind was 0. No sampled span stands for it."""

    REPAIRED_FARO_TLS_ON_HTTP = 28
    """Put right while decoding: `ingest.model.Repair`."""
    REPAIRED_FARO_OPAQUE = 29
    REPAIRED_FARO_TCP_WITH_TLS = 30
    REPAIRED_FARO_ROUNDED = 31
    REPAIRED_FARO_TWICE = 32
    SENT_TWICE = 33
    """Left out: it is told another way, too. Not among the spans received."""
    NOT_WAITED_FOR = 34
    """Left out: the load of a page that came out of the back/forward cache, or was loaded before the user asked."""
    LOAD_UNFINISHED = 35
    """Left out: the load of a page that was left before it was over."""
    OWN_POST = 36
    """Left out: what a client sent to this edge, told by its own instrumentation."""

    @property
    def label(self) -> str:
        """The stable name in ledger and metrics."""
        return self.name.lower()


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
