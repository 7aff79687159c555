"""An office closes: nobody is booked twice, everybody is told, what breaks off goes on, and what cannot be done says why."""

from __future__ import annotations

import asyncio
import threading
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from central.audit import Attested
from central.booking.appointments import Booked, Booking
from central.closures import service
from central.closures.marking import close_office, open_again
from central.closures.rules import Place, propose
from central.closures.service import Closures
from central.notices.letters import Letter
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish
from tests.kit.small_city import MONDAY_8H

pytestmark = pytest.mark.postgres

TUESDAY = date(2026, 11, 24)
DAY = timedelta(days=1)


def who(bed: Bed) -> Attested:
    return Attested(actor="centro/rocio", at=bed.clock.now())


async def booked(
    bed: Bed, n: int, *, service: str = "viaje", mail: bool = True, office: str = "centro", days: int = 0
) -> Booking:
    start_at = TUESDAY_9H + timedelta(minutes=10 * n, days=days)
    email = f"p{n}@example.org" if mail else None
    outcome = await bed.booking.bookings.book(
        request_id(), wish(start_at, service, office), person(100 * days + n, email)
    )
    assert isinstance(outcome, Booked), outcome
    bed.clock.advance(seconds=1)
    return await standing(bed, outcome.appointment_id)


async def standing(bed: Bed, appointment: str) -> Booking:
    found = await bed.booking.changes.by_id(appointment)
    assert found is not None
    return found


async def close(bed: Bed, since: date = TUESDAY, until: date | None = None, office: str = "centro") -> None:
    async with bed.pool.acquire() as connection:
        done = await close_office(
            connection, bed.central.settings, who(bed), office=office, since=since, until=until or since, reason="obras"
        )
    assert isinstance(done, list), done
    bed.booking.catalogue._forget(None)  # no listener tells this test's copy in time
    bed.booking.availability._on_hint(None)


async def moved(bed: Bed, closures: Closures, **options: Any) -> str:
    plan = await closures.plan("centro", TUESDAY, TUESDAY + 30 * DAY, **options)
    begun = await closures.begin(who(bed), "centro", plan, "move")
    await closures.work()
    return begun.run_id


async def seats_are_sound(bed: Bed) -> None:
    """Every booked appointment has exactly its seats, on open slots, and no seat is anybody else's."""
    wrong = await bed.pool.fetch("""
        SELECT a.appointment_id FROM appointment a WHERE a.status = 'booked' AND cardinality(a.starts) <> (
            SELECT count(*) FROM seat JOIN slot USING (slot_id) WHERE seat.appointment_id = a.appointment_id
              AND seat.state = 'booked' AND slot.start_at = ANY (a.starts) AND slot.office_id = a.office_id)""")
    assert wrong == []
    strays = await bed.pool.fetchval("""
        SELECT count(*) FROM seat LEFT JOIN appointment a USING (appointment_id)
        WHERE seat.state = 'booked' AND a.status IS DISTINCT FROM 'booked'""")
    assert strays == 0


async def states(bed: Bed, run: str) -> list[tuple[str, str]]:
    rows = await bed.pool.fetch("SELECT state, problem FROM closure_item WHERE run_id = $1 ORDER BY place", run)
    return [tuple(row) for row in rows]


async def test_a_closed_day_is_moved_in_the_order_of_booking(bed: Bed) -> None:
    late = await booked(bed, 3)
    early = await booked(bed, 0)
    wednesday = await booked(bed, 0, days=1)
    await close(bed)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    assert [one.affected.appointment_id for one in plan] == [late.appointment_id, early.appointment_id]
    assert [one.place for one in plan] == [
        Place("centro", wednesday.slot_start_at + timedelta(minutes=10)),
        Place("centro", wednesday.slot_start_at + timedelta(minutes=20)),
    ], "the first free times after Tuesday, in the order of booking"
    run = await moved(bed, closures)
    assert await states(bed, run) == [("done", "")] * 2
    for before in (late, early):
        after = await standing(bed, before.appointment_id)
        assert (after.office_id, after.service_date > TUESDAY, after.version) == ("centro", True, 2)
        assert (after.locator, after.link_version) == (before.locator, before.link_version), "link and code go on"
    assert await standing(bed, wednesday.appointment_id) == wednesday
    await seats_are_sound(bed)
    assert await bed.pool.fetchval("SELECT ended_at FROM closure_run") is not None
    assert await closures.plan("centro", TUESDAY, TUESDAY) == []


