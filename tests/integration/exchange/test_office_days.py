"""Central's folded days: rebuilt from the raw log, kept by what is ingested here or in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from central.exchange.links import CONNECTED_S, Hearing, OfficeLink, read_links
from central.exchange.office_days import OfficeDays
from central.exchange.store import PostgresCentralStore
from central.exchange.wakes import Wakes, wait_any
from sync.io.ids import new_id
from sync.messages.envelope import FactRecord
from sync.messages.facts import DayClosed, DayOpened, TicketPrinted
from sync.messages.policy import Policy
from sync.messages.values import GENESIS
from sync.messages.wire import UpReply, UpRequest
from sync.protocol.uplink import chain_batch, ingest
from tests.kit.clock import ManualClock
from tests.kit.facts import MORNING, raw_record, record_of, ticket_issued, uuid_of

pytestmark = pytest.mark.postgres


def opened(seq: int, day: int) -> FactRecord:
    return record_of(DayOpened(service_date=date(2026, 3, day), policy_version=1, policy=Policy()), seq)


def closed(seq: int, day: int) -> FactRecord:
    return record_of(DayClosed(service_date=date(2026, 3, day), reason="scheduled"), seq)


def issued(seq: int, number: int, appointment_id: str | None = None) -> FactRecord:
    fact = ticket_issued(
        uuid_of(number),
        f"A{number}",
        origin="appointment" if appointment_id else "walk_in",
        follow_hash=number.to_bytes(32, "big"),
        appointment_id=appointment_id,
    )
    return record_of(fact, seq)


DAY = [opened(1, 2), issued(2, 1), closed(3, 2), opened(4, 3), issued(5, 1), issued(6, 2)]


async def add(pool: Any, records: Sequence[FactRecord], prev_hash: bytes = GENESIS, office: str = "centro") -> bytes:
    """Ingest a run; returns the chain's hash behind it."""
    await pool.execute("INSERT INTO office_authority (office, epoch) VALUES ($1, 1) ON CONFLICT DO NOTHING", office)
    request = UpRequest(
        request_id=new_id(),
        office=office,
        node="edge",
        epoch=1,
        incarnation=new_id(),
        first_seq=records[0].seq,
        prev_hash=prev_hash,
        facts=tuple(records),
    )
    assert isinstance(await ingest(PostgresCentralStore(pool), request, MORNING), UpReply)
    return chain_batch(prev_hash, records)[-1].hash


async def test_a_day_is_rebuilt_from_the_last_opening(pool: Any) -> None:
    await add(pool, DAY)
    days = OfficeDays(pool, Wakes())
    await days.look()
    day = days["centro"]

    assert (day.service_date, day.seq, sorted(day.tickets)) == (date(2026, 3, 3), 6, [uuid_of(1), uuid_of(2)])
    assert days["real"].seq == 0


async def test_what_is_ingested_here_is_folded_at_once_and_once(pool: Any) -> None:
    changes = Wakes()
    days = OfficeDays(pool, changes)
    await add(pool, DAY)
    with changes.watch(["centro"]) as changed:
        assert await days.ingested("centro", DAY[:4]) == 4
        assert changed.is_set()
        changed.clear()
        assert await days.ingested("centro", DAY[:4]) == 0
        assert not changed.is_set()
    assert await days.ingested("centro", DAY[5:]) == 0  # the first of them had already read everything
    assert (days["centro"].seq, len(days["centro"].tickets)) == (6, 2)


async def test_a_hole_is_filled_from_the_raw_log(pool: Any) -> None:
    previous = await add(pool, DAY[:4])
    days = OfficeDays(pool, Wakes())
    await days.look()
    await add(pool, DAY[4:], previous)
    await days.ingested("centro", DAY[5:])  # this process never saw fact 5

    assert (days["centro"].seq, len(days["centro"].tickets)) == (6, 2)


async def test_what_another_process_took_is_found_by_looking(pool: Any) -> None:
    changes = Wakes()
    days = OfficeDays(pool, changes)
    previous = await add(pool, DAY[:5])
    await days.look()
    await add(pool, DAY[5:], previous)
    with changes.watch(["centro"]) as changed:
        await days.look()
        assert changed.is_set()
        changed.clear()
        await days.look()
        assert not changed.is_set()

    assert days["centro"].seq == 6


