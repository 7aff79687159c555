from __future__ import annotations

import msgspec
import pytest

from sync.messages import codec
from sync.messages.values import GENESIS
from sync.messages.wire import MAX_FACTS, UpRefusal, UpReply, UpRequest
from sync.protocol.in_flight import DROPPED
from sync.protocol.store import START, Authority, Position
from sync.protocol.uplink import Acked, Halted, Rewound, Unplaced, UplinkSession, age_us, fit, ingest
from tests.kit.facts import MORNING, printed_run, raw_record, uuid_of
from tests.kit.memory import Crashed, CrashPoint
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeStore
from tests.unit.sync.protocol.ends import NODE, new_central


def edge_with(facts: int, *, salt: int = 0) -> MemoryEdgeStore:
    store = MemoryEdgeStore()
    store.write_facts(printed_run(1, facts, salt=salt))
    return store


async def request_of(session: UplinkSession, number: int = 1) -> UpRequest:
    request = await session.next_request(uuid_of(number))
    assert request is not None
    return request


def seqs(store: MemoryCentralStore) -> list[int]:
    return [fact.record.seq for fact in store.log.get(("centro", 1), [])]


# ------------------------------------------------------------------------------------------------------------ the edge


async def test_what_is_not_acknowledged_is_sent_from_where_central_stands() -> None:
    edge = edge_with(5)
    edge.acks[1] = Position(2, edge.journal[1][1].hash)
    request = await request_of(UplinkSession(edge, NODE))
    assert (request.first_seq, [fact.seq for fact in request.facts]) == (3, [3, 4, 5])
    assert request.prev_hash == edge.journal[1][1].hash
    assert (request.office, request.node, request.epoch) == ("centro", "edge-centro", 1)


async def test_nothing_is_sent_when_all_is_acknowledged_or_a_request_is_open() -> None:
    edge = edge_with(2)
    session = UplinkSession(edge, NODE)
    await request_of(session)
    assert await session.next_request(uuid_of(2)) is None
    edge.acks[1] = edge.end(1)
    assert await UplinkSession(edge, NODE).next_request(uuid_of(3)) is None


async def test_a_proven_acknowledgement_is_stored_and_tells_the_backlog() -> None:
    edge = edge_with(3)
    session = UplinkSession(edge, NODE)
    request = await request_of(session)
    edge.write_facts(printed_run(4, 5))
    position = Position(3, edge.journal[1][2].hash)
    reply = UpReply(request_id=request.request_id, acked_seq=3, acked_hash=position.hash)
    assert await session.on_reply(reply) == Acked(position, 2)
    assert edge.acks[1] == position
    assert [fact.seq for fact in (await request_of(session, 2)).facts] == [4, 5]


async def test_central_sets_batch_and_pace() -> None:
    edge = edge_with(5)
    session = UplinkSession(edge, NODE)
    request = await request_of(session)
    await session.on_reply(
        UpReply(request_id=request.request_id, acked_seq=0, acked_hash=GENESIS, max_batch=2, retry_after_s=9)
    )
    assert session.delay_s(0.0) == 9
    assert len((await request_of(session, 2)).facts) == 2


@pytest.mark.parametrize("answers", [uuid_of(8), uuid_of(1)], ids=["another request", "the same one twice"])
async def test_a_reply_that_answers_nothing_open_is_dropped(answers: str) -> None:
    edge = edge_with(3)
    session = UplinkSession(edge, NODE)
    first = await request_of(session)
    session.on_failure(first.request_id)
    await request_of(session, 2)
    late = UpReply(request_id=answers, acked_seq=3, acked_hash=edge.end(1).hash)
    assert await session.on_reply(late) is DROPPED
    assert await session.on_refusal(UpRefusal(request_id=answers, code="fork")) is DROPPED
    assert (edge.acks, session.halted) == ({}, None)


