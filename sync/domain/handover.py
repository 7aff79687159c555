"""A ticket that moves to another office, or to a new node of the same one: exactly one holder, the same place.

Theory
    A ticket has a tenure: 1 where it was issued, one more with each holder. Giving it up (``ticket.released``) is one fact at
    the holder and final: from then on nobody calls it there. Central routes it (sync.protocol.handover) with a grant of the
    next tenure; or the person carries a slip, signed by the office that gave it up, that names the next holder. Accepting is
    one fact at the new holder (``ticket.accepted``), and does nothing for a tenure that was seen before: so a grant that
    comes twice, a slip that comes with it, and a snapshot are all harmless. The largest tenure wins, everywhere.

    Place. No wall clock crosses offices. What travels is how long the waiting counted when the ticket was let go; the new
    holder adds how long it was between two holders and counts back from its own clock, once. Then the common order holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from sync.domain.catalogue import Catalogue
from sync.domain.numbering import LAST_NUMBER, NextLabel, next_label
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.reserve import reserved_letters
from sync.domain.ticket import Ticket
from sync.domain.to_do import MOST_STEPS_DONE, MOST_TO_DO, sent_on
from sync.messages import facts as f
from sync.messages.commands import Accept, HandOver
from sync.messages.feed import TicketClosed, TicketGrant, TicketTaken
from sync.messages.values import is_plausible

MS = timedelta(milliseconds=1)
SPAN_MAX = timedelta(days=50 * 365)
"""A longer span is no waiting but a clock that was set; sums of what this lets through stay within the calendar."""


def release(day: OfficeDay, ticket: Ticket, command: HandOver, now: datetime) -> f.TicketReleased:
    """The fact that gives a ticket up; the caller has checked that it may be."""
    assert day.service_date is not None
    return f.TicketReleased(
        ticket_id=ticket.ticket_id,
        service_date=day.service_date,
        to_office=command.to_office,
        tenure=ticket.tenure,
        card=card_of(ticket, command.service or ticket.service, now),
        travel_min=command.travel_min,
        slip=command.slip,
        session=ticket.session,
    )


def card_of(ticket: Ticket, service: str, now: datetime) -> f.TicketCard:
    """What travels with a ticket that is let go at ``now`` (the clock that its instants are of)."""
    return f.TicketCard(
        label=ticket.label,
        service=service,
        origin=ticket.origin,
        priority_class=ticket.priority_class,
        waited_ms=(now - ticket.due_at) // MS,
        present_ms=max(0, (now - ticket.arrived_at) // MS),
        follow_hash=ticket.follow_hash,
        slot_start_at=ticket.slot_start_at,
        duration_min=ticket.duration_min,
        appointment_id=ticket.appointment_id,
        to_do=sent_on(ticket.to_do, ticket.service, service),
        steps_done=ticket.steps_done,
    )


def accept(day: OfficeDay, command: Accept, now: datetime, catalogue: Catalogue) -> Decision:
    """Hold a ticket with its place; nothing when this tenure (or a later one) was here before.

    A service that this office does not offer is accepted all the same, now or as a step to come, and so is a card whose spans no
    clock says, or with more steps than anybody plans: somebody must hold the person, and what a broken office told must not stop
    this one.
    """
    known = day.tickets.get(command.ticket_id)
    if known is not None and known.tenure >= command.tenure:
        return Accepted(())
    assert day.service_date is not None
    label = _label(day, command, known, catalogue)
    if label is None:
        return refuse("series_exhausted")
    card, transit = command.card, max(timedelta(0), _span(command.transit_ms))
    travel = _span(command.travel_min, timedelta(minutes=1)) - transit
    callable_at = now if command.is_here or command.via == "restored" else max(now, now + travel)
    slot_start_at = card.slot_start_at if is_plausible(card.slot_start_at) else None
    if slot_start_at is not None:
        callable_at = max(callable_at, slot_start_at - timedelta(minutes=day.policy.early_margin_min))
    accepted = f.TicketAccepted(
        ticket_id=command.ticket_id,
        service_date=day.service_date,
        tenure=command.tenure,
        from_office=command.from_office,
        via=command.via,
        transit_ms=transit // MS,
        label=label.label,
        series=label.series,
        number=label.number,
        service=card.service,
        origin=card.origin,
        priority_class=card.priority_class,
        arrived_at=now - _span(card.present_ms) - transit,
        due_at=now - _span(card.waited_ms) - transit,
        callable_at=callable_at,
        follow_hash=card.follow_hash,
        slot_start_at=slot_start_at,
        duration_min=card.duration_min,
        appointment_id=card.appointment_id,
        to_do=tuple(dict.fromkeys(card.to_do))[:MOST_TO_DO],
        steps_done=min(max(0, card.steps_done), MOST_STEPS_DONE),
    )
    return Accepted((accepted,))


def _span(count: int, unit: timedelta = MS) -> timedelta:
    """So many units, at most ``SPAN_MAX`` in either direction."""
    most = SPAN_MAX // unit
    return min(max(count, -most), most) * unit


def command_of(grant: TicketGrant, office: str, request_id: str, central_at: datetime) -> Accept:
    """The command that a grant stands for, at an instant of central's clock."""
    return Accept(
        request_id=request_id,
        ticket_id=grant.id,
        tenure=grant.tenure,
        from_office=grant.from_office,
        via="restored" if grant.from_office == office else "grant",
        card=grant.card,
        transit_ms=max(0, (central_at - grant.released_at) // MS),
        travel_min=grant.travel_min,
        series=grant.series,
        number=grant.number,
    )


def is_new(day: OfficeDay, grant: TicketGrant, service_date: date) -> bool:
    """Whether a grant still has to be accepted: it is of this day, and its tenure was never here."""
    known = day.tickets.get(grant.id)
    return day.is_open and grant.service_date == service_date and (known is None or known.tenure < grant.tenure)


def ended_elsewhere(
    day: OfficeDay, closed: Iterable[TicketClosed], taken: Iterable[TicketTaken] = ()
) -> list[f.TicketAbandoned]:
    """The facts that end tickets of this day which are over by central's word, or live at another office since they left this
    one: a life of the node that did not know of it may have been told of the paper. One at a counter is left to its clerk.
    """
    rows: list[TicketClosed | TicketTaken] = [*closed, *taken]
    ending: dict[str, f.TicketAbandoned] = {}
    for row in rows:
        ticket = day.tickets.get(row.id)
        if ticket and ticket.tenure <= row.tenure and ticket.state in ("waiting", "parked", "missed"):
            reason = row.reason if isinstance(row, TicketClosed) else "superseded"
            ending.setdefault(row.id, f.TicketAbandoned(ticket_id=row.id, reason=reason))
    return list(ending.values())


def _label(day: OfficeDay, command: Accept, known: Ticket | None, catalogue: Catalogue) -> NextLabel | None:
    """A ticket that was here before keeps its label, so does a restored one; any other gets the next of its service.

    A restored one, too, when its label was given to somebody else meanwhile: central may learn of it only after its node was
    replaced, and restored itself since.
    """
    if known is not None:
        return NextLabel(known.series, known.number)
    if command.series is not None and command.number is not None and 1 <= command.number <= LAST_NUMBER:
        label = NextLabel(command.series, command.number)
        if all(ticket.label != label.label for ticket in day.tickets.values()):
            return label
    service = catalogue.services.get(command.card.service)
    spare = catalogue.office.spare_series
    return next_label(service.series if service else spare, spare, day.last_numbers, reserved_letters(day))
