"""Erasing on request: an id as a client sent it becomes its pseudonyms of all key periods; the store does the rest."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from ingest.compose.home import Home, StartError
from ingest.compose.service import administered
from ingest.errors import Unavailable
from ingest.journal.postgres import PostgresJournal
from ingest.ports import Receipt, Subject
from ingest.query.erasures import IDENTIFIERS, shown
from ingest.settings import Settings
from ingest.store.erasures import PostgresErasures
from ingest.store.keys import PostgresKeys
from privacy import pseudonym
from privacy.pseudonyms import period_of

WAIT_S = 20.0
"""How long a request waits for its erasure to be completed; after that its receipt says that it is under way."""
_DAY_US = 86_400_000_000
_log = logging.getLogger(__name__)


class Eraser:
    """Implements `ingest.ports.Erasures`.

    Args:
        settings: where the keys of pseudonyms are, and for how long things are kept and come late.
        now_us: the server's clock, µs since 1970.
        wait_s: see `WAIT_S`; None waits for the end.
    """

    def __init__(
        self,
        pool: Any,
        settings: Settings,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        wait_s: float | None = WAIT_S,
    ) -> None:
        self._erasures = PostgresErasures(pool, PostgresJournal(pool))
        self._settings = settings
        self._now_us = now_us
        self._wait_s = wait_s
        self._under_way: set[asyncio.Task[bool]] = set()

    async def erase(self, app_id: int, subject: Subject) -> Receipt:
        """Erases everything of the app that names the subject, now and as it arrives late.

        Raises:
            Unavailable: nothing was begun, or nobody knows; or this machine has no keys of pseudonyms.
        """
        late_days = max(self._settings["FIRSTHOP_SPAN_DAYS"], self._settings["FIRSTHOP_BATCH_ID_DAYS"])
        until_us = self._now_us() + late_days * _DAY_US
        names = self._names(app_id, subject, until_us)
        erasure_id = await self._erasures.begin(
            app_id, subject.kind, names, refused_until_us=until_us, software=version("firsthop")
        )
        # Its requester may go away; what was begun goes on.
        work = asyncio.create_task(self._erasures.carry_out(app_id, erasure_id))
        self._under_way.add(work)
        work.add_done_callback(self._end)
        await asyncio.wait({work}, timeout=self._wait_s)
        return await self._erasures.receipt(app_id, erasure_id)

    def _names(self, app_id: int, subject: Subject, until_us: int) -> set[str]:
        """The pseudonyms of every period from which something is kept, or may still arrive."""
        if subject.kind == "pseudonym":
            return {subject.text.lower()}
        directory = self._settings["FIRSTHOP_DATA"]
        if not (directory / "keys.json").exists():
            raise Unavailable(
                "no_keys",
                "This machine has no keys.json, so ids mean nothing here: share the edges', or name a pseudonym.",
            )
        ring = Home(directory).secrets().ring
        first = max(ring.period, self._settings.first_period(self._now_us()))
        return {pseudonym(ring.key(app_id, period), subject.text) for period in range(first, period_of(until_us) + 1)}

    def _end(self, work: "asyncio.Task[bool]") -> None:
        self._under_way.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            _log.warning("an erasure is not completed and is taken up again soon: %s", type(error).__name__)


async def erase(settings: Settings, app: str, given: Mapping[str, str | None]) -> Mapping[str, Any]:
    """Erases from the database of this installation, for `firsthop privacy erase`; the receipt as JSON shows it.

    Args:
        given: identifiers by kind, of which one is given.

    Raises:
        StartError: none is, or it cannot be one; there is no such app; or the database cannot be reached.
    """
    subject = _subject(given)
    async with administered(settings) as pool:
        app_id = next((each.app_id for each in await PostgresKeys(pool).apps() if each.name == app), None)
        if app_id is None:
            raise StartError("there is no app of this name; `firsthop app list` shows those there are")
        try:
            return shown(await Eraser(pool, settings, wait_s=None).erase(app_id, subject))
        except Unavailable as error:
            raise StartError(error.message) from None


def _subject(given: Mapping[str, str | None]) -> Subject:
    named = [(parameter, text) for parameter in IDENTIFIERS if (text := given.get(parameter.name))]
    if len(named) != 1:
        raise StartError("name whom to erase by one of --session, --user, --installation or --pseudonym")
    parameter, text = named[0]
    try:
        return Subject(parameter.name, parameter.parse(text))
    except ValueError as error:
        raise StartError(f"--{parameter.name} {error}") from None
