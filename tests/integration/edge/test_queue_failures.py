"""A disk that fails at a COMMIT, and a journal that was changed: nothing is lost, nobody is shown what is not there."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_node.queue.desk import Wish
from edge_node.queue.dispatcher import Dispatcher, StateUnknown
from edge_node.queue.journal import JournalBroken
from edge_node.queue.outcomes import Done
from sync.io.ids import new_id
from sync.messages.refusals import Refusal
from tests.integration.edge.queue_acts import KIOSK, take, types
from tests.kit.clock import ManualClock
from tests.kit.edge import edge


class FailingDisk(sqlite3.Connection):
    """A disk that fails as often as it is told to: when facts are committed (before or after they were written), and
    when the journal is read."""

    commits = 0
    after_commit = False
    reads = 0
    _facts = False

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if "max(seq) FROM fact" in sql and FailingDisk.reads > 0:
            FailingDisk.reads -= 1
            raise sqlite3.OperationalError("disk I/O error")
        self._facts = self._facts or "INTO fact" in sql
        facts, self._facts = self._facts, self._facts and sql != "COMMIT"
        if sql == "COMMIT" and facts and FailingDisk.commits > 0:
            FailingDisk.commits -= 1
            if FailingDisk.after_commit:
                super().execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *rest)


@pytest.fixture
def failing_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def connect(file: Path) -> sqlite3.Connection:
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, factory=FailingDisk)

    monkeypatch.setattr("edge_node.node.running.__wrapped__.__kwdefaults__", {"opener": connect})

    def fail(commits: int, *, after_commit: bool = False, reads: int = 0) -> None:
        FailingDisk.commits, FailingDisk.after_commit, FailingDisk.reads = commits, after_commit, reads

    return fail


async def test_a_failed_commit_is_told_and_leaves_no_trace(tmp_path: Path, failing_disk: Callable[..., None]) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        request_id = new_id()
        failing_disk(1)
        answer = await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())
        assert isinstance(answer, Refusal)
        assert answer.code == "retry"
        assert len(node.dispatcher.state.day.tickets) == 1
        again = await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())
        assert isinstance(again, Done)
        assert again.reply.ticket is not None
        assert again.reply.ticket.label == "A2"
    assert types(tmp_path).count("ticket.issued") == 2


async def test_a_commit_that_worked_after_all_is_answered_from_the_journal(
    tmp_path: Path, failing_disk: Callable[..., None]
) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        failing_disk(1, after_commit=True)
        reply = await take(node)
        assert reply.ticket is not None
        assert reply.ticket.label == "A2"
        assert (await take(node)).seq == reply.seq + 1
    assert types(tmp_path).count("ticket.issued") == 3


async def test_a_disk_that_stays_broken_refuses_until_it_works_again(
    tmp_path: Path, failing_disk: Callable[..., None]
) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        failing_disk(1, reads=3)
        for _ in range(3):
            answer = await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())
            assert isinstance(answer, Refusal)
            assert answer.code == "retry"
            with pytest.raises(StateUnknown):
                await node.dispatcher.read(lambda state: state.tail)
        await take(node)
        assert {t.label for t in node.dispatcher.state.day.tickets.values()} == {"A1", "A2"}


async def test_nobody_is_shown_a_state_that_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        dispatcher: Dispatcher = node.dispatcher
        release = asyncio.Event()
        run = node.writer.run

        async def slow(work: Callable[[sqlite3.Connection], object]) -> object:
            await release.wait()
            return await run(work)

        monkeypatch.setattr(dispatcher._writer, "run", slow)
        taking = asyncio.create_task(take(node))
        await asyncio.sleep(0.01)
        assert len(dispatcher.state.day.tickets) == 2  # memory is ahead
        looking = asyncio.create_task(dispatcher.read(lambda state: len(state.day.tickets)))
        await asyncio.sleep(0.01)
        assert not looking.done()
        release.set()
        assert await looking == 2
        await taking


async def test_a_changed_journal_stops_the_node(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
    connection = sqlite3.connect(tmp_path / "edge.db")
    connection.execute("UPDATE fact SET body = CAST(replace(body, 'A1', 'A2') AS BLOB) WHERE type = 'ticket.issued'")
    connection.commit()
    connection.close()
    with pytest.raises(JournalBroken):
        async with edge(tmp_path, ManualClock()):
            pass


@pytest.mark.parametrize("jump", [{"minutes": 5}, {"minutes": -5}])
async def test_a_step_of_the_clock_that_the_disk_refused_is_written_at_the_next_look(
    tmp_path: Path, jump: dict[str, float], failing_disk: Callable[..., None]
) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        issued = await take(node)
        clock.advance(minutes=10)
        state = node.dispatcher.state
        clock.step(**jump)
        failing_disk(1)
        with pytest.raises(StateUnknown):
            await node.timekeeper.check_clock()
        await node.timekeeper.check_clock()
        assert issued.ticket is not None
        ticket = state.day.tickets[issued.ticket.ticket_id]
        assert (state.now() - ticket.arrived_at).total_seconds() == 600
        assert state.now() == clock.now()
    assert types(tmp_path).count("clock.stepped") == 1