@pytest.mark.parametrize("seq,hash_of", [(9, b"\1" * 32), (2, b"\1" * 32)], ids=["beyond the journal", "another hash"])
async def test_an_acknowledgement_that_the_journal_does_not_prove_is_a_fork(seq: int, hash_of: bytes) -> None:
    edge = edge_with(3)
    session = UplinkSession(edge, NODE)
    request = await request_of(session)
    reply = UpReply(request_id=request.request_id, acked_seq=seq, acked_hash=hash_of)
    assert await session.on_reply(reply) == Halted("fork")
    assert edge.acks == {}
    assert await session.next_request(uuid_of(2)) is None


async def test_a_gap_rewinds_to_a_proven_position() -> None:
    edge = edge_with(5)
    edge.acks[1] = Position(4, edge.journal[1][3].hash)
    session = UplinkSession(edge, NODE)
    request = await request_of(session)
    position = Position(1, edge.journal[1][0].hash)
    gap = UpRefusal(request_id=request.request_id, code="gap", expected_seq=2, expected_hash=position.hash)
    assert await session.on_refusal(gap) == Rewound(position)
    assert [fact.seq for fact in (await request_of(session, 2)).facts] == [2, 3, 4, 5]


@pytest.mark.parametrize("code", ["fork", "malformed"])
async def test_refusals_that_need_a_person_halt(code: str) -> None:
    session = UplinkSession(edge_with(1), NODE)
    request = await request_of(session)
    refusal = msgspec.convert({"request_id": request.request_id, "code": code}, UpRefusal)
    assert await session.on_refusal(refusal) == Halted(refusal.code)  # type: ignore[arg-type]
    assert session.halted == code


@pytest.mark.parametrize("epoch,outcome", [(2, Halted("fenced", 2)), (1, Unplaced()), (0, Unplaced())])
async def test_fenced_halts_only_for_a_newer_epoch(epoch: int, outcome: object) -> None:
    edge = edge_with(1)
    session = UplinkSession(edge, NODE)
    request = await request_of(session)
    assert await session.on_refusal(UpRefusal(request_id=request.request_id, code="fenced", epoch=epoch)) == outcome
    assert edge.fence == ({"by": 2} if epoch == 2 else {})


async def test_failures_lengthen_the_pause_and_an_answer_ends_them() -> None:
    edge = edge_with(1)
    session = UplinkSession(edge, NODE)
    for number in range(1, 5):
        assert session.on_failure((await request_of(session, number)).request_id)
    assert session.delay_s(1.0) == 8.0
    request = await request_of(session, 5)
    await session.on_reply(UpReply(request_id=request.request_id, acked_seq=0, acked_hash=GENESIS))
    assert session.delay_s(1.0) == 0.0


def test_a_batch_keeps_within_its_bytes_but_is_never_empty() -> None:
    facts = printed_run(1, 4)
    size = len(codec.encode(facts[0])) + 1
    assert fit(facts, size * 4) == facts
    assert fit(facts, size * 3 + 1) == facts[:3]
    assert fit(facts, 1) == facts[:1]


# ------------------------------------------------------------------------------------------------------------- central


async def test_a_batch_is_appended_and_acknowledged_at_its_end() -> None:
    edge, central = edge_with(3), new_central()
    request = await request_of(UplinkSession(edge, NODE))
    reply = await ingest(central, request, MORNING)
    assert reply == UpReply(request_id=request.request_id, acked_seq=3, acked_hash=edge.end(1).hash)
    assert seqs(central) == [1, 2, 3]


async def test_the_same_batch_again_changes_nothing_and_is_acknowledged() -> None:
    edge, central = edge_with(3), new_central()
    request = await request_of(UplinkSession(edge, NODE))
    assert await ingest(central, request, MORNING) == await ingest(central, request, MORNING)
    assert seqs(central) == [1, 2, 3]


