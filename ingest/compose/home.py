"""The data directory: who may use it now, the secrets of this installation, and where everything listens."""

import fcntl
import json
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from ingest.signing import SEED_BYTES, Signer
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
    """An operator's token, where an earlier version made one."""
    admin: str = ""
    """An admin's token, where one was made: `firsthop demo` shows several apps."""
    demo_server_key: str = ""
    """With which the backend of the demo's web site sends."""
    config_key: str = field(default_factory=lambda: secrets.token_hex(SEED_BYTES))
    """64 hex digits: signs what `GET /v1/config` answers. The same on every machine, like the key of pseudonyms."""

    def __repr__(self) -> str:
        return "<Secrets>"

    @property
    def ring(self) -> Ring:
        """The keys of pseudonyms."""
        return Ring(self.pseudonym_period, bytes.fromhex(self.pseudonym_key))

    @property
    def signer(self) -> Signer:
        """Signs the answers of `GET /v1/config`."""
        return Signer(bytes.fromhex(self.config_key))

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
        """The secrets kept here; those that are missing are made and kept, once however many processes ask.

        A key of pseudonyms without a period, from before there were any, is taken for the present period's.

        Raises:
            HomeError: they are there and cannot be read.
        """
        kept, complete = self._read_secrets()
        if complete:
            return kept
        directory = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            kept, complete = self._read_secrets()
            if not complete:
                self.keep(kept)
        finally:
            os.close(directory)
        return kept

    def _read_secrets(self) -> tuple[Secrets, bool]:
        """The secrets, and whether all of them are kept; those that are not are new."""
        try:
            given = json.loads(self._secrets_path.read_text())
            kept = _secrets(given)
        except FileNotFoundError:
            given, kept = {}, _secrets({"pseudonym_key": secrets.token_hex(KEY_BYTES)})
        except (OSError, ValueError, TypeError):
            raise HomeError(
                f"{self._secrets_path} cannot be read: restore it; when it is lost for good, delete it, and sessions "
                "get new pseudonyms"
            ) from None
        return kept, given.keys() >= {"pseudonym_period", "config_key"}

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
    if len(bytes.fromhex(kept.config_key)) != SEED_BYTES:
        raise ValueError("the key of the configuration has not 64 hex digits")
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
