"""Reading what was scrubbed, and which privacy policy says so."""

from collections.abc import Sequence

import asyncpg

from ingest.ports import PolicyText, ScrubRow
from ingest.store.snapshot import micros, moment

_HOUR_US = 3_600_000_000

_SCRUBS = """
    SELECT hour_at, rule, sum(finds)::bigint AS finds FROM scrub_count
    WHERE app_id = $1 AND hour_at >= $2 AND hour_at < $3 GROUP BY hour_at, rule ORDER BY hour_at, rule
"""

_POLICIES = """
    SELECT DISTINCT ON (app_id) app_id, version, text, applied_at FROM policy
    WHERE app_id IN (0, $1) ORDER BY app_id, version DESC
"""


async def read_scrubs(connection: asyncpg.Connection, app_id: int, from_us: int, to_us: int) -> Sequence[ScrubRow]:
    """See `ingest.ports.Reader.scrubs`."""
    rows = await connection.fetch(_SCRUBS, app_id, moment(from_us), moment(to_us))
    return [ScrubRow(app_id, micros(row["hour_at"]) // _HOUR_US, row["rule"], row["finds"]) for row in rows]


async def read_policies(connection: asyncpg.Connection, app_id: int) -> Sequence[PolicyText]:
    """See `ingest.ports.Reader.policies`."""
    rows = await connection.fetch(_POLICIES, app_id)
    return [PolicyText(row["app_id"], row["version"], row["text"], micros(row["applied_at"])) for row in rows]
