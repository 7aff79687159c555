"""Bytes in, tickets out: the head of the emulated printer.

A ticket is what stands between two cuts. A printer that is out of paper or offline does not work on its buffer; it answers
DLE EOT all the same, as the real ones do, and goes on when it is ready again.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal

import msgspec

from kiosk_agent.emulators.escpos_codes import Chars, Command, CommandReader, Token, Unknown
from kiosk_agent.emulators.paper import (
    CODE_PAGES,
    Pen,
    Piece,
    PrintedLine,
    PrintedPicture,
    PrintedQr,
    Space,
    height_of,
)

Paper = Literal["ok", "near_end", "out", "offline"]

_ALIGN: Final = {0: "left", 1: "center", 2: "right", 48: "left", 49: "center", 50: "right"}
_FIXED: Final = 0x12


class PaperTicket(msgspec.Struct, frozen=True, kw_only=True):
    """One ticket as it fell out of the printer."""

    pieces: tuple[Piece, ...]

    @property
    def lines(self) -> list[str]:
        return [piece.text for piece in self.pieces if isinstance(piece, PrintedLine)]

    @property
    def qr_texts(self) -> list[str]:
        return [piece.text for piece in self.pieces if isinstance(piece, PrintedQr)]

    @property
    def raster_size(self) -> tuple[int, int] | None:
        """Width and height in dots of the pictures, one below the other."""
        pictures = [piece for piece in self.pieces if isinstance(piece, PrintedPicture)]
        if not pictures:
            return None
        return max(picture.width for picture in pictures), sum(picture.height for picture in pictures)

    @property
    def length_dots(self) -> int:
        return sum(height_of(piece) for piece in self.pieces)


_QR_LEVELS = dict(enumerate("LMQH", 48))


class Decoder:
    """A printer's command interpreter.

    Args:
        paper: state of the roll at the start.
    """

    def __init__(self, paper: Paper = "ok") -> None:
        self._reader = CommandReader()
        self._buffer: deque[Token] = deque()
        self._pen = Pen()
        self._text = bytearray()
        self._pieces: list[Piece] = []
        self._paper: Paper = paper
        self._out_after: int | None = None
        self.unknown = 0
        """Commands that this printer does not know."""
        self.answers = bytearray()
        """Bytes to send back; the owner takes them."""
        self.tickets: list[PaperTicket] = []
        """Tickets since the owner last took them."""

    @property
    def paper(self) -> Paper:
        return self._paper

    @property
    def idle(self) -> bool:
        """Nothing is half printed."""
        return not self._pieces and not self._text and not self._buffer

    def set_paper(self, paper: Paper, *, after_lines: int | None = None) -> None:
        """Change the roll's state, now or when so many further lines and pictures are on the paper."""
        if after_lines is None:
            self._paper = paper
            self._work()
        else:
            self._out_after = after_lines

    def feed(self, data: bytes) -> None:
        """Take bytes from the wire."""
        for token in self._reader.feed(data):
            if isinstance(token, Command) and token.name == b"\x10\x04":
                self.answers.append(self._status(token.data[0]))
            elif not (isinstance(token, Command) and token.name[:1] == b"\x10"):
                self._buffer.append(token)
        self._work()

    def _work(self) -> None:
        while self._buffer and self._paper in {"ok", "near_end"}:
            token = self._buffer.popleft()
            match token:
                case Chars(data=data):
                    self._text += data
                case Unknown():
                    self.unknown += 1
                case Command():
                    self._do(token)

    def _status(self, question: int) -> int:
        match question:
            case 1:
                return _FIXED | (0x08 if self._paper in {"out", "offline"} else 0)
            case 2:
                return _FIXED | (0x20 if self._paper == "out" else 0x04 if self._paper == "offline" else 0)
            case 4:
                return _FIXED | {"ok": 0, "near_end": 0x0C, "out": 0x6C, "offline": 0}[self._paper]
            case _:
                return _FIXED

    def _do(self, command: Command) -> None:
        name, data = command.name, command.data
        match name:
            case b"\n":
                self._end_line()
            case b"\x1b@":
                self._pen.reset()
            case b"\x1bd":
                self._end_line(only_text=True)
                self._put(Space(data[0] * self._pen.spacing))
            case b"\x1bJ":
                self._end_line(only_text=True)
                self._put(Space(data[0]))
            case b"\x1dv0":
                self._picture(data)
            case b"\x1d(k":
                self._qr(data)
            case b"\x1dV":
                self._cut()
            case b"\x1dr":
                self.answers.append(0x00 if self._paper == "ok" else 0x03)
            case _:
                self._style(name, data)

    def _style(self, name: bytes, data: bytes) -> None:
        pen = self._pen
        match name:
            case b"\x1ba":
                pen.align = _ALIGN.get(data[0], pen.align)
            case b"\x1bE" | b"\x1bG":
                pen.bold = bool(data[0] & 1)
            case b"\x1d!":
                pen.scale = ((data[0] >> 4 & 7) + 1, (data[0] & 7) + 1)
            case b"\x1b!":
                pen.bold = bool(data[0] & 0x08)
                pen.scale = (2 if data[0] & 0x20 else 1, 2 if data[0] & 0x10 else 1)
            case b"\x1bt":
                pen.code_page = CODE_PAGES.get(data[0], "cp437")
            case b"\x1b3":
                pen.spacing = data[0]
            case b"\x1b2":
                pen.spacing = 30
            case _:
                pass  # feeds the cursor or a feature that leaves no mark on a ticket

    def _picture(self, data: bytes) -> None:
        self._end_line(only_text=True)
        width = int.from_bytes(data[1:3], "little") * 8
        height = int.from_bytes(data[3:5], "little")
        self._put(PrintedPicture(width, height, data[5:]))

    def _qr(self, data: bytes) -> None:
        """GS ( k cn fn …: 67 module size, 69 level, 80 store, 81 print."""
        pen = self._pen
        if len(data) < 3:  # cut short: as a printer does, passed over
            return
        match data[1]:
            case 67:
                pen.qr_dots = data[2]
            case 69:
                pen.qr_level = _QR_LEVELS.get(data[2], pen.qr_level)
            case 80:
                pen.qr_text = data[3:].decode("utf-8", "replace")
            case 81:
                self._end_line(only_text=True)
                self._put(PrintedQr(pen.qr_text, pen.qr_dots, pen.qr_level, pen.align))
            case _:
                pass

    def _end_line(self, *, only_text: bool = False) -> None:
        if self._text or not only_text:
            line = self._pen.line(bytes(self._text))
            self._text.clear()
            self._put(line)

    def _put(self, piece: Piece) -> None:
        self._pieces.append(piece)
        if self._out_after is not None and not isinstance(piece, Space):
            self._out_after -= 1
            if self._out_after <= 0:
                self._out_after, self._paper = None, "out"

    def _cut(self) -> None:
        self._end_line(only_text=True)
        if any(not isinstance(piece, Space) for piece in self._pieces):
            self.tickets.append(PaperTicket(pieces=tuple(self._pieces)))
        self._pieces = []
