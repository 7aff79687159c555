"""People who come: a walk-in, an appointment."""

from __future__ import annotations

from datetime import datetime

import msgspec

from sync.domain.deciding import Context, is_known_class
from sync.domain.due import due
from sync.domain.numbering import next_label
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.reserve import reserved_letters
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.feed import Service
from sync.messages.refusals import Refusal


class Issued(Accepted, frozen=True):
    """Accepted with one fact: somebody has a ticket now."""

    facts: tuple[f.TicketIssued]


def take_ticket(x: Context, command: c.TakeTicket | c.ServeWalkIn) -> Issued | Refusal:
    """The ticket of a walk-in."""
    service = x.catalogue.services.get(command.service)
    if service is not None and not service.walk_in:
        return refuse("walk_in_not_allowed")
    return issue(x, command, service, "walk_in", None)


def take_ticket_unless_given(x: Context, command: c.TakeTicket) -> Decision:
    """The same for a kiosk, whose question may come after it has given that ticket out of its own reserve."""
    given = x.day.tickets.get(command.request_id)
    if given is not None and given.series in reserved_letters(x.day):
        return Accepted(()) if given.given_by in ("", x.actor.device_id) else refuse("ticket_unknown")
    return take_ticket(x, command)


def check_in(x: Context, command: c.CheckIn) -> Decision:
    if (first := x.day.ticket_of(command.appointment_id)) is not None:
        return refuse("already_checked_in", ticket_id=first)
    issued = issue(x, command, x.catalogue.services.get(command.service), "appointment", command.slot_start_at)
    if isinstance(issued, Refusal):
        return issued
    (ticket,) = issued.facts
    booked = msgspec.structs.replace(
        ticket,
        duration_min=command.duration_min,
        appointment_id=command.appointment_id,
        to_verify=command.to_verify,
    )
    return Accepted((booked,))


def issue(
    x: Context,
    command: c.TakeTicket | c.CheckIn | c.ServeWalkIn,
    service: Service | None,
    origin: f.Origin,
    slot_start_at: datetime | None,
) -> Issued | Refusal:
    """The fact that gives a person who arrives now a label and a place."""
    if service is None or not is_known_class(x, command.priority_class):
        return refuse("service_unknown")
    label = next_label(service.series, x.catalogue.office.spare_series, x.day.last_numbers, reserved_letters(x.day))
    if label is None:
        return refuse("series_exhausted")
    rank = due(x.now, slot_start_at, command.priority_class, x.day.policy)
    issued = f.TicketIssued(
        ticket_id=command.request_id,
        label=label.label,
        series=label.series,
        number=label.number,
        service=service.id,
        origin=origin,
        priority_class=command.priority_class,
        arrived_at=x.now,
        due_at=rank.due_at,
        callable_at=rank.callable_at,
        slot_start_at=slot_start_at,
        follow_hash=command.follow_hash,
        band=rank.band,
        expected=x.expected.get(service.id) if origin == "walk_in" else None,
        basis=None if isinstance(command, c.CheckIn) else command.basis,
    )
    return Issued((issued,))
