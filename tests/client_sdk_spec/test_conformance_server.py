"""The server half of `firsthop conformance`: a real edge passes, and every check finds a server that is wrong."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web

from client_sdk_spec.conformance.server import Server
from client_sdk_spec.conformance.server_half import CHECKS, check_server
from client_sdk_spec.conformance.verdicts import Verdict, failed
from ingest.edge.server import Edge
from tests.edge.conftest import CLIENT_KEY, RunningEdge, StartEdge, start_edge
from tests.edge.test_config import SIGNER

__all__ = ["start_edge"]

Fault = Callable[[web.BaseRequest, web.Response], None]
NEEDS_A_LEDGER = "counted_once"


@pytest.fixture
def faults(monkeypatch: pytest.MonkeyPatch) -> list[Fault]:
    """What is done to every answer of an edge that is started."""
    made: list[Fault] = []
    answer = Edge.answer

    async def wrong(self: Edge, request: web.BaseRequest) -> web.Response:
        response = await answer(self, request)
        for fault in made:
            fault(request, response)
        return response

    monkeypatch.setattr(Edge, "answer", wrong)
    return made


@pytest.fixture
async def edge(start_edge: StartEdge, faults: list[Fault]) -> RunningEdge:
    return await start_edge(read_timeout_s=1.0)


async def test_this_projects_edge_does_what_the_specification_says(edge: RunningEdge):
    verdicts = await check_server(edge.url, CLIENT_KEY)
    assert [verdict for verdict in verdicts if verdict.word == "broken"] == []
    assert {verdict.check for verdict in verdicts if verdict.word == "not seen"} == {NEEDS_A_LEDGER}
    assert all(verdict.sentences for verdict in verdicts)


def changed(response: web.Response, **fields: Any) -> None:
    """Fields of an answer in JSON set, or with None taken out."""
    told = json.loads(response.body) | fields  # type: ignore[arg-type]
    response.body = json.dumps({name: value for name, value in told.items() if value is not None}).encode()


def answers(status: int, other: int, **fields: Any) -> Fault:
    """Whatever would be answered with one status is answered with another."""

    def fault(request: web.BaseRequest, response: web.Response) -> None:
        if response.status == status:
            response.set_status(other)
            if fields:
                response.body = json.dumps(fields).encode()

    return fault


def without(header: str, path: str = "") -> Fault:
    """A header is missing in answers."""

    def fault(request: web.BaseRequest, response: web.Response) -> None:
        if request.path.startswith(path):
            response.headers.pop(header, None)

    return fault


def telling(path: str = "/v1/batches", **fields: Any) -> Fault:
    """Fields of accepting answers are others."""

    def fault(request: web.BaseRequest, response: web.Response) -> None:
        if request.path.startswith(path) and response.status in (200, 202) and response.body:
            changed(response, **fields)

    return fault


def received_late(request: web.BaseRequest, response: web.Response) -> None:
    if response.status == 202:
        changed(response, received_us=json.loads(response.body)["replied_us"])  # type: ignore[arg-type]


def two_days_ahead(request: web.BaseRequest, response: web.Response) -> None:
    if response.status == 202:
        told = json.loads(response.body)  # type: ignore[arg-type]
        changed(response, **{name: told[name] + 2 * 86_400_000_000 for name in ("received_us", "replied_us")})


def quotes(request: web.BaseRequest, response: web.Response) -> None:
    if response.status >= 400:
        changed(response, message=request.raw_path)


def signs_other_bytes(request: web.BaseRequest, response: web.Response) -> None:
    if "Firsthop-Signature" in response.headers:
        response.headers["Firsthop-Signature"] = SIGNER.sign(b"other")


def first_bytes_unread(request: web.BaseRequest, response: web.Response) -> None:
    if "Content-Encoding" not in request.headers and "Content-Type" not in request.headers:
        answers(202, 415)(request, response)


def later_versions_refused(request: web.BaseRequest, response: web.Response) -> None:
    if request.content_length and request.content_length < 300:
        answers(202, 400)(request, response)


def duplicates_refused() -> Fault:
    seen: set[Any] = set()

    def fault(request: web.BaseRequest, response: web.Response) -> None:
        told = (request.content_length, request.query_string)
        if response.status == 202 and told in seen:
            response.set_status(409)
        seen.add(told)

    return fault


ACCEPTED = {"accepted": 0, "rejected": {}, "received_us": 1, "replied_us": 1}
NO_SAMPLING = {"th": "08000000", "routes": {}, "always": []}
FAULTS: dict[str, list[Fault]] = {
    "golden": [telling(accepted=0), answers(202, 500)],
    "found_by_first_bytes": [first_bytes_unread],
    "tolerated": [later_versions_refused],
    "malformed": [answers(400, 202, **ACCEPTED), answers(413, 400), telling_reason := answers(400, 400, error="wrong")],
    "rejected_spans": [telling(rejected={}), telling(accepted=7)],
    "duplicates": [duplicates_refused()],
    "size_limits": [answers(413, 202, **ACCEPTED)],
    "accepted_shape": [telling(replied_us=None), telling(received_us="now"), answers(202, 200)],
    "clock_order": [received_late, telling(replied_us=1)],
    "server_time": [two_days_ahead],
    "error_shape": [quotes, answers(400, 400, error="x"), answers(405, 404), without("Allow")],
    "keys": [answers(403, 401), answers(401, 400)],
    "stamps": [answers(400, 202), telling_reason],
    "simple_requests": [
        without("Access-Control-Allow-Origin"),
        without("Access-Control-Expose-Headers"),
        without("Timing-Allow-Origin"),
    ],
    "preflights": [without("Access-Control-Allow-Headers"), answers(204, 401)],
    "config_shape": [telling("/v1/config", sampling=NO_SAMPLING), telling("/v1/config", ttl_s=None)],
    "config_etags": [answers(304, 200), without("ETag", "/v1/config")],
    "config_clock": [without("Cache-Control"), without("Firsthop-Received-Us")],
    "config_signature": [without("Firsthop-Signature"), signs_other_bytes],
    "config_pages": [without("Access-Control-Expose-Headers")],
    "config_keys": [answers(403, 200)],
    "slow_body": [answers(408, 400), without("Retry-After")],
}


def test_every_check_is_shown_a_server_that_is_wrong():
    assert {check.name for check in CHECKS} - set(FAULTS) == {NEEDS_A_LEDGER, "retry_after"}


async def of_wrong(edge: RunningEdge, faults: list[Fault], fault: Fault, *names: str) -> list[Verdict]:
    """The verdicts on an edge whose answers are changed on their way out."""
    faults.append(fault)
    only = tuple(check for check in CHECKS if check.name in names)
    return await check_server(edge.url, CLIENT_KEY, config_key=SIGNER.public_key, only=only)


@pytest.mark.parametrize(("name", "fault"), [(name, fault) for name, faults in FAULTS.items() for fault in faults])
async def test_a_check_finds_a_server_that_is_wrong(edge: RunningEdge, faults: list[Fault], name: str, fault: Fault):
    (verdict,) = await of_wrong(edge, faults, fault, name)
    assert verdict.word == "broken", verdict
    assert failed([verdict])


async def test_whoever_is_told_to_come_back_without_being_told_when_is_noticed(edge: RunningEdge, faults: list[Fault]):
    verdicts = await of_wrong(edge, faults, answers(401, 503), "config_keys", "retry_after")
    assert [verdict.word for verdict in verdicts] == ["broken", "broken"]


async def test_a_server_that_is_not_there_is_broken():
    verdicts = await check_server("http://127.0.0.1:9", "key", only=CHECKS[:2])
    assert {verdict.word for verdict in verdicts} == {"broken"}


@pytest.mark.parametrize(("counted", "word"), [(7, "holds"), (14, "broken")])
async def test_a_ledger_that_counts_duplicates_is_noticed(monkeypatch: pytest.MonkeyPatch, counted: int, word: str):
    """Of 21 spans received, 14 are duplicates; by the other ledger only seven are, and a third are counted twice."""
    empty = {"received": 0, "outcomes": {}, "client": {}}
    after = {"kept": 2, "counted_only": counted - 2, "duplicate": 14}
    ledgers = iter([empty, {"received": 21, "outcomes": after, "client": {"before_send": 3}}])

    async def ledger(self: Server) -> Any:
        return next(ledgers)

    async def send(self: Server, *_: Any) -> None:
        return None

    monkeypatch.setattr(Server, "ledger", ledger)
    monkeypatch.setattr(Server, "send", send)
    only = tuple(check for check in CHECKS if check.name == NEEDS_A_LEDGER)
    (verdict,) = await check_server("http://127.0.0.1:9", "key", query="http://127.0.0.1:9", only=only)
    assert verdict.word == word, verdict
