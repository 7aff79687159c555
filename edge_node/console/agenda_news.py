"""News of today's appointments for browsers: names as initials, since nobody there need be at a visit."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import msgspec

from edge_node.console.live import BEAT, BYE, HELLO, Live, News, news
from edge_node.console.masking import masked
from edge_node.console.queue_view import view_agenda, view_appointment
from edge_node.queue.dispatcher import Dispatcher
from edge_node.queue.state import OfficeState
from sync.messages.feed import Appointment


def agenda_line(state: OfficeState, row: Appointment) -> dict[str, Any]:
    """The news of one appointment."""
    line: dict[str, Any] = msgspec.to_builtins(masked(view_appointment(state, row)))
    return line


async def agenda_stream(live: Live, dispatcher: Dispatcher) -> AsyncGenerator[bytes, None]:
    """Server-sent events: ``agenda_all`` with today's appointments, then ``agenda`` with each new or changed one."""
    following = live.follow()
    await anext(following)  # from here on nothing is missed
    yield HELLO + (await dispatcher.read(_all)).sse
    async for fresh in following:
        if any(each.event == "reset" for each in fresh):
            yield (await dispatcher.read(_all)).sse
        else:
            yield b"".join(each.sse for each in fresh if each.event == "agenda") or BEAT.sse
    yield BYE.sse


def _all(state: OfficeState) -> News:
    return news("agenda_all", {"appointments": [masked(line) for line in view_agenda(state)]})
