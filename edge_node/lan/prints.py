"""Slips that the console sends to kiosks: durable, and sent again until the kiosk says that it printed or could not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog

from edge_node.queue.journal import SQL, Entry, PendingPrint
from edge_node.writer import Writer
from sync.io.waiting import set_within

RESEND_S = 3

Send = Callable[[str, bytes], Awaitable[bool]]
log = structlog.get_logger()


class Prints:
    """Sends prints until each is acknowledged; runs until it is cancelled.

    Args:
        send: sends a body to a device's ``resp``.
    """

    def __init__(self, writer: Writer, send: Send) -> None:
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

    async def acknowledged(self, device: str, ticket_id: str) -> None:
        """The kiosk has dealt with a ticket's slip: stop sending it."""
        done = [j.job_id for j in self._pending.values() if (j.device, j.ticket_id) == (device, ticket_id)]
        if not done:
            return
        key = {"device": device, "ticket_id": ticket_id}
        await self._writer.run(lambda connection: connection.execute(SQL.delete_print_jobs, key).rowcount)
        for job_id in done:
            self._pending.pop(job_id, None)

    async def _load(self) -> None:
        """Read the prints that were on their way when the process, or the disk, failed."""
        rows = await self._writer.run(lambda connection: connection.execute(SQL.print_jobs).fetchall())
        self._pending = {row[0]: PendingPrint(*row) for row in rows}
        self._reload = False

    async def run(self) -> None:
        while True:
            self._wake.clear()
            if self._reload:
                await self._load()
            for job in list(self._pending.values()):
                await self._send(job.device, job.message)
            await set_within(self._wake, RESEND_S)
