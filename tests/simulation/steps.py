"""What people have still to do of a planned visit, told a second time from the rule: no handover, detour or restart loses a step.

Beside I-11, which says the same of their waiting. Looked at with each decision, on the state before its facts are folded.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from sync.domain.ticket import Ticket
from sync.messages.desk_facts import TicketRoutePlanned
from sync.messages.facts import Fact, TicketAccepted, TicketFinished, TicketReleased, TicketTransferred
from tests.simulation.ledger import Violated
from tests.simulation.queue import Queue

Left = tuple[tuple[str, ...], int]
"""Services that are not done, in order, and how many steps were."""
NOTHING: Left = ((), 0)


class StepsWatch:
    """Judges what each office makes of a route."""

    def __init__(self, counted: Counter[str]) -> None:
        self._counted = counted
        self._stood: defaultdict[str, set[Left]] = defaultdict(lambda: {NOTHING})
        """How each ticket has stood, in any life of any node."""
        self._sent: defaultdict[str, set[Left]] = defaultdict(set)
        """What went along with each ticket that was given up."""

    def __call__(self, queue: Queue, fact: Fact) -> None:
        if isinstance(fact, TicketAccepted):
            self._accepted(queue, fact)
            return
        ticket = queue.day.tickets.get(getattr(fact, "ticket_id", ""))
        if ticket is None:
            return
        stands = (ticket.to_do, ticket.steps_done)
        if stands not in self._stood[ticket.ticket_id]:
            raise _lost(queue, ticket.ticket_id, f"stands at {stands}, and never came there")
        match fact:
            case TicketRoutePlanned():
                self._counted["routes_planned"] += 1
                beside = [e for e in ticket.added if e in ticket.to_do and e not in (ticket.service, *fact.steps)]
                then = (*beside, *fact.steps)
                ahead = (ticket.service, *then) if then or ticket.steps_done else ()
                self._stood[ticket.ticket_id].add((ahead, ticket.steps_done))
            case TicketTransferred(outcome=None):
                self._stood[ticket.ticket_id].add(_moved(ticket, fact.service))
            case TicketTransferred() | TicketFinished():
                self._done(queue, ticket, fact)
            case TicketReleased():
                self._released(queue, ticket, fact)
            case _:
                pass

    def _done(self, queue: Queue, ticket: Ticket, fact: TicketTransferred | TicketFinished) -> None:
        """Who finishes a step goes on with the next one that is not done, and home only without one."""
        ahead = [each for each in ticket.to_do if each not in (ticket.service, *ticket.added, *fact.services)]
        then = next((each for each in ahead if each in queue.catalogue.services), None)
        leads_to = fact.service if isinstance(fact, TicketTransferred) else None
        if fact.outcome in ("resolved", "referred") and then != leads_to:
            raise _lost(queue, ticket.ticket_id, f"goes on to {leads_to}, not {then}")
        self._counted["steps_walked"] += leads_to is not None
        self._stood[ticket.ticket_id].add((tuple(ahead), ticket.steps_done + len(ticket.to_do) - len(ahead)))

    def _released(self, queue: Queue, ticket: Ticket, fact: TicketReleased) -> None:
        sent = (fact.card.to_do, fact.card.steps_done)
        if sent != _moved(ticket, fact.card.service):
            raise _lost(queue, ticket.ticket_id, f"had {ticket.to_do}, and {sent} goes along")
        self._sent[ticket.ticket_id].add(sent)

    def _accepted(self, queue: Queue, fact: TicketAccepted) -> None:
        came = (fact.to_do, fact.steps_done)
        stood = self._stood[fact.ticket_id]
        # By a new node, or wanted back as it had been sent; and a person may have sent such a copy elsewhere before it was taken.
        known = self._sent[fact.ticket_id] | (stood if fact.via == "restored" else stood - {NOTHING})
        if known and came not in known:
            raise _lost(queue, fact.ticket_id, f"came with {came}, of {sorted(known)}")
        self._counted["routes_moved"] += bool(fact.to_do)
        self._stood[fact.ticket_id].add(came)


def _moved(ticket: Ticket, to: str) -> Left:
    """After a move that finishes nothing."""
    if to not in ticket.to_do or to == ticket.service:
        return ticket.to_do, ticket.steps_done
    return (to, *(each for each in ticket.to_do if each not in (to, ticket.service))), ticket.steps_done


def _lost(queue: Queue, ticket_id: str, detail: str) -> Violated:
    return Violated("I-11", "steps_lost", f"{queue.office}: {ticket_id} {detail}")
