"""GET /api/v1/traces and /api/v1/traces/{trace_id}: whole spans of the fair sample."""

import re
from collections.abc import Mapping
from typing import Any

from ingest.errors import UnknownPath
from ingest.model import REUSED, Kind, LinkKind, Origin, Phase, Status
from ingest.ports import TraceSearch
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import covering, describe
from ingest.query.parameters import APP, COMMON, ERRORS, MIN_MS, TRACE_LIMIT, BadParameter
from ingest.query.times import rfc3339_us

LIST_PARAMETERS = (*COMMON, MIN_MS, ERRORS, TRACE_LIMIT)
ONE_PARAMETERS = (APP,)

_INTERNAL = ("app_id", "start_us", "phases_us", "randomness", "clock_segment", "clock_offset_us")
"""Columns that are for reckoning, not for reading."""
_TRACE_ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
_SPAN_ID = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_NUMBER_OR_NULL = {"type": ["integer", "null"]}
_OBJECT = {"type": "object"}

LIST_SCHEMA = schemas.row(
    suppressed=schemas.SUPPRESSED,
    traces=schemas.rows(
        schemas.row(
            trace_id=_TRACE_ID,
            name=schemas.TEXT,
            route=schemas.TEXT_OR_NULL,
            start_at=schemas.TIME,
            duration_us=schemas.COUNT,
            spans=schemas.COUNT,
            errors=schemas.COUNT,
            version=schemas.TEXT_OR_NULL,
            country=schemas.TEXT_OR_NULL,
            device_class=schemas.TEXT,
        )
    ),
)

_PHASE = schemas.row({"us": schemas.COUNT}, state={"enum": ["measured", "reused", "unknown"]})

ONE_SCHEMA = schemas.row(
    trace_id=_TRACE_ID,
    spans=schemas.rows(
        schemas.row(
            trace_id=_TRACE_ID,
            span_id=_SPAN_ID,
            parent_span_id={"type": ["string", "null"], "pattern": "^[0-9a-f]{16}$"},
            name=schemas.TEXT,
            kind={"enum": [kind.name.lower() for kind in Kind]},
            status={"enum": [status.name.lower() for status in Status]},
            start_at=schemas.TIME,
            duration_us=schemas.COUNT,
            phases=schemas.row(**dict.fromkeys((phase.name.lower() for phase in Phase), _PHASE)),
            **dict.fromkeys(("method", "url", "route", "error_type", "protocol", "screen"), schemas.TEXT_OR_NULL),
            **dict.fromkeys(("http_status", "request_bytes", "response_bytes", "clock_err_ms"), _NUMBER_OR_NULL),
            **dict.fromkeys(("version", "country", "network", "os", "session"), schemas.TEXT_OR_NULL),
            device_class=schemas.TEXT,
            resource=_OBJECT,
            attributes=_OBJECT,
            events=schemas.rows(schemas.row(name=schemas.TEXT, offset_us={"type": "integer"})),
            links=schemas.rows(
                schemas.row(trace_id=_TRACE_ID, span_id=_SPAN_ID, kind={"enum": [k.name.lower() for k in LinkKind]})
            ),
            clock_quality={"enum": list("ABCDEF")},
            clock_conflict=schemas.FLAG,
            **dict.fromkeys(("clock_skew_ms", "clock_steps", "upload_delay_ms", "server_us"), _NUMBER_OR_NULL),
            origin={"enum": [origin.name.lower() for origin in Origin]},
            weight={"type": "number", "minimum": 1},
            stratum=schemas.TEXT,
            policy_version={"type": "integer"},
        )
    ),
)


async def traces(call: Call) -> Mapping[str, Any]:
    """The newest traces that hold a matching span, of groups with enough sessions."""
    start, end = call.range_us()
    found, suppressed = await call.reader.traces(
        TraceSearch(
            app_id=call.app_id,
            from_us=start,
            to_us=end,
            filters=call.filters,
            min_us=call.values["min_ms"] * 1000,
            errors=call.values["errors"],
            limit=call.values["limit"],
            now_us=call.now_us,
            least_sessions=call.least_sessions,
        ),
        covering(call.filters),
    )
    return {
        "suppressed": describe(suppressed, call.least_sessions),
        "traces": [_listed(trace) for trace in found],
    }


def _listed(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = dict(trace)
    start = shown.pop("start_us")
    return {**shown, "trace_id": shown["trace_id"].hex(), "start_at": rfc3339_us(start)}


async def trace(call: Call) -> Mapping[str, Any]:
    """One trace.

    Raises:
        BadParameter: the id is not 32 hex digits.
        UnknownPath: the sample of this app holds no span of it.
    """
    text = call.path["trace_id"].lower()
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise BadParameter("trace_id", "must be 32 hex digits.")
    spans = await call.reader.trace(call.app_id, bytes.fromhex(text))
    if not spans:
        raise UnknownPath("unknown_trace", "The sample holds no span of this trace, or no longer.")
    return {"trace_id": text, "spans": [_shown(span) for span in spans]}


def _shown(span: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = {name: value for name, value in span.items() if name not in _INTERNAL}
    parent = span["parent_span_id"]
    return {
        **shown,
        "trace_id": span["trace_id"].hex(),
        "span_id": span["span_id"].hex(),
        "parent_span_id": parent.hex() if parent else None,
        "kind": Kind(span["kind"]).name.lower(),
        "status": Status(span["status"]).name.lower(),
        "start_at": rfc3339_us(span["start_us"]),
        "phases": {phase.name.lower(): _phase(us) for phase, us in zip(Phase, span["phases_us"], strict=True)},
    }


def _phase(us: int) -> Mapping[str, Any]:
    if us >= 0:
        return {"state": "measured", "us": us}
    return {"state": "reused" if us == REUSED else "unknown"}
