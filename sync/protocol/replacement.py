"""An office's node is replaced: a new epoch, today's open tickets with it, and numbers that cannot have been given.

One transaction at central, under the lock on the office's authority, so that no fact of the old node slips in between. The
old epoch's log stays; what its node still tells is late (sync.protocol.effects). Its leases are not inherited: they stay
claimed until the old node gives them back, their slots pass, or a person reclaims them.

The new node opens its day after its first snapshot and not before: until then it knows neither these numbers nor the tickets
that it holds.

Labels. The old node may have given numbers that central has not heard of; the new one begins ``FLOOR_GAP`` behind the last
known of each series, and behind what its kiosks have printed. Of what they have printed they tell the new one those tickets that
central has not heard of (sync.domain.retold). A dead node whose clock ran ahead gave today's numbers under a later date:
its floors are of today by central's clock, and if that was a day off at most, of its own date as well, since around the turn of
the day nobody knows which one the new node opens. The people of such a day stand there today: its open tickets go over as
today's.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Protocol

import msgspec

from sync.domain.numbering import LAST_NUMBER
from sync.domain.office_day import OfficeDay
from sync.messages import codec
from sync.messages.feed import GLOBAL, NodeKey, NumberFloor, office_stream
from sync.messages.wire import Activation
from sync.protocol.handover import restore_open
from sync.protocol.rights import Origin, RightsTx
from sync.protocol.store import Authority

FLOOR_GAP = 20


class ReplacementTx(RightsTx, Protocol):
    """Central's transaction, as far as a replacement needs it."""

    async def lock_authority(self, office: str) -> Authority | None:
        """As in ``CentralTx``."""

    async def adopt(self, activation: Activation) -> None:
        """As in ``CentralTx``."""

    async def present_day(self, office: str, epoch: int) -> OfficeDay:
        """The office's day as the raw log of an epoch tells it, folded from the last ``day.opened`` on."""

    async def last_floor(self, office: str, until: date) -> NumberFloor | None:
        """The floors of the latest service day up to ``until`` that the office's stream holds."""


class Replaced(msgspec.Struct, frozen=True, kw_only=True):
    """How many open tickets went to the new node, and the floors of its labels by series."""

    restored: int
    floors: dict[str, int]


async def replace_node(
    tx: ReplacementTx, activation: Activation, at: datetime, clock_ahead_ms: int = 0
) -> Replaced | None:
    """Give an office to its next node; None unless the activation is of the epoch after the present one.

    Args:
        at: now, by central's clock.
        clock_ahead_ms: the old node's clock minus central's, as last known.
    """
    present = await tx.lock_authority(activation.office)
    if present is None or activation.epoch != present.epoch + 1:
        return None
    return await take_office(tx, activation, present.epoch, at, clock_ahead_ms)


async def take_office(
    tx: ReplacementTx, activation: Activation, ended_epoch: int, at: datetime, clock_ahead_ms: int = 0
) -> Replaced:
    """Make an activated node an office's authority, with all that its predecessor held; the authority is locked.

    Also when central is told of the epoch by the node itself, since it was restored to before the replacement: the node may
    not have had its first snapshot by then. What it has already is granted once more under the same tenure or a smaller one,
    and changes nothing.

    Args:
        ended_epoch: the last one that central knew of; 0 for none.
        at, clock_ahead_ms: as of ``replace_node``.
    """
    office = activation.office
    day = await tx.present_day(office, ended_epoch)
    await tx.adopt(activation)
    today = await tx.service_date(office, at)
    restored = await restore_open(tx, Origin(office=office, happened_at=at), day, clock_ahead_ms, today)
    before = await tx.last_floor(office, min(today, day.service_date or today))
    floor = floor_behind(day, before, activation.epoch, today)
    if floor is not None:
        for service_date in floor_dates(floor, day):
            await tx.emit_at_end(
                office_stream(office),
                kind=NumberFloor.KIND,
                entity_id=service_date.isoformat(),
                version=activation.epoch,
                op="put",
                body=codec.encode(msgspec.structs.replace(floor, service_date=service_date)),
            )
    await announce_node(tx, activation)
    return Replaced(restored=restored, floors=floor.floors if floor is not None else {})


def floor_behind(day: OfficeDay, before: NumberFloor | None, epoch: int, today: date) -> NumberFloor | None:
    """The floors of the next node: behind what is known of this day, and behind an earlier floor of the same day, whose node
    may have died before it told anything. None when no number is known. A day that is dated ahead of ``today`` is today's.
    """
    known, heard = dict(day.last_numbers), heard_numbers(day)
    for block in day.reserves.values():  # a kiosk may have given all of it and told nobody yet
        known[block.series] = max(block.last, known.get(block.series, 0))
    service_date = min(day.service_date, today) if day.service_date is not None else None
    if before is not None and (service_date is None or before.service_date == service_date):
        service_date = before.service_date
        for series, number in before.floors.items():
            known[series] = max(number, known.get(series, 0))
        for series, numbers in _heard_before(before).items():
            heard[series] = heard.get(series, set()) | numbers
    if service_date is None or not known:
        return None
    floors = {series: min(LAST_NUMBER, number + FLOOR_GAP) for series, number in sorted(known.items())}
    highest = {series: max(numbers) for series, numbers in sorted(heard.items())}
    runs = {series: runs_of(numbers) for series, numbers in sorted(heard.items())}
    return NumberFloor(service_date=service_date, epoch=epoch, floors=floors, heard=highest, runs=runs)


def heard_numbers(day: OfficeDay) -> dict[str, set[int]]:
    """The numbers of all tickets of a day, by series. Within a life they are dense; between two lives there is a gap, where
    tickets may be that died with the first one's disk and that nobody has told the second one of.
    """
    numbers: dict[str, set[int]] = {}
    for ticket in day.tickets.values():
        numbers.setdefault(ticket.series, set()).add(ticket.number)
    return numbers


def runs_of(numbers: set[int]) -> tuple[tuple[int, int], ...]:
    """Numbers as runs (first, last), ascending."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return tuple(runs)


def _heard_before(floor: NumberFloor) -> dict[str, set[int]]:
    """What an earlier floor names as heard; one of an older build says only how far."""
    runs = floor.runs or {series: ((1, number),) for series, number in floor.heard.items()}
    return {
        series: {number for first, last in each for number in range(first, min(last, LAST_NUMBER) + 1)}
        for series, each in runs.items()
    }


def floor_dates(floor: NumberFloor, day: OfficeDay) -> tuple[date, ...]:
    """The dates that floors are given for: their own, and that of the day they were read from if it is the next one."""
    if day.service_date == floor.service_date + timedelta(days=1):
        return floor.service_date, day.service_date
    return (floor.service_date,)


async def announce_node(tx: RightsTx, activation: Activation) -> None:
    """Tell every office who speaks for this one, and with which key."""
    key = NodeKey(office=activation.office, epoch=activation.epoch, public_key=activation.public_key)
    await tx.emit_at_end(
        GLOBAL,
        kind=NodeKey.KIND,
        entity_id=activation.office,
        version=activation.epoch,
        op="put",
        body=codec.encode(key),
    )
