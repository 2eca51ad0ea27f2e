"""The browser SDK's requests in Chromium: the browser's own phases, each once; `traceparent` where it is wanted."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page

from client_sdk_spec.web.build import NotInstallable, build
from ingest.model import REUSED, UNKNOWN, Phase
from tests.contracts.conftest import Api
from tests.contracts.slow_browser import SlowBrowser, slow_browser
from tests.contracts.slow_network import DNS_S, TLS_S, behind_tls
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 60
WAIT_MS, REST_MS = 150, 200
START = """
const {edge, key, version, ...options} = window.given;
window.sdk = firsthop.start({url: edge, key, service: "requests", version, ...options});
const asks = {
  fetch: url => fetch(url).then(answer => answer.text()),
  xhr: url => new Promise(done => {
    const request = new XMLHttpRequest(); request.open("GET", url); request.onloadend = done; request.send();
  }),
  "no-cors": url => fetch(url, {mode: "no-cors"}),
  abort: async url => {
    const control = new AbortController();
    const answer = fetch(url, {signal: control.signal});
    setTimeout(() => control.abort(), 30);
    return answer;
  },
  image: url => new Promise(done => { const it = new Image(); it.onload = it.onerror = done; it.src = url; }),
};
window.visit = async list => { for (const [how, url] of list) await asks[how](url).catch(() => null); };
window.entry = url => performance.getEntriesByName(url).at(-1)?.toJSON();
addEventListener("DOMContentLoaded", () => document.body.append("A text, so that something is painted."));
"""

Row = dict[str, Any]


async def stored(service: Service, version: str, least: int) -> list[Row]:
    """Every stored span of a version, once there are so many and nothing is on its way any more."""
    connection = await asyncpg.connect(service.dsn)
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                await service.drained()
                rows = await connection.fetch("SELECT * FROM span WHERE version = $1 ORDER BY start_at", version)
                if len(rows) >= least:
                    return [dict(row) for row in rows]
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


def phases(span: Row) -> dict[str, int]:
    return {phase.name.lower(): us for phase, us in zip(Phase, span["phases_us"], strict=True)}


def between(entry: Row, start: str, end: str) -> int:
    """From one stamp of the browser's entry to another, µs."""
    return round((entry[end] - entry[start]) * 1000)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def slow(tmp_path_factory: pytest.TempPathFactory, service: Service) -> AsyncIterator[tuple[SlowBrowser, str]]:
    """The browser on the slow network, and the edge's address there."""
    directory = tmp_path_factory.mktemp("sdk")
    try:
        script = directory / "page.js"
        script.write_text((build() / "firsthop.js").read_text() + START)
    except NotInstallable as reason:
        pytest.skip(str(reason))
    async with slow_browser(directory, script) as browser:
        edge_port = int(service.edge.rpartition(":")[2])
        async with behind_tls(edge_port, browser.certificate) as port:
            yield browser, f"https://127.0.0.1:{port}"


