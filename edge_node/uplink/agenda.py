"""Central, as staff ask it about appointments: an answer, or a plain "not now", within three seconds.

Silence loses the link, as it does for the loops: so the next clerk is told at once, and seats lent to the office may be sold.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import msgspec

from edge_node.uplink.client import Failure
from edge_node.uplink.surroundings import Surroundings
from sync.messages import agenda as m

NOT_CONNECTED: Final = Failure(code="not_connected", unreachable=True)
"""Central was not asked at all: nothing can have happened there."""
FRESH_S: Final = 4.0
"""Free times and the days ahead are shown again without asking for so long: an open page looks at each news of the office."""
KEPT: Final = 64


class _Kept(msgspec.Struct, frozen=True):
    reply: Any
    at_s: float


class AgendaAtCentral:
    """What is asked of central. Every answer may be a ``Failure``.

    Attributes:
        until: the last service date that can be booked, as central said it last.
    """

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._kept: dict[tuple[object, ...], _Kept] = {}
        self.until: date | None = None

    async def times(self, asked: m.TimesRequest) -> m.TimesReply | Failure:
        """Free days and times of a service; a few seconds old at most."""
        reply: m.TimesReply | Failure = await self._ask_anew(
            "times", (asked.at_office, asked.service, asked.day), asked, m.TimesReply
        )
        return reply

    async def calendar(self, asked: m.CalendarRequest) -> m.CalendarReply | Failure:
        """What is booked ahead here; a few seconds old at most."""
        reply: m.CalendarReply | Failure = await self._ask_anew(
            "calendar", (asked.first, asked.day), asked, m.CalendarReply
        )
        if isinstance(reply, m.CalendarReply):
            self.until = reply.until
        return reply

    async def book(self, asked: m.BookRequest) -> m.AgendaAnswer | Failure:
        """Book; the same request again gets the same answer."""
        return await self._act("book", asked)

    async def move(self, asked: m.MoveRequest) -> m.AgendaAnswer | Failure:
        """Move; the same request again gets the same answer."""
        return await self._act("move", asked)

    async def cancel(self, asked: m.AppointmentRequest) -> m.AgendaAnswer | Failure:
        """Cancel; again changes nothing."""
        return await self._act("cancel", asked)

    async def show(self, asked: m.AppointmentRequest) -> m.AgendaAnswer | Failure:
        """One appointment without its person."""
        return await self._act("show", asked)

    async def reveal(self, asked: m.AppointmentRequest) -> m.AgendaAnswer | Failure:
        """One appointment with its person: only behind the fact that says who looked."""
        return await self._act("reveal", asked)

    async def search(self, asked: m.SearchRequest) -> m.SearchReply | Failure:
        """Find appointments."""
        reply: m.SearchReply | Failure = await self._ask("search", asked, m.SearchReply)
        return reply

    async def _act(self, act: str, asked: m.AgendaRequest) -> m.AgendaAnswer | Failure:
        if act in ("book", "move", "cancel"):
            self._kept.clear()
        reply: m.AgendaAnswer | Failure = await self._ask(act, asked, m.AgendaAnswer)
        return reply

    async def _ask_anew(self, act: str, about: tuple[object, ...], asked: m.AgendaRequest, shape: type[Any]) -> Any:
        """Ask, unless central has told of the same just now."""
        key, now_s = (act, *about), self._around.clock.monotonic_ns() / 1e9
        kept = self._kept.get(key)
        if kept is not None and now_s - kept.at_s < FRESH_S and self._around.link.state.connected:
            return kept.reply
        reply = await self._ask(act, asked, shape)
        if isinstance(reply, shape):
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[key] = _Kept(reply, now_s)
        return reply

    async def _ask(self, act: str, asked: m.AgendaRequest, shape: type[Any]) -> Any:
        around = self._around
        if not around.link.state.connected:
            return NOT_CONNECTED
        reply = await around.client.agenda(act, asked, shape)
        if isinstance(reply, Failure):
            around.note(reply, "agenda")
        else:
            around.heard()
        return reply
