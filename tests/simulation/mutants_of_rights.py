"""Planted bugs in what moves rights: tickets, leases, epochs, a restored central, and the queue's own rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import date, datetime
from typing import Any
from unittest.mock import patch

import msgspec

from sync.domain import handover as domain_handover
from sync.domain import leases as domain_leases
from sync.domain.folding import visits
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import Choice
from sync.domain.outcomes import Accepted, Decision
from sync.domain.ticket import CounterSession
from sync.domain.to_do import sent_on
from sync.messages import facts as f
from sync.messages.commands import Accept, Actor
from sync.messages.envelope import FactHeader, FactRecord, seal
from sync.messages.feed import Lease, NumberFloor, TicketGrant
from sync.messages.wire import ReportReply, ReportRequest
from sync.protocol import effects, handover, hello, lease, recovery, replacement, uplink
from sync.protocol.rights import Origin, RightsTx
from sync.protocol.store import START
from tests.kit import memory_central
from tests.kit.memory_central import MemoryCentralStore
from tests.kit.memory_edge import MemoryEdgeTx
from tests.simulation import office, queue, world
from tests.simulation.bookings import Bookings
from tests.simulation.mutants import mutant, world_of
from tests.simulation.office import OfficeNode
from tests.simulation.queue import Asked, Queue
from tests.simulation.world import World

# ------------------------------------------------------------------------------------------------------------- tickets


@mutant
def handover_not_frozen() -> Iterator[type[World]]:
    """Who gave a ticket up goes on calling it."""
    kept = {fact: fold for fact, fold in OfficeDay._folds.items() if fact is not f.TicketReleased}
    with patch.object(OfficeDay, "_folds", kept):
        yield World


async def route_everything(tx: RightsTx, origin: Origin, fact: f.TicketReleased) -> None:
    await handover._give(tx, await handover._grant(tx, origin, fact, fact.tenure + 1), fact.to_office, origin.office)


@mutant
def stale_release_routed() -> Iterator[type[World]]:
    """Central does not look whether a ticket has moved on since."""
    with patch.object(handover, "on_released", route_everything):
        yield World


async def believe_everybody(tx: RightsTx, origin: Origin, fact: f.TicketAccepted) -> None:
    await tx.set_token(handover._accepted(origin, fact))


@mutant
def second_copy_not_voided() -> Iterator[type[World]]:
    """Central notes who accepted last, and tells nobody."""
    with patch.object(handover, "on_accepted", believe_everybody):
        yield World


@mutant
def transit_forgotten() -> Iterator[type[World]]:
    """The way between two offices does not count as waiting."""

    def at_once(grant: TicketGrant, office: str, request_id: str, central_at: datetime) -> Accept:
        return msgspec.structs.replace(_command_of(grant, office, request_id, central_at), transit_ms=0)

    with patch.object(office, "command_of", at_once):
        yield World


_command_of = domain_handover.command_of


@mutant
def route_left_behind() -> Iterator[type[World]]:
    """What a person has still to do does not go along with the ticket."""
    with patch.object(domain_handover, "sent_on", lambda to_do, left, to: ()):
        yield World


@mutant
def route_not_unpacked() -> Iterator[type[World]]:
    """It goes along, and nobody looks."""

    def bare(grant: TicketGrant, office: str, request_id: str, central_at: datetime) -> Accept:
        command = _command_of(grant, office, request_id, central_at)
        return msgspec.structs.replace(command, card=msgspec.structs.replace(command.card, to_do=(), steps_done=0))

    with patch.object(office, "command_of", bare):
        yield World


@mutant
def detour_for_good() -> Iterator[type[World]]:
    """Who is sent aside does not come back to the step that was left."""

    def onwards(to_do: tuple[str, ...], left: str, to: str) -> tuple[str, ...]:
        return tuple(each for each in sent_on(to_do, left, to) if to == left or each != left)

    with patch.object(visits, "sent_on", onwards):
        yield World


class WallClocked(OfficeNode):
    """Takes its own wall clock for central's."""

    def central_now(self) -> datetime:
        return self.wall.now()


@mutant
def wall_clocks_cross_offices() -> Iterator[type[World]]:
    yield world_of(office=WallClocked)


