"""The data directory: who may use it now, the secrets of this installation, and where everything listens."""

import fcntl
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO


class StartError(Exception):
    """It cannot start; the message says what would do."""


class HomeError(StartError):
    """The data directory cannot be used."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must survive a restart. `pseudonym_key` makes session ids unlinkable to what clients sent."""

    pseudonym_key: str
    """64 hex digits."""
    app: str = ""
    client_key: str = ""
    token: str = ""
    operator: str = ""
    """An operator's token, where one was made: `firsthop demo` shows several apps."""

    def __repr__(self) -> str:
        return "<Secrets>"


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

        Raises:
            HomeError: they are there and cannot be read.
        """
        try:
            return Secrets(**json.loads(self._secrets_path.read_text()))
        except FileNotFoundError:
            made = Secrets(pseudonym_key=secrets.token_hex(32))
            self.keep(made)
            return made
        except (OSError, ValueError, TypeError):
            raise HomeError(
                f"{self._secrets_path} cannot be read: restore it; when it is lost for good, delete it, and sessions "
                "get new pseudonyms"
            ) from None

    def keep(self, kept: Secrets) -> None:
        """Keeps the secrets, readable by the owner alone."""
        _write(self._secrets_path, asdict(kept), mode=0o600)

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


def _write(path: Path, content: Mapping[str, object], mode: int) -> None:
    new = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
