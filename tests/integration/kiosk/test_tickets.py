"""From a touch to the bytes on the printer's wire, over a real broker."""

import asyncio

import pytest

from kiosk_agent import agent as agents
from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.settings import Printer
from sync.io.ids import new_id
from sync.messages.refusals import Refusal
from sync.messages.topics import KioskReply, PrintedAck, PrintFailedAck, PrintJob
from tests.integration.kiosk.office import FOLLOW, Office, running_kiosk, slip, until
from tests.kit.clock import ManualClock

pytestmark = pytest.mark.broker


async def test_a_ticket_is_on_paper_with_its_label_and_follow_address(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        ticket = await office.printer.ticket(1, timeout_s=5)
        assert "K12" in ticket.lines
        assert ticket.qr_texts == (f"{FOLLOW}{12:022d}",)
        await until(lambda: office.edge.acks)
        screen = kiosk.screen
        assert isinstance(screen, s.Ticket)
        assert (screen.slip.label, screen.paper) == ("K12", "printed")
    (ack,) = office.edge.acks
    assert isinstance(ack, PrintedAck)
    assert (ack.ticket_id, ack.job_id) == (request_id, request_id)


async def test_a_serial_printer_prints_latin_letters_and_arabic_as_a_picture(office: Office) -> None:
    serial = Printer(kind="serial", path=office.printer.open_pty(), timeout_s=1)
    async with running_kiosk(office.settings(printer=serial)) as kiosk:
        await kiosk.take_ticket()
        letters = await office.printer.ticket(1, timeout_s=5)
        await kiosk.agent.handle(e.StartOver())
        await kiosk.agent.handle(e.ChooseLanguage("ar"))
        await kiosk.take_ticket()
        picture = await office.printer.ticket(2, timeout_s=5)
    assert (letters.lines[1], letters.raster_size, letters.code_pages) == ("K12", None, ("cp858",))
    assert (picture.lines, picture.raster_size is not None) == ((), True)
    assert picture.qr_texts == (f"{FOLLOW}{13:022d}",)


@pytest.mark.parametrize(
    "paper, seen, reason", [("out", "no_paper", "no_paper"), ("offline", "offline", "offline")], ids=["out", "offline"]
)
async def test_without_paper_the_label_stays_on_the_glass(office: Office, paper: str, seen: str, reason: str) -> None:
    office.printer.set_paper(paper)  # type: ignore[arg-type]
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        await until(lambda: isinstance(kiosk.screen, s.Ticket) and kiosk.screen.paper == seen)
        await until(lambda: office.edge.acks)
        assert kiosk.template == "unprinted.html"
    (ack,) = office.edge.acks
    assert isinstance(ack, PrintFailedAck)
    assert (ack.ticket_id, ack.reason) == (request_id, reason)
    assert office.printer.tickets == []


async def test_paper_that_ends_in_mid_ticket_is_noticed(office: Office) -> None:
    office.printer.set_paper("out", after_lines=3)
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.take_ticket()
        await until(lambda: isinstance(kiosk.screen, s.Ticket) and kiosk.screen.paper == "no_paper")


async def test_a_printer_that_is_not_there_is_offline(office: Office) -> None:
    async with running_kiosk(office.settings(printer=Printer(kind="network", port=1, timeout_s=0.5))) as kiosk:
        await kiosk.take_ticket()
        await until(lambda: isinstance(kiosk.screen, s.Ticket) and kiosk.screen.paper == "offline")
        await until(lambda: office.edge.statuses[-1].printer == "offline")


async def test_an_appointment_that_is_in_already_can_have_its_slip_again(office: Office) -> None:
    first = slip(12)
    office.edge.refuse(Refusal(code="already_checked_in", ticket_id=first.ticket_id), first)
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await kiosk.agent.handle(e.Scanned("V1.token", new_id()))
        await kiosk.shows(s.AlreadyIn)
        assert office.printer.tickets == []
        office.edge.answer = lambda command: KioskReply(request_id=command.request_id, slip=first)
        await kiosk.agent.handle(e.AskReprint(new_id()))
        ticket = await office.printer.ticket(1, timeout_s=5)
        await until(lambda: office.edge.acks)
    assert ticket.lines[0] == "Copia del mismo turno"
    assert "K12" in ticket.lines
    assert [(type(ack), ack.reprint) for ack in office.edge.acks if isinstance(ack, PrintedAck)] == [(PrintedAck, True)]


async def test_the_same_reply_and_the_same_print_job_print_once(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        await office.printer.ticket(1, timeout_s=5)
        reply = KioskReply(request_id=request_id, slip=slip(12, ticket_id=request_id))
        job = PrintJob(job_id=new_id(), slip=slip(40))
        for message in (reply, reply, job, job):
            await office.edge.respond(message)
        await office.printer.ticket(2, timeout_s=5)
        await until(lambda: len(office.edge.acks) >= 2)
        await office.edge.respond(job)  # the edge has lost our ack
        await until(lambda: len(office.edge.acks) >= 3)
        await office.edge.respond(PrintJob(job_id=new_id(), slip=slip(41)))  # printed behind whatever was printed twice
        await office.printer.ticket(3, timeout_s=5)
    assert [ticket.lines[1] for ticket in office.printer.tickets] == ["K12", "K40", "K41"]
    assert office.edge.acks[1] == office.edge.acks[2]
    assert [ack.job_id for ack in office.edge.acks if isinstance(ack, PrintedAck)][:2] == [request_id, job.job_id]


async def test_acks_are_resent_until_they_are_answered(office: Office) -> None:
    office.edge.answers_acks = False
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.take_ticket()
        await until(lambda: len(office.edge.acks) >= 2)
        office.edge.answers_acks = True
        await until(lambda: len(office.edge.acks) >= 3)
        await until(lambda: office.edge.statuses[-1].pending_acks == 0)
        assert len({ack.ack_id for ack in office.edge.acks}) == 1
        async with asyncio.timeout(6):  # what is sent again is sent from there
            while await kiosk.agent._spool.acks():  # noqa: ASYNC110 - it has no event of its own
                await asyncio.sleep(0.01)


async def test_a_silent_edge_sends_people_to_the_counter_and_a_late_answer_still_counts(office: Office) -> None:
    answer, office.edge.answer = office.edge.answer, lambda _command: None
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        problem = await kiosk.shows(s.Problem)
        assert problem == s.Problem("desk", request_id=request_id)
        assert [command.request_id for command in office.edge.commands] == [request_id] * 3
        late = answer(office.edge.commands[0])
        assert late is not None
        await office.edge.respond(late)  # the person is still there
        await office.printer.ticket(1, timeout_s=5)
        assert isinstance(kiosk.screen, s.Ticket)


async def test_patience_that_ends_behind_the_answer_does_not_take_it_back(office: Office) -> None:
    office.printer.set_paper("offline")  # the label stays on the glass
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        await until(lambda: len(office.edge.acks) == 1)
        await kiosk.agent._gave_up(request_id)  # it was waiting for its turn while the reply was written
        await office.edge.respond(KioskReply(request_id=request_id, slip=slip(12, ticket_id=request_id)))
        await office.edge.respond(PrintJob(job_id=new_id(), slip=slip(40)))  # heard behind the repeated reply
        await until(lambda: len({ack.ack_id for ack in office.edge.acks}) == 2)
        assert isinstance(kiosk.screen, s.Ticket)
    assert len([ack for ack in office.edge.acks if ack.ticket_id == request_id]) == 1


async def test_a_ticket_for_somebody_who_has_gone_is_not_printed(office: Office) -> None:
    answer, office.edge.answer = office.edge.answer, lambda _command: None
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        await kiosk.shows(s.Problem)
        await kiosk.agent.handle(e.StartOver())
        late = answer(office.edge.commands[0])
        assert late is not None
        await office.edge.respond(late)
        await until(lambda: office.edge.acks)
        assert isinstance(kiosk.screen, s.Home)
    (ack,) = office.edge.acks
    assert isinstance(ack, PrintFailedAck)
    assert (ack.ticket_id, ack.job_id) == (request_id, request_id)
    assert office.printer.tickets == []


async def test_an_edge_that_asks_to_retry_is_asked_again(office: Office) -> None:
    issue = office.edge.issue

    async def busy_once() -> None:
        await until(lambda: office.edge.commands)
        refusal = Refusal(code="retry")
        await office.edge.respond(KioskReply(request_id=office.edge.commands[0].request_id, refusal=refusal))
        office.edge.answer = issue

    office.edge.answer = lambda _command: None
    async with running_kiosk(office.settings()) as kiosk, asyncio.TaskGroup() as group:
        group.create_task(busy_once())
        await kiosk.take_ticket()
        await office.printer.ticket(1, timeout_s=6)
    assert len({command.request_id for command in office.edge.commands}) == 1


async def test_a_triple_touch_takes_one_ticket(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.take_ticket()
        for _ in range(2):
            await kiosk.agent.handle(e.TakeTicket(new_id()))
        await office.printer.ticket(1, timeout_s=5)
        await until(lambda: office.edge.acks and not kiosk.agent.requests._tasks)
        assert await kiosk.agent._spool.unfinished_jobs() == []
    assert (len(office.edge.commands), len(office.printer.tickets)) == (1, 1)


@pytest.mark.parametrize(
    "body, code",
    [
        (b"\xff\x00 not json", "malformed"),
        (b'{"type":"reply","v":1}', "malformed"),
        (b'{"type":"reply","v":2,"request_id":"x"}', "unsupported_version"),
        (b'{"type":"later_idea","v":1}', "malformed"),
        (b'{"type":"print","v":1,"job_id":7,"slip":{}}', "malformed"),
    ],
)
async def test_messages_that_are_not_understood_change_nothing(office: Office, body: bytes, code: str) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        await office.edge.respond(body)
        await until(lambda: kiosk.agent.link.refused[code] == 1)
        assert isinstance(kiosk.screen, s.Home)
        await kiosk.take_ticket()
        await office.printer.ticket(1, timeout_s=5)


async def test_the_kiosk_is_out_of_service_when_the_edge_is_not_heard(office: Office) -> None:
    clock = ManualClock()
    async with running_kiosk(office.settings(), clock) as kiosk:
        await kiosk.ready()
        assert kiosk.template == "home.html"
        office.edge.beats = False
        await until(lambda: (board := kiosk.agent.queue.board) is not None and board.seq == office.edge.seq)
        clock.advance(seconds=11)
        await until(lambda: not kiosk.agent.kiosk.edge_heard)
        assert kiosk.template == "off.html"
        office.edge.beats = True
        await until(lambda: kiosk.agent.kiosk.edge_heard)


async def test_status_tells_of_printer_and_scanner_and_the_will_of_the_end(office: Office) -> None:
    async with running_kiosk(office.settings(), with_scanner=True) as kiosk:
        await kiosk.ready()
        await until(lambda: office.edge.statuses and office.edge.statuses[-1].printer == "ok")
        assert office.edge.statuses[-1].online
    await until(lambda: not office.edge.statuses[-1].online)


async def test_a_kiosk_that_runs_for_days_forgets_what_is_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "FORGET_EVERY_S", 0.05)
    clock = ManualClock()
    async with running_kiosk(office.settings(), clock) as kiosk:
        request_id, spool = await kiosk.take_ticket(), kiosk.agent._spool
        await until(lambda: office.edge.acks)
        await asyncio.sleep(0.2)
        assert await spool.command(request_id) is not None
        clock.advance(hours=49)
        async with asyncio.timeout(5):
            while await spool.command(request_id) is not None:  # noqa: ASYNC110 - the spool has no event
                await asyncio.sleep(0.05)
