"""What happens because time passes: the clock check, the turn of the service day, forgetting, waits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from edge_node.queue.dispatcher import NODE, Dispatcher, turn
from edge_node.queue.journal import SQL, Entry, PendingPrint, written
from edge_node.queue.state import OfficeState
from edge_node.queue.waits import foresee, publish, scene
from edge_node.writer import Writer
from sync.domain.clock import CHECK_EVERY_S, step_ms
from sync.domain.service_day import service_date
from sync.io.waiting import set_within

REMEMBER_REQUESTS = timedelta(hours=48)
KEEP_PEOPLE = timedelta(days=2)
FOLLOW_AFTER_CLOSE = timedelta(hours=2)
KEEP_PRINT_JOBS = timedelta(hours=12)
FORGET_EVERY_S = 3600
WAITS_EVERY_S = 30
WAITS_GAP_S = 1.0

Chore = Callable[[], Awaitable[None]]
log = structlog.get_logger()


class Timekeeper:
    """Runs the office's chores until it is cancelled."""

    def __init__(self, dispatcher: Dispatcher, writer: Writer) -> None:
        self._dispatcher = dispatcher
        self._writer = writer
        self._changed = asyncio.Event()

    def committed(self, _entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        self._changed.set()

    def restored(self) -> None:
        self._changed.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as chores:
            chores.create_task(self._every(CHECK_EVERY_S, self.check_clock))
            chores.create_task(self._every(FORGET_EVERY_S, self.forget))
            chores.create_task(self._keep_waits())

    async def check_clock(self) -> None:
        """Write down a clock that was set, and turn the day when it is time."""
        await self._dispatcher.act(_checked)

    async def forget(self) -> None:
        """Delete what has had its time: replies, personal rows, follow codes, prints that nobody fetched."""
        now = self._dispatcher.state.now()
        zone = self._dispatcher.state.zone
        people_before = service_date(now, zone) - KEEP_PEOPLE

        def delete(connection: sqlite3.Connection) -> list[str]:
            connection.execute(SQL.forget_people, {"before": people_before.isoformat()})
            connection.execute(SQL.forget_remarks, {"before": people_before.isoformat()})
            connection.execute(
                SQL.forget_follow_codes, {"before": service_date(now - FOLLOW_AFTER_CLOSE, zone).isoformat()}
            )
            connection.execute(SQL.forget_print_jobs, {"before": written(now - KEEP_PRINT_JOBS)})
            requests = connection.execute(SQL.forget_requests, {"before": written(now - REMEMBER_REQUESTS)})
            return [row[0] for row in requests]

        self._dispatcher.forget(await self._writer.run(delete))
        # Not read from the file: somebody may have been checked in since.
        state = self._dispatcher.state
        state.people = {key: who for key, who in state.people.items() if who.service_date >= people_before}
        state.remarks = {key: told for key, told in state.remarks.items() if told.service_date >= people_before}

    async def _keep_waits(self) -> None:
        while True:
            self._changed.clear()
            try:
                ahead = await foresee(await self._dispatcher.read(scene))
                publish(self._dispatcher.state, ahead)
            except Exception:
                log.exception("timekeeper.waits_failed")
            await asyncio.sleep(WAITS_GAP_S)
            await set_within(self._changed, WAITS_EVERY_S)

    async def _every(self, seconds: float, chore: Chore) -> None:
        while True:
            try:
                await chore()
            except Exception:
                log.exception("timekeeper.chore_failed", chore=getattr(chore, "__name__", ""))
            await asyncio.sleep(seconds)


def _checked(state: OfficeState, now: datetime) -> list[Entry]:
    entries: list[Entry] = []
    wall_at = state.clock.now()
    delta_ms = step_ms(now, wall_at)
    if delta_ms is not None:
        log.warning("clock.stepped", delta_ms=delta_ms)
        entries += state.step_clock(delta_ms, wall_at, NODE)
    return entries + turn(state, state.now())
