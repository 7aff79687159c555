"""Codes down a real serial line (a pty), over the broker, to the screen."""

import pytest

from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from sync.messages.refusals import Refusal, RefusalCode
from sync.messages.topics import KioskCheckIn, KioskReply
from tests.integration.kiosk.office import Office, running_kiosk, slip, until

pytestmark = pytest.mark.broker


async def test_a_scanned_code_is_forwarded_as_read_and_becomes_a_ticket(office: Office) -> None:
    async with running_kiosk(office.settings(), with_scanner=True) as kiosk:
        await kiosk.ready()
        assert kiosk.scanner is not None
        await until(lambda: kiosk.agent.scanner.state == "ok")
        kiosk.scanner.scan("V1.c29tZXRoaW5n.c2lnbmF0dXJl")
        ticket = await office.printer.ticket(1, timeout_s=5)
    (command,) = office.edge.commands
    assert isinstance(command, KioskCheckIn)
    assert (command.scanned, command.locator) == ("V1.c29tZXRoaW5n.c2lnbmF0dXJl", None)
    assert "K12" in ticket.lines


async def test_garbage_on_the_line_asks_nobody(office: Office) -> None:
    async with running_kiosk(office.settings(), with_scanner=True) as kiosk:
        await kiosk.ready()
        assert kiosk.scanner is not None
        await until(lambda: kiosk.agent.scanner.state == "ok")
        kiosk.scanner.send(b"\xff\x00\x13noise\r\n" + b"x" * 3000 + b"\r\n")
        await until(lambda: kiosk.agent.scanner.dropped == 2)
        assert (kiosk.screen, office.edge.commands) == (s.Home(), [])
        kiosk.scanner.scan("V1.after.noise")
        await office.printer.ticket(1, timeout_s=5)


async def test_a_scanner_that_is_pulled_out_is_missed_and_found_again(office: Office) -> None:
    async with running_kiosk(office.settings(), with_scanner=True) as kiosk:
        await kiosk.ready()
        assert kiosk.scanner is not None
        await until(lambda: kiosk.agent.scanner.state == "ok")
        kiosk.scanner.unplug()
        await until(lambda: kiosk.agent.scanner.state == "missing", within_s=2)
        await until(lambda: not kiosk.glass.view().values["scanner_ok"], within_s=2)
        kiosk.scanner.plug()
        await until(lambda: kiosk.agent.scanner.state == "ok")
        kiosk.scanner.scan("V1.again.here")
        await office.printer.ticket(1, timeout_s=5)


@pytest.mark.parametrize(
    "code, es, ar",
    [
        ("booking_unknown", "No encontramos esta cita", "لم نجد هذا الموعد"),
        ("malformed", "No hemos podido leer el código", "تعذّرت قراءة الرمز"),
        ("bad_signature", "Este código no es de una cita nuestra", "هذا الرمز ليس لأحد مواعيدنا"),
        ("wrong_office", "Su cita es en otra oficina", "موعدك في مكتب آخر"),
        ("wrong_day", "Su cita es otro día", "موعدك في يوم آخر"),
        ("cancelled", "Esta cita está anulada", "هذا الموعد ملغى"),
        ("moved", "Esta cita se ha cambiado", "تم تغيير هذا الموعد"),
        ("ask_for_help", "Pida ayuda en el mostrador", "اطلب المساعدة من الاستقبال"),
    ],
)
async def test_every_refused_code_says_what_to_do_next(office: Office, code: RefusalCode, es: str, ar: str) -> None:
    office.edge.refuse(Refusal(code=code, office="centro", service_date="2026-12-01"))
    async with running_kiosk(office.settings(), with_scanner=True) as kiosk:
        await kiosk.ready()
        assert kiosk.scanner is not None
        await until(lambda: kiosk.agent.scanner.state == "ok")
        kiosk.scanner.scan("V1.some.code")
        await kiosk.shows(s.Problem)
        spanish = kiosk.glass.page()
        await kiosk.agent.handle(e.ChooseLanguage("ar"))
        arabic = kiosk.glass.page()
    assert es in spanish
    assert "sin cita" in spanish
    assert ar in arabic
    assert 'dir="rtl"' in arabic
    assert office.printer.tickets == []


async def test_already_checked_in_offers_a_reprint(office: Office) -> None:
    first = slip(12)
    office.edge.answer = lambda command: KioskReply(
        request_id=command.request_id,
        refusal=Refusal(code="already_checked_in", ticket_id=first.ticket_id),
        slip=first,
    )
    async with running_kiosk(office.settings(), with_scanner=True) as kiosk:
        await kiosk.ready()
        assert kiosk.scanner is not None
        await until(lambda: kiosk.agent.scanner.state == "ok")
        kiosk.scanner.scan("V1.some.code")
        await kiosk.shows(s.AlreadyIn)
        assert "Imprimirlo otra vez" in kiosk.glass.page()
