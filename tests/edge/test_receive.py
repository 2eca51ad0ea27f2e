"""Reading a request within bounds, and what is taken from its transport."""

import asyncio
import gzip
import zlib

import pytest

from ingest.model import UNKNOWN, Anchor, Reception, SendStamp
from ingest.settings import Limits
from tests.edge.conftest import CLIENT_KEY, SERVER_KEY, RunningEdge, StartEdge, native

HEAD = f"POST /v1/batches HTTP/1.1\r\nHost: edge\r\nX-Api-Key: {CLIENT_KEY}\r\n"


async def exchange(edge: RunningEdge, *pieces: bytes) -> bytes:
    """What the edge answers to these pieces, sent as they are on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    await writer.wait_closed()
    return head


def chunked(data: bytes, size: int) -> bytes:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


async def test_a_chunked_body_is_read_to_its_end(edge: RunningEdge):
    head = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
    assert b" 202 " in await exchange(edge, head.encode() + chunked(native(5), 100))
    assert edge.journal.spans == 5


async def test_a_chunked_body_is_refused_as_soon_as_it_exceeds_the_limit(start_edge: StartEdge):
    edge = await start_edge(limits=Limits(wire_bytes=2000))
    head = HEAD + "Transfer-Encoding: chunked\r\n\r\n"
    endless = b"400\r\n" + b"x" * 1024 + b"\r\n"
    assert b" 413 " in await exchange(edge, head.encode() + endless * 3)


async def test_a_body_that_announces_too_much_is_refused_before_any_of_it_is_sent(edge: RunningEdge):
    assert b" 413 " in await exchange(edge, (HEAD + "Content-Length: 99999999\r\n\r\n").encode())


@pytest.mark.parametrize(
    ("encoding", "bomb"),
    [("gzip", gzip.compress(bytes(50 << 20), mtime=0)), ("deflate", zlib.compress(bytes(50 << 20)))],
)
async def test_a_small_body_that_inflates_beyond_the_limit_is_refused(edge: RunningEdge, encoding: str, bomb: bytes):
    answer = await edge.send(bomb, content_encoding=encoding)
    assert (answer.status, answer.json()["error"]) == (413, "body_too_large")


@pytest.mark.parametrize("where", ["header", "parameter", "first bytes"])
async def test_compression_is_named_by_header_or_parameter_or_found_by_the_first_bytes(edge: RunningEdge, where: str):
    path = "/v1/batches?encoding=gzip" if where == "parameter" else "/v1/batches"
    headers = {"content_encoding": "gzip"} if where == "header" else {}
    assert (await edge.send(gzip.compress(native()), path, **headers)).status == 202


async def test_a_body_that_does_not_arrive_in_time_is_answered_408_and_gives_its_bytes_back(start_edge: StartEdge):
    edge = await start_edge(read_timeout_s=0.05)
    answer = await exchange(edge, (HEAD + "Content-Length: 5000\r\n\r\n{").encode())
    assert b" 408 " in answer
    assert b"Retry-After" in answer
    assert (await edge.metrics())["firsthop_queue_bytes"] == 0


async def test_a_client_that_breaks_off_harms_nobody(edge: RunningEdge):
    for piece in (b"", b"{", b'{"v":1'):
        _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write((HEAD + "Content-Length: 5000\r\n\r\n").encode() + piece)
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    async with asyncio.timeout(10):
        while (await edge.metrics()).get('firsthop_refused_total{reason="broken_body"}', 0) < 3:
            pass
    metrics = await edge.metrics()
    assert (metrics["firsthop_queue_bytes"], metrics["firsthop_unhandled_errors_total"]) == (0, 0)
    assert (await edge.send(native())).status == 202


async def test_a_client_that_leaves_before_the_answer_has_its_batch_committed_all_the_same(edge: RunningEdge):
    edge.journal.open.clear()
    body = native(2)
    _, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write((HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode() + body)
    await edge.journal.until(lambda journal: journal.waiting > 0)
    writer.close()
    await writer.wait_closed()
    edge.journal.open.set()
    await edge.journal.until(lambda journal: journal.spans == 2)


async def test_a_client_that_expects_to_be_told_to_continue_is_told(edge: RunningEdge):
    body = native()
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write((HEAD + f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n").encode())
    assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(body)
    assert b" 202 " in await reader.readuntil(b"\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("s=-1", "s"),
        ("s=abc", "s"),
        ("s=99999999999999999999", "s"),
        ("s=1&w=1.5", "w"),
        ("s=1&r=", "r"),
        ("s=1&bg=yes", "bg"),
        ("w=5", "s"),
        ("s=1&e=" + "x" * 200, "e"),
        ("o=1&d=1&t=1", "s"),
        ("b=5", "s"),
        ("s=1&d=1&t=1", "o"),
        ("s=1&o=1&t=1", "d"),
        ("s=1&o=1&d=1", "t"),
        ("s=1&oe=b1", "o"),
        ("s=1&o=--1&d=1&t=1", "o"),
        ("s=1&o=-9007199254740992&d=1&t=1", "o"),
        ("s=1&o=1&d=-1&t=1", "d"),
        ("s=1&o=1&d=1&t=-1", "t"),
        ("s=1&o=1&d=1&t=1&oe=" + "x" * 200, "oe"),
        ("s=1&b=", "b"),
        ("s=1&b=+5", "b"),
        ("s=1&b=1e9", "b"),
        ("s=1&b=9007199254740992", "b"),
    ],
)
async def test_a_send_stamp_that_cannot_be_used_is_refused_with_the_parameters_name(
    edge: RunningEdge, query: str, name: str
):
    answer = await edge.send(native(), f"/v1/batches?{query}")
    assert (answer.status, answer.json()["error"]) == (400, name)
    assert f"parameter {name}" in answer.json()["message"]


async def test_too_many_parameters_are_refused(edge: RunningEdge):
    assert (await edge.send(native(), "/v1/batches?" + "a=1&" * 40)).json()["error"] == "query"


class Receptions:
    """The pipeline's place: notes what the transport was found to say, then lets the real one work."""

    def __init__(self) -> None:
        self.seen: list[Reception] = []

    def __call__(self, batch: object, receptions: list[Reception]) -> object:
        from ingest.pipeline.process import process
        from tests.batches import built_in
        from tests.edge.conftest import POLICY

        self.seen.extend(receptions)
        return process(batch, receptions, POLICY, policy_of=built_in, country_of=lambda _: "")  # type: ignore[arg-type]