@dataclass(frozen=True)
class Visit:
    """What a page asked for, by the browser and by the store."""

    urls: dict[str, str]
    entries: dict[str, Row]
    spans: list[Row]

    def request(self, example: str) -> Row:
        """The one span of an address."""
        (found,) = [row for row in self.spans if row["signal"] == "request" and row["url"] == self.urls[example]]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visit(slow: tuple[SlowBrowser, str], service: Service) -> Visit:
    browser, edge = slow
    origin = f"https://page.firsthop.test:{browser.http1}"
    fresh, second = f"https://sdk-fresh.firsthop.test:{browser.http1}", f"https://sdk-h2.firsthop.test:{browser.http2}"
    urls = {
        "fresh": f"{fresh}/answer?wait={WAIT_MS}&rest={REST_MS}",
        "reused": f"{fresh}/answer?wait=30",
        "opaque": f"{fresh}/opaque?wait=20",
        "fresh h2": f"{second}/answer?wait={WAIT_MS}&rest={REST_MS}",
        "early": f"{origin}/answer?wait=90&early=1",
        "timed": f"{origin}/answer?wait=80&timing=33",
        "by xhr": f"{origin}/answer?wait=15&rest=60",
        "image": f"{fresh}/answer?wait=10&as=image",
        "no answer": f"https://nowhere.firsthop.test:{browser.http1}/",
        "hidden answer": f"{fresh}/opaque?wait=25",
        "aborted": f"{origin}/answer?wait=500&by=abort",
    }
    urls["hidden answer"] += "&mode=no-cors"
    how = {"by xhr": "xhr", "no answer": "fetch", "hidden answer": "no-cors", "aborted": "abort", "image": "image"}
    page = await browser.context.new_page()
    page.set_default_timeout(30_000)
    given = {"edge": edge, "key": service.client_key, "version": "sdk-slow"}
    await page.add_init_script(f"window.given = {json.dumps(given)}")
    await page.goto(f"{origin}/")
    await page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    await page.evaluate("list => visit(list)", [(how.get(name, "fetch"), url) for name, url in urls.items()])
    # Side by side and twice the same address: whose entry is whose is told by their order.
    twice = f"{origin}/answer?wait=40&twice=1"
    await page.evaluate("url => Promise.all([asks.fetch(url), asks.fetch(url)])", twice)
    many = [f"{origin}/answer?wait={wait}&many=1" for wait in range(10, 20)]
    await page.evaluate("list => Promise.all(list.map(asks.fetch))", many)
    entries = {example: await page.evaluate("url => entry(url)", url) for example, url in urls.items()}
    entries["document"] = await page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    entries["script"] = await page.evaluate("entry(new URL('/page.js', location).href)")
    urls |= {"document": page.url, "script": f"{origin}/page.js", "twice": twice}
    urls |= {f"many {number}": url for number, url in enumerate(many)}
    await page.goto("about:blank")
    spans = await stored(service, "sdk-slow", len(urls) + 2)
    await page.close()
    return Visit(urls, entries, spans)


async def test_every_request_is_there_once_and_none_of_the_sdks_own(visit: Visit, api: Api) -> None:
    counted = Counter(row["url"] for row in visit.spans if row["signal"] == "request")
    assert counted == Counter([*visit.urls.values(), visit.urls["twice"]])
    total = await api.total(len(visit.urls) + 1, exact=False, version="sdk-slow", group_by="version")
    assert total["spans"] == len(visit.urls) + 1


@pytest.mark.parametrize("example", ["fresh", "fresh h2", "reused", "by xhr", "timed", "document", "script", "image"])
async def test_its_phases_are_the_browsers_own(visit: Visit, example: str) -> None:
    entry, found = visit.entries[example], phases(visit.request(example))
    asked = entry["domainLookupEnd"] > entry["domainLookupStart"]
    shook = entry["connectEnd"] > entry["connectStart"]
    first = "finalResponseHeadersStart" if entry.get("finalResponseHeadersStart") else "responseStart"
    assert found == {
        "redirect": UNKNOWN if example == "document" else REUSED,
        "blocked": between(entry, "fetchStart", "domainLookupStart") if asked else UNKNOWN,
        "dns": between(entry, "domainLookupStart", "domainLookupEnd") if asked else REUSED,
        "tcp": between(entry, "connectStart", "secureConnectionStart") if shook else REUSED,
        "tls": between(entry, "secureConnectionStart", "connectEnd") if shook else REUSED,
        "request": UNKNOWN,
        "ttfb": between(entry, "requestStart", first),
        "download": between(entry, first, "responseEnd"),
    }


async def test_none_is_below_the_known_delays(visit: Visit) -> None:
    for example in ("fresh", "fresh h2"):
        found = phases(visit.request(example))
        assert (found["dns"], found["tls"], found["ttfb"]) >= (DNS_S * 1e6, TLS_S * 1e6, WAIT_MS * 1e3)
        assert found["download"] >= REST_MS * 1e3
        assert visit.request(example)["duration_us"] >= (DNS_S + TLS_S) * 1e6 + (WAIT_MS + REST_MS) * 1e3


async def test_the_first_byte_is_that_of_the_final_answer(visit: Visit) -> None:
    assert phases(visit.request("early"))["ttfb"] >= 90_000


async def test_a_request_lasts_from_the_call_to_the_last_byte(visit: Visit) -> None:
    for example in ("fresh", "by xhr", "timed"):
        span, entry = visit.request(example), visit.entries[example]
        assert 0 <= span["duration_us"] - between(entry, "startTime", "responseEnd") < 20_000


async def test_two_calls_of_one_address_at_once_have_each_its_own_phases(visit: Visit) -> None:
    rows = [row for row in visit.spans if row["url"] == visit.urls["twice"]]
    assert len(rows) == 2
    assert all(phases(row)["ttfb"] >= 40_000 for row in rows)


