"""The load generator against a real HTTP server: what it sends, what it counts, and where it refuses to aim."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
from aiohttp import web

from ingest.decode.formats import DECODERS, Format
from ingest.decode.inflate import inflate
from ingest.settings import Limits
from loadtest import bench, load, traffic
from loadtest.http1 import NotLoopbackError
from loadtest.visits import visits


class Server:
    """Keeps what it receives and answers from a list, then with 202."""

    def __init__(self) -> None:
        self.address = ""
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: list[int] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((request.path_qs, dict(request.headers), await request.content.read()))
        status = self.answers.pop(0) if self.answers else 202
        if not status:
            assert request.transport is not None
            request.transport.close()
        return web.json_response({}, status=status or 202)


@pytest_asyncio.fixture
async def server() -> AsyncIterator[Server]:
    """A server on loopback that leaves bodies compressed."""
    kept = Server()
    app = web.Application()
    app.router.add_post("/{path:.*}", kept.answer)
    runner = web.AppRunner(app, access_log=None, auto_decompress=False)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kept.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield kept
    await runner.cleanup()


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:4318", "http://edge.example", "https://127.0.0.1:4318", "ftp://127.0.0.1", "127.0.0.1"]
)
def test_a_target_off_this_machine_is_refused(url: str) -> None:
    with pytest.raises(NotLoopbackError, match="loopback"):
        load.Plan(url)


@pytest.mark.parametrize("over", [{"seconds": 121.0}, {"seconds": 0.0}, {"rate": 1e9}])
def test_a_run_beyond_the_bounds_is_refused(over: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"seconds|at most"):
        load.Plan("http://localhost:4318", **over)


@pytest.mark.parametrize("format_name", ["native", "otlp"])
async def test_every_request_of_the_schedule_is_sent_once_with_a_batch_of_its_own(
    server: Server, format_name: str
) -> None:
    report = await load.run(load.Plan(server.address, format=format_name, spans=5, rate=2000, seconds=0.1, key="k1"))

    assert (report.requests, report.unsent, dict(report.statuses)) == (40, 0, {202: 40})
    assert report.accepted == len(server.requests) == 40
    assert {headers["x-api-key"] for _, headers, _ in server.requests} == {"k1"}
    inflated = [inflate(body, "gzip", 1 << 20) for _, _, body in server.requests]
    decode = DECODERS[Format.NATIVE if format_name == "native" else Format.OTLP_PROTOBUF]
    decoded = decode(inflated, Limits())
    assert not decoded.faults
    assert len(decoded.batch.spans) == 200
    assert len({row.tobytes() for row in decoded.batch.bodies.batch_id}) == 40


async def test_refusals_and_broken_connections_are_counted_apart_and_not_as_accepted(server: Server) -> None:
    server.answers = [503, 0, 429]
    report = await load.run(load.Plan(server.address, spans=5, rate=500, seconds=0.1, connections=3))
    assert dict(report.statuses) == {0: 1, 202: 7, 429: 1, 503: 1}
    assert report.accepted == 7


async def test_without_a_rate_all_connections_stay_busy_until_the_bodies_or_the_time_are_used_up(
    server: Server,
) -> None:
    report = await load.run(load.Plan(server.address, spans=100, rate=0, seconds=0.1, connections=2))
    assert report.requests == sum(report.statuses.values()) == len(server.requests) >= 2


async def test_traffic_sends_the_same_body_again_with_a_fresh_stamp_until_it_is_taken(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traffic, "RETRY_S", 0.0)
    server.answers = [503, 0, 202]
    [batch] = visits(np.random.default_rng(1), [1_790_000_000_000_000], 0, app="bank")
    post = traffic.Post(server.address, {"": "k1", "bank": "k2"})
    await post.deliver(batch)

    paths, headers, bodies = zip(*server.requests, strict=True)
    assert len(set(bodies)) == 1
    assert len(set(paths)) == 3
    assert {one["x-api-key"] for one in headers} == {"k2"}
    assert {one["X-Forwarded-For"] for one in headers} == {batch.sender.address}
    assert (post.spans, dict(post.statuses)) == (batch.spans, {"202": 1})


def test_the_figures_replace_only_what_stands_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    page.write_text(f"before\n{bench.BEGIN}\nold\n{bench.END}\nafter\n")
    bench.write_figures(page, ["| new |"])
    assert page.read_text() == f"before\n{bench.BEGIN}\n\n| new |\n\n{bench.END}\nafter\n"
    (tmp_path / "bare.md").write_text("nothing")
    with pytest.raises(ValueError, match="has no lines"):
        bench.write_figures(tmp_path / "bare.md", [])


def test_a_bound_fails_only_when_it_is_missed_by_more_than_noise() -> None:
    bound = bench.Bound("something", 10, "ms")
    assert [bench.judge({bound: figure})[1] for figure in (9.0, 19.9, 20.1)] == [True, True, False]
    assert "over" in bench.judge({bound: 12.0})[0][-1]