async def effect_whenever(tx: RightsTx, origin: Origin, fact: f.Fact, *, late: bool) -> None:
    await effects.take_effect(tx, origin, fact, late=False)


@mutant
def no_epoch_check() -> Iterator[type[World]]:
    """What a replaced node tells late moves tickets as if it had authority."""
    with patch.object(memory_central, "take_effect", effect_whenever):
        yield World


class Unfenced(Queue):
    """Goes on although it knows that it was replaced."""

    def submit(self, command: Asked, actor: Actor) -> Decision:
        fence, self.store.fence = self.store.fence, {}
        try:
            decision = super().submit(command, actor)
        finally:
            self.store.fence = fence
        if fence and isinstance(decision, Accepted) and decision.facts:
            self.store.commit_act([], None)
        return decision


@mutant
def fence_ignored() -> Iterator[type[World]]:
    yield world_of(office=type("Office", (OfficeNode,), {"queue_type": Unfenced}))


# ---------------------------------------------------------------------------------------------------- labels and nodes


def no_floor(day: OfficeDay, before: NumberFloor | None, epoch: int, today: date) -> NumberFloor | None:
    return None


class WithoutFloors(OfficeNode):
    def _floors(self) -> dict[str, int]:
        return {}


@mutant
def number_floors_forgotten() -> Iterator[type[World]]:
    """Both defences: neither central nor the kiosks tell a new node which numbers are given."""
    with patch.object(replacement, "floor_behind", no_floor):
        yield world_of(office=WithoutFloors)


class Hasty(OfficeNode):
    """Opens its day before it knows anything, and asks no kiosk."""

    def refresh(self) -> None:
        self.kiosk_floors.clear()
        super().refresh()
        self.queue.has_authority = not self.rolled_back


@mutant
def opens_before_its_snapshot() -> Iterator[type[World]]:
    """Both defences: labels go on neither behind central's floors nor behind what the kiosks have printed."""
    yield world_of(office=Hasty)


async def meets_anything(*_args: object) -> bool:
    return True


@mutant
def old_copy_believed() -> Iterator[type[World]]:
    """All three: central does not compare journals, hello neither, and no witness is asked."""
    with ExitStack() as stack:
        stack.enter_context(patch.object(uplink, "_meets", meets_anything))
        stack.enter_context(patch.object(world, "is_rolled_back", lambda own, seen: False))
        stack.enter_context(patch.object(MemoryEdgeTx, "journal_hash", any_hash))
        yield World


async def any_hash(self: MemoryEdgeTx, epoch: int, seq: int) -> bytes | None:
    return self._store.acks.get(epoch, START).hash


def nobody_trusts(request: Any, trusts: Any) -> bool:
    return False


@mutant
def activation_not_adopted() -> Iterator[type[World]]:
    """A restored central does not believe the node that it has forgotten."""
    with patch.object(hello, "_is_activated", nobody_trusts):
        yield World


# -------------------------------------------------------------------------------------------------------------- leases


class TimedBookings(Bookings):
    """Sells what was lent again when the lease's time is over."""

    async def book(self, store: MemoryCentralStore, now: datetime) -> Any:
        async with store.transaction() as tx:
            for state in list(store.leases.values()):
                if state.lease.sell_until < now:
                    await lease._free(tx, state.lease.id, [seat.seat for seat in state.lease.seats])
        return await super().book(store, now)


@mutant
def leases_resold_by_time() -> Iterator[type[World]]:
    with patch("tests.simulation.central.Bookings", TimedBookings):
        yield World


def usable_by_anybody(rights: domain_leases.Rights, now: datetime) -> Iterator[Lease]:
    for each in sorted(rights.leases.values(), key=lambda each: each.id):
        if not each.recalled and now < each.sell_until:
            yield each


@mutant
def leases_inherited() -> Iterator[type[World]]:
    """A new node sells out of the leases of the old one."""
    with patch.object(domain_leases, "_usable", usable_by_anybody):
        yield World


def forget_sales(self: domain_leases.LeaseBook, fact: f.Fact) -> None:
    """The book begins anew with every start."""


