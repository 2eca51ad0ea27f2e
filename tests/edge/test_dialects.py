"""Grafana Faro and browsers' own reports through a real edge: answers, keys, limits, and what reaches the journal."""

import asyncio
import gzip
import zlib
from functools import partial
from typing import Any

import orjson
import pytest

from ingest.device_classes import NOBODY, Agent
from ingest.model import ClockQuality, Processed, Signal
from ingest.outcome import Note, Outcome
from ingest.pipeline.process import process
from ingest.settings import Limits
from ingest.user_agent import BURST, UserAgents
from tests.batches import built_in
from tests.decode.faro_messages import META, body, event, resource, stamp
from tests.decode.test_reports import NETWORK_ERROR, VIOLATION
from tests.edge.conftest import CLIENT_KEY, POLICY, SHOP_KEY, TOKEN, Answer, RunningEdge, StartEdge, native
from tests.edge.test_receive import chunked, exchange

FARO, REPORTS = f"/collect/{CLIENT_KEY}", f"/reports/{CLIENT_KEY}"
JSON, REPORT_TYPE = "application/json", "application/reports+json"


def faro(events: int = 1, **parts: Any) -> bytes:
    """A body of Faro from a moment ago."""
    return body(events=[event("bought", {"n": str(n)}, timestamp=stamp(1)) for n in range(events)], **parts)


def reports(*given: dict[str, Any]) -> bytes:
    return orjson.dumps(list(given or (NETWORK_ERROR,)))


async def send(edge: RunningEdge, path: str, data: bytes, **headers: str) -> Answer:
    """As a page does, with the key in the path."""
    return await edge.send(data, path, **{"x_api_key": "", "origin": "https://a.example"} | headers)


def only(edge: RunningEdge) -> Processed:
    (record,) = edge.journal.records
    return record


@pytest.mark.parametrize("headers", [{}, {"content_encoding": "gzip"}, {"content_type": "text/plain;charset=UTF-8"}])
async def test_a_body_of_faro_is_answered_as_alloy_does(edge: RunningEdge, headers: dict[str, str]):
    data = gzip.compress(faro(3)) if "content_encoding" in headers else faro(3)
    answer = await send(edge, FARO, data, **{"content_type": JSON, "x_faro_session_id": "t0CoiFa043"} | headers)
    assert (answer.status, answer.body) == (202, b"ok")
    assert "X-Faro-Session-Status" not in answer.headers
    assert edge.journal.spans == 3


async def test_the_key_may_be_in_the_header_that_faro_calls_so(edge: RunningEdge):
    assert (await edge.send(faro(), "/collect")).status == 202


@pytest.mark.parametrize("session", ["jane doe", "x" * 129, "s;1", "ü"])
async def test_a_session_id_that_is_none_is_answered_so_that_the_sdk_begins_another(edge: RunningEdge, session: str):
    answer = await send(edge, FARO, faro(), x_faro_session_id=session)
    assert (answer.status, answer.headers["X-Faro-Session-Status"]) == (202, "invalid")
    assert "X-Faro-Session-Status" in answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert edge.journal.spans == 1, "nothing is lost for it"


async def test_a_preflight_allows_what_faros_sdk_and_browsers_that_report_send(edge: RunningEdge):
    for path in (FARO, REPORTS, "/reports/nobody"):
        answer = await edge.send(b"", path, "OPTIONS", x_api_key="", origin="https://a.example")
        allowed = set(answer.headers["Access-Control-Allow-Headers"].split(", "))
        assert {"content-type", "content-encoding", "x-faro-session-id", "idempotency-key", "x-scope-orgid"} <= allowed
        assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (204, "*")


async def test_a_retry_is_known_by_its_key_and_only_within_its_app(edge: RunningEdge):
    keys = ["qDz7Nu5y8pHfS4utEZaW", "qDz7Nu5y8pHfS4utEZaW", "other", "x" * 129, "x" * 129, ""]
    for n, key in enumerate(keys):
        await send(edge, FARO, faro(n + 1), **({"idempotency_key": key} if key else {}))
    shop = await edge.send(
        faro(), "/collect", x_api_key=SHOP_KEY, idempotency_key=keys[0], origin="https://shop.example"
    )
    assert shop.status == 202
    first, again, other, *unnamed, shops = (record.ledger.batch_id.tobytes() for record in edge.journal.records)
    assert first == again
    assert len({first, other, *unnamed, shops}) == 6, "a key beyond all bounds names nothing"


