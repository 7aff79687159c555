"""Who practises at this node: at most a few at a time, each in a room of their own, which ends when it is left or forgotten."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import structlog

from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.practice.room import practice
from sync.io.waiting import set_within

MOST = 8
"""Enough for a class of new clerks; what they take of the machine is bounded (`docs/console.md` has the figure)."""
IDLE_S = 1200
"""Without any act for so long nobody practises any more."""
LOOK_S = 15.0
log = structlog.get_logger()


class Room:
    """One learner's practice, while it lasts."""

    def __init__(self, staff_id: str, now_s: Callable[[], float]) -> None:
        self.staff_id = staff_id
        self.node: EdgeNode | None = None
        self._now_s = now_s
        self._used_s = now_s()
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def used(self) -> None:
        """The learner has done something."""
        self._used_s = self._now_s()

    @property
    def is_idle(self) -> bool:
        return self._now_s() - self._used_s >= IDLE_S

    async def open(self, real: EdgeNode, learner: Member, language: str, at_end: Callable[[], None]) -> None:
        """Make it; back once it is there.

        Args:
            at_end: called when it is no more, for whatever reason.
        """
        ready: asyncio.Future[EdgeNode] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._last(real, learner, language, ready), name="practice")
        self._task.add_done_callback(lambda _task: at_end())
        self.node = await ready

    def close(self) -> None:
        """End it: its pages first, then all of it, soon."""
        self._end.set()
        if self.node is not None:
            self.node.stop_streams()

    async def closed(self) -> None:
        """Until nothing of it is left."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _last(self, real: EdgeNode, learner: Member, language: str, ready: asyncio.Future[EdgeNode]) -> None:
        try:
            async with practice(real, learner, language) as node:
                if not ready.done():
                    ready.set_result(node)
                while not (self._end.is_set() or self.is_idle):
                    await set_within(self._end, LOOK_S)
        except Exception as error:
            log.exception("practice.failed")
            if not ready.done():
                ready.set_exception(error)


class Rooms:
    """All practices of a node, by the token that a learner's browser holds."""

    def __init__(self, real: EdgeNode) -> None:
        self._real = real
        self._rooms: dict[str, Room] = {}
        real.metrics.watch_practice(lambda: len(self._rooms))
        real.at_stop.append(self.close)

    async def enter(self, learner: Member, language: str) -> str | None:
        """A fresh practice for a member, instead of one that they left open; its token, or none when too many
        practise.
        """
        for token, room in [*self._rooms.items()]:
            if room.staff_id == learner.staff_id:
                await self.leave(token)
        if len(self._rooms) >= MOST:
            return None
        token = secrets.token_urlsafe(24)
        room = self._rooms[token] = Room(learner.staff_id, self._now_s)
        await room.open(self._real, learner, language, lambda: self._forget(token))
        return token

    def of(self, token: str, staff_id: str) -> Room | None:
        """A member's open practice; another member's is none of theirs."""
        room = self._rooms.get(token)
        return room if room is not None and room.node is not None and room.staff_id == staff_id else None

    async def leave(self, token: str) -> None:
        """End a practice; nothing happens when there is none."""
        if (room := self._rooms.pop(token, None)) is not None:
            room.close()
            await room.closed()

    def close(self) -> None:
        """End all of them."""
        for room in [*self._rooms.values()]:
            room.close()

    def __len__(self) -> int:
        return len(self._rooms)

    def _forget(self, token: str) -> None:
        self._rooms.pop(token, None)

    def _now_s(self) -> float:
        return self._real.dispatcher.state.clock.monotonic_ns() / 1e9