async def test_a_poison_fact_moves_the_position_only(pool: Any) -> None:
    poison = raw_record(TicketPrinted.TYPE, TicketPrinted.V, 3, b'{"ticket_id":7}')
    await add(pool, [opened(1, 2), issued(2, 1), poison, issued(4, 2)])
    days = OfficeDays(pool, Wakes())
    await days.look()

    assert (days["centro"].seq, len(days["centro"].tickets)) == (4, 2)
    assert await pool.fetchval("SELECT count(*) FROM fact_parked") == 1


async def test_a_newer_epoch_begins_its_own_fold(pool: Any) -> None:
    await add(pool, DAY)
    days = OfficeDays(pool, Wakes())
    await days.look()
    await pool.execute("UPDATE office_authority SET epoch = 2, last_seq = 0, last_hash = $1", GENESIS)
    await days.catch_up("centro")

    assert (days["centro"].seq, len(days["centro"].tickets)) == (0, 0)


ADD_APPOINTMENT = """
INSERT INTO appointment (
    appointment_id, status, locator, office_id, pool_id, service_id, family, service_date, slot_start_at, starts,
    duration_min, person_hash, language, channel, booked_at, changed_at
)
VALUES ($1, $2, 'ACDEFG', $3, 'p', 's', 'f', '2026-03-03', now(), '{}', 10, '\\x00', 'es', 'portal', now(), now())
"""


@pytest.mark.parametrize(
    "office, before, after",
    [
        ("centro", "booked", "attended"),
        ("centro", "no_show", "attended"),
        ("centro", "unknown", "attended"),
        ("centro", "cancelled", "attended"),
        ("real", "booked", "booked"),
    ],
)
async def test_a_ticket_of_an_appointment_marks_it_attended(pool: Any, office: str, before: str, after: str) -> None:
    await pool.execute(ADD_APPOINTMENT, uuid_of(77), before, office)
    await add(pool, [opened(1, 3), issued(2, 1, uuid_of(77)), issued(3, 2, uuid_of(78))])

    assert await pool.fetchval("SELECT status FROM appointment") == after
    assert await pool.fetchval("SELECT count(*) FROM fact_parked") == 0


async def test_the_end_of_a_day_is_known_once_it_was_told(pool: Any) -> None:
    prev = await add(pool, DAY[:2])
    assert await pool.fetchval("SELECT count(*) FROM closed_day") == 0
    await add(pool, DAY[2:], prev)
    assert [tuple(row) for row in await pool.fetch("SELECT * FROM closed_day")] == [("centro", date(2026, 3, 2))]


async def test_who_is_heard_is_connected_for_a_while(pool: Any) -> None:
    clock = ManualClock()
    hearing = Hearing(pool, clock)
    hearing.heard("centro")
    with hearing.polling("real"):
        await hearing.flush()
        clock.advance(seconds=CONNECTED_S + 1)
        await hearing.flush()
    links = {link.office: link for link in await read_links(pool)}

    assert sorted(links) == ["centro", "real", "victoria"]
    assert not links["centro"].is_connected(clock.now())
    assert links["centro"].stale_since(clock.now()) == links["centro"].last_contact_at
    assert links["real"].is_connected(clock.now())
    assert links["real"].stale_since(clock.now()) is None
    assert isinstance(links["victoria"], OfficeLink)
    assert links["victoria"].last_contact_at is None


async def test_waiting_ends_with_the_first_event() -> None:
    wakes = Wakes()
    loop = asyncio.get_running_loop()
    with wakes.watch(["a", "b"]) as one, wakes.watch(["b"]) as other:
        loop.call_later(0.01, wakes.wake, "b")
        await wait_any(one, other, timeout_s=5)
        assert one.is_set() and other.is_set()  # noqa: PT018
        other.clear()
        wakes.wake("a")
        began = loop.time()
        await wait_any(other, timeout_s=0.05)
        assert loop.time() - began >= 0.05
        wakes.wake("nobody")
        assert not other.is_set()
    assert wakes.watched == []
