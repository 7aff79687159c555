"""Telling the edge one thing until a reply names it: the same message again and again, each time with its age of that moment."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sync.io.waiting import set_within
from sync.messages.refusals import RefusalCode
from sync.messages.topics import KioskReply

NOT_NOW: frozenset[RefusalCode] = frozenset({"retry", "no_authority", "date_unconfirmed", "disk_full", "forbidden"})
"""Refusals that another hour, or whoever holds the office then, may not repeat."""
FIRST_PAUSE_S = 1.0
MAX_PAUSE_S = 30.0


class Teller:
    """One thing at a time."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._telling: str | None = None
        self._reply: KioskReply | None = None

    def now(self) -> None:
        """The edge may hear again: tell at once."""
        self._wake.set()

    def replied(self, reply: KioskReply) -> bool:
        """Take a reply; whether it is to what is being told."""
        if reply.request_id != self._telling:
            return False
        if reply.refusal is None or reply.refusal.code not in NOT_NOW:
            self._reply = reply
            self._wake.set()
        return True

    async def tell(self, request_id: str, ask: Callable[[], Awaitable[None]]) -> KioskReply:
        """Ask until there is a reply that will stay."""
        self._telling, pause_s = request_id, FIRST_PAUSE_S
        try:
            while (reply := await self._within(pause_s, ask)) is None:
                pause_s = FIRST_PAUSE_S if self._wake.is_set() else min(pause_s * 2, MAX_PAUSE_S)
            return reply
        finally:
            self._telling = self._reply = None

    async def _within(self, pause_s: float, ask: Callable[[], Awaitable[None]]) -> KioskReply | None:
        self._wake.clear()  # before it is sent: an answer may be quicker than what comes after
        await ask()
        await set_within(self._wake, pause_s)
        return self._reply
