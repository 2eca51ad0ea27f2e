"""What clients are told to sample away: over real HTTP, signed, hashed, and seldom different."""

import asyncio
import base64
import json
import math
import random
import re
import time

import orjson
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from ingest.edge import config
from ingest.edge.config import Configs
from ingest.model import DeviceClass
from ingest.pipeline.process import process
from ingest.pipeline.sample import FixedRates
from ingest.pipeline.thresholds import ALL, decode, threshold
from ingest.ports import Published
from ingest.settings import Sampling
from ingest.signing import Signer
from ingest.user_agent import UserAgents
from tests import devices
from tests.batches import built_in, policy, reception, spans_of
from tests.edge.conftest import CLIENT_KEY, SERVER_KEY, SHOP_KEY, TOKEN, Answer, RunningEdge, StartEdge

SIGNER = Signer(b"s" * 32)
LEAVES_OUT = Published(
    threshold=threshold(0.1),
    exceptions={"GET api.shop.example/orders/{id}": threshold(0.5), "GET api.shop.example/cart": 0},
    default_slow_us=3_000_000,
    slow_us={"GET api.shop.example/orders/{id}": 1_234_567},
)


class ToldRates(FixedRates):
    """Rates that a test sets, and how often they were asked for."""

    def __init__(self, told: Published = LEAVES_OUT) -> None:
        super().__init__(Sampling())
        self.told, self.asked = told, 0

    def published(self, app_id: int, device_class: int) -> Published:
        del app_id, device_class
        self.asked += 1
        return self.told


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def configs(rates: FixedRates, clock: Clock | None = None) -> Configs:
    return Configs(rates, SIGNER, UserAgents().agent_of, clock=clock or Clock())


async def ask(edge: RunningEdge, query: str = "", method: str = "GET", **headers: str) -> Answer:
    return await edge.send(b"", f"/v1/config{query}", method, **headers)


def check(answer: Answer, body: bytes | None = None) -> None:
    """What a client does: takes the signature out of the header and checks it against the body's bytes.

    Raises:
        InvalidSignature: these are not the signed bytes.
    """
    found = re.fullmatch(r"keyid=([0-9a-f]{16}); ed25519=(\S+)", answer.headers["Firsthop-Signature"])
    assert found is not None
    assert found[1] == SIGNER.key_id
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(SIGNER.public_key))
    key.verify(base64.b64decode(found[2]), answer.body if body is None else body)


async def test_a_client_is_told_its_class_and_what_it_may_leave_out(start_edge: StartEdge):
    edge = await start_edge(configs=configs(ToldRates()))
    answer = await ask(edge, "?os=iOS&model=iPhone8,1")
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {
        "v": 1,
        "app": 1,
        "ttl_s": 300,
        "send": True,
        "class": "low",
        "sampling": {
            "th": answer.json()["sampling"]["th"],
            "routes": {"GET api.shop.example/cart": "0", "GET api.shop.example/orders/{id}": "8"},
            "always": ["error", "slow", "reported"],
        },
        "slow": {"default_ms": 3000, "routes_ms": {"GET api.shop.example/orders/{id}": 1200}},
    }
    kept = 1 - decode(answer.json()["sampling"]["th"]) / ALL
    assert 0.1 <= kept < 0.1 * math.sqrt(2)


def test_an_app_can_tell_its_clients_to_send_nothing_and_to_send_again():
    switched_off = {1}
    clock = Clock()
    answers = Configs(
        ToldRates(), SIGNER, UserAgents().agent_of, may_send=lambda app_id: app_id not in switched_off, clock=clock
    )
    off = answers.of(1, DeviceClass.LOW)
    assert orjson.loads(off.body)["send"] is False
    assert orjson.loads(answers.of(2, DeviceClass.LOW).body)["send"] is True
    switched_off.clear()
    clock.now += 5.0
    on = answers.of(1, DeviceClass.LOW)
    assert orjson.loads(on.body)["send"] is True
    assert on.etag != off.etag


@pytest.mark.parametrize(
    ("query", "headers", "device_class"),
    [
        ("", {}, "unknown"),
        ("?memory_mb=2048&os=Android", {}, "low"),
        ("?memory_mb=15600&cores=8&os=Android", {}, "high"),
        ("?memory_mb=4096&cores=8", {"user_agent": devices.ANDROID}, "mid"),
        ("?os=iOS&model=iPhone17%2C1", {}, "high"),
        ("", {"user_agent": devices.ANDROID, "sec_ch_device_memory": "2"}, "low"),
        ("", {"user_agent": devices.ANDROID, "sec_ch_ua_model": '"Pixel 9"'}, "high"),
        ("?memory_mb=&cores=", {"user_agent": devices.ANDROID}, "unknown"),
        ("?memory_mb=32768&cores=16", {"user_agent": devices.GOOGLEBOT}, "unknown"),
    ],
)
async def test_the_class_comes_from_the_address_then_from_headers(edge, query, headers, device_class):
    assert (await ask(edge, query, **headers)).json()["class"] == device_class


