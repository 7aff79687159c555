"""A kiosk that goes on giving tickets while the edge does not answer: out of numbers that are nobody else's.

Theory
    Every kiosk has a letter of its own. For each service day and life of the node the edge grants it a block of that letter,
    in a fact, before it is needed. When the edge does not answer, the kiosk writes {request, label, monotonic time} down,
    prints, and tells the edge when it is back: the ticket joins the queue at its true arrival. The request's id is the
    ticket's, so nothing can be told twice. Had the edge committed the request after all, without the kiosk hearing of it, the
    same ticket takes the printed label and the unseen one is void: one request, one ticket, one place.

    Two lives of a node grant different numbers: a new one begins behind whatever the old one may have granted. Nobody knows
    that better than the kiosk, so it is granted nothing before it has said what it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import date, datetime, timedelta
from hashlib import sha256
from string import ascii_uppercase

from sync.domain.catalogue import Catalogue
from sync.domain.due import due
from sync.domain.numbering import LAST_NUMBER
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.ticket import Ticket
from sync.messages import facts as f
from sync.messages.commands import TakePrinted, TakeReserved
from sync.messages.feed import Service
from sync.messages.refusals import Refusal
from sync.messages.topics import HeldNumbers, KioskTellReserved

BLOCK = 60
"""Tickets that a kiosk may give by itself: about two hours of a busy one."""
LONGEST = timedelta(hours=24)
"""No ticket is told of after its day: a longer time is a kiosk's clock that is wrong."""


def reserved_letters(day: OfficeDay) -> frozenset[str]:
    """Letters that are kiosks' today."""
    return frozenset(block.series for block in day.reserves.values())


def letter_of(
    day: OfficeDay, device: str, kiosks: Collection[str], held: Mapping[str, str], catalogue: Catalogue
) -> str | None:
    """The letter of a kiosk's reserve; None when the alphabet is used up.

    The one that it has today; else its own among those that no service uses, counted from the alphabet's end: so that every
    life of the node, also one that knows nothing of the one before it, gives two kiosks two letters.

    Args:
        kiosks: all that the office has.
        held: letters that kiosks say they hold numbers of today.
    """
    if (known := day.reserves.get(device)) is not None:
        return known.series
    used = {catalogue.office.spare_series, *(service.series for service in catalogue.services.values())}
    free = [letter for letter in reversed(ascii_uppercase) if letter not in used]
    others = {block.series for name, block in day.reserves.items() if name != device}
    others |= {letter for name, letter in held.items() if name != device}
    first = sorted(kiosks).index(device) if device in kiosks else 0
    wanted = [*([held[device]] if device in held else []), *free[first:], *free[:first]]
    return next((letter for letter in wanted if letter in free and letter not in others), None)


def grants(
    day: OfficeDay, kiosks: Collection[str], told: Mapping[str, HeldNumbers], catalogue: Catalogue
) -> list[f.ReserveGranted]:
    """The blocks that kiosks should have now and have not.

    Args:
        kiosks: all that the office has.
        told: what each that keeps a reserve has said.
    """
    today = {device: held for device, held in told.items() if held.service_date == day.service_date}
    letters = {device: held.series for device, held in today.items() if held.series is not None}
    granted: list[f.ReserveGranted] = []
    for device in sorted(set(told) & set(kiosks)):
        taken = letters | {block.device: block.series for block in granted}
        series = letter_of(day, device, kiosks, taken, catalogue)
        if series is None:
            continue
        floor = today[device].last if letters.get(device) == series else 0
        if (block := grant(day, device, series, floor)) is not None:
            granted.append(block)
    return granted


def skipped(day: OfficeDay, told: Mapping[str, HeldNumbers], believed: Callable[[str], int]) -> list[f.LabelsSkipped]:
    """Numbers that kiosks have seen on paper and this journal has not: labels must go on behind them.

    Letters of reserves are left out: their numbers are the kiosk's alone, used or not.

    Args:
        believed: the highest number of a series that a kiosk can have seen (``sync.domain.retold``).
    """
    if not day.is_open or day.service_date is None:
        return []
    known, facts = dict(day.last_numbers), []
    for device, seen in _beyond_the_journal(day, told).items():
        higher = {
            series: number for series, number in seen.items() if known.get(series, 0) < number <= believed(series)
        }
        if higher:
            known |= higher
            facts.append(f.LabelsSkipped(device=device, service_date=day.service_date, floors=higher))
    return facts


def doubted(
    day: OfficeDay, told: Mapping[str, HeldNumbers], believed: Callable[[str], int]
) -> dict[str, dict[str, int]]:
    """Numbers that kiosks say to have seen and nobody can have given, by kiosk and series: a kiosk that is broken, or lies."""
    beyond = _beyond_the_journal(day, told)
    said = {device: {s: n for s, n in seen.items() if n > believed(s)} for device, seen in beyond.items()}
    return {device: numbers for device, numbers in said.items() if numbers}