async def test_what_the_transport_says_reaches_the_pipeline(start_edge: StartEdge):
    seen = Receptions()
    edge = await start_edge(process=seen)
    await edge.send(
        native(),
        "/v1/batches?s=12000000&w=1790000000000000&e=boot%201&r=31000&bg=1",
        user_agent="Shop/5 (Android 14)",
        sec_ch_ua_platform='"Android"',
        sec_ch_device_memory="4",
        x_api_key=SERVER_KEY,
    )
    [reception] = seen.seen
    assert reception.send == SendStamp(12_000_000, 1_790_000_000_000_000, "boot 1", 31_000, background=True)
    assert reception.hints == {"sec-ch-ua-platform": "Android", "sec-ch-device-memory": "4"}
    assert (reception.user_agent, reception.address, reception.trusted) == ("Shop/5 (Android 14)", "127.0.0.1", True)
    assert "127.0.0.1" not in repr(reception)


@pytest.mark.parametrize(("named", "epoch"), [("", "b2"), ("&oe=b1", "b1")])
async def test_a_stamp_may_have_an_anchor_and_a_bridge(start_edge: StartEdge, named: str, epoch: str):
    seen = Receptions()
    edge = await start_edge(process=seen)
    await edge.send(native(), f"/v1/batches?s=5&e=b2&o=-1790000000000000&d=0&t=4&b=-28800000000{named}")
    anchor = Anchor(offset_us=-1_790_000_000_000_000, err_us=0, at_us=4, epoch=epoch)
    assert seen.seen[0].send == SendStamp(5, epoch="b2", anchor=anchor, bridge_us=-28_800_000_000)


