"""The Python client against the real query server: what a script of a product's owner meets."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from ingest import client as package
from ingest.client import (
    AccessError,
    AnswerError,
    BusyError,
    Client,
    NotFoundError,
    ParameterError,
    SyncClient,
    UnreachableError,
    columns,
    csv_text,
    latency_columns,
)
from ingest.client.calls import Call, Calls
from ingest.query.endpoints import ENDPOINTS
from tests.query.conftest import ERASURE, OPERATOR, TOKEN
from tests.query.test_sessions import SESSION
from tests.query.test_traces import SPAN, TRACE
from tests.query.world import NOW_US

README = (Path(package.__file__).parent / "README.md").read_text()
CALLS = {name: call for name, call in vars(Calls).items() if isinstance(call, Call)}
JSON = "application/json"
READS = {each.path: each for each in ENDPOINTS if (each.method, each.media) == ("GET", JSON)}
NEEDED = {"values": {"dimension": "route"}, "compare": {"a.version": "5.2.0", "b.version": "5.2.1"}}


@pytest.fixture
def address(client: TestClient[Any, Any]) -> str:
    return str(client.make_url("/"))


@pytest_asyncio.fixture
async def asking(address: str) -> AsyncIterator[Client]:
    async with Client(address, TOKEN) as asking:
        yield asking


@pytest_asyncio.fixture
async def pretend() -> AsyncIterator[Callable[[Callable[[web.Request], Awaitable[web.Response]]], Awaitable[str]]]:
    """A server that answers every GET as it is told, for what the real one seldom says; gives its address."""
    servers: list[TestServer] = []

    async def start(answer: Callable[[web.Request], Awaitable[web.Response]]) -> str:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        servers.append(TestServer(app))
        await servers[-1].start_server()
        return str(servers[-1].make_url("/"))

    yield start
    for server in servers:
        await server.close()


def refuse(status: int, headers: dict[str, str] | None = None) -> web.Response:
    error = {"error": "too_busy", "message": "Too many questions.", "parameter": None}
    return web.json_response(error, status=status, headers=headers)


def test_every_call_that_reads_has_a_method_and_a_row_in_the_readme() -> None:
    assert sorted(call.path for call in CALLS.values()) == sorted(READS)
    rows = re.findall(r"^\| `(\w+)\(.*?\)` \| `(.*)` \|$", README, re.MULTILINE)
    assert rows == [(name, call.path) for name, call in CALLS.items()]


def members(schema: Any, answer: Any, where: str) -> list[str]:
    """Where a schema of the server and a type of the client differ: members that only one has or needs."""
    if choices := schema.get("anyOf", schema.get("oneOf")):
        schema = next(each for each in choices if each.get("type") != "null")
    if isinstance(answer, msgspec.inspect.UnionType):
        answer = next(each for each in answer.types if not isinstance(each, msgspec.inspect.NoneType))
    if isinstance(answer, msgspec.inspect.ListType):
        return members(schema["items"], answer.item_type, f"{where}[]")
    if not isinstance(answer, msgspec.inspect.StructType) or "properties" not in schema:
        return []
    fields = {field.encode_name: field for field in answer.fields}
    known = schema["properties"]
    differing = [f"{where}.{name}" for name in {*fields} ^ {*known}]
    differing += [
        f"{where}.{name}: required" for name, field in fields.items() if field.required != (name in schema["required"])
    ]
    for name in {*fields} & {*known}:
        differing += members(known[name], fields[name].type, f"{where}.{name}")
    return differing


@pytest.mark.parametrize("name", CALLS)
def test_answers_have_the_members_that_the_servers_schema_has(name: str) -> None:
    call = CALLS[name]
    assert members(READS[call.path].schema, msgspec.inspect.type_info(call.answer), name) == []


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_reads_what_the_server_answers(asking: Client, name: str) -> None:
    in_path = {"trace_id": TRACE, "span_id": SPAN, "erasure_id": ERASURE, "session": SESSION}
    call = CALLS[name]
    parameters = dict(NEEDED.get(name, {}))
    if any(parameter.name == "from" for parameter in READS[call.path].parameters):
        parameters["from_"] = "-2h"
    answer = await getattr(asking, name)(*(in_path[part] for part in re.findall(r"{(\w+)}", call.path)), **parameters)
    assert isinstance(answer, call.answer)


async def test_lists_repeat_a_filter_tuples_join_and_times_are_times(asking: Client) -> None:
    now = datetime.fromtimestamp(NOW_US / 1e6, UTC)
    answer = await asking.latency(
        from_=now - timedelta(hours=2),
        to=now,
        q=(0.5, 0.999),
        group_by=("country", "os"),
        country=["DE", "US"],
        app=None,
    )
    assert answer.quantiles == [0.5, 0.999]
    assert {group.group["country"] for group in answer.groups} == {"DE", "US"}
    assert answer.from_.tzinfo is not None
    with pytest.raises(ValueError, match="must have a zone"):
        await asking.latency(from_=datetime(2026, 3, 1))  # noqa: DTZ001


async def test_a_trace_is_read_page_by_page(asking: Client) -> None:
    whole = await asking.trace(TRACE)
    read = [
        span.span_id async for page in asking.pages(asking.trace_spans, TRACE, limit=1, depth=20) for span in page.spans
    ]
    assert sorted(read) == sorted(span.span_id for span in whole.spans)
    assert len(read) > 1


async def test_latency_becomes_columns_of_one_length_and_csv(asking: Client) -> None:
    latency = await asking.latency(from_="-2h", step="10m", group_by="version", q=(0.5, 0.999))
    table = latency_columns(latency)
    assert list(table) == ["at", "version", "spans", "errors", "measured", "reused", "unknown", "p50", "p99.9"]
    assert {len(column) for column in table.values()} == {sum(len(group.points) for group in latency.groups)}
    assert sum(table["spans"]) == sum(group.total.spans for group in latency.groups)
    assert csv_text(table).splitlines()[0] == ",".join(table)


async def test_rows_become_columns_with_a_name_for_each_member_of_an_object(asking: Client) -> None:
    table = columns((await asking.failures(from_="-2h", group_by="os")).groups)
    assert list(table) == ["group.os", "requests.spans", "requests.errors", "reports.spans", "reports.errors", "rate"]


def test_a_value_that_a_spreadsheet_would_run_stays_text_in_csv() -> None:
    text = csv_text({"version": ["=HYPERLINK(1)", "5.2.1"], "us": [-1.5, None]})
    assert text.splitlines() == ["version,us", "'=HYPERLINK(1),-1.5", "5.2.1,"]


async def test_a_wrong_parameter_is_named_with_its_status_and_remedy(asking: Client) -> None:
    with pytest.raises(ParameterError, match="multiple of 10 s") as caught:
        await asking.latency(step="7s")
    assert (caught.value.status, caught.value.reason, caught.value.parameter) == (400, "bad_parameter", "step")
    assert caught.value.remedy


async def test_a_token_of_nothing_or_of_another_app_is_denied(asking: Client, address: str) -> None:
    with pytest.raises(AccessError) as caught:
        await asking.ledger(app="other")
    assert caught.value.status == 403
    async with Client(address, "fh_tok_wrong") as stranger:
        with pytest.raises(AccessError) as caught:
            await stranger.apps()
    assert caught.value.status == 401
    assert "fh_tok_wrong" not in f"{caught.value} {stranger}"


async def test_what_is_not_there_is_not_found_and_a_path_cannot_be_left(asking: Client) -> None:
    with pytest.raises(NotFoundError):
        await asking.trace("f" * 32)
    with pytest.raises((NotFoundError, ParameterError)):
        await asking.trace("../apps")
    with pytest.raises(TypeError, match="takes trace_id before"):
        await asking.trace()


async def test_a_busy_server_is_asked_again_as_it_says_and_then_told_of(pretend: Any) -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"apps": []}) if len(asked) == 3 else refuse(503, {"Retry-After": "0"})

    async with Client(await pretend(answer), TOKEN) as client:
        assert (await client.apps()).apps == []
    assert len(asked) == 3


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_stays_busy_is_asked_three_times(pretend: Any, status: int) -> None:
    asked = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return refuse(status, {"Retry-After": "0"})

    async with Client(await pretend(answer), TOKEN) as client:
        with pytest.raises(BusyError) as caught:
            await client.apps()
    assert (len(asked), caught.value.status) == (3, status)


async def test_another_servers_answer_a_redirect_and_an_older_servers_are_told_apart(pretend: Any) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path.endswith("apps"):
            raise web.HTTPFound("/elsewhere")
        if request.path.endswith("ledger"):
            return web.json_response({"hours": []})
        raise AssertionError("a redirect was followed")

    async with Client(await pretend(answer), TOKEN) as client:
        with pytest.raises(AnswerError, match="no query server of firsthop: it answered 302"):
            await client.apps()
        with pytest.raises(AnswerError, match="version does not fit"):
            await client.ledger()


async def test_a_server_that_is_away_or_silent_is_unreachable(pretend: Any, unused_tcp_port: int) -> None:
    async with Client(f"http://127.0.0.1:{unused_tcp_port}", TOKEN) as client:
        with pytest.raises(UnreachableError, match="cannot be reached"):
            await client.apps()
    silent = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        await silent.wait()
        return refuse(503)

    async with Client(await pretend(answer), TOKEN, timeout_s=0.05) as client:
        with pytest.raises(UnreachableError, match=r"no answer within 0\.05 s"):
            await client.apps()
    silent.set()


def test_an_address_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="http"):
        Client("127.0.0.1:4380", TOKEN)


async def test_scripts_ask_without_asyncio(address: str) -> None:
    def script() -> tuple[list[str], int]:
        with SyncClient(address, OPERATOR) as client:
            names = [app.name for app in client.apps().apps]
            pages = client.pages(client.trace_spans, TRACE, app="shop", limit=1, depth=20)
            return names, sum(len(page.spans) for page in pages)

    names, spans = await asyncio.to_thread(script)
    assert names == ["shop", "other"]
    assert spans > 1


@pytest.mark.parametrize("example", re.findall(r"```python\n(.*?)```", README, re.DOTALL))
async def test_the_examples_of_the_readme_run(address: str, example: str) -> None:
    code = example.replace("http://127.0.0.1:4380", address).replace("fh_tok_…", TOKEN)
    printed = StringIO()

    def run() -> None:
        with redirect_stdout(printed):
            exec(code, {"__name__": "example"})

    await asyncio.to_thread(run)
    assert printed.getvalue().strip()
