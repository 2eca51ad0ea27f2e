"""The browser SDK's core in real Chromium, against a real edge behind a door that sees what comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page

from client_sdk_spec.web.build import NotInstallable, build
from ingest.compose.home import Home
from tests.contracts.conftest import Api
from tests.contracts.proxied_edge import ProxiedEdge, proxied_edge, refusing, telling
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 30
PAGE = """<!doctype html><title>sdk</title><link rel="icon" href="data:,"><script src="/firsthop-core.js"></script>
<script>
  let spans = 0;
  function record(count, more = {}) {
    for (let i = 0; i < count; i++) {
      const ids = {traceId: sdk.newTraceId(), spanId: sdk.newSpanId()};
      const url = `https://api.shop.example/orders/${++spans}`;
      sdk.record({...ids, name: "GET", method: "GET", url, startUs: sdk.nowUs(), durationUs: 1000, ...more});
    }
  }
</script>"""


async def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives, once it is true."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := condition()):
            await asyncio.sleep(0.02)
        return found


@dataclass
class Visitor:
    """A browser of its own on the page of a shop."""

    context: BrowserContext
    site: str
    edge: ProxiedEdge
    key: str
    version: str

    async def visit(self, **options: Any) -> Page:
        """A page on which the SDK runs as `sdk`."""
        page = await self.context.new_page()
        await self.open(page, **options)
        return page

    async def open(self, page: Page, **options: Any) -> None:
        """Loads the page (again)."""
        await page.goto(self.site)
        given = {"url": self.edge.url, "key": self.key, "service": "web-sdk", "version": self.version} | options
        await page.evaluate("options => { window.sdk = firsthop.start(options) }", given)

    def spans(self) -> int:
        """How many spans the edge took; retries of a batch count once."""
        return sum({batch["id"]: batch["n"] for batch in self.edge.batches()}.values())

    async def sent(self, spans: int) -> None:
        """Returns when the edge took so many spans."""
        await until(lambda: self.spans() >= spans)
        assert self.spans() == spans


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[str]:
    """The shop's pages."""
    try:
        dist = build()
    except NotInstallable as reason:
        pytest.skip(str(reason))

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def script(request: web.Request) -> web.FileResponse:
        return web.FileResponse(dist / request.match_info["name"])

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/{name:firsthop.*}", script)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(
    request: pytest.FixtureRequest, browser: Browser, site: str, service: Service
) -> AsyncIterator[Visitor]:
    """One visitor for each test, behind a door of their own; the service knows their spans by the version."""
    async with proxied_edge(service.edge) as edge:
        context = await browser.new_context()
        errors: list[str] = []
        context.on("weberror", lambda error: errors.append(str(error.error)))
        version = f"{crc32(request.node.name.encode()):08x}"
        yield Visitor(context, site, edge, service.client_key, version)
        await context.close()
        assert errors == []
        assert {seen.method for seen in edge.seen} <= {"GET", "POST"}, "a preflight was asked for"


async def test_spans_reach_the_store_with_their_parts(visitor: Visitor, api: Api) -> None:
    page = await visitor.visit(environment="test")
    await until(lambda: visitor.edge.seen)  # the server's time came with the configuration
    trace_id = await page.evaluate(
        """async () => {
          sdk.setScreen("Cart");
          const step = sdk.span("put into the cart", {article: "tea", pieces: 2});
          step.event("priced");
          const ids = {traceId: step.traceId, spanId: sdk.newSpanId(), parentSpanId: step.spanId};
          const phases = {dns_us: -1, tcp_us: -1, tls_us: -1, ttfb_us: 900, download_us: 50};
          const url = "https://api.shop.example/cart";
          const times = {startUs: sdk.nowUs(), durationUs: 1000, phases};
          sdk.record({...ids, ...times, name: "PUT /cart", method: "PUT", url, httpStatus: 200, protocol: "h2"});
          step.fail("SoldOut");
          step.end();
          step.end();
          await sdk.flush();
          return step.traceId;
        }"""
    )
    step, put = sorted((await api.spans(trace_id, 2)).values(), key=lambda span: span["name"], reverse=True)
    assert (put["route"], put["http_status"], put["parent_span_id"]) == (
        "PUT api.shop.example/cart",
        200,
        step["span_id"],
    )
    assert put["phases"]["dns"] == {"state": "reused"}
    assert put["phases"]["ttfb"] == {"state": "measured", "us": 900}
    assert (step["status"], step["error_type"], step["screen"]) == ("error", "SoldOut", "Cart")
    assert step["attributes"] == {"article": "tea", "pieces": "2"}
    assert [event["name"] for event in step["events"]] == ["priced"]
    assert {span["clock_quality"] for span in (step, put)} == {"A"}
    [batch] = visitor.edge.batches()
    assert batch["resource"]["service"] == "web-sdk"
    assert batch["resource"]["sdk"].startswith("firsthop-web/")


