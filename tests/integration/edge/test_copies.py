"""Copies of the database in use, and what happens when the nightly look finds damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from edge_node.copies.files import DAMAGED, check, make_copy, refuse_condemned
from edge_node.copies.keeper import CopyKeeper
from edge_node.database import DatabaseDamaged, open_writer
from edge_node.metrics import Metrics
from edge_node.migrations import migrate
from edge_node.settings import Copies, Data, Office, Settings
from tests.kit.clock import ManualClock


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    made = Settings(
        office=Office(id="centro", node="centro-1"),
        data=Data(folder=tmp_path / "edge"),
        copies=Copies(folder=tmp_path / "copies", keep=2),
    )
    made.data.folder.mkdir()
    migrate(made.database_file)
    return made


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def devices(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        return int(connection.execute("SELECT count(*) FROM device").fetchone()[0])


def damage(file: Path) -> None:
    """Take the rows out of an index, which only a whole reading finds."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("CREATE TABLE loose (a, b)")
        connection.executemany("INSERT INTO loose VALUES (?, ?)", [(n, n) for n in range(50)])
        connection.execute("CREATE INDEX loose_a ON loose (a)")
        connection.execute(
            "UPDATE sqlite_schema SET sql = 'CREATE INDEX loose_a ON loose (b || 1)' WHERE name = 'loose_a'"
        )


class Ended(list[bool]):
    def __call__(self) -> None:
        self.append(True)


async def test_a_copy_an_hour_of_a_database_in_use_and_the_oldest_go(settings: Settings, clock: ManualClock) -> None:
    folder = settings.copies.folder
    assert folder is not None
    metrics, ended = Metrics(), Ended()
    keeper = CopyKeeper(settings, metrics, clock.now, ended)
    with closing(open_writer(settings.database_file)) as writer:
        writer.execute("INSERT INTO device VALUES ('kiosk-1', 'kiosk', 'a', 'p')")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO device VALUES ('kiosk-2', 'kiosk', 'a', 'p')")
        await keeper.look()
        writer.execute("COMMIT")
    (first,) = (file.name for file in folder.iterdir())
    assert devices(folder / first) == 1, "what was committed, and nothing of what was not"
    assert (folder / first).stat().st_mode & 0o777 == 0o600
    clock.advance(minutes=59)
    await keeper.look()
    assert [file.name for file in folder.iterdir()] == [first]
    assert "ventanilla_copy_age_seconds 3540.0" in metrics.text().decode()
    for _ in range(2):
        clock.advance(minutes=60)
        await keeper.look()
    assert len(list(folder.iterdir())) == 2
    assert not (folder / first).exists()
    assert ended == []


async def test_a_clock_that_was_years_ahead_for_a_moment_costs_no_copy(settings: Settings, clock: ManualClock) -> None:
    folder = settings.copies.folder
    assert folder is not None
    folder.mkdir()
    ahead = folder / "edge-20360101T000000Z.db"
    ahead.write_bytes(b"")
    keeper = CopyKeeper(settings, Metrics(), clock.now, Ended())
    await keeper.look()
    assert not ahead.exists()
    (copy,) = folder.iterdir()
    await keeper.look()
    assert list(folder.iterdir()) == [copy], "not one a minute"


async def test_a_copy_that_cannot_be_made_leaves_the_others_and_says_so(
    settings: Settings, clock: ManualClock, tmp_path: Path
) -> None:
    folder = settings.copies.folder
    assert folder is not None
    metrics = Metrics()
    keeper = CopyKeeper(settings, metrics, clock.now, Ended())
    await keeper.look()
    (before,) = (file.name for file in folder.iterdir())
    settings.database_file.rename(tmp_path / "away")
    clock.advance(hours=4)
    await keeper.look()
    assert [file.name for file in folder.iterdir()] == [before]
    assert "ventanilla_copy_age_seconds 14400.0" in metrics.text().decode()


async def test_damage_found_at_night_ends_the_node_and_keeps_it_from_starting(
    settings: Settings, clock: ManualClock
) -> None:
    ended = Ended()
    keeper = CopyKeeper(settings, Metrics(), clock.now, ended)
    away = settings.database_file.rename(settings.data.folder / "away")
    clock.advance(days=1)
    await keeper.look()
    assert ended == [], "what cannot be read says nothing"
    away.rename(settings.database_file)
    await keeper.look()
    damage(settings.database_file)
    await keeper.look()
    assert ended == [], "the night's look is not due"
    clock.advance(days=1)
    await keeper.look()
    assert ended == [True]
    with pytest.raises(DatabaseDamaged, match="replace this node"):
        refuse_condemned(settings.data.folder)
    (settings.data.folder / DAMAGED).unlink()
    refuse_condemned(settings.data.folder)


def test_a_copy_of_a_damaged_database_is_not_kept(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    content = bytearray(settings.database_file.read_bytes())
    content[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    settings.database_file.write_bytes(bytes(content))
    with pytest.raises((DatabaseDamaged, sqlite3.DatabaseError)):
        make_copy(settings.database_file, folder, ManualClock().now(), 3)
    assert list(folder.iterdir()) == []


def test_a_sound_database_passes(settings: Settings) -> None:
    check(settings.database_file)
    assert timedelta(minutes=settings.copies.every_min) == timedelta(hours=1)
