"""The loops of the uplink: hello, up, down, report, people. Separate tasks, one request in flight each; rules in
``sync.protocol``.

Theory
    *Hello* says hello until it is answered, then the link is connected and the other loops go. While they are quiet it
    says hello again every ``PULSE_S``, so that a silent cut is noticed without waiting for a long-poll's deadline. A loop
    that cannot reach central declares the link lost; that ends the long-poll of a dead connection too, and hello begins
    anew. Since only hello knocks while central is away, it alone needs a schedule: full jitter, at most ``KNOCK_S`` apart
    in the first minutes, so that a heal is noticed within about two seconds, later at most ``KNOCK_LATER_S``. Even 300
    offices that all knock like that are some hundred tiny requests a second.

    *Up* waits for facts, gathers for ``GATHER_S`` what a busy moment commits, sends, and goes on until central has all.

    *Down* asks for rows in a long-poll that central answers when there are some, or takes a snapshot.

    *Report* and *people* have something to say seldom: to a restored central, and of those to whom a lent seat was sold.

    A loop that central answers with an error waits by the session's own backoff, never longer than ``PAUSE_S``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog

from edge_node.uplink.client import Failure
from edge_node.uplink.steps import WriterStore
from edge_node.uplink.surroundings import Surroundings
from provisioning.failpoints import failpoint
from sync.domain.central_clock import CentralClock
from sync.domain.leases import LeaseBook
from sync.io.ids import new_id
from sync.io.waiting import set_within
from sync.messages.people import PersonRequest
from sync.messages.wire import LONG_POLL_S, SnapshotRequest, UpRefusal, UpRequest
from sync.protocol import recovery
from sync.protocol.backoff import retry_delay_s
from sync.protocol.downlink import DownlinkSession, DownOutcome, Fenced, ResyncDue, RowsApplied
from sync.protocol.hello import Diverged, Greeted, on_hello, say_hello
from sync.protocol.in_flight import Dropped
from sync.protocol.snapshot import SnapshotApplied, SnapshotRejected
from sync.protocol.uplink import Acked, Halted, Rewound, Unplaced, UplinkSession, UpOutcome

log = structlog.get_logger(__name__)

PULSE_S: Final = 5.0
STANDING_S: Final = 1.0
"""How late central may hear that this node lost its authority, or has it again."""
KNOCK_S: Final = 2.0
KNOCK_LATER_S: Final = 10.0
QUICK_KNOCKS: Final = 300
"""About five minutes of knocking before it becomes slower."""
PAUSE_S: Final = 60.0
GATHER_S: Final = 0.01
PEOPLE_EVERY_S: Final = 3.0
REPORT_EVERY_S: Final = 1.0


class HelloLoop:
    """Keeps the link."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._failures = 0
        self._told_rolled_back = False

    async def run(self) -> None:
        """Say hello for ever."""
        link = self._around.link
        while True:
            if await self._hello():
                self._failures = 0
                await set_within(link.lost, STANDING_S)
                while not link.lost.is_set() and (quiet_s := link.quiet_s(self._around.clock.monotonic_ns())) < PULSE_S:
                    if self._around.report().rolled_back != self._told_rolled_back:
                        break
                    await set_within(link.lost, min(STANDING_S, PULSE_S - quiet_s))
            else:
                self._failures += 1
                longest_s = KNOCK_S if self._failures < QUICK_KNOCKS else KNOCK_LATER_S
                await asyncio.sleep(min(longest_s, retry_delay_s(self._failures, self._around.chance())))

    async def _hello(self) -> bool:
        around = self._around
        store = WriterStore(around.writer)
        request = await store.run(say_hello(store, around.node, around.report(), new_id()))
        sent_ns = around.clock.monotonic_ns()
        reply = await around.client.hello(request)
        self._told_rolled_back = request.rolled_back
        if isinstance(reply, Failure):
            around.note(reply, "hello")
            return False
        around.central_clock = CentralClock.heard(
            around.central_clock,
            sent_ns=sent_ns,
            received_ns=around.clock.monotonic_ns(),
            server_at=reply.server_at,
        )
        outcome = await store.run(on_hello(store, request, reply))
        match outcome:
            case Greeted():
                self._greeted(outcome, request.last_seq)
                return True
            case Diverged(central=central, journal=journal, fenced_by=fenced_by):
                log.error("link.diverged", central_seq=central.seq, journal_seq=journal.seq, fenced_by=fenced_by)
                if fenced_by:
                    around.link.fence(fenced_by)
                around.link.halt("fork", central.seq)
                around.diverged.set()
                around.heard()
                return True
            case _:
                return False

    def _greeted(self, greeted: Greeted, journal_seq: int) -> None:
        around = self._around
        around.told_well()
        if not around.link.connected.is_set():
            log.info("link.connected", acked_seq=greeted.acked.seq, journal_seq=journal_seq)
        around.link.committed(journal_seq)
        offset_ms = around.client.offset // timedelta(milliseconds=1)
        around.link.greeted(greeted, offset_ms, around.clock.now(), around.clock.monotonic_ns())
        if journal_seq > greeted.acked.seq:
            around.facts.set()


