"""Keeps the parts of a running city up, and tells of each that fell: in the terminal, and in a file for the start page."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from provisioning.demo.parts import Fall, fallen, how_ended
from provisioning.launchers.files import write_whole
from provisioning.launchers.ports import PortTaken
from provisioning.launchers.postgres_binaries import PostgresError
from provisioning.launchers.process import StartFailed

AGAIN = "If that goes on, stop the demo (Ctrl-C) and start it again: make demo"


class Part(Protocol):
    """A process that should run: a child, a broker, Postgres."""

    @property
    def is_running(self) -> bool: ...
    @property
    def exit_code(self) -> int | None: ...
    @property
    def log(self) -> Path: ...
    def revive(self) -> object:
        """Start it again after it ended."""


class Keeper:
    """Looks after the parts whenever it is asked to."""

    def __init__(self, parts: Callable[[], dict[str, Part]], file: Path, tell: Callable[[str], None]) -> None:
        """Nobody has fallen yet, and whoever reads the file is told so."""
        self._parts = parts
        self._file = file
        self._tell = tell
        self._falls: dict[str, Fall] = {}
        self._write()

    def look(self, now: datetime) -> None:
        """Note who ended, and start again whose moment has come."""
        before = dict(self._falls)
        for name, part in self._parts().items():
            if not part.is_running:
                self._care_for(name, part, now)
        self._falls = {name: fall for name, fall in self._falls.items() if not fall.is_over(now)}
        if self._falls != before:
            self._write()

    def _care_for(self, name: str, part: Part, now: datetime) -> None:
        known = self._falls.get(name)
        if known is None or known.back_at is not None:
            self._fall(name, part, how_ended(part.exit_code), now)
        elif known.is_due(now):
            try:
                part.revive()
            except (StartFailed, PortTaken, PostgresError, OSError) as error:
                self._fall(name, part, f"not started: {str(error).splitlines()[0]}", now)
            else:
                self._falls[name] = known.back(now)
                self._tell(f"{name} is started again")

    def _fall(self, name: str, part: Part, reason: str, now: datetime) -> None:
        fall = self._falls[name] = fallen(self._falls.get(name), name, reason, str(part.log), now)
        self._tell(f"{name} has ended ({reason}) and is started again in {fall.pause_s} s; see {fall.log}")
        if fall.is_often:
            self._tell(AGAIN)

    def _write(self) -> None:
        write_whole(self._file, msgspec.json.encode(list(self._falls.values())))


def read_falls(file: Path, now: datetime) -> Iterable[Fall]:
    """Who has fallen and is worth telling of, as the keeper last wrote."""
    try:
        falls = msgspec.json.decode(file.read_bytes(), type=list[Fall])
    except FileNotFoundError:
        return []
    return [fall for fall in falls if not fall.is_over(now)]
