"""The data directory: who may use it now, the secrets of this installation, and where everything listens."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO, Any

from privacy import Ring
from privacy.pseudonyms import KEY_BYTES, period_of


class StartError(Exception):
    """It cannot start; the message says what would do."""


class HomeError(StartError):
    """The data directory cannot be used."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must survive a restart. `pseudonym_key` makes session ids unlinkable to what clients sent."""

    pseudonym_key: str
    """64 hex digits: the root of `pseudonym_period`. Those of later periods follow from it, earlier ones do not."""
    pseudonym_period: int
    app: str = ""
    client_key: str = ""
    token: str = ""
    operator: str = ""
    """An operator's token, where one was made: `firsthop demo` shows several apps."""

    def __repr__(self) -> str:
        return "<Secrets>"

    @property
    def ring(self) -> Ring:
        """The keys of pseudonyms."""
        return Ring(self.pseudonym_period, bytes.fromhex(self.pseudonym_key))

    def since(self, period: int) -> "Secrets":
        """The same without the keys of earlier periods: pseudonyms of theirs cannot be made again."""
        ring = self.ring.since(period)
        return replace(self, pseudonym_key=ring.root.hex(), pseudonym_period=ring.period)


@dataclass(frozen=True, slots=True)
class Ready:
    """Where everything listens: the content of ready.json."""

    edge: str
    query: str
    app: str
    client_key: str
    token: str
    database: str
    """Its DSN; only this machine's user and root get in."""
    pids: Mapping[str, Sequence[int]]


class Home:
    """The data directory at a path; made when it is not there.

    Raises:
        HomeError: it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(f"FIRSTHOP_DATA ({self.path}) cannot be made a directory: {error.strerror}") from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise HomeError(f"FIRSTHOP_DATA ({self.path}) is not writable: change its owner or name another directory")
        self.ready_path = self.path / "ready.json"
        self.policies_path = self.path / "policies"
        """Where `firsthop serve` looks for privacy policies."""
        self._secrets_path = self.path / "keys.json"
        self._lock: IO[str] | None = None

    def lock(self) -> None:
        """Makes this process the one that serves from this directory, until it ends.

        Raises:
            HomeError: another one is; names its process.
        """
        file = (self.path / "serve.lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise HomeError(
                f"another `firsthop serve` (process {owner}) runs on {self.path}: stop it, or set FIRSTHOP_DATA"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        self._lock = file

    def secrets(self) -> Secrets:
        """The secrets kept here; a new pseudonym key is made and kept when there are none.

        A key without a period, from before there were any, is taken for the present period's.

        Raises:
            HomeError: they are there and cannot be read.
        """
        try:
            given = json.loads(self._secrets_path.read_text())
            kept = _secrets(given)
        except FileNotFoundError:
            given, kept = {}, Secrets(pseudonym_key=secrets.token_hex(KEY_BYTES), pseudonym_period=_period_now())
        except (OSError, ValueError, TypeError):
            raise HomeError(
                f"{self._secrets_path} cannot be read: restore it; when it is lost for good, delete it, and sessions "
                "get new pseudonyms"
            ) from None
        if "pseudonym_period" not in given:
            self.keep(kept)
        return kept

    def keep(self, kept: Secrets) -> None:
        """Keeps the secrets, readable by the owner alone."""
        _write(self._secrets_path, asdict(kept), mode=0o600)

    def forget_before(self, period: int) -> Secrets:
        """Takes out the keys of earlier periods, and keeps the rest: pseudonyms of theirs cannot be made again."""
        kept = self.secrets()
        later = kept.since(period)
        if later != kept:
            self.keep(later)
        return later

    def write_ready(self, ready: Ready) -> None:
        """Says where everything listens; readers see the old file or the new one, never half of one."""
        _write(self.ready_path, asdict(ready), mode=0o600)

    def running(self) -> Ready | None:
        """Where everything listens; None when nothing serves from here, whatever a killed service left behind."""
        with (self.path / "serve.lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                pass
            else:
                return None
        try:
            return Ready(**json.loads(self.ready_path.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def remove_ready(self) -> None:
        """Nothing takes traffic any more."""
        self.ready_path.unlink(missing_ok=True)


def _secrets(given: dict[str, Any]) -> Secrets:
    """The secrets as they were written.

    Raises:
        ValueError, TypeError: these are none.
    """
    kept = Secrets(**({"pseudonym_period": _period_now()} | given))
    if len(kept.ring.root) != KEY_BYTES or not isinstance(kept.pseudonym_period, int):
        raise ValueError("the key has not 64 hex digits, or no period")
    return kept


def _period_now() -> int:
    return period_of(time.time_ns() // 1000)


def _write(path: Path, content: Mapping[str, object], mode: int) -> None:
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
