"""Work that is given up when its process is asked to stop."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def unless(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> bool:
    """Whether the work was done before the event was set; work not done is cancelled."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        if not working.done():
            working.cancel()
    if not working.done():
        await asyncio.gather(working, return_exceptions=True)
        return False
    working.result()
    return True
