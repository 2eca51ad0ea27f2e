"""The client half of `firsthop conformance`: the reference client passes, judgements find those that are wrong."""

import base64
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from client_sdk_spec import client as module
from client_sdk_spec import retry, sampling, sender
from client_sdk_spec.client import Client
from client_sdk_spec.config import SEND_ALL
from client_sdk_spec.conformance.case import Case
from client_sdk_spec.conformance.client_half import by_sentence, check_command, judge
from client_sdk_spec.conformance.driver import take
from client_sdk_spec.conformance.judge_retries import full_jitter, one_by_one, waits
from client_sdk_spec.conformance.judgements import JUDGEMENTS
from client_sdk_spec.conformance.receiver import OURS, Attempt, Receiver, Seen, receiving
from client_sdk_spec.conformance.scenarios import SCENARIOS, Act
from client_sdk_spec.conformance.verdicts import Broken, NotSeen, Verdict
from client_sdk_spec.encoder import compress, encode
from client_sdk_spec.eviction import Drops
from client_sdk_spec.sender import Batch, Reply

TIMEOUT_S, SLACK_S = 0.5, 1.0
CONFIG_KEY = base64.b64encode(OURS.public_key().public_bytes_raw()).decode()
DRIVER = (sys.executable, "-m", "client_sdk_spec.conformance.driver")


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving(silence_s=TIMEOUT_S + 2 * SLACK_S) as made:
        yield made


async def verdicts_on(receiver: Receiver, name: str, **options: Any) -> dict[str, Verdict]:
    """Judgement → verdict on the reference client, as it may have been changed, in one scenario."""
    given = {"timeout_us": int(TIMEOUT_S * 1e6), "config_key": CONFIG_KEY, "chance": lambda: 0.1} | options
    async with Client(receiver.address, name, {"service": "conformance"}, **given) as client:
        await take(client, SCENARIOS[name].steps)
    found = judge(receiver, name, timeout_s=TIMEOUT_S, slack_s=SLACK_S)
    return {verdict.check.partition("/")[2]: verdict for verdict in found}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_reference_client_does_what_the_specification_says(receiver: Receiver, name: str):
    found = await verdicts_on(receiver, name)
    assert [verdict for verdict in found.values() if verdict.word != "holds"] == []
    assert all(verdict.sentences for verdict in found.values())


async def test_a_command_is_run_for_each_scenario_and_judged_by_sentence():
    verdicts = await check_command(DRIVER, ["well", "lost_answer", "unreadable"], timeout_s=2.0)
    sentences = {verdict.check: verdict.word for verdict in by_sentence(verdicts)}
    assert set(sentences.values()) == {"holds"}
    assert {"B-2", "B-3", "B-11", "C-5", "D-1"} <= set(sentences)


async def test_a_command_that_fails_is_broken():
    verdicts = await check_command((sys.executable, "-c", "raise SystemExit(3)"), ["well"])
    assert [(verdict.word, verdict.seen) for verdict in verdicts] == [("broken", "the command ended with 3")]


Change = Callable[[pytest.MonkeyPatch], None]


def posting(change: Callable[[Batch, dict[str, str], int], tuple[Batch, Mapping[str, str]]]) -> Change:
    """What goes over the wire is changed, by the number of the attempt."""

    def apply(patch: pytest.MonkeyPatch) -> None:
        post, numbers = Client._post, [-1]

        async def changed(self: Client, batch: Batch, stamp: Mapping[str, str]) -> Reply:
            numbers[0] += 1
            return await post(self, *change(batch, dict(stamp), numbers[0]))

        patch.setattr(Client, "_post", changed)

    return apply


def replaced(owner: Any, name: str, value: Any) -> Change:
    """A part of the client is another one."""
    return lambda patch: patch.setattr(owner, name, value)


def cut(batch: Batch, stamp: dict[str, str], number: int) -> tuple[Batch, dict[str, str]]:
    return replace(batch, body=batch.body[:-1]), stamp


