"""What a broken, old, hostile or restored edge can tell central, rightly signed: one row each, and its honest stream goes on.

Wrong signatures and damaged bodies stand in ``test_requests.py``; what a bad central tells an edge in ``uplink/test_bad_central.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from central.audit import Attested
from central.exchange import metrics
from central.exchange.replacement import Replacement, replace
from central.requests import REFUSED
from sync.messages import codec
from sync.messages.envelope import FactRecord
from sync.messages.facts import DayOpened
from sync.messages.feed import Cursor
from sync.messages.policy import Policy
from sync.messages.values import GENESIS
from sync.messages.wire import DownReply, HelloReply, ReportReply, UpReply
from tests.integration.exchange.client import NodeClient
from tests.kit.central_server import CentralServer
from tests.kit.facts import printed_run, raw_record, record_of, ticket_issued, uuid_of

pytestmark = pytest.mark.postgres

TOLD = 3
"""Honest facts that central has before something bad comes."""
Message = Callable[[NodeClient, bytes], msgspec.Struct]


def of(record: FactRecord, **changes: Any) -> FactRecord:
    """The same fact with another header."""
    return msgspec.structs.replace(record, header=msgspec.structs.replace(record.header, **changes))


def up(*facts: FactRecord, first_seq: int = TOLD + 1, **changes: Any) -> Message:
    """Facts behind the honest ones."""
    return lambda node, end: node.up(*facts, first_seq=first_seq, **{"prev_hash": end} | changes)


NEXT = printed_run(TOLD + 1, TOLD + 1)[0]


ISSUED = ticket_issued(uuid_of(1))


class Refused(NamedTuple):
    """A batch that changes nothing, and how central answers and counts it."""

    message: Message
    code: str


REFUSED_BATCHES = {
    "a sequence from the future": Refused(up(*printed_run(900, 901), first_seq=900), "gap"),
    "the next facts behind another hash": Refused(up(NEXT, prev_hash=b"\x01" * 32), "fork"),
    "other facts under known numbers": Refused(up(*printed_run(1, 3, salt=5), first_seq=1, prev_hash=GENESIS), "fork"),
    "a journal that was put back and went another way": Refused(
        lambda node, _end: node.up(*printed_run(1, 2), *printed_run(3, 9, salt=2)), "fork"
    ),
    "another office's fact": Refused(up(of(NEXT, office="real")), "malformed"),
    "a fact of another epoch": Refused(up(of(NEXT, epoch=2)), "malformed"),
    "a hole inside": Refused(up(NEXT, *printed_run(TOLD + 3, TOLD + 3)), "malformed"),
    "the same number twice": Refused(up(NEXT, NEXT), "malformed"),
    "numbers that go back": Refused(up(*reversed(printed_run(TOLD + 1, TOLD + 2))), "malformed"),
    "no facts": Refused(up(), "malformed"),
    "more facts than any edge sends": Refused(up(*printed_run(TOLD + 1, TOLD + 501)), "malformed"),
}


class Taken(NamedTuple):
    """A fact that is kept as it came: what is in the log for ever, and whether somebody has to look at it."""

    record: FactRecord
    is_parked: bool


OPAQUE = {
    "an unknown kind": Taken(raw_record("ticket.teleported", 1, TOLD + 1, b'{"to":[1,2]}'), False),
    "a later version of a known kind": Taken(raw_record("ticket.issued", 99, TOLD + 1, b'{"label":7}'), False),
    "an unknown kind of no object": Taken(raw_record("x", 1, TOLD + 1, b"[[[]]]"), False),
    "a known kind of another shape": Taken(raw_record("ticket.called", 1, TOLD + 1, b'{"ticket_id":7}'), True),
    "a known kind that is a number": Taken(raw_record("lease.sold", 1, TOLD + 1, b"7"), True),
}


async def told(node: NodeClient) -> bytes:
    """Tell the honest facts; the chain's hash after them."""
    reply = codec.decode((await node.send("up", node.up(*printed_run(1, TOLD)))).content, UpReply)
    assert reply.acked_seq == TOLD
    return reply.acked_hash


async def goes_on(central: CentralServer, node: NodeClient, end: bytes, after: int = TOLD) -> None:
    """The honest stream is taken as if nothing had been."""
    reply = await node.send("up", node.up(*printed_run(after + 1, after + 4), first_seq=after + 1, prev_hash=end))
    assert codec.decode(reply.content, UpReply).acked_seq == after + 4
    seqs = await central.central.pool.fetch("SELECT seq FROM fact WHERE office = 'centro' ORDER BY seq")
    assert [row["seq"] for row in seqs] == [*range(1, after + 5)]
    assert await central.central.pool.fetchval("SELECT count(*) FROM fact WHERE office <> 'centro'") == 0


@pytest.mark.parametrize("bad", [pytest.param(bad, id=name) for name, bad in REFUSED_BATCHES.items()])
async def test_a_batch_that_does_not_follow_is_refused(central: CentralServer, node: NodeClient, bad: Refused) -> None:
    end = await told(node)
    counter = REFUSED.labels(f"up_{bad.code}")._value
    before = counter.get()
    for _ in range(2):  # and once more: it stays refused
        response = await node.send("up", bad.message(node, end))
        assert (response.status_code, response.json()["code"]) == (409, bad.code)
    assert counter.get() == before + 2
    await goes_on(central, node, end)


