"""What happens because time passes: the clock check, the turn of the service day, parked tickets that come back, forgetting,
waits.
"""

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
from sync.domain.parked import returning
from sync.domain.service_day import service_date
from sync.io.waiting import set_within

REMEMBER_REQUESTS = timedelta(hours=48)
KEEP_PEOPLE = timedelta(days=2)
FOLLOW_AFTER_CLOSE = timedelta(hours=2)
KEEP_PRINT_JOBS = timedelta(hours=12)
FORGET_EVERY_S = 3600
RETURN_EVERY_S = 1
RETURN_AGAIN_S = 60
"""A disk that refuses what is due each second would have the day replayed each second."""
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
            chores.create_task(self._every(RETURN_EVERY_S, self.return_parked, after_failure_s=RETURN_AGAIN_S))
            chores.create_task(self._every(FORGET_EVERY_S, self.forget))
            chores.create_task(self._every(FORGET_EVERY_S, self.erase_people))
            chores.create_task(self._keep_waits())

    async def check_clock(self) -> None:
        """Write down a clock that was set, and turn the day when it is time."""
        await self._dispatcher.act(_checked)

    async def return_parked(self) -> None:
        """Let parked tickets whose time has come wait again."""
        if not self._dispatcher.stale and await self._dispatcher.read(_has_returning):
            await self._dispatcher.act(_returned)

    async def forget(self) -> None:
        """Delete what has had its time: replies, personal rows, follow codes, prints that nobody fetched."""
        now = self._dispatcher.state.now()
        zone = self._dispatcher.state.zone
        today = service_date(now, zone)
        people_before = today - KEEP_PEOPLE

        def delete(connection: sqlite3.Connection) -> list[str]:
            connection.execute(SQL.forget_people, {"before": people_before.isoformat()})
            connection.execute(SQL.forget_remarks, {"before": people_before.isoformat()})
            connection.execute(
                SQL.forget_follow_codes, {"before": service_date(now - FOLLOW_AFTER_CLOSE, zone).isoformat()}
            )
            connection.execute(SQL.forget_grants_aside, {"before": today.isoformat()})
            connection.execute(SQL.forget_print_jobs, {"before": written(now - KEEP_PRINT_JOBS)})
            connection.execute(SQL.forget_slips_given, {"before": written(now - REMEMBER_REQUESTS)})
            requests = connection.execute(SQL.forget_requests, {"before": written(now - REMEMBER_REQUESTS)})
            return [row[0] for row in requests]

        self._dispatcher.forget(await self._writer.run(delete))
        # Not read from the file: somebody may have been checked in since.
        state = self._dispatcher.state
        state.people = {key: who for key, who in state.people.items() if who.service_date >= people_before}
        state.remarks = {key: told for key, told in state.remarks.items() if told.service_date >= people_before}

    async def erase_people(self) -> None:
        """Delete what is kept of people beside their rows, of those whom central had erased, and what was written about them."""
        state = self._dispatcher.state
        erased = state.configuration.erased
        gone = [key for key in state.people if key in erased]
        tickets = [t.ticket_id for t in state.day.tickets.values() if t.appointment_id in erased]
        remarks = [key for key in tickets if key in state.remarks]
        if not gone and not remarks:
            return

        def delete(connection: sqlite3.Connection) -> None:
            connection.executemany(SQL.erase_person, [{"appointment_id": key} for key in gone])
            connection.executemany(SQL.erase_remark, [{"ticket_id": key} for key in remarks])

        await self._writer.run(delete)
        for key in gone:
            state.people.pop(key, None)
        for key in remarks:
            state.remarks.pop(key, None)
        log.info("timekeeper.people_erased", people=len(gone))

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

    async def _every(self, seconds: float, chore: Chore, *, after_failure_s: float = 0) -> None:
        while True:
            pause_s = seconds
            try:
                await chore()
            except Exception:
                log.exception("timekeeper.chore_failed", chore=getattr(chore, "__name__", ""))
                pause_s = max(seconds, after_failure_s)
            await asyncio.sleep(pause_s)


def _has_returning(state: OfficeState) -> bool:
    now = state.now()
    return state.has_authority and not state.day_is_over(now) and bool(returning(state.day, now))


def _returned(state: OfficeState, now: datetime) -> list[Entry]:
    """Asked anew: since it was seen somebody may have resumed them, and a day that is over is closed first."""
    return [] if state.day_is_over(now) else state.record(returning(state.day, now), NODE, now)


def _checked(state: OfficeState, now: datetime) -> list[Entry]:
    entries: list[Entry] = []
    wall_at = state.clock.now()
    delta_ms = step_ms(now, wall_at)
    if delta_ms is not None:
        log.warning("clock.stepped", delta_ms=delta_ms)
        entries += state.step_clock(delta_ms, wall_at, NODE)
    return entries + turn(state, state.now())
