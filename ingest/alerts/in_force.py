"""Which rules are in force: those of each app's file, and those made by API. Of two of one name, the file's."""

import logging
from collections.abc import Mapping, Sequence

from ingest.app_file import alert_rules
from ingest.ports import Policies, PolicyText, Rule
from ingest.ports.alert_rules import MOST_RULES

EVERY_APP = 0
"""App of the file for all that have none of their own."""

log = logging.getLogger("ingest.alerts")


class FileRules:
    """The rules of apps' files, as they were applied last.

    A file that this software cannot read (a newer one wrote it) changes nothing for who knows an earlier one.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies
        self._read: dict[int, tuple[int, Sequence[Rule]]] = {}

    async def refresh(self) -> None:
        """Reads what was applied since.

        Raises:
            Unavailable: it cannot be read now.
        """
        for text in await self._policies.newest():
            known = self._read.get(text.app_id)
            if known is None or known[0] != text.version:
                self._take(text)

    def of(self, app_id: int) -> Sequence[Rule]:
        """Those of an app's file, or of the file of all apps."""
        own = self._read.get(app_id) or self._read.get(EVERY_APP)
        return own[1] if own else ()

    def _take(self, text: PolicyText) -> None:
        if not text.text.strip():
            self._read.pop(text.app_id, None)
            return
        try:
            rules: Sequence[Rule] = alert_rules(text.text)
        except ValueError as error:
            log.warning("alert rules of policy %d cannot be read by this software: %s", text.version, error)
            rules = known[1] if (known := self._read.get(text.app_id)) else ()
        self._read[text.app_id] = text.version, rules


def in_force(of_file: Sequence[Rule], made: Sequence[Rule]) -> Sequence[Rule]:
    """The rules of an app."""
    return list({rule.name: rule for rule in (*made, *of_file)}.values())


def by_app(rules: Sequence[tuple[int, Rule]]) -> Mapping[int, list[Rule]]:
    """App → its rules made by API, the first `MOST_RULES`."""
    found: dict[int, list[Rule]] = {}
    for app_id, rule in rules:
        if len(of_app := found.setdefault(app_id, [])) < MOST_RULES:
            of_app.append(rule)
    return found
