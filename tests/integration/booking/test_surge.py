"""Bookings that are written together: the same answers as one after the other, and nobody suffers for somebody else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from central.booking.appointments import Booked, BookOutcome, Held, LimitReached, Person, Reused, Taken
from central.booking.documents import Document
from central.booking.service import make_booking
from central.booking.surge import queries
from sync.messages.feed import FeedRow, chain_row
from tests.integration.booking.conftest import TUESDAY_9H, Bed, person, request_id, wish
from tests.integration.booking.serial_order import Asked, City, Told, has_serial_order

pytestmark = pytest.mark.postgres

GENESIS = bytes(32)
SEATS = 3
"""Per slot, where callers are mixed."""


class Watched:
    """The real pool, noting how many bookings each group had."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool
        self.groups: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    async def fetch(self, text: str, *arguments: Any) -> Any:
        if text == queries.book_group:
            self.groups.append(len(arguments[0]))
        return await self._pool.fetch(text, *arguments)


@pytest.fixture
async def watched(bed: Bed) -> Watched:
    await bed.booking.catalogue.current()  # what is read once, so that who comes at once stands in line at once
    pool = Watched(bed.pool)
    bed.booking.bookings._surge._pool = pool
    return pool


async def chain_is_dense(bed: Bed, office: str) -> int:
    """The length of an office's stream, after a look at every row of it."""
    rows = await bed.pool.fetch("SELECT * FROM feed WHERE stream = $1 ORDER BY seq", f"office:{office}")
    running = GENESIS
    for number, row in enumerate(rows, 1):
        one = FeedRow(
            seq=row["seq"], kind=row["kind"], entity_id=row["entity_id"], version=row["version"], op=row["op"],
            body=msgspec.Raw(row["body"]),
        )  # fmt: skip
        running = chain_row(running, one)
        assert (row["seq"], row["row_hash"]) == (number, running)
    return len(rows)


async def whole(bed: Bed) -> None:
    """Every appointment has its seats, its stored answer, its feed row and its letter, and nothing else has any."""
    seats = "SELECT appointment_id, count(*) FROM seat WHERE state = 'booked' GROUP BY 1 ORDER BY 1"
    needed = "SELECT appointment_id, cardinality(starts) FROM appointment ORDER BY 1"
    assert await bed.pool.fetch(seats) == await bed.pool.fetch(needed)
    ids = {str(row[0]) for row in await bed.pool.fetch(needed)}
    replies = await bed.pool.fetch("SELECT reply FROM booking_reply")
    assert {msgspec.json.decode(row["reply"])["appointment_id"] for row in replies} == ids
    assert len(replies) == len(ids)
    fed = "SELECT entity_id FROM feed WHERE kind = 'appointment'"
    assert sorted(row["entity_id"] for row in await bed.pool.fetch(fed)) == sorted(ids)
    lettered = "SELECT appointment_id FROM appointment WHERE email IS NOT NULL ORDER BY 1"
    assert await bed.pool.fetch("SELECT appointment_id FROM mail ORDER BY 1") == await bed.pool.fetch(lettered)


@pytest.mark.parametrize("bed", [60], indirect=True)
async def test_who_comes_together_is_written_together_and_complete(bed: Bed, watched: Watched) -> None:
    fed = await chain_is_dense(bed, "centro")
    people = [
        Person(
            full_name=f"Fátima {n}", document=Document("passport", f"AB{n:06}"), phone="956" if n % 2 else None,
            email=f"p{n}@example.org" if n % 3 else None, needs=("wheelchair", "sign_language")[: n % 3],
        )
        for n in range(60)
    ]  # fmt: skip
    outcomes = await asyncio.gather(*(bed.booking.bookings.book(request_id(), wish(), one) for one in people))

    assert all(isinstance(one, Booked) for one in outcomes)
    assert max(watched.groups) == 50
    assert sum(watched.groups) == 60
    await whole(bed)
    assert await chain_is_dense(bed, "centro") == fed + 60
    rows = await bed.pool.fetch("SELECT * FROM appointment ORDER BY document_end")
    assert [(row["full_name"], row["email"], row["phone"], tuple(row["needs"]), row["channel"]) for row in rows] == [
        (one.full_name, one.email, one.phone, one.needs, "api") for one in people
    ]
    assert {(tuple(row["starts"]), row["slot_start_at"], row["fed_version"]) for row in rows} == {
        ((TUESDAY_9H,), TUESDAY_9H, 1)
    }


@pytest.mark.parametrize("bed", [3], indirect=True)
async def test_a_lone_booking_goes_as_it_always_did(bed: Bed, watched: Watched) -> None:
    for number in range(3):
        assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person(number)), Booked)
    assert watched.groups == []


