"""What happened in an office, version 1. The office day is a fold over these and nothing else.

A fact is written once, by the office's edge, in the transaction that commits the act. Its body carries ids, instants
and codes, never a name, a document or a reason about a person's health. Later versions add fields and types, never
rename.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

import msgspec

from sync.messages.policy import GENERAL, Policy
from sync.messages.values import Hash, Instant, Label, Locator, SeatRef, Seq, Series, Slug, Tenure, Uuid

Origin = Literal["walk_in", "appointment"]
Band = Literal["early", "punctual", "late", "too_late"]
"""How an appointment's arrival stands to its slot: anticipado, puntual, con retraso, fuera de plazo."""
CalledHow = Literal["next", "chosen"]
NextRule = Literal["primary", "secondary", "idle_secondary", "early", "chosen"]
"""Which step of the rule made a ticket the next one (``sync.domain.ordering``)."""
Outcome = Literal["resolved", "missing_documents", "referred", "not_applicable", "identity_mismatch"]
DEFAULT_OUTCOME: Outcome = "resolved"
TransferOrder = Literal["keep", "next", "end"]


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a fact. ``TYPE`` is its tag on the wire, ``V`` the version of its shape."""

    TYPE: ClassVar[str] = ""
    V: ClassVar[int] = 1


def told_as(fact: Fact) -> str:
    """The tag by which people are told of a fact: its own, or that of what it means for them."""
    is_step = isinstance(fact, TicketTransferred) and fact.ends_step
    return f"{fact.TYPE}.step" if is_step else fact.TYPE


class DayOpened(Fact, frozen=True, kw_only=True):
    """A service day begins.

    Args:
        floors: highest number by series that an earlier life of this office's node may have given today; the day's labels
            begin behind it.
    """

    TYPE: ClassVar[str] = "day.opened"
    service_date: date
    policy_version: int
    policy: Policy
    floors: dict[Series, int] = {}


class DayClosed(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "day.closed"
    service_date: date
    reason: Literal["scheduled", "supervisor"]


class CounterOpened(Fact, frozen=True, kw_only=True):
    """The actor of the fact is the clerk."""

    TYPE: ClassVar[str] = "counter.opened"
    session: Uuid
    counter: Slug
    primary: tuple[Slug, ...]
    secondary: tuple[Slug, ...] = ()
    zone: Slug | None = None


class CounterClosed(Fact, frozen=True, kw_only=True):
    """A counter session ends.

    Args:
        why: what its clerk said of leaving; none: they said nothing, or it was not they who ended it.
    """

    TYPE: ClassVar[str] = "counter.closed"
    session: Uuid
    counter: Slug
    reason: Literal["closed", "taken_over", "ended_by_supervisor", "day_end"]
    why: Slug | None = None


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """The wait that was published when a ticket was issued; with its call it says how good such waits are.

    Args:
        wait_s: seconds at each of ``sync.domain.waits.outlook.LEVELS``.
        level: the per cent of the published upper end.
        seq: the place in the journal that it was made from: whoever folds up to there makes it again.
    """

    wait_s: tuple[int, ...]
    level: int
    seq: Seq


class TicketIssued(Fact, frozen=True, kw_only=True):
    """Walk-in and check-in alike. The issue sequence of the ticket is the (epoch, seq) of this fact.

    Args:
        priority_class: code of the class, never its reason.
        basis: how staff came to know of the class; none: nobody of staff gave it.
        follow_hash: SHA-256 of the follow code on the slip; the code itself is never in a fact.
        to_verify: the booking was proven by its token only; this office has not got its row yet.
        expected: what a walk-in was told of the wait; none when nothing was told.
    """

    TYPE: ClassVar[str] = "ticket.issued"
    ticket_id: Uuid
    label: Label
    series: Series
    number: int
    service: Slug
    origin: Origin
    priority_class: Slug = GENERAL
    arrived_at: Instant
    due_at: Instant
    callable_at: Instant
    slot_start_at: Instant | None = None
    duration_min: int | None = None
    follow_hash: Hash
    appointment_id: Uuid | None = None
    band: Band | None = None
    to_verify: bool = False
    expected: Expected | None = None
    basis: Slug | None = None


class TicketPrinted(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.printed"
    ticket_id: Uuid
    device: Slug
    reprint: bool = False


class TicketPrintFailed(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.print_failed"
    ticket_id: Uuid
    device: Slug
    reason: Literal["no_paper", "offline", "error"]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """Why a ticket was next, in values; the words come from the catalogues.

    Args:
        ahead_now: how many callable tickets with a smaller ``due_at`` this counter passed over (only for ``chosen``).
    """

    rule: NextRule
    origin: Origin
    arrived_at: Instant
    due_at: Instant
    slot_start_at: Instant | None = None
    priority_class: Slug = GENERAL
    ahead_now: int = 0


class TicketCalled(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.called"
    ticket_id: Uuid
    session: Uuid
    counter: Slug
    how: CalledHow
    reason: Slug | None = None
    why: Why


class TicketRecalled(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.recalled"
    ticket_id: Uuid
    session: Uuid
    counter: Slug
    recalls: int


class TicketShown(Fact, frozen=True, kw_only=True):
    """A display showed a call. ``recalls`` tells which announcement of the ticket it was."""

    TYPE: ClassVar[str] = "ticket.shown"
    ticket_id: Uuid
    display: Slug
    recalls: int
    shown_at: Instant
    sounded: bool


class TicketStarted(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.started"
    ticket_id: Uuid
    session: Uuid


class TicketFinished(Fact, frozen=True, kw_only=True):
    """A visit is over.

    Args:
        services: what was really done; none: facts of builds that did not ask.
    """

    TYPE: ClassVar[str] = "ticket.finished"
    ticket_id: Uuid
    session: Uuid
    outcome: Outcome = DEFAULT_OUTCOME
    services: tuple[Slug, ...] = ()


class TicketNoShow(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.no_show"
    ticket_id: Uuid
    session: Uuid | None = None


class TicketReinstated(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "ticket.reinstated"
    ticket_id: Uuid
    due_at: Instant


class TicketTransferred(Fact, frozen=True, kw_only=True):
    """A called or serving ticket goes back to waiting, for another service, or for one counter, person or zone. Its due_at
    stays, whatever the order: that is what it falls back on.

    Args:
        staff_id: the clerk who alone shall serve it while they have a counter open.
        zone: where alone it shall be served while a counter is open there.
        order: in its own place; before all others there; behind all who wait now.
        reason: why in another order than its own place.
        has_note: somebody wrote a note for who serves it next. The note stays at the edge.
        outcome: a step of its route was finished, and it goes on to the next one; none: it was sent.
        services: what was done in that step.
    """

    TYPE: ClassVar[str] = "ticket.transferred"
    ticket_id: Uuid
    service: Slug
    counter: Slug | None = None
    session: Uuid | None = None
    staff_id: Slug | None = None
    zone: Slug | None = None
    order: TransferOrder = "keep"
    has_note: bool = False
    reason: Slug | None = None
    outcome: Outcome | None = None
    services: tuple[Slug, ...] = ()

    @property
    def ends_step(self) -> bool:
        """Whether a step was finished, and nobody sent the ticket elsewhere."""
        return self.outcome is not None


class TicketReassigned(Fact, frozen=True, kw_only=True):
    """A ticket that was meant for one counter or person is given to another counter, or to none."""

    TYPE: ClassVar[str] = "ticket.reassigned"
    ticket_id: Uuid
    counter: Slug | None = None


class TicketParked(Fact, frozen=True, kw_only=True):
    """A ticket is set aside; it keeps its due_at.

    Args:
        remind_at: when the clerk wants to be told of it.
        returns_at: when it waits again by itself; none: somebody resumes it.
        kept_for: the clerk who serves it first when it is back, while they have a counter open.
    """

    TYPE: ClassVar[str] = "ticket.parked"
    ticket_id: Uuid
    reason: Slug | None = None
    session: Uuid | None = None
    remind_at: Instant | None = None
    kept_for: Slug | None = None
    returns_at: Instant | None = None


class TicketResumed(Fact, frozen=True, kw_only=True):
    """A parked ticket waits again, where it waited.

    Args:
        automatic: its time had come; nobody resumed it.
    """

    TYPE: ClassVar[str] = "ticket.resumed"
    ticket_id: Uuid
    automatic: bool = False


class TicketAbandoned(Fact, frozen=True, kw_only=True):
    """Nobody waits with this ticket any more.

    Args:
        reason: the person left; the day ended; the ticket lives on elsewhere (``superseded``); it was ended by an earlier
            life of this office's node (``served_before``).
        session: the counter session that said so and may take it back; none where nobody at a counter did.
    """

    TYPE: ClassVar[str] = "ticket.abandoned"
    ticket_id: Uuid
    reason: Literal["left", "day_end", "superseded", "served_before"]
    session: Uuid | None = None


class TicketCard(msgspec.Struct, frozen=True, kw_only=True):
    """All of a ticket that travels with it from office to office; spans instead of instants, since clocks do not travel.

    Args:
        label: what stands on the person's slip.
        waited_ms: how long its waiting counted when it was let go (negative: an appointment ahead of its time).
        present_ms: how long the person had been there.
        to_do: services of a planned visit that are not done, in order; ``service`` among them unless it is a detour.
        steps_done: how many of it were.
    """

    label: Label
    service: Slug
    origin: Origin
    priority_class: Slug = GENERAL
    waited_ms: int
    present_ms: int
    follow_hash: Hash
    slot_start_at: Instant | None = None
    duration_min: int | None = None
    appointment_id: Uuid | None = None
    to_do: tuple[Slug, ...] = ()
    steps_done: int = 0


class TicketReleased(Fact, frozen=True, kw_only=True):
    """This office gave a ticket up for another one. Irrevocable: from here on nobody calls it here.

    Args:
        service_date: the ticket's day; it is worth nothing on another one.
        tenure: the holder's number that is given up; the next holder's is one more.
        travel_min: how long the person is expected to be on the way.
        slip: a signed slip was made, so that the other office may accept it before central tells it.
    """

    TYPE: ClassVar[str] = "ticket.released"
    ticket_id: Uuid
    service_date: date
    to_office: Slug
    tenure: Tenure
    card: TicketCard
    travel_min: int = 0
    slip: bool = False
    session: Uuid | None = None


AcceptedVia = Literal["grant", "slip", "restored"]


class TicketAccepted(Fact, frozen=True, kw_only=True):
    """This office holds a ticket that another one (or an earlier life of its own node) gave up. A ticket like one that was
    issued here: its issue sequence is the (epoch, seq) of this fact.

    Args:
        tenure: this holder's number.
        transit_ms: how long the ticket was between two holders; its waiting went on.
        via: central's grant, the signed slip, or restored after the node was replaced.
        to_do, steps_done: as of ``TicketCard``.
    """

    TYPE: ClassVar[str] = "ticket.accepted"
    ticket_id: Uuid
    service_date: date
    tenure: Tenure
    from_office: Slug
    via: AcceptedVia
    transit_ms: int
    label: Label
    series: Series
    number: int
    service: Slug
    origin: Origin
    priority_class: Slug = GENERAL
    arrived_at: Instant
    due_at: Instant
    callable_at: Instant
    follow_hash: Hash
    slot_start_at: Instant | None = None
    duration_min: int | None = None
    appointment_id: Uuid | None = None
    to_do: tuple[Slug, ...] = ()
    steps_done: int = 0


class TicketArrived(Fact, frozen=True, kw_only=True):
    """The person of an accepted ticket has come: it may be called at once."""

    TYPE: ClassVar[str] = "ticket.arrived"
    ticket_id: Uuid


class TicketRelabelled(Fact, frozen=True, kw_only=True):
    """A kiosk had printed another label for the same request while the edge did not answer: the paper in the hand counts.

    Args:
        follow_hash: of the code on that paper; none: the ticket's own goes on.
    """

    TYPE: ClassVar[str] = "ticket.relabelled"
    ticket_id: Uuid
    label: Label
    series: Series
    number: int
    voided: Label
    follow_hash: Hash | None = None


class ReserveGranted(Fact, frozen=True, kw_only=True):
    """Numbers of a kiosk's own series that it may give while the edge does not answer. They are used by nobody else, and are
    worth nothing after the day or in another life of the node.
    """

    TYPE: ClassVar[str] = "reserve.granted"
    device: Slug
    service_date: date
    series: Series
    first: int
    last: int


class LabelsSkipped(Fact, frozen=True, kw_only=True):
    """A kiosk knows of numbers that this journal does not: an earlier life of the node, or a copy that was put back, gave them.
    Labels go on behind them.
    """

    TYPE: ClassVar[str] = "labels.skipped"
    device: Slug
    service_date: date
    floors: dict[Series, int]


class LeaseSold(Fact, frozen=True, kw_only=True):
    """A future appointment was booked out of seats lent to this office, while central could not be asked. Final.

    The person's data go to central apart, never in a fact.
    """

    TYPE: ClassVar[str] = "lease.sold"
    lease_id: Uuid
    seats: tuple[SeatRef, ...]
    appointment_id: Uuid
    locator: Locator
    service: Slug
    slot_start_at: Instant
    duration_min: int


class LeaseReturned(Fact, frozen=True, kw_only=True):
    """These seats of a lease will not be sold here any more."""

    TYPE: ClassVar[str] = "lease.returned"
    lease_id: Uuid
    seats: tuple[SeatRef, ...]


class UnknownFact(Fact, frozen=True, kw_only=True):
    """A fact of a type or version that this build does not know: kept as it is, folded as nothing."""

    type: str
    v: int
