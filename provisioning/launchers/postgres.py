"""A Postgres server in a folder of its own: for the demo, tests and benches. Production names an external one by DSN.

    with Postgres(Path("run/postgres")) as server:
        server.ensure_database("central")
        asyncpg.connect(server.dsn("central"))

Postgres refuses to run as root; `postgres_identity` says who it runs as then.
Local connections are trusted, so the socket's folder is closed to other users and TCP is off unless a port is given.

Life: the cluster is made in a folder beside and renamed, so a killed `initdb` leaves nothing half-made. A server left over
from a killed run of ours is stopped before a new one starts. After `kill -9` the next start recovers from the WAL.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Self, TextIO
from urllib.parse import quote, urlencode

from provisioning.launchers.ports import require_free
from provisioning.launchers.postgres_binaries import BIN_VARIABLE, Binaries, PostgresError, find_binaries
from provisioning.launchers.postgres_identity import find_identity
from provisioning.launchers.process import Child, StartFailed

SUPERUSER: Final = "postgres"
SOCKET_PORT: Final = 5432  # names the socket file; no TCP port is opened for it
SOCKET_PATH_LIMIT: Final = 100  # bytes; the kernel allows 107 for the whole path
START_TIMEOUT_S: Final = 60.0  # recovery after a crash included
_LOCALE: Final = "C.UTF-8"
_STILL_THERE: Final = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')


class Postgres:
    """One cluster and its server."""

    def __init__(
        self,
        folder: Path,
        *,
        binaries: Binaries | None = None,
        tcp_port: int | None = None,
        options: Mapping[str, str] | None = None,
        durable: bool = True,
        dies_with_us: bool = False,
    ) -> None:
        """Nothing runs yet.

        Args:
            folder: gets `data`, `socket` (unless its path is too long for one) and `postgres.log`.
            binaries: as `find_binaries` if none.
            tcp_port: also listen on 127.0.0.1 there, with every local user trusted.
            options: settings of postgresql.conf for this server.
            durable: false leaves out every fsync: for tests that do not pull the plug.
            dies_with_us: see `Child`. Not where Postgres runs as somebody else than we: the kernel forgets it then, and the
                next start stops the leftover.
        """
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self.binaries = binaries or find_binaries()
        self.tcp_port = tcp_port
        self._port = tcp_port or SOCKET_PORT
        self._durable = durable
        self._options = dict(options or {})
        self._as = find_identity()
        self._lock: TextIO | None = None
        self.socket_folder = _socket_folder(self.folder)
        self._child = Child(
            "postgres",
            self._command(self._arguments()),
            log=self.folder / "postgres.log",
            ready=self._is_ready,
            env=_environment(),
            ready_timeout_s=START_TIMEOUT_S,
            stop_signal=signal.SIGINT,  # "fast": roll back, checkpoint, end
            stop_to_group=False,
            dies_with_us=dies_with_us,
        )

    @property
    def is_running(self) -> bool:
        """Whether our server process runs."""
        return self._child.is_running

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """Of the last run, as `Child.exit_code`."""
        return self._child.exit_code

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self._child.log

    def dsn(self, database: str = "postgres") -> str:
        """For asyncpg and psql, over the unix socket, as the superuser."""
        place = {"host": str(self.socket_folder), "port": self._port}
        return f"postgresql://{SUPERUSER}@/{database}?{urlencode(place, quote_via=quote, safe='/')}"

    def start(self) -> Self:
        """Make the cluster if there is none, start the server, return when it takes connections.

        Raises:
            PostgresError: it cannot run here, or the folder holds a cluster of another version.
            StartFailed: it ended or did not come up; has the end of its log.
            PortTaken: only with `tcp_port`.
        """
        if self.is_running:
            return self
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take_lock()
        try:
            self._make_folders()
            self._require_own_version()
            self._stop_leftover()
            if self.tcp_port:
                require_free("127.0.0.1", self.tcp_port, "Postgres")
            self._start_server()
        except BaseException:
            self._let_go()
            raise
        return self

    def revive(self) -> None:
        """Start it again after it ended by itself."""
        self.start()

    def stop(self) -> None:
        """Shut down cleanly; open sessions are ended."""
        self._child.stop()
        self._let_go()

    def kill(self) -> None:
        """`kill -9` of the postmaster, as a crash would."""
        self._child.kill()

    def run_sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement by psql; returns its rows as text, columns separated by `|`.

        Raises:
            PostgresError: with the server's message.
        """
        psql = [str(self.binaries.folder / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement]
        done = subprocess.run(
            [*psql, self.dsn(database)], capture_output=True, text=True, env=_environment(), check=False
        )
        if done.returncode:
            raise PostgresError(done.stderr.strip())
        return done.stdout.strip()

    def ensure_database(self, name: str) -> None:
        """Create a database (lower-case letters, digits, `_`) unless it is there."""
        if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name):
            raise ValueError(name)
        if not self.run_sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608 - checked above
            self.run_sql(f'CREATE DATABASE "{name}"')

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # ---------------------------------------------------------------------------------------------------- its server

    def _arguments(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1" if self.tcp_port else "",
            "port": str(self._port),
            "unix_socket_directories": str(self.socket_folder),
            "timezone": "GMT",  # the one zone that needs no tables; zone arithmetic is done in Python
            "log_timezone": "GMT",
            **({} if self._durable else {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}),
            **self._options,
        }
        return ["postgres", "-D", str(self.data), *(part for k, v in settings.items() for part in ("-c", f"{k}={v}"))]

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [*self._as.prefix, str(self.binaries.folder / arguments[0]), *arguments[1:]]

    def _start_server(self) -> None:
        # Right after a kill -9 its backends may still hold the shared memory for a moment; Postgres then refuses.
        deadline = time.monotonic() + 10
        while True:
            try:
                self._child.start()
            except StartFailed as error:
                last_words = error.log_tail[-500:]
                if time.monotonic() > deadline or not any(words in last_words for words in _STILL_THERE):
                    raise
                time.sleep(0.1)
            else:
                return

    def _is_ready(self) -> bool:
        """Line 8 of postmaster.pid is the server's own word for it."""
        lines = self._pid_file()
        return len(lines) >= 8 and lines[0] == str(self._child.pid) and lines[7].strip() == "ready"

    def _pid_file(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _take_lock(self) -> None:
        """One launcher per folder; the kernel lets go of the lock of one that died."""
        if self._lock and not self._lock.closed:
            return
        self._lock = (self.folder / "launcher.lock").open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._lock.close()
            raise PostgresError(f"Another run uses {self.folder}. Stop it first, or take another folder.") from error

    def _let_go(self) -> None:
        if self._lock:
            self._lock.close()
        if self.socket_folder.parent != self.folder:
            shutil.rmtree(self.socket_folder, ignore_errors=True)

    def _stop_leftover(self) -> None:
        lines = self._pid_file()
        if not lines or not _is_postmaster(int(lines[0]), self.data):
            return
        os.kill(int(lines[0]), signal.SIGINT)
        deadline = time.monotonic() + 10
        while _is_postmaster(int(lines[0]), self.data):
            if time.monotonic() > deadline:
                raise PostgresError(f"A Postgres of an earlier run (process {lines[0]}) does not stop. End it by hand.")
            time.sleep(0.05)

    # --------------------------------------------------------------------------------------------------- its folders

    def _make_folders(self) -> None:
        self._own(self.socket_folder)
        if (self.data / "PG_VERSION").exists():
            return
        self._require_reachable()
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        self._own(fresh)
        self._initdb(fresh)
        fresh.rename(self.data)

    def _own(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._as.owner is not None:
            os.chown(folder, self._as.owner, self._as.owner)

    def _initdb(self, folder: Path) -> None:
        arguments = ["initdb", "-D", str(folder), "-U", SUPERUSER, "-A", "trust", "-E", "UTF8", f"--locale={_LOCALE}"]
        done = subprocess.run(
            self._command([*arguments, *([] if self._durable else ["--no-sync"])]),
            capture_output=True,
            text=True,
            env=_environment(),
            cwd="/",
            check=False,
        )
        if done.returncode:
            raise PostgresError(f"initdb of {self.binaries} failed: {done.stderr.strip() or done.stdout.strip()}")

    def _require_own_version(self) -> None:
        major = int((self.data / "PG_VERSION").read_text("utf-8"))
        if major != self.binaries.major:
            raise PostgresError(
                f"{self.data} was made by Postgres {major}, and {self.binaries} would be used. "
                f"Set {BIN_VARIABLE} to version {major}, or start afresh (the demo: make demo RESET=1)."
            )

    def _require_reachable(self) -> None:
        if not self._as.needs_open_folders:
            return
        for place in (self.folder, self.binaries.folder):
            closed = next((p for p in (place, *place.parents) if not p.stat().st_mode & 0o001), None)
            if closed:
                raise PostgresError(
                    f"Postgres does not run as root, this machine refuses the ways around that, and {closed} is closed to "
                    f"other users. Run as a plain user, or use a folder that all can enter."
                )


def _socket_folder(folder: Path) -> Path:
    """Beside the data, or a short one in the temporary folder when that path is too long for a socket."""
    beside = folder / "socket"
    if len(os.fsencode(beside / f".s.PGSQL.{SOCKET_PORT}")) < SOCKET_PATH_LIMIT:
        return beside
    return Path(tempfile.mkdtemp(prefix="ventanilla-pg-"))


def _environment() -> dict[str, str]:
    """Ours without what would redirect libpq, in a locale that every Debian has."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": _LOCALE}


def _is_postmaster(pid: int, data: Path) -> bool:
    """Whether that process is a server of this data folder (its id may have gone to somebody else since)."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return os.fsencode(data) in command and any(part.endswith(b"postgres") for part in command)
