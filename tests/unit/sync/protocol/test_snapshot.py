from __future__ import annotations

import hashlib
from collections.abc import Callable

import msgspec
import pytest

from sync.domain.leases import LeaseBook
from sync.messages import codec
from sync.messages.feed import GLOBAL, office_stream
from sync.messages.wire import ReportReply, SnapshotManifest, SnapshotRequest, SnapshotRow, SnapshotTrailer
from sync.protocol import recovery
from sync.protocol.downlink import DownlinkSession
from sync.protocol.in_flight import DROPPED
from sync.protocol.snapshot import MAX_LINE_BYTES, RejectReason, SnapshotApplied, SnapshotRejected
from sync.protocol.store import Position
from tests.kit.facts import MORNING, printed_run, uuid_of
from tests.kit.memory import Crashed
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore
from tests.unit.sync.protocol.ends import CENTRO, NODE, emit, ids, new_central, snapshot_of, started, turn

Lines = list[bytes]


async def full_central() -> MemoryCentralStore:
    central = new_central()
    for number in range(7):
        await emit(central, f"e{number}")
    await emit(central, "s", stream=GLOBAL)
    await emit(central, "e0", op="del", body=b"{}")
    await emit(central, "other", stream=office_stream("real"))
    return central


def sealed(lines: Lines) -> bytes:
    """The lines with a trailer that fits them."""
    text = b"".join(line + b"\n" for line in lines)
    return text + codec.encode(SnapshotTrailer(sha256=hashlib.sha256(text).digest())) + b"\n"


def with_manifest(**changes: object) -> Callable[[Lines], bytes]:
    def change(lines: Lines) -> bytes:
        manifest = msgspec.structs.replace(codec.decode(lines[0], SnapshotManifest), **changes)
        return sealed([codec.encode(manifest), *lines[1:]])

    return change


async def test_a_snapshot_is_manifest_rows_in_order_and_a_trailer() -> None:
    central = await full_central()
    request = SnapshotRequest(request_id=uuid_of(1), office="centro")
    *lines, trailer, after = (await snapshot_of(central, request)).split(b"\n")
    manifest = codec.decode(lines[0], SnapshotManifest)
    rows = [codec.decode(line, SnapshotRow) for line in lines[1:]]
    assert (manifest.snapshot_id, manifest.gen, manifest.counts) == (uuid_of(1), uuid_of(1), {"counter": 7})
    assert [(head.stream, head.seq) for head in manifest.heads] == [(GLOBAL, 1), (CENTRO, 8)]
    assert [(row.stream, row.entity_id) for row in rows] == [(GLOBAL, "s"), *((CENTRO, f"e{n}") for n in range(1, 7))]
    text = b"".join(line + b"\n" for line in lines)
    assert codec.decode(trailer, SnapshotTrailer).sha256 == hashlib.sha256(text).digest()
    assert after == b""


@pytest.mark.parametrize("piece", [1, 3, 64, 1 << 20])
async def test_a_snapshot_arrives_whole_however_it_is_cut(piece: int) -> None:
    edge, central = MemoryEdgeStore(), await full_central()
    session = DownlinkSession(edge, "centro", stage_rows=2)
    request = await session.next_request(uuid_of(1))
    assert isinstance(request, SnapshotRequest)
    body = await snapshot_of(central, request)
    for at in range(0, len(body), piece):
        assert await session.on_snapshot_data(request.request_id, body[at : at + piece]) is None
    assert edge.entities == {}
    outcome = await session.on_snapshot_end(request.request_id)
    assert isinstance(outcome, SnapshotApplied)
    assert (outcome.entities, ids(edge)) == (7, ["e1", "e2", "e3", "e4", "e5", "e6", "s"])
    assert {stream: Position(at.seq, at.hash) for stream, at in edge.places.items()} == {
        stream: central.states[stream].last for stream in (GLOBAL, CENTRO)
    }
    assert edge.staging == {}


