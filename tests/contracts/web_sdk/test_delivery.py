"""What the SDK records arrives once, whatever ends in between."""

import asyncio

import pytest

from tests.contracts.conftest import Api
from tests.contracts.proxied_edge import refusing
from tests.contracts.web_sdk.visitor import Visitor, until

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