async def test_who_is_moved_is_told_in_their_language_and_the_office_too(bed: Bed) -> None:
    one = await booked(bed, 0)
    await bed.pool.execute("UPDATE appointment SET language = 'ar'")
    await close(bed)
    await moved(bed, Closures(bed.booking))
    letters = [
        msgspec.json.decode(row["message"], type=Letter)
        for row in await bed.pool.fetch("SELECT message FROM mail ORDER BY version")
    ]
    assert [(each.kind, each.language) for each in letters] == [("confirmed", "es"), ("moved", "ar")]
    assert letters[1].link == letters[0].link
    after = await standing(bed, one.appointment_id)
    assert letters[1].slot_start_at == after.slot_start_at
    assert (await bed.feed("centro"))[-1]["version"] == 2
    acts = await bed.pool.fetch("SELECT actor, subject, office FROM audit WHERE act = 'appointment.moved_for_closure'")
    assert [tuple(act) for act in acts] == [("centro/rocio", one.appointment_id, "centro")]


async def test_another_office_is_proposed_when_ones_own_stays_closed(bed: Bed) -> None:
    one = await booked(bed, 0)
    await close(bed, until=TUESDAY + 6 * DAY)
    closures = Closures(bed.booking)
    (own,) = await closures.plan("centro", TUESDAY, TUESDAY, own_office_only=True)
    assert own.place is not None
    assert own.place.office_id == "centro"
    (any_,) = await closures.plan("centro", TUESDAY, TUESDAY)
    assert any_.place == Place("real", one.slot_start_at)
    await moved(bed, closures)
    assert (await standing(bed, one.appointment_id)).office_id == "real"
    await seats_are_sound(bed)


