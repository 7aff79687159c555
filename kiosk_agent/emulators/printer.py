"""The emulated ticket printer: bytes on a TCP port or a pty, tickets in memory and as pictures in a folder.

async with PrinterEmulator(folder) as printer:
port = await printer.listen("127.0.0.1", 0)      # a network printer
path = printer.open_pty()                        # a serial one; both may be used at once
ticket = await printer.ticket(1, timeout_s=2)
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec
import structlog

from kiosk_agent.emulators.decoder import Decoder, Paper, PaperTicket
from kiosk_agent.emulators.lines import PtyLine
from kiosk_agent.emulators.paper import PrintedLine, render
from kiosk_agent.emulators.pictures import qr_texts_in
from sync.io.clock import Clock, SystemClock

log = structlog.get_logger(__name__)


class TicketRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the emulator tells of it, also as ``{n}.json``.

    Args:
        n: counts the tickets of this printer from 1.
        lines: the text, line by line, as decoded.
        sizes: how many times normal height each line is.
        qr_texts: what the QR codes hold, the printer's own and those in pictures.
        raster_size: width and height of the pictures in dots, or none.
        length_dots: length of the paper; 8 dots are a millimetre.
        bytes_count: bytes since the last cut, this one included.
        first_byte_at, last_byte_at: when the first and the last of them came.
        duration_ms: between the two, by the monotonic clock.
    """

    n: int
    lines: tuple[str, ...]
    sizes: tuple[int, ...]
    code_pages: tuple[str, ...]
    qr_texts: tuple[str, ...]
    raster_size: tuple[int, int] | None
    length_dots: int
    bytes_count: int
    first_byte_at: datetime
    last_byte_at: datetime
    duration_ms: float
    picture: str = ""