async def test_a_key_for_retries_names_no_batch_in_other_formats(edge: RunningEdge):
    await edge.send(native(batch_id=7), idempotency_key="a")
    await send(edge, REPORTS, reports(), idempotency_key="a")
    await send(edge, REPORTS, reports(VIOLATION), idempotency_key="a")
    ids = [record.ledger.batch_id.tobytes() for record in edge.journal.records]
    assert ids[0] == (7).to_bytes(16)
    assert ids[1] != ids[2]


async def test_what_is_left_out_is_a_note_of_its_own_body(start_edge: StartEdge):
    edge = await start_edge(commit_wait_s=0.05)
    twice = [event("faro.tracing.fetch", timestamp=stamp())] * 2
    bodies = [body(events=[*[event("a", timestamp=stamp())] * (n + 1), *twice[:n]]) for n in range(3)]
    sent = [send(edge, FARO, data) for data in (bodies[0], b"{", bodies[1], bodies[2])]
    await asyncio.gather(edge.send(native()), *sent, send(edge, REPORTS, reports()))
    noted = [
        (int(record.ledger.spans[row]), int(times))
        for record in edge.journal.records
        for row, note, times in zip(record.notes.body, record.notes.note, record.notes.spans, strict=True)
        if note == Note.SENT_TWICE
    ]
    assert sorted(noted) == [(2, 1), (3, 2)]
    assert (await edge.metrics())['firsthop_noted_spans_total{note="sent_twice"}'] == 3


async def test_reports_are_taken_and_placed_by_their_age(edge: RunningEdge):
    answer = await send(edge, REPORTS, reports(NETWORK_ERROR, VIOLATION), content_type=REPORT_TYPE)
    assert (answer.status, answer.body) == (202, b"")
    record = only(edge)
    received = int(record.ledger.received_at_us[0])
    kept = record.kept
    assert [Signal(signal) for signal in kept.batch.spans.signal] == [Signal.REPORT, Signal.EVENT]
    assert set(kept.assigned.clock_quality.tolist()) == {ClockQuality.B}
    for start, age_us in zip(kept.assigned.start_at_us.tolist(), (5_143_000, 53_531_000), strict=True):
        assert abs(received - age_us - start) < 20_000
    assert (kept.assigned.clock_err_ms <= 10_100).all()


async def test_reports_count_by_route_and_country_without_a_version(start_edge: StartEdge):
    run = partial(process, policy=POLICY, policy_of=built_in, country_of=lambda _: "BR")
    edge = await start_edge(process=run)
    sampled = NETWORK_ERROR | {"body": NETWORK_ERROR["body"] | {"sampling_fraction": 0.25}}
    fine = NETWORK_ERROR | {"body": NETWORK_ERROR["body"] | {"type": "ok", "status_code": 200}}
    await send(edge, REPORTS, reports(sampled, fine))
    record = only(edge)
    (values,) = {tuple(record.strings[code] for code in series) for series in record.series.values.T}
    assert values == ("GET shop.example/", "unknown", "BR", "unknown", "unknown", "unknown")
    assert set(record.series.signal.tolist()) == {Signal.REPORT}
    counted = zip(record.counted.error.tolist(), record.counted.stands_for.tolist(), strict=True)
    assert sorted(counted) == [(False, 1), (True, 4)]


async def test_the_older_format_of_violated_policies_is_taken(edge: RunningEdge):
    data = orjson.dumps({"csp-report": {"document-uri": "https://a.example/", "blocked-uri": "inline"}})
    assert (await send(edge, REPORTS, data, content_type="application/csp-report")).status == 202
    assert edge.journal.spans == 1


@pytest.mark.parametrize("path", ["/reports/fh_pub_nobody", "/reports", f"/reports/{TOKEN}"])
async def test_a_browser_is_told_to_forget_an_endpoint_whose_key_opens_nothing(edge: RunningEdge, path: str):
    answer = await send(edge, path, reports(), content_type=REPORT_TYPE)
    assert answer.status == 410
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert edge.journal.records == []


async def test_a_site_that_the_key_does_not_serve_does_not_cost_those_beside_it_their_endpoint(edge: RunningEdge):
    assert (await send(edge, f"/reports/{SHOP_KEY}", reports(), origin="https://www.shop.example")).status == 403
    assert (await send(edge, f"/reports/{SHOP_KEY}", reports(), origin="https://shop.example")).status == 202