@pytest.mark.parametrize("bed", [SEATS], indirect=True)
async def test_answers_are_those_of_some_serial_order(bed: Bed, watched: Watched) -> None:
    """Mixes of repeated requests, second appointments, overlapping needs and holds, on few seats."""
    told: set[Told] = set()
    for seed in range(20):
        asked, city, outcomes = await mix(bed, random.Random(seed), day=seed % 4, first_person=100 * seed)
        answers = read(asked, outcomes)
        assert has_serial_order(city, asked, answers), (seed, asked, answers)
        told |= set(answers)

    assert told == {"booked", "again", "reused", "taken", "limit"}
    assert max(watched.groups) >= 6
    await whole(bed)
    await chain_is_dense(bed, "centro")


async def mix(
    bed: Bed, chance: random.Random, *, day: int, first_person: int
) -> tuple[list[Asked], City, Sequence[BookOutcome]]:
    """Callers all at once, in a corner of the day that no other mix has."""
    first = chance.randrange(4) + 6 * (first_person // 400)
    at = [TUESDAY_9H + timedelta(days=day, minutes=10 * (first + n)) for n in range(3)]
    bookings, holds, lengths = bed.booking.bookings, {}, {"viaje": 1, "padron": 2}
    used = await bed.pool.fetch(
        "SELECT slot.start_at FROM seat JOIN slot USING (slot_id) WHERE slot.office_id = 'centro' AND state <> 'free' "
        "AND start_at = ANY ($1)",
        at,
    )
    city_holds = {f"before {n}": (at.index(row["start_at"]),) for n, row in enumerate(used)}
    for _ in range(chance.randrange(3)):
        slot = chance.randrange(2)
        held = await bookings.hold(wish(at[slot], "padron"))
        if isinstance(held, Held):
            holds[held.hold_id] = (slot, slot + 1)
    asked, calls = [], []
    requests = [request_id() for _ in range(9)]
    for _ in range(12):
        hold = chance.choice([None, None, *holds])
        service = "padron" if hold else chance.choice(["viaje", "padron"])
        slot = holds[hold][0] if hold else chance.randrange(2)
        who, request = first_person + chance.randrange(6), chance.choice(requests)
        slots = tuple(range(slot, slot + lengths[service]))
        asked.append(Asked(request, slots, (who, service), hold))
        one = (request, wish(at[slot], service), person(who))
        calls.append(bookings.confirm(*one, hold) if hold else bookings.book(*one))
    return asked, City(SEATS, {**city_holds, **holds}), await asyncio.gather(*calls)


def read(asked: Sequence[Asked], outcomes: Sequence[BookOutcome]) -> list[Told]:
    """What each was told; of those who got one appointment the first is who made it."""
    made: dict[str, str] = {}
    answers: list[Told] = []
    for one, outcome in zip(asked, outcomes, strict=True):
        match outcome:
            case Booked(appointment_id=appointment):
                answers.append("again" if one.request in made else "booked")
                assert made.setdefault(one.request, appointment) == appointment
            case Reused():
                answers.append("reused")
            case LimitReached():
                answers.append("limit")
            case _:
                assert isinstance(outcome, Taken)
                answers.append("taken")
    return answers


@pytest.mark.parametrize("bed", [30], indirect=True)
async def test_one_that_cannot_be_written_does_not_hurt_the_others(bed: Bed, watched: Watched) -> None:
    poisoned = Person(full_name="Fátima\0", document=Document("passport", "ZZ1"))
    calls = [bed.booking.bookings.book(request_id(), wish(), person(number)) for number in range(20)]
    calls.insert(7, bed.booking.bookings.book(request_id(), wish(), poisoned))
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert watched.groups == [21]
    assert isinstance(outcomes.pop(7), asyncpg.CharacterNotInRepertoireError)
    assert all(isinstance(one, Booked) for one in outcomes)
    assert await bed.pool.fetchval("SELECT count(*) FROM appointment") == 20
    await whole(bed)
    await chain_is_dense(bed, "centro")


@pytest.mark.parametrize("bed", [30], indirect=True)
async def test_repeats_and_second_appointments_do_not_break_a_group(bed: Bed, watched: Watched) -> None:
    bookings, done, mine = bed.booking.bookings, request_id(), request_id()
    before = await bookings.book(done, wish(), person(1))
    outcomes = await asyncio.gather(
        bookings.book(done, wish(), person(1)),
        bookings.book(request_id(), wish(), person(1)),
        bookings.book(done, wish(), person(2)),
        *(bookings.book(mine, wish(), person(3)) for _ in range(5)),
        *(bookings.book(request_id(), wish(), person(number)) for number in range(10, 20)),
    )

    assert outcomes[:3] == [before, LimitReached(family="viaje"), Reused()]
    assert len({one.appointment_id for one in outcomes[3:8] if isinstance(one, Booked)}) == 1
    assert all(isinstance(one, Booked) for one in outcomes[3:])
    assert watched.groups[0] >= 12
    assert (await bed.seats())["booked"] == 12
    await whole(bed)


@pytest.mark.parametrize("bed", [12], indirect=True)
async def test_confirming_together_takes_each_ones_own_seats(bed: Bed, watched: Watched) -> None:
    bookings = bed.booking.bookings
    holds = [await bookings.hold(wish(service="padron")) for _ in range(10)]
    gone = await bookings.hold(wish(service="padron"))
    assert isinstance(gone, Held)
    await bookings.release(gone.hold_id)
    held = [one.hold_id for one in holds if isinstance(one, Held)]
    seats = await bed.pool.fetch("SELECT slot_id, seat_no, hold_id FROM seat WHERE state = 'held'")
    outcomes = await asyncio.gather(
        bookings.book(request_id(), wish(service="padron"), person(50)),
        *(bookings.confirm(request_id(), wish(service="padron"), person(n), hold) for n, hold in enumerate(held)),
        bookings.confirm(request_id(), wish(service="padron"), person(51), gone.hold_id),
    )

    assert watched.groups == [12]
    ids = [one.appointment_id for one in outcomes if isinstance(one, Booked)]
    assert len(ids) == 12
    booked = {
        (row["slot_id"], row["seat_no"]): str(row["appointment_id"])
        for row in await bed.pool.fetch("SELECT slot_id, seat_no, appointment_id FROM seat WHERE state = 'booked'")
    }
    owners = dict(zip(held, ids[1:11], strict=True))
    assert all(booked[row["slot_id"], row["seat_no"]] == owners[row["hold_id"]] for row in seats)
    assert await bed.pool.fetchval("SELECT count(*) FROM hold") == 0
    await whole(bed)


@pytest.mark.parametrize("bed", [40], indirect=True)
async def test_two_processes_sell_each_seat_once(bed: Bed) -> None:
    others = make_booking(bed.central).bookings
    repeated = [request_id() for _ in range(20)]
    outcomes = await asyncio.gather(
        *(side.book(repeated[n], wish(), person(n)) for n in range(20) for side in (bed.booking.bookings, others)),
        *(bed.booking.bookings.book(request_id(), wish(), person(n)) for n in range(100, 140)),
        *(others.book(request_id(), wish(), person(n)) for n in range(120, 160)),
    )

    assert {type(one) for one in outcomes} <= {Booked, Taken, LimitReached}
    for n in range(20):
        first, second = outcomes[2 * n : 2 * n + 2]
        assert isinstance(first, Booked) == isinstance(second, Booked)
        assert not isinstance(first, Booked) or first == second
    assert (await bed.seats())["booked"] == 40
    assert len({one.appointment_id for one in outcomes if isinstance(one, Booked)}) == 40
    await whole(bed)
    await chain_is_dense(bed, "centro")


@asynccontextmanager
async def head_locked(bed: Bed, office: str) -> Any:
    """Somebody writes to an office's stream and does not come to an end."""
    async with bed.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM stream_head WHERE stream = $1 FOR UPDATE", f"office:{office}")
        yield
        await transaction.rollback()


@pytest.mark.parametrize("bed", [30], indirect=True)
@pytest.mark.parametrize("stuck", [1, 3])
async def test_an_office_that_is_stuck_does_not_stop_the_others(bed: Bed, stuck: int) -> None:
    """Alone on the line, or in a group with the others."""
    bookings = bed.booking.bookings
    async with head_locked(bed, "real"):
        waiting = [
            asyncio.create_task(bookings.book(request_id(), wish(office="real"), person(n))) for n in range(stuck)
        ]
        if stuck == 1:
            await asyncio.sleep(0.05)
        async with asyncio.timeout(8):
            others = await asyncio.gather(*(bookings.book(request_id(), wish(), person(n)) for n in range(10, 20)))
        assert all(isinstance(one, Booked) for one in others)
        assert not any(one.done() for one in waiting)
    assert all(isinstance(one, Booked) for one in await asyncio.gather(*waiting))
    await chain_is_dense(bed, "real")


@pytest.mark.parametrize("bed", [30], indirect=True)
async def test_who_hangs_up_takes_nobody_along(bed: Bed) -> None:
    calls = [
        asyncio.create_task(bed.booking.bookings.book(request_id(), wish(), person(number))) for number in range(10)
    ]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    calls[0].cancel()
    calls[5].cancel()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)

    assert [at for at, one in enumerate(outcomes) if isinstance(one, asyncio.CancelledError)] == [0, 5]
    assert sum(isinstance(one, Booked) for one in outcomes) == 8
    await whole(bed)


@pytest.mark.parametrize("bed", [30], indirect=True)
async def test_without_a_database_everybody_is_told_so(bed: Bed) -> None:
    class Gone:
        async def fetch(self, *_: Any) -> Any:
            raise ConnectionRefusedError

        fetchrow = fetch

    surge = bed.booking.bookings._surge
    surge._pool = Gone()
    calls = [bed.booking.bookings.book(request_id(), wish(), person(number)) for number in range(5)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in outcomes] == [ConnectionRefusedError] * 5

    surge._pool = bed.pool
    assert isinstance(await bed.booking.bookings.book(request_id(), wish(), person()), Booked)
