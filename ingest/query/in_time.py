"""A part of an answer that must not keep the rest of it back."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ingest.errors import Unavailable

PART_S: Final = 3.5
"""Leaves the rest of the answer its share of the five seconds that it has."""
MISSING: Final = object()
"""Stands for a part that could not be read in time."""


async def in_time(read: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """What it reads, or `MISSING`."""
    try:
        async with asyncio.timeout(PART_S):
            return await read(*arguments)
    except (TimeoutError, Unavailable):
        return MISSING
