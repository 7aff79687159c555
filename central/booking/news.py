"""What an office and a citizen are told of an appointment: feed rows, booking token, letter."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from central.booking.appointments import Booked, Booking
from central.booking.rules import display_name, secret_link
from central.keys import KeyRing
from central.notices.letters import Letter, LetterKind
from sync.messages import booking_token, codec
from sync.messages.feed import Appointment, AppointmentStatus


def feed_appointment(booking: Booking, status: AppointmentStatus = "booked") -> Appointment:
    """An appointment as its office knows it; without a name unless it is booked."""
    return Appointment(
        id=booking.appointment_id,
        version=booking.version,
        locator=booking.locator,
        service_id=booking.service_id,
        slot_start_at=booking.slot_start_at,
        duration_min=booking.duration_min,
        status=status,
        display_name=display_name(booking.full_name or "") if status == "booked" else "",
        language=booking.language,
        needs=booking.needs if status == "booked" else (),
    )


def feed_body(booking: Booking, status: AppointmentStatus = "booked") -> bytes:
    """The bytes of its feed row."""
    return codec.encode(feed_appointment(booking, status))


def token_of(booking: Booking | Booked, keys: KeyRing) -> str:
    """The text of the QR code that checks the appointment in, also at an office that has not heard of it yet."""
    return booking_token.write(
        booking_token.BookingToken(
            kid=keys.kid,
            appointment_id=booking.appointment_id,
            version=booking.version,
            office_id=booking.office_id,
            service_id=booking.service_id,
            slot_start_min=booking_token.minutes(booking.slot_start_at),
            duration_min=booking.duration_min,
            locator=booking.locator,
        ),
        keys.sign,
    )


def link_of(booking: Booking, keys: KeyRing) -> str:
    """The secret part of the address that shows, moves and cancels the appointment."""
    return secret_link(keys.links, booking.appointment_id, booking.link_version)


def answer_of(booking: Booking, keys: KeyRing) -> Booked:
    """What is answered to whoever booked or moved it, and stored with the request."""
    return Booked(
        appointment_id=booking.appointment_id,
        version=booking.version,
        locator=booking.locator,
        office_id=booking.office_id,
        service_id=booking.service_id,
        slot_start_at=booking.slot_start_at,
        duration_min=booking.duration_min,
        link=link_of(booking, keys),
    )


def letter_of(
    kind: LetterKind, booking: Booking, keys: KeyRing, new_id: Callable[[], str]
) -> tuple[str, bytes] | tuple[None, None]:
    """Id and bytes of the letter to queue with a change; none without an e-mail address."""
    if booking.email is None:
        return None, None
    token = "" if kind == "cancelled" else token_of(booking, keys)
    return new_id(), msgspec.json.encode(_letter(kind, booking, keys, token=token))


def offer_letter(booking: Booking, keys: KeyRing, office_id: str, start_at: datetime) -> bytes:
    """The letter to somebody whose appointment cannot be kept: where and when it could be, and the link to change or cancel."""
    return msgspec.json.encode(_letter("offered", booking, keys, offer_office_id=office_id, offer_start_at=start_at))


def _letter(kind: LetterKind, booking: Booking, keys: KeyRing, **more: Any) -> Letter:
    return Letter(
        kind=kind,
        language=booking.language,
        full_name=booking.full_name or "",
        office_id=booking.office_id,
        service_id=booking.service_id,
        slot_start_at=booking.slot_start_at,
        duration_min=booking.duration_min,
        locator=booking.locator,
        link=link_of(booking, keys),
        appointment_id=booking.appointment_id,
        version=booking.version,
        **more,
    )
