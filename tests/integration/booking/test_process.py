"""Central as a process: its listener comes back, its hints arrive, it refuses a strange schema, and it stops in time."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from central.background import running
from central.database import connect
from central.hints import Hints
from central.listening import Listener
from central.settings import Database
from provisioning.launchers.ports import free_port, is_listening
from tests.integration.booking.conftest import Bed
from tests.kit.central_database import Clusters
from tests.kit.small_city import loaded_city

pytestmark = pytest.mark.postgres


@pytest.fixture
async def listener(postgres_database: str) -> AsyncIterator[Listener]:
    listener = Listener(partial(connect, Database(dsn=postgres_database)))
    async with running(listener.run()):
        yield listener


async def until(true: Any, seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - a condition of another task's making
            await asyncio.sleep(0.01)


async def test_a_listener_hears_and_comes_back(listener: Listener, postgres_database: str) -> None:
    heard: list[str | None] = []
    listener.subscribe("news", heard.append)
    await until(lambda: listener.is_up and heard)
    admin = await asyncpg.connect(postgres_database)
    try:
        await admin.execute("NOTIFY news, 'one'")
        await until(lambda: "one" in heard)
        heard.clear()
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        await until(lambda: None in heard)  # anything may have been missed
        await admin.execute("NOTIFY news, 'two'")
        await until(lambda: "two" in heard)
    finally:
        await admin.close()


async def test_one_bad_subscriber_does_not_silence_the_others(listener: Listener, postgres_database: str) -> None:
    heard: list[str | None] = []

    def broken(_: str | None) -> None:
        raise RuntimeError

    listener.subscribe("news", broken)
    end = listener.subscribe("news", heard.append)
    await until(lambda: heard)
    admin = await asyncpg.connect(postgres_database)
    await admin.execute("NOTIFY news, 'one'")
    await until(lambda: "one" in heard)
    end()
    await admin.execute("NOTIFY news, 'two'")
    await admin.close()
    await asyncio.sleep(0.1)
    assert "two" not in heard


async def test_hints_are_gathered_and_said_once(bed: Bed) -> None:
    heard: list[str | None] = []
    bed.central.listener.subscribe("news", heard.append)
    await until(lambda: heard)
    heard.clear()
    for _ in range(50):
        bed.central.hints.tell("news", "same")
    bed.central.hints.tell("news", "other")
    await until(lambda: len(heard) >= 2)
    assert sorted(map(str, heard)) == ["other", "same"]


async def test_lost_hints_are_no_error(bed: Bed) -> None:
    pool = await asyncpg.create_pool(bed.central.settings.database.dsn, min_size=1, max_size=1)
    await pool.close()
    hints = Hints(pool)
    async with running(hints.run()):
        hints.tell("news", "never")
        await until(lambda: not hints._pending)


@pytest.fixture
def config(clusters: Clusters, tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """The settings file of a central on a loaded city, and its port."""
    with loaded_city(clusters["wheel"], tmp_path) as dsn:
        port = free_port()
        path = tmp_path / "central.toml"
        path.write_text(
            f'[http]\nport = {port}\n[database]\ndsn = "{dsn}"\n[keys]\nfolder = "{tmp_path / "keys"}"\n'
            '[logs]\nform = "json"\n'
        )
        yield path, port


def start(config: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "central", "serve", "--config", str(config)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 30
    while not is_listening("127.0.0.1", port):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_in_time_with_open_connections(config: tuple[Path, int], number: signal.Signals) -> None:
    path, port = config
    process = start(path)
    tabs: list[Any] = []
    try:
        wait_for(port, process)
        tabs = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        for reader, writer in tabs:
            writer.write(b"GET /health/ready HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 200")
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, 5) == 0
    finally:
        process.kill()
        process.communicate()
        for _, writer in tabs:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


async def test_a_newer_database_is_refused_with_one_line(config: tuple[Path, int]) -> None:
    path, _ = config
    dsn = next(line for line in path.read_text().splitlines() if line.startswith("dsn")).split('"')[1]
    connection = await asyncpg.connect(dsn)
    await connection.execute("INSERT INTO schema_migration (name) VALUES ('9999_from_the_future')")
    await connection.close()

    process = start(path)
    _, problem = await asyncio.to_thread(process.communicate, None, 30)
    assert process.returncode == 1
    assert "newer than this build: it has 9999_from_the_future" in problem
    assert "Traceback" not in problem