@pytest.mark.parametrize("kept", [pytest.param(kept, id=name) for name, kept in OPAQUE.items()])
async def test_what_this_build_cannot_read_is_kept_and_delays_nobody(
    central: CentralServer, node: NodeClient, kept: Taken
) -> None:
    end = await told(node)
    response = await node.send("up", node.up(kept.record, first_seq=TOLD + 1, prev_hash=end))
    reply = codec.decode(response.content, UpReply)
    assert reply.acked_seq == TOLD + 1
    row = await central.central.pool.fetchrow("SELECT type, v, body FROM fact WHERE seq = $1", TOLD + 1)
    assert (row["type"], row["v"], bytes(row["body"])) == (
        kept.record.header.type,
        kept.record.header.v,
        bytes(kept.record.body),
    )
    await central.exchange.measure()
    assert metrics.PARKED._value.get() == kept.is_parked
    await goes_on(central, node, reply.acked_hash, TOLD + 1)


@pytest.mark.parametrize("mono_ns", [10**30, 2**63 - 1, -(10**30)])
async def test_a_monotonic_clock_that_no_machine_has_delays_no_fact(
    central: CentralServer, node: NodeClient, mono_ns: int
) -> None:
    end = await told(node)
    header = NEXT.header
    message = node.up(NEXT, first_seq=TOLD + 1, prev_hash=end, boot_id=header.boot_id, mono_ns=mono_ns)
    reply = codec.decode((await node.send("up", message)).content, UpReply)
    assert reply.acked_seq == TOLD + 1
    await goes_on(central, node, reply.acked_hash, TOLD + 1)


@pytest.mark.parametrize("clock_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"])
async def test_a_clock_that_no_machine_has_keeps_no_office_from_its_next_node(
    central: CentralServer, node: NodeClient, clock_at: str
) -> None:
    said = node.hello(clock_at=datetime.fromisoformat(clock_at))
    assert (await node.send("hello", said)).status_code == 200
    opened = DayOpened(service_date=date(2026, 3, 2), policy_version=1, policy=Policy())
    run = [record_of(opened, 1), *printed_run(2, 2), record_of(ISSUED, 3)]
    assert (await node.send("up", node.up(*run))).status_code == 200
    async with central.central.pool.acquire() as connection:
        who = Attested(actor="ana", at=datetime.now(UTC), statement="burnt")
        answer = await replace(
            connection, central.central.keys, who, office="centro", node="edge-2", public_key=bytes(32)
        )
    assert isinstance(answer, Replacement)
    assert answer.replaced is not None
    assert answer.replaced.restored == 1


async def test_a_recorded_request_sent_again_changes_nothing(central: CentralServer, node: NodeClient) -> None:
    """The very bytes with the very signature: within its minute they are the same batch once more, later they are nothing."""
    body = codec.encode(node.up(*printed_run(1, TOLD)))
    token = node.token(body)
    first, again = [await node.post("up", body, token=token) for _ in range(2)]
    assert first.content == again.content
    old = node.token(body, ahead_s=-timedelta(minutes=5).total_seconds())
    late = await node.post("up", body, token=old)
    assert (late.status_code, late.json()["code"]) == (401, "token_expired")
    elsewhere = await node.post("down", body, token=token)
    assert elsewhere.status_code == 400, "a batch is no question for rows"
    await goes_on(central, node, codec.decode(first.content, UpReply).acked_hash)


@pytest.mark.parametrize("seq, hash_", [(10**6, GENESIS), (1, b"\x07" * 32), (2**62, b"\x07" * 32)])
async def test_a_cursor_that_central_never_gave_leads_to_a_snapshot(
    central: CentralServer, node: NodeClient, seq: int, hash_: bytes
) -> None:
    await central.central.pool.fetch("SELECT * FROM feed_put('global', 'service', 'x', 1, 'put', '{}'::bytea)")
    gen = str(await central.central.pool.fetchval("SELECT gen FROM central_life"))
    cursors = (Cursor(stream="global", gen=gen, seq=seq, hash=hash_),)
    response = await node.send("down", node.down(gen, cursors=cursors))
    reply = codec.decode(response.content, DownReply)
    assert response.status_code == 410
    assert "global" in reply.resync
    assert not any(part.rows for part in reply.streams)


async def test_a_journal_from_the_future_is_told_where_central_is(node: NodeClient) -> None:
    """An edge that remembers more than central: central was restored, or this journal is of another life."""
    end = await told(node)
    response = await node.send("hello", node.hello(last_seq=10**9, last_hash=b"\x09" * 32))
    reply = codec.decode(response.content, HelloReply)
    assert (reply.acked_seq, reply.acked_hash) == (TOLD, end)


@pytest.mark.parametrize("proto_min, proto_max", [(2, 9), (0, 0)])
async def test_a_build_of_another_protocol_still_gets_rid_of_its_facts(
    central: CentralServer, node: NodeClient, proto_min: int, proto_max: int
) -> None:
    response = await node.send("hello", node.hello(proto_min=proto_min, proto_max=proto_max))
    assert codec.decode(response.content, HelloReply).proto == 0
    await goes_on(central, node, await told(node))


async def test_a_report_that_nobody_asked_for_claims_nothing(central: CentralServer, node: NodeClient) -> None:
    reply = codec.decode((await node.send("report", node.report())).content, ReportReply)
    assert not reply.taken
    assert await central.central.pool.fetchval("SELECT count(*) FROM appointment") == 0
