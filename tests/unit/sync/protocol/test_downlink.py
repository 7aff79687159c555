from __future__ import annotations

import msgspec
import pytest

from sync.messages.feed import GLOBAL, Cursor, office_stream
from sync.messages.wire import LONG_POLL_S, DownReply, DownRequest, SnapshotRequest
from sync.protocol.downlink import DownlinkSession, ResyncDue, RowsApplied, is_empty, rows_after
from sync.protocol.in_flight import DROPPED
from tests.kit.facts import uuid_of
from tests.kit.memory import Crashed, CrashPoint
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore
from tests.unit.sync.protocol.ends import (
    CENTRO,
    altered,
    ask,
    cursor,
    emit,
    ids,
    new_central,
    snapshot_of,
    started,
    turn,
)


async def ends(*entities: str) -> tuple[MemoryEdgeStore, MemoryCentralStore, DownlinkSession]:
    """An office that stands at central's head with these entities."""
    edge, central = MemoryEdgeStore(), new_central()
    for entity in entities:
        await emit(central, entity)
    return edge, central, await started(edge, central)


def place(edge: MemoryEdgeStore, stream: str = CENTRO) -> int:
    return edge.places[stream].seq


# ------------------------------------------------------------------------------------------------------------ the edge


async def test_an_office_without_cursors_begins_with_a_snapshot() -> None:
    session = DownlinkSession(MemoryEdgeStore(), "centro")
    assert await session.next_request(uuid_of(1)) == SnapshotRequest(request_id=uuid_of(1), office="centro")
    assert await session.next_request(uuid_of(2)) is None


async def test_rows_and_cursors_are_applied_together() -> None:
    edge, central, session = await ends("1", "2")
    await emit(central, "3")
    await emit(central, "1", op="del", body=b"{}")
    await emit(central, "s", stream=GLOBAL)
    outcome = await turn(session, central, 1)
    assert isinstance(outcome, RowsApplied)
    assert [(one.stream, one.row.seq) for one in outcome.rows] == [(GLOBAL, 1), (CENTRO, 3), (CENTRO, 4)]
    assert outcome.behind == 0
    assert ids(edge) == ["2", "3", "s"]
    assert (place(edge), place(edge, GLOBAL)) == (4, 1)


async def test_an_empty_reply_is_an_answer_too() -> None:
    edge, central, session = await ends("1")
    before = dict(edge.places)
    assert await turn(session, central, 1) == RowsApplied(rows=(), behind=0)
    assert edge.places == before


async def test_a_long_way_is_gone_in_turns() -> None:
    edge, central, _ = await ends()
    for number in range(5):
        await emit(central, f"e{number}")
        await emit(central, f"g{number}", stream=GLOBAL)
    session = DownlinkSession(edge, "centro", max_rows=4)
    behind: list[int] = []
    for number in range(1, 4):
        outcome = await turn(session, central, number)
        assert isinstance(outcome, RowsApplied)
        behind.append(outcome.behind)
    assert behind == [6, 2, 0]
    assert len(edge.entities) == 10


async def test_unknown_kinds_are_kept_as_they_are() -> None:
    edge, central, session = await ends()
    async with central.transaction() as tx:
        await tx.emit(CENTRO, kind="hologram", entity_id="h", version=4, op="put", body=b'{"z":[1,{"y":null}]}')
    await turn(session, central, 1)
    row = edge.entities[CENTRO, "hologram", "h"]
    assert (row.version, bytes(row.body)) == (4, b'{"z":[1,{"y":null}]}')


async def test_a_reply_to_an_earlier_request_is_dropped() -> None:
    edge, central, session = await ends("1")
    old = await ask(session, 1)
    await emit(central, "2")
    late = await rows_after(central, old)
    session.on_failure(old.request_id)
    await ask(session, 2)
    assert await session.on_rows(late) is DROPPED
    assert (ids(edge), place(edge)) == (["1"], 1)


async def test_an_answer_of_the_wrong_kind_does_not_end_the_request() -> None:
    edge, central, session = await ends("1")
    request = await ask(session, 1)
    assert await session.on_snapshot_data(request.request_id, b"{}\n") is DROPPED
    assert await session.on_snapshot_end(request.request_id) is DROPPED
    assert session.on_failure(request.request_id)
    edge.places.clear()
    snapshot = await session.next_request(uuid_of(2))
    assert isinstance(snapshot, SnapshotRequest)
    rows = DownReply(request_id=snapshot.request_id, gen=central.generation, streams=())
    assert await session.on_rows(rows) is DROPPED
    assert session.on_failure(snapshot.request_id)


