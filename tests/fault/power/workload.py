"""An office at work, through the same doors as kiosks and consoles: mostly several commands at a time, so commits are groups."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from argon2 import PasswordHasher

from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Answer, Done
from edge_node.writer import WriteFailed
from sync.io import sign_in_door
from sync.io.ids import new_id
from sync.messages import commands as c
from tests.kit.clock import ManualClock
from tests.kit.edge import SECRET, SERVICES, appointment, feed, soon

CLERKS = 4
RUSH = 40
KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
FOR_WANT_OF_ROOM = frozenset({"retry", "disk_full"})
Ask = Callable[[], Awaitable[Answer]]


@contextmanager
def light_passwords() -> Iterator[None]:
    """Each boot makes a password hash of full weight, so that unknown staff take as long as known ones: half of a trial's
    time, and nothing that a disk has to do with.
    """
    with patch.object(sign_in_door, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield


class Shift:
    """People who act on a node.

    Args:
        told: called with each answer that says "done": request, stored reply, the ticket's label.
    """

    def __init__(
        self,
        node: EdgeNode,
        clock: ManualClock,
        rng: random.Random,
        told: Callable[[str, bytes, str | None], None],
    ) -> None:
        self._node = node
        self._clock = clock
        self._rng = rng
        self._told = told
        self.refused: Counter[str] = Counter()
        """Refusals by code."""
        self.owed: dict[str, Ask] = {}
        """Requests that were refused for want of room, to be sent again with the same id."""
        self._sessions: dict[str, str] = {}

    async def begin(self) -> None:
        """Clerks open their counters, or come back to those they have open."""
        for number in range(1, CLERKS + 1):
            clerk = self._clerk(str(number))
            command = c.OpenCounter(request_id=new_id(), counter=str(number), take_over=True)
            self._sessions[str(number)] = command.request_id
            await self._submit(command, clerk)

    async def step(self) -> None:
        """Something happens in the office."""
        self._clock.advance(seconds=self._rng.randint(1, 20))
        (act,) = self._rng.choices(
            (self.arrive, self.serve, self._check_in, self._sign_in, self._print_again), (35, 40, 10, 5, 10)
        )
        await act()

    async def arrive(self) -> None:
        """Some people take tickets at the same moment, now and then a crowd; some at the console, printed by a kiosk."""
        many = RUSH if self._rng.random() < 0.05 else self._rng.randint(1, 6)
        await asyncio.gather(*(self._take() for _ in range(many)))

    async def serve(self) -> None:
        """Every clerk does the next thing at their counter."""
        await asyncio.gather(*(self._next_at(counter) for counter in self._sessions))

    async def ask(self, request_id: str, ask: Ask) -> None:
        """Ask once, and write down what was answered."""
        answer = await ask()
        self.owed.pop(request_id, None)
        if not isinstance(answer, Done):  # refused by the queue's own rules: an answer like any other
            self.refused[answer.code] += 1
            if answer.code in FOR_WANT_OF_ROOM:
                self.owed[request_id] = ask
            return
        if answer.reply.outcome == "done":  # "unchanged" recorded nothing: there is nothing to lose
            slip = answer.reply.slip
            self._told(request_id, answer.body, slip.label if slip is not None else None)

    async def _take(self) -> None:
        request_id, service = new_id(), self._rng.choice(SERVICES)
        wish = Wish(print_on="kiosk-2" if self._rng.random() < 0.2 else None)
        await self.ask(request_id, lambda: self._node.desk.take_ticket(request_id, service, KIOSK, wish))

    async def _next_at(self, counter: str) -> None:
        session, new = self._sessions[counter], new_id()
        day = self._node.dispatcher.state.day
        visit, known = day.visit_at(session), day.sessions.get(session)
        command: Any
        if visit is None or visit.state not in ("called", "serving"):
            command = c.CallNext(request_id=new, session=session, after=known.last_call if known else None)
        elif visit.state == "serving":
            command = c.Finish(request_id=new, session=session, ticket_id=visit.ticket_id)
        else:
            kind = self._rng.choice((c.Start, c.Start, c.Start, c.Recall, c.NoShow))
            command = kind(request_id=new, session=session, ticket_id=visit.ticket_id)
        await self._submit(command, self._clerk(counter))

    async def _check_in(self) -> None:
        """A booking comes down from central, and its person through the door."""
        row = appointment(soon(self._clock.now()), self._rng.choice(SERVICES))
        try:
            await feed(self._node, row)
        except WriteFailed as error:
            if not error.no_room:
                raise
            self.refused["feed"] += 1
            return
        command = c.CheckIn(
            request_id=new_id(),
            appointment_id=row.id,
            service=row.service_id,
            slot_start_at=row.slot_start_at,
            duration_min=row.duration_min,
            follow_hash=self._rng.randbytes(32),
        )
        await self._submit(command, KIOSK)

    async def _sign_in(self) -> None:
        try:
            await self._node.sessions.sign_in(f"clerk-{self._rng.randint(1, CLERKS)}", SECRET, "192.0.2.7")
        except WriteFailed as error:
            if not error.no_room:
                raise
            self.refused["sign_in"] += 1

    async def _print_again(self) -> None:
        tickets = list(self._node.dispatcher.state.day.tickets)
        if not tickets:
            return
        try:
            await self._node.desk.print_again(self._rng.choice(tickets), "kiosk-1", "es")
        except WriteFailed as error:
            if not error.no_room:
                raise
            self.refused["print_again"] += 1

    async def _submit(self, command: c.AnyCommand, actor: c.Actor) -> None:
        await self.ask(command.request_id, lambda: self._node.dispatcher.submit(command, actor))

    def _clerk(self, counter: str) -> c.Actor:
        return c.Actor(actor_id=f"clerk-{counter}", device_id=f"console-{counter}")