async def test_timing_that_is_hidden_stays_unknown(visit: Visit) -> None:
    assert set(phases(visit.request("opaque")).values()) == {UNKNOWN}
    assert (visit.request("opaque")["http_status"], visit.request("hidden answer")["http_status"]) == (200, None)


async def test_a_request_without_an_answer_failed_and_one_that_was_given_up_did_not(visit: Visit) -> None:
    failed, aborted = visit.request("no answer"), visit.request("aborted")
    assert (failed["http_status"], failed["status"], failed["error_type"]) == (0, 2, "TypeError")
    assert (aborted["http_status"], aborted["status"], aborted["error_type"]) == (None, 0, "abort")


async def test_the_server_says_what_it_took(visit: Visit) -> None:
    assert visit.request("timed")["server_us"] == 33_000


async def test_the_load_is_a_page_without_phases_and_what_it_needed_is_in_its_trace(visit: Visit) -> None:
    (page,) = [row for row in visit.spans if row["signal"] == "page"]
    entry = visit.entries["document"]
    assert page["duration_us"] == between(entry, "startTime", "loadEventEnd")
    assert set(page["phases_us"]) == {UNKNOWN}
    for example in ("document", "script"):
        span = visit.request(example)
        assert (span["trace_id"], span["parent_span_id"]) == (page["trace_id"], page["span_id"])
    later = visit.request("fresh")
    assert (later["parent_span_id"], later["trace_id"] == page["trace_id"]) == (None, False)


