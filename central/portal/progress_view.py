"""What a person sees of their own ticket, from the folded office day. Pure: no second order, no second estimate."""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sync.domain.catalogue import Catalogue
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import ahead_of
from sync.domain.routes import not_offered, steps_after
from sync.domain.ticket import Ticket
from sync.messages.topics import WaitRange

CODE_BYTES = 16
VALID_AFTER_CLOSE = timedelta(hours=2)
NEAR = 2
"""With so few people ahead one should be in the room."""
STEP = timedelta(minutes=5)
WORTH_LEAVING_MIN = 15
QUARTER = timedelta(minutes=15)

Turn = Literal[
    "waiting",
    "near",
    "next",
    "early",
    "called",
    "serving",
    "missed",
    "parked",
    "finished",
    "left",
    "ended",
    "in_transit",
    "expected",
]


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """When the call is expected: a stretch on a rail of `top_min` minutes that begins at a quarter of an hour."""

    starts_at: datetime
    ends_at: datetime
    rail_from: datetime
    top_min: int

    def minute(self, at: datetime) -> float:
        """Where an instant stands on the rail, minutes from its beginning."""
        return (at - self.rail_from).total_seconds() / 60

    @property
    def labels(self) -> tuple[datetime, ...]:
        quarter = timedelta(minutes=self.top_min / 4)
        return tuple(self.rail_from + n * quarter for n in range(5))


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as its owner follows it.

    Args:
        turn: what the person should know first.
        ahead: people ahead; only while waiting.
        span: when the call is expected; none when it cannot be said.
        back_by_at: until when one may be away; none when that is not worth while or not known.
        counter: where to go, or where one was.
        not_before_at: of an early appointment, its slot.
        returns_at: while it is set aside: when it waits again by itself; none: staff have to be told, or it should have returned.
        to_office: where it is on its way to, while no office holds it.
        has_moved: it came from another office, so its label is a new one.
        step, steps: which step of a planned visit this is, from 1, and of how many that are done or to do here; 0: there is only
            one, or it is the last.
    """

    label: str
    office: str
    zone: str
    turn: Turn
    ahead: int | None = None
    span: Span | None = None
    back_by_at: datetime | None = None
    counter: str | None = None
    announced_at: datetime | None = None
    recalls: int = 0
    not_before_at: datetime | None = None
    returns_at: datetime | None = None
    to_office: str | None = None
    has_moved: bool = False
    step: int = 0
    steps: int = 0

    @property
    def waits_in_zone(self) -> bool:
        """Whether the person is to sit and wait where tickets of its service are called."""
        return self.turn in {"waiting", "near", "next", "early", "expected"}

    @property
    def is_at_counter(self) -> bool:
        """Whether the person is called to a counter or sits there."""
        return self.turn in {"called", "serving"}

    @property
    def is_over(self) -> bool:
        """Whether nobody will call this ticket again."""
        return self.turn in {"finished", "left", "ended"}


def follow_hash(code: str) -> bytes | None:
    """The hash that a fact carries for the code in a slip's address; none if it is no code."""
    if len(code) != 22:  # 16 bytes in base64url without padding
        return None
    try:
        raw = base64.b64decode(code + "==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return hashlib.sha256(raw).digest() if len(raw) == CODE_BYTES else None


def ticket_of(day: OfficeDay, hashed: bytes, now: datetime) -> Ticket | None:
    """The followed ticket of a day, until two hours after the day was closed."""
    ticket = day.tickets.get(day.by_follow_hash.get(hashed, ""))
    if ticket is None:
        return None
    is_over = day.closed_at is not None and now > day.closed_at + VALID_AFTER_CLOSE
    return None if is_over else ticket


def holder_of(days: Iterable[OfficeDay], hashed: bytes, now: datetime) -> tuple[OfficeDay, Ticket] | None:
    """Where a ticket is: it may have been at several offices, and the largest tenure is its holder's."""
    found = ((day, ticket) for day in days if (ticket := ticket_of(day, hashed, now)))
    return max(found, key=lambda pair: pair[1].tenure, default=None)


def progress_of(
    day: OfficeDay, ticket: Ticket, catalogue: Catalogue, now: datetime, *, wait: WaitRange | None
) -> Progress:
    """Where a ticket is. Without live news the place is the last known one and no time is promised.

    Args:
        wait: what is still ahead of it; none when that is not known, or not from live news.
    """
    ahead = ahead_of(day, ticket) if ticket.state == "waiting" else None
    turn = _turn(day, ticket, ahead, now)
    waits = turn in {"waiting", "near"}
    elsewhere = len(not_offered(ticket, catalogue))
    leads_on = ticket.is_open and ticket.is_on_route and len(steps_after(ticket)) > elsewhere
    return Progress(
        label=ticket.label,
        office=day.office,
        zone=_zone(ticket, catalogue),
        turn=turn,
        ahead=ahead if turn not in {"early", "expected"} else None,
        span=_span(wait, now) if waits and wait is not None else None,
        back_by_at=_back_by(wait, now) if turn == "waiting" and wait is not None else None,
        counter=ticket.called_counter,
        announced_at=ticket.announced_at,
        recalls=ticket.recalls,
        not_before_at=ticket.slot_start_at if turn == "early" else None,
        returns_at=ticket.returns_at if ticket.returns_at is not None and ticket.returns_at > now else None,
        to_office=ticket.released_to if turn == "in_transit" else None,
        has_moved=ticket.from_office not in (None, day.office),
        step=ticket.steps_done + 1 if leads_on else 0,
        steps=ticket.steps_done + len(ticket.to_do) - elsewhere if leads_on else 0,
    )


def _turn(day: OfficeDay, ticket: Ticket, ahead: int | None, now: datetime) -> Turn:
    match ticket.state:
        case "waiting":
            if ticket.expected and ticket.callable_at > now:
                return "expected"
            if ticket.callable_at > now:
                return "early"
            if ahead == 0:
                return "next"
            return "near" if ahead is not None and ahead <= NEAR else "waiting"
        case "abandoned":
            return "left" if day.is_open else "ended"
        case "called" | "serving" | "missed" | "parked" | "finished" | "in_transit" as state:
            return state


def _zone(ticket: Ticket, catalogue: Catalogue) -> str:
    counter = catalogue.counters.get(ticket.called_counter or "") if ticket.state in {"called", "serving"} else None
    return counter.zone if counter else catalogue.zone_of_service(ticket.service)


def _back_by(wait: WaitRange, now: datetime) -> datetime | None:
    """Of ten people one is called before this: short enough for those who wait long, never for those who are near."""
    if wait.back_by_min is None or wait.back_by_min < WORTH_LEAVING_MIN:
        return None
    return _floor(now + timedelta(minutes=wait.back_by_min), STEP)


def _span(wait: WaitRange, now: datetime) -> Span:
    # Never an hour that has passed: rounding down may not go behind the present minute.
    starts_at = max(_floor(now + timedelta(minutes=wait.low_min), STEP), _floor(now, timedelta(minutes=1)))
    ends_at = _floor(now + timedelta(minutes=wait.high_min) + STEP - timedelta(milliseconds=1), STEP)
    rail_from = _floor(now, QUARTER)
    needed_min = (ends_at - rail_from) / timedelta(minutes=1)
    top_min = next((top for top in (60, 120, 240) if needed_min <= top), 480)
    return Span(starts_at=starts_at, ends_at=ends_at, rail_from=rail_from, top_min=top_min)


def _floor(at: datetime, step: timedelta) -> datetime:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // step * step
