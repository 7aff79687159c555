from __future__ import annotations

import msgspec
import pytest

from sync.messages.fact_types import FACTS
from sync.messages.feed import GLOBAL
from sync.protocol.hello import Diverged, Greeted, NodeReport, answer_hello, choose_protocol, on_hello, say_hello
from sync.protocol.in_flight import DROPPED
from sync.protocol.store import START, Position
from sync.protocol.uplink import UplinkSession, ingest
from tests.kit.facts import MORNING, printed_run, uuid_of
from tests.kit.memory_edge import MemoryEdgeStore
from tests.unit.sync.protocol.ends import CENTRO, NODE, emit, new_central, started

REPORT = NodeReport(schema="0003", sqlite_version="3.40.1", clock_at=MORNING, disk_free_bytes=1 << 30)


@pytest.mark.parametrize("theirs,chosen", [((1, 1), 1), ((1, 5), 1), ((0, 0), 0), ((2, 4), 0)])
def test_the_highest_common_version_is_spoken(theirs: tuple[int, int], chosen: int) -> None:
    assert choose_protocol(*theirs) == chosen


async def test_hello_says_how_far_journal_and_cursors_go() -> None:
    edge, central = MemoryEdgeStore(), new_central()
    edge.write_facts(printed_run(1, 3))
    await emit(central, "1")
    await started(edge, central)
    request = await say_hello(edge, NODE, REPORT, uuid_of(1))
    assert Position(request.last_seq, request.last_hash) == edge.end(1)
    assert [(cursor.stream, cursor.seq) for cursor in request.cursors] == [(GLOBAL, 0), (CENTRO, 1)]
    assert request.fact_versions == dict.fromkeys(FACTS, 1)


async def test_central_answers_with_its_position_and_the_edge_adopts_it() -> None:
    edge, central = MemoryEdgeStore(), new_central()
    edge.write_facts(printed_run(1, 3))
    batch = await UplinkSession(edge, NODE).next_request(uuid_of(1))
    assert batch is not None
    await ingest(central, batch, MORNING)
    request = await say_hello(edge, NODE, REPORT, uuid_of(2))
    reply = await answer_hello(central, request, server_at=MORNING, durability="no_replica", features=("x",))
    outcome = await on_hello(edge, request, reply)
    assert outcome == Greeted(
        proto=1, gen=uuid_of(1), server_at=MORNING, durability="no_replica", acked=edge.end(1), features=("x",)
    )
    assert edge.acks[1] == edge.end(1)


async def test_a_restored_central_takes_the_acknowledgement_back() -> None:
    edge = MemoryEdgeStore()
    edge.write_facts(printed_run(1, 3))
    edge.acks[1] = edge.end(1)
    request = await say_hello(edge, NODE, REPORT, uuid_of(1))
    reply = await answer_hello(new_central(gen=2), request, server_at=MORNING, durability="no_replica")
    assert isinstance(await on_hello(edge, request, reply), Greeted)
    assert edge.acks[1] == START


@pytest.mark.parametrize("kept,salt", [(1, 0), (3, 5)], ids=["old copy", "other facts"])
async def test_a_journal_that_central_contradicts_has_diverged(kept: int, salt: int) -> None:
    edge, central, restored = MemoryEdgeStore(), new_central(), MemoryEdgeStore()
    edge.write_facts(printed_run(1, 3))
    batch = await UplinkSession(edge, NODE).next_request(uuid_of(1))
    assert batch is not None
    await ingest(central, batch, MORNING)
    restored.write_facts(printed_run(1, kept, salt=salt))
    request = await say_hello(restored, NODE, REPORT, uuid_of(2))
    reply = await answer_hello(central, request, server_at=MORNING, durability="no_replica")
    outcome = await on_hello(restored, request, reply)
    assert outcome == Diverged(central=edge.end(1), journal=restored.end(1))
    assert restored.acks == {}

    fenced = msgspec.structs.replace(reply, fenced_by=2)
    assert await on_hello(restored, request, fenced) == Diverged(
        central=edge.end(1), journal=restored.end(1), fenced_by=2
    )
    assert restored.fence == {"by": 2}


async def test_a_reply_to_another_hello_is_dropped() -> None:
    edge = MemoryEdgeStore()
    request = await say_hello(edge, NODE, REPORT, uuid_of(1))
    late = await answer_hello(
        new_central(),
        msgspec.structs.replace(request, request_id=uuid_of(9)),
        server_at=MORNING,
        durability="no_replica",
    )
    assert await on_hello(edge, request, late) is DROPPED


@pytest.mark.parametrize("office,epoch", [("centro", 2), ("nowhere", 1)])
async def test_another_epoch_or_office_has_no_position(office: str, epoch: int) -> None:
    edge, central = MemoryEdgeStore(), new_central()
    request = await say_hello(edge, NODE, REPORT, uuid_of(1))
    odd = msgspec.structs.replace(request, office=office, epoch=epoch)
    reply = await answer_hello(central, odd, server_at=MORNING, durability="no_replica")
    assert Position(reply.acked_seq, reply.acked_hash) == START
