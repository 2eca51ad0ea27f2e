"""GET /api/v1/apps and /api/v1/health: what the token opens, and how fresh it is."""

from collections.abc import Mapping
from typing import Any

from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.parameters import APP
from ingest.query.times import rfc3339

APPS_SCHEMA = schemas.row(
    apps=schemas.rows(schemas.row(id={"type": "integer"}, name=schemas.TEXT, client_key=schemas.TEXT_OR_NULL))
)
HEALTH_PARAMETERS = (APP,)
HEALTH_SCHEMA = schemas.row(newest_window={"type": ["string", "null"], "format": "date-time"})


async def apps(call: Call) -> Mapping[str, Any]:
    """The apps that the token opens."""
    return {"apps": [{"id": app.app_id, "name": app.name, "client_key": app.client_key} for app in call.apps]}


async def health(call: Call) -> Mapping[str, Any]:
    """The newest window that holds spans; null before the first span."""
    newest = await call.sources.reader.newest_window(call.app_id)
    return {"newest_window": None if newest is None else rfc3339(newest)}
