"""A file that only takes room, so that there is some to give up when the disk is full."""

from __future__ import annotations

import os
from pathlib import Path

import structlog

log = structlog.get_logger()


class Ballast:
    """The file, as large as it should be or not there at all."""

    def __init__(self, file: Path, size_bytes: int) -> None:
        self._file = file
        self._size = size_bytes

    @property
    def missing_bytes(self) -> int:
        """What is lacking of it: it was given up, or there was no room."""
        return self._size - self.held_bytes

    @property
    def held_bytes(self) -> int:
        try:
            return self._file.stat().st_size
        except FileNotFoundError:
            return 0

    def take(self) -> None:
        """Make the file, with its blocks, unless it is there. Without room for it there is none."""
        if self._size in (0, self.held_bytes):
            return
        try:
            with self._file.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError as error:
            log.warning("ballast.not_taken", error=str(error))
            self.give_up()

    def give_up(self) -> None:
        """Delete the file: its room is the journal's now."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            log.warning("ballast.not_given_up", error=str(error))
