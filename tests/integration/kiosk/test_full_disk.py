"""A disk that takes nothing holds nobody before a screen that waits."""

import sqlite3
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from kiosk_agent.machine import screens as s
from kiosk_agent.spool import Entry, Spool
from tests.integration.kiosk.office import Office, RunningKiosk, running_kiosk

pytestmark = pytest.mark.broker


class FullDisk:
    """Refuses what settles a request, so many times. ``refused``: how often it did."""

    def __init__(self, kiosk: RunningKiosk, times: int) -> None:
        self.refused = 0
        self._times = times
        self._spool: Spool = kiosk.agent._spool
        self._write = self._spool.write
        self._spool.write = self.write  # type: ignore[method-assign] # the only way to a full disk here

    async def write(self, entry: Entry, now: datetime) -> None:
        if entry.settled is not None and self.refused < self._times:
            self.refused += 1
            raise sqlite3.OperationalError("database or disk is full")
        await self._write(entry, now)


async def test_a_reply_that_could_not_be_kept_is_asked_for_again(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        disk = FullDisk(kiosk, times=1)
        await kiosk.take_ticket()
        ticket = await office.printer.ticket(1, timeout_s=5)
        assert isinstance(kiosk.screen, s.Ticket)
    assert (disk.refused, ticket.lines[1]) == (1, "K12")
    assert len({command.request_id for command in office.edge.commands}) == 1


async def test_while_nothing_can_be_kept_the_counter_helps(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        FullDisk(kiosk, times=100)
        with capture_logs() as logs:
            request_id = await kiosk.take_ticket()
            assert await kiosk.shows(s.Problem, within_s=8) == s.Problem("desk", request_id=request_id)
    assert [each["request_id"] for each in logs if each["event"] == "request.failed"] == [request_id]
