"""GET /api/v1/settings and /api/v1/me: what an app is set to, and what the asker may do about it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.outcome import Outcome
from ingest.ports import CHANGERS, KeyRecord, LedgerRow
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.parameters import APP
from ingest.query.privacy import in_force
from ingest.query.times import rfc3339_us

PARAMETERS = (APP,)

_HOUR_US = 3_600_000_000
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_DAY = {"type": ["string", "null"], "format": "date"}
_TIME_OR_NULL = {"type": ["string", "null"], "format": "date-time"}

KEY_SCHEMA = schemas.row(
    id=schemas.TEXT,
    role=schemas.TEXT,
    label=schemas.TEXT,
    key={**schemas.TEXT_OR_NULL, "description": "Of client keys alone, which are public."},
    origins={**schemas.rows(schemas.TEXT), "description": "Web origins that may use a client key; none: any."},
    created_at=schemas.TIME,
    last_used_on={**_DAY, "description": "Day on which it last read or changed something; keys that send have none."},
    revoked_at=_TIME_OR_NULL,
)
SCHEMA = schemas.row(
    app=schemas.row(id={"type": "integer"}, name=schemas.TEXT),
    role={**schemas.TEXT, "description": "By which the asker may look at this app."},
    may_change={**schemas.FLAG, "description": "Whether that role may change it."},
    edge=schemas.row(
        url={**schemas.TEXT_OR_NULL, "description": "Null: the port below, on the host of this API."},
        port={"type": "integer"},
    ),
    keys=schemas.rows(KEY_SCHEMA),
    sampling=schemas.row(
        budget_per_minute={**schemas.COUNT, "description": "Spans kept whole in a minute, per host."},
        floor_per_minute={**schemas.COUNT, "description": "Of every route and device class."},
        send={**schemas.FLAG, "description": "Whether clients that ask are told to send."},
        most_kept=schemas.row(low=_SHARE, mid=_SHARE, high=_SHARE, unknown=_SHARE),
        slow_ms={**schemas.COUNT, "description": "Where no duration has been learned for a route."},
        last_hours=schemas.row(
            received=schemas.COUNT,
            kept={**schemas.COUNT, "description": "Of those received in this hour and the one before it."},
        ),
    ),
    traces=schemas.row(gateway=schemas.FLAG, partners=schemas.rows(schemas.TEXT)),
    policy=schemas.row(
        version=schemas.COUNT,
        source={"type": "string", "enum": ["app", "every_app", "built_in"]},
        since=_TIME_OR_NULL,
        file={**schemas.TEXT, "description": "In the data directory: where sampling, traces and privacy are changed."},
    ),
)
ME_SCHEMA = schemas.row(
    name={**schemas.TEXT, "description": "`key:` and its id, or `user:` and the proxy's name for them."},
    apps=schemas.rows(
        schemas.row(id={"type": "integer"}, name=schemas.TEXT, role=schemas.TEXT, may_change=schemas.FLAG)
    ),
    may_create_apps=schemas.FLAG,
)


async def me(call: Call) -> Mapping[str, Any]:
    """Who asks, and what is open to them."""
    roles = {app.app_id: call.role_in(app.app_id) for app in call.apps}
    return {
        "name": call.actor.name,
        "apps": [
            {"id": app.app_id, "name": app.name, "role": roles[app.app_id], "may_change": roles[app.app_id] in CHANGERS}
            for app in call.apps
        ],
        "may_create_apps": call.role_in(0) == "admin",
    }


async def settings(call: Call) -> Mapping[str, Any]:
    """What the app is set to."""
    app = next(app for app in call.apps if app.app_id == call.app_id)
    policy = call.policy_of(call.app_id)
    in_place = in_force(await call.sources.reader.policies(call.app_id), call.app_id)
    budget, caps = policy.sampling.budget_per_minute, call.installation.sampling
    since_us = call.now_us // _HOUR_US * _HOUR_US - _HOUR_US
    return {
        "app": {"id": app.app_id, "name": app.name},
        "role": call.actor.role,
        "may_change": call.actor.role in CHANGERS,
        "edge": {"url": call.installation.edge_url or None, "port": call.installation.edge_port},
        "keys": [shown(key) for key in await call.sources.administration.keys(call.app_id)],
        "sampling": {
            "budget_per_minute": call.installation.spans_per_minute if budget is None else budget,
            "floor_per_minute": policy.sampling.floor_per_minute,
            "send": policy.sampling.send,
            "most_kept": {"low": caps.low, "mid": caps.mid, "high": caps.high, "unknown": caps.unknown},
            "slow_ms": caps.slow_us // 1000,
            "last_hours": _kept(await call.sources.reader.ledger(call.app_id, since_us, call.now_us)),
        },
        "traces": {"gateway": policy.traces.gateway, "partners": list(policy.traces.partners)},
        "policy": {
            **{name: in_place[name] for name in ("version", "source", "since")},
            "file": f"policies/{app.name}.toml",
        },
    }


def shown(key: KeyRecord) -> Mapping[str, Any]:
    """A key as JSON, without itself unless it is public."""
    return {
        "id": key.key_id,
        "role": key.role,
        "label": key.label,
        "key": key.shown,
        "origins": list(key.origins),
        "created_at": rfc3339_us(key.created_at_us),
        "last_used_on": None if key.last_used_on is None else key.last_used_on.isoformat(),
        "revoked_at": None if key.revoked_at_us is None else rfc3339_us(key.revoked_at_us),
    }


def _kept(rows: Sequence[LedgerRow]) -> Mapping[str, int]:
    def of(outcome: str) -> int:
        return sum(row.spans for row in rows if row.outcome == outcome)

    return {"received": of("received"), "kept": of(Outcome.KEPT.label)}
