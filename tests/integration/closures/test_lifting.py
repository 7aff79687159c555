"""A closure is lifted: who has a place again is left alone, and the day is what the city made it before."""

from __future__ import annotations

from datetime import date, time
from typing import Any

import asyncpg
import msgspec
import pytest

from central.closures import marking
from central.closures.marking import open_again
from central.closures.service import Closures
from central.offices.city import CityException
from central.offices.load import load_city
from tests.integration.booking.conftest import Bed
from tests.integration.closures.test_moving import DAY, TUESDAY, booked, close, standing, states, who
from tests.kit.small_city import small_city

pytestmark = pytest.mark.postgres


async def lift(bed: Bed, day: date = TUESDAY) -> bool:
    async with bed.pool.acquire() as connection:
        done = await open_again(connection, bed.central.settings, who(bed), office="centro", day=day)
    bed.booking.catalogue._forget(None)  # no listener tells this test's copy in time
    bed.booking.availability._on_hint(None)
    return done


@pytest.mark.parametrize("act", ["move", "offer"])
async def test_lifting_stops_what_waits_of_its_day_only(bed: Bed, act: str) -> None:
    tuesday, wednesday = await booked(bed, 0), await booked(bed, 1, days=1)
    await close(bed, until=TUESDAY + DAY)
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY + DAY)
    begun = await closures.begin(who(bed), "centro", plan, act)  # type: ignore[arg-type]
    assert await lift(bed)
    assert await states(bed, begun.run_id) == [("failed", "lifted"), ("waiting", "")]
    assert await closures.work() == 1
    assert await states(bed, begun.run_id) == [("failed", "lifted"), ("done", "")]
    assert await standing(bed, tuesday.appointment_id) == tuesday
    told = await bed.pool.fetch("SELECT appointment_id FROM mail WHERE kind <> 'confirmed'")
    assert [str(row["appointment_id"]) for row in told] == [wednesday.appointment_id]


@pytest.mark.parametrize("act", ["move", "offer"])
async def test_who_has_a_place_again_is_left_alone(bed: Bed, act: str) -> None:
    """Capacity comes back without anybody lifting anything."""
    one = await booked(bed, 0)
    await bed.pool.execute("UPDATE seat SET over = true WHERE state = 'booked'")
    closures = Closures(bed.booking)
    plan = await closures.plan("centro", TUESDAY, TUESDAY)
    begun = await closures.begin(who(bed), "centro", plan, act)  # type: ignore[arg-type]
    await bed.pool.execute("UPDATE seat SET over = false")
    await closures.work()
    assert await states(bed, begun.run_id) == [("failed", "has_place")]
    assert await standing(bed, one.appointment_id) == one
    assert await bed.pool.fetchval("SELECT count(*) FROM mail WHERE kind <> 'confirmed'") == 0


