"""A watched child: ready, stopped, killed, and what it says when it fails."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from provisioning.launchers.ports import PortTaken, free_port, is_listening, require_free
from provisioning.launchers.process import Child, StartFailed, http_ready

SERVE = "import http.server, sys; http.server.test(http.server.SimpleHTTPRequestHandler, port=int(sys.argv[1]), bind='127.0.0.1')"
STUBBORN = """
import pathlib, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(grandchild.pid))
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def server(folder: Path, port: int) -> Child:
    return Child(
        "web",
        [sys.executable, "-c", SERVE, str(port)],
        log=folder / "web.log",
        cwd=folder,
        ready=http_ready(f"http://127.0.0.1:{port}/?ready=1"),
    )


def test_it_is_ready_when_it_says_so_and_restarts(tmp_path: Path) -> None:
    port = free_port()
    with server(tmp_path, port) as child:
        assert is_listening("127.0.0.1", port)
        first = child.pid
        child.kill()
        assert child.exit_code == -signal.SIGKILL
        child.start()
        second = child.pid
        assert second not in {None, first}
        assert child.start().pid == second, "a running child is left alone"
    assert child.pid is None
    assert not is_listening("127.0.0.1", port)
    assert "GET /?ready=1" in (tmp_path / "web.log").read_text()


def test_it_has_its_own_session(tmp_path: Path) -> None:
    with Child("sleeper", ["sleep", "60"], log=tmp_path / "log") as child:
        assert child.pid is not None
        assert os.getsid(child.pid) == child.pid != os.getsid(0)


def test_one_that_ends_while_starting_is_an_error_with_its_last_words(tmp_path: Path) -> None:
    child = Child("broken", [sys.executable, "-c", "print('no disk'); raise SystemExit(3)"], log=tmp_path / "log")
    child = Child("broken", child.command, log=tmp_path / "log", ready=lambda: False)
    with pytest.raises(StartFailed, match=r"broken did not start: exited 3(.|\n)*no disk"):
        child.start()


def test_one_that_never_gets_ready_is_killed(tmp_path: Path) -> None:
    child = Child("slow", ["sleep", "60"], log=tmp_path / "log", ready=lambda: False, ready_timeout_s=0.2)
    with pytest.raises(StartFailed, match=r"not ready after 0\.2 s"):
        child.start()
    assert child.exit_code == -signal.SIGKILL


def test_a_stubborn_one_is_killed_with_what_it_started(tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    child = Child(
        "stubborn",
        [sys.executable, "-c", STUBBORN, str(note)],
        log=tmp_path / "log",
        ready=lambda: note.exists() and note.read_text() != "",
        stop_timeout_s=0.3,
    ).start()
    grandchild = int(note.read_text())
    assert is_alive(grandchild)
    began = time.monotonic()
    assert child.stop() == -signal.SIGKILL
    assert time.monotonic() - began < 2
    deadline = time.monotonic() + 2
    while is_alive(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_taken_port_says_which_and_for_whom() -> None:
    port = free_port()
    require_free("127.0.0.1", port, "the test")
    with (
        socket.create_server(("127.0.0.1", port)),
        pytest.raises(PortTaken, match=rf"Port {port} .* the test needs it"),
    ):
        require_free("127.0.0.1", port, "the test")


PARENT = """
import pathlib, sys, time
from provisioning.launchers.process import Child
child = Child("c", [sys.executable, "-c", "import time; time.sleep(60)"], log=pathlib.Path(sys.argv[1]), dies_with_us=True)
child.launch()
print(child.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells a child that its parent died")
def test_a_child_goes_with_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path / "log")], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        time.sleep(0.3)  # until it is tied
        parent.kill()
    deadline = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_alive(pid)
