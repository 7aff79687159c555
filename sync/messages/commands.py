"""What people ask of an office's queue. A command either becomes facts or a refusal (``sync.domain.decide``).

Every command carries the ``request_id`` its sender made; the same id never acts twice. All stand here under one name; those of
devices are in ``device_commands``.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec

from sync.messages.command import CITIZEN, SYSTEM, Actor, Command
from sync.messages.device_commands import ReportPrinted, ReportPrintFailed, ReportShown, TakePrinted, TakeReserved
from sync.messages.facts import DEFAULT_OUTCOME, AcceptedVia, Outcome, TicketCard, TransferOrder
from sync.messages.policy import GENERAL
from sync.messages.values import Hash, Instant, Language, Locator, Note, Series, Slug, Tenure, Uuid

__all__ = [  # what stands elsewhere and is found here, too
    "CITIZEN",
    "SYSTEM",
    "Actor",
    "Command",
    "ReportPrintFailed",
    "ReportPrinted",
    "ReportShown",
    "TakePrinted",
    "TakeReserved",
]

PriorityBasis = Literal["asked", "seen", "document", "correction"]
"""How staff came to know that a person has a class; never why they have it."""
MAX_SERVICES = 10
"""More than anybody does in one visit."""
MAX_STEPS = 4
"""Further services of a planned route."""


class CloseDay(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="close_day"):
    """A supervisor closes the office day."""


class OpenCounter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="open_counter"):
    """A clerk opens a counter; the counter session's id is the request_id. Empty services: the counter's own profile.

    ``take_over`` ends the session that another clerk has open there, with a notice to them; the clerk's own session at another
    counter or in another browser moves here, with its open visit. ``only_own``: a take-over ends nobody's but the clerk's own.
    """

    counter: Slug
    primary: tuple[Slug, ...] = ()
    secondary: tuple[Slug, ...] = ()
    take_over: bool = False
    only_own: bool = False


class CloseCounter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="close_counter"):
    """The clerk closes their counter, or a supervisor ends another clerk's session. An open visit must be ended first,
    except by a supervisor: then it goes back to waiting with its place.

    Args:
        reason: why the clerk leaves.
        unless_last: refuse it while people would then wait for a service that no other counter serves.
    """

    session: Uuid
    reason: Slug | None = None
    unless_last: bool = False


class TakeTicket(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="take_ticket"):
    """A walk-in takes a ticket; its ticket_id will be the request_id.

    Args:
        basis: how staff came to know of the class, as of ``SetPriority``.
    """

    service: Slug
    priority_class: Slug = GENERAL
    basis: PriorityBasis | None = None
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
    since, nobody is called and the reply is the present state. A visit that is being served is finished with the default
    outcome in the same act, also when nobody waits; one that is only called must be started or ended first.
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
    """The visit is over.

    Args:
        services: what was really done; none: what the person came for and what was added.
    """

    outcome: Outcome = DEFAULT_OUTCOME
    services: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=MAX_SERVICES)] = ()


class NoShow(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="no_show"):
    """The person did not come to the call."""


class Transfer(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="transfer"):
    """Send a called or serving ticket to exactly one of: another service, a counter, a person, a zone. But for the first it
    keeps its service.

    Args:
        order: in its own place; before all others there; behind all who wait now.
        reason: a code; needed for another order than its own place.
        note: for who serves it next; stays at the edge.
    """

    service: Slug | None = None
    counter: Slug | None = None
    staff_id: Slug | None = None
    zone: Slug | None = None
    order: TransferOrder = "keep"
    reason: Slug | None = None
    note: Note = ""


class Reinstate(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reinstate"):
    """A missed ticket waits again."""

    ticket_id: Uuid


class Park(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="park"):
    """Set a ticket aside; it keeps its due_at.

    Args:
        remind_min: minutes after which the clerk wants to be told of it.
        return_min: minutes after which it waits again by itself; none: somebody resumes it.
        back_to_me: when it is back, its clerk serves it, before all others.
    """

    reason: Slug | None = None
    remind_min: Annotated[int, msgspec.Meta(ge=1, le=120)] | None = None
    return_min: Annotated[int, msgspec.Meta(ge=1, le=240)] | None = None
    back_to_me: bool = False


class Skip(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="skip"):
    """Pass a person over for this counter's next call: the one that would be next, or the one that is called here."""

    reason: Slug


class AddService(TicketCommand, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="add_service"):
    """Go on with one more service in the same visit."""

    service: Slug


