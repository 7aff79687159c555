"""The code reader on its serial line: bytes in a thread, whole lines in a queue.

A reader ends every code with CR or LF. What is too long, not printable ASCII or never ended is dropped and counted, so that
noise on the line never reaches the edge. The line is opened again for ever: pulling the cable only makes the state
``missing``.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Final, Literal

import serial
import structlog

from kiosk_agent.settings import Scanner as ScannerSettings

MAX_LINE: Final = 1024
QUEUE_MAX: Final = 8
REOPEN_S: Final = 0.5
READ_S: Final = 0.2
UNENDED_S: Final = 2.0
"""A started line that does not end in so long was noise; it must not spoil the next code."""

ScannerState = Literal["ok", "missing", "none"]

log = structlog.get_logger(__name__)


class LineCutter:
    """Cuts bytes into lines. Pure.

    Attributes:
        dropped: lines that were no codes.
    """

    def __init__(self) -> None:
        self._part = bytearray()
        self._overlong = False
        self.dropped = 0

    def feed(self, data: bytes) -> list[str]:
        """The whole lines that ``data`` ends."""
        lines: list[str] = []
        for byte in data:
            if byte in b"\r\n":
                lines += self._ended()
            elif len(self._part) < MAX_LINE:
                self._part.append(byte)
            else:
                self._overlong = True
        return lines

    def abandon(self) -> None:
        """Forget a line that was begun and not ended."""
        if self._part:
            self.dropped += 1
        self._part.clear()
        self._overlong = False

    def _ended(self) -> list[str]:
        part, overlong = bytes(self._part), self._overlong
        self._part.clear()
        self._overlong = False
        if not part:
            return []
        if overlong or not all(0x20 <= byte < 0x7F for byte in part):
            self.dropped += 1
            return []
        text = part.decode("ascii").strip()
        return [text] if text else []


class Scanner:
    """A reader that fills a queue.

    Args:
        settings: the line; an empty path means that there is no reader.
    """

    def __init__(self, settings: ScannerSettings) -> None:
        self._settings = settings
        self._cutter = LineCutter()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.lines: asyncio.Queue[str] = asyncio.Queue(QUEUE_MAX)
        self.state: ScannerState = "missing" if settings.path else "none"
        self.overflowed = 0
        """Codes that came faster than anybody could want."""

    @property
    def dropped(self) -> int:
        return self._cutter.dropped + self.overflowed

    def start(self) -> None:
        """Begin to read; lines come into the queue of the running loop."""
        if self._settings.path and self._thread is None:
            loop = asyncio.get_running_loop()
            self._thread = threading.Thread(target=self._read_for_ever, args=(loop,), name="scanner", daemon=True)
            self._thread.start()

    async def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)

    def _read_for_ever(self, loop: asyncio.AbstractEventLoop) -> None:
        while not self._stop.is_set():
            try:
                with serial.Serial(self._settings.path, self._settings.baud, timeout=READ_S) as line:
                    self.state = "ok"
                    log.info("scanner.open")
                    self._read(line, loop)
            except (OSError, serial.SerialException):  # unplugged, not there yet, or not ours
                if self.state == "ok":
                    log.warning("scanner.lost")
                self.state = "missing"
            self._cutter.abandon()
            self._stop.wait(REOPEN_S)

    def _read(self, line: serial.Serial, loop: asyncio.AbstractEventLoop) -> None:
        quiet_s = 0.0
        while not self._stop.is_set():
            data = line.read(1) + line.read(line.in_waiting)
            quiet_s = 0.0 if data else quiet_s + READ_S
            if quiet_s >= UNENDED_S:
                self._cutter.abandon()
                quiet_s = 0.0
            before = self._cutter.dropped
            for text in self._cutter.feed(data):
                loop.call_soon_threadsafe(self._put, text)
            if self._cutter.dropped > before:
                log.info("scanner.garbage", dropped=self._cutter.dropped)

    def _put(self, text: str) -> None:
        try:
            self.lines.put_nowait(text)
        except asyncio.QueueFull:
            self.overflowed += 1
