"""Which privacy policy is in force for each app: what the database says, read again every few seconds.

An app's own newest policy counts, else the newest of app 0, else the built-in one. A policy that this software cannot
read (a newer one wrote it) changes nothing for who knows an earlier one; who does not, has none to offer and says so:
nothing is taken in under a policy that nobody can keep.
"""

import asyncio
import logging
from collections.abc import Callable

from ingest.app_file import AppFile
from ingest.errors import Unavailable
from ingest.ports import Policies, PolicyText
from ingest.settings import AppPolicy

log = logging.getLogger("ingest.policies")

EVERY_APP = 0
"""The app id of the policy for all apps that have none of their own."""


class PolicyBook:
    """The policies of all apps, kept fresh.

    Args:
        policies: where they are.
        parse: reads one; raises ValueError when it cannot.
        every_s: seconds between two readings.
        again_s: the same until the first one succeeds.
    """

    def __init__(
        self, policies: Policies, parse: Callable[[str], AppFile], every_s: float = 5.0, again_s: float = 1.0
    ) -> None:
        self._policies, self._parse, self._every_s, self._again_s = policies, parse, every_s, again_s
        self._own: dict[int, AppPolicy] = {}
        self._closed: set[int] = set()
        self._unreadable: dict[int, int] = {}
        self.open = False
        """Policies have been read at least once."""
        self.reachable = True
        """The last reading succeeded."""

    def of(self, app_id: int) -> AppPolicy:
        """The policy in force for an app. Once it gave one it always will.

        Raises:
            Unavailable: none is known that can be kept.
        """
        for whose in (app_id, EVERY_APP):
            if whose in self._own:
                return self._own[whose]
            if not self.open or whose in self._closed:
                raise Unavailable(
                    "policy", "the app's privacy policy cannot be read now: send the same request again later"
                )
        return _BUILT_IN

    async def refresh(self) -> None:
        """Reads the policies again; when that fails, the ones known so far stay."""
        try:
            newest = await self._policies.newest()
        except Exception as error:  # noqa: BLE001 - whatever keeps them away, what was promised stays promised
            if self.reachable:
                log.warning("policies cannot be read: %s; those known stay in force", type(error).__name__)
            self.reachable = False
            return
        for text in newest:
            self._take(text)
        self.reachable = self.open = True

    async def keep_fresh(self) -> None:
        """Refreshes for ever; cancel to stop."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._every_s if self.open else self._again_s)

    def _take(self, given: PolicyText) -> None:
        app_id = given.app_id
        known = self._own.get(app_id)
        if known is not None and known.version == given.version:
            return
        if not given.text.strip():
            self._own.pop(app_id, None)
        else:
            try:
                self._own[app_id] = AppPolicy(given.version, *self._parse(given.text))
            except ValueError as error:
                self._keep_without(given, error)
                return
        self._closed.discard(app_id)
        self._unreadable.pop(app_id, None)

    def _keep_without(self, given: PolicyText, error: ValueError) -> None:
        if not self.open:
            self._closed.add(given.app_id)
        if self._unreadable.get(given.app_id) != given.version:
            self._unreadable[given.app_id] = given.version
            log.warning("policy %d of app %d cannot be kept by this software: %s", given.version, given.app_id, error)


_BUILT_IN = AppPolicy()
