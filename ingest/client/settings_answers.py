"""What the query API answers about who may do what, and what an app is set to, as types; as `answers`."""

from datetime import date, datetime

from ingest.client.answers import Answer, Json


class Opened(Answer, frozen=True):
    """An app that the asker may look at."""

    id: int
    name: str
    role: str
    may_change: bool


class Me(Answer, frozen=True):
    """`me`: who asks."""

    name: str
    apps: list[Opened]
    may_create_apps: bool


class NamedApp(Answer, frozen=True):
    """An app."""

    id: int
    name: str


class Edge(Answer, frozen=True):
    """Where clients send."""

    url: str | None
    port: int


class Key(Answer, frozen=True):
    """A key of an app; `key` is that of a client alone."""

    id: str
    role: str
    label: str
    key: str | None
    origins: list[str]
    created_at: datetime
    last_used_on: date | None
    revoked_at: datetime | None


class Kept(Answer, frozen=True):
    """Spans of the last hours."""

    received: int
    kept: int


class Sampling(Answer, frozen=True):
    """How many spans are kept whole."""

    budget_per_minute: int
    floor_per_minute: int
    send: bool
    most_kept: dict[str, float]
    """By device class, as probabilities."""
    slow_ms: int
    last_hours: Kept


class TraceIds(Answer, frozen=True):
    """Whose trace ids are taken."""

    gateway: bool
    partners: list[str]


class PolicyFile(Answer, frozen=True):
    """The policy in force, and where it is changed."""

    version: int
    source: str
    since: datetime | None
    file: str


class AppSettings(Answer, frozen=True):
    """`settings`."""

    app: NamedApp
    role: str
    may_change: bool
    edge: Edge
    keys: list[Key]
    sampling: Sampling
    traces: TraceIds
    policy: PolicyFile


class Change(Answer, frozen=True):
    """Who changed what, and when."""

    id: int
    at: datetime
    actor: str
    role: str
    action: str
    subject: str
    before: Json | None
    after: Json | None


class Changes(Answer, frozen=True):
    """`audit`: newest first, by pages."""

    changes: list[Change]
    next: str | None
