"""Answers on their way to whoever asked: a client that does not read takes neither the server's memory nor a turn."""

import asyncio

from aiohttp import web

MOST_BYTES = 64 << 20
"""Of answers that wait to be read, before compression."""
TAKEN_S = 30.0
"""In which an answer must be read, but for the little that a connection holds by itself."""


def gone(request: web.Request) -> bool:
    """Whether whoever asked has hung up."""
    return request.transport is None or request.transport.is_closing()


class Unread:
    """The answers that wait to be read."""

    def __init__(self) -> None:
        self._bytes: dict[asyncio.Transport, int] = {}
        """In the order in which they began to wait."""

    async def send(self, request: web.Request, response: web.Response) -> None:
        """Sends it. Returns when it was read, or whoever asked has hung up, or was hung up on.

        Who has waited for longest is hung up on where there are too many: who reads is through in no time.
        """
        connection = request.transport
        if connection is None:
            return
        self._bytes[connection] = len(response.body) if isinstance(response.body, bytes) else 0
        while len(self._bytes) > 1 and sum(self._bytes.values()) > MOST_BYTES:
            self._hang_up(next(iter(self._bytes)))
        try:
            async with asyncio.timeout(TAKEN_S):
                await response.prepare(request)
                await response.write_eof()
                await request.writer.drain()
        except TimeoutError:
            self._hang_up(connection)
        except ConnectionError:
            pass  # nobody is left to be told
        finally:
            self._bytes.pop(connection, None)

    def _hang_up(self, connection: asyncio.Transport) -> None:
        self._bytes.pop(connection, None)
        connection.abort()
