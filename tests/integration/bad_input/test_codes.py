"""Codes that a person holds before the scanner or types: what the screen says, what is written down, what is counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import pytest

from tests.integration.bad_input.bookings import NOBODYS, Bookings
from tests.integration.bad_input.office import Office

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(120)]

Texts = Mapping[str, tuple[str, ...]]
UNREAD = {"es": ("No hemos podido leer el código",), "ar": ("تعذّرت قراءة الرمز",)}
FORGED = {"es": ("Este código no es de una cita nuestra",), "ar": ("هذا الرمز ليس لأحد مواعيدنا",)}
UNKNOWN = {"es": ("No encontramos esta cita",), "ar": ("لم نجد هذا الموعد",)}
HELP = {"es": ("Pida ayuda en el mostrador",), "ar": ("اطلب المساعدة من الاستقبال",)}
DESK = {"es": ("Pida turno en el mostrador",), "ar": ("اطلب رقماً من الاستقبال",)}
CANCELLED = {"es": ("Esta cita está anulada",), "ar": ("هذا الموعد ملغى",)}
MOVED = {"es": ("Esta cita se ha cambiado",), "ar": ("تم تغيير هذا الموعد",)}
OTHER_OFFICE = {
    "es": ("Su cita es en otra oficina", "Su cita es en Real"),
    "ar": ("موعدك في مكتب آخر", "موعدك في Real"),
}
LATER = {"es": ("Su cita es otro día", "Su cita es el"), "ar": ("موعدك في يوم آخر", "موعدك يوم")}
EARLIER = {"es": ("Su cita es otro día", "Su cita era el"), "ar": ("موعدك في يوم آخر", "كان موعدك يوم")}
TO_VERIFY = {"es": ("En el puesto comprobarán su cita.",), "ar": ("سيتم التحقق من موعدك في الشباك.",)}
AGAIN = {"es": ("Es el mismo turno de antes. No ha perdido su sitio.",), "ar": ("هو الرقم نفسه. لم تفقد مكانك.",)}
LANGUAGES = ("es", "ar")
DIRECTION = {"es": "ltr", "ar": "rtl"}


class Row(NamedTuple):
    """Args:
    scanned: what the reader reads.
    screen: words on the screen, by language.
    facts: what the journal gets.
    refused: what is counted.
    """

    scanned: Callable[[Bookings], str]
    screen: Texts
    refused: str | None = None
    facts: tuple[str, ...] = ()


ROWS = {
    "another site's code": Row(lambda _: "https://example.com/?q=1", UNREAD, "malformed"),
    "markup": Row(lambda _: "<script>alert(1)</script>", UNREAD, "malformed"),
    "a token cut short": Row(lambda b: b.code(b.known[0])[:60], UNREAD, "malformed"),
    "a token of nothing": Row(lambda _: "V1..", UNREAD, "malformed"),
    "a token of a later version": Row(lambda _: "V2.AAAA.BBBB", DESK, "unsupported_version"),
    "signed by somebody else": Row(lambda b: b.forged(), FORGED, "bad_signature"),
    "one letter changed": Row(lambda b: b.altered(), FORGED, "bad_signature"),
    "a key that nobody told of": Row(lambda b: b.code(b.booked(), kid="k9"), FORGED, "bad_signature"),
    "another office": Row(lambda b: b.code(b.booked(), office_id="real"), OTHER_OFFICE, "wrong_office"),
    "tomorrow": Row(lambda b: b.code(b.tomorrow), LATER, "wrong_day"),
    "yesterday": Row(lambda b: b.code(b.yesterday), EARLIER, "wrong_day"),
    "cancelled": Row(lambda b: b.code(b.cancelled), CANCELLED, "cancelled"),
    "moved": Row(lambda b: b.code(b.moved), MOVED, "moved"),
    "a locator that nobody has": Row(lambda _: NOBODYS, UNKNOWN, "booking_unknown"),
    "not known here, rightly signed": Row(
        lambda b: b.code(b.booked()), TO_VERIFY, facts=("ticket.issued", "ticket.printed")
    ),
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", [pytest.param(row, id=name) for name, row in ROWS.items()])
def test_a_scanned_code(office: Office, row: Row, language: str) -> None:
    office.kiosk.begin(language)
    evidence, scanned = office.evidence(), row.scanned(office.bookings)
    office.scanner.scan(scanned)
    screen = office.kiosk.shows(*row.screen[language])
    assert (screen.lang, screen.direction) == (language, DIRECTION[language])
    assert scanned not in screen.html
    evidence.becomes(row.facts, {row.refused: 1} if row.refused else {})


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_appointment_that_is_checked_in_already_keeps_its_ticket(office: Office, language: str) -> None:
    code = office.bookings.code(office.bookings.known[LANGUAGES.index(language)])
    office.kiosk.begin(language)
    evidence = office.evidence()
    office.scanner.scan(code)
    evidence.becomes(("ticket.issued", "ticket.printed"), {})
    office.kiosk.begin(language)
    office.scanner.scan(code)
    office.kiosk.shows(*AGAIN[language])
    evidence.becomes(("ticket.issued", "ticket.printed"), {"already_checked_in": 1})


def test_a_locator_tried_twenty_times_ends_in_help_and_a_right_one_still_works(office: Office) -> None:
    evidence = office.evidence()
    for tried in range(20):
        language = LANGUAGES[tried % 2]
        _type(office, NOBODYS, language)
        office.kiosk.shows(*(UNKNOWN if tried < 5 else HELP)[language])
    evidence.becomes((), {"booking_unknown": 20, "ask_for_help": 15})
    _type(office, office.bookings.known[2].locator, "es")
    evidence.becomes(("ticket.issued", "ticket.printed"), {"booking_unknown": 20, "ask_for_help": 15})


def _type(office: Office, locator: str, language: str) -> None:
    office.kiosk.begin(language)
    office.kiosk.touch("with", *(f"letter:{letter}" for letter in locator), "send")
