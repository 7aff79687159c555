"""The Postgres launcher against each Postgres that this machine has."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from provisioning.launchers import postgres_identity
from provisioning.launchers.ports import PortTaken, free_port
from provisioning.launchers.postgres import Postgres
from provisioning.launchers.postgres_binaries import (
    Binaries,
    PostgresError,
    find_binaries,
    installed_binaries,
    wheel_binaries,
)
from tests.kit.services import require

pytestmark = pytest.mark.postgres


@pytest.fixture
def server(postgres_binaries: Binaries, tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "pg", binaries=postgres_binaries)
    yield server
    server.stop()


async def value(server: Postgres, statement: str, database: str = "postgres") -> object:
    connection = await asyncpg.connect(server.dsn(database))
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_it_serves_and_keeps_its_data_over_a_restart(server: Postgres) -> None:
    server.start()
    assert str(await value(server, "SHOW server_version")).startswith(f"{server.binaries.major}.")
    server.ensure_database("city")
    server.ensure_database("city")
    await value(server, "CREATE TABLE t AS SELECT 7 AS n", "city")
    server.stop()
    assert not server.is_running
    server.start()
    assert await value(server, "SELECT n FROM t", "city") == 7
    assert server.run_sql("SELECT n, n + 1 FROM t", "city") == "7|8"
    settings = (
        "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN ('fsync', 'listen_addresses')"
    )
    assert await value(server, settings) == "on "


async def test_committed_rows_survive_kill_9(server: Postgres) -> None:
    server.start()
    await value(server, "CREATE TABLE t (n int)")
    await value(server, "INSERT INTO t SELECT generate_series(1, 1000)")
    server.kill()
    assert not server.is_running
    server.start()
    assert await value(server, "SELECT count(*) FROM t") == 1000


async def test_a_server_that_a_killed_run_left_over_is_stopped_first(server: Postgres, tmp_path: Path) -> None:
    server.start()
    left = server.pid
    assert left is not None
    with pytest.raises(PostgresError, match="Another run uses"):
        Postgres(server.folder, binaries=server.binaries).start()
    _forget_lock(server)
    heir = Postgres(server.folder, binaries=server.binaries)
    try:
        heir.start()
        assert heir.pid not in {None, left}
        assert await value(heir, "SELECT 1") == 1
        assert not server.is_running
    finally:
        heir.stop()


def _forget_lock(server: Postgres) -> None:
    """What the kernel does for a launcher that died."""
    assert server._lock is not None
    server._lock.close()


async def test_tcp_only_when_asked_for(server: Postgres, postgres_binaries: Binaries, tmp_path: Path) -> None:
    port = free_port()
    with Postgres(tmp_path / "tcp", binaries=postgres_binaries, tcp_port=port, durable=False) as open_server:
        assert await value(open_server, "SHOW fsync") == "off"
        connection = await asyncpg.connect(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        await connection.close()
        with pytest.raises(PortTaken):
            Postgres(tmp_path / "other", binaries=postgres_binaries, tcp_port=port).start()


def test_a_half_made_cluster_is_made_again(server: Postgres) -> None:
    (server.folder / "data.new" / "base").mkdir(parents=True)
    server.start()
    assert server.run_sql("SELECT 1") == "1"


def test_a_long_path_gets_its_socket_elsewhere(postgres_binaries: Binaries, tmp_path: Path) -> None:
    server = Postgres(tmp_path / ("x" * 100), binaries=postgres_binaries, durable=False)
    with server:
        assert server.run_sql("SELECT 1") == "1"
        assert server.socket_folder.exists()
    assert not server.socket_folder.exists()


def test_a_cluster_of_another_version_is_named(server: Postgres) -> None:
    server.data.mkdir(parents=True)
    (server.data / "PG_VERSION").write_text("9\n")
    with pytest.raises(PostgresError, match=r"made by Postgres 9.*VENTANILLA_POSTGRES_BIN"):
        server.start()


ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def closed_folder() -> Iterator[Path]:
    """One that only we may enter, below one that all may."""
    with tempfile.TemporaryDirectory(prefix="vt-") as name:
        yield Path(name)


def refuse(monkeypatch: pytest.MonkeyPatch, *ways: tuple[str, ...]) -> None:
    """A machine where these ways of becoming somebody else do not work."""
    works = postgres_identity.works
    monkeypatch.setattr(postgres_identity, "works", lambda prefix: prefix not in ways and works(prefix))


@ROOT_ONLY
def test_as_root_without_namespaces_nobody_passes_through_closed_folders(
    postgres_binaries: Binaries, closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, postgres_identity.IN_NAMESPACE)
    require(postgres_identity.works(postgres_identity.PASSING_THROUGH), "root cannot pass a capability on here")
    with Postgres(closed_folder / "pg", binaries=postgres_binaries) as server:
        assert server.run_sql("SELECT 1") == "1"
        assert (server.data / "PG_VERSION").stat().st_uid == postgres_identity.NOBODY
        server.kill()
        server.start()
        assert server.run_sql("SELECT 1") == "1"


@ROOT_ONLY
def test_as_root_with_neither_its_folders_must_be_open(
    postgres_binaries: Binaries, closed_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(monkeypatch, postgres_identity.IN_NAMESPACE, postgres_identity.PASSING_THROUGH)
    server = Postgres(closed_folder / "pg", binaries=postgres_binaries)
    with pytest.raises(PostgresError, match="closed to other users"):
        server.start()
    closed_folder.chmod(0o755)
    if not all_may_enter(postgres_binaries.folder):
        with pytest.raises(PostgresError, match="closed to other users"):
            server.start()
        return
    with server:
        assert server.run_sql("SELECT 1") == "1"


def all_may_enter(folder: Path) -> bool:
    return all(path.stat().st_mode & 0o001 for path in (folder, *folder.parents))


def test_stop_ends_open_sessions_quickly(server: Postgres) -> None:
    server.start()
    pid = server.pid
    assert pid is not None
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 3
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_the_named_folder_wins_and_must_hold_a_postgres(tmp_path: Path) -> None:
    with pytest.raises(PostgresError, match="has no usable"):
        find_binaries({"VENTANILLA_POSTGRES_BIN": str(tmp_path)})
    some = wheel_binaries() or installed_binaries()
    assert some is not None
    assert find_binaries({"VENTANILLA_POSTGRES_BIN": str(some.folder)}) == some
    assert find_binaries({}) == some