class PrinterEmulator:
    """A printer with its roll, its wires and the tickets that came out of it.

    Args:
        folder: where pictures and JSON go, and where those of an earlier run still are; none: they stay in memory.
        width_dots: of the paper.
    """

    def __init__(self, folder: Path | None = None, *, width_dots: int = 576, clock: Clock | None = None) -> None:
        self.folder = folder
        self.tickets: list[TicketRecord] = []
        self.bytes_received = 0
        self._width = width_dots
        self._clock = clock or SystemClock()
        self._decoder = Decoder()
        self._papers: list[PaperTicket] = []
        self._before = 0
        self._first_at: datetime | None = None
        self._first_s = 0.0
        self._count = 0
        self._changed = asyncio.Condition()
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._lines: list[PtyLine] = []
        self._notices: set[asyncio.Task[None]] = set()

    @property
    def paper(self) -> Paper:
        return self._decoder.paper

    def set_paper(self, paper: Paper, *, after_lines: int | None = None) -> None:
        """Change the roll: ``ok``, ``near_end``, ``out`` or the whole printer ``offline``; now, or in mid-ticket."""
        self._decoder.set_paper(paper, after_lines=after_lines)
        self._collect()

    def feed(self, data: bytes) -> bytes:
        """Take bytes as they come; gives what the printer answers."""
        if self._first_at is None and not _only_questions(data):
            self._first_at, self._first_s, self._count = self._clock.now(), time.monotonic(), 0
        self.bytes_received += len(data)
        self._count += len(data)
        self._decoder.feed(data)
        self._collect()
        answers = bytes(self._decoder.answers)
        self._decoder.answers.clear()
        return answers

    def picture(self, n: int) -> bytes:
        """A ticket as PNG.

        Raises:
            IndexError: there is no such ticket.
        """
        if not 1 <= n <= len(self.tickets):
            raise IndexError(n)
        if n <= self._before:
            assert self.folder is not None
            return (self.folder / f"{n}.png").read_bytes()
        return _png(self._papers[n - 1 - self._before], self._width)

    async def ticket(self, n: int, *, timeout_s: float) -> TicketRecord:
        """Wait for the n-th ticket, counted from 1.

        Raises:
            TimeoutError: it did not come.
        """
        async with asyncio.timeout(timeout_s), self._changed:
            await self._changed.wait_for(lambda: len(self.tickets) >= n)
        return self.tickets[n - 1]

    async def listen(self, host: str, port: int) -> int:
        """Be a network printer; gives the port (for port 0)."""
        self._server = await asyncio.start_server(self._serve, host, port)
        return int(self._server.sockets[0].getsockname()[1])

    def open_pty(self, link: Path | None = None) -> str:
        """Be a serial printer; gives the path of the line (``link``, if given, points at it)."""
        line = PtyLine(link)
        self._lines.append(line)
        asyncio.get_running_loop().add_reader(line.ours, self._read_pty, line.ours)
        return line.path

    async def __aenter__(self) -> Self:
        if self.folder is not None:
            self.tickets = await asyncio.to_thread(_kept, self.folder)
            self._before = len(self.tickets)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in self._lines:
            asyncio.get_running_loop().remove_reader(line.ours)
            line.close()
        self._lines.clear()
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while data := await reader.read(65536):
                if answers := self.feed(data):
                    writer.write(answers)
                    await writer.drain()
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _read_pty(self, ours: int) -> None:
        try:
            data = os.read(ours, 65536)
        except OSError:
            return
        if answers := self.feed(data):
            os.write(ours, answers)

    def _collect(self) -> None:
        papers, self._decoder.tickets = self._decoder.tickets, []
        for paper in papers:
            self._papers.append(paper)
            self.tickets.append(self._record(paper))
            self._write(len(self.tickets))
            log.info("printer.ticket", n=len(self.tickets))
        if papers:
            self._first_at = None
            task = asyncio.get_running_loop().create_task(self._notify())
            self._notices.add(task)
            task.add_done_callback(self._notices.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    def _record(self, paper: PaperTicket) -> TicketRecord:
        now, n = self._clock.now(), len(self.tickets) + 1
        text = [piece for piece in paper.pieces if isinstance(piece, PrintedLine)]
        return TicketRecord(
            n=n,
            lines=tuple(paper.lines),
            sizes=tuple(line.scale[1] for line in text),
            code_pages=tuple(sorted({line.code_page for line in text})),
            qr_texts=(*paper.qr_texts, *qr_texts_in(paper)),
            raster_size=paper.raster_size,
            length_dots=paper.length_dots,
            bytes_count=self._count,
            first_byte_at=self._first_at or now,
            last_byte_at=now,
            duration_ms=round((time.monotonic() - self._first_s) * 1000, 1),
            picture=f"{n}.png" if self.folder is not None else "",
        )

    def _write(self, n: int) -> None:
        if self.folder is None:
            return
        (self.folder / f"{n}.png").write_bytes(self.picture(n))
        (self.folder / f"{n}.json").write_bytes(msgspec.json.encode(self.tickets[n - 1]))


def _kept(folder: Path) -> list[TicketRecord]:
    """The tickets of earlier runs, as far as they are numbered without a gap."""
    folder.mkdir(parents=True, exist_ok=True)
    records: list[TicketRecord] = []
    while (folder / f"{len(records) + 1}.json").is_file() and (folder / f"{len(records) + 1}.png").is_file():
        records.append(msgspec.json.decode((folder / f"{len(records) + 1}.json").read_bytes(), type=TicketRecord))
    return records


def _only_questions(data: bytes) -> bool:
    """Whether nothing but DLE EOT questions came: a poll is not the beginning of a ticket."""
    return len(data) % 3 == 0 and all(data[at : at + 2] == b"\x10\x04" for at in range(0, len(data), 3))


def _png(paper: PaperTicket, width: int) -> bytes:
    out = BytesIO()
    render(list(paper.pieces), width).save(out, "PNG")
    return out.getvalue()
