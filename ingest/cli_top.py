"""The part of the command line that watches: `firsthop top`. See `ingest.cli` for exit codes."""

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.compose.home import Home, StartError
from ingest.settings import SettingError, Settings
from ingest.top import DIMENSIONS, SORTS

if TYPE_CHECKING:
    from ingest.client import SyncClient
    from ingest.top.ask import Asker
    from ingest.top.board import Board

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_MOST_S = 400 * 86_400
_TIMEOUT_S = 10.0


def add_to(top: argparse.ArgumentParser) -> None:
    """Adds the arguments."""
    top.add_argument("--app", help="id or name; may be left out when the token opens one app")
    top.add_argument("--by", choices=DIMENSIONS, default="route", help="what a row is; g changes it (default: route)")
    top.add_argument("--sort", choices=SORTS, default="spans", help="largest first (default: spans)")
    top.add_argument("--last", type=_last, default=900, metavar="15m", help="how far back: 90s, 15m, 1h, 7d")
    top.add_argument("--signal", default="request", help="what figures are about (default: request)")
    for name in DIMENSIONS:
        option = f"--{name.replace('_', '-')}"
        top.add_argument(option, action="append", default=[], metavar="VALUE", help=f"only this {name}; repeatable")
    top.add_argument("--every", type=_every, default=5.0, metavar="SECONDS", help="between two answers (default: 5)")
    top.add_argument("--once", action="store_true", help="print once as text, as when the output is no terminal")
    top.add_argument("--address", help="of a query server elsewhere, with its token in FIRSTHOP_TOKEN")


def run(settings: Settings, given: argparse.Namespace) -> None:
    """Shows or prints.

    Raises:
        StartError: no server, no answer, or a terminal that cannot be drawn on.
        SettingError: the address cannot be used.
    """
    from ingest.client import QueryError, SyncClient  # noqa: PLC0415
    from ingest.top.ask import Asker, Question, ask  # noqa: PLC0415
    from ingest.top.board import Board, text  # noqa: PLC0415

    address, token = _server(settings, given.address)
    board = Board(sort=given.sort, unicode=_draws_unicode())
    filters = {name: getattr(given, name) for name in DIMENSIONS}

    def connect() -> SyncClient:
        return SyncClient(address, token, timeout_s=_TIMEOUT_S)

    try:
        with connect() as client:
            app = given.app or _only_app(client)
            first = ask(client, Question(app, given.last, given.by, given.signal, filters))
    except QueryError as error:
        raise StartError(str(error)) from None
    if given.once or not (sys.stdout.isatty() and sys.stdin.isatty()):
        print("\n".join(text(board, first)))
        return
    asker = Asker(connect, first, given.every)
    asker.start()
    _watch(asker, board)


def _only_app(client: "SyncClient") -> str:
    names = [app.name for app in client.apps().apps]
    if len(names) != 1:
        raise StartError(f"the token opens several apps: name one by --app, of {', '.join(names) or 'none yet'}")
    return names[0]


def _watch(asker: "Asker", board: "Board") -> None:
    import curses  # noqa: PLC0415

    from ingest.top.screen import show  # noqa: PLC0415

    try:
        show(asker, board)
    except curses.error:
        raise StartError("this terminal cannot be drawn on: set TERM, or print with --once") from None
    except KeyboardInterrupt:
        pass  # as good a way to leave as q


def _server(settings: Settings, address: str | None) -> tuple[str, str]:
    """Where to ask, and with which token: what runs from FIRSTHOP_DATA, unless the user says something else."""
    token = settings["FIRSTHOP_TOKEN"]
    if address and not re.match(r"https?://[^/]", address):
        raise SettingError("--address must begin with http:// or https:// and name a host")
    if address and token:
        return address, token
    if address:
        raise StartError("--address needs that server's token in FIRSTHOP_TOKEN; `firsthop app token NAME` makes one")
    data = Path(settings["FIRSTHOP_DATA"])
    home = Home(data) if data.is_dir() else None
    ready = home.running() if home else None
    if home is None or ready is None:
        raise StartError(
            f"nothing serves from FIRSTHOP_DATA ({data}): start `firsthop serve`, or name a server by --address and "
            "its token by FIRSTHOP_TOKEN"
        )
    kept = home.secrets()
    return ready.query, token or kept.admin or kept.operator or ready.token


def _draws_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _last(text: str) -> int:
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    seconds = int(found[1]) * _UNITS_S[found[2]] if found else 0
    if not 10 <= seconds <= _MOST_S:
        raise argparse.ArgumentTypeError("must be 10s to 400d, e.g. 90s, 15m, 1h, 7d")
    return seconds


def _every(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,3})?", text) or not 1 <= float(text) <= 3600:
        raise argparse.ArgumentTypeError("must be 1 to 3600 seconds")
    return float(text)
