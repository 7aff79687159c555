"""The feed's one function: its hashes are the protocol's, its sequence is dense under load, its rows wake somebody."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from central.exchange.feed import emit, emit_all, entity_id, withdraw
from central.exchange.store import PostgresCentralStore
from central.retention.kinds import KINDS
from sync.messages.facts import TicketCard
from sync.messages.feed import (
    ENTITIES,
    GLOBAL,
    Appointment,
    Counter,
    Entity,
    FeedRow,
    Holiday,
    Lease,
    Neighbour,
    NodeKey,
    NumberFloor,
    Office,
    OfficePolicy,
    PersonErased,
    QrKey,
    Service,
    Staff,
    TicketClosed,
    TicketGrant,
    TicketTaken,
    WaitModel,
    chain_row,
    office_stream,
)
from sync.messages.policy import Policy
from sync.messages.values import GENESIS
from tests.kit.facts import MORNING, uuid_of

pytestmark = pytest.mark.postgres
STREAM = office_stream("centro")

ODD = ["plain", 'quo"te', "back\\slash", "tab\tnew\nline", "\x01\x1f\x7f", "ñ é ﺐ 🖨", "a/b", "\u2028", "</script>", "'"]


@pytest.mark.parametrize("op", ["put", "del"])
@pytest.mark.parametrize("text", ODD)
async def test_the_databases_hash_is_the_protocols(pool: Any, text: str, op: Any) -> None:
    body = b'{"names":{"es":"\xc3\xb1"}}'
    previous = GENESIS
    for seq in (1, 2):
        row = await pool.fetchrow("SELECT * FROM feed_put($1, $2, $3, $4, $5, $6)", STREAM, text, text, 2**40, op, body)
        fed = FeedRow(seq=seq, kind=text, entity_id=text, version=2**40, op=op, body=msgspec.Raw(body))
        previous = chain_row(previous, fed)
        assert (row["fed_seq"], row["fed_hash"]) == (seq, previous)


async def test_twenty_writers_leave_no_hole_and_rollbacks_no_trace(pool: Any) -> None:
    class Undone(Exception):
        pass

    async def write(number: int) -> None:
        for turn in range(10):
            entity = Counter(id=f"{number}-{turn}", zone="a", primary=())
            try:
                async with pool.acquire() as connection, connection.transaction():
                    await emit_all(connection, [(STREAM, entity), (GLOBAL, entity)])
                    if turn % 4 == 0:
                        raise Undone
            except Undone:
                pass

    await asyncio.gather(*(write(number) for number in range(20)))
    async with PostgresCentralStore(pool).transaction() as tx:
        for stream in (GLOBAL, STREAM):
            state, rows = await tx.stream(stream), await tx.rows_after(stream, 0, 1000)
            assert [one.row.seq for one in rows] == list(range(1, 141))
            running = GENESIS
            for one in rows:
                running = chain_row(running, one.row)
                assert running == one.hash
            assert (state.last.seq, state.last.hash, state.oldest) == (140, running, 1)


async def test_a_row_notifies_nobody(pool: Any) -> None:
    """A transaction that notifies commits alone, database-wide: far too slow for a booking."""
    definition = await pool.fetchval("SELECT string_agg(prosrc, '') FROM pg_proc WHERE proname LIKE 'feed%'")
    assert "INSERT INTO feed" in definition
    assert "notify" not in definition.lower()


ENTITY_OF_EACH_KIND: list[tuple[Entity, str]] = [
    (Service(id="padron", names={"es": "Padrón"}, series="A", duration_min=10), "padron"),
    (QrKey(kid="ab12", public_key=bytes(32)), "ab12"),
    (Holiday(day=date(2026, 12, 25), names={"es": "Navidad"}), "2026-12-25"),
    (Office(id="centro", name="Centro", address="", time_zone="Africa/Ceuta", services=(), hours=()), "centro"),
    (Counter(id="1", zone="a", primary=()), "1"),
    (Staff(id="ana", display_name="Ana", roles=("clerk",), verifier="$", valid_until=MORNING), "ana"),
    (OfficePolicy(effective_from=date(2026, 1, 1), policy=Policy()), "2026-01-01"),
    (
        Appointment(
            id=uuid_of(1),
            version=3,
            locator="ACDEFG",
            service_id="padron",
            slot_start_at=MORNING,
            duration_min=10,
            status="booked",
        ),
        uuid_of(1),
    ),
    (NodeKey(office="centro", epoch=1, public_key=bytes(32)), "centro"),
    (NumberFloor(service_date=date(2026, 1, 2), epoch=2, floors={"P": 30}), "2026-01-02"),
    (WaitModel(made_on=date(2026, 1, 2), services={}), "present"),
    (Lease(id=uuid_of(2), fence=1, seats=(), sell_until=MORNING), uuid_of(2)),
    (
        Neighbour(id="real", name="Real", address="Plaza 1", time_zone="Africa/Ceuta", services=(), hours=()),
        "real",
    ),
    (PersonErased(id=uuid_of(6), service_date=date(2026, 1, 2)), uuid_of(6)),
    (TicketTaken(id=uuid_of(5), tenure=2, service_date=date(2026, 1, 2), office="real"), uuid_of(5)),
    (TicketClosed(id=uuid_of(3), tenure=2, service_date=date(2026, 1, 2), reason="superseded"), uuid_of(3)),
    (
        TicketGrant(
            id=uuid_of(4),
            tenure=2,
            from_office="real",
            service_date=date(2026, 1, 2),
            released_at=MORNING,
            card=TicketCard(
                label="P1", service="padron", origin="walk_in", waited_ms=0, present_ms=0, follow_hash=bytes(32)
            ),
        ),
        uuid_of(4),
    ),
]


def test_every_kind_has_an_id() -> None:
    assert {type(entity) for entity, _ in ENTITY_OF_EACH_KIND} == set(ENTITIES.values())
    for entity, expected in ENTITY_OF_EACH_KIND:
        assert entity_id(entity) == expected
    with pytest.raises(TypeError):
        entity_id(Entity())


async def test_an_entity_is_emitted_again_only_when_it_changed(pool: Any) -> None:
    async with pool.acquire() as connection:
        for zone in ("a", "a", "b", "b", "a"):
            async with connection.transaction():
                await emit(connection, STREAM, Counter(id="1", zone=zone, primary=()))
        rows = await connection.fetch("SELECT version, body FROM feed ORDER BY seq")
        entities = await connection.fetch("SELECT version, body FROM feed_entity")

    assert [row["version"] for row in rows] == [1, 2, 3]
    assert [tuple(row) for row in entities] == [tuple(rows[-1])]


async def test_an_appointment_carries_its_own_version(pool: Any) -> None:
    [appointment] = [entity for entity, _ in ENTITY_OF_EACH_KIND if isinstance(entity, Appointment)]
    async with pool.acquire() as connection:
        async with connection.transaction():
            await emit(connection, STREAM, appointment)
            await withdraw(connection, STREAM, "appointment", uuid_of(1), version=4)
        rows = await connection.fetch("SELECT op, version FROM feed ORDER BY seq")

    assert [tuple(row) for row in rows] == [("put", 3), ("del", 4)]
    assert await pool.fetchval("SELECT count(*) FROM feed_entity") == 0


@pytest.mark.parametrize("old, kept", [(0, [1, 2, 3, 4]), (2, [3, 4]), (4, [])])
async def test_old_rows_are_pruned_and_nothing_else(pool: Any, old: int, kept: list[int]) -> None:
    async with pool.acquire() as connection:
        for number in range(4):
            await emit(connection, STREAM, Counter(id=str(number), zone="a", primary=()))
        await emit(connection, GLOBAL, Counter(id="g", zone="a", primary=()))
    now = datetime.now(UTC)
    await pool.execute(
        "UPDATE feed SET created_at = $1 WHERE stream = $2 AND seq <= $3", now - timedelta(days=15), STREAM, old
    )

    assert await KINDS["feed"].forget(pool, now - timedelta(days=14), 500) == old
    assert [r["seq"] for r in await pool.fetch("SELECT seq FROM feed WHERE stream = $1 ORDER BY seq", STREAM)] == kept
    assert await pool.fetchval("SELECT count(*) FROM feed_entity") == 5
    async with PostgresCentralStore(pool).transaction() as tx:
        state = await tx.stream(STREAM)
        assert (state.last.seq, state.oldest) == (4, old + 1)


async def test_an_unknown_op_is_refused_by_the_table(pool: Any) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.fetchrow("SELECT * FROM feed_put($1, 'counter', '1', 1, 'merge', $2)", STREAM, b"{}")
