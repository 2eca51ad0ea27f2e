"""Every setting, its default and what it does. Read once at start; each part is handed its own section.

`SETTINGS` is the one table: the reference page and `firsthop doctor` are made from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import privacy
from ingest.setting_texts import (
    endpoint,
    header,
    headers,
    networks,
    probability,
    proxy_roles,
    quantile,
    trace_link,
    webhooks,
    whole,
)
from privacy import BUILT_IN, Ring
from privacy.pseudonyms import period_of


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what a client may send; checked before the work is done."""

    wire_bytes: int = 1 << 20
    """Request body as sent."""
    body_bytes: int = 2 << 20
    """Request body inflated."""
    spans: int = 4096
    """Spans in one body."""
    strings: int = 20_000
    """Entries of a body's string table."""
    string_bytes: int = 8192
    """One string; longer ones are cut and end in `…`."""
    attributes: int = 128
    """Attributes of one span; the rest is left out and counted (`Decoded.trimmed`)."""
    events: int = 128
    """Events of one span."""
    links: int = 128
    """Links of one span."""
    duration_us: int = 24 * 3_600_000_000
    """Longest believable span."""
    future_us: int = 60_000_000
    """How far ahead of the server's clock a span may start."""
    backend_clock_err_ms: int = 100
    """How wrong the wall clock of a backend with a server key may be."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """Most that is kept of ordinary spans by device class, as a probability, and what is slow or weighs too much."""

    low: float = 1.0
    mid: float = 1.0
    high: float = 1.0
    unknown: float = 1.0
    slow_us: int = 3_000_000
    """A request this long is slow, on a route that nothing has been learned about."""
    max_weight: float = 10_000.0
    """What a client's declared threshold can make a span weigh at most."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the pipeline is to do with the spans of every app."""

    limits: Limits
    sampling: Sampling
    ring: Ring
    """Gives the keys of pseudonyms."""
    retention_us: int


@dataclass(frozen=True, slots=True)
class AppSampling:
    """What an app wants stored: `[sampling]` of its policy file."""

    budget_per_minute: int | None = None
    """Spans kept whole; None: `FIRSTHOP_SPANS_PER_MINUTE`."""
    floor_per_minute: int = 6
    """Spans of every route and device class that are kept whatever the rates, while the budget has room."""
    send: bool = True
    """Whether clients that ask `GET /v1/config` are to send at all."""


@dataclass(frozen=True, slots=True)
class AppTraces:
    """Whose trace ids an app goes by: `[traces]` of its policy file."""

    gateway: bool = False
    """The edge gives every trace of a client an id of its own and keeps the client's as a link."""
    partners: tuple[str, ...] = ()
    """Web origins that keep theirs."""


@dataclass(frozen=True, slots=True)
class AppPolicy:
    """The policy in force for an app."""

    version: int = 0
    """0: the built-in one."""
    rules: privacy.Policy = BUILT_IN
    sampling: AppSampling = AppSampling()
    traces: AppTraces = AppTraces()


class Setting(NamedTuple):
    """One row of the table: environment name, default as text, parser, help."""

    name: str
    default: str
    parse: Callable[[str], Any]
    help: str


class SettingError(ValueError):
    """A setting has a value that cannot be used; the message names it and says what would do."""


