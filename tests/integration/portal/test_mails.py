"""The confirmation mail as a mail program gets it: complete without pictures, in the citizen's language."""

from __future__ import annotations

import io
from email import message_from_bytes, policy
from email.message import EmailMessage

import msgspec
import pytest
from icalendar import Calendar
from PIL import Image

from central.notices.delivery import Delivery, MailText
from central.notices.letters import Letter
from central.notices.mails import mail_of
from central.pages import citizen_pages
from sync.messages import booking_token
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.test_closures import booked, close, ended
from tests.integration.portal.test_wizard import to_check

URL = "https://citas.example"
SAYS = {
    "es": ("Cita ", "La cita es gratuita", "martes 24 de noviembre"),
    "en": ("Appointment", "free", "Tuesday 24 November"),
    "fr": ("Rendez-vous", "gratuit", "mardi 24 novembre"),
    "ar": ("موعد", "مجاني", "الثلاثاء 24 نوفمبر"),
}


async def sent(portal: Bed) -> EmailMessage:
    """The queued mail, rendered and written out as bytes, then read as a mail program does."""
    city = await portal.booking.catalogue.current()

    async def render(letter: Letter) -> MailText:
        return mail_of(
            letter, city, citizen_pages(strict=True), public_url=URL, sender="citas@example.org", phone="010",
            now=portal.clock.now(),
        )  # fmt: skip

    found: list[EmailMessage] = []

    async def send(message: EmailMessage) -> None:
        found.append(message_from_bytes(message.as_bytes(policy=policy.SMTP), policy=policy.default))

    assert await Delivery(portal.server.central, render, send).deliver_due() == 1  # type: ignore[arg-type]
    return found[0]


@pytest.mark.parametrize("language", ["es", "en", "fr", "ar"])
async def test_a_confirmation_holds_everything(portal: Bed, language: str) -> None:
    portal.clock.advance(hours=10)  # today's times are over: the first is tomorrow's
    async with portal.citizen(language) as citizen:
        await to_check(citizen)
        await citizen.send("/reserva/compruebe")
        path = citizen.path
    mail = await sent(portal)
    row = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
    code = f"{row['locator'][:3]}-{row['locator'][3:]}"
    kind, free, day = SAYS[language]

    text = mail.get_body(preferencelist=("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(preferencelist=("html",)).get_content()  # type: ignore[union-attr]
    assert kind in mail["Subject"]
    assert code in mail["Subject"]
    for words in (code, f"{URL}{path}", free, day, "Centro, Plaza 1", "DNI"):
        assert words in text
        assert words in html
    assert "45298316" not in text + html, "no document in a mail"
    assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in html
    assert 'src="cid:qr"' in html
    assert "http://" not in html.replace(URL, "")

    [picture] = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    token = str(picture["Content-Description"])
    assert picture["Content-ID"] == "<qr>"
    assert booking_token.read(token, lambda _kid, _signed, _signature: True).locator == row["locator"]  # type: ignore[union-attr]
    assert Image.open(io.BytesIO(picture.get_content())).size[0] > 200

    [calendar] = [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]
    content = calendar.get_content()
    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert event.decoded("dtstart") == row["slot_start_at"]


async def test_mails_stay_in_the_language_of_the_booking(portal: Bed) -> None:
    async with portal.citizen("ar") as citizen:
        await to_check(citizen)
        await citizen.send("/reserva/compruebe")
        path = citizen.path.partition("?")[0]
        assert (await sent(portal))["Content-Language"] == "ar"

        assert (await citizen.open(f"{path}?lang=fr")).lang == "fr"
        await citizen.send("/cambiar")
        await citizen.send("/reserva/hora", time=citizen.page.form().choices["time"][2])
        page = await citizen.send("/reserva/compruebe")
        assert page.lang == "fr"
        assert (await sent(portal))["Content-Language"] == "ar"

        await citizen.open(f"{path}/anular?lang=en")
        await citizen.send("/anular")
        mail = await sent(portal)
        assert mail["Content-Language"] == "ar"
        assert 'dir="rtl"' in mail.get_body(preferencelist=("html",)).get_content()  # type: ignore[union-attr]
    assert await portal.count("appointment", "language = 'ar'") == 1


async def test_a_cancellation_has_no_code_to_scan(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        await to_check(citizen)
        await citizen.send("/reserva/compruebe")
        await sent(portal)
        await citizen.open(f"{citizen.path}/anular")
        await citizen.send("/anular")
    mail = await sent(portal)
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()] == ["text/plain", "text/html"]
    assert "anulada" in mail["Subject"]


async def test_a_sensitive_service_is_not_named(portal: Bed) -> None:
    city = await portal.booking.catalogue.current()
    hidden = {key: msgspec.structs.replace(one, sensitive=True) for key, one in city.services.items()}
    city = msgspec.structs.replace(city, services=hidden)
    letter = Letter(
        kind="confirmed", language="es", full_name="Ana", office_id="centro", service_id="viaje",
        slot_start_at=portal.clock.now(), duration_min=5, locator="K7M4QX", link="A" * 44, appointment_id="a", version=1,
        token="V1.x.y",
    )  # fmt: skip
    mail = mail_of(
        letter, city, citizen_pages(), public_url=URL, sender="a@b.es", phone="010", now=portal.clock.now()
    )  # fmt: skip
    assert "Viaje" not in f"{mail.subject}{mail.text}{mail.html}{mail.calendar!r}"


@pytest.mark.parametrize("language", ["es", "en", "fr", "ar"])
async def test_who_is_only_told_of_a_closure_reads_the_offer_and_the_way_to_change(portal: Bed, language: str) -> None:
    pool = portal.server.central.pool
    (done,) = await booked(portal, 1)
    await pool.execute("UPDATE appointment SET language = $1", language)
    async with portal.citizen() as browser:
        await sign_in(browser, to="/cierres/centro")
        await close(browser)
        await browser.send("/mover", do="offer", cita=[done.appointment_id])
    await ended(portal)
    await pool.execute("DELETE FROM mail WHERE kind <> 'offered'")
    mail = await sent(portal)
    text = mail.get_body(preferencelist=("plain",)).get_content()  # type: ignore[union-attr]
    html = mail.get_body(preferencelist=("html",)).get_content()  # type: ignore[union-attr]
    code = f"{done.locator[:3]}-{done.locator[3:]}"
    assert code in mail["Subject"]
    for words in (SAYS[language][2], code, f"{URL}/cita/{done.link}", "Centro, Plaza 1"):
        assert words in text
        assert words in html
    assert "Zubaida" not in text + html
    assert not [part for part in mail.walk() if part.get_content_type() in {"image/png", "text/calendar"}], (
        "nothing to check in by"
    )
    assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in html
