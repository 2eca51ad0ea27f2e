"""The client half: a client is sent through the scenarios, and judged by what the receiver saw.

Either a command is run once for each scenario, or the receiver waits for clients that somebody starts by hand. A
command finds in its environment:

    FIRSTHOP_EDGE          where to send: POST /v1/batches and GET /v1/config
    FIRSTHOP_KEY           the key to send with
    FIRSTHOP_STEPS         what to do, JSON: [["record", 8], ["settle", 0], …], see `scenarios.py`
    FIRSTHOP_CONFIG_KEY    the public key that signs the configuration, base64
    FIRSTHOP_TIMEOUT_S     after how long without an answer an attempt is given up

It ends with exit code 0 when it has taken all steps.
"""

import asyncio
import base64
import json
import os
from collections.abc import Iterable, Mapping, Sequence

from client_sdk_spec.conformance.case import Case
from client_sdk_spec.conformance.judgements import ALWAYS, JUDGEMENTS
from client_sdk_spec.conformance.receiver import OURS, Receiver, receiving
from client_sdk_spec.conformance.scenarios import SCENARIOS
from client_sdk_spec.conformance.spec import sentences_of
from client_sdk_spec.conformance.verdicts import Broken, NotSeen, Verdict, Word

LONGEST_S = 120.0
"""Of a command in one scenario."""


async def check_command(
    command: Sequence[str],
    names: Iterable[str] = SCENARIOS,
    *,
    timeout_s: float = 10.0,
    slack_s: float = 1.0,
    at_once: int = 4,
) -> list[Verdict]:
    """Runs the command for each scenario, some of them at once, and judges what it sent."""
    names, turns = list(names), asyncio.Semaphore(at_once)
    async with receiving(silence_s=timeout_s + 2 * slack_s) as receiver:

        async def run(name: str) -> list[Verdict]:
            async with turns:
                problem = await _run(command, name, receiver.address, timeout_s)
            if problem:
                return [_verdict(name, "command", Broken(problem))]
            return judge(receiver, name, timeout_s=timeout_s, slack_s=slack_s)

        found = await asyncio.gather(*map(run, names))
    return [verdict for verdicts in found for verdict in verdicts]


async def _run(command: Sequence[str], name: str, address: str, timeout_s: float) -> str:
    """What is wrong with how the command ended; "" for nothing."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment(name, address, timeout_s)}
    )
    try:
        async with asyncio.timeout(LONGEST_S):
            code = await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
        return f"the command was not done after {LONGEST_S:g} s"
    return f"the command ended with {code}" if code else ""


def environment(name: str, address: str, timeout_s: float) -> Mapping[str, str]:
    """What a command is told of a scenario."""
    return {
        "FIRSTHOP_EDGE": address,
        "FIRSTHOP_KEY": name,
        "FIRSTHOP_STEPS": json.dumps(SCENARIOS[name].steps),
        "FIRSTHOP_CONFIG_KEY": base64.b64encode(OURS.public_key().public_bytes_raw()).decode(),
        "FIRSTHOP_TIMEOUT_S": f"{timeout_s:g}",
    }


def judge(receiver: Receiver, name: str, *, timeout_s: float = 10.0, slack_s: float = 1.0) -> list[Verdict]:
    """All judgements of one scenario."""
    scenario = SCENARIOS[name]
    case = Case(scenario, receiver.of(name), receiver.address, slack_s, timeout_s)
    return [_judged(name, judgement, case) for judgement in (*ALWAYS, *scenario.judged)]


def _judged(name: str, judgement: str, case: Case) -> Verdict:
    try:
        return Verdict(f"{name}/{judgement}", sentences_of(f"client:{judgement}"), "holds", JUDGEMENTS[judgement](case))
    except (Broken, NotSeen) as found:
        return _verdict(name, judgement, found)


def _verdict(name: str, judgement: str, found: Broken | NotSeen) -> Verdict:
    word: Word = "broken" if isinstance(found, Broken) else "not seen"
    return Verdict(f"{name}/{judgement}", sentences_of(f"client:{judgement}"), word, str(found))


def by_sentence(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """One verdict for each sentence: broken where one of its judgements is, in any scenario."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        for sentence in verdict.sentences or ("-",):
            found.setdefault(sentence, []).append(verdict)
    return [_together(sentence, found[sentence]) for sentence in sorted(found, key=_order)]


def _order(sentence: str) -> tuple[str, int]:
    letter, _, number = sentence.partition("-")
    return letter, int(number or 0)


def _together(sentence: str, verdicts: list[Verdict]) -> Verdict:
    for word in ("broken", "holds", "not seen"):
        of_word = [verdict for verdict in verdicts if verdict.word == word]
        if of_word:
            seen = f"{of_word[0].check}: {of_word[0].seen}" if word != "holds" else f"{len(of_word)} judgements"
            more = f" (and {len(of_word) - 1} more)" if word != "holds" and len(of_word) > 1 else ""
            return Verdict(sentence, (), of_word[0].word, seen + more)
    raise AssertionError("there are no verdicts without a word")
