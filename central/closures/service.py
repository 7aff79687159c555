"""Appointments without a place: who they are, what they are proposed, and the work of moving or telling them.

    begin ─▶ a run with one item each, in the order in which they were booked
    work  ─▶ item by item: moved by the statement that moves every appointment, under the item's own request id, or told by mail
             done ─ or failed, with the reason

The run and its items are in the database before anything is moved, so a crash loses nothing: the next process goes on. An item
that was moved and not yet noted is answered by its request id, and nothing is moved twice. Who cancelled or moved meanwhile is
left alone, and so is who has a place again: before each item is done it is looked at once more, and lifting a closure stops what
waits of its day.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal

import asyncpg
import msgspec
import structlog

from central.audit import Attested, note, note_once
from central.background import running
from central.booking.appointments import Booked, Booking, NotOffered, Recovering, Taken, Wish
from central.booking.changes import queries as appointments
from central.booking.claims import find_answer
from central.booking.claims import queries as seats
from central.booking.news import offer_letter
from central.booking.service import BookingService
from central.closures.marking import queries
from central.closures.rules import NOTICE, Affected, Place, Proposal, Room, by_distance, propose
from central.offices.catalogue import Catalogue, OfficeRecord
from sync.domain.service_day import service_date
from sync.io.ids import new_id

log = structlog.get_logger(__name__)

MOST: Final = 2000
"""Appointments of one office that are looked at, and moved, at a time."""
OTHER_OFFICES: Final = 4
AROUND: Final = timedelta(days=14)
AIMS: Final = 3
"""How often another place is looked for when the proposed one was taken meanwhile."""
EVERY_S: Final = 5.0
AT_ONCE: Final = 50

Do = Literal["move", "offer"]
End = tuple[Literal["done", "failed"], str]


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment in a run, as it waits for its turn.

    Args:
        notice_min: minutes from now before which no place may lie that is looked for anew.
        own_office_only: whether such a place has to be at the same office.
    """

    run_id: str
    place: int
    appointment_id: str
    request_id: str
    act: Do
    was_office_id: str
    was_start_at: datetime
    to_office_id: str
    to_start_at: datetime
    begun_by: str
    notice_min: int
    own_office_only: bool


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """A run that was begun: how many are in it, and how many found no place."""

    run_id: str
    items: int
    without_place: int


