"""Facts that no projection could take: listed, looked at, and replayed in order once the defect is gone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest

from central.audit import Attested
from central.exchange.parked import Replayed, listed, replay, shown
from central.exchange.projections import PROJECTIONS, Projection
from central.exchange.rights_store import PostgresRights
from central.exchange.store import PostgresCentralStore
from sync.messages.envelope import FactRecord
from sync.messages.facts import Fact, TicketCard, TicketReleased
from sync.messages.values import GENESIS
from sync.messages.wire import UpReply, UpRequest
from sync.protocol.store import OpenedFact
from sync.protocol.uplink import ingest
from tests.kit.facts import MORNING, raw_record, record_of, uuid_of

pytestmark = pytest.mark.postgres

WHO = Attested(actor="ana", at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC))
CARD = TicketCard(label="P7", service="padron", origin="walk_in", waited_ms=5, present_ms=6, follow_hash=bytes(32))


def released(number: int, tenure: int = 1, to_office: str = "real") -> TicketReleased:
    return TicketReleased(
        ticket_id=uuid_of(number), service_date=date(2026, 3, 2), to_office=to_office, tenure=tenure, card=CARD
    )


async def broken(tx: PostgresRights, opened: OpenedFact, fact: Fact) -> None:
    raise ZeroDivisionError("a name that must not be shown")


BROKEN: Mapping[type[Fact], Projection] = {**PROJECTIONS, TicketReleased: broken}


async def tell(pool: Any, *records: FactRecord) -> None:
    """Ingest with a defect."""
    await pool.execute("INSERT INTO office_authority (office, epoch) VALUES ('centro', 1)")
    request = UpRequest(
        request_id=uuid_of(1),
        office="centro",
        node="edge",
        epoch=1,
        incarnation=uuid_of(2),
        first_seq=1,
        prev_hash=GENESIS,
        facts=records,
    )
    assert isinstance(await ingest(PostgresCentralStore(pool, BROKEN), request, MORNING), UpReply)


async def test_what_works_again_is_taken_in_order_and_once(pool: Any) -> None:
    poison = raw_record(TicketReleased.TYPE, 1, 2, b'{"ticket_id":7,"name":"Maria"}')
    await tell(pool, record_of(released(7), 1), poison, record_of(released(7, 3, "victoria"), 3))
    assert [one.place for one in await listed(pool)] == ["centro:1:1", "centro:1:2", "centro:1:3"]
    async with pool.acquire() as connection:
        assert await replay(connection, WHO, BROKEN) == Replayed(taken=0, left=3)
        assert await pool.fetchval("SELECT count(*) FROM ticket_token") == 0
        assert await replay(connection, WHO) == Replayed(taken=2, left=1)
        assert await replay(connection, WHO) == Replayed(taken=0, left=1)
    token = await pool.fetchrow("SELECT office, tenure FROM ticket_token")
    assert tuple(token) == ("victoria", 4)
    assert [one.place for one in await listed(pool)] == ["centro:1:2"]
    replayed = await pool.fetch("SELECT subject FROM audit WHERE act = 'fact.replayed' ORDER BY audit_id")
    assert [row["subject"] for row in replayed] == ["centro:1:1", "centro:1:3"]


async def test_a_fact_of_a_replaced_node_moves_nothing_any_more(pool: Any) -> None:
    await tell(pool, record_of(released(7), 1))
    await pool.execute("UPDATE office_authority SET epoch = 2, last_seq = 0")
    async with pool.acquire() as connection:
        assert await replay(connection, WHO) == Replayed(taken=1, left=0)
    assert await pool.fetchval("SELECT count(*) FROM ticket_token") == 0


async def test_looking_at_one_quotes_nothing_of_it(pool: Any) -> None:
    await tell(pool, raw_record(TicketReleased.TYPE, 1, 1, b'{"ticket_id":7,"name":"Maria"}'))
    found = await shown(pool, "centro", 1, 1)
    assert found is not None
    assert (found["type"], found["body_bytes"], found["resolved_at"]) == ("ticket.released", 30, None)
    assert "Maria" not in str(found)
    assert await shown(pool, "centro", 1, 2) is None
