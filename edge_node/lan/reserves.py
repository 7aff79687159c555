"""Kiosks' reserves: granted before they are needed, to every kiosk that keeps one, and sent to it with its config.

Asked anew whenever something changes that a grant hangs on: a kiosk said what it holds, a day began, numbers of a reserve were
used. What is right is decided on the state, so asking once too often grants nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import structlog

from edge_node.lan.devices import Devices
from edge_node.queue.dispatcher import NODE, Dispatcher, StateUnknown
from edge_node.queue.journal import Entry, PendingPrint
from edge_node.queue.state import OfficeState
from sync.domain.reserve import doubted, grants, reserved_letters, skipped
from sync.messages import facts as f
from sync.messages.node_facts import ConfigApplied

RETRY_S = 5.0
_OF_CONCERN = (f.DayOpened, f.DayClosed, ConfigApplied, f.ReserveGranted)

log = structlog.get_logger()


class Reserves:
    """Grants reserves until it is cancelled.

    Args:
        tell: sends every device its config.
    """

    def __init__(self, dispatcher: Dispatcher, devices: Devices, tell: Callable[[], Awaitable[None]]) -> None:
        self._dispatcher = dispatcher
        self._devices = devices
        self._tell = tell
        self._wake = asyncio.Event()
        self._doubted: dict[str, dict[str, int]] = {}
        self._untold = False
        """Kiosks have not been sent yet what was granted, or that a day was closed."""

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        letters = reserved_letters(self._dispatcher.state.day)
        for each in entries:
            if isinstance(each.fact, _OF_CONCERN):
                self._untold = True
                self._wake.set()
            elif isinstance(each.fact, (f.TicketIssued, f.TicketRelabelled)) and each.fact.series in letters:
                self._wake.set()

    def restored(self) -> None:
        self._untold = True
        self._wake.set()

    def heard(self) -> None:
        """A kiosk has said something about its numbers."""
        self._wake.set()

    async def settle(self) -> None:
        """Grant what is due now; durable when this returns.

        Raises:
            StateUnknown: the disk failed.
        """
        await self._dispatcher.act(self._grant)

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.settle()
                if self._untold:
                    self._untold = False
                    await self._tell()
            except StateUnknown as error:
                log.warning("reserves.not_now", error=str(error))
                self._untold = True
                await asyncio.sleep(RETRY_S)
                continue
            except Exception:
                log.exception("reserves.failed")
            await self._wake.wait()

    def _grant(self, state: OfficeState, now: datetime) -> list[Entry]:
        """First what must be passed over, then the blocks behind it."""
        told = self._devices.numbers()
        self._doubt(doubted(state.day, told, state.believed_up_to))
        entries = state.record(skipped(state.day, told, state.believed_up_to), NODE, now)
        blocks = grants(state.day, self._devices.kiosks, told, state.configuration.catalogue)
        for block in blocks:
            log.info("reserve.granted", device=block.device, series=block.series, first=block.first, last=block.last)
        return entries + state.record(blocks, NODE, now)

    def _doubt(self, said: dict[str, dict[str, int]]) -> None:
        """Count numbers that nobody can have given, each once."""
        for device, numbers in said.items():
            if numbers != self._doubted.get(device):
                self._dispatcher.metrics.refused.labels("not_reserved").inc()
                log.warning("kiosk.numbers_doubted", device=device, numbers=numbers)
        self._doubted = said
