"""The server half: what the app's owner reads of a batch that came more than once. Needs firsthop's query API."""

import asyncio
from typing import Any

from client_sdk_spec.conformance.server import Server
from client_sdk_spec.conformance.server_bodies import fresh, now
from client_sdk_spec.conformance.verdicts import Broken, NotSeen, require
from client_sdk_spec.encoder import encode

SPANS, TOLD = 7, 3
EVERY_S, TIMES = 0.25, 120
"""How often the ledger is asked, and how many times."""


async def counted_once(server: Server) -> str:
    """A batch that came three times is counted once, and so is what it says to have dropped."""
    if not server.query:
        raise NotSeen("give --query and --token of an app nobody else sends to")
    before = await server.ledger()
    batch = fresh(SPANS) | {"dropped": {"before_send": TOLD}}
    for _ in range(3):
        await server.send(encode(batch), now(batch))
    for _ in range(TIMES):
        after = _since(before, await server.ledger())
        if after["duplicate"] >= 2 * SPANS:
            break
        await asyncio.sleep(EVERY_S)
    else:
        raise Broken(f"after {TIMES * EVERY_S:g} s the ledger knows of no two duplicates: {after}")
    expected = {"counted": SPANS, "duplicate": 2 * SPANS, "received": 3 * SPANS, "before_send": TOLD}
    require(after == expected, f"{after} in place of {expected}")
    return f"{SPANS} of {3 * SPANS} spans counted, {2 * SPANS} duplicates"


def _since(before: Any, after: Any) -> dict[str, int]:
    def grown(*path: str) -> int:
        return _at(after, path) - _at(before, path)

    return {
        "counted": grown("outcomes", "kept") + grown("outcomes", "counted_only"),
        "duplicate": grown("outcomes", "duplicate"),
        "received": grown("received"),
        "before_send": grown("client", "before_send"),
    }


def _at(total: Any, path: tuple[str, ...]) -> int:
    for name in path:
        total = total.get(name, {})
    return total or 0