async def test_a_crash_between_move_and_note_moves_nobody_twice(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    people = [await booked(bed, n) for n in range(4)]
    await close(bed)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    await closures.begin(who(bed), "centro", plan, "move")
    real, calls = Closures._end, 0

    async def dies_at_the_third(self: Closures, item: Any, end: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise ConnectionError
        await real(self, item, end)

    monkeypatch.setattr(Closures, "_end", dies_at_the_third)
    with pytest.raises(ConnectionError):
        await closures.work()
    monkeypatch.setattr(Closures, "_end", real)
    versions = [(await standing(bed, one.appointment_id)).version for one in people]
    assert versions == [2, 2, 2, 1]
    assert await Closures(bed.booking).work() == 2
    assert [(await standing(bed, one.appointment_id)).version for one in people] == [2] * 4
    assert await bed.pool.fetchval("SELECT count(*) FROM mail WHERE kind = 'moved'") == 4
    assert await bed.pool.fetchval("SELECT count(*) FROM audit WHERE act = 'appointment.moved_for_closure'") == 4
    await seats_are_sound(bed)


async def test_two_processes_move_each_appointment_once(bed: Bed) -> None:
    people = [await booked(bed, n) for n in range(6)]
    await close(bed)
    one, other = Closures(bed.booking), Closures(bed.booking)
    plans = await asyncio.gather(one.plan("centro", TUESDAY, TUESDAY), other.plan("centro", TUESDAY, TUESDAY))
    for closures, plan in zip((one, other), plans, strict=True):
        await closures.begin(who(bed), "centro", plan, "move")
    assert await bed.pool.fetchval("SELECT count(*) FROM closure_item") == 6, "who waits already is not taken again"
    await asyncio.gather(one.work(), other.work())
    await one.work()
    assert [(await standing(bed, each.appointment_id)).version for each in people] == [2] * 6
    await seats_are_sound(bed)


async def test_a_place_that_was_taken_meanwhile_gives_way_to_the_next(bed: Bed) -> None:
    one = await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    (proposal,) = await closures.plan("centro", TUESDAY, TUESDAY)
    assert proposal.place is not None
    await closures.begin(who(bed), "centro", [proposal], "move")
    rival = await bed.booking.bookings.book(request_id(), wish(proposal.place.start_at), person(77))
    assert isinstance(rival, Booked)
    await closures.work()
    after = await standing(bed, one.appointment_id)
    assert after.version == 2
    assert after.slot_start_at != proposal.place.start_at
    await seats_are_sound(bed)


@pytest.mark.parametrize(
    "options, days",
    [({"notice": 3 * DAY}, 3), ({"own_office_only": True}, 1), ({"own_office_only": True, "notice": 3 * DAY}, 3)],
)
async def test_the_next_place_is_looked_for_as_the_first_was(bed: Bed, options: dict[str, Any], days: int) -> None:
    one = await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    (proposal,) = await closures.plan("centro", TUESDAY, TUESDAY, **options)
    assert proposal.place is not None
    await closures.begin(who(bed), "centro", [proposal], "move", **options)
    rival = await bed.booking.bookings.book(
        request_id(), wish(proposal.place.start_at, office=proposal.place.office_id), person(77)
    )
    assert isinstance(rival, Booked)
    await closures.work()
    after = await standing(bed, one.appointment_id)
    assert after.version == 2
    assert after.slot_start_at >= MONDAY_8H + days * DAY
    if "own_office_only" in options:
        assert after.office_id == "centro"


async def test_who_was_proposed_their_own_office_goes_to_another_when_it_filled_up(bed: Bed) -> None:
    one = await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    (proposal,) = await closures.plan("centro", TUESDAY, TUESDAY)
    assert proposal.place is not None
    assert proposal.place.office_id == "centro"
    for same_office in (True, False):
        await closures.begin(who(bed), "centro", [proposal], "move", own_office_only=same_office)
        await close(bed, until=TUESDAY + 30 * DAY)
        await closures.work()
        after = await standing(bed, one.appointment_id)
        assert (after.office_id, after.version) == (("centro", 1) if same_office else ("real", 2))
    assert await bed.pool.fetchval("SELECT count(*) FROM closure_item WHERE problem = 'taken'") == 1


async def test_a_run_that_is_being_begun_keeps_another_from_the_same_appointments(bed: Bed) -> None:
    """Neither sees the other's items: only the database can tell."""
    await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    first = await closures.begin(who(bed), "centro", plan, "move")
    async with bed.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("DELETE FROM closure_item")
        await connection.execute(
            "INSERT INTO closure_item (run_id, place, appointment_id, request_id, act, was_office_id, was_start_at,"
            " to_office_id, to_start_at) SELECT $1, 7, $2, $3, 'move', 'centro', now(), 'real', now()",
            first.run_id, plan[0].affected.appointment_id, request_id(),
        )  # fmt: skip
        second = asyncio.create_task(closures.begin(who(bed), "centro", plan, "move"))
        await asyncio.sleep(0.2)
        await transaction.commit()
    assert (await second).items == 0
    assert await bed.pool.fetchval("SELECT count(*) FROM closure_item WHERE state = 'waiting'") == 1


async def test_proposing_leaves_the_loop_alone_and_is_bounded(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        await booked(bed, n)
    await close(bed)
    here, seen = threading.current_thread(), list[tuple[bool, int]]()

    def looks(affected: Any, *given: Any) -> Any:
        seen.append((threading.current_thread() is here, len(affected)))
        return propose(affected, *given)

    monkeypatch.setattr(service, "propose", looks)
    closures = Closures(bed.booking)
    affected = await closures.affected("centro", TUESDAY, TUESDAY)
    some = await closures.proposed("centro", affected, first=2)
    assert some == (await closures.plan("centro", TUESDAY, TUESDAY))[:2], "whoever comes later changes nothing"
    assert seen == [(False, 2), (False, 4)]


async def test_what_cannot_be_moved_says_why(bed: Bed) -> None:
    cancelled, changed, silent = [await booked(bed, n, mail=n < 2) for n in range(3)]
    await close(bed)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    begun = await closures.begin(who(bed), "centro", plan, "move")
    await bed.booking.changes.cancel(cancelled)
    outcome = await bed.booking.changes.reschedule(request_id(), changed, wish(TUESDAY_9H + 3 * DAY))
    assert isinstance(outcome, Booked)
    await closures.work()
    assert await states(bed, begun.run_id) == [("failed", "cancelled"), ("failed", "changed"), ("done", "no_mail")]
    assert (await standing(bed, changed.appointment_id)).slot_start_at == TUESDAY_9H + 3 * DAY
    assert (await standing(bed, silent.appointment_id)).version == 2


async def test_without_any_room_nobody_is_touched(bed: Bed) -> None:
    one = await booked(bed, 0)
    for office in ("centro", "real"):
        await close(bed, until=TUESDAY + 30 * DAY, office=office)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    assert [each.place for each in plan] == [None]
    begun = await closures.begin(who(bed), "centro", plan, "move")
    assert (begun.items, begun.without_place) == (0, 1)
    await closures.work()
    assert await standing(bed, one.appointment_id) == one


async def test_an_offer_is_one_mail_and_the_appointment_stays(bed: Bed) -> None:
    one, silent = await booked(bed, 0), await booked(bed, 1, mail=False)
    await close(bed)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    for _ in range(2):
        await closures.begin(who(bed), "centro", plan, "offer")
        await closures.work()
        bed.clock.advance(seconds=1)
    assert [await standing(bed, each.appointment_id) for each in (one, silent)] == [one, silent]
    (row,) = await bed.pool.fetch("SELECT message FROM mail WHERE kind = 'offered'")
    letter = msgspec.json.decode(row["message"], type=Letter)
    assert plan[0].place is not None
    assert (letter.offer_office_id, letter.offer_start_at) == (plan[0].place.office_id, plan[0].place.start_at)
    assert letter.token == ""
    ends = "SELECT state, problem FROM closure_item JOIN closure_run USING (run_id) WHERE appointment_id = $1 ORDER BY began_at"
    assert [tuple(each) for each in await bed.pool.fetch(ends, silent.appointment_id)] == [("failed", "no_mail")] * 2
    assert [tuple(each) for each in await bed.pool.fetch(ends, one.appointment_id)] == [
        ("done", ""),
        ("failed", "told_before"),
    ]
    assert await bed.pool.fetchval("SELECT count(*) FROM audit WHERE act = 'appointment.offered_for_closure'") == 1


async def test_a_crash_after_an_offer_was_queued_counts_it_as_told(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    begun = await closures.begin(who(bed), "centro", await closures.plan("centro", TUESDAY, TUESDAY), "offer")

    async def dies(*_: Any) -> None:
        raise ConnectionError

    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(Closures, "_end", dies)
        await closures.work()
    assert await closures.work() == 1
    assert await states(bed, begun.run_id) == [("done", "")]
    assert await bed.pool.fetchval("SELECT count(*) FROM mail WHERE kind = 'offered'") == 1


async def test_less_capacity_is_found_like_a_closure(bed: Bed) -> None:
    await booked(bed, 0)
    await bed.pool.execute("UPDATE seat SET over = true WHERE state = 'booked'")
    (proposal,) = await Closures(bed.booking).plan("centro", TUESDAY, TUESDAY)
    assert proposal.place is not None


async def test_an_office_opens_again_and_its_appointments_have_their_place(bed: Bed) -> None:
    one = await booked(bed, 0)
    await close(bed)
    assert len(await Closures(bed.booking).affected("centro", TUESDAY, TUESDAY)) == 1
    async with bed.pool.acquire() as connection:
        for expected in (True, False):
            assert (
                await open_again(connection, bed.central.settings, who(bed), office="centro", day=TUESDAY) is expected
            )
    assert await Closures(bed.booking).affected("centro", TUESDAY, TUESDAY) == []
    assert await standing(bed, one.appointment_id) == one
    acts = await bed.pool.fetch("SELECT act FROM audit WHERE act LIKE 'closure.%' ORDER BY at, act")
    assert sorted(act["act"] for act in acts) == ["closure.lifted", "closure.set"]


@pytest.mark.parametrize(
    "since, until, office, refusal",
    [
        (TUESDAY, TUESDAY, "nowhere", "no_office"),
        (TUESDAY - 2 * DAY, TUESDAY, "centro", "past"),
        (TUESDAY, TUESDAY - DAY, "centro", "backwards"),
        (TUESDAY, TUESDAY + 31 * DAY, "centro", "too_many"),
    ],
)
async def test_a_closure_that_cannot_be_says_why(bed: Bed, since: date, until: date, office: str, refusal: str) -> None:
    async with bed.pool.acquire() as connection:
        done = await close_office(
            connection, bed.central.settings, who(bed), office=office, since=since, until=until, reason=""
        )
    assert done == refusal


async def test_a_restored_central_moves_nobody_and_goes_on_later(bed: Bed) -> None:
    one = await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    await bed.pool.execute("UPDATE central_life SET awaited = '{real}'")
    await moved(bed, closures)
    assert (await standing(bed, one.appointment_id)).version == 1
    await bed.pool.execute("UPDATE central_life SET awaited = '{}'")
    assert await closures.work() == 1
    assert (await standing(bed, one.appointment_id)).version == 2