SETTINGS = (
    Setting("FIRSTHOP_DATA", ".firsthop", Path, "Directory of the embedded database, keys and ready.json."),
    Setting("DATABASE_URL", "", str, "A PostgreSQL of your own; empty starts the embedded one."),
    Setting("FIRSTHOP_EDGE_HOST", "127.0.0.1", str, "Address the edge listens on; 0.0.0.0 for the world."),
    Setting("FIRSTHOP_EDGE_PORT", "4318", whole(0, 65535), "Port of the edge."),
    Setting("FIRSTHOP_QUERY_HOST", "127.0.0.1", str, "Address of dashboard and query API."),
    Setting("FIRSTHOP_QUERY_PORT", "4380", whole(0, 65535), "Port of dashboard and query API."),
    Setting(
        "FIRSTHOP_EDGE_URL",
        "",
        endpoint,
        "Address under which clients reach the edge, for texts to copy; empty: its port on the dashboard's host.",
    ),
    Setting(
        "FIRSTHOP_PROXY_USER_HEADER",
        "",
        header,
        "Header in which your reverse proxy says who the user is, e.g. X-Forwarded-User; empty: tokens alone.",
    ),
    Setting("FIRSTHOP_PROXY_GROUPS_HEADER", "", header, "Header with the user's groups, separated by commas."),
    Setting("FIRSTHOP_PROXY_NETWORKS", "", networks, "Networks of the proxies whose word is taken for both."),
    Setting(
        "FIRSTHOP_PROXY_ROLES",
        "",
        proxy_roles,
        "What these users may do: who=role, separated by commas, e.g. jane=owner:shop, group:sre=admin, *=token:shop.",
    ),
    Setting("FIRSTHOP_WORKERS", "0", whole(0, 256), "Edge worker processes; 0 means one per core."),
    Setting("FIRSTHOP_TRUSTED_PROXIES", "", networks, "Networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8."),
    Setting("FIRSTHOP_GEOIP", "", str, "Path of a country database in MaxMind format; empty: country is unknown."),
    Setting("FIRSTHOP_GEOIP_ASN", "", str, "Path of an ASN database in MaxMind format; empty: provider is unknown."),
    Setting("FIRSTHOP_MAX_WIRE_BYTES", "1048576", whole(1024, 1 << 26), "Largest request body as sent."),
    Setting("FIRSTHOP_MAX_BODY_BYTES", "2097152", whole(1024, 1 << 26), "Largest request body once inflated."),
    Setting("FIRSTHOP_MAX_SPANS", "4096", whole(1, 65536), "Most spans in one request."),
    Setting(
        "FIRSTHOP_QUEUE_BYTES", "33554432", whole(1 << 20, 1 << 32), "Bodies a worker holds before it answers 503."
    ),
    Setting("FIRSTHOP_COMMIT_MS", "20", whole(0, 1000), "Longest wait for more bodies before a commit."),
    Setting("FIRSTHOP_JOURNAL_BYTES", "4294967296", whole(1 << 20, 1 << 44), "Journal size at which edges answer 503."),
    Setting(
        "FIRSTHOP_TRACES_PER_KEY",
        "3000000",
        whole(1, 1_000_000_000),
        "New traces a minute under one key and worker; over it 429 until they are fewer.",
    ),
    Setting(
        "FIRSTHOP_TRACES_PER_ADDRESS",
        "60000",
        whole(1, 1_000_000_000),
        "The same from one address; carriers put thousands of users behind one.",
    ),
    Setting(
        "FIRSTHOP_BACKEND_CLOCK_MS",
        "100",
        whole(0, 3_600_000),
        "How wrong the clocks of your backends may be; the bound on where their spans begin.",
    ),
    Setting("FIRSTHOP_KEEP_LOW", "1", probability, "Largest share of ordinary spans kept whole, low-class devices."),
    Setting("FIRSTHOP_KEEP_MID", "1", probability, "The same, mid-class devices."),
    Setting("FIRSTHOP_KEEP_HIGH", "1", probability, "The same, high-class devices."),
    Setting("FIRSTHOP_KEEP_UNKNOWN", "1", probability, "The same, devices of unknown class."),
    Setting(
        "FIRSTHOP_SPANS_PER_MINUTE",
        "60000",
        whole(60, 100_000_000),
        "Spans of an app that one host keeps whole in a minute, and as many of its backends'; about 1 KB each.",
    ),
    Setting(
        "FIRSTHOP_SLOW_MS",
        "3000",
        whole(1, 86_400_000),
        "A request this slow is kept first, on routes that nothing has been learned about.",
    ),
    Setting(
        "FIRSTHOP_SLOW_QUANTILE",
        "0.99",
        quantile,
        "On a route with enough traffic, what exceeds this quantile of its last hour is slow.",
    ),
    Setting(
        "FIRSTHOP_SERIES_LIMIT", "10000", whole(1, 1_000_000), "Series per app and view; the rest counts as {other}."
    ),
    Setting(
        "FIRSTHOP_TRACE_SPANS",
        "10000",
        whole(100, 1_000_000),
        "Sampled spans of one trace; roots, errors and reported spans may exceed it by a tenth.",
    ),
    Setting("FIRSTHOP_SPAN_DAYS", "7", whole(1, 3650), "Days that sampled spans are kept."),
    Setting("FIRSTHOP_ROLLUP_10S_HOURS", "6", whole(1, 8760), "Hours that 10-second rollups are kept."),
    Setting("FIRSTHOP_ROLLUP_1M_DAYS", "14", whole(1, 3650), "Days that 1-minute rollups are kept."),
    Setting("FIRSTHOP_ROLLUP_1H_DAYS", "400", whole(1, 36500), "Days that 1-hour rollups are kept."),
    Setting("FIRSTHOP_ROLLUP_1D_DAYS", "400", whole(1, 36500), "Days that 1-day rollups are kept."),
    Setting(
        "FIRSTHOP_BATCH_ID_DAYS", "8", whole(1, 365), "Days that batch ids are remembered, as long as clients retry."
    ),
    Setting("FIRSTHOP_EXPORT_URL", "", endpoint, "OTLP/HTTP traces endpoint to send kept client spans on to."),
    Setting("FIRSTHOP_EXPORT_HEADERS", "", headers, "Headers of those requests: name=value, separated by commas."),
    Setting("FIRSTHOP_EXPORT_SPANS", "5000000", whole(1000, 1 << 32), "Spans that may wait; the oldest beyond go."),
    Setting(
        "FIRSTHOP_TRACE_LINK",
        "",
        trace_link,
        "Where your tracing system shows a trace, e.g. https://jaeger.example/trace/{trace_id}.",
    ),
    Setting(
        "FIRSTHOP_ALERTMANAGER_URL",
        "",
        endpoint,
        "Alertmanager that alerts are sent to, e.g. http://alertmanager:9093; its API v2 lies below.",
    ),
    Setting(
        "FIRSTHOP_ALERT_WEBHOOKS",
        "",
        webhooks,
        "Other receivers of alerts: name=address, several separated by spaces. Addresses are never shown.",
    ),
    Setting(
        "FIRSTHOP_DASHBOARD_URL",
        "",
        endpoint,
        "Where people reach the dashboard, for links in alerts; empty: the query port on this machine.",
    ),
    Setting("FIRSTHOP_DEAD_DAYS", "7", whole(1, 3650), "Days that records which could not be stored are kept."),
    Setting("FIRSTHOP_TOKEN", "", str, "Token with which `firsthop top` asks; empty: one of the data directory's."),
)


