"""GET /api/v1/traces: the newest traces of the fair sample. One of them: `ingest.query.trace`."""

from collections.abc import Mapping
from typing import Any

from ingest.ports import TraceSearch
from ingest.query.call import Call
from ingest.query.figures import covering, describe
from ingest.query.parameters import COMMON, ERRORS, MIN_MS, OVERSIZED, TRACE_LIMIT
from ingest.query.times import rfc3339_us
from ingest.query.trace_text import inclusion_probability

PARAMETERS = (*COMMON, MIN_MS, ERRORS, OVERSIZED, TRACE_LIMIT)


async def traces(call: Call) -> Mapping[str, Any]:
    """The newest traces that hold a matching span of a client, of groups with enough sessions."""
    start, end = call.range_us()
    found, suppressed = await call.reader.traces(
        TraceSearch(
            app_id=call.app_id,
            from_us=start,
            to_us=end,
            signal=call.signal,
            filters=call.filters,
            min_us=call.values["min_ms"] * 1000,
            errors=call.values["errors"],
            oversized=call.values["oversized"],
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
    return {
        **shown,
        "trace_id": shown["trace_id"].hex(),
        "start_at": rfc3339_us(start),
        "inclusion_probability": inclusion_probability(shown["weight"]),
    }
