"""What kiosks ask, and how they are answered. Every answer is durable at the edge before it goes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from edge_node.lan.rules import Misses
from edge_node.metrics import Metrics
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Desk, Wish
from edge_node.queue.outcomes import Answer
from edge_node.queue.state import OfficeState
from sync.domain.outcomes import refuse
from sync.messages.commands import CITIZEN, Actor
from sync.messages.handover_slip import looks_like_slip
from sync.messages.refusals import Refusal
from sync.messages.topics import (
    KioskCheckIn,
    KioskCommand,
    KioskMessage,
    KioskReply,
    KioskReprint,
    KioskTakeTicket,
    KioskTellPrinted,
    KioskTellReserved,
    Slip,
)

REPRINT_WITHIN = timedelta(minutes=5)


class KioskDesk:
    """Answers the kiosks of an office.

    Args:
        now: the office clock.
        grant: grants the reserves that are due, before a ticket out of one is taken.
    """

    def __init__(
        self, desk: Desk, metrics: Metrics, now: Callable[[], datetime], grant: Callable[[], Awaitable[None]]
    ) -> None:
        self._desk = desk
        self._grant = grant
        self._metrics = metrics
        self._now = now
        self._misses: dict[str, Misses] = {}
        self._told: dict[tuple[str, str], tuple[datetime, str]] = {}
        """Tickets that a kiosk was told exist already: when, and in which language."""

    async def answer(self, asked: KioskMessage) -> KioskReply:
        """The reply to a command of a kiosk that is known."""
        actor = Actor(actor_id=CITIZEN, device_id=asked.device)
        match asked:
            case KioskTakeTicket():
                wish = Wish(language=asked.language)
                return await self._reply(
                    asked, await self._desk.take_ticket(asked.request_id, asked.service, actor, wish), wish
                )
            case KioskCheckIn():
                return await self._check_in(asked, actor)
            case KioskReprint():
                return await self._reprint(asked)
            case KioskTellReserved():
                return await self._told_reserved(asked, actor)
            case KioskTellPrinted():
                answer = await self._desk.take_printed(asked, actor)
                return (
                    _refused(asked, answer) if isinstance(answer, Refusal) else KioskReply(request_id=asked.request_id)
                )

    async def _told_reserved(self, asked: KioskTellReserved, actor: Actor) -> KioskReply:
        """Take in a ticket that the kiosk gave by itself.

        Before this life of the node has granted it anything (it has just taken another's place, or the day has only begun)
        nothing can be said about its numbers: the kiosk tells again.
        """
        await self._grant()

        def can_be_judged(state: OfficeState) -> bool:
            day = state.day
            return asked.device in day.reserves or not day.is_open or asked.service_date != day.service_date

        if not await self._desk.dispatcher.read(can_be_judged):
            return _refused(asked, self._desk.refused(refuse("retry")))
        answer = await self._desk.take_reserved(asked, actor)
        return _refused(asked, answer) if isinstance(answer, Refusal) else KioskReply(request_id=asked.request_id)

    async def _check_in(self, asked: KioskCheckIn, actor: Actor) -> KioskReply:
        scanned, locator = asked.scanned, asked.locator
        if (scanned is None) == (locator is None):
            return _refused(asked, self._desk.refused(refuse("malformed")))
        wish = Wish(language=asked.language, language_chosen=asked.language_chosen)
        if scanned is not None and looks_like_slip(scanned.strip()):
            answer = await self._desk.take_over(asked.request_id, scanned, actor, wish)
            return await self._reply(asked, answer, wish)
        if scanned is not None:
            answer = await self._desk.check_in(asked.request_id, Shown("scanned", scanned), actor, wish)
            return await self._reply(asked, answer, wish)
        assert locator is not None
        answer = await self._desk.check_in(asked.request_id, Shown("locator", locator), actor, wish)
        return await self._reply(asked, self._typed(asked.device, answer), wish)

    async def _reprint(self, asked: KioskReprint) -> KioskReply:
        """Only what this kiosk was told of a moment ago: a kiosk cannot print whatever ticket it names."""
        told_at, language = self._told.get((asked.device, asked.ticket_id), (None, ""))
        if told_at is None or self._now() - told_at > REPRINT_WITHIN:
            return _refused(asked, self._desk.refused(refuse("ticket_unknown")))
        slip = await self._desk.slip_again(asked.ticket_id, Wish(language=language), asked.device)
        return _refused(asked, slip) if isinstance(slip, Refusal) else _slip(asked, slip)

    async def _reply(self, asked: KioskCommand, answer: Answer, wish: Wish) -> KioskReply:
        if not isinstance(answer, Refusal):
            assert answer.reply.slip is not None
            return _slip(asked, answer.reply.slip)
        if answer.code != "already_checked_in" or answer.ticket_id is None:
            return _refused(asked, answer)
        stands = await self._desk.visit_of(answer.ticket_id)
        if stands.visit != "open":
            return KioskReply(request_id=asked.request_id, refusal=answer, visit=stands.visit)
        slip = await self._desk.slip_again(answer.ticket_id, wish, asked.device)
        if isinstance(slip, Refusal):
            return _refused(asked, answer)
        self._remember(asked.device, answer.ticket_id, slip.language)
        return KioskReply(
            request_id=asked.request_id,
            slip=slip,
            refusal=answer,
            counter=stands.counter,
            is_served=stands.is_served,
        )

    def _typed(self, device: str, answer: Answer) -> Answer:
        """Count misses of typed locators; the run ends with a booking that is known."""
        if not isinstance(answer, Refusal) or answer.code != "booking_unknown":
            self._misses.pop(device, None)
            return answer
        misses = self._misses.get(device, Misses()).one_more(self._now())
        self._misses[device] = misses
        if misses.is_alarm:
            self._metrics.locator_alarms.labels(device).inc()
        return self._desk.refused(refuse("ask_for_help")) if misses.wants_help else answer

    def _remember(self, device: str, ticket_id: str, language: str) -> None:
        now = self._now()
        self._told = {key: told for key, told in self._told.items() if now - told[0] <= REPRINT_WITHIN}
        self._told[device, ticket_id] = now, language


def _slip(asked: KioskCommand, slip: Slip) -> KioskReply:
    return KioskReply(request_id=asked.request_id, slip=slip)


def _refused(asked: KioskMessage, refusal: Refusal) -> KioskReply:
    return KioskReply(request_id=asked.request_id, refusal=refusal)