async def test_a_duplicated_reply_is_dropped() -> None:
    edge, central, session = await ends("1")
    await emit(central, "2")
    reply = await rows_after(central, await ask(session, 1))
    assert isinstance(await session.on_rows(reply), RowsApplied)
    assert await session.on_rows(reply) is DROPPED
    assert place(edge) == 2


@pytest.mark.parametrize("flaw", ["hash", "body", "hole", "order", "repeat", "missing first", "gen", "stream"])
async def test_rows_that_do_not_follow_are_not_applied_and_a_snapshot_is_due(flaw: str) -> None:
    edge, central, session = await ends("1")
    for entity in ("2", "3", "4"):
        await emit(central, entity)
    reply = await rows_after(central, await ask(session, 1))
    two, three, four = next(part.rows for part in reply.streams if part.stream == CENTRO)
    forged = msgspec.structs.replace(three, body=msgspec.Raw(b'{"a":2}'))
    bad: dict[str, DownReply] = {
        "hash": altered(reply, hash=b"\1" * 32),
        "body": altered(reply, rows=(two, forged, four)),
        "hole": altered(reply, rows=(two, four)),
        "order": altered(reply, rows=(three, two, four)),
        "repeat": altered(reply, rows=(two, two, three, four)),
        "missing first": altered(reply, rows=(three, four)),
        "gen": msgspec.structs.replace(reply, gen=uuid_of(77)),
        "stream": altered(reply, stream=office_stream("real")),
    }
    assert await session.on_rows(bad[flaw]) == ResyncDue(asked=False)
    assert (ids(edge), place(edge)) == (["1"], 1)
    assert isinstance(await session.next_request(uuid_of(2)), SnapshotRequest)


async def test_central_asks_for_a_resync_and_a_snapshot_heals() -> None:
    edge, central, session = await ends("1")
    await emit(central, "2")
    await emit(central, "3")
    central.prune(CENTRO, 3)
    assert await turn(session, central, 1) == ResyncDue(asked=True)
    request = await session.next_request(uuid_of(2))
    assert isinstance(request, SnapshotRequest)
    await session.on_snapshot_data(request.request_id, await snapshot_of(central, request))
    await session.on_snapshot_end(request.request_id)
    assert (ids(edge), place(edge)) == (["1", "2", "3"], 3)
    assert await turn(session, central, 3) == RowsApplied(rows=(), behind=0)


async def test_resyncs_that_help_nothing_slow_down() -> None:
    _, central, session = await ends("1")
    for number in range(3):
        await emit(central, f"n{number}")
        reply = await rows_after(central, await ask(session, 10 + number))
        assert await session.on_rows(altered(reply, hash=b"\1" * 32)) == ResyncDue(asked=False)
        request = await session.next_request(uuid_of(20 + number))
        assert isinstance(request, SnapshotRequest)
        await session.on_snapshot_data(request.request_id, await snapshot_of(central, request))
        await session.on_snapshot_end(request.request_id)
    assert session.delay_s(1.0) == 4.0
    await turn(session, central, 40)
    assert session.delay_s(1.0) == 0.0


async def test_after_a_failure_the_request_is_not_held() -> None:
    _, central, session = await ends("1")
    request = await ask(session, 1)
    assert request.wait_s == LONG_POLL_S
    assert session.on_failure(request.request_id)
    probe = await ask(session, 2)
    assert (probe.wait_s, session.delay_s(1.0)) == (0, 1.0)
    await session.on_rows(await rows_after(central, probe))
    assert (await ask(session, 3)).wait_s == LONG_POLL_S


@pytest.mark.parametrize("crash,applied", [("before_commit", ["1"]), ("after_commit", ["1", "2"])])
async def test_a_crash_leaves_rows_and_cursor_of_one_moment(crash: CrashPoint, applied: list[str]) -> None:
    edge, central, session = await ends("1")
    await emit(central, "2")
    reply = await rows_after(central, await ask(session, 1))
    edge.crash_next = crash
    with pytest.raises(Crashed):
        await session.on_rows(reply)
    assert (ids(edge), place(edge)) == (applied, len(applied))
    assert isinstance(await turn(DownlinkSession(edge, "centro"), central, 2), RowsApplied)
    assert ids(edge) == ["1", "2"]


