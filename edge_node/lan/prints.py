"""Slips that the console sends to kiosks: durable, and sent again until the kiosk says that it printed or could not.

One that no kiosk took in time is reported as not printed and let go: the kiosk counts a slip's age from its receipt, so
only here is it known for how long somebody would have had to wait before it.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime

import structlog

from edge_node.lan.rules import NOT_NOW, is_stale
from edge_node.queue.dispatcher import Dispatcher, StateUnknown
from edge_node.queue.journal import SQL, Entry, PendingPrint
from edge_node.writer import WriteFailed, Writer
from sync.io.waiting import set_within
from sync.messages.commands import SYSTEM, Actor, ReportPrintFailed
from sync.messages.refusals import Refusal

RESEND_S = 3

Send = Callable[[str, bytes], Awaitable[bool]]
log = structlog.get_logger()


class Prints:
    """Sends prints until each is acknowledged or too old; runs until it is cancelled.

    Args:
        send: sends a body to a device's ``resp``.
    """

    def __init__(self, dispatcher: Dispatcher, writer: Writer, send: Send) -> None:
        self._dispatcher = dispatcher
        self._writer = writer
        self._send = send
        self._pending: dict[str, PendingPrint] = {}
        self._wake = asyncio.Event()
        self._reload = True

    def committed(self, _entries: Sequence[Entry], prints: Sequence[PendingPrint]) -> None:
        for job in prints:
            self.add(job)

    def restored(self) -> None:
        """Prints may have been committed that were never told of."""
        self._reload = True
        self._wake.set()

    def add(self, job: PendingPrint) -> None:
        self._pending[job.job_id] = job
        self._wake.set()

    async def acknowledged(self, device: str, ticket_id: str, job_id: str | None) -> None:
        """The kiosk has dealt with a slip: stop sending it."""
        await self._forget(ended_by_ack(self._pending.values(), device, ticket_id, job_id))

    async def run(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self._round()
            except (StateUnknown, WriteFailed) as error:
                log.warning("prints.not_now", error=str(error))
            except Exception:
                log.exception("prints.failed")
            await set_within(self._wake, RESEND_S)

    async def _round(self) -> None:
        if self._reload:
            await self._load()
        now = self._dispatcher.state.now()
        jobs = list(self._pending.values())
        for job in jobs:
            if not is_stale(job.asked_at, now):
                await self._send(job.device, job.message)
        for job in jobs:
            if is_stale(job.asked_at, now):
                await self._let_go(job)

    async def _load(self) -> None:
        """Read the prints that were on their way when the process, or the disk, failed."""
        self._reload, self._pending = False, {}
        try:
            rows = await self._writer.run(lambda connection: connection.execute(SQL.print_jobs).fetchall())
        except BaseException:
            self._reload = True
            raise
        read = (
            PendingPrint(job_id, device, ticket_id, message, datetime.fromisoformat(at))
            for job_id, device, ticket_id, message, at in rows
        )
        self._pending |= {job.job_id: job for job in read}  # beside what was added while the rows were read

    async def _let_go(self, job: PendingPrint) -> None:
        """Report a slip that nobody took; as often as it takes, but by the job's own id it counts once."""
        report = ReportPrintFailed(request_id=job.job_id, ticket_id=job.ticket_id, reason="offline")
        answer = await self._dispatcher.submit(report, Actor(actor_id=SYSTEM, device_id=job.device))
        if isinstance(answer, Refusal) and answer.code in NOT_NOW:
            return
        log.info("print.too_old", job_id=job.job_id, ticket_id=job.ticket_id, device=job.device)
        await self._forget([job.job_id])

    async def _forget(self, job_ids: Sequence[str]) -> None:
        if not job_ids:
            return

        def delete(connection: sqlite3.Connection) -> int:
            return connection.executemany(SQL.delete_print_job, [(job_id,) for job_id in job_ids]).rowcount

        await self._writer.run(delete)
        for job_id in job_ids:
            self._pending.pop(job_id, None)


def ended_by_ack(jobs: Iterable[PendingPrint], device: str, ticket_id: str, job_id: str | None) -> list[str]:
    """The prints that an ack ends: its own, or all of the ticket when the kiosk is of a build that names none."""
    of_ticket = (job.job_id for job in jobs if (job.device, job.ticket_id) == (device, ticket_id))
    return [each for each in of_ticket if job_id in (None, each)]
