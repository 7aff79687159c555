"""The edge's SQLite file: one owner, sound, of a known shape, and a writer that never splits a transaction."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from sqlite_utils import Database

from edge_node.database import DatabaseDamaged, FolderInUse, folder_lock, open_reader, open_writer, quick_check
from edge_node.migrations import DatabaseTooNew, describe, migrate, steps
from edge_node.queue.boot import WrongNode, identify
from edge_node.settings import Office
from edge_node.writer import WriteFailed, Writer
from sync.messages import codec
from sync.messages.wire import Activation


@pytest.fixture
def database(tmp_path: Path) -> Path:
    file = tmp_path / "edge.db"
    migrate(file)
    return file


def test_schema_file_says_what_the_migrations_make(database: Path, tmp_path: Path) -> None:
    stated = tmp_path / "stated.db"
    connection = sqlite3.connect(stated)
    connection.executescript(files("edge_node").joinpath("schema.sql").read_text("utf-8"))
    connection.close()
    assert describe(stated) == describe(database), "run: python -m edge_node schema > edge_node/schema.sql"


def test_migrating_again_applies_nothing(database: Path) -> None:
    assert migrate(database) == []


def test_a_database_of_a_newer_version_is_left_alone(database: Path) -> None:
    db = Database(str(database))
    db.table("_sqlite_migrations").insert({"migration_set": "edge_node", "name": "9999_future", "applied_at": "later"})
    db.close()
    with pytest.raises(DatabaseTooNew) as refusal:
        migrate(database)
    assert refusal.value.names == ["9999_future"]


def test_a_failing_step_leaves_neither_shape_nor_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = {**steps(), "9000_broken": "CREATE TABLE half (a TEXT) STRICT; CREATE TABLE half (a TEXT) STRICT;"}
    monkeypatch.setattr("edge_node.migrations.steps", lambda: broken)
    file = tmp_path / "edge.db"
    with pytest.raises(sqlite3.OperationalError):
        migrate(file)
    assert "half" not in describe(file)
    assert "9000_broken" not in [row["name"] for row in Database(str(file)).table("_sqlite_migrations").rows]


def test_all_tables_are_strict(database: Path) -> None:
    connection = sqlite3.connect(database)
    lax = [
        name
        for name, strict in connection.execute("SELECT name, strict FROM pragma_table_list WHERE type='table'")
        if not strict and not name.startswith(("sqlite_", "_sqlite_"))
    ]
    connection.close()
    assert lax == []


def test_a_second_process_is_kept_out_of_the_folder(tmp_path: Path) -> None:
    code = f"import time; from pathlib import Path; from edge_node.database import folder_lock\nwith folder_lock(Path({str(tmp_path)!r})):\n print('in', flush=True); time.sleep(30)"
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    try:
        assert owner.stdout.readline() == b"in\n"
        with pytest.raises(FolderInUse), folder_lock(tmp_path):
            pass
    finally:
        owner.kill()
        owner.wait()
        owner.stdout.close()
    with folder_lock(tmp_path):
        assert (tmp_path / "lock").exists()


def test_damage_is_found(database: Path) -> None:
    connection = open_writer(database)
    connection.executemany(
        "INSERT INTO device VALUES (?, 'kiosk', 'a', 'generic-80mm')", [(f"kiosk-{i}",) for i in range(5000)]
    )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    quick_check(database)
    content = bytearray(database.read_bytes())
    for page in range(12, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    database.write_bytes(bytes(content))
    with pytest.raises(DatabaseDamaged):
        quick_check(database)


def _insert(name: str) -> Callable[[sqlite3.Connection], int]:
    return lambda c: c.execute("INSERT INTO device VALUES (?, 'kiosk', 'a', 'p')", (name,)).rowcount


async def test_the_writer_survives_cancelled_callers(database: Path) -> None:
    writer = Writer(database)
    writer.start()
    tasks = [asyncio.create_task(writer.run(_insert(f"d{i}"))) for i in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await writer.run(lambda c: c.execute("SELECT count(*) FROM device").fetchone()[0]) == 50
    await writer.close()


async def test_an_error_rolls_back_and_the_next_transaction_goes_on(database: Path) -> None:
    writer = Writer(database)
    writer.start()

    def half(connection: sqlite3.Connection) -> None:
        _insert("x")(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await writer.run(half)
    with pytest.raises(WriteFailed) as failure:
        await writer.run(lambda c: c.execute("INSERT INTO device VALUES ('a', 'oven', 'a', 'p')"))
    assert not failure.value.outcome_unknown
    assert await writer.run(_insert("y")) == 1
    assert await writer.run(lambda c: [row[0] for row in c.execute("SELECT id FROM device")]) == ["y"]
    await writer.close()


async def test_a_full_disk_is_told_as_such_and_there_is_room_again(database: Path) -> None:
    def small(file: Path) -> sqlite3.Connection:
        connection = open_writer(file)
        connection.execute("PRAGMA cache_spill = 1")
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0] + 4}")
        return connection

    def many(connection: sqlite3.Connection) -> None:
        for number in range(10_000):
            _insert(f"device-with-a-long-name-{number}")(connection)

    writer = Writer(database, small)
    writer.start()
    with pytest.raises(WriteFailed, match="full") as failure:
        await writer.run(many)
    assert failure.value.no_room
    assert not failure.value.outcome_unknown
    assert await writer.run(_insert("y")) == 1
    await writer.close()


async def test_readers_cannot_write(database: Path) -> None:
    writer = Writer(database)
    writer.start()
    await writer.run(_insert("d"))
    reader = await open_reader(database)
    assert [row["id"] for row in await reader.execute_fetchall("SELECT id FROM device")] == ["d"]
    with pytest.raises(sqlite3.OperationalError):
        await reader.execute("DELETE FROM device")
    await reader.close()
    await writer.close()


async def test_every_write_is_flushed(database: Path) -> None:
    connection = open_writer(database)
    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2  # FULL
    assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    connection.close()


@pytest.mark.parametrize("named", ["centro-2", "centro-9"])
async def test_a_new_data_folder_takes_its_epoch_from_the_activation(
    database: Path, tmp_path: Path, named: str
) -> None:
    activation = Activation(office="centro", node="centro-2", epoch=4, public_key=bytes(32), signature=b"central")
    file = tmp_path / "activation.json"
    file.write_bytes(codec.encode(activation))
    writer = Writer(database)
    writer.start()
    office = Office(id="centro", node=named)
    try:
        if named == activation.node:
            for _ in range(2):  # and keeps it
                identity = await identify(writer, office, file)
                assert (identity.epoch, identity.activation) == (4, activation)
            file.write_bytes(codec.encode(msgspec.structs.replace(activation, epoch=5)))
        with pytest.raises(WrongNode, match="activation"):
            await identify(writer, office, file)
        file.write_bytes(b"{}")
        with pytest.raises(WrongNode, match="cannot be read"):
            await identify(writer, office, file)
    finally:
        await writer.close()