class Closures:
    """Finds, proposes and moves."""

    def __init__(self, booking: BookingService) -> None:
        self._booking = booking
        self._central = booking.central
        self._some = asyncio.Event()

    async def affected(self, office: str, since: date, until: date) -> list[Affected]:
        """Booked appointments of an office that have lost their place, in the order in which they were booked; `MOST` at most."""
        rows = await self._central.pool.fetch(queries.affected, office, since, until, self._central.clock.now(), MOST)
        return [msgspec.convert(dict(row), Affected) for row in rows]

    async def plan(
        self, office: str, since: date, until: date, *, notice: timedelta = NOTICE, own_office_only: bool = False
    ) -> list[Proposal]:
        """Those without a place, each with a proposal, in the order in which they were booked."""
        affected = await self.affected(office, since, until)
        return await self.proposed(office, affected, notice=notice, own_office_only=own_office_only)

    async def proposed(
        self, office: str, affected: Sequence[Affected], *, first: int = MOST, notice: timedelta = NOTICE,
        own_office_only: bool = False,
    ) -> list[Proposal]:  # fmt: skip
        """A proposal for the first so many of those without a place: what later ones get changes nothing for them.

        Args:
            affected: of the office, in the order in which they were booked.
        """
        if not affected:
            return []
        zone = (await self._catalogue()).offices[office].zone
        days = [service_date(one.slot_start_at, zone) for one in affected]
        services = {one.service_id for one in affected}
        rooms = await self._rooms(office, min(days), max(days), services, own_office_only=own_office_only)
        return await asyncio.to_thread(propose, affected[:first], rooms, self._central.clock.now(), notice)

    async def begin(
        self, who: Attested, office: str, proposals: Collection[Proposal], act: Do, *, notice: timedelta = NOTICE,
        own_office_only: bool = False,
    ) -> Begun:  # fmt: skip
        """Have appointments moved, or told; the work is done beside requests, by whatever process comes first.

        Args:
            proposals: those that are wanted, in the order in which they were booked. Without a place nothing is done.
            notice, own_office_only: what they were planned with; another place is looked for in the same way.
        """
        wanted = [(one.affected, one.place) for one in proposals if one.place is not None]
        run_id = new_id()
        columns: list[tuple[Any, ...]] = [
            (n, one.appointment_id, new_id(), one.office_id, one.slot_start_at, place.office_id, place.start_at)
            for n, (one, place) in enumerate(wanted, 1)
        ]
        async with self._central.pool.acquire() as connection, connection.transaction():
            minutes = int(notice.total_seconds() // 60)
            await connection.execute(queries.begin_run, run_id, office, who.at, who.actor, minutes, own_office_only)
            arrays = map(list, zip(*columns, strict=True)) if columns else ([],) * 7
            put = await connection.fetch(queries.put_items, run_id, act, *arrays)
            await note(connection, who, "closure.moves_begun", office, office=office, run=run_id, count=len(put))
        self._some.set()
        return Begun(run_id=run_id, items=len(put), without_place=len(proposals) - len(wanted))

    async def work(self) -> int | None:
        """Do what waits, in order.

        Returns:
            how many items came to an end; none: another process is at it.
        """
        async with self._central.pool.acquire() as holder:
            if not await holder.fetchval(queries.try_lock):
                return None
            try:
                done = 0
                while items := await self._waiting():
                    for item in items:
                        if (end := await self._do(item)) is None:
                            return done  # a restored central waits for its offices
                        await self._end(item, end)
                        done += 1
                await self._central.pool.execute(queries.end_runs, self._central.clock.now())
                return done
            finally:
                await holder.execute(queries.unlock)

    async def run(self) -> None:
        """Work until cancelled: at once after something was begun here, every few seconds for what others began."""
        while True:
            self._some.clear()
            try:
                await self.work()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("closures.failed", error=type(error).__name__)
            except Exception:
                log.exception("closures.failed")
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._some.wait()
            except TimeoutError:
                pass

    async def _waiting(self) -> list[Item]:
        return [msgspec.convert(dict(row), Item) for row in await self._central.pool.fetch(queries.waiting, AT_ONCE)]

    async def _do(self, item: Item) -> End | None:
        """Move or tell one; none when nothing can be booked now."""
        booking = await self._booking.changes.by_id(item.appointment_id)
        if booking is None:
            return "failed", "gone"
        if await find_answer(self._central.pool, item.request_id) is not None or _is_there(booking, item):
            return _informed(booking)  # done before a crash
        if booking.status != "booked":
            return "failed", booking.status
        if (booking.office_id, booking.slot_start_at) != (item.was_office_id, item.was_start_at):
            return "failed", "changed"
        if booking.slot_start_at <= self._central.clock.now():
            return "failed", "past"
        if not await self._central.pool.fetchval(queries.still_affected, item.appointment_id):
            return "failed", "has_place"
        return await self._offer(item, booking) if item.act == "offer" else await self._move(item, booking)

    async def _move(self, item: Item, booking: Booking) -> End | None:
        for _ in range(AIMS):
            wish = Wish(office_id=item.to_office_id, service_id=booking.service_id, slot_start_at=item.to_start_at)
            outcome = await self._booking.changes.reschedule(item.request_id, booking, wish)
            match outcome:
                case Booked():
                    return _informed(booking)
                case Recovering():
                    return None
                case Taken() | NotOffered():
                    further = await self._aim_again(item, booking)
                    if not isinstance(further, Item):
                        return further
                    item = further
                case _:
                    return "failed", "changed"
        return "failed", "taken"

    async def _aim_again(self, item: Item, booking: Booking) -> Item | End:
        """The next place for one whose proposed place was taken, looked for as the first was; or why there is none."""
        day = booking.service_date
        affected = await self.affected(booking.office_id, day, day)
        own = [one for one in affected if one.appointment_id == item.appointment_id]
        if not own:
            return "failed", "has_place"
        notice = timedelta(minutes=item.notice_min)
        (found,) = await self.proposed(booking.office_id, own, notice=notice, own_office_only=item.own_office_only)
        if found.place is None:
            return "failed", "taken"
        further = msgspec.structs.replace(
            item, request_id=new_id(), to_office_id=found.place.office_id, to_start_at=found.place.start_at
        )
        aimed = await self._central.pool.fetchval(
            queries.aim, item.run_id, item.place, further.request_id, further.to_office_id, further.to_start_at
        )
        return further if aimed is not None else ("failed", "lifted")

    async def _offer(self, item: Item, booking: Booking) -> End:
        """Write to somebody; their appointment stays until they change it. Once per version of it, however often it is tried."""
        if booking.email is None:
            return "failed", "no_mail"
        pool = self._central.pool
        letter = offer_letter(booking, self._central.keys, item.to_office_id, item.to_start_at)
        queued = await pool.fetchval(
            appointments.queue_mail, item.request_id, "offered", booking.appointment_id, booking.version, booking.email,
            letter, self._central.clock.now(),
        )  # fmt: skip
        if queued is None and not await pool.fetchval(queries.is_queued, item.request_id):
            return "failed", "told_before"
        return "done", ""

    async def _end(self, item: Item, end: End) -> None:
        state, problem = end
        now = self._central.clock.now()
        async with self._central.pool.acquire() as connection, connection.transaction():
            ended = await connection.fetchval(queries.end_item, item.run_id, item.place, state, problem, now)
            if ended is not None and state == "done":
                standing = await self._booking.changes.by_id(item.appointment_id)
                to = Place(item.to_office_id, item.to_start_at)
                if standing is not None and item.act == "move":
                    to = Place(standing.office_id, standing.slot_start_at)
                act = "appointment.moved_for_closure" if item.act == "move" else "appointment.offered_for_closure"
                await note_once(
                    connection, item.request_id, Attested(actor=item.begun_by, at=now), act, item.appointment_id,
                    office=item.was_office_id, was=_said(item.was_office_id, item.was_start_at),
                    now=_said(to.office_id, to.start_at),
                )  # fmt: skip
        log.info("closures.item_ended", appointment=item.appointment_id, act=item.act, state=state, problem=problem)

    async def _rooms(
        self, office: str, first: date, last: date, services: set[str], *, own_office_only: bool = False
    ) -> list[Room]:
        """The free seats of the office and its nearest neighbours, some days around."""
        catalogue, now = await self._catalogue(), self._central.clock.now()
        own = catalogue.offices[office]
        others = {
            one.id: (one.latitude, one.longitude)
            for one in catalogue.offices.values()
            if one.id != office and any(one.pool_for(service) for service in services)
        }
        near = [] if own_office_only else by_distance((own.latitude, own.longitude), others)[:OTHER_OFFICES]
        found = []
        for record in (own, *(catalogue.offices[each] for each in near)):
            today = service_date(now, record.zone)
            horizon = today + timedelta(days=self._central.settings.booking.horizon_days)
            begin, end = max(today, first - AROUND), min(horizon, last + AROUND)
            days = [begin + timedelta(days=n) for n in range((end - begin).days + 1)]
            rows = await self._central.pool.fetch(seats.free_seats, record.id, days, now)
            found += _rooms_of(catalogue, record, rows, services)
        return found

    async def _catalogue(self) -> Catalogue:
        return await self._booking.catalogue.current()


def _rooms_of(catalogue: Catalogue, office: OfficeRecord, rows: Any, services: set[str]) -> list[Room]:
    free: dict[str, dict[datetime, int]] = {}
    for row in rows:
        free.setdefault(row["pool_id"], {})[row["start_at"]] = row["free"]
    found = []
    for pool in office.pools:
        here = frozenset(one for one in services if office.pool_for(one) is pool and catalogue.services[one].bookable)
        if here:
            found.append(
                Room(
                    office_id=office.id,
                    pool_id=pool.id,
                    slot_min=pool.capacity.slot_min,
                    services=here,
                    durations={one: catalogue.services[one].duration_min for one in here},
                    free=free.get(pool.id, {}),
                )
            )
    return found


def _is_there(booking: Booking, item: Item) -> bool:
    """Whether an appointment is where its item wants it."""
    return item.act == "move" and (booking.office_id, booking.slot_start_at) == (item.to_office_id, item.to_start_at)


def _informed(booking: Booking) -> End:
    """Moved; who has no address has to be called."""
    return "done", "" if booking.email is not None else "no_mail"


def _said(office: str, at: datetime) -> str:
    return f"{office} {at.isoformat(timespec='minutes')}"


@asynccontextmanager
async def open_closures(booking: BookingService) -> AsyncIterator[Closures]:
    """The work of moving, beside requests; it ends with the block."""
    closures = Closures(booking)
    async with running(closures.run()):
        yield closures
