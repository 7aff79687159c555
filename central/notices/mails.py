"""Mails about an appointment: subject, a text that is complete by itself, HTML beside it, the QR code, the calendar file.

The text carries everything; the HTML says the same and needs no picture. The picture of the QR code is attached, not fetched,
and its description is what it says, for readers that show no pictures.
"""

import io
from datetime import datetime
from typing import Final

import msgspec
import segno

from central.notices.calendar import Entry, calendar_of
from central.notices.delivery import MailText, Picture
from central.notices.letters import Letter, LetterKind
from central.offices.catalogue import Catalogue, OfficeRecord, ServiceRecord
from ui import formats
from ui.catalog import Words
from ui.pages import Pages

TEMPLATE: Final = "mail/letter.html"
QR_ID: Final = "qr"
QR_SCALE: Final = 6
SUBJECTS: Final[dict[LetterKind, str]] = {
    "confirmed": "mail.confirm.subject",
    "moved": "mail.moved.subject",
    "cancelled": "mail.cancelled.subject",
    "offered": "mail.offered.subject",
}
HELLOS: Final[dict[LetterKind, str]] = {
    "confirmed": "mail.confirm.hello",
    "moved": "mail.moved.hello",
    "cancelled": "mail.cancelled.hello",
    "offered": "mail.offered.hello",
}


class MailContents(msgspec.Struct, frozen=True, kw_only=True):
    """What a mail says, once for both of its forms. `rows` are (term, value)."""

    subject: str
    hello: str
    rows: tuple[tuple[str, str], ...]
    documents: tuple[str, ...]
    address: str
    has_code: bool
    is_offer: bool


def mail_of(
    letter: Letter, city: Catalogue, pages: Pages, *, public_url: str, sender: str, phone: str, now: datetime
) -> MailText:
    """A letter in the citizen's language.

    Args:
        public_url: central's address, without a slash at the end.
        phone: the number that helps.
    """
    words = pages.words(letter.language)
    contents = contents_of(letter, city, words, public_url)
    values = {"contents": contents, "phone": phone, "qr_id": QR_ID}
    entry = Entry.of(letter, contents.address, sender)
    return MailText(
        subject=contents.subject,
        text=text_of(contents, words, phone),
        html=pages.render(TEMPLATE, letter.language, values),
        calendar=calendar_of(entry, city, words, now) if contents.has_code else None,
        pictures=(qr_picture(letter.token),) if contents.has_code else (),
    )


def contents_of(letter: Letter, city: Catalogue, words: Words, public_url: str) -> MailContents:
    """What the mail says. A sensitive service is not named, and neither is what to bring for it."""
    office, service = city.offices[letter.office_id], city.services[letter.service_id]
    when = formats.day_time(letter.slot_start_at, words, office.zone)
    code = formats.dashed(letter.locator)
    cancelled = letter.kind == "cancelled"
    is_offer = letter.kind == "offered"
    values = {"code": code} if cancelled else {"code": code, "when": when, "office": office.name}
    rows = _rows(code, when, office, service, words)
    if letter.offer_office_id is not None and letter.offer_start_at is not None:
        rows.append(
            (words.text("mail.offered.row"), _offer(letter.offer_start_at, city.offices[letter.offer_office_id], words))
        )
    return MailContents(
        subject=_plain(words.text(SUBJECTS[letter.kind], **values)),
        hello=words.text(HELLOS[letter.kind]),
        rows=tuple(rows),
        documents=()
        if cancelled or is_offer or service.sensitive
        else tuple(_said(one, words) for one in service.documents),
        address=f"{public_url}/cita/{letter.link}",
        has_code=not cancelled and bool(letter.token),
        is_offer=is_offer,
    )


def text_of(contents: MailContents, words: Words, phone: str) -> str:
    """The mail as plain text."""
    lines = [contents.hello, "", *(f"{term}: {value}" for term, value in contents.rows)]
    if contents.documents:
        lines += ["", f"{words.text('mail.bring')}:", *(f"- {document}" for document in contents.documents)]
    if contents.has_code:
        lines += ["", words.text("mail.arrive"), contents.address, "", words.text("mail.change"), contents.address]
    if contents.is_offer:
        lines += ["", words.text("mail.offered.change"), contents.address]
    lines += ["", words.text("mail.free", phone=phone), words.text("mail.no_reply", phone=phone), ""]
    return "\n".join(lines)


def qr_picture(token: str) -> Picture:
    """The booking token as a picture, described by its own text."""
    png = io.BytesIO()
    segno.make(token, error="m", micro=False, boost_error=False).save(png, kind="png", scale=QR_SCALE, border=4)
    return Picture(content_id=QR_ID, png=png.getvalue(), filename="qr.png", description=token)


def _rows(code: str, when: str, office: OfficeRecord, service: ServiceRecord, words: Words) -> list[tuple[str, str]]:
    rows = [(words.text("mail.code"), code), (words.text("mail.when"), when)]
    rows.append((words.text("mail.office"), f"{office.name}, {office.address}"))
    if not service.sensitive:
        rows.append((words.text("mail.service"), _said(service.names, words)))
    return rows


def _offer(start_at: datetime, office: OfficeRecord, words: Words) -> str:
    return f"{formats.day_time(start_at, words, office.zone)}, {office.name}, {office.address}"


def _said(text: dict[str, str], words: Words) -> str:
    return text.get(words.locale.tag) or text["es"]


def _plain(text: str) -> str:
    """Without the marks that isolate codes in right-to-left text: a subject stands alone."""
    return text.translate(dict.fromkeys(range(0x2066, 0x206A)))