def rewritten(batch: Batch, **changes: Any) -> Batch:
    body = compress(encode({**batch.logical, **changes}, batch.encoding), batch.compression)
    return replace(batch, body=body)


def resealed(batch: Batch, stamp: dict[str, str], number: int) -> tuple[Batch, dict[str, str]]:
    return rewritten(batch, dropped={"before_send": number}) if number else batch, stamp


def renamed(batch: Batch, stamp: dict[str, str], number: int) -> tuple[Batch, dict[str, str]]:
    return rewritten(batch, id=f"{number + 1:032x}"), stamp


def stamped_once() -> Change:
    first: dict[str, dict[str, str]] = {}
    return posting(lambda batch, stamp, _: (batch, first.setdefault(batch.id, stamp)))


def without_anchor(batch: Batch, stamp: dict[str, str], number: int) -> tuple[Batch, dict[str, str]]:
    return batch, {name: value for name, value in stamp.items() if name not in "odt"}


def by_its_own_clock(batch: Batch, stamp: dict[str, str], number: int) -> tuple[Batch, dict[str, str]]:
    """An anchor that knows nothing of the server, whose clock is seven seconds ahead."""
    return batch, stamp | ({"o": str(int(stamp["o"]) - 7_000_000)} if "o" in stamp else {})


def with_headers(patch: pytest.MonkeyPatch) -> None:
    enter = Client.__aenter__

    async def entered(self: Client) -> Client:
        await enter(self)
        self._session.headers["Cookie"] = "id=7"
        return self

    patch.setattr(Client, "__aenter__", entered)


def as_a_page(patch: pytest.MonkeyPatch) -> None:
    enter = Client.__aenter__

    async def entered(self: Client) -> Client:
        await enter(self)
        self._session.headers["Origin"] = "https://shop.example"
        return self

    patch.setattr(Client, "__aenter__", entered)


def recording_itself(patch: pytest.MonkeyPatch) -> None:
    record = Client.record
    patch.setattr(Client, "record", lambda self, span: record(self, {**span, "url": f"{self._edge}/v1/batches"}))


def following(patch: pytest.MonkeyPatch) -> None:
    enter = Client.__aenter__

    async def entered(self: Client) -> Client:
        await enter(self)
        post = self._session.post
        patch.setattr(
            self._session, "post", lambda *given, **options: post(*given, **options | {"allow_redirects": True})
        )
        return self

    patch.setattr(Client, "__aenter__", entered)


def fate(status: int, other: str) -> Change:
    """One status is taken for another."""
    right = retry.fate_of
    return replaced(retry, "fate_of", lambda found: other if found == status else right(found))


def undeclared(patch: pytest.MonkeyPatch) -> None:
    decide = sampling.decide
    patch.setattr(module, "decide", lambda *given, **options: decide(*given, **options)._replace(threshold=""))


def everything_is_sent(patch: pytest.MonkeyPatch) -> None:
    decide = sampling.decide
    patch.setattr(
        module, "decide", lambda *given, **options: decide(*given, **options)._replace(sent=True, threshold="8")
    )


