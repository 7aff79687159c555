"""A new node is told of all paper that came out here today, whatever day the node before had opened."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

import pytest

from kiosk_agent.link import EdgeLink
from kiosk_agent.reserve import Reserve
from kiosk_agent.retelling import Retelling
from kiosk_agent.spool import Entry, Spool, open_spool
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.messages.topics import DeviceConfig, KioskReply, KioskTellPrinted, PrintJob
from tests.integration.kiosk.office import until
from tests.kit.clock import ManualClock
from tests.unit.kiosk.slips import changed

ZONE = ZoneInfo("Africa/Ceuta")
NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
TODAY = service_date(NOW, ZONE)
CONFIG = DeviceConfig(
    office="real",
    office_name="Real",
    device="kiosk-1",
    zone="a",
    time_zone=ZONE.key,
    services=(),
    version=1,
)


class NewNode:
    """A node that answers yes to all that it is told."""

    def __init__(self) -> None:
        self.told: list[KioskTellPrinted] = []
        self.retelling: Retelling | None = None

    async def ask(self, told: KioskTellPrinted) -> bool:
        assert self.retelling is not None
        self.told.append(told)
        return self.retelling.replied(KioskReply(request_id=told.request_id))


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    async with open_spool(tmp_path) as opened:
        yield opened


async def printed(spool: Spool, reserve: Reserve, label: str, *, issued_at: datetime, came_at: datetime) -> None:
    slip = changed(ticket_id=new_id(), label=label, service="padron", issued_at=issued_at)
    job = PrintJob(job_id=new_id(), slip=slip)
    await spool.write(Entry(jobs=(job,), seen=reserve.seen(slip)), came_at)


async def test_paper_of_a_node_whose_clock_ran_ahead_is_today_s(spool: Spool) -> None:
    clock = ManualClock(NOW)
    reserve, node, retelling = Reserve(spool, clock, "kiosk-1"), NewNode(), Retelling(spool, clock, "kiosk-1")
    node.retelling = retelling
    clock.advance(days=-1)
    await printed(spool, reserve, "K3", issued_at=clock.now(), came_at=clock.now())
    clock.advance(days=1)
    await reserve.configured(CONFIG, ZONE)
    for label, ahead in (("K4", timedelta()), ("K5", timedelta(days=1)), ("K6", timedelta(days=3652))):
        await printed(spool, reserve, label, issued_at=clock.now() + ahead, came_at=clock.now())
    await reserve.count()
    assert (reserve.numbers.service_date, reserve.numbers.highest) == (TODAY, {"K": 6})
    retelling.epoch(2)
    telling = asyncio.create_task(retelling.run(cast("EdgeLink", node), lambda: ZONE))
    await until(lambda: len(node.told) >= 3)
    await asyncio.sleep(0.1)
    telling.cancel()
    with suppress(asyncio.CancelledError):
        await telling
    assert [(told.series, told.number, told.service_date) for told in node.told] == [
        ("K", number, TODAY) for number in (4, 5, 6)
    ]
