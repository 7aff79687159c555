"""A disk that fills up: old facts go, then the ballast, then nobody new is taken in, while who waits is served."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import msgspec
import pytest

from edge_node.console.notices import standing_key
from edge_node.database import open_writer
from edge_node.disk.ballast import Ballast
from edge_node.disk.keeper import DiskKeeper
from edge_node.node import EdgeNode, running
from edge_node.queue.desk import Wish
from edge_node.queue.dispatcher import StateUnknown
from edge_node.queue.outcomes import Done
from edge_node.settings import Data
from edge_node.writer import WriteFailed
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages.refusals import Refusal
from tests.kit.clock import ManualClock
from tests.kit.edge import edge, prepare, settings

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
CLERK = c.Actor(actor_id="clerk-1", device_id="console-1")
GIB = 1024**3


class Disk:
    """A disk of 32 GiB, as full as a test says."""

    def __init__(self, node: EdgeNode) -> None:
        self.used = 0.5
        folder = node.settings.data.folder
        sized = msgspec.structs.replace(node.settings, data=Data(folder=folder, ballast_mib=1))
        self.file = folder / "ballast"
        self.keeper = DiskKeeper(sized, node.dispatcher, node.writer, lambda: None, usage=self.usage)

    def usage(self) -> tuple[int, int]:
        return 32 * GIB, int(32 * GIB * (1 - self.used))

    async def becomes(self, used: float) -> None:
        self.used = used
        await self.keeper.look()


async def take(node: EdgeNode) -> Done | Refusal:
    return await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())


async def test_a_full_disk_takes_nobody_in_and_serves_who_is_there(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        there = Disk(node)
        await there.becomes(0.5)
        assert there.file.stat().st_blocks * 512 >= 1024 * 1024, "the ballast has its blocks"
        assert isinstance(await take(node), Done)
        await there.becomes(0.98)
        assert not there.file.exists()
        assert await take(node) == refuse("disk_full")
        assert standing_key(node.dispatcher.state) == "console.standing.disk"
        opened = await node.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK)
        assert isinstance(opened, Done)
        assert opened.reply.session is not None
        call = c.CallNext(request_id=new_id(), session=opened.reply.session.session)
        assert isinstance(await node.dispatcher.submit(call, CLERK), Done)
        await there.becomes(0.96)
        assert await take(node) == refuse("disk_full"), "not at the first byte that is free again"
        await there.becomes(0.5)
        assert isinstance(await take(node), Done)
        assert there.file.exists()


async def test_when_sqlite_finds_no_room_the_ballast_makes_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        there = Disk(node)
        await there.becomes(0.95)
        full = sqlite3.OperationalError("database or disk is full")
        full.sqlite_errorcode = sqlite3.SQLITE_FULL
        run = node.writer.run
        failed: list[object] = []

        async def failing(work: object) -> object:
            if not failed:
                failed.append(work)
                raise WriteFailed(full, outcome_unknown=False)
            return await run(work)  # type: ignore[arg-type]

        monkeypatch.setattr(node.writer, "run", failing)
        answer = await node.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK)
        assert answer == refuse("retry", wait_s=1)
        assert not there.file.exists()
        assert there.keeper.level == "full"
        assert isinstance(await node.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK), Done), (
            "there is room for this"
        )
        assert await take(node) == refuse("disk_full")


async def test_old_facts_go_only_once_central_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_node.disk.store.AT_ONCE", 3)
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        there = Disk(node)
        for _ in range(5):
            await take(node)
        clock.advance(days=1)
        await take(node)
        old = node.dispatcher.state.tail.seq
        clock.advance(days=40)
        await take(node)

        async def kept() -> list[int]:
            return await node.writer.run(lambda db: [row[0] for row in db.execute("SELECT seq FROM fact ORDER BY seq")])

        everything = await kept()
        await there.becomes(0.92)
        assert await kept() == everything, "central has acknowledged nothing"
        acked = "INSERT INTO uplink_ack (epoch, seq, hash) VALUES (1, ?, zeroblob(32))"
        await node.writer.run(lambda db: db.execute(acked, (old,)).rowcount)
        await there.becomes(0.5)
        assert await kept() == everything, "there is room"
        await there.becomes(0.92)
        left = await kept()
        assert left[0] > everything[0]
        assert left == list(range(left[0], everything[-1] + 1))
        opened = await node.writer.run(
            lambda db: db.execute("SELECT seq FROM fact WHERE type = 'day.opened' ORDER BY seq").fetchall()
        )
        assert [row[0] for row in opened] == [left[0] + 1], (
            "no later day was opened: replay begins after the first fact that is left"
        )
    async with edge(tmp_path, clock) as node:
        assert node.dispatcher.state.tail.seq > everything[-1], "what is left replays"
        assert await take(node) == refuse("date_unconfirmed"), "weeks later somebody looks at the calendar first"


def test_a_disk_without_room_for_ballast_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.posix_fallocate", no_room)
    ballast = Ballast(tmp_path / "ballast", 1024)
    ballast.take()
    assert not (tmp_path / "ballast").exists()
    assert ballast.missing_bytes == 1024


async def test_a_node_that_finds_no_room_at_its_start_leaves_nothing_running(tmp_path: Path) -> None:
    prepare(tmp_path)

    def without_room(file: Path) -> sqlite3.Connection:
        connection = open_writer(file)
        connection.execute("CREATE TEMP TRIGGER full BEFORE INSERT ON fact BEGIN SELECT raise(ABORT, 'no room'); END")
        return connection

    with pytest.raises(StateUnknown):
        async with running(settings(tmp_path), ManualClock(), opener=without_room):
            pass
    assert [task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []
