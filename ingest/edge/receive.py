"""Reading one request: its body within bounds of size, time and memory, and what the transport knows of it.

Nothing here trusts a length or an address that it was told: Content-Length only refuses early, X-Forwarded-For counts
only from peers named as proxies. `Forwarded` (RFC 7239) is not read at all: a proxy that writes one of the two headers
passes the other on as the client sent it, so whoever believes both believes the client.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import unquote_plus

from aiohttp import StreamReader
from aiohttp.web import BaseRequest, RequestPayloadError

from ingest.decode.faro_meta import SESSION_ID
from ingest.errors import Malformed, TooLarge, TooSlow, Unavailable
from ingest.model import UNKNOWN, Anchor, SendStamp
from privacy.addresses import read_address

HINTS = ("sec-ch-ua-platform", "sec-ch-ua-model", "sec-ch-ua-mobile", "sec-ch-device-memory", "device-memory")
"""Client-hint headers that say something of the device class."""

_USER_AGENT_CHARS = 512
_ORIGIN_CHARS = 256
_EPOCH_CHARS = 128
_BATCH_KEY_CHARS = 128
_QUERY_FIELDS = 32
_MICROSECONDS_LIMIT = 1 << 53
_STAMP = frozenset({"s", "w", "e", "r", "bg", "o", "d", "t", "oe", "b"})


class Queue:
    """The bytes a worker may hold: bodies being read, waiting for their commit or in one.

    A reservation is refused rather than queued: a client that is told to come back costs less than one that waits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.held = 0

    def take(self, count: int) -> None:
        """Reserves bytes.

        Raises:
            Unavailable: they would not fit.
        """
        if self.held + count > self._limit:
            raise Unavailable("queue_full", "this worker has no room for the body now: send it again later")
        self.held += count

    def give(self, count: int) -> None:
        """Gives bytes back."""
        self.held -= count


class Holding:
    """What one request holds of the queue; given back on leaving, whatever happened."""

    def __init__(self, queue: Queue) -> None:
        self._queue, self.count = queue, 0

    def __enter__(self) -> "Holding":
        return self

    def __exit__(self, *_: object) -> None:
        self._queue.give(self.count)
        self.count = 0

    def hold(self, count: int) -> None:
        """Holds exactly `count` bytes from now on.

        Raises:
            Unavailable: they do not fit; what was held before still is.
        """
        self._queue.take(count - self.count)
        self.count = count


async def read_body(request: BaseRequest, limit: int, timeout_s: float, holding: Holding) -> bytes:
    """The body as sent, at most `limit` bytes, within `timeout_s`; held in the queue while it grows.

    Raises:
        TooLarge: it is longer, by its own word or in fact.
        TooSlow: it did not arrive in time.
        Malformed: the client broke off or sent a broken chunk.
        Unavailable: the queue has no room for it.
    """
    length = request.content_length
    if length is not None:
        if length > limit:
            raise _too_large(limit)
        holding.hold(length)
    if "Expect" in request.headers:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # else aiohttp believes that the answer has begun
    content = request.content
    try:
        if length is not None and content.is_eof():
            return content.read_nowait()
        async with asyncio.timeout(timeout_s):
            return await _read_chunks(content, limit, holding)
    except TimeoutError:
        raise TooSlow("slow_body", f"the body did not arrive within {timeout_s:g} s: send less at once") from None
    except (RequestPayloadError, ConnectionError):
        raise Malformed("broken_body", "the body ended before its announced length or had a broken chunk") from None


async def _read_chunks(content: StreamReader, limit: int, holding: Holding) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while chunk := await content.readany():
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        holding.hold(max(size, holding.count))
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body_too_large", f"the body exceeds {limit} bytes as sent: halve the batch")


def read_query(text: str) -> Mapping[str, str]:
    """The parameters of a query string; of a repeated one the last. Names are taken as they are.

    Raises:
        Malformed: too many.
    """
    if not text:
        return {}
    fields = text.split("&", _QUERY_FIELDS)
    if len(fields) > _QUERY_FIELDS:
        raise Malformed("query", f"the address has more than {_QUERY_FIELDS} parameters")
    # Written out because urllib's parse_qsl takes five times as long, on every request.
    query = {}
    for field in fields:
        name, _, value = field.partition("=")
        query[name] = unquote_plus(value) if "%" in value or "+" in value else value
    return query


def read_stamp(query: Mapping[str, str]) -> SendStamp | None:
    """The send stamp of the native format from parameters s, w, e, r, bg, o, d, t, oe, b; None when there is none.

    Raises:
        Malformed: names the parameter that cannot be used.
    """
    if _STAMP.isdisjoint(query):
        return None
    if "s" not in query:
        raise Malformed("s", "parameter s is missing: the monotonic clock at send in µs belongs to every send stamp")
    epoch = _epoch(query, "e", "")
    background = query.get("bg", "0")
    if background not in ("0", "1"):
        raise Malformed("bg", "parameter bg must be 0 or 1")
    return SendStamp(
        mono_us=_microseconds(query, "s"),
        wall_us=_microseconds(query, "w"),
        epoch=epoch,
        rtt_us=_microseconds(query, "r"),
        background=background == "1",
        anchor=_anchor(query, epoch),
        bridge_us=_signed_microseconds(query, "b") if "b" in query else None,
    )


