"""What kiosks tell a new life of the node: tickets on paper that the life before it had told nobody when its disk was lost.

Which those are is a question of numbers, and central says it with the floors: the numbers of all tickets that it has heard of.
Such a ticket came back with the replacement if it was open. Any other died with a disk, and its person holds the only copy. It
need not lie beyond the last number: where two nodes died one after the other, those of the first that nobody told the second
of lie between.

A ticket that lives at another office, or is over by central's word, is no news either, whatever the floors say: they may come
from a central that was restored to before it was sent on.

A kiosk is believed only where this journal may lack something: on the first day of a life that followed another, and on an old
copy that a supervisor lets go on; and only so far as an office can have come without central hearing of it. Otherwise one broken
kiosk that names number 999 would use up a series for everybody.
"""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from sync.domain.deciding import Context
from sync.domain.due import due
from sync.domain.numbering import LAST_NUMBER
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.reserve import arrived_before, relabelled
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages.feed import Appointment, NumberFloor
from sync.messages.policy import GENERAL
from sync.messages.topics import KioskTellPrinted

LEAP = 300
"""Numbers of one series that an office may have given without central hearing of them: a whole day of thirty people an hour."""


def believed_up_to(*, follows_another: bool, is_copy: bool, floor: int, known: int) -> int:
    """The highest number of a series that a kiosk is believed to have seen; 0: whatever was given stands in the journal.

    Args:
        follows_another: this is the first day of a life of the node that is not the office's first.
        is_copy: this life goes on as an old copy of itself.
        floor: the number behind which this life began (0: central had heard of none).
        known: the highest in the journal.
    """
    if is_copy:
        return min(LAST_NUMBER, max(floor, known) + LEAP)
    return min(LAST_NUMBER, floor + LEAP) if follows_another else 0


def command_of(
    told: KioskTellPrinted,
    code: bytes,
    *,
    floor: NumberFloor | None,
    is_moved: bool,
    up_to: int,
    booked: Appointment | None = None,
) -> c.TakePrinted:
    """The command that a kiosk's word for a printed ticket stands for.

    Args:
        code: what its progress page is found by; of a slip that has none, a new one.
        floor: central's floors for this life of the node and the ticket's day; none: it told none.
        is_moved: central says that the ticket lives at another office, or is over.
        up_to: how far kiosks are believed about the ticket's series (``believed_up_to``).
        booked: its appointment, if it has one that is known here.
    """
    return c.TakePrinted(
        request_id=told.request_id,
        ticket_id=told.ticket_id,
        service=told.service,
        service_date=told.service_date,
        series=told.series,
        number=told.number,
        elapsed_ms=told.elapsed_ms,
        is_known=is_moved or (floor is not None and floor.has_heard(told.series, told.number)),
        up_to=up_to,
        follow_hash=sha256(code).digest(),
        appointment_id=booked.id if booked is not None else None,
        slot_start_at=booked.slot_start_at if booked is not None else None,
        duration_min=booked.duration_min if booked is not None else None,
    )


def take_printed(x: Context, command: c.TakePrinted) -> Decision:
    """Take a printed ticket into the queue again, with its label and its arrival; nothing when it is known or over. One that came
    back under the label that nobody saw, since central had not heard of the kiosk's own one, takes the printed label.
    """
    day = x.day
    if command.service_date != day.service_date:
        return refuse("day_closed")
    if command.is_known:
        return Accepted(())
    known, label = day.tickets.get(command.ticket_id), f"{command.series}{command.number}"
    if known is not None and (known.label == label or known.given_by):
        return Accepted(())
    if known is None and _is_back(day, command):
        return Accepted(())  # its person has been checked in once more
    if command.number > command.up_to or any(ticket.label == label for ticket in day.tickets.values()):
        return refuse("not_reserved")
    if known is not None:
        return Accepted((relabelled(known, command),))
    service = x.catalogue.services.get(command.service)
    if service is None:
        return refuse("service_unknown")
    arrived_at = arrived_before(x.now, timedelta(milliseconds=min(command.elapsed_ms, 10**12)))
    rank = due(arrived_at, command.slot_start_at, GENERAL, day.policy)
    issued = f.TicketIssued(
        ticket_id=command.ticket_id,
        label=label,
        series=command.series,
        number=command.number,
        service=service.id,
        origin="walk_in" if command.slot_start_at is None else "appointment",
        arrived_at=arrived_at,
        due_at=rank.due_at,
        callable_at=rank.callable_at,
        slot_start_at=command.slot_start_at,
        duration_min=command.duration_min,
        appointment_id=command.appointment_id,
        band=rank.band,
        follow_hash=command.follow_hash,
    )
    return Accepted((issued,))


def _is_back(day: OfficeDay, command: c.TakePrinted) -> bool:
    return command.appointment_id is not None and day.ticket_of(command.appointment_id) is not None
