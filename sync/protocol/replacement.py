"""An office's node is replaced: a new epoch, today's open tickets with it, and numbers that cannot have been given.

One transaction at central, under the lock on the office's authority, so that no fact of the old node slips in between. The
old epoch's log stays; what its node still tells is late (sync.protocol.effects). Its leases are not inherited: they stay
claimed until the old node gives them back, their slots pass, or a person reclaims them.

The new node opens its day after its first snapshot and not before: until then it knows neither these numbers nor the tickets
that it holds.

Labels. The old node may have given numbers that central has not heard of; the new one begins ``FLOOR_GAP`` behind the last
known of each series, and behind what its kiosks have printed.
"""

from __future__ import annotations

from datetime import datetime
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

    async def last_floor(self, office: str) -> NumberFloor | None:
        """The floors of the latest service day that the office's stream holds."""


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
    office = activation.office
    present = await tx.lock_authority(office)
    if present is None or activation.epoch != present.epoch + 1:
        return None
    day = await tx.present_day(office, present.epoch)
    await tx.adopt(activation)
    restored = await restore_open(tx, Origin(office=office, happened_at=at), day, clock_ahead_ms)
    floor = floor_behind(day, await tx.last_floor(office), activation.epoch)
    if floor is not None:
        await tx.emit_at_end(
            office_stream(office),
            kind=NumberFloor.KIND,
            entity_id=floor.service_date.isoformat(),
            version=activation.epoch,
            op="put",
            body=codec.encode(floor),
        )
    await announce_node(tx, activation)
    return Replaced(restored=restored, floors=floor.floors if floor is not None else {})


def floor_behind(day: OfficeDay, before: NumberFloor | None, epoch: int) -> NumberFloor | None:
    """The floors of the next node: behind what is known of this day, and behind an earlier floor of the same day, whose node
    may have died before it told anything. None when no number is known.
    """
    known = dict(day.last_numbers)
    for block in day.reserves.values():  # a kiosk may have given all of it and told nobody yet
        known[block.series] = max(block.last, known.get(block.series, 0))
    service_date = day.service_date
    if before is not None and (service_date is None or before.service_date == service_date):
        service_date = before.service_date
        for series, number in before.floors.items():
            known[series] = max(number, known.get(series, 0))
    if service_date is None or not known:
        return None
    floors = {series: min(LAST_NUMBER, number + FLOOR_GAP) for series, number in sorted(known.items())}
    return NumberFloor(service_date=service_date, epoch=epoch, floors=floors)


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