class Settings:
    """All settings, parsed; `settings["FIRSTHOP_EDGE_PORT"]`, and the frozen sections made from them."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Reads the table from an environment; an unset or empty name takes its default.

        Raises:
            SettingError: names the first setting that cannot be used, or is not in the table.
        """
        known = {setting.name for setting in SETTINGS}
        strange = sorted(name for name in environment if name.startswith("FIRSTHOP_") and name not in known)
        if strange:
            raise SettingError(f"{strange[0]} is not a setting; ingest/settings.md lists those there are")
        values: dict[str, Any] = {}
        for setting in SETTINGS:
            text = environment.get(setting.name) or setting.default
            try:
                values[setting.name] = setting.parse(text)
            except ValueError as error:
                raise SettingError(f"{setting.name} cannot be used: {error}") from None
        if values["FIRSTHOP_PROXY_USER_HEADER"] and not values["FIRSTHOP_PROXY_NETWORKS"]:
            raise SettingError("FIRSTHOP_PROXY_NETWORKS is needed with FIRSTHOP_PROXY_USER_HEADER: whose word to take")
        return cls(values)

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def limits(self) -> Limits:
        """Bounds for decoders and pipeline."""
        return Limits(
            wire_bytes=self["FIRSTHOP_MAX_WIRE_BYTES"],
            body_bytes=self["FIRSTHOP_MAX_BODY_BYTES"],
            spans=self["FIRSTHOP_MAX_SPANS"],
            backend_clock_err_ms=self["FIRSTHOP_BACKEND_CLOCK_MS"],
        )

    def sampling(self) -> Sampling:
        """What is kept at most, and what is slow."""
        return Sampling(
            low=self["FIRSTHOP_KEEP_LOW"],
            mid=self["FIRSTHOP_KEEP_MID"],
            high=self["FIRSTHOP_KEEP_HIGH"],
            unknown=self["FIRSTHOP_KEEP_UNKNOWN"],
            slow_us=self["FIRSTHOP_SLOW_MS"] * 1000,
        )

    def policy(self, ring: Ring) -> Policy:
        """The pipeline's policy."""
        return Policy(
            limits=self.limits(),
            sampling=self.sampling(),
            ring=ring,
            retention_us=self["FIRSTHOP_SPAN_DAYS"] * 86_400_000_000,
        )

    def first_period(self, now_us: int) -> int:
        """The earliest key period whose pseudonyms may be needed: what is kept, or comes late, is of none before it."""
        days = max(self["FIRSTHOP_SPAN_DAYS"], self["FIRSTHOP_DEAD_DAYS"]) + self["FIRSTHOP_BATCH_ID_DAYS"]
        return period_of(now_us - days * 86_400_000_000) - 1
