"""`privacy/POLICY.md` lists every field that is stored, and nothing else."""

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import orjson
import pytest

from ingest.journal.record import SCHEMA
from ingest.model import Reception
from ingest.pipeline.name_networks import NETWORK, PROVIDER
from ingest.settings import SETTINGS
from ingest.store import retain
from ingest.store.erase import ERASABLE, RECORDS
from tests.aggregate.turns import aggregate, append
from tests.records import make_record
from tests.service import running_service

PAGE = (Path(__file__).parent.parent / "privacy/POLICY.md").read_text()
NAMING = {"pseudonym", "scrubbed text", "record"}
"""Classes that can name a subject."""


class Field(NamedTuple):
    """A row of the page."""

    name: str
    kind: str
    about: str


class Section(NamedTuple):
    """What the page says of some tables."""

    tables: list[str]
    kept: str
    fields: list[Field]


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def part(heading: str) -> str:
    """The text under a heading of the second level."""
    return PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def sections() -> list[Section]:
    found = []
    for text in part("Tables").split("### ")[1:]:
        heading, _, rest = text.partition("\n")
        kept = re.search(r"Kept: (.*?)\n\n", rest, re.DOTALL)
        assert kept is not None, heading
        listed = [Field(name.strip("`"), kind, about) for name, kind, about in rows(rest)]
        found.append(Section(re.findall(r"`(\w+)`", heading), kept[1], listed))
    return found


def listed() -> dict[str, dict[str, str]]:
    """Table → field → class; fields of one table of several say so."""
    found: dict[str, dict[str, str]] = {}
    for section in sections():
        for table in section.tables:
            found[table] = {
                field.name: field.kind
                for field in section.fields
                if not (only := re.search(r"`(\w+)` only", field.about)) or only[1] == table
            }
    return found


def columns_of(table: Mapping[str, str]) -> dict[str, str]:
    """Without the members of what is nested."""
    return {name: kind for name, kind in table.items() if "." not in name}


def members_of(table: str, column: str) -> set[str]:
    prefix = f"{column}."
    return {name.removeprefix(prefix) for name in listed()[table] if name.startswith(prefix)}


async def test_every_column_of_the_schema_is_listed_and_nothing_else(pool: "asyncpg.Pool[Any]") -> None:
    found: dict[str, set[str]] = {}
    for row in await pool.fetch(
        "SELECT relname, attname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT relispartition"
        " AND attnum > 0 AND NOT attisdropped"
    ):
        found.setdefault(row["relname"], set()).add(row["attname"])
    assert {table: set(columns_of(columns)) for table, columns in listed().items()} == found


def test_every_class_is_explained_and_used() -> None:
    explained = {name for name, _ in rows(part("Classes"))}
    assert {field.kind for section in sections() for field in section.fields} | {"record", "secret"} == explained


def test_whatever_can_name_a_subject_is_erased_from_and_nothing_else_is_looked_into() -> None:
    naming = {
        table: {name for name, kind in columns_of(columns).items() if kind in NAMING}
        for table, columns in listed().items()
    }
    erased = {table: set(columns) for table, columns in ERASABLE.items()} | {table: {"record"} for table in RECORDS}
    assert {table: names for table, names in naming.items() if names} == erased | {"erased": {"pseudonym"}}


async def test_the_members_of_a_stored_sender_and_its_events_and_links_are_listed(
    dsn: str, pool: "asyncpg.Pool[Any]"
) -> None:
    await append(pool, make_record(1, keep=1.0))
    await aggregate(dsn)
    stored = await pool.fetchrow("SELECT resource, events, links FROM span LIMIT 1")
    known = {name for name in orjson.loads(stored["resource"]) if not name.startswith("key.")}
    # The record knows no number of cores.
    assert members_of("span", "resource") == known | {"cores", NETWORK, PROVIDER, "*"}
    for column in ("events", "links"):
        assert members_of("span", column) == orjson.loads(stored[column])[0].keys()


def test_the_parts_of_a_record_are_listed() -> None:
    assert members_of("journal", "record") == {
        *(re.match(r"\w+", column)[0] for column in SCHEMA.split()),  # type: ignore[index]
        "counted.session",
    }


def test_everything_the_transport_knows_is_listed_as_thrown_away() -> None:
    thrown = {name for cell, *_ in rows(part("Used and thrown away")) for name in re.findall(r"`(\w+)`", cell)}
    assert thrown == {field.name for field in fields(Reception)} - {"app_id", "received_at_us"}


def test_retention_is_said_in_settings_and_constants_that_exist() -> None:
    said = {name for section in sections() for name in re.findall(r"`([A-Z][A-Z0-9_]+)`", section.kept)}
    kept = {setting.name for setting in SETTINGS if setting.name.endswith(("_DAYS", "_HOURS"))}
    assert said == kept | {
        "FIRSTHOP_JOURNAL_BYTES",
        "FIRSTHOP_EXPORT_SPANS",
        "LEDGER_DAYS",
        "RECEIPT_DAYS",
        "AUDIT_DAYS",
        "ALERT_DAYS",
    }
    for days, constant in re.findall(r"(\d+) days \(`(\w+)`\)", PAGE):
        assert int(days) == getattr(retain, constant)


async def test_the_data_directory_of_a_running_service_holds_the_files_listed(tmp_path: Path) -> None:
    async with running_service(tmp_path / "data") as service:
        found = {path.name for path in service.data.iterdir()}
    assert {cell.strip("`") for cell, *_ in rows(part("Files of the data directory"))} == found


@pytest.mark.parametrize("table", list(ERASABLE))
async def test_a_table_that_is_erased_from_has_an_app_a_session_and_its_index(
    pool: "asyncpg.Pool[Any]", table: str
) -> None:
    indexes = await pool.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = $1", table)
    assert [row for row in indexes if "(app_id, session)" in row["indexdef"]]
    kept = await pool.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attname = ANY($2)"
        " AND attstattarget IS DISTINCT FROM 0",
        table,
        list(ERASABLE[table]),
    )
    assert kept == [], "the planner's statistics would keep values of what was erased"
