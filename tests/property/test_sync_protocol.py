"""Whatever way facts and rows are cut, repeated, overlapped or mixed with snapshots, both ends end up the same."""

from __future__ import annotations

from contextlib import suppress

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sync.messages.feed import GLOBAL, office_stream
from sync.messages.values import GENESIS
from sync.messages.wire import DownRequest, SnapshotRequest, UpReply, UpRequest
from sync.protocol.downlink import DownlinkSession, ResyncDue, RowsApplied, rows_after
from sync.protocol.snapshot import SnapshotApplied, write_snapshot
from sync.protocol.steps import finish
from sync.protocol.store import Position
from sync.protocol.uplink import ingest
from tests.contract.factories import project_seq
from tests.kit.facts import MORNING, printed_run, uuid_of
from tests.kit.memory import Crashed
from tests.kit.memory_central import MemoryCentralStore, emit_row
from tests.kit.memory_edge import MemoryEdgeStore

CENTRO = office_stream("centro")
FACTS = 12


# ------------------------------------------------------------------------------------------------------------- the way up


@st.composite
def batches(draw: st.DrawFn) -> list[tuple[int, int]]:
    """Runs (first, last) over facts 1..FACTS, in any order, with overlaps and repeats."""
    runs = st.tuples(st.integers(1, FACTS), st.integers(1, FACTS)).map(lambda ends: (min(ends), max(ends)))
    return draw(st.lists(runs, max_size=25))


def request_of(edge: MemoryEdgeStore, first: int, last: int) -> UpRequest:
    facts = edge.journal[1]
    return UpRequest(
        request_id=uuid_of(first * 100 + last),
        office="centro",
        node="edge-centro",
        epoch=1,
        incarnation=uuid_of(1),
        first_seq=first,
        prev_hash=facts[first - 2].hash if first > 1 else GENESIS,
        facts=tuple(fact.record for fact in facts[first - 1 : last]),
    )


@given(batches())
def test_any_batches_give_a_prefix_of_the_journal_once(runs: list[tuple[int, int]]) -> None:
    edge = MemoryEdgeStore()
    edge.write_facts(printed_run(1, FACTS))
    central = MemoryCentralStore(uuid_of(1), project_seq)
    central.add_office("centro")
    end = 0
    for first, last in runs:
        answer = finish(ingest(central, request_of(edge, first, last), MORNING))
        if first > end + 1:
            assert not isinstance(answer, UpReply)
            assert (answer.code, answer.expected_seq) == ("gap", end + 1)
        else:
            end = max(end, last)
            assert isinstance(answer, UpReply)
            assert Position(answer.acked_seq, answer.acked_hash) == Position(end, edge.journal[1][end - 1].hash)
        assert central.log.get(("centro", 1), []) == edge.journal[1][:end]
        assert sorted(map(str, central.projection)) == sorted(map(str, range(1, end + 1)))


@given(st.data())
def test_a_changed_byte_or_header_anywhere_never_enters_the_log(data: st.DataObject) -> None:
    """Central holds 1..known of the true journal; a batch that differs from it inside that part is refused."""
    edge, other = MemoryEdgeStore(), MemoryEdgeStore()
    edge.write_facts(printed_run(1, FACTS))
    differs_at = data.draw(st.integers(1, FACTS), label="differs at")
    known = data.draw(st.integers(differs_at, FACTS), label="known")
    first = data.draw(st.integers(1, known + 1), label="first")
    last = data.draw(st.integers(max(first, differs_at), FACTS + 1), label="last")
    other.write_facts([*printed_run(1, differs_at - 1), *printed_run(differs_at, FACTS + 1, salt=1)])
    central = MemoryCentralStore(uuid_of(1))
    central.add_office("centro")
    finish(ingest(central, request_of(edge, 1, known), MORNING))
    answer = finish(ingest(central, request_of(other, first, last), MORNING))
    assert not isinstance(answer, UpReply)
    assert (answer.code, central.log["centro", 1]) == ("fork", edge.journal[1][:known])


# ----------------------------------------------------------------------------------------------------------- the way down

ENTITIES = st.sampled_from("abcd")
CHANGES = st.tuples(st.just("change"), st.sampled_from((GLOBAL, CENTRO)), ENTITIES, st.booleans())
MOVES = st.sampled_from(
    [("turn",), ("duplicate",), ("late",), ("lost",), ("restart",), ("snapshot",), ("crash_before",), ("crash_after",)]
)
PRUNES = st.tuples(st.just("prune"), st.sampled_from((GLOBAL, CENTRO)), st.integers(0, 3))
SCRIPTS = st.lists(st.one_of(CHANGES, MOVES, PRUNES), max_size=40)


