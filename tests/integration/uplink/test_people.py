"""The people of appointments that an office sold reach central behind the sale, and are kept at the office until then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync.messages.facts import LeaseSold
from sync.messages.people import PersonRequest
from sync.messages.values import SeatRef
from tests.contract.postgres_bed import ADD_POOL, ADD_SLOT
from tests.kit.central_server import CentralServer
from tests.kit.edge_end import EdgeEnd, until
from tests.kit.facts import MORNING, record_of, uuid_of

pytestmark = pytest.mark.postgres
BOOKING = uuid_of(9)


def person(appointment_id: str, full_name: str) -> PersonRequest:
    return PersonRequest(
        request_id=appointment_id,
        office="centro",
        appointment_id=appointment_id,
        full_name=full_name,
        document_kind="passport",
        document="X123456",
    )


async def test_a_person_goes_when_the_sale_is_known_and_not_before(central: CentralServer, edge: EdgeEnd) -> None:
    await until(lambda: edge.uplink.state.connected)
    unreadable, waiting = person(uuid_of(8), "N\x00"), person(BOOKING, "Fátima Mohamed")
    edge.people, before = [unreadable, waiting], edge.people_asked
    await until(lambda: edge.people_asked >= before + 2)  # the next question comes behind the answers to both
    assert edge.people == [unreadable, waiting]

    slot, start_at = uuid_of(7), MORNING + timedelta(days=365)
    pool = central.central.pool
    await pool.execute(ADD_POOL, "centro")
    await pool.execute(ADD_SLOT, slot, "centro", start_at)
    await pool.execute("INSERT INTO seat (slot_id, seat_no) VALUES ($1, 1)", slot)
    sold = LeaseSold(
        lease_id=uuid_of(1),
        seats=(SeatRef(slot, 1),),
        appointment_id=BOOKING,
        locator="ACDEFG",
        service="padron",
        slot_start_at=start_at,
        duration_min=10,
    )
    await edge.commit([record_of(sold, 1)])
    await until(lambda: edge.people == [unreadable])
    name = await pool.fetchval("SELECT full_name FROM appointment WHERE appointment_id = $1", BOOKING)
    assert name == "Fátima Mohamed"
