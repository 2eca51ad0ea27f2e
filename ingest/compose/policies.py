"""Privacy policies as files: `policies/<app>.toml` and `policies/default.toml` in the data directory → the database.

`firsthop serve` looks at them twice a second. What every edge and query server goes by is the database, so that all
hosts agree and its history says what was promised when; files are how an operator writes them.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from ingest.app_file import parse
from ingest.compose.connect import Pool
from ingest.compose.home import StartError
from ingest.errors import Unavailable
from ingest.policy_book import EVERY_APP
from ingest.store.database import reachable
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from privacy.policy_file import MOST_BYTES, PolicyError

log = logging.getLogger("firsthop")

DEFAULT = "default"
"""Name of the file for every app that has none of its own."""
LOOK_S = 0.4
AGAIN_S = 5.0
"""After the database could not be reached, or has no app of a file's name, it is asked again this much later."""


class _State(NamedTuple):
    """What tells one content of a file from another without reading it."""

    inode: int
    size: int
    changed_ns: int


class _Later(NamedTuple):
    """A file that could not be applied as it is."""

    state: _State | None
    until_s: float
    """Loop time."""

    def puts_off(self, state: _State | None, now_s: float) -> bool:
        """Whether it is too early to try again."""
        return state == self.state and now_s < self.until_s


_NOW = _Later(None, float("-inf"))


def read(path: Path) -> str:
    """The text of a policy that can be applied; "" for one that takes the app's own policy away.

    Raises:
        PolicyError: it cannot be read, or is no policy.
    """
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1).decode()
    except OSError as error:
        raise PolicyError(f"it cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise PolicyError("the policy is not valid Unicode: save the file as UTF-8") from None
    if not text.strip():
        return ""
    parse(text)
    return text


async def app_ids(pool: Pool) -> Mapping[str, int]:
    """The id of every app by name, and of all apps by `default`.

    Raises:
        Unavailable: the database cannot be reached now.
    """
    async with reachable():
        return {app.name: app.app_id for app in await PostgresKeys(pool).apps()} | {DEFAULT: EVERY_APP}


class PolicyFiles:
    """The policy files of a directory, applied as they change.

    Args:
        directory: where they are; need not exist.
        connect: a pool for as long as something is applied.
    """

    def __init__(self, directory: Path, connect: Callable[[], AbstractAsyncContextManager[Pool]]) -> None:
        self._directory, self._connect = directory, connect
        self._seen: Mapping[str, _State] = {}
        self._done: dict[str, _State] = {}
        self._later: dict[str, _Later] = {}

    def write_first(self, app: str) -> None:
        """Writes the policy of the app that a new installation starts with, where there are no policies yet."""
        if not self._directory.exists():
            self._directory.mkdir()
            text = (resources.files("ingest.compose") / "first_policy.toml").read_text("utf-8")
            (self._directory / f"{app}.toml").write_text(text, "utf-8")

    async def apply_all(self) -> None:
        """Applies every file as it is now."""
        self._seen = _look(self._directory)
        await self._apply(self._seen)

    async def watch(self) -> None:
        """Applies what changes, for ever; cancel to stop. A change is taken up when it was seen twice alike.

        That is how a file that an editor is just replacing is told from one that was removed.
        """
        while True:
            await asyncio.sleep(LOOK_S)
            before, self._seen = self._seen, _look(self._directory)
            names = self._seen.keys() | self._done.keys()
            await self._apply(
                {name: self._seen.get(name) for name in names if before.get(name) == self._seen.get(name)}
            )

    async def _apply(self, steady: Mapping[str, _State | None]) -> None:
        now = asyncio.get_running_loop().time()
        changed = {
            name: state
            for name, state in steady.items()
            if self._done.get(name) != state and not self._later.get(name, _NOW).puts_off(state, now)
        }
        if not changed:
            return
        try:
            async with self._connect() as pool:
                known = await app_ids(pool)
                for name, state in changed.items():
                    await self._apply_one(name, state, known.get(name), PostgresPolicies(pool))
        except (Unavailable, StartError) as error:
            for name, state in changed.items():
                self._put_off(name, state, f"waits for the database: {error}")

    async def _apply_one(self, name: str, state: _State | None, app_id: int | None, policies: PostgresPolicies) -> None:
        if app_id is None:
            self._put_off(name, state, "belongs to no app; `firsthop app list` shows those there are")
            return
        try:
            text = read(self._directory / f"{name}.toml") if state is not None else ""
        except PolicyError as error:
            log.warning("policies/%s.toml changes nothing: %s", name, error)
        else:
            version = await policies.apply(app_id, text)
            log.info("policies/%s.toml: version %d is in force", name, version)
        self._later.pop(name, None)
        if state is None:
            self._done.pop(name, None)
        else:
            self._done[name] = state

    def _put_off(self, name: str, state: _State | None, why: str) -> None:
        if name not in self._later or self._later[name].state != state:
            log.warning("policies/%s.toml %s", name, why)
        self._later[name] = _Later(state, asyncio.get_running_loop().time() + AGAIN_S)


def _look(directory: Path) -> dict[str, _State]:
    try:
        found = [(path, path.stat()) for path in directory.glob("[!.]*.toml")]
    except OSError:
        return {}
    return {path.stem: _State(stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in found}