@mutant
def lease_book_forgotten() -> Iterator[type[World]]:
    """What was sold is remembered nowhere."""
    with patch.object(domain_leases.LeaseBook, "apply", forget_sales):
        yield World


async def only_known_leases(tx: RightsTx, origin: Origin, fact: f.LeaseSold) -> None:
    if await tx.lease(fact.lease_id) is not None:
        await _on_sold(tx, origin, fact)


_on_sold = lease.on_sold


@mutant
def sale_of_an_unknown_lease_dropped() -> Iterator[type[World]]:
    """A restored central does not take a sale out of a lease that it has forgotten."""
    with patch.object(lease, "on_sold", only_known_leases):
        yield World


# ------------------------------------------------------------------------------------------------- a restored central


def restore_open_for_sale(self: MemoryCentralStore, gen: str) -> int:
    lost = _restore(self, gen)
    self.life["awaited"] = frozenset()
    return lost


_restore = MemoryCentralStore.restore


@mutant
def restored_without_recovery() -> Iterator[type[World]]:
    """Central sells again before the offices have told what they hold."""
    with patch.object(MemoryCentralStore, "restore", restore_open_for_sale):
        yield World


async def nothing_aside(self: MemoryEdgeTx, kinds: Iterable[str]) -> None:
    """Rows that the new snapshot lacks are lost."""


@mutant
def rows_not_put_aside() -> Iterator[type[World]]:
    with patch.object(MemoryEdgeTx, "put_aside", nothing_aside):
        yield World


async def take_unread(tx: recovery.RecoveryTx, report: ReportRequest, now: datetime) -> ReportReply:
    await tx.set_awaited(await tx.awaited() - {report.office})
    return ReportReply(request_id=report.request_id, taken=True, gen=await tx.gen())


@mutant
def report_not_read() -> Iterator[type[World]]:
    """Central opens on any report, and claims nothing."""
    with patch.object(recovery, "take_report", take_unread):
        yield World


# ----------------------------------------------------------------------------------------------------- the queue itself


def by_arrival(day: OfficeDay, session: CounterSession, now: datetime) -> Choice | None:
    mine = [t for t in day.waiting.values() if t.service in session.primary and t.counter is None]
    first = min(mine, key=lambda t: t.issued_at, default=None)
    return Choice(first, "primary") if first is not None else None


@mutant
def called_by_issue() -> Iterator[type[World]]:
    """Whoever took a ticket first goes first, whatever their place was."""
    with patch("sync.domain.calls.next_for", by_arrival):
        yield World


class Forgetful(Queue):
    """Does not remember which requests it has carried out."""

    def submit(self, command: Asked, actor: Actor) -> Decision:
        self.store.requests.pop(command.request_id, None)
        return super().submit(command, actor)


@mutant
def requests_forgotten() -> Iterator[type[World]]:
    yield world_of(office=type("Office", (OfficeNode,), {"queue_type": Forgetful}))


def named(header: FactHeader, fact: f.Fact) -> FactRecord:
    record = seal(header, fact)
    if isinstance(fact, f.TicketIssued) and fact.origin == "appointment":
        body = bytes(record.body)[:-1] + '","name":"Fátima M."}'.encode()[1:]
        return FactRecord(header=header, body=msgspec.Raw(body))
    return record


@mutant
def names_in_facts() -> Iterator[type[World]]:
    """A check-in writes who it is into its fact."""
    with patch.object(queue, "seal", named):
        yield World


class Nameless(Queue):
    """Does not write down who acted."""

    def submit(self, command: Asked, actor: Actor) -> Decision:
        return super().submit(command, msgspec.structs.replace(actor, device_id=""))


@mutant
def acts_without_device() -> Iterator[type[World]]:
    yield world_of(office=type("Office", (OfficeNode,), {"queue_type": Nameless}))


async def adopt_only(tx: Any, activation: Any, _ended_epoch: int, _at: object, _clock_ahead_ms: int = 0) -> None:
    await tx.adopt(activation)


@mutant
def adopted_empty_handed() -> Iterator[type[World]]:
    """A restored central takes the word of a node that it has forgotten, and gives it nothing of its predecessor."""
    with patch.object(hello, "take_office", adopt_only):
        yield World
