"""The server under test: requests to it, and everything it answered."""

import asyncio
import json
import ssl
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

import aiohttp

from client_sdk_spec.conformance.verdicts import Broken

ANSWER_S = 60.0
"""Longer than any server may take."""


class Answer(NamedTuple):
    """One answer, and the client's clock around it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    sent_us: int
    answered_us: int

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            Broken: it is none.
        """
        try:
            return json.loads(self.body)
        except ValueError:
            raise Broken(f"{self.status} with a body that is no JSON: {self.body[:60]!r}") from None


class Server:
    """A server that is being checked.

    Args:
        url: its address, with the scheme.
        key: a client key that it knows.
        config_key: the public key that signs its configuration, base64; "" when it is not known.
        query: address of its query API, "" for none.
        token: reads the key's app there.
    """

    def __init__(
        self,
        url: str,
        key: str,
        session: aiohttp.ClientSession,
        *,
        config_key: str = "",
        query: str = "",
        token: str = "",
    ) -> None:
        self.url, self.key, self.config_key = url.rstrip("/"), key, config_key
        self.query = query.rstrip("/")
        self._token, self._session = token, session
        self.answers: list[Answer] = []
        """All answers so far."""

    async def send(
        self,
        body: bytes,
        query: Mapping[str, str] | None = None,
        *,
        path: str = "/v1/batches",
        method: str = "POST",
        keyed: bool = True,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request; the key goes as `X-Api-Key` where it is `keyed`.

        Raises:
            Broken: there was no answer.
        """
        named = {**(headers or {}), **({"X-Api-Key": self.key} if keyed else {})}
        address = self.url + path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        sent_us = time.time_ns() // 1_000
        try:
            async with self._session.request(
                method,
                address,
                data=body or None,
                headers=named,
                skip_auto_headers=("Content-Type", "Accept-Encoding"),
                allow_redirects=False,
            ) as answer:
                answered_us = time.time_ns() // 1_000
                made = Answer(answer.status, answer.headers.copy(), await answer.read(), sent_us, answered_us)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Broken(f"{method} {path}: no answer ({type(error).__name__})") from None
        self.answers.append(made)
        return made

    async def ledger(self) -> Any:
        """The app's ledger as its owner reads it, in total.

        Raises:
            Broken: it cannot be read.
        """
        headers = {"Authorization": f"Bearer {self._token}"}
        async with self._session.get(f"{self.query}/api/v1/ledger", headers=headers) as answer:
            if answer.status != 200:
                raise Broken(f"the ledger answers {answer.status}")
            return (await answer.json())["total"]

    async def send_slowly(self, head: Mapping[str, str], parts: list[bytes], pause_s: float) -> Answer:
        """A POST whose body comes in parts, with a pause before each; ends when the server has answered.

        Raises:
            Broken: there was no answer.
        """
        at = urlsplit(self.url)
        secure = ssl.create_default_context() if at.scheme == "https" else None
        port = at.port or (443 if secure else 80)
        sent_us = time.time_ns() // 1_000
        try:
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection(at.hostname, port, ssl=secure)
                lines = [f"POST {at.path}/v1/batches?key={quote(self.key)} HTTP/1.1", f"Host: {at.netloc}"]
                lines += [f"{name}: {value}" for name, value in head.items()]
                writer.write("\r\n".join([*lines, "Connection: close", "", ""]).encode())
                for part in parts:
                    await writer.drain()
                    await asyncio.sleep(pause_s)
                    writer.write(part)
                try:
                    made = await _read(reader, sent_us)
                finally:
                    writer.transport.abort()
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            raise Broken(f"no answer to a slow body ({type(error).__name__})") from None
        self.answers.append(made)
        return made


async def _read(reader: asyncio.StreamReader, sent_us: int) -> Answer:
    """An answer with a Content-Length; EOFError or ValueError where there is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    answered_us = time.time_ns() // 1_000
    status, *fields = head.strip().split("\r\n")
    headers = {name.strip().title(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    body = await reader.readexactly(int(headers.get("Content-Length", "0")))
    return Answer(int(status.split(" ")[1]), headers, body, sent_us, answered_us)
