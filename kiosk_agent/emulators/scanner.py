"""The emulated code reader: what it reads comes down a pty, ended as a real one ends it."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

from kiosk_agent.emulators.lines import PtyLine


class ScannerEmulator:
    """A reader on a serial line. ``unplug`` and ``plug`` do what hands do to a cable.

    Args:
        link: a path that points at the present line; without it ``path`` changes with each plug.
        ending: what follows every code.
    """

    def __init__(self, link: Path | None = None, *, ending: bytes = b"\r\n") -> None:
        self._link = link
        self._ending = ending
        self._line: PtyLine | None = PtyLine(link)
        self.path = self._line.path

    @property
    def plugged(self) -> bool:
        return self._line is not None

    def plug(self) -> None:
        """Put the cable in."""
        if self._line is None:
            self._line = PtyLine(self._link)
            self.path = self._line.path

    def unplug(self) -> None:
        """Pull the cable out."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def scan(self, text: str) -> None:
        """Read a code."""
        self.send(text.encode() + self._ending)

    def send(self, data: bytes) -> None:
        """Put bytes on the line as they are.

        Raises:
            BrokenPipeError: the cable is out.
        """
        if self._line is None:
            raise BrokenPipeError("the scanner is unplugged")
        os.write(self._line.ours, data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.unplug()
