"""A raw keep-alive HTTP/1.1 client: one request in flight per connection, a callback per answer, nothing else.

It exists so that the generator costs less than what it measures; aiohttp's client would take as much CPU as the server.
"""

import asyncio
import ipaddress
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

NO_ANSWER = 0
"""Stands for a status when the connection broke before an answer."""


class NotLoopbackError(ValueError):
    """The target is not on this machine."""


def loopback(url: str) -> tuple[str, int, str]:
    """Host, port and path of a URL on this machine.

    Raises:
        NotLoopbackError: any other host; load is never sent over a network.
    """
    parts = urlsplit(url)
    host = "127.0.0.1" if parts.hostname == "localhost" else parts.hostname or ""
    try:
        local = parts.scheme == "http" and ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise NotLoopbackError(
            "the target must be a plain http:// URL of a loopback address, e.g. http://127.0.0.1:4318"
        )
    return host, parts.port or 80, parts.path


class Connection(asyncio.Protocol):
    """One connection. `send` one request, then wait for `on_answer(connection, status)` before the next."""

    def __init__(self, on_answer: Callable[["Connection", int], None]) -> None:
        self._on_answer = on_answer
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting = False
        self.sent_for = 0.0
        """Whatever the caller wants to remember of the request in flight: its intended time."""

    @property
    def open(self) -> bool:
        """Whether it can carry a request."""
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are asyncio's by shape, not by class.
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes) -> None:
        """Writes a whole request, head and body."""
        assert self._transport is not None
        self._waiting = True
        self._buffer = b""
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if (status := _complete(self._buffer)) and self._waiting:
            self._waiting = False
            if b"connection: close" in self._buffer[:1024].lower():
                self.close()
            self._on_answer(self, status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._waiting:
            self._waiting = False
            self._on_answer(self, NO_ANSWER)

    def close(self) -> None:
        """Closes without waiting for an answer."""
        if self._transport is not None:
            self._transport.close()


def _complete(buffer: bytes) -> int:
    """The status of a whole answer, 0 while some of it is missing."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = buffer[:end].lower()
    at = head.find(b"content-length:")
    if at >= 0:
        length = int(head[at + 15 : (head.find(b"\r\n", at) + 1 or len(head) + 1) - 1])
        whole = len(buffer) >= end + 4 + length
    elif b"transfer-encoding: chunked" in head:
        whole = buffer.endswith(b"0\r\n\r\n")
    else:
        whole = True
    return int(head[9:12]) if whole else 0
