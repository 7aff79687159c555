"""What a supervisor tells all consoles of the office: a line of text that ends by itself.

It is no fact: it changes nothing in the queue, it is free text that may name somebody, and facts go to central for good. So it
is a row of this file and news of the live stream, and two days after its end it is gone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from edge_node.console.staff_sessions import Member
from edge_node.queue.journal import written
from edge_node.queue.state import OfficeState
from edge_node.writer import Writer
from sync.domain.outcomes import refuse
from sync.domain.service_day import ends_at, service_date
from sync.io.sql import load
from sync.messages.refusals import Refusal
from sync.messages.values import Note, Uuid

SQL = load("edge_node.console", "broadcasts.sql")
AT_ONCE = 3
"""More lines than that nobody reads, and the work screen has no room for them."""
KEEP = timedelta(days=2)


class PostBroadcast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Tell all consoles something, for some minutes; none: until the service day ends."""

    request_id: Uuid
    text: Note
    minutes: Annotated[int, msgspec.Meta(ge=1, le=24 * 60)] | None = None


class EndBroadcast(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Take a line off the consoles before its time."""

    request_id: Uuid
    broadcast_id: Uuid


class Broadcast(msgspec.Struct, frozen=True, kw_only=True):
    """A line that consoles show from ``posted_at`` until ``until_at``."""

    id: Uuid
    text: str
    posted_by: str
    posted_at: datetime
    until_at: datetime


class Broadcasts:
    """The lines that stand.

    Args:
        tell: tells live pages that they have changed.
    """

    def __init__(self, writer: Writer, state: OfficeState, tell: Callable[[str, dict[str, Any]], None]) -> None:
        self._writer = writer
        self._state = state
        self._tell = tell
        self._known: dict[str, Broadcast] = {}

    async def load(self) -> None:
        """Read what stood when the process ended."""
        before = written(self._state.now() - KEEP)

        def read(connection: sqlite3.Connection) -> list[tuple[str, str, str, str, str]]:
            connection.execute(SQL.forget_broadcasts, {"before": before})
            return connection.execute(SQL.broadcasts).fetchall()

        for key, text, who, posted_at, until_at in await self._writer.run(read):
            posted, until = datetime.fromisoformat(posted_at), datetime.fromisoformat(until_at)
            self._known[key] = Broadcast(id=key, text=text, posted_by=who, posted_at=posted, until_at=until)

    def standing(self) -> tuple[Broadcast, ...]:
        """What consoles show now, the oldest first."""
        now = self._state.now()
        self._known = {key: each for key, each in self._known.items() if now - each.until_at < KEEP}
        return tuple(each for each in self._known.values() if each.until_at > now)

    async def post(self, asked: PostBroadcast, member: Member) -> Broadcast | Refusal:
        """Tell something; asked twice it is told once."""
        if not member.supervisor:
            return refuse("forbidden")
        if (known := self._known.get(asked.request_id)) is not None:
            return known
        text = " ".join(asked.text.split())
        if not text:
            return refuse("text_length")
        if len(self.standing()) >= AT_ONCE:
            return refuse("broadcasts_full")
        now = self._state.now()
        day_end = ends_at(service_date(now, self._state.zone), self._state.zone)
        until = day_end if asked.minutes is None else now + timedelta(minutes=asked.minutes)
        fresh = Broadcast(id=asked.request_id, text=text, posted_by=member.staff_id, posted_at=now, until_at=until)
        self._known[fresh.id] = fresh
        try:
            await self._writer.run(lambda connection: _keep(connection, fresh))
        except BaseException:
            self._known.pop(fresh.id, None)  # nobody has seen it yet
            raise
        self._changed()
        return fresh

    async def end(self, asked: EndBroadcast, member: Member) -> Broadcast | Refusal:
        """Any supervisor may, also of what another one told."""
        if not member.supervisor:
            return refuse("forbidden")
        known, now = self._known.get(asked.broadcast_id), self._state.now()
        if known is None:
            return refuse("broadcast_over")
        if known.until_at <= now:
            return known
        ended = msgspec.structs.replace(known, until_at=now)
        row = {"id": ended.id, "until_at": written(now)}
        await self._writer.run(lambda connection: connection.execute(SQL.end_broadcast, row).rowcount)
        self._known[ended.id] = ended
        self._changed()
        return ended

    def _changed(self) -> None:
        self._tell("broadcast", {"standing": len(self.standing())})


def _keep(connection: sqlite3.Connection, fresh: Broadcast) -> None:
    connection.execute(SQL.forget_broadcasts, {"before": written(fresh.posted_at - KEEP)})
    row = {
        "id": fresh.id,
        "text": fresh.text,
        "posted_by": fresh.posted_by,
        "posted_at": written(fresh.posted_at),
        "until_at": written(fresh.until_at),
    }
    connection.execute(SQL.insert_broadcast, row)
