"""Finding, cancelling and moving appointments that are there already: by secret link, or by locator and document.

An appointment is changed on the version that was read; who was faster with another change makes the statement find nothing,
and it is read again.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import structlog

from central.booking.appointments import (
    Booked,
    Booking,
    Cancelled,
    CancelOutcome,
    MoveOutcome,
    NotChangeable,
    NotFound,
    NotOffered,
    Recovering,
    Taken,
    TooManyTries,
    Wish,
)
from central.booking.availability import Availability
from central.booking.bookings import answered_before
from central.booking.claims import Answered, ClaimEnd, Closed, Unplanned, Where, Won, claim, find_answer
from central.booking.claims import queries as seats
from central.booking.news import answer_of, feed_body, letter_of
from central.booking.offers import Offer, offer_of
from central.booking.rules import (
    DOCUMENT_END_LENGTH,
    fingerprint,
    is_fed,
    proves,
    read_secret_link,
)
from central.context import Central
from central.offices.store import CatalogueCopy
from sync.domain.check_in import normalise_locator
from sync.io.ids import new_id
from sync.io.sql import load
from sync.messages.feed import office_stream

log = structlog.get_logger(__name__)

queries = load("central.booking", "appointments.sql")

ATTEMPTS = 5
"""How often a change is tried again on a newer version before giving up; two are common with a double click."""


class Changes:
    """Reads and changes existing appointments."""

    def __init__(self, central: Central, catalogue: CatalogueCopy, availability: Availability) -> None:
        self._central = central
        self._catalogue = catalogue
        self._availability = availability

    async def by_link(self, link: str) -> Booking | NotFound:
        """The appointment that a secret link opens."""
        claimed = read_secret_link(link)
        if claimed is None:
            return NotFound()
        appointment_id, proof = claimed
        booking = await self.by_id(appointment_id)
        if booking is None or not proves(proof, self._central.keys.links, appointment_id, booking.link_version):
            return NotFound()
        return booking

    async def by_locator(self, typed: str, document_end: str) -> Booking | NotFound | TooManyTries:
        """The booked appointment of a locator, for who knows the end of its document.

        Every try counts against the locator, right or wrong; unknown and wrong get the same answer.
        """
        locator = normalise_locator(typed)
        if locator is None:
            return NotFound()
        now, settings = self._central.clock.now(), self._central.settings.booking
        window = timedelta(minutes=settings.lookup_window_min)
        oldest_at = await self._central.pool.fetchval(queries.try_lookup, locator, now - window, now, settings.lookups)
        if oldest_at is not None:
            return TooManyTries(retry_after_s=max(1, int((oldest_at + window - now).total_seconds())))
        end = document_end.strip().upper()[-DOCUMENT_END_LENGTH:]
        row = await self._central.pool.fetchrow(queries.by_locator, locator, end)
        return NotFound() if row is None else _booking(row)

    async def by_id(self, appointment_id: str) -> Booking | None:
        """An appointment by its id, for callers that have checked who asks."""
        row = await self._central.pool.fetchrow(queries.by_id, appointment_id)
        return None if row is None else _booking(row)

    async def cancel(self, booking: Booking) -> CancelOutcome:
        """Cancel an appointment and free its seats. One that is cancelled already stays so."""
        for _ in range(ATTEMPTS):
            if booking.status == "cancelled":
                return Cancelled(appointment_id=booking.appointment_id, version=booking.version)
            if booking.status != "booked":
                return NotChangeable(status=booking.status)
            if (version := await self._cancel_version(booking)) is not None:
                log.info("appointment.cancelled", appointment=booking.appointment_id)
                self._availability.changed(booking.office_id, booking.service_date)
                return Cancelled(appointment_id=booking.appointment_id, version=version)
            if (newer := await self.by_id(booking.appointment_id)) is None:
                return NotFound()
            booking = newer
        raise RuntimeError("an appointment changes faster than it can be cancelled")

    async def reschedule(
        self, request_id: str, booking: Booking, wish: Wish, *, hold_id: str | None = None
    ) -> MoveOutcome:
        """Move an appointment. The old time is kept until the new one is ours; locator and link stay the same."""
        asked = fingerprint(
            "move", booking.appointment_id, wish.office_id, wish.service_id, wish.slot_start_at.isoformat()
        )
        outcome = await self._reschedule(request_id, asked, booking, wish, hold_id)
        if isinstance(outcome, NotOffered | NotChangeable):
            before = await find_answer(self._central.pool, request_id)
            return outcome if before is None else answered_before(before, asked)
        return outcome

    async def _reschedule(
        self, request_id: str, asked: bytes, booking: Booking, wish: Wish, hold_id: str | None
    ) -> MoveOutcome:
        offer = offer_of(
            wish,
            await self._catalogue.current(),
            self._central.clock.now(),
            self._central.settings.booking,
            chosen=hold_id is not None,
        )
        if isinstance(offer, NotOffered):
            return offer
        if wish.service_id != booking.service_id:
            return NotOffered(reason="not_bookable_here")
        for _ in range(ATTEMPTS):
            if booking.status != "booked":
                return NotChangeable(status=booking.status)
            end, moved = await self._move(request_id, asked, booking, offer, hold_id)
            if isinstance(end, Won):
                log.info("appointment.moved", appointment=booking.appointment_id, office=moved.office_id)
                self._availability.changed(booking.office_id, booking.service_date)
                self._availability.changed(moved.office_id, offer.service_date)
                return moved
            if isinstance(end, Answered):
                return answered_before(end, asked)
            if isinstance(end, Closed):
                return Recovering()
            if isinstance(end, Unplanned):
                return await self._no_such_time(offer)
            newer = await self.by_id(booking.appointment_id)
            if newer is None or newer.version == booking.version:
                return NotFound() if newer is None else await self._taken(offer)
            booking = newer
        return await self._taken(offer)

    async def _cancel_version(self, booking: Booking) -> int | None:
        after = msgspec.structs.replace(booking, version=booking.version + 1, status="cancelled")
        mail_id, letter = letter_of("cancelled", after, self._central.keys, new_id)
        version: int | None = await self._central.pool.fetchval(
            seats.cancel, booking.appointment_id, booking.version, self._central.clock.now(),
            office_stream(booking.office_id), feed_body(after, "cancelled"), mail_id, letter,
        )  # fmt: skip
        return version

    async def _move(
        self, request_id: str, asked: bytes, booking: Booking, offer: Offer, hold_id: str | None
    ) -> tuple[ClaimEnd, Booked]:
        after = msgspec.structs.replace(
            booking,
            version=booking.version + 1,
            office_id=offer.office.id,
            pool_id=offer.pool.id,
            service_date=offer.service_date,
            slot_start_at=offer.slot_start_at,
            duration_min=offer.service.duration_min,
        )
        answer = answer_of(after, self._central.keys)
        fed = is_fed(offer.service_date, offer.today, self._central.settings.booking.feed_days)
        streams, bodies, if_fed = _news(booking, after, fed=fed)
        mail_id, letter = letter_of("moved", after, self._central.keys, new_id)
        arguments: tuple[Any, ...] = (
            request_id, asked, msgspec.json.encode(answer), self._central.clock.now(), booking.appointment_id,
            booking.version, after.office_id, after.pool_id, offer.starts, hold_id, after.service_date, fed, streams,
            bodies, if_fed, mail_id, letter, after.duration_min,
        )  # fmt: skip
        where = Where(
            request_id=request_id,
            now=self._central.clock.now(),
            office=after.office_id,
            pool=after.pool_id,
            starts=offer.starts,
            hold_id=hold_id,
        )
        lock_timeout_ms = self._central.settings.database.lock_timeout_ms
        return await claim(self._central.pool, "reschedule", arguments, where, lock_timeout_ms), answer

    async def _taken(self, offer: Offer) -> Taken:
        return Taken(alternatives=await self._alternatives(offer))

    async def _no_such_time(self, offer: Offer) -> NotOffered:
        return NotOffered(reason="no_such_time", alternatives=await self._alternatives(offer))

    async def _alternatives(self, offer: Offer) -> tuple[datetime, ...]:
        return await self._availability.alternatives(
            offer.office, offer.service, offer.slot_start_at, offer.service_date
        )


def _news(before: Booking, after: Booking, *, fed: bool) -> tuple[list[str], list[bytes], list[bool]]:
    """The feed rows of a move, sorted by stream: stream, body, and whether only an office that knew it gets the row.

    The office that had it hears `moved` with the old time, unless the row with the new time replaces that on its own
    stream. The new office hears of it now only inside its horizon; else the daily job tells it.
    """
    rows: dict[str, tuple[bytes, bool]] = {}
    gone = msgspec.structs.replace(before, version=after.version)
    rows[office_stream(before.office_id)] = (feed_body(gone, "moved"), True)
    if fed:
        rows[office_stream(after.office_id)] = (feed_body(after), False)
    ordered = sorted(rows.items())
    return [one for one, _ in ordered], [body for _, (body, _) in ordered], [old for _, (_, old) in ordered]


def _booking(row: Any) -> Booking:
    return msgspec.convert({**row, "needs": tuple(row["needs"])}, Booking)
