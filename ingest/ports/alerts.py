"""Alerts at rest and in motion: rules, how they stand, what is to be told to whom, silences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import msgspec

from ingest.ports.alert_rules import Rule
from ingest.ports.audit import Actor

ALERTMANAGER = "alertmanager"
"""Name of the receiver that `FIRSTHOP_ALERTMANAGER_URL` makes."""


class Standing(StrEnum):
    """How a group of a rule stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of a group of a rule between two evaluations. Times in µs since 1970, 0: never."""

    standing: Standing = Standing.INACTIVE
    since_us: int = 0
    """Start of the run of windows in which the condition was met."""
    started_us: int = 0
    """When it began to fire; tells this firing from every other."""
    resolved_us: int = 0
    """When the last one ended: what was before counts no more."""
    value: float | None = None
    """The newest known."""
    told: bool = False
    """Receivers know of it, or will: the notification is in the outbox."""


Group = Mapping[str, str]
"""Dimension → value; none for a rule without group_by."""
Key = tuple[str, tuple[tuple[str, str], ...]]
"""Rule and group, as a key."""


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What receivers are told. No trace ids: examples are looked up when it is sent, so that none is stored."""

    id: str
    """Stable: the same for the same firing or its end, however often it is sent."""
    status: str
    """`firing`, `resolved` or `test`."""
    app_id: int
    rule: Rule
    """As it was when it began to fire: what labels are made from."""
    group: dict[str, str]
    text: str
    """What happened, in a sentence."""
    value: float | None
    started_us: int
    ended_us: int | None = None
    reason: str = ""
    """Of the end: `recovered`, `no_data` or `rule_removed`."""
    from_us: int
    to_us: int
    """What to look at."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of the history: a group began to fire, or ceased."""

    app_id: int
    rule: str
    group: Group
    status: str
    at_us: int
    value: float | None
    severity: str
    reason: str
    silenced: bool
    """Nobody was told."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Notifications that begin while it holds are not sent; what fires when it ends is told then."""

    silence_id: str
    app_id: int
    rule: str
    """"": every rule of the app."""
    group: Group
    """Groups with these values; none: all."""
    reason: str
    by: str
    """Name of the actor."""
    created_us: int
    until_us: int

    def covers(self, rule: str, group: Group, now_us: int) -> bool:
        """Whether it holds for a group of a rule."""
        return (
            self.created_us <= now_us < self.until_us
            and self.rule in {"", rule}
            and all(group.get(name) == value for name, value in self.group.items())
        )


@dataclass(frozen=True, slots=True)
class Turned:
    """What an evaluation changes of one group of a rule."""

    rule: str
    group: Group
    state: State | None
    """None: nothing is remembered any more."""
    notification: Notification | None = None
    """The one by which its firing was told; kept with the state."""
    happening: Happening | None = None
    outbox: Sequence[tuple[str, Notification]] = ()
    """Receiver, and what it is to be told."""


@dataclass(frozen=True, slots=True)
class Stood:
    """A state as it is stored."""

    app_id: int
    rule: str
    group: Group
    state: State
    notification: Notification | None


@dataclass(frozen=True, slots=True)
class Queued:
    """A notification on its way."""

    entry: int
    notification: Notification


class AlertStates(Protocol):
    """What the one evaluator remembers. Every method raises `ingest.errors.Unavailable` when the store is away."""

    async def lead(self) -> None:
        """Returns when this process is the one evaluator; another one waits here as a standby until it is gone."""

    async def counted_until_us(self, now_us: int) -> int:
        """Everything that was received before this moment is counted."""

    async def rules(self) -> Sequence[tuple[int, Rule]]:
        """App and rule, of those made by API."""

    async def silences(self, now_us: int) -> Sequence[Silence]:
        """Those that have not ended."""

    async def states(self) -> Sequence[Stood]:
        """Everything that is remembered."""

    async def turn(self, app_id: int, turned: Sequence[Turned]) -> None:
        """States, history and outbox of an app, in one transaction."""

    async def next(self, receiver: str, limit: int) -> Sequence[Queued]:
        """The oldest that this receiver is to be told; they stay in the outbox."""

    async def finish(self, entry: int) -> None:
        """Takes one out of the outbox."""

    async def trim(self, receivers: Sequence[str], most: int) -> int:
        """Takes out the oldest beyond `most` of each receiver, and all of others; returns how many."""


class AlertBook(Protocol):
    """Rules, silences and history of an app as its owner sees and changes them. Every change is audited.

    Every method raises `ingest.errors.Unavailable` when the store is away.
    """

    async def rules(self, app_id: int) -> Sequence[Rule]:
        """Those made by API."""

    async def put(self, app_id: int, rule: Rule, actor: Actor, most: int) -> bool:
        """Makes or replaces one; False when there would be more than `most`."""

    async def remove(self, app_id: int, name: str, actor: Actor) -> bool:
        """Whether there was one of this name."""

    async def states(self, app_id: int) -> Sequence[Stood]:
        """What is pending or firing, and what was lately."""

    async def happenings(self, app_id: int, limit: int) -> Sequence[Happening]:
        """The history, newest first."""

    async def silences(self, app_id: int, now_us: int) -> Sequence[Silence]:
        """Those that hold or did in the last 30 days, newest first."""

    async def silence(self, silence: Silence, actor: Actor) -> None:
        """Begins one."""

    async def lift(self, app_id: int, silence_id: str, actor: Actor, now_us: int) -> bool:
        """Ends one now; whether it held."""

    async def enqueue(self, receivers: Sequence[str], notification: Notification, actor: Actor) -> None:
        """Puts a test into the outbox."""


@dataclass(frozen=True, slots=True)
class WouldFire:
    """One firing of a dry run."""

    group: Group
    started_us: int
    ended_us: int | None
    """None: it would fire still."""
    value: float | None


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a rule would have done."""

    from_us: int
    to_us: int
    firings: Sequence[WouldFire]
    """By start."""
    lines: Sequence[tuple[Group, Sequence[tuple[int, float | None, str]]]]
    """The groups with most firings: start of each window in µs, value, verdict."""
    bound: float | None
    """What values are held against; None where it differs by window."""
    unit: str
    """`us`, `share`, `spans` or `sigma`."""
    undecided: int
    """Windows that could not be told, of all groups."""


class Alerts(Protocol):
    """What the query API needs of alerts beside the store: what only their own code can tell."""

    book: AlertBook
    receivers: Sequence[str]
    """Names of those that the operator set."""

    async def file_rules(self, app_id: int) -> Sequence[Rule]:
        """Those of the app's file, or of every app's."""

    async def rehearse(self, app_id: int, rule: Rule, from_us: int, now_us: int, least_sessions: int) -> Rehearsal:
        """What a rule would have done since.

        Raises:
            ValueError: too many windows; says what would do.
        """

    def describe(self, rule: Rule, value: float | None) -> str:
        """What happened, in a sentence."""

    def example(self, app_id: int, rule: Rule, now_us: int, name: str) -> Notification:
        """What a test of a rule tells; `name` tells it from all others."""
