"""Planted bugs of kiosks that give tickets by themselves, and of those who take their word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from unittest.mock import patch

import msgspec

from sync.domain import decide, reserve
from sync.domain.deciding import Context
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision
from sync.messages.commands import TakePrinted, TakeReserved
from sync.messages.feed import NumberFloor, Service, TicketGrant
from sync.messages.topics import Slip
from sync.protocol import snapshot
from tests.simulation.kiosk import SimKiosk
from tests.simulation.mutants import mutant
from tests.simulation.world import World

_take_reserved = reserve.take_reserved


def world_with(kiosk_type: type[SimKiosk]) -> type[World]:
    return type("MutantWorld", (World,), {"kiosk_type": kiosk_type})


def take_again(day: OfficeDay, command: TakeReserved, device: str, now: datetime, service: Service | None) -> Decision:
    """As if the request had never been heard, although it was taken."""
    unheard = OfficeDay(day.office)
    unheard.service_date, unheard.is_open, unheard.policy = day.service_date, day.is_open, day.policy
    unheard.reserves = day.reserves
    return _take_reserved(unheard, command, device, now, service)


@mutant
def told_request_taken_twice() -> Iterator[type[World]]:
    """A ticket that a kiosk tells of is issued, whether or not its request was."""
    with patch.object(decide, "take_reserved", take_again):
        yield World


def keep_the_unseen_label(
    day: OfficeDay, command: TakeReserved, device: str, now: datetime, service: Service | None
) -> Decision:
    if command.ticket_id in day.tickets:
        return Accepted(())
    return _take_reserved(day, command, device, now, service)


@mutant
def unseen_label_kept() -> Iterator[type[World]]:
    """A request that was taken unheard keeps the label that nobody saw; the person's paper says another one."""
    with patch.object(decide, "take_reserved", keep_the_unseen_label):
        yield World


class Forgetful(SimKiosk):
    """Keeps no number that it gave by itself."""

    def _print(self, slip: Slip) -> None:
        super()._print(slip)
        if slip.reserve:
            del self._seen[slip.label[0]]


@mutant
def given_numbers_forgotten() -> Iterator[type[World]]:
    yield world_with(Forgetful)


class Silent(SimKiosk):
    """Tells a new node nothing of the paper that came out here."""

    def _begin_retelling(self) -> None:
        return


@mutant
def paper_not_retold() -> Iterator[type[World]]:
    yield world_with(Silent)


def as_far_as_heard(self: NumberFloor, series: str, number: int) -> bool:
    return number <= self.heard.get(series, 0)


@mutant
def heard_of_means_all_below() -> Iterator[type[World]]:
    """A ticket below the highest number that central has heard of is taken for known: as it was, until two nodes died in a row."""
    with patch.object(NumberFloor, "has_heard", as_far_as_heard):
        yield World


@mutant
def grants_not_put_aside() -> Iterator[type[World]]:
    """A node loses what it was granted and could not take yet when central is restored to before its predecessor's death."""
    kinds = tuple(kind for kind in snapshot.PUT_ASIDE if kind != TicketGrant.KIND)
    with patch.object(snapshot, "PUT_ASIDE", kinds):
        yield World


def nothing_is_believed(x: Context, command: TakePrinted) -> Decision:
    return _take_printed(x, msgspec.structs.replace(command, up_to=0))


_take_printed: Callable[[Context, TakePrinted], Decision] = decide._RULES[TakePrinted]


@mutant
def kiosks_never_believed() -> Iterator[type[World]]:
    """A new node refuses what its predecessor gave and told nobody."""
    with patch.dict(decide._RULES, {TakePrinted: nothing_is_believed}):
        yield World


class OneLetter(SimKiosk):
    """Counts its own tickets in a letter that every kiosk has."""

    def _offer(self) -> Any:
        offer = super()._offer()
        return msgspec.structs.replace(offer, series="X", number=1 + len(self._untold)) if offer is not None else None


@mutant
def letter_of_another_kiosk() -> Iterator[type[World]]:
    """All kiosks of an office count in one letter."""
    yield world_with(OneLetter)