class UpLoop:
    """Sends facts until central has all of them."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._store = WriterStore(around.writer)
        self._session = UplinkSession(self._store, around.node)

    async def run(self) -> None:
        """Send for ever, or until a person has to act."""
        around = self._around
        while self._session.halted is None:
            await around.link.connected.wait()
            if around.diverged.is_set():
                self._session.halt("fork")
                return
            around.facts.clear()
            request = await self._store.run(self._session.next_request(new_id(), around.moment()))
            if request is None:
                await around.facts.wait()
                await asyncio.sleep(GATHER_S)
                continue
            await self._send(request)
            await asyncio.sleep(min(PAUSE_S, self._session.delay_s(around.chance())))

    async def _send(self, request: UpRequest) -> None:
        reply = await self._around.unless_lost(self._around.client.up(request))
        if reply is None or isinstance(reply, Failure):
            self._session.on_failure(request.request_id)
            self._around.note(reply or _LOST, "up")
            if reply is None or reply.unreachable:
                await self._around.link.connected.wait()
                self._session = UplinkSession(self._store, self._around.node)  # a new link owes no pause
            else:
                await asyncio.sleep(reply.retry_after_s)
            return
        failpoint("edge.ack_received")
        self._around.heard()
        step = self._session.on_refusal(reply) if isinstance(reply, UpRefusal) else self._session.on_reply(reply)
        outcome = await self._store.run(step)
        if isinstance(outcome, Dropped):  # an answer to something else is none to this, which must not stay open
            self._session.on_failure(request.request_id)
            self._around.note(_NOT_THIS, "up")
            return
        self._tell(outcome)

    def _tell(self, outcome: UpOutcome) -> None:
        link = self._around.link
        match outcome:
            case Acked(position=position, fenced_by=fenced_by):
                self._around.metrics.acked.set(position.seq)
                link.acked(position.seq)
                if fenced_by:
                    link.fence(fenced_by)
            case Rewound(position=position):
                log.warning("facts.rewound", seq=position.seq)
                link.acked(position.seq)
            case Halted(reason=reason, fenced_by=fenced_by):
                log.error("facts.halted", reason=reason)
                link.halt(reason)
                if fenced_by:
                    link.fence(fenced_by)
            case Unplaced():
                log.warning("facts.unplaced")
                link.lose(self._around.clock.now())  # hello comes next, and shows the activation
            case _:
                log.warning("facts.not_taken", outcome=type(outcome).__name__)


class DownLoop:
    """Takes central's rows, or a snapshot."""

    def __init__(self, around: Surroundings, wait_s: int = LONG_POLL_S) -> None:
        self._around = around
        self._wait_s = wait_s
        self._store = WriterStore(around.writer)
        self._session = self._new_session()

    def _new_session(self) -> DownlinkSession:
        node = self._around.node
        return DownlinkSession(self._store, node.office, epoch=node.epoch)

    async def run(self) -> None:
        """Ask for ever."""
        around = self._around
        if around.untold:
            await around.on_news(None)
            around.untold = False
        while True:
            await around.link.connected.wait()
            if around.link.state.too_old or around.link.state.fenced_by:
                await around.link.lost.wait()
                continue
            request = await self._store.run(self._session.next_request(new_id(), self._wait_s))
            if request is None:
                raise RuntimeError("a request was left open")
            if isinstance(request, SnapshotRequest):
                await self._load(request)
            else:
                around.link.follows({cursor.stream: cursor.seq for cursor in request.cursors})
                reply = await around.unless_lost(around.client.down(request))
                if reply is None or isinstance(reply, Failure):
                    await self._failed(request.request_id, reply)
                else:
                    around.untold = True
                    await self._tell(await self._store.run(self._session.on_rows(reply)))
                    around.link.owe_report(self._session.report_due)
            around.polls += 1
            await asyncio.sleep(min(PAUSE_S, self._session.delay_s(around.chance())))

    async def _load(self, request: SnapshotRequest) -> None:
        request_id = request.request_id

        async def receive(data: bytes) -> bool:
            return await self._store.run(self._session.on_snapshot_data(request_id, data)) is None

        failure = await self._around.unless_lost(_done(self._around.client.snapshot(request, receive)))
        if failure != _DONE:
            await self._failed(request_id, failure)
            return
        self._around.untold = True
        await self._tell(await self._store.run(self._session.on_snapshot_end(request_id)))

    async def _failed(self, request_id: str, failure: Failure | None) -> None:
        self._session.on_failure(request_id)
        self._around.note(failure or _LOST, "down")
        if failure is None or failure.unreachable:
            await self._around.link.connected.wait()
            self._session = self._new_session()
        else:
            await asyncio.sleep(failure.retry_after_s)

    async def _tell(self, outcome: DownOutcome) -> None:
        failpoint("edge.rows_committed")
        around = self._around
        around.heard()
        match outcome:
            case RowsApplied(rows=rows) if rows:
                around.metrics.rows.inc(len(rows))
                await around.on_news(rows)
            case SnapshotApplied(entities=entities):
                around.metrics.snapshots.labels("applied").inc()
                log.info("snapshot.applied", entities=entities)
                await around.on_news(None)
            case SnapshotRejected(reason=reason):
                around.metrics.snapshots.labels(reason).inc()
                log.warning("snapshot.rejected", reason=reason)
            case Fenced(by=epoch):
                log.error("link.fenced", epoch=epoch)
                around.link.fence(epoch)
            case ResyncDue(asked=asked):
                log.warning("feed.resync_due", asked=asked)
            case _:
                pass
        around.untold = False


