"""A small HTTP face of the emulators, on this machine only: look at tickets, pull the paper, push a scan.

GET  /tickets            JSON, newest last
GET  /tickets/3.png      the picture
GET  /state              {"paper": "ok", "tickets": 3, "bytes": 2048}
POST /state              {"paper": "out"}, or {"paper": "out", "after_lines": 4}
POST /scan               {"text": "V1.…"}
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Litestar, Response, get, post
from litestar.exceptions import ClientException, NotFoundException
from litestar.params import FromPath, JSONBody

from kiosk_agent.emulators.decoder import Paper
from kiosk_agent.emulators.printer import PrinterEmulator, TicketRecord
from kiosk_agent.emulators.scanner import ScannerEmulator


class PrinterState(msgspec.Struct, frozen=True, kw_only=True):
    paper: Paper
    tickets: int
    bytes: int


class NewState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``after_lines``: the change comes in mid-ticket, after so many further lines or pictures."""

    paper: Paper
    after_lines: Annotated[int, msgspec.Meta(ge=1)] | None = None


class ScannerState(msgspec.Struct, frozen=True, kw_only=True):
    path: str
    plugged: bool


class NewScannerState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    plugged: bool


class Scan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


def printer_control(printer: PrinterEmulator) -> Litestar:
    """The control of a printer."""
    return Litestar(_printer_handlers(printer), openapi_config=None, logging_config=None)


def scanner_control(scanner: ScannerEmulator) -> Litestar:
    """The control of a scanner."""
    return Litestar(_scanner_handlers(scanner), openapi_config=None, logging_config=None)


def _printer_handlers(printer: PrinterEmulator) -> list[Any]:
    @get("/tickets", sync_to_thread=False)
    def tickets() -> list[TicketRecord]:
        return printer.tickets

    @get("/tickets/{name:str}", sync_to_thread=False)
    def picture(name: FromPath[str]) -> Response[bytes]:
        try:
            png = printer.picture(int(name.removesuffix(".png")))
        except (ValueError, IndexError):
            raise NotFoundException from None
        return Response(png, media_type="image/png", headers={"cache-control": "no-cache"})

    @get("/state", sync_to_thread=False)
    def state() -> PrinterState:
        return _state(printer)

    @post("/state", sync_to_thread=False, status_code=200)
    def set_state(data: JSONBody[NewState]) -> PrinterState:
        printer.set_paper(data.paper, after_lines=data.after_lines)
        return _state(printer)

    return [tickets, picture, state, set_state]


def _state(printer: PrinterEmulator) -> PrinterState:
    return PrinterState(paper=printer.paper, tickets=len(printer.tickets), bytes=printer.bytes_received)


def _scanner_handlers(scanner: ScannerEmulator) -> list[Any]:
    @get("/state", sync_to_thread=False)
    def state() -> ScannerState:
        return ScannerState(path=scanner.path, plugged=scanner.plugged)

    @post("/state", sync_to_thread=False, status_code=200)
    def set_state(data: JSONBody[NewScannerState]) -> ScannerState:
        scanner.plug() if data.plugged else scanner.unplug()
        return ScannerState(path=scanner.path, plugged=scanner.plugged)

    @post("/scan", sync_to_thread=False, status_code=202)
    def scan(data: JSONBody[Scan]) -> None:
        if not scanner.plugged:
            raise ClientException("the scanner is unplugged")
        scanner.scan(data.text)

    return [state, set_state, scan]
