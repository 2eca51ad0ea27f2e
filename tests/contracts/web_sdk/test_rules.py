"""What the edge's configuration, the user's consent and the page itself let out."""

import asyncio

import pytest
from playwright.async_api import Page

from ingest.compose.home import Home
from tests.contracts.conftest import Api
from tests.contracts.proxied_edge import telling
from tests.contracts.web_sdk.visitor import DEADLINE_S, Visitor, until
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
