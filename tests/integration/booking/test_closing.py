"""Appointments whose day is over: closed once, as well as central knows, and never before."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from central.booking.appointments import Booked, LimitReached
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish

pytestmark = pytest.mark.postgres

TUESDAY = date(2026, 11, 24)


async def booked(bed: Bed, office: str = "centro", number: int = 1, days: int = 0) -> str:
    at = TUESDAY_9H + timedelta(days=days, minutes=10 * number)
    outcome = await bed.booking.bookings.book(request_id(), wish(at, office=office), person(number))
    assert isinstance(outcome, Booked)
    return outcome.appointment_id


async def statuses(bed: Bed) -> list[tuple[str, str]]:
    rows = await bed.pool.fetch("SELECT office_id, status FROM appointment ORDER BY slot_start_at, office_id")
    return [tuple(row) for row in rows]


async def reported(bed: Bed, office: str, day: date = TUESDAY) -> None:
    await bed.pool.execute("INSERT INTO closed_day (office, service_date) VALUES ($1, $2)", office, day)


async def test_a_day_that_was_reported_ends_in_no_show_and_one_that_was_not_in_unknown(bed: Bed) -> None:
    await booked(bed, "centro", 1)
    await booked(bed, "real", 2)
    await reported(bed, "centro")
    bed.clock.advance(hours=48)

    assert await bed.upkeep.close_past() == 2
    assert await statuses(bed) == [("centro", "no_show"), ("real", "unknown")]
    assert await bed.upkeep.close_past() == 0

    await reported(bed, "real")
    assert await bed.upkeep.close_past() == 1
    assert await statuses(bed) == [("centro", "no_show"), ("real", "no_show")]


async def test_today_is_not_touched_even_if_its_office_closed_early(bed: Bed) -> None:
    await booked(bed, "centro", 1)
    await booked(bed, "centro", 2, days=1)
    await reported(bed, "centro")
    bed.clock.advance(hours=43, minutes=59)  # Wednesday, a minute before the service day ends

    assert await bed.upkeep.close_past() == 0
    bed.clock.advance(minutes=1)
    assert await bed.upkeep.close_past() == 1
    assert await statuses(bed) == [("centro", "no_show"), ("centro", "booked")]


@pytest.mark.parametrize("status", ["attended", "cancelled"])
async def test_what_has_an_end_keeps_it(bed: Bed, status: str) -> None:
    appointment_id = await booked(bed)
    await bed.pool.execute("UPDATE appointment SET status = $2 WHERE appointment_id = $1", appointment_id, status)
    await reported(bed, "centro")
    bed.clock.advance(hours=48)

    assert await bed.upkeep.close_past() == 0
    assert await statuses(bed) == [("centro", status)]


async def test_nothing_is_closed_while_a_restored_central_waits_for_reports(bed: Bed) -> None:
    await booked(bed)
    await bed.pool.execute("UPDATE central_life SET awaited = '{real}'")
    bed.clock.advance(hours=48)
    assert await bed.upkeep.close_past() == 0

    await bed.pool.execute("UPDATE central_life SET awaited = '{}'")
    assert await bed.upkeep.close_past() == 1


async def test_more_than_fit_into_one_step_are_closed_by_several_closers_once(bed: Bed) -> None:
    await bed.pool.execute(
        """
        INSERT INTO appointment (
            appointment_id, locator, office_id, pool_id, service_id, family, service_date, slot_start_at, starts,
            duration_min, person_hash, language, channel, booked_at, changed_at
        )
        SELECT gen_random_uuid(), 'L' || n, 'centro', 'todo', 'viaje', 'viaje', '2026-11-20', '2026-11-20 09:00Z', '{}',
               5, int4send(n), 'es', 'portal', now(), now()
        FROM generate_series(1, 450) n
        """
    )
    assert sum(await asyncio.gather(bed.upkeep.close_past(), bed.upkeep.close_past())) == 450
    assert {status for _, status in await statuses(bed)} == {"unknown"}


async def test_who_did_not_come_may_book_again(bed: Bed) -> None:
    await booked(bed)
    bed.clock.advance(hours=48)
    again = wish(TUESDAY_9H + timedelta(days=3))
    assert isinstance(await bed.booking.bookings.book(request_id(), again, person()), LimitReached)

    await bed.upkeep.close_past()
    assert isinstance(await bed.booking.bookings.book(request_id(), again, person()), Booked)
