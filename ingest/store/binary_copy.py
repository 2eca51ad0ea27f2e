"""COPY in PostgreSQL's binary format: the frame around rows that `rollup_rows` and `span_rows` lay out."""

import io
from collections.abc import Sequence
from typing import Any

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
POSTGRES_EPOCH_US = 946_684_800_000_000
"""2000-01-01 in µs since 1970: what a timestamptz counts from."""


async def copy(connection: Any, table: str, columns: Sequence[str], rows: bytes) -> None:
    """Appends the rows to the table."""
    await connection.copy_to_table(
        table, source=io.BytesIO(b"".join((HEADER, rows, TRAILER))), columns=columns, format="binary"
    )