@pytest.mark.parametrize("leave", ["navigates", "closes"])
async def test_a_page_that_ends_loses_nothing_that_fits(visitor: Visitor, api: Api, leave: str) -> None:
    page = await visitor.visit()
    # Half of what a browser lets through when a page ends, a part of it in text of three bytes a letter.
    await page.evaluate("record(90, {attributes: {note: '貓'.repeat(100)}})")
    await (page.goto("about:blank") if leave == "navigates" else page.close())
    await visitor.sent(90)
    assert (await api.total(90, version=visitor.version))["spans"] == 90


async def test_what_the_browser_does_not_take_when_the_page_ends_the_next_page_sends(visitor: Visitor) -> None:
    page = await visitor.visit()
    visitor.edge.open.clear()
    await page.evaluate("for (const _ of [1, 2]) { record(80, {attributes: {note: '貓'.repeat(120)}}); sdk.flush(); }")
    await page.evaluate("record(80, {attributes: {note: '貓'.repeat(120)}})")
    await page.goto("about:blank")
    visitor.edge.open.set()
    await visitor.open(page)
    await visitor.sent(240)


@pytest.mark.parametrize("flushed", [True, False])
async def test_what_an_edge_out_of_reach_did_not_get_the_next_page_sends_once(
    visitor: Visitor, api: Api, flushed: bool
) -> None:
    visitor.edge.down = True
    page = await visitor.visit()
    await until(lambda: visitor.edge.seen)
    await page.evaluate("record(3)")
    if flushed:
        await page.evaluate("sdk.flush()")
    await page.goto("about:blank")
    visitor.edge.down = False
    await visitor.open(page)
    await visitor.sent(3)
    await page.evaluate("record(1); sdk.flush()")
    await visitor.sent(4)
    accepted = [seen.batch()["id"] for seen in visitor.edge.posts() if seen.status == 202]
    assert len(accepted) == len(set(accepted)) == 2
    assert (await api.total(4, version=visitor.version))["spans"] == 4


async def test_what_a_device_without_a_network_did_not_send_the_next_page_sends_once(visitor: Visitor) -> None:
    page = await visitor.visit()
    await until(lambda: visitor.edge.seen)
    await visitor.context.set_offline(True)
    await page.evaluate("record(3); sdk.flush()")
    await page.evaluate("record(2)")
    await page.goto("about:blank")
    await visitor.context.set_offline(False)
    await visitor.open(page)
    await visitor.sent(5)


async def test_a_batch_of_an_earlier_page_keeps_the_anchor_of_its_epoch(visitor: Visitor, api: Api) -> None:
    page = await visitor.visit()
    await until(lambda: visitor.edge.seen)
    visitor.edge.down = True
    trace_id = await page.evaluate(
        "async () => { const step = sdk.span('late'); step.end(); await sdk.flush(); return step.traceId; }"
    )
    await page.goto("about:blank")
    visitor.edge.down = False
    await visitor.open(page)
    [span] = (await api.spans(trace_id, 1)).values()
    assert span["clock_quality"] == "C"


async def test_two_tabs_do_not_send_one_batch_at_once(visitor: Visitor) -> None:
    visitor.edge.down = True
    tabs = [await visitor.visit() for _ in range(3)]
    for tab in tabs:
        await tab.evaluate("record(1); sdk.flush()")
    await until(lambda: len(visitor.edge.posts()) >= 3)
    visitor.edge.open.clear()
    visitor.edge.down = False
    drained = [tab.evaluate("record(1); sdk.flush()") for tab in tabs]
    visitor.edge.open.set()
    await asyncio.gather(*drained)
    await visitor.sent(6)
    accepted = [seen.batch()["id"] for seen in visitor.edge.posts() if seen.status == 202]
    assert len(accepted) == len(set(accepted)) == 6