def larger(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(module, "SPANS", 2_500)
    patch.setattr(module, "BYTES", 1 << 24)


WRONG: list[tuple[str, str, Change]] = [
    ("well", "readable", posting(cut)),
    ("many_spans", "bounded", larger),
    ("reset", "same_bytes", posting(resealed)),
    ("lost_answer", "spans_once", posting(renamed)),
    ("unavailable", "repeats", posting(renamed)),
    ("reset", "repeats", fate(0, "drop")),
    ("unreadable", "accounted", replaced(Drops, "lose", lambda *_: None)),
    ("lost_answer", "accounted", fate(0, "drop")),
    ("reset", "stamped_anew", stamped_once()),
    ("well", "learns_the_clock", posting(without_anchor)),
    ("well", "learns_the_clock", posting(by_its_own_clock)),
    ("told_when", "waits", replaced(retry, "retry_after_us", lambda *_: 0)),
    ("told_nonsense", "waits", replaced(retry, "retry_after_us", lambda *_: 3_500_000)),
    ("unreadable", "not_repeated", fate(400, "later")),
    ("unknown_encoding", "tells_rejected", replaced(Drops, "lose", lambda *_: None)),
    ("refused_410", "stops", fate(410, "drop")),
    ("too_large", "halves", replaced(sender, "halves", lambda spans: ((0, 1), (1, spans)) if spans > 1 else None)),
    ("one_too_large", "halves", replaced(Drops, "lose", lambda *_: None)),
    ("redirected", "stays", following),
    ("well", "plain_requests", with_headers),
    ("well", "plain_requests", as_a_page),
    ("well", "ignores_itself", recording_itself),
    ("sampled", "samples", undeclared),
    ("sampled", "samples", everything_is_sent),
]


@pytest.mark.parametrize(("name", "judgement", "change"), WRONG, ids=[f"{name}-{of}" for name, of, _ in WRONG])
async def test_a_judgement_finds_a_client_that_is_wrong(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver, name: str, judgement: str, change: Change
):
    change(monkeypatch)
    verdict = (await verdicts_on(receiver, name, chance=lambda: 0.0))[judgement]
    assert verdict.word == "broken", verdict


async def test_a_client_that_waits_for_ever_is_found(receiver: Receiver):
    verdict = (await verdicts_on(receiver, "silent", timeout_us=60_000_000))["gives_up"]
    assert verdict.word == "broken", verdict


async def test_a_client_that_does_not_ask_is_not_judged_by_what_it_was_not_told(
    monkeypatch: pytest.MonkeyPatch, receiver: Receiver
):
    async def ask(self: Client) -> None:
        self.config.ask_at_us += 10**12

    monkeypatch.setattr(Client, "_ask_config", ask)
    assert (await verdicts_on(receiver, "sampled"))["samples"].word == "not seen"


async def test_a_client_that_does_not_obey_is_found(monkeypatch: pytest.MonkeyPatch, receiver: Receiver):
    monkeypatch.setattr("client_sdk_spec.config.Held.answer", SEND_ALL)
    assert (await verdicts_on(receiver, "switched_off"))["obeys"].word == "broken"


async def test_a_client_that_believes_any_configuration_is_found(receiver: Receiver):
    assert (await verdicts_on(receiver, "forged", config_key=""))["checks_the_signature"].word == "broken"


def attempts(waits_s: list[float], act: Act) -> Case:
    """Attempts that failed, with these waits between them."""
    made, now_s = [], 0.0
    for wait_s in [*waits_s, 0.0]:
        made.append(Attempt(now_s, "/", {}, {}, b"", b"", {}, "", act, ended_s=now_s))
        now_s += wait_s
    return Case(SCENARIOS["unavailable"], Seen(made), "", SLACK_S, TIMEOUT_S)


def test_waits_that_are_always_near_their_bound_are_no_full_jitter():
    with pytest.raises(Broken):
        full_jitter(attempts([1.0, 1.9, 3.7, 8.0], Act(503)))
    assert full_jitter(attempts([0.2, 1.9, 3.7, 8.0], Act(503)))
    with pytest.raises(NotSeen):
        full_jitter(attempts([1.0, 2.0], Act(503)))


def test_a_wait_beyond_its_bound_is_found():
    assert waits(attempts([0.0, 2.0, 4.5], Act(503)))
    with pytest.raises(Broken):
        waits(attempts([0.0, 2.0, 5.5], Act(503)))
    with pytest.raises(NotSeen):
        waits(attempts([5.0], Act(202)))


def test_many_requests_at_once_are_found():
    case = attempts([], Act(202))
    case.seen.most_in_flight = 8
    assert one_by_one(case)
    case.seen.most_in_flight = 9
    with pytest.raises(Broken):
        one_by_one(case)


def test_every_judgement_is_shown_a_client_that_is_wrong():
    shown = {judgement for _, judgement, _ in WRONG} | {"gives_up", "obeys", "checks_the_signature"}
    assert set(JUDGEMENTS) - shown == {"full_jitter", "one_by_one"}