class Office:
    """An edge that asks over a link where anything may happen to a reply."""

    def __init__(self) -> None:
        self.central = MemoryCentralStore(uuid_of(1))
        self.edge = MemoryEdgeStore()
        self.session = DownlinkSession(self.edge, "centro", max_rows=3, stage_rows=2)
        self._asked = 0
        self._version = 0

    def change(self, stream: str, entity: str, gone: bool) -> None:
        self._version += 1
        finish(self._emit(stream, entity, gone))

    async def _emit(self, stream: str, entity: str, gone: bool) -> None:
        body = b"{}" if gone else b'{"v":%d}' % self._version
        async with self.central.transaction() as tx:
            op = "del" if gone else "put"
            emit_row(tx, stream, kind="k", entity_id=entity, version=self._version, op=op, body=body)  # type: ignore[arg-type]

    def prune(self, stream: str, keep: int) -> None:
        state = self.central.states.get(stream)
        if state is not None:
            self.central.prune(stream, state.last.seq + 1 - keep)

    def turn(self, *, copies: int = 1, deliver: bool = True) -> None:
        """One request; its reply comes ``copies`` times, or not at all."""
        self._asked += 1
        request = finish(self.session.next_request(uuid_of(self._asked)))
        assert request is not None
        if not deliver:
            self.session.on_failure(request.request_id)
            return
        for _ in range(copies):
            self.deliver(request)

    def deliver(self, request: DownRequest | SnapshotRequest) -> object:
        if isinstance(request, DownRequest):
            return finish(self.session.on_rows(finish(rows_after(self.central, request))))
        lines: list[bytes] = []
        finish(write_snapshot(self.central, request, lines.append))
        finish(self.session.on_snapshot_data(request.request_id, b"".join(lines)))
        return finish(self.session.on_snapshot_end(request.request_id))

    def late(self) -> None:
        """A request is given up; its reply comes while the next one is open."""
        self._asked += 2
        old = finish(self.session.next_request(uuid_of(self._asked - 1)))
        assert old is not None
        self.session.on_failure(old.request_id)
        new = finish(self.session.next_request(uuid_of(self._asked)))
        assert new is not None
        self.deliver(old)
        self.deliver(new)

    def restart(self) -> None:
        self.session = DownlinkSession(self.edge, "centro", max_rows=3, stage_rows=2)

    def crash(self, *, before: bool) -> None:
        self._asked += 1
        request = finish(self.session.next_request(uuid_of(self._asked)))
        assert request is not None
        self.edge.crash_next = "before_commit" if before else "after_commit"
        with suppress(Crashed):
            self.deliver(request)
        self.edge.crash_next = None
        self.restart()

    def resync(self) -> None:
        self.session._resync_due = True
        self.turn()

    def play(self, move: tuple[object, ...]) -> None:
        match move:
            case ("change", str(stream), str(entity), bool(gone)):
                self.change(stream, entity, gone)
            case ("prune", str(stream), int(keep)):
                self.prune(stream, keep)
            case ("turn",):
                self.turn()
            case ("duplicate",):
                self.turn(copies=2)
            case ("lost",):
                self.turn(deliver=False)
            case ("late",):
                self.late()
            case ("restart",):
                self.restart()
            case ("snapshot",):
                self.resync()
            case _:
                self.crash(before=move == ("crash_before",))

    def catch_up(self) -> int:
        """Turns until all is applied."""
        for turns in range(1, 60):
            self._asked += 1
            request = finish(self.session.next_request(uuid_of(self._asked)))
            assert request is not None
            outcome = self.deliver(request)
            assert isinstance(outcome, RowsApplied | ResyncDue | SnapshotApplied)
            if isinstance(outcome, RowsApplied) and outcome.behind == 0:
                return turns
        raise AssertionError("did not catch up")


@given(SCRIPTS)
def test_any_interleaving_of_rows_and_snapshots_gives_the_same_entities(script: list[tuple[object, ...]]) -> None:
    office = Office()
    for move in script:
        office.play(move)
    office.catch_up()
    assert office.edge.entities == office.central.live
    assert {stream: (at.seq, at.hash) for stream, at in office.edge.places.items() if at.seq} == {
        stream: (state.last.seq, state.last.hash) for stream, state in office.central.states.items()
    }


@given(SCRIPTS, st.binary(min_size=1, max_size=1))
def test_a_reply_with_any_flaw_is_never_applied(script: list[tuple[object, ...]], salt: bytes) -> None:
    office = Office()
    for move in script:
        office.play(move)
    office.catch_up()
    office.change(CENTRO, "a", False)
    request = finish(office.session.next_request(uuid_of(10_000)))
    assert isinstance(request, DownRequest)
    reply = finish(rows_after(office.central, request))
    before = (dict(office.edge.entities), dict(office.edge.places))
    bad = msgspec.structs.replace(
        reply,
        streams=tuple(
            msgspec.structs.replace(
                part,
                rows=tuple(msgspec.structs.replace(row, entity_id=row.entity_id + salt.hex()) for row in part.rows),
            )
            for part in reply.streams
        ),
    )
    assert isinstance(finish(office.session.on_rows(bad)), ResyncDue)
    assert (office.edge.entities, office.edge.places) == before
    office.catch_up()
    assert office.edge.entities == office.central.live