async def test_what_was_done_while_a_closure_was_lifted_counts_as_done(
    bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    begun = await closures.begin(who(bed), "centro", await closures.plan("centro", TUESDAY, TUESDAY), "move")
    real = Closures._move

    async def lifted_after(self: Closures, *given: object) -> object:
        end = await real(self, *given)  # type: ignore[arg-type]
        await lift(bed)
        return end

    monkeypatch.setattr(Closures, "_move", lifted_after)
    await closures.work()
    assert await states(bed, begun.run_id) == [("done", "")]
    assert (await standing(bed, one.appointment_id)).version == 2
    assert await bed.pool.fetchval("SELECT count(*) FROM audit WHERE act = 'appointment.moved_for_closure'") == 1


async def test_a_time_that_passed_before_its_turn_is_not_said_to_have_a_place(bed: Bed) -> None:
    await booked(bed, 0)
    await close(bed)
    closures = Closures(bed.booking)
    begun = await closures.begin(who(bed), "centro", await closures.plan("centro", TUESDAY, TUESDAY), "move")
    bed.clock.advance(hours=26)
    await closures.work()
    assert await states(bed, begun.run_id) == [("failed", "past")]


async def load_with(bed: Bed, *exceptions: CityException) -> None:
    """Load the city file again, with hours of single days for centro."""
    city = small_city()
    offices = tuple(
        msgspec.structs.replace(one, exceptions=exceptions) if one.id == "centro" else one for one in city.offices
    )
    async with bed.pool.acquire() as connection:
        await load_city(connection, msgspec.structs.replace(city, offices=offices), bed.clock.now())


async def dated(bed: Bed) -> list[tuple[Any, ...]]:
    rows = await bed.pool.fetch(
        "SELECT service_date, open, opens, closes, note, source FROM dated_hours WHERE office_id = 'centro' ORDER BY 1"
    )
    return [tuple(row) for row in rows]


SHORT = CityException(service_date=TUESDAY, open=True, opens=time(9), closes=time(12), note="feria")
SHUT = CityException(service_date=TUESDAY + DAY, open=False, note="fiesta")
SHORT_ROW = (TUESDAY, True, time(9), time(12), "feria", "city")
SHUT_ROW = (TUESDAY + DAY, False, None, None, "fiesta", "city")
CLOSED_ROW = (TUESDAY, False, None, None, "obras", "staff")


async def test_lifting_gives_a_day_the_hours_that_the_city_gave_it(bed: Bed) -> None:
    await load_with(bed, SHORT, SHUT)
    await close(bed, until=TUESDAY + DAY)
    assert await dated(bed) == [CLOSED_ROW, SHUT_ROW], "what the city closed stays the city's"
    await close(bed)
    assert [await lift(bed, TUESDAY), await lift(bed, TUESDAY + DAY)] == [True, False]
    assert await dated(bed) == [SHORT_ROW, SHUT_ROW]
    open_slots = "SELECT count(*) FROM slot WHERE office_id = 'centro' AND service_date = $1 AND open"
    assert [await bed.pool.fetchval(open_slots, TUESDAY + n * DAY) for n in range(2)] == [18, 0]
    assert await bed.pool.fetchval("SELECT count(*) FROM closed_over") == 0


async def test_a_city_file_that_is_loaded_meanwhile_counts_after_lifting(bed: Bed) -> None:
    await load_with(bed, SHORT)
    await close(bed, until=TUESDAY + DAY)
    await load_with(bed, SHUT)
    assert [row[-1] for row in await dated(bed)] == ["staff", "staff"], "what staff closed stays closed"
    assert [await lift(bed, TUESDAY), await lift(bed, TUESDAY + DAY)] == [True, True]
    assert await dated(bed) == [SHUT_ROW], "Tuesday has no hours of its own any more, Wednesday is the city's holiday"


async def test_a_closure_of_days_that_are_closed_writes_nothing_down(bed: Bed) -> None:
    await load_with(bed, SHUT)
    await close(bed, TUESDAY + DAY)
    assert await dated(bed) == [SHUT_ROW]
    assert await bed.pool.fetchval("SELECT count(*) FROM audit WHERE act = 'closure.set'") == 0


async def crashes(connection: Any, *_: Any, **__: Any) -> None:
    await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")


async def test_a_crash_before_the_slots_leaves_the_office_as_it_was(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    one = await booked(bed, 0)
    head = "SELECT max(seq) FROM feed"
    before = await bed.pool.fetchval(head)
    with monkeypatch.context() as patch, pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        patch.setattr(marking, "_plan", crashes)
        await close(bed)
    assert (await dated(bed), await bed.pool.fetchval(head)) == ([], before), "neither closed nor told"
    await close(bed)
    with monkeypatch.context() as patch, pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        patch.setattr(marking, "_plan", crashes)
        await lift(bed)
    assert await dated(bed) == [CLOSED_ROW]
    (affected,) = await Closures(bed.booking).affected("centro", TUESDAY, TUESDAY)
    assert affected.appointment_id == one.appointment_id


async def test_a_day_beyond_the_horizon_gets_no_slots_before_its_time(bed: Bed) -> None:
    far = TUESDAY + 60 * DAY
    until = await bed.pool.fetchval("SELECT slots_until FROM slot_horizon WHERE office_id = 'centro'")
    await close(bed, far)
    assert await lift(bed, far)
    assert await bed.pool.fetchval("SELECT slots_until FROM slot_horizon WHERE office_id = 'centro'") == until
    assert await bed.pool.fetchval("SELECT count(*) FROM slot WHERE service_date = $1", far) == 0
