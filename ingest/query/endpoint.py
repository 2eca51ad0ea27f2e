"""What a call of the query API is: where it is served, what it takes, who may make it and what answers."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from ingest.ports import READERS
from ingest.query import tables
from ingest.query.call import Call
from ingest.query.parameters import Parameter
from ingest.query.schemas import Schema


class Endpoint(NamedTuple):
    """One call."""

    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    """Of the query; of a POST without a `body`, members of the JSON object that it sends."""
    answer: Callable[[Call], Awaitable[Mapping[str, Any] | bytes]]
    """Bytes where the `media` is not JSON."""
    schema: Schema
    method: str = "GET"
    roles: tuple[str, ...] = READERS
    """Of the keys that may call it."""
    media: str = "application/json"
    """Type of what is answered."""
    body: type[msgspec.Struct] | None = None
    """What the JSON in its body must be; `Call.body` is one of these."""
    table: tables.Table | None = None
    """The answer as CSV; None: it is no table."""

    @property
    def given(self) -> tuple[Parameter, ...]:
        """All parameters: its own, and of a table which format to write it in."""
        return self.parameters if self.table is None else (*self.parameters, tables.FORMAT)
