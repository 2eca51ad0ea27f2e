"""Alerts as rows: what state, book and outbox have in common."""

from collections.abc import Mapping
from typing import Any

import asyncpg
import msgspec
import orjson

from ingest.ports import Notification, Silence, Standing, State, Stood
from ingest.store.snapshot import micros


def grouping(group: Mapping[str, str]) -> str:
    """A group as jsonb takes it."""
    return orjson.dumps(dict(group), option=orjson.OPT_SORT_KEYS).decode()


def as_json(value: msgspec.Struct | None) -> str | None:
    """A rule or notification as jsonb takes it."""
    return None if value is None else msgspec.json.encode(value).decode()


def read_notification(text: str | None) -> Notification | None:
    """The way back."""
    return None if text is None else msgspec.json.decode(text, type=Notification)


def stood(row: asyncpg.Record) -> Stood:
    """A row of alert_state."""
    return Stood(
        row["app_id"],
        row["rule"],
        orjson.loads(row["grouping"]),
        State(
            Standing(row["standing"]),
            micros(row["since_at"]),
            micros(row["started_at"]),
            micros(row["resolved_at"]),
            row["value"],
            row["told"],
        ),
        read_notification(row["notification"]),
    )


def silence(row: asyncpg.Record) -> Silence:
    """A row of alert_silence."""
    return Silence(
        silence_id=str(row["silence_id"]),
        app_id=row["app_id"],
        rule=row["rule"],
        group=orjson.loads(row["grouping"]),
        reason=row["reason"],
        by=row["silenced_by"],
        created_us=micros(row["created_at"]),
        until_us=micros(row["until_at"]),
    )


def enqueuing(receiver: str, notification: Notification) -> tuple[str, tuple[Any, ...]]:
    """The statement, and its values, that puts a notification into the outbox."""
    return (
        "INSERT INTO alert_outbox (app_id, receiver, notification) VALUES ($1, $2, $3)",
        (notification.app_id, receiver, as_json(notification)),
    )
