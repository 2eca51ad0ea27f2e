"""GET /api/v1/traces: the newest traces of the fair sample. One of them: `ingest.query.trace`."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from ingest.ports import TraceSearch
from ingest.query import cursor
from ingest.query.call import Call
from ingest.query.figures import covering, describe
from ingest.query.parameters import COMMON, ERRORS, MIN_MS, OVERSIZED, TRACE_LIMIT
from ingest.query.times import rfc3339_us
from ingest.query.trace_text import inclusion_probability

_TRACE_ID = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}\Z")]
PARAMETERS = (
    *COMMON,
    MIN_MS,
    ERRORS,
    OVERSIZED,
    TRACE_LIMIT,
    cursor.parameter(tuple[cursor.Micros, cursor.Micros, cursor.Micros, _TRACE_ID]),
)


async def traces(call: Call) -> Mapping[str, Any]:
    """The newest traces that hold a matching span of a client, of groups with enough sessions."""
    limit, after = call.values["limit"], call.values["cursor"]
    start, end = (cursor.pinned(call, *after[:2]) if after else call).range_us()
    found, suppressed = await call.sources.reader.traces(
        TraceSearch(
            app_id=call.app_id,
            from_us=start,
            to_us=end,
            signal=call.signal,
            filters=call.filters,
            min_us=call.values["min_ms"] * 1000,
            errors=call.values["errors"],
            oversized=call.values["oversized"],
            limit=limit + 1,
            now_us=call.now_us,
            least_sessions=call.least_sessions,
            before=(after[2], bytes.fromhex(after[3])) if after else None,
        ),
        covering(call.filters),
    )
    newest = sorted(found, key=lambda trace: (trace["newest_us"], trace["trace_id"]), reverse=True)
    more, page = newest[limit:], newest[:limit]
    if more:
        found = [trace for trace in found if trace["trace_id"] != more[0]["trace_id"]]
    return {
        "suppressed": describe(suppressed, call.least_sessions),
        "traces": [_listed(trace) for trace in found],
        "next": cursor.write(start, end, page[-1]["newest_us"], page[-1]["trace_id"].hex()) if more else None,
    }


def _listed(trace: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = dict(trace)
    start = shown.pop("start_us")
    del shown["newest_us"]
    return {
        **shown,
        "trace_id": shown["trace_id"].hex(),
        "start_at": rfc3339_us(start),
        "inclusion_probability": inclusion_probability(shown["weight"]),
    }