async def test_an_overlap_is_skipped() -> None:
    edge, central = edge_with(5), new_central()
    request = await request_of(UplinkSession(edge, NODE))
    await ingest(central, msgspec.structs.replace(request, facts=request.facts[:3]), MORNING)
    later = msgspec.structs.replace(request, first_seq=2, prev_hash=edge.journal[1][0].hash, facts=request.facts[1:])
    reply = await ingest(central, later, MORNING)
    assert isinstance(reply, UpReply)
    assert (reply.acked_seq, seqs(central)) == (5, [1, 2, 3, 4, 5])


async def test_an_old_batch_is_acknowledged_with_the_present_end() -> None:
    edge, central = edge_with(5), new_central()
    request = await request_of(UplinkSession(edge, NODE))
    await ingest(central, request, MORNING)
    reply = await ingest(central, msgspec.structs.replace(request, facts=request.facts[:2]), MORNING)
    assert isinstance(reply, UpReply)
    assert Position(reply.acked_seq, reply.acked_hash) == edge.end(1)


async def test_a_hole_is_a_gap_with_the_position_to_go_on_from() -> None:
    edge, central = edge_with(5), new_central()
    request = await request_of(UplinkSession(edge, NODE))
    await ingest(central, msgspec.structs.replace(request, facts=request.facts[:1]), MORNING)
    third = msgspec.structs.replace(request, first_seq=3, prev_hash=edge.journal[1][1].hash, facts=request.facts[2:])
    refusal = await ingest(central, third, MORNING)
    assert refusal == UpRefusal(
        request_id=request.request_id, code="gap", expected_seq=2, expected_hash=edge.journal[1][0].hash, epoch=1
    )
    assert seqs(central) == [1]


@pytest.mark.parametrize(
    "first,last", [(4, 5), (2, 5), (1, 2), (1, 3)], ids=["behind", "overlap", "within", "all of it"]
)
async def test_other_facts_under_known_numbers_are_a_fork(first: int, last: int) -> None:
    central = new_central()
    await ingest(central, await request_of(UplinkSession(edge_with(3), NODE)), MORNING)
    other = edge_with(5, salt=7)
    before = Position(0, GENESIS) if first == 1 else Position(first - 1, other.journal[1][first - 2].hash)
    request = UpRequest(
        request_id=uuid_of(2),
        office="centro",
        node="edge-centro",
        epoch=1,
        incarnation=uuid_of(3),
        first_seq=first,
        prev_hash=before.hash,
        facts=tuple(fact.record for fact in other.journal[1][first - 1 : last]),
    )
    refusal = await ingest(central, request, MORNING)
    assert isinstance(refusal, UpRefusal)
    assert (refusal.code, seqs(central)) == ("fork", [1, 2, 3])


@pytest.mark.parametrize("central_epoch,office,told", [(0, "centro", 0), (1, "elsewhere", 0)])
async def test_a_node_that_was_never_activated_has_no_authority(central_epoch: int, office: str, told: int) -> None:
    central = new_central(epoch=central_epoch)
    facts = tuple(printed_run(1, 2, office=office))
    request = await request_of(UplinkSession(edge_with(2), NODE))
    refusal = await ingest(central, msgspec.structs.replace(request, office=office, facts=facts), MORNING)
    assert refusal == UpRefusal(request_id=request.request_id, code="fenced", epoch=told)
    assert central.log == {}


async def test_facts_of_an_earlier_epoch_are_recorded_and_told_that_they_are_fenced() -> None:
    central = new_central(epoch=2)
    edge = edge_with(3)
    session = UplinkSession(edge, NODE)
    request = await request_of(session)
    reply = await ingest(central, request, MORNING)
    assert isinstance(reply, UpReply)
    assert (reply.acked_seq, reply.fenced_by) == (3, 2)
    assert central.authorities["centro"] == Authority(epoch=2, last=START)
    assert seqs(central) == [1, 2, 3]
    outcome = await session.on_reply(reply)
    assert isinstance(outcome, Acked)
    assert (outcome.fenced_by, edge.fence) == (2, {"by": 2})
    # What is sent again is found in that epoch's own log.
    assert await ingest(central, request, MORNING) == reply


