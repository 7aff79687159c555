"""The command loop: the only place where the office's queue changes.

One task takes everything that is waiting, decides each command on the state that the one before it left, and commits all
their facts in one transaction (group commit). It never waits for more commands to come, so a lone one pays no delay. Only
behind the COMMIT does anybody hear of it: first who listens (boards, live pages, uplink), for the waiting room looks up to a
screen while the clerk's reply is still being written; then who asked.

When the COMMIT fails, memory is ahead of a disk that nobody knows: the state is folded anew from the journal, and each
command of the batch is answered from there. What is not there gets ``retry``; sent again with the same request_id it acts
once, whatever happened. The same request_id never acts twice for 48 hours.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from time import perf_counter
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, TypeVar

import structlog

from edge_node.metrics import Metrics
from edge_node.queue.asked import asked_by
from edge_node.queue.journal import (
    Batch,
    Entry,
    PendingPrint,
    StoredReply,
    Tail,
    find_replies,
    read_beyond_the_day,
    read_day,
    read_had_a_day,
    written,
)
from edge_node.queue.outcomes import Answer, Done, Extras, conclude
from edge_node.queue.state import OfficeState
from edge_node.writer import WriteFailed, Writer
from provisioning.failpoints import failpoint
from sync.domain.date_doubt import confirm_date
from sync.domain.decide import decide, turn_day
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.service_day import service_date
from sync.domain.standing import break_glass
from sync.messages.commands import (
    SYSTEM,
    Actor,
    AnyCommand,
    BreakGlass,
    CheckIn,
    ConfirmDate,
    NodeCommand,
    SellLease,
    ServeWalkIn,
    TakeTicket,
)
from sync.messages.refusals import Refusal

MAX_PENDING = 1000
"""Commands that may wait; beyond, a command is told at once to come again."""
MAX_BATCH = 256
RETRY = refuse("retry", wait_s=1)
NO_AUTHORITY = refuse("no_authority")
DATE_UNCONFIRMED = refuse("date_unconfirmed")
DISK_FULL = refuse("disk_full")
REQUEST_REUSED = refuse("request_reused")
TAKING_IN = (TakeTicket, ServeWalkIn, CheckIn, SellLease)
"""What is not done while the disk is full; calls and their ends are, out of the room that is left."""
NO_EXTRAS = Extras()
NO_REQUESTS: Mapping[str, bytes | None] = MappingProxyType({})
NODE = Actor(actor_id=SYSTEM, device_id="edge")

T = TypeVar("T")
log = structlog.get_logger()


class StateUnknown(RuntimeError):
    """The journal could not be written or read: nothing can be shown until it can."""


class Listener(Protocol):
    """Somebody who wants to know what is now durable. Called between two batches; must be quick and not raise."""

    def committed(self, entries: Sequence[Entry], prints: Sequence[PendingPrint]) -> None:
        """These facts were just committed, and are folded into the state."""

    def restored(self) -> None:
        """The state was folded anew from the journal: anything may have changed."""


class InternalAct(NamedTuple):
    """Something the node does by itself; gives the entries it recorded on the state."""

    record: Callable[[OfficeState, datetime], list[Entry]]
    done: asyncio.Future[int]


class Submission(NamedTuple):
    """A command, and everybody who waits for its answer: whoever sent it, and whoever sent it again meanwhile."""

    command: AnyCommand | NodeCommand
    actor: Actor
    extras: Extras
    asked: bytes
    waiting: list[asyncio.Future[Answer]]


class Dispatcher:
    """Decides commands and commits them.

    Args:
        state: folded from the journal.
        writer: started.
        known_requests: requests whose replies are stored, by id: what they asked.
    """

    def __init__(
        self,
        state: OfficeState,
        writer: Writer,
        metrics: Metrics,
        known_requests: Mapping[str, bytes | None] = NO_REQUESTS,
    ) -> None:
        self.state = state
        self._writer = writer
        self.metrics = metrics
        self._known = dict(known_requests)
        self._inbox: deque[Submission | InternalAct] = deque()
        self._in_flight: dict[str, Submission] = {}
        self._readers: list[tuple[Callable[[OfficeState], Any], asyncio.Future[Any]]] = []
        self._wake = asyncio.Event()
        self._stopping = False
        self._committing = False
        self._listeners: list[Listener] = []
        self._task: asyncio.Task[None] | None = None
        self.on_no_room: Callable[[], None] = lambda: None
        """Called when SQLite found no room for a batch."""
        self.stale = False
        """The state is not the disk's: nothing is decided until the journal was read again."""

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="dispatcher")

    async def close(self) -> None:
        """Carry out what is waiting, then stop."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task

    async def answered(self, request_id: str, asked: bytes) -> Answer | None:
        """The stored answer of a request that acted already; None for a new one.

        Args:
            asked: what it asks (``edge_node.queue.asked``); if it was something else, that is refused.
        """
        if request_id not in self._known:
            return None
        if self._known[request_id] not in (None, asked):
            return self._refused(REQUEST_REUSED)
        return await self._stored(request_id)

    async def submit(
        self,
        command: AnyCommand | NodeCommand,
        actor: Actor,
        extras: Extras = NO_EXTRAS,
        *,
        asked: bytes | None = None,
    ) -> Answer:
        """Carry out a command once, and give its answer when it is durable. Being cancelled does not undo it.

        Args:
            asked: what was asked, if the command holds more than that.
        """
        request_id = command.request_id
        asked = asked_by(actor, command) if asked is None else asked
        if (answer := await self.answered(request_id, asked)) is not None:
            return answer
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if (twin := self._in_flight.get(request_id)) is not None:
            if twin.asked != asked:
                return self._refused(REQUEST_REUSED)
            twin.waiting.append(done)
        elif len(self._inbox) >= MAX_PENDING or self._stopping:
            return self._refused(RETRY)
        else:
            self._in_flight[request_id] = submission = Submission(command, actor, extras, asked, [done])
            self._inbox.append(submission)
            self._wake.set()
        return await done

    async def act(self, record: Callable[[OfficeState, datetime], list[Entry]]) -> int:
        """Let the node itself record facts in the order of commands; gives how many once they are durable.

        Raises:
            StateUnknown: the disk failed, and whether it was done is not known; or the node is stopping, and it was not.
        """
        if self._stopping:
            raise StateUnknown  # behind the loop's end nobody would ever answer
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._inbox.append(InternalAct(record, done))
        self._wake.set()
        return await done

    async def read(self, view: Callable[[OfficeState], T]) -> T:
        """What ``view`` makes of the state; never of one that is not on the disk.

        Raises:
            StateUnknown: what is on the disk is not known at the moment.
        """
        if self.stale:
            raise StateUnknown
        if not self._committing:
            return view(self.state)
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._readers.append((view, done))
        return await done

    def forget(self, request_ids: Iterable[str]) -> None:
        """The replies of these requests are no longer stored."""
        for request_id in request_ids:
            self._known.pop(request_id, None)

    @property
    def depth(self) -> int:
        """Commands that wait to be decided."""
        return len(self._inbox)

    async def _run(self) -> None:
        while True:
            while not self._inbox:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
            taken = [self._inbox.popleft() for _ in range(min(len(self._inbox), MAX_BATCH))]
            if self.stale and not await self._recovered():
                self._settle([(each, self._refused(RETRY)) for each in taken])
                await asyncio.sleep(0.2)  # a broken disk is not asked in a tight loop
                continue
            await self._carry_out(taken)
            await asyncio.sleep(0)  # replies go out before the next decisions, and who is at the door comes along

    async def _carry_out(self, taken: list[Submission | InternalAct]) -> None:
        batch = Batch()
        self._committing = True  # from the first decision on the state may be ahead of the disk
        try:
            answers = [(each, self._decide(each, batch)) for each in taken]
            if batch:
                started_s = perf_counter()
                failpoint("edge.decided")
                await self._writer.run(batch.write)
                failpoint("edge.committed")
                self.metrics.commit_s.observe(perf_counter() - started_s)
                self.metrics.batch_size.observe(len(taken))
        except Exception as error:  # noqa: BLE001 - whatever it was, the disk decides what happened
            _tell_failure("dispatcher.commit_failed", error, commands=len(taken))
            self.stale = True
            if isinstance(error, WriteFailed) and error.no_room:
                self.on_no_room()
            answers = await self._answer_from_journal(taken)
        else:
            self._known.update((request_id, asked) for request_id, _, _, asked in batch.requests)
            if batch.entries:
                self._publish(lambda listener: listener.committed(batch.entries, batch.prints))
                failpoint("edge.published")
        self._settle(answers)

    def _decide(self, each: Submission | InternalAct, batch: Batch) -> Answer | int | Exception:
        now = self.state.now()
        if isinstance(each, InternalAct):
            entries = each.record(self.state, now)
            batch.entries += entries
            return len(entries)
        if not self.state.has_authority and not isinstance(each.command, BreakGlass):
            return self._refused(NO_AUTHORITY)
        batch.entries += turn(self.state, now)
        if not isinstance(each.command, (BreakGlass, ConfirmDate)) and self.state.doubt(now) is not None:
            return self._refused(DATE_UNCONFIRMED)
        if self.state.disk_full and isinstance(each.command, TAKING_IN):
            return self._refused(DISK_FULL)
        try:
            decision = self._decision(each, now)
        except Exception as bug:  # one bad command must not take the others' batch with it
            log.exception("dispatcher.decide_failed", command=type(each.command).__name__)
            return bug
        if isinstance(decision, Refusal):
            return self._refused(decision)
        facts = decision.facts if isinstance(decision, Accepted) else ()
        batch.entries += self.state.record(facts, each.actor, now, each.command.request_id)
        done = conclude(
            self.state, each.command, decision, each.extras, actor_id=each.actor.actor_id, now=now, batch=batch
        )
        if isinstance(decision, Accepted):
            batch.requests.append((each.command.request_id, done.body, written(now), each.asked))
        return done

    def _decision(self, each: Submission, now: datetime) -> Decision:
        state = self.state
        if isinstance(each.command, BreakGlass):
            return break_glass(state.standing, each.actor)
        if isinstance(each.command, ConfirmDate):
            today = service_date(now, state.zone)
            if not state.configuration.is_known:
                return DATE_UNCONFIRMED
            floors, catalogue = state.floors(today), state.configuration.catalogue
            return confirm_date(state.day, each.command, each.actor, today, catalogue=catalogue, floors=floors)
        catalogue, rights, expected = state.configuration.catalogue, state.rights, state.expected
        return decide(state.day, each.command, each.actor, now, catalogue, rights=rights, expected=expected)

    def _refused(self, refusal: Refusal) -> Refusal:
        self.metrics.refused.labels(refusal.code).inc()
        return refusal

    def _settle(self, answers: Sequence[tuple[Submission | InternalAct, Answer | int | Exception]]) -> None:
        self._committing = False
        for each, answer in answers:
            if isinstance(each, Submission):
                self._in_flight.pop(each.command.request_id, None)
                for done in each.waiting:
                    _give(done, answer)
            else:  # an act has no refusals
                _give(each.done, StateUnknown() if isinstance(answer, Refusal) else answer)
        readers, self._readers = self._readers, []
        for view, done in readers:
            try:
                _give(done, StateUnknown() if self.stale else view(self.state))
            except Exception as error:  # noqa: BLE001 - it belongs to the reader
                _give(done, error)

    def _publish(self, tell: Callable[[Listener], None]) -> None:
        for listener in self._listeners:
            try:
                tell(listener)
            except Exception:
                log.exception("dispatcher.listener_failed")

    async def _recovered(self) -> bool:
        """Read the state from the journal again; whether that worked."""
        try:
            epoch = self.state.tail.epoch
            entries, tail = await self._writer.run(lambda connection: read_day(connection, epoch))
            beyond = await self._writer.run(lambda connection: read_beyond_the_day(connection, epoch))
            had_a_day = await self._writer.run(lambda connection: read_had_a_day(connection, epoch))
        except Exception as error:  # noqa: BLE001 - the loop must go on refusing
            _tell_failure("dispatcher.replay_failed", error)
            return False
        self.state.restore(entries, tail, beyond, had_a_day=had_a_day)
        self._restored(tail)
        return True

    def _restored(self, tail: Tail) -> None:
        self.stale = False
        log.warning("dispatcher.replayed", epoch=tail.epoch, seq=tail.seq)
        self._publish(lambda listener: listener.restored())

    async def _answer_from_journal(
        self, taken: list[Submission | InternalAct]
    ) -> list[tuple[Submission | InternalAct, Answer | int | Exception]]:
        if not await self._recovered():
            return [(each, self._refused(RETRY)) for each in taken]
        ids = [each.command.request_id for each in taken if isinstance(each, Submission)]
        try:
            found = await self._writer.run(lambda connection: find_replies(connection, ids))
        except Exception as error:  # noqa: BLE001 - the loop must go on refusing
            _tell_failure("dispatcher.replies_unknown", error)
            return [(each, self._refused(RETRY)) for each in taken]
        self._known.update((request_id, reply.asked) for request_id, reply in found.items())
        return [(each, self._found(each, found)) for each in taken]

    def _found(self, each: Submission | InternalAct, found: dict[str, StoredReply]) -> Answer:
        if isinstance(each, Submission) and each.command.request_id in found:
            return Done.of(found[each.command.request_id].body)
        return self._refused(RETRY)

    async def _stored(self, request_id: str) -> Answer:
        def find(connection: sqlite3.Connection) -> dict[str, StoredReply]:
            return find_replies(connection, [request_id])

        found = await self._writer.run(find)
        return Done.of(found[request_id].body) if request_id in found else RETRY


def turn(state: OfficeState, now: datetime) -> list[Entry]:
    """Close a service day that is over and open today's; nothing while today is already there, or the clock is doubtful."""
    if not state.day_is_over(now) or not state.configuration.is_known or state.doubt(now) is not None:
        return []
    today = service_date(now, state.zone)
    facts = turn_day(state.day, today, state.configuration.catalogue, state.floors(today))
    return state.record(facts, NODE, now)


def _tell_failure(event: str, error: Exception, **fields: object) -> None:
    """A disk that fails needs no trace; anything else is a fault of ours."""
    if isinstance(error, WriteFailed):
        log.error(event, error=str(error), outcome_unknown=error.outcome_unknown, **fields)
    else:
        log.error(event, exc_info=error, **fields)


def _give(done: asyncio.Future[Any], answer: Any) -> None:
    if done.done():
        return
    if isinstance(answer, Exception):
        done.set_exception(answer)
    else:
        done.set_result(answer)
