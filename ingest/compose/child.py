"""The life of a role's process: when it stops, and how its supervisor learns that it is ready.

A supervised process holds the reading end of a pipe as its standard input. Nobody ever writes to it; its end is the end
of the supervisor, however that came, so no orphan goes on serving. It says `ready` on its standard output.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop

Role = Callable[[asyncio.Event, Callable[[], None]], Awaitable[None]]
"""A role runs until the event is set, and calls the function once when it takes traffic."""

READY = b"ready\n"


def run(role: Role, *, supervised: bool) -> None:
    """Runs a role to its end, which SIGTERM, SIGINT or the supervisor's death brings about in order."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_live(role, supervised))


async def _live(role: Role, supervised: bool) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if supervised:
        loop.add_reader(sys.stdin.fileno(), _lifeline_moved, loop, stop)
    await role(stop, _say_ready if supervised else lambda: None)


def _lifeline_moved(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1):
        loop.remove_reader(sys.stdin.fileno())
        stop.set()


def _say_ready() -> None:
    os.write(sys.stdout.fileno(), READY)