@pytest.mark.parametrize("query", ["?memory_mb=4096.5", "?cores=-1", "?cores=x", "?memory_mb=1234567890", "?cores=٤"])
async def test_a_number_that_is_none_is_refused(edge: RunningEdge, query: str):
    answer = await ask(edge, query)
    assert (answer.status, answer.json()["error"]) == (400, "device")


async def test_each_class_has_its_own_rate(start_edge: StartEdge):
    rates = FixedRates(Sampling(low=1.0, mid=0.5, high=0.25, unknown=0.0))
    edge = await start_edge(configs=configs(rates))
    queries = {
        "low": "?os=iOS&model=iPhone8,1",
        "mid": "?os=iOS&model=iPhone12,1",
        "high": "?os=iOS&model=iPhone17,1",
        "unknown": "",
    }
    told = {name: (await ask(edge, query)).json()["sampling"]["th"] for name, query in queries.items()}
    assert told == {"low": "0", "mid": "8", "high": "c", "unknown": "fff8"}


async def test_an_unchanged_answer_is_not_sent_again(edge: RunningEdge):
    first = await ask(edge)
    assert re.fullmatch(r'"[0-9a-f]{32}"', first.headers["ETag"])
    tag = first.headers["ETag"]
    for same in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await ask(edge, if_none_match=same)
        assert (again.status, again.body) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    assert (await ask(edge, if_none_match='"other"')).body == first.body
    assert (await ask(edge, f"?etag={tag.replace(chr(34), '%22')}")).status == 304
    metrics = await edge.metrics()
    assert metrics['firsthop_configs_total{answer="unchanged"}'] == 5
    assert metrics['firsthop_configs_total{answer="sent"}'] == 2


async def test_the_answer_changes_when_the_rates_do_and_not_before(start_edge: StartEdge):
    rates, clock = ToldRates(), Clock()
    edge = await start_edge(configs=configs(rates, clock))
    first = await ask(edge)
    rates.told = LEAVES_OUT._replace(threshold=threshold(0.9))
    assert (await ask(edge)).body == first.body, "made once in a while"
    clock.now += config.FRESH_S
    changed = await ask(edge, if_none_match=first.headers["ETag"])
    assert (changed.status, changed.headers["ETag"] == first.headers["ETag"]) == (200, False)
    assert changed.json()["sampling"]["th"] == "0"
    check(changed)


async def test_rates_that_wander_a_little_leave_the_answer_alone(start_edge: StartEdge):
    rates, clock = ToldRates(), Clock()
    edge = await start_edge(configs=configs(rates, clock))
    tags = set()
    for probability in (0.1, 0.103, 0.097, 0.11):
        rates.told = LEAVES_OUT._replace(threshold=threshold(probability), default_slow_us=3_000_000 + rates.asked)
        clock.now += config.FRESH_S
        tags.add((await ask(edge)).headers["ETag"])
    assert len(tags) == 1
    assert rates.asked == 4


async def test_a_flood_costs_no_signatures(start_edge: StartEdge, monkeypatch: pytest.MonkeyPatch):
    rates, signed = ToldRates(), []
    sign = SIGNER.sign
    monkeypatch.setattr(SIGNER, "sign", lambda body: signed.append(body) or sign(body))
    edge = await start_edge(configs=configs(rates))
    answers = await asyncio.gather(*(ask(edge, f"?os=x{n}&model=y{n}") for n in range(200)))
    assert {answer.status for answer in answers} == {200}
    assert (rates.asked, len(signed)) == (1, 1)


async def test_the_signature_is_of_exactly_these_bytes(edge: RunningEdge):
    answer = await ask(edge)
    check(answer)
    for row in range(len(answer.body)):
        changed = bytearray(answer.body)
        changed[row] ^= 1
        with pytest.raises(InvalidSignature):
            check(answer, bytes(changed))
    with pytest.raises(InvalidSignature):
        check(answer, answer.body + b"\n")


