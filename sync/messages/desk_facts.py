"""Facts of work at a counter beside calls and moves: skips, second services, undoing, pauses, take-overs, calls for support;
and the one that asks for a person back who was sent to another office.

Same rules as ``sync.messages.facts``: ids, instants and codes. A build that does not know them keeps them opaque, and what
it folds without them is still a day. Codes that may grow are slugs here, so that a new one is no fact that cannot be read.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from sync.messages.facts import Fact
from sync.messages.values import Instant, Slug, Tenure, Uuid


class TicketSkipped(Fact, frozen=True, kw_only=True):
    """A counter passes a person over for its next call, with a reason; others may call them meanwhile. Nothing else changes:
    they wait where they waited, and one that was called already waits again.
    """

    TYPE: ClassVar[str] = "ticket.skipped"
    ticket_id: Uuid
    session: Uuid
    counter: Slug
    reason: Slug


class TicketServiceAdded(Fact, frozen=True, kw_only=True):
    """The visit goes on with one more service at the same counter."""

    TYPE: ClassVar[str] = "ticket.service_added"
    ticket_id: Uuid
    session: Uuid
    service: Slug


class TicketPriorityChanged(Fact, frozen=True, kw_only=True):
    """A ticket has another class, ranked anew from the same arrival.

    Args:
        basis: how staff came to know, never why a person has priority.
    """

    TYPE: ClassVar[str] = "ticket.priority_changed"
    ticket_id: Uuid
    priority_class: Slug
    basis: Slug
    due_at: Instant


class TicketNeedsSet(Fact, frozen=True, kw_only=True):
    """Staff noted what support a person needs, or that they need none. Which stays at the edge."""

    TYPE: ClassVar[str] = "ticket.needs_set"
    ticket_id: Uuid
    has_needs: bool


class TicketRoutePlanned(Fact, frozen=True, kw_only=True):
    """Staff planned which services the person goes on to after the present one.

    Args:
        steps: in order; none: the present one is the last.
    """

    TYPE: ClassVar[str] = "ticket.route_planned"
    ticket_id: Uuid
    steps: tuple[Slug, ...]


class TicketUndone(Fact, frozen=True, kw_only=True):
    """An act of a counter session is taken back for this ticket, which stands as it stood before. The act's own facts stay.

    Args:
        act: the request that made them.
        undone: the tag of the fact that is taken back (``told_as``); the last one, where the act made several of this ticket.
    """

    TYPE: ClassVar[str] = "ticket.undone"
    ticket_id: Uuid
    session: Uuid
    act: Uuid
    undone: str


class CounterPaused(Fact, frozen=True, kw_only=True):
    """No calls from here for a while; the session stays."""

    TYPE: ClassVar[str] = "counter.paused"
    session: Uuid
    counter: Slug
    reason: Slug


class CounterResumed(Fact, frozen=True, kw_only=True):
    TYPE: ClassVar[str] = "counter.resumed"
    session: Uuid
    counter: Slug


class CounterServicesChanged(Fact, frozen=True, kw_only=True):
    """An open counter serves other services from now on; the visit there goes on."""

    TYPE: ClassVar[str] = "counter.services_changed"
    session: Uuid
    counter: Slug
    primary: tuple[Slug, ...]
    secondary: tuple[Slug, ...] = ()


class CounterTakenOver(Fact, frozen=True, kw_only=True):
    """A counter session goes on elsewhere: notice to who had it before. The device of the fact is where it is now.

    Args:
        session: the one that goes on.
        from_session: the one that was taken over; the same when only the browser changed.
    """

    TYPE: ClassVar[str] = "counter.taken_over"
    session: Uuid
    counter: Slug
    from_session: Uuid
    from_counter: Slug


class SupportAsked(Fact, frozen=True, kw_only=True):
    """Somebody of staff wants another one to come.

    Args:
        urgency: ``support`` or ``panic``.
        counter: where they work; none: they have no counter open.
    """

    TYPE: ClassVar[str] = "support.asked"
    support_id: Uuid
    urgency: Slug
    session: Uuid | None = None
    counter: Slug | None = None


class SupportAnswered(Fact, frozen=True, kw_only=True):
    """The actor of the fact takes care of it."""

    TYPE: ClassVar[str] = "support.answered"
    support_id: Uuid


class TicketWantedBack(Fact, frozen=True, kw_only=True):
    """The office that gave a ticket up asks for it again. Central gives it back as long as nobody has accepted it; until then it
    stays where it is, on the way.

    Args:
        tenure: the one that was given up.
    """

    TYPE: ClassVar[str] = "ticket.wanted_back"
    ticket_id: Uuid
    service_date: date
    tenure: Tenure
