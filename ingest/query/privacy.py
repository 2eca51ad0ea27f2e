"""GET /api/v1/privacy: what was scrubbed, whom consent kept out and which policy says so. Counts, never a value."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.outcome import Outcome
from ingest.ports import LedgerRow, PolicyText, ScrubRow
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.parameters import APP, FROM, TO
from ingest.query.times import rfc3339

PARAMETERS = (APP, FROM, TO)

_HOUR_US = 3_600_000_000
_CONSENT = (Outcome.COUNTED_NO_CONSENT.label, Outcome.NO_CONSENT.label)
_RECEIVED = "received"
_EVERY_APP = 0

_SUMS = {
    "finds": {
        "type": "object",
        "additionalProperties": schemas.COUNT,
        "description": "Rule to how often it replaced something; a text that a micro-batch repeats counts once.",
    },
    "received": {**schemas.COUNT, "description": "Spans received."},
    "outcomes": schemas.row(**dict.fromkeys(_CONSENT, schemas.COUNT)),
}

SCHEMA = schemas.row(
    **{"from": {**schemas.TIME, "description": "Start of the range, widened to whole hours."}, "to": schemas.TIME},
    hours=schemas.rows(schemas.row(hour=schemas.TIME, **_SUMS)),
    total=schemas.row(**_SUMS),
    policy=schemas.row(
        version={**schemas.COUNT, "description": "Stored spans name it; 0 is the built-in policy."},
        source={
            "type": "string",
            "enum": ["app", "every_app", "built_in"],
            "description": "The app's own, that of every app without one of its own, or the one in the software.",
        },
        since={
            "type": ["string", "null"],
            "format": "date-time",
            "description": "When it came into force; null when no policy was ever applied.",
        },
        text={**schemas.TEXT_OR_NULL, "description": "TOML; null for the built-in policy."},
    ),
    least_sessions={**schemas.COUNT, "description": "Figures about fewer distinct sessions are not shown; 1: all are."},
)


async def privacy(call: Call) -> Mapping[str, Any]:
    """The answer, for the whole hours that the range touches."""
    start, end = call.range_us()
    start = start // _HOUR_US * _HOUR_US
    scrubs = await call.sources.reader.scrubs(call.app_id, start, end)
    ledger = await call.sources.reader.ledger(call.app_id, start, end)
    of_hour: dict[int, tuple[list[ScrubRow], list[LedgerRow]]] = defaultdict(lambda: ([], []))
    for scrub in scrubs:
        of_hour[scrub.hour][0].append(scrub)
    for row in ledger:
        of_hour[row.hour][1].append(row)
    return {
        "from": rfc3339(start),
        "to": rfc3339(-(-end // _HOUR_US) * _HOUR_US),
        "hours": [{"hour": rfc3339(hour * _HOUR_US), **_sums(*rows)} for hour, rows in sorted(of_hour.items())],
        "total": _sums(scrubs, ledger),
        "policy": in_force(await call.sources.reader.policies(call.app_id), call.app_id),
        "least_sessions": call.least_sessions,
    }


def in_force(newest: Sequence[PolicyText], app_id: int) -> Mapping[str, Any]:
    """The policy that an app is treated by, of the newest that were applied to it and to every app.

    An empty text takes a policy away, so that what stands behind it came into force then, if not later.
    """
    by_app = {policy.app_id: policy for policy in newest}
    since: int | None = None
    for owner, source in ((app_id, "app"), (_EVERY_APP, "every_app")):
        policy = by_app.get(owner)
        if policy is None:
            continue
        since = max(since or 0, policy.applied_at_us)
        if policy.text.strip():
            return {"version": policy.version, "source": source, "since": rfc3339(since), "text": policy.text}
    return {"version": 0, "source": "built_in", "since": rfc3339(since) if since else None, "text": None}


def _sums(scrubs: Sequence[ScrubRow], ledger: Sequence[LedgerRow]) -> Mapping[str, Any]:
    finds: Counter[str] = Counter()
    for scrub in scrubs:
        finds[scrub.rule] += scrub.finds
    spans: Counter[str] = Counter()
    for row in ledger:
        spans[row.outcome] += row.spans
    return {
        "finds": finds,
        "received": spans[_RECEIVED],
        "outcomes": {outcome: spans[outcome] for outcome in _CONSENT},
    }
