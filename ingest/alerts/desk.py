"""Alerts as the query API needs them beside the store (`ingest.ports.Alerts`)."""

from collections.abc import Sequence

from ingest.alerts.in_force import FileRules
from ingest.alerts.notices import example
from ingest.alerts.rehearse import rehearse
from ingest.alerts.words import describe
from ingest.ports import AlertBook, Measurer, Notification, Policies, Rehearsal, Rule


class Desk:
    """Implements `ingest.ports.Alerts`.

    Args:
        receivers: names of those that the operator set.
    """

    def __init__(self, book: AlertBook, measurer: Measurer, policies: Policies, receivers: Sequence[str]) -> None:
        self.book, self.receivers = book, receivers
        self._measurer, self._files = measurer, FileRules(policies)

    async def file_rules(self, app_id: int) -> Sequence[Rule]:
        """Those of the app's file, or of every app's."""
        await self._files.refresh()
        return self._files.of(app_id)

    async def rehearse(self, app_id: int, rule: Rule, from_us: int, now_us: int, least_sessions: int) -> Rehearsal:
        """What a rule would have done since."""
        return await rehearse(
            self._measurer, rule, app_id=app_id, from_us=from_us, now_us=now_us, least_sessions=least_sessions
        )

    def describe(self, rule: Rule, value: float | None) -> str:
        """What happened, in a sentence."""
        return describe(rule, value)

    def example(self, app_id: int, rule: Rule, now_us: int, name: str) -> Notification:
        """What a test of a rule tells."""
        return example(app_id, rule, now_us, name)