@dataclass
class Apis:
    """A page and three other origins over plain HTTP, and what reached them."""

    page: str
    others: list[str]
    seen: list[tuple[str, str | None]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def apis() -> AsyncIterator[Apis]:
    try:
        text = (build() / "firsthop.js").read_text() + START
    except NotInstallable as reason:
        pytest.skip(str(reason))
    seen: list[tuple[str, str | None]] = []
    head = '<!doctype html><title>api</title><link rel="icon" href="data:,">'
    html = head + '<script src="/page.js"></script>'

    async def page(request: web.Request) -> web.Response:
        plain = "plain" in request.query
        return web.Response(text=head if plain else html, content_type="text/html")

    async def script(_: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/javascript")

    async def answer(request: web.Request) -> web.StreamResponse:
        cors = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "traceparent, x-mine"}
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=cors)
        seen.append((str(request.url), request.headers.get("traceparent")))
        if "echo" in request.query:
            return web.json_response({"body": (await request.read()).decode("latin-1")}, headers=cors)
        if "stream" in request.query:
            response = web.StreamResponse(headers=cors)
            await response.prepare(request)
            for part in range(3):
                await response.write(f"part {part};".encode())
            return response
        return web.json_response({"status": 1}, status=int(request.query.get("status", 200)), headers=cors)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/page.js", script)
    app.router.add_route("*", "/api/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for _ in range(4):
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    own, *others = (f"http://127.0.0.1:{address[1]}" for address in runner.addresses)
    yield Apis(own, others, seen)
    await runner.cleanup()


async def opened(browser: Browser, service: Service, apis: Apis, version: str, options: str = "") -> Page:
    page = await (await browser.new_context()).new_page()
    page.set_default_timeout(20_000)
    given = f'edge: "{service.edge}", key: "{service.client_key}", version: "{version}", {options}'
    await page.add_init_script(f"window.given = {{{given}}}")
    await page.goto(apis.page + "/")
    await page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
    return page


async def test_traceparent_goes_to_the_pages_own_origin_and_to_those_named_and_to_no_other(
    browser: Browser, service: Service, apis: Apis
) -> None:
    named, matched, stranger = apis.others
    port = matched.rpartition(":")[2]
    version = f"{crc32(b'traceparent'):08x}"
    page = await opened(browser, service, apis, version, f'traceOrigins: ["{named}", /:{port}$/g]')
    for origin in (apis.page, *apis.others):
        await page.evaluate("url => asks.fetch(url)", f"{origin}/api/fetch")
        await page.evaluate("url => asks.xhr(url)", f"{origin}/api/xhr")
    mine = f"00-{'ab' * 16}-{'cd' * 8}-01"
    await page.evaluate("([url, mine]) => fetch(url, {headers: {traceparent: mine}})", [f"{named}/api/mine", mine])
    await page.evaluate("url => asks['no-cors'](url)", f"{named}/api/no-cors")
    await page.goto("about:blank")
    rows = {row["url"]: row for row in await stored(service, version, 13) if row["signal"] == "request"}
    await page.context.close()
    said = dict(apis.seen)
    for origin in (apis.page, named, matched):
        for how in ("fetch", "xhr"):
            span = rows[f"{origin}/api/{how}"]
            assert said[f"{origin}/api/{how}"] == f"00-{span['trace_id'].hex()}-{span['span_id'].hex()}-01"
    assert said[f"{stranger}/api/fetch"] is said[f"{stranger}/api/xhr"] is said[f"{named}/api/no-cors"] is None
    assert said[f"{named}/api/mine"] == mine


async def test_answers_of_400_and_more_are_errors_with_their_status(
    browser: Browser, service: Service, apis: Apis, api: Api
) -> None:
    page = await opened(browser, service, apis, "sdk-status")
    for status in (200, 404, 500):
        await page.evaluate("url => asks.fetch(url)", f"{apis.page}/api/{status}?status={status}")
    await page.goto("about:blank")
    total = await api.total(5, exact=False, version="sdk-status")
    await page.context.close()
    assert (total["spans"], total["errors"]) == (5, 2)


SAME = """async ([own, plain]) => {
  const said = [];
  const url = own + "/api/";
  const bodies = async (name, answer) => said.push([name, await answer]);
  const reader = (await fetch(url + "a?stream")).body.getReader();
  let text = "";
  for (let part; !(part = await reader.read()).done;) text += new TextDecoder().decode(part.value);
  said.push(["stream", text]);
  const request = new Request(url + "b?echo", {method: "POST", body: "of a request", headers: {"x-mine": "1"}});
  await bodies("request", fetch(request).then(answer => answer.json()));
  said.push(["used", request.bodyUsed]);
  const form = new FormData(); form.append("field", "value");
  await bodies("form", fetch(url + "c?echo", {method: "POST", body: form}).then(a => a.json())
    .then(({body}) => /name="field"\\r\\n\\r\\nvalue/.test(body)));
  await bodies("url", fetch(new URL(url + "d")).then(answer => [answer.status, answer.url === url + "d"]));
  await bodies("unbound", fetch.call(undefined, url + "e").then(answer => answer.ok));
  await bodies("wrong", fetch("http://[").catch(error => error.name));
  await bodies("refused", fetch("http://127.0.0.1:9/").catch(error => [error.name, error instanceof TypeError]));
  const unhandled = new Promise(done => addEventListener("unhandledrejection", event => {
    event.preventDefault(); done(event.reason.name);
  }, {once: true}));
  fetch("http://127.0.0.1:9/");
  said.push(["unhandled", await unhandled]);
  const sync = new XMLHttpRequest(); sync.open("GET", url + "f", false); sync.send();
  said.push(["sync", sync.status, sync.responseText]);
  for (const type of ["json", "arraybuffer", "text"]) {
    const xhr = new XMLHttpRequest(); xhr.open("POST", url + "g?echo"); xhr.responseType = type;
    const order = [];
    for (const name of ["loadstart", "load", "loadend"]) xhr.addEventListener(name, () => order.push(name));
    await new Promise(done => { xhr.onloadend = done; xhr.send("x"); });
    said.push([type, order, type === "arraybuffer" ? xhr.response.byteLength : xhr.response]);
  }
  const aborted = new XMLHttpRequest(); aborted.open("GET", url + "h");
  await new Promise(done => {
    aborted.onabort = () => done(said.push(["abort", aborted.status]));
    aborted.send(); aborted.abort();
  });
  const twice = new XMLHttpRequest(); twice.open("GET", url + "i");
  try { twice.send(); twice.send(); } catch (error) { said.push(["twice", error.name]); }
  await new Promise(done => { twice.onloadend = done; });
  return said;
}"""


async def test_a_page_notices_nothing(browser: Browser, service: Service, apis: Apis) -> None:
    with_it = await opened(browser, service, apis, "sdk-same")
    assert await with_it.evaluate("!/native/.test(Function.prototype.toString.call(fetch))"), "it is watched"
    without = await (await browser.new_context()).new_page()
    await without.goto(f"{apis.page}/?plain")
    same, plain = [await page.evaluate(SAME, [apis.page, None]) for page in (with_it, without)]
    assert same == plain
    assert len(plain) == 15
    for page in (with_it, without):
        await page.context.close()
