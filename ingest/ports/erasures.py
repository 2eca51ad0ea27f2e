"""Whose data goes: what is asked, what is remembered of it, and the receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from ingest.ports.journal import Position


@dataclass(frozen=True, slots=True)
class Tombstones:
    """Who was erased of one app: spans of theirs that arrive late are counted, and not stored."""

    names: frozenset[str]
    """Pseudonyms that were asked for: whatever holds one anywhere, bare or in a mark, is theirs."""
    sessions: frozenset[str]
    """Pseudonyms of sessions in which one of those was seen: spans of these sessions are theirs."""


class ErasedSession(NamedTuple):
    """A session in which somebody was seen who has been erased: it is theirs too."""

    app_id: int
    session: str
    name: str
    """Of `Tombstones.names`: whose it is."""


class Forgotten(NamedTuple):
    """What became of a portion of the journal's records."""

    last: Position | None
    """The last record looked at; None when there was none left."""
    spans: int = 0
    """Taken out."""
    unreadable: int = 0
    """Records that nobody can read, and that are therefore deleted: they may hold anybody."""
    sessions: Sequence[ErasedSession] = ()
    """In which somebody was seen who has been erased."""


class Records(Protocol):
    """What the journal can do about what it holds."""

    async def forget(self, connection: Any, table: str, after: Position, erased: Mapping[int, Tombstones]) -> Forgotten:
        """Takes people who were erased out of the next records of a table, in the caller's transaction."""


@dataclass(frozen=True, slots=True, repr=False)
class Subject:
    """Whose data is to be erased: never printed, never stored."""

    kind: str
    """`session`, `user` or `installation`: an id as the client sent it; or `pseudonym`."""
    text: str

    def __repr__(self) -> str:
        return f"<Subject {self.kind}>"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was erased on one request. Names nobody."""

    app_id: int
    erasure_id: str
    """A UUID."""
    identifier: str
    """`Subject.kind`."""
    software: str
    requested_at_us: int
    deleted_at_us: int | None
    """Since then no query finds anything of theirs. None: that is under way, and will be done whoever began it."""
    completed_at_us: int | None
    """Since then the files hold nothing of it either. None: likewise."""
    refused_until_us: int
    """Spans of theirs that arrive before this are counted and not stored."""
    counts: Mapping[str, int]
    """Table → spans erased; `unreadable`: records of the journal that nobody could read and that were deleted whole."""


class Erasures(Protocol):
    """Who may be forgotten, and the proof of it."""

    async def erase(self, app_id: int, subject: Subject) -> Receipt:
        """Erases everything of the app that names the subject, now and as it arrives late.

        Once this returns, nothing more of theirs is stored, even if it has not been completed: a crash leaves what is
        to be done where the aggregator's process finds it. Asking again erases what there is by then: nothing.

        Raises:
            ingest.errors.Unavailable: nothing was begun, or nobody knows; ask again.
        """
