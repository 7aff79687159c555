"""What people ask of an office's queue. A command either becomes facts or a refusal (``sync.domain.decide``).

Every command carries the ``request_id`` its sender made; the same id never acts twice.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from sync.messages.facts import DEFAULT_OUTCOME, AcceptedVia, Outcome, TicketCard
from sync.messages.policy import GENERAL
from sync.messages.values import AnnouncementId, Hash, Instant, Language, Locator, Series, Slug, Tenure, Uuid


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, from where. ``actor_id`` is a staff id, ``citizen`` or ``system``."""

    actor_id: str
    device_id: str
    supervisor: bool = False


CITIZEN = "citizen"
SYSTEM = "system"


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """The base of all commands; the tag is on the wire."""

    request_id: Uuid


class CloseDay(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="close_day"):
    """A supervisor closes the office day."""


class OpenCounter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="open_counter"):
    """A clerk opens a counter; the counter session's id is the request_id. Empty services: the counter's own profile.

    ``take_over`` ends the session that another clerk has open there, with a notice to them.
    """

    counter: Slug
    primary: tuple[Slug, ...] = ()
    secondary: tuple[Slug, ...] = ()
    take_over: bool = False


class CloseCounter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="close_counter"):
    """The clerk closes their counter, or a supervisor ends another clerk's session. An open visit must be ended first,
    except by a supervisor: then it goes back to waiting with its place.
    """

    session: Uuid


class TakeTicket(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="take_ticket"):
    """A walk-in takes a ticket; its ticket_id will be the request_id."""

    service: Slug
    priority_class: Slug = GENERAL
    language: Language = "es"
    follow_hash: Hash


class CheckIn(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="check_in"):
    """An appointment arrives. The edge has already found or verified the booking (``sync.domain.check_in``)."""

    appointment_id: Uuid
    service: Slug
    slot_start_at: Instant
    duration_min: int
    priority_class: Slug = GENERAL
    to_verify: bool = False
    follow_hash: Hash


class CallNext(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="call_next"):
    """Call the next ticket. ``after`` is the ticket the clerk saw at the counter, or none: if the counter has moved on
    since, nobody is called and the reply is the present state.
    """

    session: Uuid
    after: Uuid | None = None


class CallTicket(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="call_ticket"):
    """Call a chosen ticket out of order; needs a reason code."""

    session: Uuid
    ticket_id: Uuid
    reason: Slug
    after: Uuid | None = None


class TicketCommand(Command, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verb of the counter session on its own ticket."""

    session: Uuid
    ticket_id: Uuid


class Recall(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="recall"):
    """Call the same ticket again."""


class Start(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="start"):
    """The person has come (*Ha venido*)."""


class Finish(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="finish"):
    """The visit is over."""

    outcome: Outcome = DEFAULT_OUTCOME


class NoShow(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="no_show"):
    """The person did not come to the call."""


class Transfer(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="transfer"):
    """Send a called or serving ticket to another service, or to one counter (then it keeps its service)."""

    service: Slug | None = None
    counter: Slug | None = None


class Reinstate(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reinstate"):
    """A missed ticket waits again."""

    ticket_id: Uuid


class Park(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="park"):
    """Set a ticket aside; it keeps its due_at."""

    reason: Slug | None = None


class Resume(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resume"):
    """A parked ticket waits again."""

    ticket_id: Uuid


class Leave(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="leave"):
    """The person gave up waiting."""

    ticket_id: Uuid


class HandOver(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hand_over"):
    """Send a person to another office; they keep their place. A waiting ticket, or the one at the clerk's counter.

    Args:
        service: what they go there for; none: the ticket's own.
        slip: make a signed slip, for an office that central may not reach.
    """

    session: Uuid
    ticket_id: Uuid
    to_office: Slug
    service: Slug | None = None
    travel_min: Annotated[int, msgspec.Meta(ge=0, le=240)] = 0
    slip: bool = False


class Accept(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="accept"):
    """Hold a ticket that another office gave up; the caller has verified the grant or the slip.

    Args:
        tenure: this office's.
        transit_ms: how long it was on the way.
        is_here: the person stands in the office.
    """

    ticket_id: Uuid
    tenure: Tenure
    from_office: Slug
    via: AcceptedVia
    card: TicketCard
    transit_ms: int
    travel_min: int = 0
    series: Series | None = None
    number: int | None = None
    is_here: bool = False


class MarkArrived(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="mark_arrived"):
    """The person of an accepted ticket has come."""

    ticket_id: Uuid


class TakeReserved(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="take_reserved"):
    """A kiosk tells of a ticket that it gave out of its reserve.

    Args:
        ticket_id: the request that the ticket answered, as of any other; the edge may have taken that one, too, so the telling
            has an id of its own.
        elapsed_ms: how long ago that was, by the kiosk's monotonic clock.
    """

    ticket_id: Uuid
    service: Slug
    service_date: date
    series: Series
    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    elapsed_ms: Annotated[int, msgspec.Meta(ge=0)]
    follow_hash: Hash
    language: Language = "es"


class SellLease(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sell_lease"):
    """Book a future appointment out of leased seats; its id is the request_id."""

    service: Slug
    slot_start_at: Instant
    duration_min: int
    locator: Locator


class ReportPrinted(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="report_printed"):
    """A kiosk printed a slip."""

    ticket_id: Uuid
    reprint: bool = False


class ReportPrintFailed(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="report_print_failed"):
    """A kiosk could not print a slip."""

    ticket_id: Uuid
    reason: Literal["no_paper", "offline", "error"]


class ReportShown(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="report_shown"):
    """A display showed a call."""

    ticket_id: Uuid
    recalls: int
    shown_at: Instant
    sounded: bool
    announcement: AnnouncementId = ""


class BreakGlass(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="break_glass"):
    """A supervisor lets a node go on that was put back in time (``sync.domain.standing``)."""


class ConfirmDate(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="confirm_date"):
    """A supervisor confirms the date that a doubtful clock says (``sync.domain.date_doubt``)."""

    service_date: date


NodeCommand = BreakGlass | ConfirmDate
"""What is asked of the node itself, and not of its queue."""

AnyCommand = (
    CloseDay
    | OpenCounter
    | CloseCounter
    | TakeTicket
    | CheckIn
    | CallNext
    | CallTicket
    | Recall
    | Start
    | Finish
    | NoShow
    | Transfer
    | Reinstate
    | Park
    | Resume
    | Leave
    | HandOver
    | Accept
    | MarkArrived
    | SellLease
    | TakeReserved
    | ReportPrinted
    | ReportPrintFailed
    | ReportShown
)