async def test_a_stamp_may_be_short_and_may_be_absent(start_edge: StartEdge):
    seen = Receptions()
    edge = await start_edge(process=seen)
    await edge.send(native(), "/v1/batches?s=5")
    await edge.send(native(batch_id=2))
    assert [reception.send for reception in seen.seen] == [SendStamp(5, UNKNOWN, "", UNKNOWN), None]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        ((), "203.0.113.7", "127.0.0.1"),
        (("127.0.0.0/8",), "", "127.0.0.1"),
        (("127.0.0.0/8",), "203.0.113.7", "203.0.113.7"),
        (("127.0.0.0/8", "10.0.0.0/8"), "198.51.100.1, 203.0.113.7, 10.1.2.3", "203.0.113.7"),
        (("127.0.0.0/8",), "203.0.113.7:4711", "203.0.113.7"),
        (("127.0.0.0/8",), "[2001:db8::7]:4711", "2001:db8::7"),
        (("127.0.0.0/8",), "2001:db8::7", "2001:db8::7"),
        (("127.0.0.0/8",), "203.0.113.7, unknown", ""),
        (("10.0.0.0/8",), "203.0.113.7", "127.0.0.1"),
        # Whatever a client writes to the left of what the proxies saw is not believed.
        (("127.0.0.0/8",), "10.0.0.1, 127.0.0.1, 203.0.113.7", "203.0.113.7"),
        (("127.0.0.0/8",), "<script>, 192.0.2.1:x:y, 203.0.113.7", "203.0.113.7"),
        (("127.0.0.0/8", "10.0.0.0/8"), "10.1.2.3, 10.1.2.4", "10.1.2.3"),
        (("127.0.0.0/8", "10.0.0.0/8"), "203.0.113.7, ::ffff:10.1.2.4", "203.0.113.7"),
        (("127.0.0.0/8", "2001:db8:a::/48"), "2001:db8::7, [2001:db8:a::1]:443", "2001:db8::7"),
        (("127.0.0.0/8",), "::ffff:203.0.113.7", "203.0.113.7"),
        (("127.0.0.0/8",), "fe80::7%eth0", "fe80::7"),
        (("127.0.0.0/8",), "[2001:db8::7", "2001:db8::7"),
        (("127.0.0.0/8",), " , ,", "127.0.0.1"),
        (("127.0.0.0/8",), "203.0.113.7:4711:1", ""),
        (("127.0.0.0/8",), "203.0.113.777", ""),
        (("127.0.0.0/8",), "x" * 4000, ""),
    ],
)
async def test_the_address_is_the_rightmost_that_no_trusted_proxy_forwarded(
    start_edge: StartEdge, proxies: tuple[str, ...], forwarded: str, address: str
):
    seen = Receptions()
    edge = await start_edge(process=seen, trusted_proxies=proxies)
    await edge.send(native(), **({"x_forwarded_for": forwarded} if forwarded else {}))
    assert seen.seen[0].address == address


async def test_the_header_that_the_proxy_does_not_write_is_not_believed(start_edge: StartEdge):
    seen = Receptions()
    edge = await start_edge(process=seen, trusted_proxies=("127.0.0.0/8",))
    await edge.send(native(), forwarded="for=203.0.113.9", x_real_ip="203.0.113.9", x_forwarded_for="203.0.113.7")
    await edge.send(native(batch_id=2), forwarded="for=203.0.113.9", x_real_ip="203.0.113.9")
    assert [reception.address for reception in seen.seen] == ["203.0.113.7", "127.0.0.1"]


@pytest.mark.parametrize(
    ("headers", "signals"),
    [
        ({}, (False, False)),
        ({"sec_gpc": "1"}, (True, False)),
        ({"dnt": "1"}, (False, True)),
        ({"sec_gpc": "0", "dnt": "0"}, (False, False)),
        ({"sec_gpc": " 1 ", "dnt": "unspecified"}, (True, False)),
        ({"sec_gpc": "1, 1", "dnt": "true"}, (True, False)),
        ({"sec_gpc": "", "dnt": "11"}, (False, False)),
    ],
)
async def test_a_browsers_signals_are_heard(start_edge: StartEdge, headers: dict[str, str], signals: tuple[bool, bool]):
    seen = Receptions()
    edge = await start_edge(process=seen)
    await edge.send(native(), **headers)
    assert [(reception.gpc, reception.dnt) for reception in seen.seen] == [signals]