DAMAGES: dict[str, tuple[RejectReason, Callable[[Lines], bytes]]] = {
    "nothing at all": ("truncated", lambda lines: b""),
    "last newline missing": ("truncated", lambda lines: sealed(lines)[:-1]),
    "no trailer": ("truncated", lambda lines: b"\n".join(lines) + b"\n"),
    "cut between lines": ("truncated", lambda lines: b"".join(line + b"\n" for line in lines[:4])),
    "a bit turned": ("hash", lambda lines: sealed(lines).replace(b'"a":1', b'"a":2', 1)),
    "twice": ("malformed", lambda lines: sealed(lines) + sealed(lines)),
    "a row missing": ("counts", lambda lines: sealed([lines[0], *lines[2:]])),
    "rows without end": ("counts", lambda lines: sealed([*lines, *(lines[-1:] * 10)])),
    "a row repeated for another": ("counts", lambda lines: sealed([*lines[:2], *lines[1:-1]])),
    "no manifest": ("malformed", lambda lines: sealed([b"{}", *lines])),
    "a line that is no row": ("malformed", lambda lines: sealed([lines[0], b"[]", *lines[1:]])),
    "another schema": ("schema", with_manifest(schema=2)),
    "another request": ("not_ours", with_manifest(snapshot_id=uuid_of(9))),
    "no heads": ("not_ours", with_manifest(heads=())),
    "another office's row": (
        "not_ours",
        lambda lines: sealed([*lines, lines[-1].replace(b"office:centro", b"office:real")]),
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_is_not_whole_or_not_ours_changes_nothing(damage: str) -> None:
    reason, apply = DAMAGES[damage]
    edge, central = MemoryEdgeStore(), await full_central()
    old = new_central()
    await emit(old, "old")
    await started(edge, old)
    entities, places = dict(edge.entities), dict(edge.places)
    session = DownlinkSession(edge, "centro")
    session._resync_due = True
    request = await session.next_request(uuid_of(1))
    assert isinstance(request, SnapshotRequest)
    lines = (await snapshot_of(central, request)).split(b"\n")[:-2]
    await session.on_snapshot_data(request.request_id, apply(lines))
    assert await session.on_snapshot_end(request.request_id) == SnapshotRejected(reason=reason)
    assert (edge.entities, edge.places) == (entities, places)
    assert session.delay_s(1.0) == 1.0
    assert isinstance(await session.next_request(uuid_of(2)), SnapshotRequest)


async def test_a_line_without_end_is_held_up_to_a_bound_and_no_more_is_wanted() -> None:
    edge, central = MemoryEdgeStore(), await full_central()
    session = DownlinkSession(edge, "centro")
    session._resync_due = True
    request = await session.next_request(uuid_of(1))
    assert isinstance(request, SnapshotRequest)
    manifest = (await snapshot_of(central, request)).split(b"\n")[0] + b"\n"
    assert await session.on_snapshot_data(request.request_id, manifest) is None
    wanted = 0
    while await session.on_snapshot_data(request.request_id, bytes(64 * 1024)) is None:
        wanted += 64 * 1024
        assert wanted <= 2 * MAX_LINE_BYTES
    assert await session.on_snapshot_end(request.request_id) == SnapshotRejected(reason="too_large")


async def test_data_and_end_of_another_snapshot_are_dropped() -> None:
    edge = MemoryEdgeStore()
    session = DownlinkSession(edge, "centro")
    request = await session.next_request(uuid_of(1))
    assert isinstance(request, SnapshotRequest)
    session.on_failure(request.request_id)
    await session.next_request(uuid_of(2))
    body = await snapshot_of(new_central(), request)
    assert await session.on_snapshot_data(uuid_of(1), body) is DROPPED
    assert await session.on_snapshot_end(uuid_of(1)) is DROPPED
    assert edge.places == {}


async def test_a_load_begins_over_an_empty_staging_area() -> None:
    edge, central = MemoryEdgeStore(), await full_central()
    first = DownlinkSession(edge, "centro", stage_rows=1)
    request = await first.next_request(uuid_of(1))
    assert isinstance(request, SnapshotRequest)
    body = await snapshot_of(central, request)
    await first.on_snapshot_data(request.request_id, body[: len(body) // 2])
    assert edge.staging
    await emit(central, "e1", op="del", body=b"{}")
    await started(edge, central)
    assert ids(edge) == ["e2", "e3", "e4", "e5", "e6", "s"]


async def test_a_crash_before_the_swap_leaves_the_old_state() -> None:
    edge, central = MemoryEdgeStore(), await full_central()
    session = DownlinkSession(edge, "centro", stage_rows=2)
    request = await session.next_request(uuid_of(1))
    assert isinstance(request, SnapshotRequest)
    await session.on_snapshot_data(request.request_id, await snapshot_of(central, request))
    edge.crash_next = "before_commit"
    with pytest.raises(Crashed):
        await session.on_snapshot_end(request.request_id)
    assert (edge.entities, edge.places) == ({}, {})
    await started(edge, central)
    assert len(edge.entities) == 7


async def test_a_grant_that_a_restored_central_forgot_goes_on_counting_and_is_in_no_report() -> None:
    """The node that held the ticket is dead: this row is the last that anybody knows of its person."""
    edge, central = MemoryEdgeStore(), await full_central()
    async with central.transaction() as tx:
        await tx.emit(CENTRO, kind="ticket_grant", entity_id=uuid_of(7), version=2, op="put", body=b'{"a":1}')
    session, central = await started(edge, central), new_central(gen=2)
    await turn(session, central, 1)
    request = await session.next_request(uuid_of(2))
    assert isinstance(request, SnapshotRequest)
    await session.on_snapshot_data(request.request_id, await snapshot_of(central, request))
    await session.on_snapshot_end(request.request_id)
    assert edge.entities == {}
    assert [(row.kind, row.entity_id, row.version) for row in edge.put_aside.values()] == [
        ("ticket_grant", uuid_of(7), 2)
    ]
    report = await recovery.next_report(edge, NODE, uuid_of(8), LeaseBook(), MORNING)
    assert report is not None
    assert (report.leases, report.bookings) == ((), ())
    reply = ReportReply(request_id=report.request_id, taken=True, gen=report.gen)
    assert await recovery.on_report_reply(edge, report, reply)
    assert len(edge.put_aside) == 1, "whoever accepts it tells of it"


async def test_own_facts_outlive_a_snapshot() -> None:
    edge, central = MemoryEdgeStore(), await full_central()
    edge.write_facts(printed_run(1, 4))
    edge.acks[1] = Position(2, edge.journal[1][1].hash)
    before = (list(edge.journal[1]), dict(edge.acks))
    await started(edge, central)
    assert (list(edge.journal[1]), dict(edge.acks)) == before
