"""The queue of slips: from the spool to the paper to an ack, one at a time, over restarts.

A job is *waiting* until just before its first byte leaves, *started* until its outcome is known, then *done* together
with its ack. A restart finds waiting jobs and prints them; a started one may be on paper already, so it is printed with a
mark that says so: better a marked copy than a ticket that nobody has, or two that look alike. What is older than
``STALE_AFTER`` is not printed at all: nobody stands there any more, and the staff's list shows it as not printed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog

from kiosk_agent.machine.events import PrintEnded
from kiosk_agent.machine.screens import Paper
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.printer import Failed, NoPaper, Offline, Printed, PrintOutcome, TicketPrinter
from kiosk_agent.settings import Printer as PrinterSettings
from kiosk_agent.spool import PaperAck, Spool, SpooledJob
from kiosk_agent.ticket import PaperOp, Voice, contents, layout
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.messages.topics import PRINT_MAX_AGE_S, PrintedAck, PrintFailedAck, PrintJob, Slip

STALE_AFTER = timedelta(seconds=PRINT_MAX_AGE_S)

Treatment = Literal["print", "print_marked", "too_old"]

log = structlog.get_logger(__name__)


def treatment(spooled: SpooledJob, now: datetime) -> Treatment:
    """What to do with a slip that is not settled."""
    if now - spooled.added_at > STALE_AFTER:
        return "too_old"
    return "print_marked" if spooled.state == "started" or spooled.job.reprint else "print"


class SlipPrinter:
    """Prints what the spool holds.

    Args:
        voice: the words of a language in the office's zone.
        ended: told how each slip ended, after its ack is spooled.
    """

    def __init__(
        self,
        spool: Spool,
        printer: TicketPrinter,
        settings: PrinterSettings,
        letters: Letters,
        clock: Clock,
        *,
        device: str,
        voice: Callable[[str], Voice],
        ended: Callable[[PrintEnded], Awaitable[None]],
    ) -> None:
        self._spool = spool
        self._printer = printer
        self._settings = settings
        self._letters = letters
        self._clock = clock
        self._device = device
        self._voice = voice
        self._ended = ended
        self._work = asyncio.Event()
        self._work.set()

    def wake(self) -> None:
        """There is something to print."""
        self._work.set()

    async def run(self) -> None:
        """Print for ever, beginning with what an earlier run left."""
        while True:
            await self._work.wait()
            self._work.clear()
            for spooled in await self._spool.unfinished_jobs():
                await self._settle(spooled)

    async def _settle(self, spooled: SpooledJob) -> None:
        how, job = treatment(spooled, self._clock.now()), spooled.job
        if how == "too_old":
            outcome: PrintOutcome = Failed("too old")
        else:
            await self._spool.start_job(job.job_id)
            outcome = await self._print(job.slip, reprint=how == "print_marked")
        log.info("slip.ended", ticket_id=job.slip.ticket_id, how=how, outcome=type(outcome).__name__)
        await self._spool.finish_job(job.job_id, self._ack(job, outcome, reprint=how == "print_marked"))
        await self._ended(PrintEnded(job.slip.ticket_id, paper_of(outcome)))

    async def _print(self, slip: Slip, *, reprint: bool) -> PrintOutcome:
        try:
            ops = await asyncio.to_thread(self._laid_out, slip, reprint=reprint)  # letters are measured one by one
        except Exception:  # one slip that nobody thought of must not stop the others, at every start again
            log.exception("slip.not_laid_out", ticket_id=slip.ticket_id)
            return Failed("not laid out")
        return await self._printer.print(ops)

    def _laid_out(self, slip: Slip, *, reprint: bool) -> tuple[PaperOp, ...]:
        said = contents(slip, self._voice(slip.language), self._voice("es"), reprint=reprint)
        settings = self._settings
        return layout(said, raster=settings.prints_raster, width_dots=settings.width_dots, measure=self._letters.width)

    def _ack(self, job: PrintJob, outcome: PrintOutcome, *, reprint: bool) -> PaperAck:
        ack_id, device, ticket_id = new_id(), self._device, job.slip.ticket_id
        if isinstance(outcome, Printed):
            return PrintedAck(ack_id=ack_id, device=device, ticket_id=ticket_id, reprint=reprint, job_id=job.job_id)
        reason = _REASONS[type(outcome)]
        return PrintFailedAck(ack_id=ack_id, device=device, ticket_id=ticket_id, reason=reason, job_id=job.job_id)


def paper_of(outcome: PrintOutcome) -> Paper:
    """The outcome as the screen says it."""
    return "printed" if isinstance(outcome, Printed) else _REASONS[type(outcome)]


_REASONS: dict[type[msgspec.Struct], Literal["no_paper", "offline", "error"]] = {
    NoPaper: "no_paper",
    Offline: "offline",
    Failed: "error",
}
