"""Installs Chromium for the browser tests where it is absent and may be installed; names what it cannot install.

Never fails: a test that finds no Chromium is skipped and says so.
"""

import os
import shutil
import subprocess
import sys

PACKAGE = "chromium"


def run(*command: str) -> str | None:
    """The last line of what the command said when it failed, None when it worked."""
    done = subprocess.run(
        command,
        env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        return None
    return (done.stdout.strip().splitlines() or [f"exit status {done.returncode}"])[-1]


def install() -> str | None:
    """Why Chromium is not there in the end, None when it is."""
    if shutil.which("chromium"):
        return None
    if shutil.which("apt-get") is None:
        return "this machine has no apt-get; install it by your own means"
    if os.geteuid() != 0:
        return "only root may install it: apt-get install chromium"
    return run("apt-get", "update", "--quiet") or run(
        "apt-get", "install", "--quiet", "--yes", "--no-install-recommends", PACKAGE
    )


if __name__ == "__main__":
    if reason := install():
        sys.stdout.write(f"not installed: {PACKAGE} ({reason}); the tests in tests/browser are skipped\n")
