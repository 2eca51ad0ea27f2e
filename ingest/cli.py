"""The command line: `firsthop serve`, the roles one by one, apps and keys, privacy, and `firsthop doctor`.

Exit codes: 0 done, 1 it failed and said why, 2 a setting or an argument cannot be used. Each command imports what it
needs when it runs: a role's process does not load the supervisor, and `firsthop --help` loads nothing.
"""

import argparse
import asyncio
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ingest import cli_app, cli_privacy, cli_top
from ingest.compose.home import Ready, StartError
from ingest.geo import GeoError
from ingest.settings import SettingError, Settings
from privacy.policy_file import PolicyError

if TYPE_CHECKING:
    from ingest.compose.child import Role
    from ingest.compose.demo import Demo

FAILED, UNUSABLE = 1, 2

_EXAMPLE = """\
id=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \\n')
curl -sS '{edge}/v1/batches?key={key}' -d '{{"v":1,"id":"'$id'","n":1,
  "strings":["GET /orders/{{id}}","GET","https://api.shop.example/orders/42?email=jane%40example.com","/orders/{{id}}"],
  "resource":{{"service":"shop","version":"1.0.0","os_name":"Android","network":"wifi"}},"clock":{{"kind":"wall"}},
  "traces":"'$id'","cols":{{"trace":[0],"span_id":"00f067aa0ba902b7","name":[1],"method":[2],"url":[3],"route":[4],
  "http_status":[200],"start_us":['$(date +%s)'000000],"duration_us":[182000],"redirect_us":[-1],"dns_us":[23000],
  "tcp_us":[31000],"tls_us":[42000],"ttfb_us":[71000],"download_us":[15000]}}}}'"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns the exit code."""
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    try:
        if given.command == "conformance":
            return _conformance(rest)
        if rest:
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        if given.run is None:
            return _doctor()
        given.run(Settings.from_env(os.environ), given)
    except (SettingError, GeoError, PolicyError) as error:
        print(f"firsthop: {error}", file=sys.stderr)
        return UNUSABLE
    except StartError as error:
        print(f"firsthop: {error}", file=sys.stderr)
        return FAILED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="firsthop", description="Measures the first hop of every request.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[[Settings, argparse.Namespace], None] | None, about: str
    ) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=about, description=about)
        command.set_defaults(run=run)
        return command

    add("serve", _serve, "start everything on this machine; Ctrl-C stops it in order")
    add("demo", _demo, "as serve, with seeded realistic traffic")
    edge = add("edge", _edge, "one edge worker; needs DATABASE_URL")
    edge.add_argument("--worker", type=int, default=0, help="its number in the metrics")
    aggregate = add("aggregate", _aggregate, "the aggregator")
    export = add("export", _export, "sends kept client spans on to FIRSTHOP_EXPORT_URL")
    alerts = add("alerts", _alerts, "evaluates alert rules and notifies")
    for role in (edge, aggregate, export, alerts, add("query", _query, "the query server")):
        role.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
    add("migrate", _migrate, "bring the database's schema up to date")
    cli_top.add_to(add("top", cli_top.run, "percentiles by route, version or country in this terminal, as they change"))
    add("doctor", None, "what is wrong with this machine, and what would help")
    about = "whether a server, or with --client a client, does what the client specification says"
    commands.add_parser("conformance", add_help=False, help=about)
    cli_app.add_to(add("app", cli_app.run, "apps and their keys"))
    cli_privacy.add_to(add("privacy", cli_privacy.run, "policies: what they do, which are in force; erasing"))
    return parser


def _serve(settings: Settings, given: argparse.Namespace) -> None:
    del given
    _supervise(settings, dict(os.environ), None)


def _demo(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose.demo import Demo, prepare  # noqa: PLC0415

    del given
    environment = prepare(settings, os.environ)
    _supervise(Settings.from_env(environment), environment, Demo())


def _supervise(settings: Settings, environment: Mapping[str, str], demo: "Demo | None") -> None:
    from ingest.compose.service import Service  # noqa: PLC0415

    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s", stream=sys.stderr)

    async def run() -> None:
        stop, hurry = asyncio.Event(), asyncio.Event()

        def asked() -> None:
            (hurry if stop.is_set() else stop).set()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, asked)

        def welcome(ready: Ready) -> None:
            print(_welcome(ready) if demo is None else _welcome(demo.show(ready), demo.site), flush=True)

        await Service(settings, environment, demo).run(stop, hurry, welcome)

    asyncio.run(run())


def _welcome(ready: Ready, site: str = "") -> str:
    return "\n".join(
        [
            "",
            *([f"  web site   {site} (press a button, see its trace)"] if site else []),
            f"  app        {ready.app}",
            f"  client key {ready.client_key}",
            f"  edge       {ready.edge}",
            f"  dashboard  {ready.query}/?app={ready.app}#token={ready.token}",
            "",
            "Send a span; it shows in the dashboard a few seconds later:",
            "",
            _EXAMPLE.format(edge=ready.edge, key=ready.client_key),
            "",
        ]
    )


def _edge(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose import edge  # noqa: PLC0415

    _run(settings, given, partial(edge.run, settings, given.worker))


def _aggregate(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose import aggregate  # noqa: PLC0415

    _run(settings, given, partial(aggregate.run, settings))


def _export(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose import export  # noqa: PLC0415

    _run(settings, given, partial(export.run, settings))


def _alerts(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose import alerts  # noqa: PLC0415

    _run(settings, given, partial(alerts.run, settings))


def _query(settings: Settings, given: argparse.Namespace) -> None:
    from ingest.compose import query  # noqa: PLC0415

    _run(settings, given, partial(query.run, settings))


def _run(settings: Settings, given: argparse.Namespace, role: "Role") -> None:
    from ingest.compose import child  # noqa: PLC0415

    if not settings["DATABASE_URL"]:
        raise SettingError("DATABASE_URL is needed to run one role; `firsthop serve` runs all, with its own database")
    child.run(role, supervised=given.supervised)


def _migrate(settings: Settings, given: argparse.Namespace) -> None:
    del given

    async def run(pool: Any) -> None:
        from ingest.store.database import migrate  # noqa: PLC0415

        print(f"the schema is at version {await migrate(pool)}")

    cli_app.administer(settings, run)


def _conformance(arguments: Sequence[str]) -> int:
    """Runs the specification's own checks, which the service does not import, with the arguments as they are."""
    command = [sys.executable, "-m", "client_sdk_spec.conformance", *arguments]
    return subprocess.run(command, check=False).returncode  # noqa: S603


def _doctor() -> int:
    from ingest.compose.doctor import examine  # noqa: PLC0415

    findings = asyncio.run(examine(dict(os.environ)))
    for finding in findings:
        print(f"{'WRONG' if finding.wrong else 'ok   '} {finding.what}: {finding.found}")
        if finding.wrong:
            print(f"      {finding.remedy}")
    return FAILED if any(finding.wrong for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