@pytest.mark.parametrize(
    "facts",
    [
        (),
        tuple(printed_run(2, 3)),
        tuple(printed_run(1, 1)) * 2,
        tuple(printed_run(1, 1, office="real")),
        tuple(printed_run(1, 1, epoch=2)),
        tuple(printed_run(1, MAX_FACTS + 1)),
    ],
    ids=["empty", "wrong start", "not dense", "another office", "another epoch", "too many"],
)
async def test_a_batch_that_is_not_a_dense_run_of_the_senders_own_facts_is_malformed(
    facts: tuple[msgspec.Raw, ...],
) -> None:
    central = new_central()
    request = await request_of(UplinkSession(edge_with(1), NODE))
    refusal = await ingest(central, msgspec.structs.replace(request, facts=facts), MORNING)
    assert refusal == UpRefusal(request_id=request.request_id, code="malformed")
    assert central.log == {}


async def test_poison_is_parked_in_the_log_and_delays_nobody() -> None:
    edge, central = MemoryEdgeStore(), new_central()
    edge.write_facts([*printed_run(1, 1), raw_record("ticket.called", 1, 2, b'{"ticket_id":7}'), *printed_run(3, 3)])
    reply = await ingest(central, await request_of(UplinkSession(edge, NODE)), MORNING)
    assert isinstance(reply, UpReply)
    assert (reply.acked_seq, seqs(central)) == (3, [1, 2, 3])
    assert [one.record.seq for one in central.parked] == [2]


@pytest.mark.parametrize("crash,kept", [("before_commit", []), ("after_commit", [1, 2])])
async def test_a_crash_around_the_commit_is_healed_by_sending_again(crash: CrashPoint, kept: list[int]) -> None:
    edge, central = edge_with(2), new_central()
    request = await request_of(UplinkSession(edge, NODE))
    central.crash_next = crash
    with pytest.raises(Crashed):
        await ingest(central, request, MORNING)
    assert seqs(central) == kept
    assert isinstance(await ingest(central, request, MORNING), UpReply)
    assert (seqs(central), central.authorities["centro"].last) == ([1, 2], edge.end(1))


async def test_a_crash_before_the_acknowledgement_is_stored_sends_again() -> None:
    edge, central = edge_with(2), new_central()
    session = UplinkSession(edge, NODE)
    reply = await ingest(central, await request_of(session), MORNING)
    assert isinstance(reply, UpReply)
    edge.crash_next = "before_commit"
    with pytest.raises(Crashed):
        await session.on_reply(reply)
    assert edge.acks.get(1, START) == START
    again = UplinkSession(edge, NODE)
    second = await ingest(central, await request_of(again, 2), MORNING)
    assert isinstance(second, UpReply)
    assert await again.on_reply(second) == Acked(edge.end(1), 0)


@pytest.mark.parametrize(
    "boot_id,mono_ns,told",
    [
        ("boot-1", 61_000_000_000, 60_000_000),
        ("boot-2", 61_000_000_000, None),
        ("", 61_000_000_000, None),
        ("boot-1", 0, None),
    ],
)
def test_a_fact_has_an_age_on_the_clock_of_its_own_boot_only(boot_id: str, mono_ns: int, told: int | None) -> None:
    (fact,) = printed_run(1, 1)
    request = UpRequest(
        request_id=uuid_of(1),
        office="centro",
        node="edge-1",
        epoch=1,
        incarnation=uuid_of(2),
        first_seq=1,
        prev_hash=GENESIS,
        facts=(fact,),
        boot_id=boot_id,
        mono_ns=mono_ns,
    )
    assert age_us(fact, request) == told
