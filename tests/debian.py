"""Programs of Debian packages that tests run as they are: fetched, checked and unpacked into `.venv/debian`.

Nothing is installed and no service starts; the machine stays as it was, so this needs root only where the lists of
packages are missing or old. Run as a command, it fetches what is absent and names what it cannot fetch. Never fails: a
test that finds no program is skipped and says so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / ".venv" / "debian"
PACKAGES = {"prometheus": "prometheus", "promtool": "prometheus", "prometheus-alertmanager": "prometheus-alertmanager"}
"""Program → the package that holds it in /usr/bin."""


def program(name: str) -> Path:
    """Where a program of `PACKAGES` is; the test is skipped by name where it was not fetched."""
    path = FOLDER / "usr" / "bin" / name
    if not path.exists():
        pytest.skip(f"{name} is not there: python tests/debian.py")
    return path


def fetch(package: str) -> str | None:
    """Why the package is not there in the end, None when it is."""
    if all((FOLDER / "usr" / "bin" / name).exists() for name, holder in PACKAGES.items() if holder == package):
        return None
    if shutil.which("apt-get") is None:
        return "this machine has no apt-get"
    with tempfile.TemporaryDirectory() as folder:
        # apt checks the signature; as root it drops its rights for the download, and must be able to write here.
        Path(folder).chmod(0o777)
        if reason := _run(folder, "apt-get", "download", "--quiet", package):
            return reason
        (archive,) = Path(folder).glob("*.deb")
        return _run(folder, "dpkg-deb", "--extract", str(archive), str(FOLDER))


def _run(folder: str, *command: str) -> str | None:
    """The last line of what the command said when it failed, None when it worked."""
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode == 0:
        return None
    return (done.stdout.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def main() -> None:
    """Fetches every package that is absent."""
    packages = sorted(set(PACKAGES.values()))
    FOLDER.mkdir(parents=True, exist_ok=True)
    missing = {package: reason for package in packages if (reason := fetch(package))}
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _run(".", "apt-get", "update", "--quiet")
        missing = {package: reason for package in missing if (reason := fetch(package))}
    for package, reason in missing.items():
        sys.stdout.write(f"not fetched: {package} ({reason}); the tests that run it are skipped\n")


if __name__ == "__main__":
    main()
