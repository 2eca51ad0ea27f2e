"""The yardstick: an aiohttp server that reads the body and answers, nothing else.

    python -m loadtest.baseline

Prints its port, then serves on loopback until its standard input ends.
"""

import asyncio
import sys

import uvloop
from aiohttp import web


async def _answer(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({"accepted": 0}, status=202)


async def serve() -> None:
    """Serves any POST on a free port; returns at the end of standard input."""
    app = web.Application(client_max_size=4 << 20)
    app.router.add_post("/{path:.*}", _answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    uvloop.run(serve())
