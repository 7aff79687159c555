"""The signed slip of a handover: what is written on it, and what an office does with one that is shown to it.

The office that gave the ticket up has signed; the ticket is frozen there since, and the slip is addressed to one office. So it
may be believed without central: by the key that the city's directory has for that office, in the epoch that it has. Accepting is
the same command as for central's grant, of the same tenure, and whichever comes second changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec

from sync.domain.check_in import Here
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import refuse
from sync.domain.service_day import service_date
from sync.messages.codec import MalformedMessage
from sync.messages.commands import Accept, MarkArrived
from sync.messages.facts import TicketReleased
from sync.messages.feed import NodeKey
from sync.messages.handover_slip import PREFIX, HandoverSlip, SlipCard, Verify, minutes, read
from sync.messages.refusals import Refusal

TRANSIT_MAX = timedelta(days=1)


def slip_of(released: TicketReleased, office: str, epoch: int, central_at: datetime) -> HandoverSlip:
    """The slip of a ticket that was just given up, at an instant of central's clock."""
    return HandoverSlip(
        ticket_id=released.ticket_id,
        tenure=released.tenure + 1,
        from_office=office,
        epoch=epoch,
        to_office=released.to_office,
        service_date=released.service_date,
        released_min=minutes(central_at),
        travel_min=released.travel_min,
        card=SlipCard(**msgspec.structs.asdict(released.card)),
    )


def check(scanned: str, office: str, nodes: Mapping[str, NodeKey], verify: Verify) -> HandoverSlip | Refusal:
    """A slip that is worth something at this office, on some day, or why not.

    An epoch that is not the directory's is no valid signature: a node that was replaced signs with a key that counts no more.
    """
    if not scanned.startswith(PREFIX):
        return refuse("unsupported_version")
    try:
        slip = read(scanned, verify)
    except MalformedMessage:
        return refuse("malformed")
    known = nodes.get(slip.from_office) if slip is not None else None
    if slip is None or known is None or known.epoch != slip.epoch:
        return refuse("bad_signature")
    if slip.to_office != office:
        return refuse("wrong_office", office=slip.to_office)
    return slip


def command_of(
    day: OfficeDay, slip: HandoverSlip, here: Here, request_id: str, central_at: datetime
) -> Accept | MarkArrived | Refusal:
    """What showing a slip asks for, at an instant of central's clock: the person is here, whether the grant was faster or not.

    A ticket that this office holds in the day that it is in is answered whatever date the paper bears: central grants for today
    who comes from a day that was dated ahead. Only what is not held yet has to be of today.
    """
    is_over = day.service_date is None or day.service_date < here.today
    known = None if is_over else day.tickets.get(slip.ticket_id)
    if known is None or known.tenure < slip.tenure:
        if not _is_of_today(slip, here):
            return refuse("wrong_day", service_date=slip.service_date.isoformat())
        return _accept(slip, request_id, central_at)
    if known.state == "in_transit":
        return refuse("already_moved", ticket_id=known.ticket_id, office=known.released_to)
    return MarkArrived(request_id=request_id, ticket_id=slip.ticket_id)


def _is_of_today(slip: HandoverSlip, here: Here) -> bool:
    """Whether a slip is of today by its date, or is dated ahead but was given up today by central's clock.

    That instant may be believed against a later date: an office that has heard central since it booted counts it on its monotonic
    clock, and one that has not goes by the wall clock that dated its day ahead, so as a rule the instant is as late and changes
    nothing. An earlier date is never read as today's: what makes it differ may be a machine that slept.
    """
    if slip.service_date <= here.today:
        return slip.service_date == here.today
    return service_date(slip.released_at, here.zone) == here.today


def _accept(slip: HandoverSlip, request_id: str, central_at: datetime) -> Accept:
    transit = min(max(central_at - slip.released_at, timedelta(0)), TRANSIT_MAX)
    return Accept(
        request_id=request_id,
        ticket_id=slip.ticket_id,
        tenure=slip.tenure,
        from_office=slip.from_office,
        via="slip",
        card=slip.ticket_card,
        transit_ms=transit // timedelta(milliseconds=1),
        travel_min=slip.travel_min,
        is_here=True,
    )
