"""What every feature of central works with, made once at start and handed down."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from central.hints import Hints
from central.keys import KeyRing
from central.listening import Listener
from central.settings import Settings
from sync.io.clock import Clock


@dataclass(frozen=True, slots=True)
class Central:
    """The process's resources. Features keep their own state; this is only what they share.

    Attributes:
        pool: the asyncpg pool of all requests.
        listener: hints from the database (`NOTIFY`); never the only way to learn of a change.
        hints: tells all processes of a change, after its commit.
        stopping: set first of all when the process ends; open streams and long-polls end by it.
    """

    settings: Settings
    clock: Clock
    pool: Any
    listener: Listener
    keys: KeyRing
    hints: Hints
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
