"""Mails leave once: through a real SMTP server that answers as told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import msgspec
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from central.booking.appointments import Booked
from central.booking.service import make_booking
from central.notices.delivery import Delivery
from central.notices.letters import Letter
from central.notices.mails import mail_of
from central.pages import citizen_pages
from central.settings import Mail
from tests.integration.booking.conftest import Bed, person, request_id, wish

pytestmark = pytest.mark.postgres


class Catcher:
    """Takes mails in memory; the answers are given first, one per command, then "250 OK". None hangs up instead."""

    def __init__(self) -> None:
        self.mails: list[Message] = []
        self.answers: list[str | None] = []
        self.mail_answers: list[str | None] = []
        self.rcpt_answers: list[str | None] = []

    async def handle_MAIL(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return _answer(server, self.mail_answers)

    async def handle_RCPT(self, server: SMTP, _session: Session, envelope: Envelope, address: str, _: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return _answer(server, self.rcpt_answers)

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if not self.answers or self.answers[0] is None:
            self.mails.append(message_from_bytes(envelope.original_content or b""))
        return _answer(server, self.answers)


def _answer(server: SMTP, answers: list[str | None]) -> str:
    answer = answers.pop(0) if answers else "250 OK"
    if answer is None:
        assert isinstance(server.transport, asyncio.WriteTransport)
        server.transport.abort()
        return "421 gone"
    return answer


@pytest.fixture
async def catcher() -> Catcher:
    return Catcher()


@pytest.fixture
async def delivery(bed: Bed, catcher: Catcher) -> AsyncIterator[Delivery]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(catcher, hostname="catcher", loop=loop), "127.0.0.1", 0)
    mail = Mail(host="127.0.0.1", port=server.sockets[0].getsockname()[1], timeout_s=3, attempts=3)
    settings = msgspec.structs.replace(bed.central.settings, mail=mail)
    central = _with(bed, settings)

    async def render(letter: Letter) -> Any:
        return mail_of(
            letter, await bed.booking.catalogue.current(), citizen_pages(strict=True), public_url="https://citas.example",
            sender="citas@ventanilla.example", phone="010", now=bed.clock.now(),
        )  # fmt: skip

    yield Delivery(central, render)
    server.close()
    await server.wait_closed()


def _with(bed: Bed, settings: Any) -> Any:
    from dataclasses import replace

    return replace(bed.central, settings=settings)


async def booked(bed: Bed, language: str = "es", email: str = "fatima@example.org") -> Booked:
    who = msgspec.structs.replace(person(email=email), language=language)
    outcome = await make_booking(bed.central).bookings.book(request_id(), wish(), who)
    assert isinstance(outcome, Booked)
    return outcome


def plain_text(mail: Message) -> str:
    """The text part."""
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/plain"]
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode()


async def state(bed: Bed) -> tuple[Any, ...]:
    return tuple(await bed.pool.fetchrow("SELECT state, attempts, recipient, message FROM mail"))


async def test_a_confirmation_arrives_and_is_forgotten(bed: Bed, delivery: Delivery, catcher: Catcher) -> None:
    outcome = await booked(bed)
    assert await delivery.deliver_due() == 1
    assert await delivery.deliver_due() == 0

    (mail,) = catcher.mails
    text = plain_text(mail)
    assert mail["To"] == "fatima@example.org"
    assert f"{outcome.locator[:3]}-{outcome.locator[3:]}" in text
    assert f"https://citas.example/cita/{outcome.link}" in text
    assert "martes 24 de noviembre, 9:00" in text
    assert "La cita es gratuita." in text
    assert await state(bed) == ("sent", 1, None, None)


@pytest.mark.parametrize("language,word", [("en", "free"), ("fr", "gratuit"), ("ar", "مجاني")])
async def test_it_speaks_the_citizens_language(
    bed: Bed, delivery: Delivery, catcher: Catcher, language: str, word: str
) -> None:
    await booked(bed, language)
    await delivery.deliver_due()
    assert word in plain_text(catcher.mails[0])
    assert catcher.mails[0]["Content-Language"] == language


async def test_a_server_that_is_busy_gets_it_later_with_the_same_id(
    bed: Bed, delivery: Delivery, catcher: Catcher
) -> None:
    catcher.answers = ["451 busy"]
    await booked(bed)
    await delivery.deliver_due()
    assert (await state(bed))[:2] == ("queued", 1)
    assert await delivery.deliver_due() == 0

    bed.clock.advance(seconds=10)
    assert await delivery.deliver_due() == 1
    assert (await state(bed))[:2] == ("sent", 2)
    assert len(catcher.mails) == 1


async def test_three_failures_are_enough(bed: Bed, delivery: Delivery, catcher: Catcher) -> None:
    catcher.answers = ["451 busy"] * 3
    await booked(bed)
    for _ in range(5):
        await delivery.deliver_due()
        bed.clock.advance(hours=7)
    assert await state(bed) == ("failed", 3, None, None)
    assert catcher.mails == []


async def test_a_refused_mail_is_not_tried_again(bed: Bed, delivery: Delivery, catcher: Catcher) -> None:
    catcher.answers = ["550 no such person"]
    await booked(bed)
    await delivery.deliver_due()
    bed.clock.advance(hours=7)
    assert await delivery.deliver_due() == 0
    assert (await state(bed))[0] == "failed"


async def test_an_answer_that_never_came_is_not_a_reason_to_send_twice(
    bed: Bed, delivery: Delivery, catcher: Catcher
) -> None:
    catcher.answers = [None]
    await booked(bed)
    await delivery.deliver_due()
    bed.clock.advance(hours=7)
    assert await delivery.deliver_due() == 0
    assert (await state(bed))[0] == "unsure"
    assert len(catcher.mails) == 1


async def test_a_refused_recipient_is_not_tried_again(bed: Bed, delivery: Delivery, catcher: Catcher) -> None:
    catcher.rcpt_answers = ["550 no such person"]
    await booked(bed)
    await delivery.deliver_due()
    assert await state(bed) == ("failed", 1, None, None)
    assert catcher.mails == []


async def test_a_recipient_that_cannot_be_taken_now_gets_it_later(
    bed: Bed, delivery: Delivery, catcher: Catcher
) -> None:
    catcher.rcpt_answers = ["450 mailbox busy"]
    await booked(bed)
    await delivery.deliver_due()
    assert (await state(bed))[:2] == ("queued", 1)

    bed.clock.advance(seconds=10)
    await delivery.deliver_due()
    assert (await state(bed))[:2] == ("sent", 2)


@pytest.mark.parametrize("command", ["mail_answers", "rcpt_answers"])
async def test_a_server_that_hangs_up_before_the_message_gets_it_later(
    bed: Bed, delivery: Delivery, catcher: Catcher, command: str
) -> None:
    setattr(catcher, command, [None])
    await booked(bed)
    await delivery.deliver_due()
    assert (await state(bed))[:2] == ("queued", 1)

    bed.clock.advance(seconds=10)
    await delivery.deliver_due()
    assert (await state(bed))[:2] == ("sent", 2)
    assert len(catcher.mails) == 1


async def test_an_address_that_the_server_cannot_write_is_refused_for_good(
    bed: Bed, delivery: Delivery, catcher: Catcher
) -> None:
    await booked(bed, email="fátima@example.org")
    await delivery.deliver_due()
    assert await state(bed) == ("failed", 1, None, None)
    assert await bed.pool.fetchval("SELECT problem FROM mail") == "no SMTPUTF8"


async def test_two_workers_send_one_mail_each_once(bed: Bed, delivery: Delivery, catcher: Catcher) -> None:
    await booked(bed)
    counts = await asyncio.gather(*(delivery.deliver_due() for _ in range(5)))
    assert sum(counts) == 1
    assert len(catcher.mails) == 1


async def test_what_a_dead_process_was_sending_is_unsure(bed: Bed, delivery: Delivery) -> None:
    from central.notices.delivery import queries

    await booked(bed)
    await bed.pool.fetch(queries.take, bed.clock.now(), 20, 3)
    assert await bed.pool.fetch(queries.abandoned, bed.clock.now()) == []
    bed.clock.advance(minutes=15)
    assert len(await bed.pool.fetch(queries.abandoned, bed.clock.now())) == 1
    assert (await state(bed))[0] == "unsure"
    assert await delivery.deliver_due() == 0
