"""The people of an invented office: who was there before, who comes, and colleagues who serve them; all by one seed.

Colleagues leave somebody for the learner, and people stop coming while many wait: however long somebody looks at one
screen, the next step of the guide can be done.
"""

from __future__ import annotations

from random import Random

import msgspec

from edge_node.node import EdgeNode
from edge_node.practice.office import COLLEAGUES, SERVICES
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Wish
from sync.domain.office_day import OfficeDay
from sync.io.ids import new_id
from sync.messages import commands as c

AT_THE_DOOR = c.Actor(actor_id=c.CITIZEN, device_id="practice")
WALK_INS = 14
"""People without appointment who have come before the learner sits down: a dozen wait then."""
SPREAD_S = 90
"""Between two of them."""
MOST_WAITING, LEFT_FOR_THE_LEARNER = 16, 5
ARRIVAL_S, REST_S, WALK_S, SERVICE_S = (25, 50), (5, 12), (4, 9), (60, 150)
"""Bounds in seconds: between two people who come; of a colleague between two visits; from the call to the desk; at the desk."""


class Colleague(msgspec.Struct):
    """A simulated clerk at an open counter, who does something next at ``due_s`` (monotonic seconds)."""

    session: str
    actor: c.Actor
    due_s: float = 0.0


class People:
    """Moves everybody of an invented office but its learner."""

    def __init__(self, node: EdgeNode, seed: int) -> None:
        self._node = node
        self._draws = Random(seed)  # noqa: S311 - a lesson, not a secret
        self._colleagues: list[Colleague] = []
        self._arrival_s = 0.0

    async def come_to_work(self) -> None:
        """Colleagues open their counters."""
        for counter, (staff_id, _name) in COLLEAGUES.items():
            actor = c.Actor(actor_id=staff_id, device_id=f"practice-{counter}")
            opened = c.OpenCounter(request_id=new_id(), counter=counter)
            await self._node.dispatcher.submit(opened, actor)
            self._colleagues.append(Colleague(opened.request_id, actor))

    async def arrive(self) -> None:
        """Somebody without appointment takes a ticket."""
        service = self._draws.choice(("padron", "padron", "registro", *SERVICES))
        language = self._draws.choice(("es", "es", "es", "ar", "fr"))
        await self._node.desk.take_ticket(new_id(), service, AT_THE_DOOR, Wish(language=language))

    async def check_in(self, appointment_id: str) -> None:
        """Somebody with an appointment comes."""
        await self._node.desk.check_in(new_id(), Shown("appointment", appointment_id), AT_THE_DOOR, Wish())

    async def begin(self) -> None:
        """Colleagues have somebody at their desks when the learner comes."""
        for each in self._colleagues:
            for _ in range(2):  # a call, and who is called has come
                await self._work(each)

    async def move(self, now_s: float) -> None:
        """Do what is due; ``now_s``: monotonic seconds."""
        if now_s >= self._arrival_s:
            if self._arrival_s and len(self._day.waiting) < MOST_WAITING:
                await self.arrive()
            self._arrival_s = now_s + self._draws.uniform(*ARRIVAL_S)
        for each in self._colleagues:
            if now_s >= each.due_s:
                pause = await self._work(each) if each.due_s else SERVICE_S
                each.due_s = now_s + self._draws.uniform(*pause)

    @property
    def _day(self) -> OfficeDay:
        return self._node.dispatcher.state.day

    async def _work(self, colleague: Colleague) -> tuple[int, int]:
        """A colleague's next verb; the bounds of the time until the one after it."""
        session = self._day.sessions.get(colleague.session)
        if session is None:  # ended by a learner who supervises
            return SERVICE_S
        visit = self._day.visit_at(session.session)
        if visit is None and len(self._day.waiting) <= LEFT_FOR_THE_LEARNER:
            return REST_S
        verb: c.CallNext | c.Start | c.Finish
        request_id, at, pause = new_id(), session.session, REST_S
        if visit is None:
            verb, pause = c.CallNext(request_id=request_id, session=at, after=session.last_call), WALK_S
        elif visit.state == "called":
            verb, pause = c.Start(request_id=request_id, session=at, ticket_id=visit.ticket_id), SERVICE_S
        else:
            verb = c.Finish(request_id=request_id, session=at, ticket_id=visit.ticket_id)
        await self._node.dispatcher.submit(verb, colleague.actor)
        return pause