def _beyond_the_journal(day: OfficeDay, told: Mapping[str, HeldNumbers]) -> dict[str, dict[str, int]]:
    """By kiosk and series, what it has seen of today and the journal has not."""
    own = reserved_letters(day) | {held.series for held in told.values()}
    return {
        device: {
            series: min(number, LAST_NUMBER)
            for series, number in sorted(held.highest.items())
            if series not in own and min(number, LAST_NUMBER) > day.last_numbers.get(series, 0)
        }
        for device, held in sorted(told.items())
        if held.service_date == day.service_date
    }


def grant(day: OfficeDay, device: str, series: str, floor: int = 0) -> f.ReserveGranted | None:
    """The block that a kiosk should have now; None when it has one with room, or the letter is used up.

    Args:
        series: the kiosk's own letter.
        floor: the highest number of it that an earlier life of the node may have granted today.
    """
    if not day.is_open or day.service_date is None:
        return None
    known, used = day.reserves.get(device), day.last_numbers.get(series, 0)
    if known is not None and known.series == series and used < known.last - BLOCK // 2:
        return None
    first = max(used, floor, known.last if known is not None and known.series == series else 0) + 1
    if first > LAST_NUMBER:
        return None
    last = min(LAST_NUMBER, first + BLOCK - 1)
    return f.ReserveGranted(device=device, service_date=day.service_date, series=series, first=first, last=last)


def next_reserved(block: f.ReserveGranted, given: int, today: date) -> int | None:
    """The number that a kiosk gives next by itself; None when its block is of another day or used up.

    Args:
        given: the highest number of the block that the kiosk has given, 0 for none.
    """
    number = max(block.first, given + 1)
    return number if block.service_date == today and number <= block.last else None


def command_of(told: KioskTellReserved) -> TakeReserved:
    """The command that a kiosk's word for a ticket of its own stands for; the printed code leads to it from now on."""
    return TakeReserved(
        request_id=told.request_id,
        ticket_id=told.ticket_id,
        service=told.service,
        service_date=told.service_date,
        series=told.series,
        number=told.number,
        elapsed_ms=told.elapsed_ms,
        follow_hash=sha256(told.follow_code).digest(),
        language=told.language,
    )


def relabelled(known: Ticket, command: TakeReserved | TakePrinted) -> f.TicketRelabelled:
    """A ticket takes the label that stands on its paper."""
    return f.TicketRelabelled(
        ticket_id=known.ticket_id,
        label=f"{command.series}{command.number}",
        series=command.series,
        number=command.number,
        voided=known.label,
        follow_hash=command.follow_hash,
    )


def take_reserved(
    day: OfficeDay, command: TakeReserved, device: str, now: datetime, service: Service | None
) -> Decision:
    """Take a ticket into the queue that a kiosk has given by itself."""
    if command.service_date != day.service_date:
        return refuse("day_closed")  # yesterday's number may be today's as well
    label = f"{command.series}{command.number}"
    known = day.tickets.get(command.ticket_id)
    if known is not None:
        if known.label == label:
            return Accepted(())
        if known.given_by not in ("", device):
            return refuse("ticket_unknown")  # a kiosk is told nothing of tickets that are not its own
        if known.series in reserved_letters(day):
            return refuse("not_reserved")  # its paper is out
        if refusal := _objection(day, command, device, label):
            return refusal
        return Accepted((relabelled(known, command),))
    if service is None:
        return refuse("service_unknown")
    if refusal := _objection(day, command, device, label):
        return refusal
    arrived_at = arrived_before(now, timedelta(milliseconds=min(command.elapsed_ms, 10**12)))
    rank = due(arrived_at, None, "general", day.policy)
    issued = f.TicketIssued(
        ticket_id=command.ticket_id,
        label=label,
        series=command.series,
        number=command.number,
        service=service.id,
        origin="walk_in",
        arrived_at=arrived_at,
        due_at=rank.due_at,
        callable_at=rank.callable_at,
        follow_hash=command.follow_hash,
    )
    return Accepted((issued,))


def arrived_before(now: datetime, elapsed: timedelta) -> datetime:
    """When somebody came, by what a kiosk says; no longer ago than a day, whatever its clock says."""
    return now - min(elapsed, LONGEST)


def _objection(day: OfficeDay, command: TakeReserved, device: str, label: str) -> Refusal | None:
    """Refuses a number of no block that this kiosk was granted today, the present one or one before it, or one given before."""
    block = day.reserves.get(device)
    granted = block is not None and block.series == command.series and command.number <= block.last
    given = any(ticket.label == label for ticket in day.tickets.values())
    return None if granted and not given else refuse("not_reserved")
