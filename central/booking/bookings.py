"""Holds, bookings and their changes: what the portal, the API and staff call. All outcomes are values.

Each act is one statement (`seats.sql`), so it is whole or not at all, and its answer is stored with it: the same request_id
gets the same answer however often it comes.
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import structlog

from central.booking.appointments import (
    Booked,
    Booking,
    BookOutcome,
    Channel,
    Crowded,
    Held,
    HoldOutcome,
    LimitReached,
    NotOffered,
    Person,
    Recovering,
    Reused,
    Taken,
    Wish,
)
from central.booking.availability import Availability
from central.booking.claims import Answered, ClaimEnd, Clash, Closed, Unplanned, Where, Won, claim, find_answer, queries
from central.booking.documents import Document, KnownDocument
from central.booking.groups import Ask
from central.booking.news import answer_of, feed_body, letter_of
from central.booking.offers import Offer, offer_of
from central.booking.rules import DOCUMENT_END_LENGTH, fingerprint, is_fed, new_locator, person_hash
from central.booking.surge import Surge
from central.context import Central
from central.offices.store import CatalogueCopy
from sync.io.ids import new_id
from sync.messages.feed import office_stream

log = structlog.get_logger(__name__)

LOCATOR_TRIES = 8
MAX_EXTENSIONS = 3


class Bookings:
    """Makes holds and bookings.

    Args:
        availability: asked for alternatives when somebody else was first.
        random_below: source of locators.
    """

    def __init__(
        self,
        central: Central,
        catalogue: CatalogueCopy,
        availability: Availability,
        random_below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._central = central
        self._catalogue = catalogue
        self._availability = availability
        self._random_below = random_below
        self._surge = Surge(central.pool, central.settings.database.lock_timeout_ms)

    async def hold(
        self, wish: Wish, *, hold_id: str | None = None, replaces: str | None = None, holder: bytes | None = None
    ) -> HoldOutcome:
        """Keep the seats of a wish while somebody fills in the form.

        Args:
            hold_id: made by who may ask twice at once; asked again, the answer is the hold that stands under it.
            replaces: the hold that the same form had before; it is released once the new one stands.
            holder: where it is asked from (`holder_hash`): only so many holds of one stand at a time. None is not bounded.
        """
        offer = await self._offer(wish)
        if isinstance(offer, NotOffered):
            return offer
        now, hold_id = self._central.clock.now(), hold_id or new_id()
        if crowded := await self._crowded(holder, now, replaces):
            return await self.held(hold_id) or crowded
        held_until = now + timedelta(minutes=self._central.settings.booking.hold_min)
        arguments = (
            hold_id, now, held_until, offer.office.id, offer.pool.id, offer.starts, offer.service.id,
            offer.service.duration_min, replaces, holder, self._central.settings.booking.holds_per_address,
        )  # fmt: skip
        where = self._where(hold_id, offer, replaces)
        lock_timeout_ms = self._central.settings.database.lock_timeout_ms
        end = await claim(self._central.pool, "hold", arguments, where, lock_timeout_ms)
        if isinstance(end, Closed):
            return Recovering()
        if isinstance(end, Unplanned):
            return await self._no_such_time(offer)
        if not isinstance(end, Won):  # perhaps by this very hold, asked for twice
            return await self.held(hold_id) or await self._crowded(holder, now, replaces) or await self._taken(offer)
        self._availability.changed(offer.office.id, offer.service_date)
        if replaces is not None:
            await self.release(replaces)
        return Held(hold_id=hold_id, wish=wish, held_until=held_until)

    async def _crowded(self, holder: bytes | None, now: datetime, replaces: str | None) -> Crowded | None:
        """Looked at before the claim, which decides, to spare it; and after it, to tell why it found nothing."""
        if holder is None:
            return None
        row = await self._central.pool.fetchrow(queries.standing_holds, holder, now, replaces)
        if row["holds"] < self._central.settings.booking.holds_per_address:
            return None
        return Crowded(retry_after_s=max(1, int((row["first_ends_at"] - now).total_seconds())))

    async def is_recovering(self) -> bool:
        """Whether nothing can be held or booked because a restored central waits for offices."""
        return bool(await self._central.pool.fetchval(queries.is_recovering))

    async def extend(self, hold_id: str, so_far: int) -> Held | None:
        """Keep a hold for the full time again; none if it has ended or was extended too often.

        Args:
            so_far: how often it was extended when this was asked for. Asked twice, the second gets the hold as it stands.
        """
        now = self._central.clock.now()
        until = now + timedelta(minutes=self._central.settings.booking.hold_min)
        try:
            extended = await self._central.pool.fetchval(queries.extend, hold_id, now, until, MAX_EXTENSIONS, so_far)
        except asyncpg.DeadlockDetectedError:
            return None  # the same hold is being confirmed, in another tab
        held = await self.held(hold_id)
        return held if held is not None and (extended is not None or held.extensions > so_far) else None

    async def held(self, hold_id: str) -> Held | None:
        """A hold that still stands."""
        row = await self._central.pool.fetchrow(queries.held, hold_id, self._central.clock.now())
        if row is None:
            return None
        wish = Wish(office_id=row["office_id"], service_id=row["service_id"], slot_start_at=row["start_at"])
        return Held(hold_id=hold_id, wish=wish, held_until=row["held_until"], extensions=row["extensions"])

    async def release(self, hold_id: str) -> None:
        """Give a hold's seats back; nothing happens if it has none any more."""
        for row in await self._central.pool.fetch(queries.release, hold_id):
            self._availability.changed(row["office_id"], row["service_date"])

    async def confirm(
        self, request_id: str, wish: Wish, person: Person, hold_id: str, channel: Channel = "portal"
    ) -> BookOutcome:
        """Book with the hold's seats; if the hold has lapsed, with free ones of the same slots."""
        return await self._book(request_id, wish, person, hold_id, channel)

    async def book(self, request_id: str, wish: Wish, person: Person, channel: Channel = "api") -> BookOutcome:
        """Book at once, without a hold."""
        return await self._book(request_id, wish, person, None, channel)

    async def _book(
        self, request_id: str, wish: Wish, person: Person, hold_id: str | None, channel: Channel
    ) -> BookOutcome:
        who = self._person_hash(person.document)
        asked = fingerprint("book", wish.office_id, wish.service_id, wish.slot_start_at.isoformat(), who.hex())
        offer = await self._offer(wish, chosen=hold_id is not None)
        if isinstance(offer, NotOffered):
            before = await find_answer(self._central.pool, request_id)
            return offer if before is None else answered_before(before, asked)
        for _ in range(LOCATOR_TRIES):
            booking = self._new_booking(offer, person)
            answer = answer_of(booking, self._central.keys)
            arguments = self._book_arguments(
                request_id=request_id,
                asked=asked,
                answer=answer,
                offer=offer,
                booking=booking,
                person=person,
                who=who,
                hold_id=hold_id,
                channel=channel,
            )
            where = self._where(request_id, offer, hold_id)
            end = await self._surge.book(
                Ask(
                    arguments=arguments,
                    appointment_id=booking.appointment_id,
                    where=where,
                    person=(who, booking.family),
                )
            )
            if not (isinstance(end, Clash) and end.key == "locator"):
                return await self._book_outcome(end, asked, answer, offer)
        raise RuntimeError("no free locator: there are too many appointments for its length")

    async def _book_outcome(self, end: ClaimEnd, asked: bytes, answer: Booked, offer: Offer) -> BookOutcome:
        match end:
            case Won():
                log.debug("appointment.booked", appointment=answer.appointment_id, office=answer.office_id)
                self._availability.changed(answer.office_id, offer.service_date)
                return answer
            case Answered():
                return answered_before(end, asked)
            case Closed():
                return Recovering()
            case Unplanned():
                return await self._no_such_time(offer)
            case Clash(key="person"):
                return LimitReached(family=offer.service.family)
            case _:
                return await self._taken(offer)

    def _book_arguments(
        self,
        *,
        request_id: str,
        asked: bytes,
        answer: Booked,
        offer: Offer,
        booking: Booking,
        person: Person,
        who: bytes,
        hold_id: str | None,
        channel: Channel,
    ) -> tuple[Any, ...]:
        fed = is_fed(offer.service_date, offer.today, self._central.settings.booking.feed_days)
        mail_id, letter = letter_of("confirmed", booking, self._central.keys, new_id)
        return (
            request_id, asked, msgspec.json.encode(answer), self._central.clock.now(), offer.office.id, offer.pool.id,
            offer.starts, hold_id, booking.appointment_id, booking.locator, offer.service.id, offer.service.family,
            offer.service_date, booking.duration_min, who, booking.language, booking.needs, channel, person.full_name,
            booking.document_end, person.email, person.phone, office_stream(offer.office.id) if fed else None,
            feed_body(booking) if fed else b"", mail_id, letter,
        )  # fmt: skip

    def _new_booking(self, offer: Offer, person: Person) -> Booking:
        return Booking(
            appointment_id=new_id(),
            version=1,
            status="booked",
            locator=new_locator(self._random_below),
            office_id=offer.office.id,
            pool_id=offer.pool.id,
            service_id=offer.service.id,
            family=offer.service.family,
            service_date=offer.service_date,
            slot_start_at=offer.slot_start_at,
            duration_min=offer.service.duration_min,
            language=person.language,
            needs=person.needs,
            link_version=1,
            full_name=person.full_name,
            document_end=_document_end(person.document),
            email=person.email,
        )

    def _person_hash(self, document: Document | KnownDocument) -> bytes:
        if isinstance(document, KnownDocument):
            return document.person_hash
        return person_hash(self._central.keys.person, document.kind, document.number)

    async def _offer(self, wish: Wish, *, chosen: bool = False) -> Offer | NotOffered:
        catalogue = await self._catalogue.current()
        return offer_of(wish, catalogue, self._central.clock.now(), self._central.settings.booking, chosen=chosen)

    def _where(self, request_id: str, offer: Offer, hold_id: str | None) -> Where:
        return Where(
            request_id=request_id,
            now=self._central.clock.now(),
            office=offer.office.id,
            pool=offer.pool.id,
            starts=offer.starts,
            hold_id=hold_id,
        )

    async def _taken(self, offer: Offer) -> Taken:
        return Taken(alternatives=await self._alternatives(offer))

    async def _no_such_time(self, offer: Offer) -> NotOffered:
        return NotOffered(reason="no_such_time", alternatives=await self._alternatives(offer))

    async def _alternatives(self, offer: Offer) -> tuple[datetime, ...]:
        return await self._availability.alternatives(
            offer.office, offer.service, offer.slot_start_at, offer.service_date
        )


def _document_end(document: Document | KnownDocument) -> str:
    return document.end if isinstance(document, KnownDocument) else document.number[-DOCUMENT_END_LENGTH:]


def answered_before(end: Answered, asked: bytes) -> Booked | Reused:
    """The stored answer, if it was given to the same question."""
    if end.fingerprint != asked:
        return Reused()
    return msgspec.json.decode(end.reply, type=Booked)
