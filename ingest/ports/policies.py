"""The privacy policies of all apps, as they were applied."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A privacy policy as it was applied."""

    app_id: int
    """0: of every app that has none of its own."""
    version: int
    """Grows with every policy applied, whichever app it is for; spans name it."""
    text: str
    """TOML; "" takes the app's own policy away again."""
    applied_at_us: int


class Policies(Protocol):
    """The privacy policies of all apps."""

    async def newest(self) -> Sequence[PolicyText]:
        """The newest of each app, and of 0. Cheap enough to call every few seconds.

        Raises:
            ingest.errors.Unavailable: they cannot be read now.
        """

    async def apply(self, app_id: int, text: str) -> int:
        """Puts a policy in force; returns its version, that of the newest when that has the same text.

        Raises:
            ingest.errors.Unavailable: it is not, or nobody knows.
        """