async def test_a_key_that_is_revoked_closes_its_endpoint(start_edge: StartEdge):
    edge = await start_edge()
    assert (await send(edge, REPORTS, reports())).status == 202
    del edge.keys.keys[CLIENT_KEY]
    async with asyncio.timeout(10):
        while (await send(edge, REPORTS, reports())).status != 410:
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(("path", "status"), [("/collect/nobody", 403), ("/reports/nobody", 410), ("/collect", 401)])
async def test_a_key_is_looked_at_before_a_body_is_read(edge: RunningEdge, path: str, status: int):
    bomb = gzip.compress(bytes(50 << 20))
    assert (await send(edge, path, bomb, content_encoding="gzip")).status == status
    head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nContent-Length: 900000\r\n\r\n"
    assert f" {status} ".encode() in await exchange(edge, head.encode()), "without a byte of the body"
    metrics = await edge.metrics()
    assert (metrics["firsthop_bodies_total"], metrics["firsthop_queue_bytes"]) == (0, 0)


@pytest.mark.parametrize("path", [FARO, REPORTS])
async def test_a_body_that_is_too_large_is_refused_whatever_it_says_of_itself(edge: RunningEdge, path: str):
    five_mb = faro(1, logs=[{"message": "x" * (5 << 20), "level": "info"}])
    assert (await send(edge, path, five_mb)).status == 413
    head = f"POST {path} HTTP/1.1\r\nHost: edge\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert b" 413 " in await exchange(edge, head + chunked(five_mb[: 2 << 20], 1 << 16))
    for encoding, bomb in (("gzip", gzip.compress(bytes(50 << 20))), ("deflate", zlib.compress(bytes(50 << 20)))):
        answer = await send(edge, path, bomb, content_encoding=encoding)
        assert (answer.status, answer.json()["error"]) == (413, "body_too_large")
    assert edge.journal.records == []


@pytest.mark.parametrize(
    ("data", "encoding", "reason"),
    [
        (faro(), "gzip", "bad_gzip"),
        (gzip.compress(faro(), mtime=0)[:-9], "gzip", "bad_gzip"),
        (faro()[:-9], "", "bad_json"),
    ],
)
async def test_a_body_that_says_what_it_is_not_is_refused_and_named(
    edge: RunningEdge, data: bytes, encoding: str, reason: str
):
    for path in (FARO, REPORTS):
        answer = await send(edge, path, data, **({"content_encoding": encoding} if encoding else {}))
        assert (answer.status, answer.json()["error"]) == (400, reason)


async def test_items_that_cannot_be_read_are_counted_and_the_rest_is_taken(edge: RunningEdge):
    await send(edge, FARO, body(events=[event("a", timestamp=stamp()), 7, {"name": "b"}]))
    ends = only(edge).ledger.outcomes[:, 0]
    assert (ends[Outcome.KEPT], ends[Outcome.INVALID_TIME]) == (1, 2)


async def test_a_thousand_user_agents_of_one_address_are_taken_and_only_some_are_worth_a_parse(start_edge: StartEdge):
    agents = UserAgents()
    found: list[Agent] = []

    def agent_of(text: str) -> Agent:
        found.append(agents.agent_of(text))
        return found[-1]

    run = partial(process, policy=POLICY, policy_of=built_in, country_of=lambda _: "", agent_of=agent_of)
    edge = await start_edge(process=run)
    anonymous = META | {"os": {}, "browser": {}}
    for first in range(0, 1000, 50):
        names = [f"Mozilla/5.0 (Linux; Android 14; Pixel 8) Shop/{n}" for n in range(first, first + 50)]
        sent = (send(edge, FARO, faro(meta=anonymous), user_agent=name) for name in names)
        assert {answer.status for answer in await asyncio.gather(*sent)} == {202}
    assert edge.journal.spans == len(found) == 1000
    assert BURST <= sum(agent != NOBODY for agent in found) < 1000
    assert (await edge.metrics())["firsthop_unhandled_errors_total"] == 0


async def test_consent_said_by_the_session_and_signals_of_the_browser_are_honoured(edge: RunningEdge):
    denied = META | {"session": {"id": "s", "attributes": {"firsthop.consent": "denied"}}}
    await send(edge, FARO, faro(1, meta=denied))
    await send(edge, FARO, faro(1), sec_gpc="1")
    await send(edge, REPORTS, reports(), sec_gpc="1")
    assert [record.ledger.outcomes[Outcome.COUNTED_NO_CONSENT, 0] for record in edge.journal.records] == [1, 1, 1]
    assert all(len(record.kept.assigned) == 0 for record in edge.journal.records)


async def test_no_more_spans_than_a_body_may_have(start_edge: StartEdge):
    edge = await start_edge(limits=Limits(spans=3))
    assert (await send(edge, FARO, body(events=[resource(timestamp=stamp())] * 3))).status == 202
    for path, data in ((FARO, faro(4)), (REPORTS, reports(*[NETWORK_ERROR] * 4))):
        answer = await send(edge, path, data)
        assert (answer.status, answer.json()["error"]) == (413, "too_many_spans")