async def test_without_storage_what_failed_waits_in_memory(visitor: Visitor) -> None:
    await visitor.context.add_init_script(
        """for (const name of ["indexedDB", "localStorage", "sessionStorage"]) {
          Object.defineProperty(window, name, {get() { throw new DOMException("refused", "SecurityError"); }});
        }"""
    )
    visitor.edge.down = True
    page = await visitor.visit()
    await page.evaluate("record(3); sdk.flush()")
    visitor.edge.down = False
    await visitor.sent(3)


async def test_retry_after_is_waited_out_and_the_body_stays_the_same(visitor: Visitor) -> None:
    visitor.edge.instead = refusing(429, Retry_After="1")
    page = await visitor.visit()
    await page.evaluate("record(3); sdk.flush()")
    await visitor.sent(3)
    refused, accepted = visitor.edge.posts()
    assert (refused.status, accepted.status) == (429, 202)
    assert refused.body == accepted.body
    assert int(accepted.query["s"]) - int(refused.query["s"]) >= 1_000_000


async def test_a_batch_that_is_too_large_is_sent_as_halves_and_one_span_is_counted(visitor: Visitor, api: Api) -> None:
    visitor.edge.instead = refusing(413)
    page = await visitor.visit()
    await page.evaluate("record(5); sdk.flush()")
    await visitor.sent(5)
    whole, first, second = visitor.edge.posts()
    assert [seen.batch()["n"] for seen in (whole, first, second)] == [5, 2, 3]
    assert len({seen.batch()["id"] for seen in (whole, first, second)}) == 3
    visitor.edge.instead = refusing(413)
    await page.evaluate("async () => { record(1); await sdk.flush(); record(1); await sdk.flush(); }")
    await visitor.sent(6)
    assert visitor.edge.batches()[-1]["dropped"] == {"too_large": 1}
    assert (await api.total(6, version=visitor.version))["spans"] == 6


async def test_a_wrong_key_ends_sending_for_the_page(visitor: Visitor) -> None:
    page = await visitor.visit(key="fh_pub_nobody_has_this_one")
    await page.evaluate("async () => { record(2); await sdk.flush(); record(2); await sdk.flush(); }")
    assert [seen.status for seen in visitor.edge.posts()] == [403]
    assert await page.evaluate("sdk.recording()") is False


async def test_an_edge_that_wants_nothing_gets_nothing_and_is_told_later_how_much_that_was(visitor: Visitor) -> None:
    visitor.edge.instead = telling({"send": False, "ttl_s": 1})
    page = await visitor.visit()
    await page.wait_for_function("!sdk.recording()")
    await page.evaluate("record(5)")
    await page.evaluate("sdk.flush()")
    visitor.edge.instead = telling({"send": True, "ttl_s": 300})
    await page.wait_for_function("sdk.recording()")
    await page.evaluate("record(2); sdk.flush()")
    await visitor.sent(2)
    [seen] = visitor.edge.posts()
    assert seen.batch()["dropped"] == {"sampled": 5}


async def test_with_a_public_key_only_a_signed_configuration_counts(visitor: Visitor, service: Service) -> None:
    public_key = Home(service.data).secrets().signer.public_key
    visitor.edge.instead = telling({"send": False, "ttl_s": 300})
    page = await visitor.visit(publicKey=public_key)
    await until(lambda: visitor.edge.seen)
    await page.evaluate("record(2); sdk.flush()")
    await visitor.sent(2)
    assert await page.evaluate("sdk.recording()") is True
    visitor.edge.instead = lambda _request, _body: None
    await page.reload()
    await visitor.open(page, publicKey=public_key)
    kept = f"JSON.parse(localStorage.getItem('firsthop:{visitor.key}:config'))"
    await page.wait_for_function(f"{kept} !== null")
    assert await page.evaluate(f"JSON.parse({kept}.body).v") == 1