class ReportLoop:
    """Tells a restored central what this office knows, when it is asked for.

    Args:
        book: what was done with leased seats, as folded now.
    """

    def __init__(self, around: Surroundings, book: Callable[[], LeaseBook]) -> None:
        self._around = around
        self._book = book
        self._store = WriterStore(around.writer)

    async def run(self) -> None:
        """Look for ever whether a report is due."""
        around = self._around
        while True:
            await around.link.connected.wait()
            if around.link.state.report_due and not around.link.state.fenced_by and await self._report():
                around.link.owe_report(False)
                await around.on_news(None)
            await asyncio.sleep(REPORT_EVERY_S)

    async def _report(self) -> bool:
        around, store = self._around, self._store
        making = recovery.next_report(store, around.node, new_id(), self._book(), around.central_now())
        request = await store.run(making)
        if request is None:
            return False
        reply = await around.client.report(request)
        if isinstance(reply, Failure):
            around.note(reply, "report")
            return False
        taken = await store.run(recovery.on_report_reply(store, request, reply))
        log.info("recovery.reported", taken=taken, leases=len(request.leases), bookings=len(request.bookings))
        return taken


class People(Protocol):
    """Who appointments are for that were sold here."""

    async def pending_people(self) -> Sequence[PersonRequest]:
        """Those whom central does not have yet."""

    async def person_taken(self, appointment_id: str) -> None:
        """Central has this one."""


class PeopleLoop:
    """Tells central who the appointments are for that were sold here; behind the facts, for the sale must be known first."""

    def __init__(self, around: Surroundings, people: People) -> None:
        self._around = around
        self._people = people

    async def run(self) -> None:
        """Look for ever whether somebody is still to be told of."""
        around = self._around
        while True:
            await around.link.connected.wait()
            for person in await self._people.pending_people():
                if not await self._told(person):
                    break
            await asyncio.sleep(PEOPLE_EVERY_S)

    async def _told(self, person: PersonRequest) -> bool:
        """Tell of one person; whether it is worth going on."""
        reply = await self._around.client.person(person)
        if isinstance(reply, Failure):
            self._around.note(reply, "people")
            return not reply.unreachable  # one that central cannot take must not keep the others here
        if reply.request_id == person.request_id and reply.outcome == "taken":
            await self._people.person_taken(person.appointment_id)
        return True


_LOST = Failure(code="unreachable", unreachable=True)
_DONE = Failure(code="")
_NOT_THIS = Failure(code="wrong_reply")


async def _done(work: Coroutine[Any, Any, Failure | None]) -> Failure:
    return await work or _DONE
