"""A visit of several steps that staff plan: one service after the other, at whoever serves them, with the waiting of the first.

``Ticket.to_do`` is what is left of the plan, in order, the present step among it. When a step is finished as done the ticket
waits for the next one like any transfer that keeps its place. A step that was done beside another (a second service at the same
counter) is not asked for again; one that the office does not offer is passed over and stays to do, for staff to tell of. A
transfer or handover finishes nothing: to a service of the list it goes on from there, to any other it is a detour, and the step
that was left is next. People count steps from 1: the present one is ``steps_done + 1``.
"""

from __future__ import annotations

from sync.domain.catalogue import Catalogue
from sync.domain.deciding import Context, in_state
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.ticket import Ticket
from sync.domain.to_do import without
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
    if not set(command.steps) <= {*x.catalogue.services, *ticket.to_do}:
        return refuse("service_unknown", ticket_id=ticket.ticket_id)
    if len({ticket.service, *command.steps}) <= len(command.steps):
        return refuse("malformed")
    if command.steps == steps_after(ticket):
        return Accepted(())
    return Accepted((TicketRoutePlanned(ticket_id=ticket.ticket_id, steps=command.steps),))


def steps_after(ticket: Ticket) -> tuple[str, ...]:
    """The services that are still to come."""
    return without(ticket.to_do, (ticket.service, *ticket.added))


def not_offered(ticket: Ticket, catalogue: Catalogue) -> tuple[str, ...]:
    """What is still to come and not done at this office: staff tell the person where to go for it."""
    return without(steps_after(ticket), catalogue.services)


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
    ahead = without(ticket.to_do, (ticket.service, *done))
    then = next((service for service in ahead if service in x.catalogue.services), None)
    if then is None or outcome not in LEADS_ON:
        return f.TicketFinished(ticket_id=ticket.ticket_id, session=session, outcome=outcome, services=done)
    return f.TicketTransferred(
        ticket_id=ticket.ticket_id, service=then, session=session, outcome=outcome, services=done
    )
