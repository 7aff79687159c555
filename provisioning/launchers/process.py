"""A child process that is watched: own session, output in a file, ready when it says so, gone when asked.

    central = Child("central", [sys.executable, "-m", "central", "serve"], log=folder / "central.log",
                    ready=http_ready("http://127.0.0.1:8010/health/ready"))
    with central:
        ...

Life: new → start → (ready) running → stop or kill → stopped; then it can be started again. A child that ends by itself is
seen by `is_running` and, while starting, is an error with the end of its log. It has its own session, so Ctrl-C on the
terminal reaches only whoever started it, who then stops its children in the right order.
"""

import http.client
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

POLL_S: Final = 0.02
LOG_TAIL_BYTES: Final = 2_000


class StartFailed(Exception):
    """A child that ended or did not become ready.

    Attributes:
        name: which child.
        reason: `exited 1`, or how long was waited for it.
        log_tail: the end of what it wrote.
    """

    def __init__(self, name: str, reason: str, log: Path) -> None:
        self.name = name
        self.reason = reason
        self.log_tail = tail(log)
        super().__init__(f"{name} did not start: {reason}. The end of {log}:\n{self.log_tail}")


class Child:
    """One process of ours and its life."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        ready: Callable[[], bool] = lambda: True,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready_timeout_s: float = 30.0,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_to_group: bool = True,
        stop_timeout_s: float = 5.0,
        dies_with_us: bool = False,
    ) -> None:
        """Nothing runs yet.

        Args:
            log: gets standard output and error, appended.
            ready: asked every 20 ms until true; must return quickly.
            env: the whole environment; this process's own if none.
            stop_to_group: send the stop signal to the child's whole group, not only to itself.
            stop_timeout_s: after this long the group is killed.
            dies_with_us: it gets the stop signal when we die, killed or not, where the system can do that (Linux). To the
                kernel "we" are the thread that launches it: only for a thread that lives as long as the child.
        """
        self.name = name
        tie = _tied(stop_signal) if dies_with_us else []
        self.command = [*tie, *(str(part) for part in command)]
        self.log = log
        self._ready = ready
        self._env = None if env is None else dict(env)
        self.more_env: dict[str, str] = {}
        """Added to the environment of the starts to come."""
        self._cwd = cwd
        self._ready_timeout_s = ready_timeout_s
        self._stop_signal = stop_signal
        self._stop_to_group = stop_to_group
        self._stop_timeout_s = stop_timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The running process's id; none when it does not run."""
        return self._process.pid if self._process and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Of the last run, negative for a signal; none while running or before the first start."""
        return self._process.poll() if self._process else None

    def start(self) -> Self:
        """Start it and wait until it is ready; a running one is left alone.

        Raises:
            StartFailed: it ended, or was not ready in time (it is killed then).
        """
        if not self.is_running:
            self.launch()
            self.wait_ready()
        return self

    def launch(self) -> None:
        """Start it without waiting, so that several can come up at once."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**(os.environ if self._env is None else self._env), **self.more_env},
                cwd=self._cwd,
                start_new_session=True,
            )

    def wait_ready(self) -> None:
        """Wait until a launched child is ready.

        Raises:
            StartFailed: as `start`.
        """
        deadline = time.monotonic() + self._ready_timeout_s
        while True:
            if not self.is_running:
                raise StartFailed(self.name, f"exited {self.exit_code}", self.log)
            if self._ready():
                return
            if time.monotonic() > deadline:
                self.kill()
                raise StartFailed(self.name, f"not ready after {self._ready_timeout_s:g} s", self.log)
            time.sleep(POLL_S)

    def revive(self) -> None:
        """Launch it again after it ended by itself; what it left behind goes first."""
        self.wait_stopped()
        self.launch()

    def ask_to_stop(self) -> None:
        """Send the stop signal and return; `stop` waits. Asking many first stops them all at once."""
        if self._process and self.is_running:
            self._signal(self._stop_signal, to_group=self._stop_to_group)

    def stop(self) -> int | None:
        """Ask it to end, wait, kill what is left after the time allowed; returns the exit code."""
        self.ask_to_stop()
        return self.wait_stopped()

    def wait_stopped(self) -> int | None:
        """Wait for a child that was asked to stop; kill it after the time allowed."""
        if self._process is None:
            return None
        try:
            self._process.wait(self._stop_timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
        # What it started and left behind goes with it.
        self._signal(signal.SIGKILL, to_group=True)
        return self.exit_code

    def kill(self) -> None:
        """`kill -9` for the whole group, as a crash; waits until it is gone."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL, to_group=True)
        self._process.wait()

    def restart(self) -> Self:
        """Stop it if it runs and start it again."""
        self.stop()
        return self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _signal(self, number: signal.Signals, *, to_group: bool) -> None:
        assert self._process is not None
        try:
            (os.killpg if to_group else os.kill)(self._process.pid, number)
        except ProcessLookupError:
            return  # already gone


def _tied(stop_signal: signal.Signals) -> list[str]:
    """What is put before a command so that it gets a signal when its parent dies. A program of its own sets that (prctl,
    PR_SET_PDEATHSIG) and becomes the command: Python's own hook between fork and exec is not safe beside threads.
    """
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--"] if setpriv else []


def tail(log: Path, size: int = LOG_TAIL_BYTES) -> str:
    """The last `size` bytes of a log as text; empty if there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - size))
        return file.read().decode("utf-8", "replace")


def http_ready(url: str, timeout_s: float = 1.0) -> Callable[[], bool]:
    """A ready check: GET on `url` answers 200."""
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"

    def ready() -> bool:
        connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port or 80, timeout=timeout_s)
        try:
            connection.request("GET", target)
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    return ready