async def test_what_was_sampled_away_is_counted_and_sent_when_the_user_reports_a_problem(
    visitor: Visitor, api: Api
) -> None:
    visitor.edge.instead = telling({"sampling": {"th": "8", "always": ["error", "slow"]}, "slow": {"default_ms": 2000}})
    page = await visitor.visit()
    trace_id = await page.evaluate(
        """async () => {
          const told = () => Object.keys(localStorage).some((key) => key.endsWith(":config"));
          while (!told()) await new Promise(requestAnimationFrame);
          const low = {traceId: sdk.newTraceId().slice(0, 18) + "0123456789abcd"};
          record(3, low);
          record(2, {traceId: low.traceId.slice(0, 18) + "fedcba98765432"});
          record(1, {...low, httpStatus: 500});
          record(1, {...low, durationUs: 2_000_000});
          await sdk.flush();
          sdk.reportProblem();
          return low.traceId;
        }"""
    )
    await visitor.sent(7)
    ordinary, reported = visitor.edge.batches()
    assert (ordinary["n"], ordinary["dropped"]) == (4, {"sampled": 3})
    assert [code and ordinary["strings"][code - 1] for code in ordinary["cols"]["threshold"]] == ["8", "8", 0, 0]
    assert (reported["n"], reported["resource"]["reported"]) == (3, True)
    assert len(await api.spans(trace_id, 5)) == 5


async def test_whole_sessions_are_sampled_by_one_randomness_and_outlive_a_page(visitor: Visitor) -> None:
    page = await visitor.visit(sampleSessions=True)
    await page.evaluate("record(3); sdk.flush()")
    await visitor.open(page, sampleSessions=True)
    await page.evaluate("record(2); sdk.flush()")
    await visitor.sent(5)
    batches = visitor.edge.batches()
    drawn = {batch["strings"][code - 1] for batch in batches for code in batch["cols"]["randomness"]}
    assert len(drawn) == 1
    assert len({batch["resource"]["session"] for batch in batches}) == 1


async def storage(page: Page) -> list[str]:
    """What is kept on the device."""
    found: list[str] = await page.evaluate(
        """async () => [
          ...Object.keys(localStorage), ...Object.keys(sessionStorage),
          ...(await indexedDB.databases()).map(({name}) => name), ...document.cookie.split(";").filter(Boolean)]"""
    )
    return found


async def test_consent_seals_the_batch_and_rules_what_is_kept(visitor: Visitor, api: Api) -> None:
    page = await visitor.visit(consent="pending")
    await page.evaluate("record(2); sdk.flush()")
    await visitor.sent(2)
    assert await storage(page) == []
    await page.evaluate("record(1); sdk.setConsent('granted'); record(3); sdk.flush()")
    await visitor.sent(6)
    kept = await storage(page)
    assert {name.rpartition(":")[2] for name in kept} >= {"session", visitor.key}
    await page.evaluate("record(1); sdk.setConsent('denied'); record(2); sdk.flush()")
    await visitor.sent(9)
    resources = [
        batch["resource"] for batch in sorted(visitor.edge.batches(), key=lambda batch: batch["clock"]["mono_us"])
    ]
    words = [resource["consent"] for resource in resources]
    assert words == ["pending", "pending", "granted", "granted", "denied"]
    assert ["session" in resource for resource in resources] == [word == "granted" for word in words]
    async with asyncio.timeout(DEADLINE_S):
        while await storage(page) != []:
            await asyncio.sleep(0.02)
        while await counted(api, visitor) != 9:
            await asyncio.sleep(0.1)


async def counted(api: Api, visitor: Visitor) -> int:
    """How many spans of the visitor the service counts, those of which it may keep nothing else too."""
    status, latency = await api.get("latency", version=visitor.version)
    assert status == 200
    return sum(group["total"]["spans"] for group in latency["groups"])


