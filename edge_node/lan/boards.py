"""The screens' boards: made from the state, retained at the broker, sent at once when a call changes and again as a beat.

A board's version is (epoch, seq, beat). Changes that nobody looks at a screen for (somebody took a ticket) wait a moment, so
that a rush at the kiosks does not become a rush of boards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from edge_node.queue.dispatcher import Dispatcher
from edge_node.queue.journal import Entry, PendingPrint
from edge_node.queue.state import OfficeState
from sync.domain.board import board
from sync.messages import codec
from sync.messages import facts as f
from sync.messages.desk_facts import CounterTakenOver, TicketSkipped, TicketUndone
from sync.messages.node_facts import ClockStepped
from sync.messages.topics import BOARD_BEAT_S, Board, Epoch, board_topic, epoch_topic

CALM_S = 0.5
_URGENT: tuple[type[f.Fact], ...] = (
    f.TicketCalled,
    f.TicketRecalled,
    f.TicketStarted,
    f.TicketNoShow,
    f.TicketTransferred,
    f.TicketParked,
    TicketSkipped,
    TicketUndone,
    CounterTakenOver,
    f.CounterClosed,
    f.DayOpened,
    f.DayClosed,
    ClockStepped,
)

Publish = Callable[[str, bytes], Awaitable[bool]]
log = structlog.get_logger()


class Boards:
    """Publishes the boards of all zones until it is cancelled.

    Args:
        publish: sends a retained message.
    """

    def __init__(self, dispatcher: Dispatcher, publish: Publish) -> None:
        self._dispatcher = dispatcher
        self._publish = publish
        self._wake = asyncio.Event()
        self._last_seq = -1
        self._beat = 0

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        if any(isinstance(each.fact, _URGENT) for each in entries):
            self.send_now()

    def restored(self) -> None:
        self.send_now()

    def send_now(self) -> None:
        self._wake.set()

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._send()
            except Exception:
                log.exception("boards.failed")
            await self._rest()

    async def _rest(self) -> None:
        """Until there is something urgent; else until the state has moved and a moment passed; else until the beat."""
        for _ in range(round(BOARD_BEAT_S / CALM_S)):
            try:
                async with asyncio.timeout(CALM_S):  # not wait_for: a call would wait for its task to end, too
                    await self._wake.wait()
            except TimeoutError:
                if self._dispatcher.state.tail.seq != self._last_seq:
                    return
            else:
                return

    async def _send(self) -> None:
        if not self._dispatcher.state.has_authority:
            return  # what is retained is somebody's who went further, and a witness
        boards = await self._dispatcher.read(self._boards)
        sending = [self._publish(board_topic(b.office, b.zone), codec.encode(b)) for b in boards]
        if len(sending) == 1:  # most offices: at once, without a task that waits behind the clerk's reply
            await sending[0]
        else:
            await asyncio.gather(*sending)

    def _boards(self, state: OfficeState) -> list[Board]:
        self._beat = self._beat + 1 if state.tail.seq == self._last_seq else 0
        self._last_seq = state.tail.seq
        catalogue, now = state.configuration.catalogue, state.now()
        return [
            board(state.day, zone, catalogue, now, self._beat, waits=state.waits) for zone in catalogue.office.zones
        ]

    async def announce_epoch(self) -> None:
        """Say which life of the node holds the office's LAN."""
        if not self._dispatcher.state.has_authority:
            return
        tail = await self._dispatcher.read(lambda state: state.tail)
        office = self._dispatcher.state.office
        message = Epoch(office=office, epoch=tail.epoch, seq=tail.seq)
        await self._publish(epoch_topic(office), codec.encode(message))
