"""A Python client of the query API: typed answers, errors that say what to do. See README.md beside this file.

Depends on aiohttp and msgspec alone, and on nothing of the service.
"""

from ingest.client.client import Client, SyncClient
from ingest.client.columns import columns, csv_text, latency_columns
from ingest.client.errors import (
    AccessError,
    AnswerError,
    BusyError,
    NotFoundError,
    ParameterError,
    QueryError,
    RefusedError,
    UnreachableError,
)

__all__ = [
    "AccessError",
    "AnswerError",
    "BusyError",
    "Client",
    "NotFoundError",
    "ParameterError",
    "QueryError",
    "RefusedError",
    "SyncClient",
    "UnreachableError",
    "columns",
    "csv_text",
    "latency_columns",
]
