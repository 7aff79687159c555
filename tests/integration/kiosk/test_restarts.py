"""Killed in the middle: whatever the moment, the ticket is printed or reported, never doubled in silence."""

import asyncio
import sqlite3
from datetime import timedelta

import pytest

from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.spool import Entry, open_spool
from sync.io.clock import SystemClock
from sync.io.ids import new_id
from sync.messages.topics import KioskReply, KioskTakeTicket, PrintedAck, PrintFailedAck, PrintJob
from tests.integration.kiosk.office import Office, running_kiosk, slip, until

pytestmark = pytest.mark.broker


async def test_a_slip_spooled_before_a_crash_is_printed_after_it(office: Office) -> None:
    job = PrintJob(job_id=new_id(), slip=slip(31))
    async with open_spool(office.settings().data) as spool:
        await spool.write(Entry(jobs=(job,)), SystemClock().now())
    async with running_kiosk(office.settings()):
        ticket = await office.printer.ticket(1, timeout_s=5)
        await until(lambda: office.edge.acks)
    assert ticket.lines[1] == "K31"
    assert [(type(ack), ack.reprint) for ack in office.edge.acks if isinstance(ack, PrintedAck)] == [
        (PrintedAck, False)
    ]


async def test_a_slip_that_may_be_on_paper_already_is_printed_as_a_copy(office: Office) -> None:
    job = PrintJob(job_id=new_id(), slip=slip(31))
    async with open_spool(office.settings().data) as spool:
        await spool.write(Entry(jobs=(job,)), SystemClock().now())
        await spool.start_job(job.job_id)
    async with running_kiosk(office.settings()):
        ticket = await office.printer.ticket(1, timeout_s=5)
        await until(lambda: office.edge.acks)
        await asyncio.sleep(0.2)
    assert ticket.lines[0] == "Copia del mismo turno"
    assert "K31" in ticket.lines
    assert len(office.printer.tickets) == 1
    assert [ack.reprint for ack in office.edge.acks if isinstance(ack, PrintedAck)] == [True]


async def test_an_old_slip_is_reported_and_not_printed(office: Office) -> None:
    job = PrintJob(job_id=new_id(), slip=slip(31))
    async with open_spool(office.settings().data) as spool:
        await spool.write(Entry(jobs=(job,)), SystemClock().now() - timedelta(minutes=11))
    async with running_kiosk(office.settings()):
        await until(lambda: office.edge.acks)
    assert [type(ack) for ack in office.edge.acks] == [PrintFailedAck]
    assert office.printer.tickets == []


async def test_a_request_under_way_is_taken_up_again_with_its_id(office: Office) -> None:
    command = KioskTakeTicket(request_id=new_id(), device="kiosk-1", service="padron", language="es")
    async with open_spool(office.settings().data) as spool:
        await spool.write(Entry(commands=(command,)), SystemClock().now())
    async with running_kiosk(office.settings()) as kiosk:
        await office.printer.ticket(1, timeout_s=5)
        assert isinstance(kiosk.screen, s.Ticket)
    assert {each.request_id for each in office.edge.commands} == {command.request_id}


async def test_an_old_request_is_let_go(office: Office) -> None:
    command = KioskTakeTicket(request_id=new_id(), device="kiosk-1", service="padron", language="es")
    async with open_spool(office.settings().data) as spool:
        await spool.write(Entry(commands=(command,)), SystemClock().now() - timedelta(seconds=31))
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        assert isinstance(kiosk.screen, s.Home)
        request_id = await kiosk.take_ticket()
        await office.printer.ticket(1, timeout_s=5)
    assert {each.request_id for each in office.edge.commands} == {request_id}


async def test_acks_survive_a_restart(office: Office) -> None:
    office.edge.answers_acks = False
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.take_ticket()
        await until(lambda: office.edge.acks)
    office.edge.answers_acks = True
    before = len(office.edge.acks)
    async with running_kiosk(office.settings()):
        await until(lambda: len(office.edge.acks) > before)
    assert len({ack.ack_id for ack in office.edge.acks}) == 1


async def test_a_start_without_edge_shows_the_last_config_and_the_counter(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
    office.broker.stop()
    async with running_kiosk(office.settings()) as kiosk:
        await until(lambda: kiosk.agent.config)
        assert kiosk.agent.config is not None
        assert kiosk.agent.config.office_name == "Real"
        assert kiosk.template == "off.html"


async def test_a_crash_between_the_reply_and_the_paper_loses_nothing(office: Office) -> None:
    """The reply and its print job are one transaction: kill the kiosk right behind it."""
    office.printer.set_paper("offline")
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        kiosk.agent.slips.wake = lambda: None  # type: ignore[method-assign] # the process dies before it prints
        request_id = await kiosk.take_ticket()
        await kiosk.shows(s.Ticket)
    with sqlite3.connect(office.settings().data / "kiosk.db") as file:
        assert file.execute("SELECT state FROM command").fetchall() == [("answered",)]
        assert file.execute("SELECT job_id, state FROM print_job").fetchall() == [(request_id, "waiting")]
    file.close()
    office.printer.set_paper("ok")
    async with running_kiosk(office.settings()):
        ticket = await office.printer.ticket(1, timeout_s=5)
        await office.edge.respond(KioskReply(request_id=request_id, slip=slip(12, ticket_id=request_id)))
        await office.edge.respond(PrintJob(job_id=new_id(), slip=slip(40)))  # printed behind a second K12
        await office.printer.ticket(2, timeout_s=5)
    assert ticket.lines[1] == "K12"
    assert [each.lines[1] for each in office.printer.tickets] == ["K12", "K40"]


async def test_the_screen_after_a_restart_is_nobodys(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await kiosk.agent.handle(e.ChooseLanguage("ar"))
        await kiosk.agent.handle(e.WithAppointment())
        await kiosk.agent.handle(e.TypeLetter("K"))
    async with running_kiosk(office.settings()) as kiosk:
        assert (kiosk.screen, kiosk.agent.kiosk.language) == (s.Home(), "es")
