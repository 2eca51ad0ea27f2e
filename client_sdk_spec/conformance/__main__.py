"""`firsthop conformance`: one half, or both.

Exit codes: 0 everything that was seen holds, 1 something is broken, 2 the arguments cannot be used.
"""

import argparse
import asyncio
import json
import signal
import sys
from collections.abc import Sequence

from client_sdk_spec.conformance.client_half import by_sentence, check_command, judge
from client_sdk_spec.conformance.receiver import receiving
from client_sdk_spec.conformance.scenarios import SCENARIOS
from client_sdk_spec.conformance.server_half import check_server
from client_sdk_spec.conformance.verdicts import Verdict, failed, table


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is asked for; returns the exit code."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.client == bool(given.url):
        parser.error("give the URL of a server, or --client")
    if given.url:
        if not given.key:
            parser.error("--key is needed: a client key of an app made for this")
        return _server(given)
    unknown = set(given.scenario) - set(SCENARIOS)
    if unknown:
        parser.error(f"there is no scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    return _command(given) if given.command else _by_hand(given)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firsthop conformance",
        description="Checks a server, or a client, against the client specification (client_sdk_spec/SPEC.md).",
    )
    parser.add_argument("url", nargs="?", help="a server to check, e.g. http://127.0.0.1:4318")
    parser.add_argument("--key", help="a client key of an app made for this: spans are sent to it")
    parser.add_argument("--config-key", default="", help="public key that signs the configuration (firsthop app list)")
    parser.add_argument("--query", default="", help="address of firsthop's query API, to check the ledger, too")
    parser.add_argument("--token", default="", help="a token that reads the app there")
    parser.add_argument("--client", action="store_true", help="check a client instead, by a receiver that misbehaves")
    parser.add_argument("--command", nargs=argparse.REMAINDER, help="runs the client once for each scenario; last")
    parser.add_argument("--port", type=int, default=0, help="of the receiver, when clients are started by hand")
    parser.add_argument("--scenario", action="append", default=[], help="only this; again for more")
    parser.add_argument("--timeout-s", type=float, default=10.0, help="after how long the client is to give up")
    parser.add_argument("--slack-s", type=float, default=1.0, help="how late the client's timers may be")
    return parser


def _server(given: argparse.Namespace) -> int:
    verdicts = asyncio.run(
        check_server(given.url, given.key, config_key=given.config_key, query=given.query, token=given.token)
    )
    print(table(f"The server half, against {given.url}", verdicts))
    return int(failed(verdicts))


def _command(given: argparse.Namespace) -> int:
    names = given.scenario or list(SCENARIOS)
    verdicts = asyncio.run(check_command(given.command, names, timeout_s=given.timeout_s, slack_s=given.slack_s))
    return _report(verdicts)


def _by_hand(given: argparse.Namespace) -> int:
    async def run() -> list[Verdict]:
        done = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, done.set)
        async with receiving(given.port, silence_s=given.timeout_s + 2 * given.slack_s) as receiver:
            print(f"The receiver is at {receiver.address}. The key chooses the scenario; Ctrl-C ends and judges.\n")
            for name in given.scenario or SCENARIOS:
                print(f"  {name:18}{SCENARIOS[name].about}: {json.dumps(SCENARIOS[name].steps)}")
            print(flush=True)
            await done.wait()
            used = [name for name, seen in receiver.seen.items() if seen.attempts or seen.asked_s]
            judged = [judge(receiver, name, timeout_s=given.timeout_s, slack_s=given.slack_s) for name in used]
        return [verdict for verdicts in judged for verdict in verdicts]

    return _report(asyncio.run(run()))


def _report(verdicts: list[Verdict]) -> int:
    broken = [verdict for verdict in verdicts if verdict.word == "broken"]
    print(table("The client half, by sentence of SPEC.md", by_sentence(verdicts)))
    if broken:
        print("\n" + table("What is broken", broken))
    return int(failed(verdicts))


if __name__ == "__main__":
    sys.exit(main())
