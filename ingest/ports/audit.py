"""Who changed what: one row for every change of an app's settings, written in the transaction of the change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks."""

    name: str
    """`key:<id of the key>`, `user:<name that the proxy gave>`, or `command line`."""
    role: str
    """By which they may (`ingest.ports.keys`)."""


COMMAND_LINE = Actor("command line", "admin")
"""Whoever runs `firsthop` on the machine."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change, to be written."""

    app_id: int
    """0: of no app."""
    actor: Actor
    action: str
    """Noun and verb: `key.create`, `rule.update`."""
    subject: str
    """Id or name of what was changed."""
    before: Mapping[str, Any] | None = None
    """JSON, without secrets; None: there was none."""
    after: Mapping[str, Any] | None = None
    """The same; None: there is none any more."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One change, as it was written."""

    audit_id: int
    """Grows."""
    at_us: int
    change: Change


class Audit(Protocol):
    """The changes of an app."""

    async def changes(self, app_id: int, *, before_id: int | None, limit: int) -> Sequence[Changed]:
        """The newest first, of those before this one.

        Raises:
            ingest.errors.Unavailable: they cannot be read now.
        """
