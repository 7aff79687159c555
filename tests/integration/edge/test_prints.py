"""Slips that the console sends to a kiosk: none for people who have gone, none lost, none that takes the LAN with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_node.console.commands import GiveTicket
from edge_node.console.staff_sessions import Member
from edge_node.lan.prints import Prints
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Done
from edge_node.writer import WriteFailed
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages import topics as t
from tests.integration.kiosk.office import until
from tests.kit.clock import ManualClock
from tests.kit.edge import edge, entities

KIOSK = "kiosk-1"


class Wire:
    """What would go to the kiosks."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def send(self, _device: str, body: bytes) -> bool:
        self.sent.append(msgspec.json.decode(body)["job_id"])
        return True


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_node.lan.prints.RESEND_S", 0.02)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock, rows=entities()) as running:
        yield running


@contextlib.asynccontextmanager
async def printing(node: EdgeNode, wire: Wire) -> AsyncIterator[Prints]:
    prints = Prints(node.dispatcher, node.writer, wire.send)
    node.dispatcher.listen(prints)
    node.desk.on_print = prints.add
    task = asyncio.create_task(prints.run())
    yield prints
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def give(node: EdgeNode) -> tuple[str, str]:
    """A ticket that is printed on the kiosk: its id, and that of its job."""
    member = Member(staff_id="clerk-1", display_name="", roles=("clerk",), console="console-1")
    given = await node.staff_desk.give_ticket(GiveTicket(request_id=new_id(), service="padron", print_on=KIOSK), member)
    assert isinstance(given, Done)
    assert given.reply.ticket is not None
    assert given.reply.print_job_id is not None
    return given.reply.ticket.ticket_id, given.reply.print_job_id


async def again(node: EdgeNode, ticket_id: str) -> str:
    job = await node.desk.print_again(ticket_id, KIOSK, "es")
    assert isinstance(job, t.PrintJob)
    return job.job_id


async def rows(node: EdgeNode) -> list[str]:
    found = await node.writer.run(lambda db: db.execute("SELECT job_id FROM print_job ORDER BY job_id").fetchall())
    return [row[0] for row in found]


async def told_of_failures(node: EdgeNode) -> list[tuple[str, str, str]]:
    found = await node.writer.run(
        lambda db: db.execute("SELECT body FROM fact WHERE type = 'ticket.print_failed' ORDER BY seq").fetchall()
    )
    bodies = [msgspec.json.decode(row[0]) for row in found]
    return [(body["ticket_id"], body["device"], body["reason"]) for body in bodies]


async def test_a_slip_that_no_kiosk_took_in_ten_minutes_is_reported_once_and_let_go(
    node: EdgeNode, clock: ManualClock
) -> None:
    wire = Wire()
    async with printing(node, wire):
        ticket_id, job_id = await give(node)
        await until(lambda: wire.sent.count(job_id) >= 2)
        clock.advance(seconds=t.PRINT_MAX_AGE_S + 1)
        await until(lambda: node.dispatcher.state.day.tickets[ticket_id].print_state == "failed")
        later, later_job = await give(node)
        wire.sent.clear()
        await until(lambda: wire.sent.count(later_job) >= 3)
        assert job_id not in wire.sent
    assert await told_of_failures(node) == [(ticket_id, KIOSK, "offline")]
    assert await rows(node) == [later_job]
    assert node.dispatcher.state.day.tickets[later].print_state == "unknown"


async def test_a_copy_of_an_old_ticket_is_as_young_as_the_wish_for_it(node: EdgeNode, clock: ManualClock) -> None:
    wire = Wire()
    async with printing(node, wire) as prints:
        ticket_id, job_id = await give(node)
        await prints.acknowledged(KIOSK, ticket_id, job_id)
        clock.advance(seconds=3600)
        copy = await again(node, ticket_id)
        await until(lambda: wire.sent.count(copy) >= 2)


async def test_what_grew_old_while_the_node_was_off_is_not_sent(node: EdgeNode, clock: ManualClock) -> None:
    ticket_id, _job = await give(node)
    clock.advance(seconds=t.PRINT_MAX_AGE_S + 1)
    wire = Wire()
    async with printing(node, wire):
        await until(lambda: node.dispatcher.state.day.tickets[ticket_id].print_state == "failed")
    assert wire.sent == []


async def test_an_ack_ends_its_own_job_and_no_other(node: EdgeNode) -> None:
    wire = Wire()
    async with printing(node, wire) as prints:
        ticket_id, first = await give(node)
        second = await again(node, ticket_id)
        await prints.acknowledged(KIOSK, ticket_id, first)
        await prints.acknowledged("kiosk-2", ticket_id, second)
        wire.sent.clear()
        await until(lambda: wire.sent.count(second) >= 2)
        assert first not in wire.sent
        assert await rows(node) == [second]


async def test_an_ack_of_an_old_kiosk_ends_all_of_its_tickets_jobs(node: EdgeNode) -> None:
    wire = Wire()
    async with printing(node, wire) as prints:
        ticket_id, _first = await give(node)
        await again(node, ticket_id)
        _other, other_job = await give(node)
        await prints.acknowledged(KIOSK, ticket_id, None)
        assert await rows(node) == [other_job]


async def test_a_disk_that_cannot_be_read_is_tried_again(node: EdgeNode, monkeypatch: pytest.MonkeyPatch) -> None:
    _ticket, job_id = await give(node)
    run, tries = node.writer.run, []

    async def broken(work: Any) -> Any:
        tries.append(work)
        if len(tries) == 1:
            raise WriteFailed(OSError("disk I/O error"), outcome_unknown=False)
        return await run(work)

    monkeypatch.setattr(node.writer, "run", broken)
    wire = Wire()
    async with printing(node, wire):
        await until(lambda: job_id in wire.sent)
    assert len(tries) >= 2


async def test_a_report_that_cannot_be_kept_yet_is_made_later(
    node: EdgeNode, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = node.dispatcher.submit
    refused: list[c.ReportPrintFailed] = []

    async def busy_once(command: Any, *rest: Any, **more: Any) -> Any:
        if isinstance(command, c.ReportPrintFailed) and not refused:
            refused.append(command)
            return refuse("retry", wait_s=1)
        return await submit(command, *rest, **more)

    monkeypatch.setattr(node.dispatcher, "submit", busy_once)
    async with printing(node, Wire()):
        ticket_id, _job = await give(node)
        clock.advance(seconds=t.PRINT_MAX_AGE_S + 1)
        await until(lambda: node.dispatcher.state.day.tickets[ticket_id].print_state == "failed")
    assert len(refused) == 1