async def test_a_queue_is_forgotten_with_the_consent_it_was_kept_by(visitor: Visitor) -> None:
    visitor.edge.down = True
    await visitor.context.add_init_script("Math.random = () => 0.999")  # a second until the next attempt
    page = await visitor.visit(consent="granted")
    await page.evaluate("async () => { record(3); await sdk.flush(); sdk.setConsent('denied'); }")
    visitor.edge.down = False
    await page.evaluate("record(1); sdk.flush()")
    await visitor.sent(1)
    await page.evaluate("record(1); sdk.flush()")
    await visitor.sent(2)
    assert {batch["resource"]["consent"] for batch in visitor.edge.batches()} == {"denied"}
    assert {"consent": 3} in [batch.get("dropped") for batch in visitor.edge.batches()]


async def test_an_app_may_hold_everything_until_the_user_has_agreed(visitor: Visitor) -> None:
    page = await visitor.visit(consent="pending", withoutConsent="hold")
    await page.evaluate("record(2); sdk.flush()")
    await page.evaluate("sdk.setConsent('denied'); record(3); sdk.flush()")
    assert await page.evaluate("sdk.recording()") is False
    assert visitor.edge.posts() == []
    await page.evaluate("sdk.setConsent('pending'); record(4); sdk.setConsent('granted'); sdk.flush()")
    await visitor.sent(4)
    [batch] = visitor.edge.batches()
    assert (batch["resource"]["consent"], batch["dropped"]) == ("granted", {"consent": 5})


@pytest.mark.parametrize(("sign", "value"), [("globalPrivacyControl", "true"), ("doNotTrack", "'1'")])
async def test_a_browser_that_objects_is_obeyed_whatever_the_app_says(visitor: Visitor, sign: str, value: str) -> None:
    await visitor.context.add_init_script(f"Object.defineProperty(navigator, '{sign}', {{get: () => {value}}})")
    page = await visitor.visit(consent="granted")
    await page.evaluate("sdk.setConsent('granted'); record(1); sdk.flush()")
    await visitor.sent(1)
    assert visitor.edge.batches()[0]["resource"]["consent"] == "denied"
    assert await storage(page) == []


async def test_the_page_has_the_last_look_and_cannot_break_the_sdk(visitor: Visitor) -> None:
    page = await visitor.visit(service="first")
    found = await page.evaluate(
        """async ([url, key, version]) => {
          sdk.stop();
          let looks = 0;
          const beforeSend = (span) => {
            if (++looks === 1) return {...span, url: "https://api.shop.example/hidden"};
            if (looks === 2) return null;
            if (looks === 3) throw new Error("of the page's own");
            return looks === 4 ? {nonsense: true} : span;
          };
          // Without instruments, or a long task of a busy machine would be looked at, too.
          window.sdk = firsthop.start({url, key, version, service: "second", beforeSend, instruments: []});
          record(4);
          sdk.record(null);
          sdk.record({traceId: 1});
          sdk.drop("expired", 2);
          await sdk.flush();
          return firsthop.start({url, key, service: "third"}) === sdk;
        }""",
        [visitor.edge.url, visitor.key, visitor.version],
    )
    assert found is True
    await visitor.sent(1)
    [batch] = visitor.edge.batches()
    assert batch["resource"]["service"] == "second"
    assert "https://api.shop.example/hidden" in batch["strings"]
    assert batch["dropped"] == {"before_send": 3, "rejected": 2, "expired": 2}


async def test_an_sdk_that_cannot_start_does_nothing_and_says_so_once(visitor: Visitor) -> None:
    page = await visitor.context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await page.goto(visitor.site)
    await page.evaluate(
        """() => {
          window.sdk = firsthop.start({});
          record(1);
          sdk.span("x").end();
          sdk.setConsent("granted");
          sdk.reportProblem();
          return sdk.flush();
        }"""
    )
    assert [text.startswith("firsthop does not run") for text in said] == [True]
    assert visitor.edge.seen == []


async def test_it_is_a_module_too_and_knows_its_own_requests(visitor: Visitor) -> None:
    page = await visitor.visit()
    owned = await page.evaluate(
        """async (urls) => {
          const {start} = await import("/firsthop-core.mjs");
          const same = start({url: "https://elsewhere.example", key: "k", service: "s"}) === sdk;
          return [same, ...urls.map((url) => sdk.owns(url))];
        }""",
        [f"{visitor.edge.url}/v1/batches?key=x", f"{visitor.edge.url}/other", "https://shop.example/v1/batches"],
    )
    assert owned == [True, True, False, False]