class SetPriority(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_priority"):
    """Give a ticket another class.

    Args:
        basis: how staff came to know; never why the person has priority.
    """

    ticket_id: Uuid
    priority_class: Slug
    basis: PriorityBasis


class SetNeeds(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="set_needs"):
    """Note what support a person needs; none: nothing. Stays at the edge."""

    ticket_id: Uuid
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=8)]


class PlanRoute(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="plan_route"):
    """Say which services a person goes on to after the present one, in order; none: it is the last one."""

    ticket_id: Uuid
    steps: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=MAX_STEPS)] = ()


class ServeWalkIn(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="serve_walk_in"):
    """Serve somebody who stands at the counter: a ticket is issued, called and started; its ticket_id is the request_id.

    Args:
        after: as of ``CallNext``.
    """

    session: Uuid
    service: Slug
    priority_class: Slug = GENERAL
    basis: PriorityBasis | None = None
    language: Language = "es"
    follow_hash: Hash
    after: Uuid | None = None


class Undo(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="undo"):
    """Take back the last act of a counter session (``sync.domain.undo``).

    Args:
        act: the request_id of the act that the clerk means.
    """

    session: Uuid
    act: Uuid


class PauseCounter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="pause_counter"):
    """No calls from here for a while. ``unless_last`` as of ``CloseCounter``."""

    session: Uuid
    reason: Slug
    unless_last: bool = False


class ResumeCounter(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resume_counter"):
    """Go on after a pause."""

    session: Uuid


class ChangeServices(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="change_services"):
    """A supervisor lets an open counter serve other services."""

    session: Uuid
    primary: Annotated[tuple[Slug, ...], msgspec.Meta(min_length=1)]
    secondary: tuple[Slug, ...] = ()


class AssignTicket(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="assign_ticket"):
    """A supervisor gives one waiting ticket to a counter; none: to whoever serves its service. It keeps its place."""

    ticket_id: Uuid
    to_counter: Slug | None = None


class Reassign(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reassign"):
    """A supervisor gives all tickets that are meant for a counter, or for who works there, to another counter.

    Args:
        to_counter: none: whoever serves their service.
        close: end the counter's session in the same act.
    """

    counter: Slug
    to_counter: Slug | None = None
    close: bool = False


class AskSupport(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="ask_support"):
    """Ask another one of staff to come; the call's id is the request_id."""

    urgency: Literal["support", "panic"] = "support"
    session: Uuid | None = None


class AnswerSupport(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="answer_support"):
    """Take care of a call for support."""

    support_id: Uuid


class Resume(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="resume"):
    """A parked ticket waits again."""

    ticket_id: Uuid


class Leave(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="leave"):
    """The person gave up waiting.

    Args:
        session: of the clerk who says so, who may take it back; none: nobody can.
    """

    ticket_id: Uuid
    session: Uuid | None = None


class HandOver(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="hand_over"):
    """Send a person to another office; they keep their place. A waiting ticket, or the one at the clerk's counter.

    Args:
        service: what they go there for; none: the ticket's own.
        slip: make a signed slip, for an office that central may not reach.
        note: for who serves them there; stays at the edge, and goes along on paper only.
    """

    session: Uuid
    ticket_id: Uuid
    to_office: Slug
    service: Slug | None = None
    travel_min: Annotated[int, msgspec.Meta(ge=0, le=240)] = 0
    slip: bool = False
    note: Note = ""


class TakeBack(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="take_back"):
    """Ask for a person back who was sent to another office and did not go."""

    ticket_id: Uuid


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


class SellLease(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="sell_lease"):
    """Book a future appointment out of leased seats; its id is the request_id."""

    service: Slug
    slot_start_at: Instant
    duration_min: int
    locator: Locator


class Reveal(Command, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="reveal"):
    """Look at who an appointment is for."""

    appointment_id: Uuid
    found_by: Literal["search", "agenda"] = "agenda"


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
    | Skip
    | AddService
    | SetPriority
    | SetNeeds
    | PlanRoute
    | ServeWalkIn
    | Undo
    | PauseCounter
    | ResumeCounter
    | ChangeServices
    | AssignTicket
    | Reassign
    | AskSupport
    | AnswerSupport
    | Resume
    | Leave
    | HandOver
    | TakeBack
    | Accept
    | MarkArrived
    | SellLease
    | Reveal
    | TakeReserved
    | TakePrinted
    | ReportPrinted
    | ReportPrintFailed
    | ReportShown
)
