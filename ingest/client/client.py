"""The clients: `Client` for asyncio, `SyncClient` for scripts. Both have the methods of `Calls`."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from datetime import datetime
from types import TracebackType
from typing import Any, Protocol, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from ingest.client.calls import A, Call, Calls
from ingest.client.errors import AnswerError, BusyError, RefusedError, UnreachableError, refused

ATTEMPTS = 3
LONGEST_WAIT_S = 5.0
"""Between two attempts, whatever Retry-After says."""
TIMEOUT_S = 30.0
"""Of one attempt: the server answers or gives up within 5 s, and a turn may have to be waited for."""
MOST_BYTES = 64 << 20
"""Of one answer."""


class _Paged(Protocol):
    @property
    def next(self) -> str | None: ...


P = TypeVar("P", bound=_Paged)


class _Error(msgspec.Struct):
    error: str
    message: str
    parameter: str | None = None


class Client(Calls):
    """Asks one server with one token. Use it as an asynchronous context manager; any number of calls at once.

    Args:
        address: of the query server, e.g. `http://127.0.0.1:4380`.
        token: an app's, or an operator's.
        timeout_s: of one attempt, its answer included.

    Raises:
        ValueError: the address has no scheme, or one that is not HTTP.
    """

    def __init__(self, address: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        if not re.match(r"https?://[^/]", address):
            raise ValueError("the address must begin with http:// or https:// and name a host")
        self._address = address.rstrip("/")
        self._token = token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        # Without cookies and proxies of the environment: a token goes where it was meant to go.
        self._session = aiohttp.ClientSession(timeout=self._timeout, cookie_jar=aiohttp.DummyCookieJar())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {self._address}>"

    async def ask(self, call: Call[A], /, *in_path: str, **parameters: Any) -> A:
        """The answer to a call. Where the server is busy, it is asked again as it says, a few times.

        Raises:
            RefusedError: see `errors`.
            UnreachableError: no answer came.
            AnswerError: it is not what the call answers.
        """
        address, query = self._address + _filled(call.path, in_path), _query(parameters)
        for attempt in range(ATTEMPTS):
            try:
                return msgspec.json.decode(await self._get(address, query), type=call.answer)
            except BusyError as busy:
                # What took too long will take as long again.
                if attempt == ATTEMPTS - 1 or busy.reason == "too_slow":
                    raise
                await asyncio.sleep(min(busy.retry_after_s, LONGEST_WAIT_S))
            except msgspec.DecodeError as error:
                raise AnswerError(f"the server's version does not fit this client's: {error}") from None
        raise AssertionError("the last attempt returns or raises")

    async def pages(
        self, page: Callable[..., Coroutine[Any, Any, P]], /, *in_path: str, **parameters: Any
    ) -> AsyncIterator[P]:
        """Every page of a call that answers by pages, e.g. `client.pages(client.trace_spans, trace_id)`."""
        while True:
            answer = await page(*in_path, **parameters)
            yield answer
            if answer.next is None:
                return
            parameters["cursor"] = answer.next

    async def _get(self, address: str, query: list[tuple[str, str]]) -> bytes:
        if self._session is None:
            raise RuntimeError("use the client as a context manager: async with Client(…) as client")
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            # A redirect is not followed: the token would go along.
            async with self._session.get(address, params=query, headers=headers, allow_redirects=False) as response:
                body = await _read(response)
        except TimeoutError:
            raise UnreachableError(f"{self._address} gave no answer within {self._timeout.total:g} s") from None
        except aiohttp.ClientError as error:
            raise UnreachableError(f"{self._address} cannot be reached: {type(error).__name__}") from None
        if response.status == 200:
            return body
        raise _refusal(response, body)


class SyncClient(Calls):
    """The same without asyncio: `with SyncClient(address, token) as client: client.apps()`. For one thread
    at a time, and not where a loop runs already.

    Arguments and errors are those of `Client`.
    """

    def __init__(self, address: str, token: str, *, timeout_s: float = TIMEOUT_S) -> None:
        self._client = Client(address, token, timeout_s=timeout_s)
        self._runner = asyncio.Runner()

    def __enter__(self) -> "SyncClient":
        self._runner.run(self._client.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._runner.run(self._client.__aexit__(kind, error, trace))
        self._runner.close()

    def __repr__(self) -> str:
        return repr(self._client)

    def ask(self, call: Call[A], /, *in_path: str, **parameters: Any) -> A:
        """As `Client.ask`."""
        return self._runner.run(self._client.ask(call, *in_path, **parameters))

    def pages(self, page: Callable[..., P], /, *in_path: str, **parameters: Any) -> Iterator[P]:
        """As `Client.pages`."""
        while True:
            answer = page(*in_path, **parameters)
            yield answer
            if answer.next is None:
                return
            parameters["cursor"] = answer.next


async def _read(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for part in response.content.iter_chunked(1 << 16):
        body += part
        if len(body) > MOST_BYTES:
            raise AnswerError(f"the answer is larger than {MOST_BYTES >> 20} MiB: ask for less")
    return bytes(body)


def _refusal(response: aiohttp.ClientResponse, body: bytes) -> RefusedError | AnswerError:
    try:
        said = msgspec.json.decode(body, type=_Error)
    except msgspec.DecodeError:
        return AnswerError(f"this is no query server of firsthop: it answered {response.status}")
    error = refused(response.status, said.error, said.message, said.parameter)
    if isinstance(error, BusyError):
        waited = response.headers.get("Retry-After", "")
        error.retry_after_s = float(waited) if re.fullmatch(r"[0-9]{1,6}", waited) else 1.0
    return error


def _filled(path: str, parts: tuple[str, ...]) -> str:
    names = re.findall(r"\{(\w+)\}", path)
    if len(parts) != len(names):
        raise TypeError(f"this call takes {', '.join(names) or 'nothing'} before its named parameters")
    return path.format(**{name: quote(part, safe="") for name, part in zip(names, parts, strict=True)})


def _query(parameters: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name.removesuffix("_"), _text(each))
        for name, value in parameters.items()
        for each in (value if isinstance(value, list) else [value])
        if each is not None
    ]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a datetime must have a zone, e.g. datetime.now(UTC)")
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return str(value)
