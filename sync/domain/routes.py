"""A visit of several steps that staff plan: one service after the other, at whoever serves them, with the waiting of the first.

A route is the services in order, the present one among them; ``Ticket.step`` is where the person stands. When a step is
finished as done the ticket waits for the next one like any transfer that keeps its place. A step that was done beside another
(a second service at the same counter) is not asked for again; one that the office offers no more is left out.
"""

from __future__ import annotations

from sync.domain.deciding import Context, in_state
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.ticket import Ticket
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.desk_facts import TicketRoutePlanned
from sync.messages.refusals import Refusal

LEADS_ON: frozenset[f.Outcome] = frozenset({"resolved", "referred"})
"""Outcomes after which the next step makes sense; who lacks a document or came for nothing is at the end."""


def plan_route(x: Context, command: c.PlanRoute) -> Decision:
    """Say what a person does after the present service; nothing: it is the last one."""
    ticket = in_state(x, command.ticket_id, "waiting", "called", "serving", "parked")
    if isinstance(ticket, Refusal):
        return ticket
    if not set(command.steps) <= set(x.catalogue.services):
        return refuse("service_unknown", ticket_id=ticket.ticket_id)
    if len({ticket.service, *command.steps}) <= len(command.steps):
        return refuse("malformed")
    if command.steps == steps_after(ticket):
        return Accepted(())
    return Accepted((TicketRoutePlanned(ticket_id=ticket.ticket_id, steps=command.steps),))


def steps_after(ticket: Ticket) -> tuple[str, ...]:
    """The services that are still to come."""
    return tuple(service for service in ticket.route[ticket.step + 1 :] if service not in ticket.added)


def end_of(
    x: Context,
    ticket: Ticket,
    session: str,
    outcome: f.Outcome = f.DEFAULT_OUTCOME,
    services: tuple[str, ...] = (),
) -> f.TicketFinished | f.TicketTransferred:
    """What follows when a service is finished: the end of the visit, or the way to its next step. Unless somebody says otherwise,
    what was done is what the person came for and what was added.
    """
    done = services or (ticket.service, *ticket.added)
    ahead = ticket.route[ticket.step + 1 :]
    then = next((service for service in ahead if service not in done and service in x.catalogue.services), None)
    if then is None or outcome not in LEADS_ON:
        return f.TicketFinished(ticket_id=ticket.ticket_id, session=session, outcome=outcome, services=done)
    return f.TicketTransferred(
        ticket_id=ticket.ticket_id, service=then, session=session, outcome=outcome, services=done
    )
