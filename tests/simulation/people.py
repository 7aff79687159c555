"""What people do at an office: citizens come, clerks serve them, now and then somebody is sent to another office, or has several
services to go to.

Acts are chosen by chance from what is possible in the queue as it is. Each is one command with an id of its own; one whose
process died is asked again with the same id, as kiosks and consoles do.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.leases import starts
from sync.domain.outcomes import Accepted, Decision
from sync.domain.service_day import service_date
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.commands import (
    CITIZEN,
    Accept,
    Actor,
    AnyCommand,
    CallNext,
    CheckIn,
    ConfirmDate,
    Finish,
    HandOver,
    MarkArrived,
    NoShow,
    OpenCounter,
    Park,
    PlanRoute,
    Reinstate,
    Resume,
    SellLease,
    Start,
    TakeTicket,
    Transfer,
)
from sync.messages.facts import TicketReleased
from sync.messages.feed import Appointment, NodeKey, Office, Service
from sync.messages.feed import Counter as Desk
from sync.messages.refusals import Refusal
from tests.simulation.queue import ZONE, Asked, Queue

OFFICES = ("centro", "real", "victoria")
SERVICES = ("padron", "registro", "tributos")
COUNTERS = ("1", "2")
KIOSK = Actor(actor_id=CITIZEN, device_id="kiosk-1")
SUPERVISOR = Actor(actor_id="supervisor", device_id="console-1", supervisor=True)
PLANNED_AT_ISSUE = 0.08
"""Of walk-ins, those that staff plan a route for at once."""
LOCATORS = "ACDEFGHJKMNPQRTUVWXY34679"


def catalogue_of(office: str) -> Catalogue:
    """A small office whose two counters serve everything, one first this, the other first that."""
    letters = "KRT"
    services = {
        name: Service(id=name, names={"es": name}, series=letters[n], duration_min=10)
        for n, name in enumerate(SERVICES)
    }
    counters = {
        "1": Desk(id="1", zone="a", primary=SERVICES[:2], secondary=SERVICES[2:]),
        "2": Desk(id="2", zone="a", primary=SERVICES[1:], secondary=SERVICES[:1]),
    }
    place = Office(id=office, name=office, address="", time_zone="Africa/Ceuta", services=SERVICES, hours=())
    nodes = {name: NodeKey(office=name, epoch=1, public_key=bytes(32)) for name in OFFICES}
    return Catalogue(office=place, services=services, counters=counters, nodes=nodes)


CATALOGUES = {office: catalogue_of(office) for office in OFFICES}


class CarriedSlip(msgspec.Struct, frozen=True, kw_only=True):
    """A signed slip in somebody's hand: what the other office will read off it."""

    fact: TicketReleased
    from_office: str
    epoch: int
    released_ms: int