# ------------------------------------------------------------------------------------------------------------- central


async def asked(central: MemoryCentralStore, *cursors: Cursor, max_rows: int = 100) -> DownReply:
    return await rows_after(
        central, DownRequest(request_id=uuid_of(5), office="centro", cursors=cursors, max_rows=max_rows)
    )


async def test_rows_come_behind_each_cursor_with_the_stored_hash() -> None:
    central = new_central()
    for entity in "abc":
        await emit(central, entity)
    first = central.feed[CENTRO, 1].hash
    reply = await asked(central, cursor(1, proof=first), cursor(stream=GLOBAL))
    nothing, part = reply.streams
    assert (reply.request_id, reply.gen, reply.resync) == (uuid_of(5), uuid_of(1), ())
    assert (nothing.stream, nothing.rows, nothing.head, nothing.hash) == (GLOBAL, (), 0, bytes(32))
    assert ([row.entity_id for row in part.rows], part.head, part.hash) == (["b", "c"], 3, central.feed[CENTRO, 3].hash)
    assert not is_empty(reply)


async def test_a_limit_holds_over_all_streams_and_the_hash_is_of_the_last_row() -> None:
    central = new_central()
    for entity in "abc":
        await emit(central, entity)
        await emit(central, entity, stream=GLOBAL)
    reply = await asked(central, cursor(), cursor(stream=GLOBAL), max_rows=4)
    assert [(part.stream, len(part.rows), part.head) for part in reply.streams] == [(GLOBAL, 3, 3), (CENTRO, 1, 3)]
    assert reply.streams[1].hash == central.feed[CENTRO, 1].hash


@pytest.mark.parametrize(
    "bad",
    [
        cursor(1, gen=2),
        cursor(1),
        cursor(9),
        cursor(3),
        cursor(0, proof=b"\1" * 32),
    ],
    ids=["another gen", "another hash", "beyond the head", "another hash at the head", "not genesis"],
)
async def test_a_cursor_that_does_not_stand_on_this_stream_must_resync(bad: Cursor) -> None:
    central = new_central()
    for entity in "abc":
        await emit(central, entity)
    if bad.gen != uuid_of(1):
        bad = msgspec.structs.replace(bad, hash=central.feed[CENTRO, 1].hash)
    reply = await asked(central, bad, cursor(stream=GLOBAL))
    assert reply.resync == (CENTRO,)
    assert [part.stream for part in reply.streams] == [GLOBAL]
    assert not is_empty(reply)


async def test_a_stream_is_answered_once_however_often_it_is_asked_for() -> None:
    central = new_central()
    await emit(central, "a")
    reply = await asked(central, *(cursor(0, stream=stream) for stream in (CENTRO, GLOBAL, CENTRO, "office:real") * 9))
    assert [part.stream for part in reply.streams] == [GLOBAL, CENTRO]


@pytest.mark.parametrize(
    "seq,oldest,goes_on", [(0, 2, False), (1, 3, False), (2, 3, False), (3, 3, True), (5, 6, True), (4, 6, False)]
)
async def test_a_cursor_goes_on_while_it_can_be_proven_and_its_next_row_is_kept(
    seq: int, oldest: int, goes_on: bool
) -> None:
    central = new_central()
    for entity in "abcde":
        await emit(central, entity)
    there = cursor(seq, proof=central.feed[CENTRO, seq].hash if seq else bytes(32))
    central.prune(CENTRO, oldest)
    reply = await asked(central, there)
    assert (reply.resync == ()) == goes_on
    assert [row.seq for part in reply.streams for row in part.rows] == (list(range(seq + 1, 6)) if goes_on else [])


async def test_streams_of_other_offices_are_not_answered() -> None:
    central = new_central()
    await emit(central, "secret", stream=office_stream("real"))
    reply = await asked(central, cursor(stream=office_stream("real")), cursor())
    assert [part.stream for part in reply.streams] == [CENTRO]
    assert reply.resync == ()


async def test_an_empty_reply_is_known_as_one() -> None:
    assert is_empty(await asked(new_central(), cursor(), cursor(stream=GLOBAL)))
