"""What a supervisor is told of a change before doing it: the waits with and without it, replayed off the writer's loop.

A page that shows a forecast asks for itself anew with every change in the office. The same question within a few seconds has
the same answer, and one replay runs at a time, so that a page left open costs an office's box little.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from edge_node.queue.dispatcher import Dispatcher
from edge_node.queue.state import OfficeState
from edge_node.queue.waits import forecast, scene
from sync.domain.waits.scene import Scene
from sync.domain.waits.what_if import Change, Effect, sessions_after

KEEP_S = 10.0


class Forecasts:
    """Foresees changes of counters."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._turn = asyncio.Lock()
        self._known: dict[Change, tuple[float, tuple[Effect, ...]]] = {}

    async def of(self, change: Change) -> tuple[Effect, ...]:
        """What a change would do, for every service that its counter serves now or then; a few seconds old at most."""
        async with self._turn:
            now_s = monotonic()
            self._known = {asked: known for asked, known in self._known.items() if now_s - known[0] < KEEP_S}
            if change not in self._known:
                now, then, services = await self._dispatcher.read(lambda state: _scenes(state, change))
                self._known[change] = now_s, await forecast(now, then, services)
            return self._known[change][1]


def _scenes(state: OfficeState, change: Change) -> tuple[Scene, Scene, tuple[str, ...]]:
    day = state.day
    session = day.sessions.get(change.session)
    served = (*session.primary, *session.secondary) if session is not None else ()
    touched = {*served, *change.primary, *change.secondary}
    services = tuple(s for s in state.configuration.catalogue.services if s in touched)
    return scene(state), scene(state, sessions_after(day.sessions, change)), services
