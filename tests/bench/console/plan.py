"""What the load generator is told, and what it tells: it runs in a process of its own, so both are files.

Instants are ``time.perf_counter`` seconds, which on Linux is one monotonic clock for all processes of the machine.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

SECRET = "correct horse battery"
RECEPTION = "reception"
SERVICES = ("padron", "registro", "certificados", "informacion")


class Booking(msgspec.Struct, frozen=True):
    """An appointment and when its person comes, in real seconds from the start."""

    appointment_id: str
    comes_s: float


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """One edge node and who works there: ``clerk-1`` at counter 1 and so on."""

    office: str
    port: int
    counters: int
    bookings: tuple[Booking, ...] = ()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    Args:
        seconds: real ones, measured after ``warm_up_s`` of the same work.
        rate: seconds of the office's clock per real one.
        queue: how many wait for each counter when the run begins.
    """

    offices: tuple[Office, ...]
    seconds: float
    warm_up_s: float
    rate: float
    queue: float = 2.0
    seed: int = 7


Kind = Literal["form", "command", "arrival"]


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """One request that changes the queue. ``counter`` is empty for those who come in."""

    request_id: str
    kind: Kind
    verb: str
    office: str
    counter: str
    sent_at: float
    answered_at: float
    status: int


class Seen(msgspec.Struct, frozen=True):
    """A console's screens, or its news: journal sequence and instant, in the order in which they came."""

    seqs: list[int] = []
    at: list[float] = []

    def add(self, seq: int, at: float) -> None:
        self.seqs.append(seq)
        self.at.append(at)


class Console(msgspec.Struct, frozen=True, kw_only=True):
    office: str
    counter: str
    screens: Seen
    news: Seen


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """All of a run. ``lag_ms``: how late the generator's own loop was, at the worst and at the 99th per cent."""

    acts: list[Act]
    consoles: list[Console]
    began_at: float
    ended_at: float
    looks: int
    page_bytes: int
    lag_ms: tuple[float, float]
    troubles: dict[str, int]


def write(file: Path, value: object) -> None:
    file.write_bytes(msgspec.json.encode(value))


def read_plan(file: Path) -> Plan:
    return msgspec.json.decode(file.read_bytes(), type=Plan)


def read_recorded(file: Path) -> Recorded:
    return msgspec.json.decode(file.read_bytes(), type=Recorded)


Json = dict[str, Any]