async def test_an_app_cannot_be_given_the_answer_of_another(edge: RunningEdge):
    own, other = await ask(edge), await ask(edge, x_api_key=SHOP_KEY)
    assert (own.json()["app"], other.json()["app"]) == (1, 2)
    with pytest.raises(InvalidSignature):
        check(own, other.body)


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({"x_api_key": ""}, "", 401),
        ({"x_api_key": "fh_pub_nobody"}, "", 403),
        ({"x_api_key": TOKEN}, "", 403),
        ({"x_api_key": SHOP_KEY, "origin": "https://evil.example"}, "", 403),
        ({"x_api_key": SHOP_KEY, "origin": "https://shop.example"}, "", 200),
        ({"x_api_key": SERVER_KEY}, "", 200),
        ({"x_api_key": ""}, f"?key={CLIENT_KEY}", 200),
    ],
)
async def test_it_is_told_to_those_who_may_send(edge, headers, query, status):
    assert (await ask(edge, query, **headers)).status == status


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT", "DELETE"])
async def test_it_can_only_be_asked_for(edge: RunningEdge, method: str):
    answer = await ask(edge, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, OPTIONS")
    assert (await edge.send(b"", f"/v1/config/{CLIENT_KEY}", "GET")).status == 404


async def test_a_page_may_ask_without_a_preflight_and_read_everything(edge: RunningEdge):
    answer = await ask(edge, f"?key={CLIENT_KEY}", x_api_key="", origin="https://a.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"ETag", "Firsthop-Signature", "Firsthop-Received-Us", "Firsthop-Replied-Us"} <= set(exposed)
    preflight = await ask(edge, method="OPTIONS", x_api_key="", origin="https://a.example")
    assert preflight.status == 204
    assert "GET" in preflight.headers["Access-Control-Allow-Methods"]
    assert "if-none-match" in preflight.headers["Access-Control-Allow-Headers"]


async def test_the_servers_clock_is_told_only_in_answers_that_nobody_keeps(edge: RunningEdge):
    kept = await ask(edge)
    assert kept.headers["Cache-Control"] == "private, max-age=300"
    assert "Firsthop-Received-Us" not in kept.headers
    for headers in ({}, {"if_none_match": kept.headers["ETag"]}):
        before_us = time.time_ns() // 1000
        timed = await ask(edge, "?clock=1", **headers)
        after_us = time.time_ns() // 1000
        assert timed.headers["Cache-Control"] == "no-store"
        received_us, replied_us = (int(timed.headers[f"Firsthop-{name}-Us"]) for name in ("Received", "Replied"))
        assert before_us <= received_us <= replied_us <= after_us
        assert timed.headers["ETag"] == kept.headers["ETag"]


@given(st.integers(0, ALL))
def test_a_client_is_never_told_to_keep_less_than_the_edge_does(exact: int):
    told = Configs(ToldRates(Published(exact, {}, 1, {})), SIGNER, UserAgents().agent_of).of(1, DeviceClass.LOW)
    th = re.search(rb'"th":"([0-9a-f]{1,6})"', told.body)
    assert th is not None
    coarse = decode(th[1].decode())
    assert coarse <= exact
    kept, wanted = ALL - coarse, max(ALL - exact, ALL * config.LEAST_PROBABILITY)
    assert kept <= 1.01 * math.sqrt(2) * wanted


@pytest.mark.parametrize("probability", [0.9, 0.3, 0.1, 0.003])
def test_clients_that_follow_it_leave_the_sample_and_its_weights_as_they_were(probability: float):
    rates = FixedRates(Sampling(low=probability))
    told = json.loads(configs(rates).of(1, DeviceClass.LOW).body)
    theirs = decode(told["sampling"]["th"])
    drawn = random.Random(3)
    everything = [{"trace_id": drawn.randbytes(16), "span_id": drawn.randbytes(8)} for _ in range(4_000)]
    rest = [
        each | {"threshold": theirs} for each in everything if int.from_bytes(each["trace_id"][9:], "big") >= theirs
    ]
    assert theirs == 0 or len(rest) < len(everything)
    expected, found = (
        process(
            spans_of(spans, memory_mb=2048),
            [reception()],
            policy(low=probability),
            policy_of=built_in,
            country_of=lambda _: "",
            rates=rates,
        )
        for spans in (everything, rest)
    )
    assert 0 < len(expected.kept.assigned) < len(everything)
    assert expected.kept.batch.spans.span_id.tolist() == found.kept.batch.spans.span_id.tolist()
    assert expected.kept.assigned.weight.tolist() == found.kept.assigned.weight.tolist()


def test_what_clients_are_told_is_believed_when_they_say_that_they_did_it():
    assert Sampling().max_weight >= 1 / config.LEAST_PROBABILITY


def test_an_answer_stays_small_whatever_there_is_to_tell():
    names = {f"GET api.shop.example/{'x' * 150}/{row}": row * 1_000_000 for row in range(5_000)}
    told = Published(0, names, 1, names)
    assert len(configs(ToldRates(told)).of(1, DeviceClass.LOW).body) < 32_768


def test_durations_are_told_in_whole_milliseconds_and_never_longer():
    for exact_us in (0, 999, 1_000, 99_999, 100_000, 123_456, 86_400_000_000):
        told = told_ms(exact_us)
        assert told >= 1
        assert told * 1000 <= max(exact_us, 1000)
        assert told * 1000 > exact_us * 0.89 - 1000


def told_ms(exact_us: int) -> int:
    rates = ToldRates(LEAVES_OUT._replace(default_slow_us=exact_us))
    found = re.search(rb'"default_ms":(\d+)', configs(rates).of(1, DeviceClass.LOW).body)
    assert found is not None
    return int(found[1])
