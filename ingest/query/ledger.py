"""GET /api/v1/ledger: how every received span ended, hour by hour, for the app's owner to check."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from ingest.ports import LedgerRow
from ingest.query import cursor, schemas
from ingest.query.call import Call
from ingest.query.parameters import APP, FROM, TO, Parameter, whole
from ingest.query.times import rfc3339

_LIMIT = Parameter(
    "limit", "Most hours.", whole(1, 10_000), {"type": "integer", "minimum": 1, "maximum": 10_000}, "10000"
)
PARAMETERS = (APP, FROM, TO, _LIMIT, cursor.parameter(tuple[cursor.Micros, cursor.Micros, cursor.Micros]))

_HOUR_US = 3_600_000_000
_CLIENT, _NOTED = "client:", "noted:"
_COUNTS = {"type": "object", "additionalProperties": schemas.COUNT}
_SUMS = {"received": schemas.COUNT, "outcomes": _COUNTS, "client": _COUNTS, "noted": _COUNTS}

SCHEMA = schemas.row(
    hours=schemas.rows(schemas.row(hour=schemas.TIME, **_SUMS)),
    total=schemas.row(**_SUMS),
    closed={**schemas.FLAG, "description": "In every hour, received is the sum of the outcomes."},
    next=schemas.NEXT,
)


async def ledger(call: Call) -> Mapping[str, Any]:
    """The answer, for the whole hours that the range touches; a page holds some of them, `total` all."""
    limit, after = call.values["limit"], call.values["cursor"]
    start, end = (cursor.pinned(call, *after[:2]) if after else call).range_us()
    rows = await call.sources.reader.ledger(call.app_id, start // _HOUR_US * _HOUR_US, end)
    by_hour: dict[int, list[LedgerRow]] = defaultdict(list)
    for row in rows:
        by_hour[row.hour].append(row)
    sums = {hour: _sums(of_hour) for hour, of_hour in sorted(by_hour.items())}
    hours = [hour for hour in sums if after is None or hour * _HOUR_US > after[2]]
    return {
        "hours": [{"hour": rfc3339(hour * _HOUR_US), **sums[hour]} for hour in hours[:limit]],
        "total": _sums(rows),
        "closed": all(sum_["received"] == sum(sum_["outcomes"].values()) for sum_ in sums.values()),
        "next": cursor.write(start, end, hours[limit - 1] * _HOUR_US) if len(hours) > limit else None,
    }


def _sums(rows: Sequence[LedgerRow]) -> Mapping[str, Any]:
    received = 0
    outcomes: dict[str, int] = defaultdict(int)
    client: dict[str, int] = defaultdict(int)
    noted: dict[str, int] = defaultdict(int)
    for row in rows:
        if row.outcome == "received":
            received += row.spans
        elif row.outcome.startswith(_CLIENT):
            client[row.outcome.removeprefix(_CLIENT)] += row.spans
        elif row.outcome.startswith(_NOTED):
            noted[row.outcome.removeprefix(_NOTED)] += row.spans
        else:
            outcomes[row.outcome] += row.spans
    return {"received": received, "outcomes": outcomes, "client": client, "noted": noted}