def _anchor(query: Mapping[str, str], stamp_epoch: str) -> Anchor | None:
    """Parameters o, d, t and oe, the epoch that they hold in if it is not the stamp's."""
    if not query.keys() & {"o", "d", "t", "oe"}:
        return None
    for name in ("o", "d", "t"):
        if name not in query:
            raise Malformed(name, f"parameter {name} is missing: an anchor has an offset o, its error d and a time t")
    return Anchor(
        offset_us=_signed_microseconds(query, "o"),
        err_us=_microseconds(query, "d"),
        at_us=_microseconds(query, "t"),
        epoch=_epoch(query, "oe", stamp_epoch),
    )


def _epoch(query: Mapping[str, str], name: str, default: str) -> str:
    epoch = query.get(name, default)
    if len(epoch) > _EPOCH_CHARS:
        raise Malformed(name, f"parameter {name}, a clock epoch, is longer than {_EPOCH_CHARS} characters")
    return epoch


def _signed_microseconds(query: Mapping[str, str], name: str) -> int:
    text = query[name]
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 16 and int(digits) < _MICROSECONDS_LIMIT):
        raise Malformed(name, f"parameter {name} must be a whole number of µs between -2^53 and 2^53")
    return int(text)


def _microseconds(query: Mapping[str, str], name: str) -> int:
    text = query.get(name)
    if text is None:
        return UNKNOWN
    if not (text.isascii() and text.isdigit() and len(text) <= 16 and int(text) < _MICROSECONDS_LIMIT):
        raise Malformed(name, f"parameter {name} must be a whole number of µs below 2^53")
    return int(text)


class Addresses:
    """Whose request it is, seen through the proxies that are trusted.

    Args:
        proxies: networks or addresses whose X-Forwarded-For is believed.

    Raises:
        ValueError: one of them is no network.
    """

    def __init__(self, proxies: Sequence[str]) -> None:
        self._networks: list[IPv4Network | IPv6Network] = [ip_network(proxy) for proxy in proxies]
        self._trusted = lru_cache(maxsize=4096)(self._in_networks)

    def of(self, request: BaseRequest) -> str:
        """The peer, or when it is a trusted proxy the right-most address forwarded that is none; "" when unreadable."""
        peer = request.transport.get_extra_info("peername") if request.transport is not None else None
        address = _bare(str(peer[0])) if peer else ""
        if not self._networks or not self._trusted(address):
            return address
        hops = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        for hop in reversed(hops):
            if not hop.strip():
                continue
            address = _bare(hop.strip())
            if not self._trusted(address):
                break
        return address

    def _in_networks(self, text: str) -> bool:
        address = read_address(text)
        return address is not None and any(address in network for network in self._networks)


def _bare(hop: str) -> str:
    """The address without port, brackets and zone, IPv4 inside IPv6 as IPv4; "" when it is none."""
    if hop.startswith("["):
        hop = hop[1:].partition("]")[0]
    elif hop.count(":") == 1:
        hop = hop.partition(":")[0]
    address = read_address(hop)
    return "" if address is None else str(address)


def read_signal(request: BaseRequest, name: str) -> bool:
    """Whether a header that a browser sends for its user, `Sec-GPC` or `DNT`, says 1."""
    return any(value.strip() == "1" for line in request.headers.getall(name, ()) for value in line.split(","))


def read_hints(request: BaseRequest) -> dict[str, str]:
    """The client hints that were sent, by lower-case name, without the quotes of structured headers."""
    headers = request.headers
    return {name: headers[name].strip('"')[:_USER_AGENT_CHARS] for name in HINTS if name in headers}


def read_origin(request: BaseRequest) -> str:
    """The web origin of the page that sends, as its browser says; "" from outside a browser."""
    return request.headers.get("Origin", "")[:_ORIGIN_CHARS]


def read_host(request: BaseRequest) -> str:
    """The name and port that the client sent to, in lower case."""
    return request.headers.get("Host", "")[:_ORIGIN_CHARS].lower()


def read_user_agent(request: BaseRequest) -> str:
    """The User-Agent, cut to a length that real ones stay below."""
    return request.headers.get("User-Agent", "")[:_USER_AGENT_CHARS]


def read_batch_id(request: BaseRequest, app_id: int) -> bytes:
    """The id of a batch that names itself by `Idempotency-Key`, the same on every retry; b"" when it does not.

    16 bytes of hash over the app and the key: a key longer than `_BATCH_KEY_CHARS` names nothing.
    """
    key = request.headers.get("Idempotency-Key", "")
    if not 0 < len(key) <= _BATCH_KEY_CHARS:
        return b""
    return blake2b(f"{app_id}\n{key}".encode("utf-8", "surrogateescape"), digest_size=16, person=b"batch key").digest()


def session_is_sound(request: BaseRequest) -> bool:
    """Whether the session id that Faro's SDK sends is one, or is not sent."""
    return SESSION_ID.fullmatch(request.headers.get("X-Faro-Session-Id", "-")) is not None


def now_us() -> int:
    """Server time in µs since 1970."""
    return time.time_ns() // 1000