class People:
    """One office's citizens and clerks.

    Args:
        slips: slips under way, by office.
    """

    def __init__(
        self,
        *,
        office: str,
        rng: Random,
        new_id: Callable[[], str],
        slips: dict[str, deque[CarriedSlip]],
        counted: Counter[str],
    ) -> None:
        self.office = office
        self._rng = rng
        self._new_id = new_id
        self._others = tuple(other for other in OFFICES if other != office)
        self._slips = slips
        self._counted = counted
        self.unanswered: deque[tuple[Asked, Actor]] = deque()
        """Commands whose answer was lost: asked again first."""
        self._came: deque[str] = deque()
        """Tickets that a route is planned for next."""

    def act(self, queue: Queue, agenda: list[Appointment], *, connected: bool, now_ms: int) -> tuple[Asked, Decision]:
        """Do one thing; what it was, and what came of it.

        Raises:
            Crashed: the process died; the command is asked again later.
        """
        if self.unanswered:
            command, actor = self.unanswered.popleft()
        else:
            command, actor = self._choose(queue, agenda, connected=connected, now_ms=now_ms)
        self.unanswered.append((command, actor))
        decision = queue.submit(command, actor)
        if not (isinstance(decision, Refusal) and decision.code == "retry"):
            self.unanswered.pop()
        self._note(queue, command, decision, now_ms)
        return command, decision

    def _note(self, queue: Queue, command: Asked, decision: Decision, now_ms: int) -> None:
        self._counted["commands"] += 1
        if not isinstance(decision, Accepted):
            self._counted["commands_refused"] += 1
            return
        for fact in decision.facts:
            if isinstance(fact, TicketReleased):
                self._counted["handovers"] += 1
                if fact.slip:
                    slip = CarriedSlip(fact=fact, from_office=self.office, epoch=queue.epoch, released_ms=now_ms)
                    self._slips[fact.to_office].append(slip)
        if isinstance(command, SellLease):
            self._counted["lease_sales"] += 1
        if isinstance(command, TakeTicket) and self._rng.random() < PLANNED_AT_ISSUE:
            self._came.append(command.request_id)

    def _choose(self, queue: Queue, agenda: list[Appointment], *, connected: bool, now_ms: int) -> tuple[Asked, Actor]:
        chance = self._rng.random()
        if chance < 0.6 and queue.is_doubtful:
            today = service_date(queue.now(), ZONE)
            if today == service_date(queue.wall.true_now(), ZONE):
                return ConfirmDate(request_id=self._new_id(), service_date=today), SUPERVISOR
        if self._slips[self.office] and chance < 0.3 and (shown := self._present_slip(queue, now_ms)) is not None:
            return shown, KIOSK
        if self._came and (ticket := queue.day.tickets.get(self._came.popleft())) is not None:
            return self._plan(ticket), self._clerk("1")
        if not queue.day.sessions or (len(queue.day.sessions) < len(COUNTERS) and chance < 0.1):
            return self._open_counter(queue)
        if chance < 0.38:
            return TakeTicket(
                request_id=self._new_id(), service=self._service(), follow_hash=self._rng.randbytes(32)
            ), KIOSK
        if agenda and chance < 0.46:
            return self._check_in(agenda), KIOSK
        if not connected and chance < 0.54 and (sale := self._sale(queue)) is not None:
            return sale, self._clerk("1")
        if chance < 0.62 and (odd := self._odd_verb(queue)) is not None:
            return odd
        return self._serve(queue)

    def _open_counter(self, queue: Queue) -> tuple[AnyCommand, Actor]:
        counter = next((c for c in COUNTERS if c not in queue.day.session_at), COUNTERS[0])
        return OpenCounter(request_id=self._new_id(), counter=counter), self._clerk(counter)

    def _serve(self, queue: Queue) -> tuple[AnyCommand, Actor]:
        session = self._rng.choice(sorted(queue.day.sessions.values(), key=lambda s: s.counter))
        clerk, ticket = self._clerk(session.counter), queue.day.visit_at(session.session)
        if ticket is None:
            return CallNext(request_id=self._new_id(), session=session.session, after=session.last_call), clerk
        return self._visit(session, ticket), clerk

    def _visit(self, session: CounterSession, ticket: Ticket) -> AnyCommand:
        ids: dict[str, Any] = {"request_id": self._new_id(), "session": session.session, "ticket_id": ticket.ticket_id}
        chance = self._rng.random()
        if chance < 0.12:
            return self._hand_over(session, ticket)
        if chance < 0.2:
            return Transfer(**ids, service=self._service())
        if chance < 0.25:
            return Park(**ids, return_min=3 if chance < 0.225 else None)
        if chance < 0.29:
            return self._plan(ticket)
        if ticket.state == "called":
            return NoShow(**ids) if chance < 0.43 else Start(**ids)
        return Finish(request_id=ids["request_id"], session=session.session, ticket_id=ticket.ticket_id)

    def _plan(self, ticket: Ticket) -> PlanRoute:
        """What else a person came for; now and then that they have come for nothing else."""
        others = [service for service in SERVICES if service != ticket.service]
        steps = tuple(self._rng.sample(others, self._rng.choice((1, 2, 2, 0))))
        return PlanRoute(request_id=self._new_id(), ticket_id=ticket.ticket_id, steps=steps)

    def _odd_verb(self, queue: Queue) -> tuple[AnyCommand, Actor] | None:
        """Something with a ticket that is at no counter: hand it over, bring it back, note that somebody came."""
        session = min(queue.day.sessions.values(), key=lambda s: s.counter)
        clerk = self._clerk(session.counter)
        tickets = [t for t in queue.day.tickets.values() if t.state in ("waiting", "missed", "parked")]
        if not tickets:
            return None
        ticket = self._rng.choice(tickets)
        if ticket.state == "missed":
            return Reinstate(request_id=self._new_id(), ticket_id=ticket.ticket_id), clerk
        if ticket.state == "parked":
            return Resume(request_id=self._new_id(), ticket_id=ticket.ticket_id), clerk
        if ticket.expected:
            return MarkArrived(request_id=self._new_id(), ticket_id=ticket.ticket_id), clerk
        return self._hand_over(session, ticket), clerk

    def _hand_over(self, session: CounterSession, ticket: Ticket) -> HandOver:
        return HandOver(
            request_id=self._new_id(),
            session=session.session,
            ticket_id=ticket.ticket_id,
            to_office=self._rng.choice(self._others),
            service=self._service(),
            travel_min=self._rng.choice((0, 0, 1, 5)),
            slip=self._rng.random() < 0.4,
        )

    def _present_slip(self, queue: Queue, now_ms: int) -> Accept | None:
        """A slip is believed while its office's node is, as far as this office knows, still the same."""
        slip = self._slips[self.office].popleft()
        if slip.epoch < queue.known_epochs.get(slip.from_office, 0):
            return None
        return Accept(
            request_id=self._new_id(),
            ticket_id=slip.fact.ticket_id,
            tenure=slip.fact.tenure + 1,
            from_office=slip.from_office,
            via="slip",
            card=slip.fact.card,
            transit_ms=now_ms - slip.released_ms,
            is_here=True,
        )

    def _check_in(self, agenda: list[Appointment]) -> CheckIn:
        booked = self._rng.choice(agenda)
        return CheckIn(
            request_id=self._new_id(),
            appointment_id=booked.id,
            service=booked.service_id,
            slot_start_at=booked.slot_start_at,
            duration_min=booked.duration_min,
            follow_hash=self._rng.randbytes(32),
        )

    def _sale(self, queue: Queue) -> SellLease | None:
        possible = starts(queue.rights, SERVICES[0], 10, queue.now())
        if not possible:
            return None
        return SellLease(
            request_id=self._new_id(),
            service=SERVICES[0],
            slot_start_at=self._rng.choice(possible),
            duration_min=10,
            locator="".join(self._rng.choices(LOCATORS, k=6)),
        )

    def _service(self) -> str:
        return self._rng.choice(SERVICES)

    def _clerk(self, counter: str) -> Actor:
        return Actor(actor_id=f"clerk-{counter}", device_id=f"console-{counter}")
