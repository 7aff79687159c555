"""The ticket printer as the kiosk uses it: a ticket in, an outcome out. Outcomes are values, never exceptions.

A ticket counts as printed only if the printer was ready before, took all of it, and still had paper after. Everything that
blocks runs in one thread of its own, so tickets never mix on the paper.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol

import msgspec
import structlog

from kiosk_agent.printing.escpos_bytes import to_bytes
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.status import PaperState
from kiosk_agent.printing.wire import opened
from kiosk_agent.settings import Printer as PrinterSettings
from kiosk_agent.ticket import PaperOp

log = structlog.get_logger(__name__)


class Printed(msgspec.Struct, frozen=True):
    """The printer took all of it and has paper left."""

    near_end: bool = False


class NoPaper(msgspec.Struct, frozen=True):
    """The roll is empty; perhaps a part of the ticket came out."""


class Offline(msgspec.Struct, frozen=True):
    """Nobody answers, the cover is open, or there is no printer at all."""

    detail: str = ""


class Failed(msgspec.Struct, frozen=True):
    """The printer was there and something else went wrong."""

    detail: str = ""


PrintOutcome = Printed | NoPaper | Offline | Failed
PrinterState = Literal["ok", "near_end", "no_paper", "offline", "none"]


class TicketPrinter(Protocol):
    """What the kiosk needs of a printer."""

    async def print(self, ops: tuple[PaperOp, ...]) -> PrintOutcome:
        """Print one ticket and say how it went."""

    async def state(self) -> PrinterState:
        """How the printer is now."""

    def close(self) -> None:
        """End the printer's thread."""


class NullPrinter:
    """A kiosk without printer: labels are shown, and taken home by phone."""

    async def print(self, ops: tuple[PaperOp, ...]) -> PrintOutcome:  # noqa: ARG002 - the shape of every printer
        return Offline("no printer is set up")

    async def state(self) -> PrinterState:
        return "none"

    def close(self) -> None:
        pass


class EscPosPrinter:
    """A thermal printer that speaks ESC/POS, on a serial line or the network."""

    def __init__(self, settings: PrinterSettings, letters: Letters) -> None:
        self._settings = settings
        self._letters = letters
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="printer")

    async def print(self, ops: tuple[PaperOp, ...]) -> PrintOutcome:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._print, ops)

    async def state(self) -> PrinterState:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._state)

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _print(self, ops: tuple[PaperOp, ...]) -> PrintOutcome:
        try:
            data = to_bytes(ops, self._letters, profile=self._settings.profile, code_page=self._settings.code_page)
            return self._send(data)
        except OSError as error:  # pyserial's and python-escpos's own are among them
            log.warning("printer.offline", reason=str(error))
            return Offline(str(error))
        except Exception as error:
            log.exception("printer.failed")
            return Failed(type(error).__name__)

    def _send(self, data: bytes) -> PrintOutcome:
        settings = self._settings
        with opened(settings) as wire:
            before = wire.state() if settings.answers else "ok"
            if before in {"no_paper", "offline"}:
                return _outcome(before)
            wire.send(data)
            if not settings.answers:
                return Printed()
            after = wire.wait_taken(settings.print_timeout_s) if settings.confirms else wire.state()
            return _outcome(after)

    def _state(self) -> PrinterState:
        if not self._settings.answers:
            return "ok"
        try:
            with opened(self._settings) as wire:
                return wire.state()
        except OSError:
            return "offline"


def _outcome(state: PaperState) -> PrintOutcome:
    match state:
        case "no_paper":
            return NoPaper()
        case "offline":
            return Offline("the printer says so")
        case _:
            return Printed(near_end=state == "near_end")


def printer_for(settings: PrinterSettings, letters: Letters) -> TicketPrinter:
    """The printer that the settings name."""
    return NullPrinter() if settings.kind == "none" else EscPosPrinter(settings, letters)
