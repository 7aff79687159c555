"""Past days of an office, read from the raw log and run again under another policy."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from central.insight.past_days import days_of, journal_of
from central.offices.catalogue import OfficeRecord
from sync.domain.replays.compare import ReplayedDay
from sync.domain.replays.recording import record
from sync.domain.replays.rerun import Outcome, rerun
from sync.domain.service_day import service_date
from sync.messages.policy import Policy

Replayed = tuple[list[ReplayedDay], int]
"""The days that anybody was called on, and how many calls on them were out of order: the replay makes them by the rule."""


async def replayed(
    connection: Any, record_of_office: OfficeRecord, now: datetime, days: int, policy: Policy
) -> Replayed:
    """The last days that are over, each under its own policy and under another. Cancelled, it ends when its thread has ended."""
    today = service_date(now, record_of_office.zone)
    past = await days_of(connection, record_of_office.id, now - timedelta(days=days + 1), today)
    done, chosen = [], 0
    for day in past:
        recording = record(await journal_of(connection, day))
        if recording is not None and recording.calls:
            before = await _in_thread(rerun, recording)
            after = await _in_thread(rerun, recording, policy)
            done.append(ReplayedDay(day.service_date, before, after))
            chosen += recording.chosen
    return done, chosen


async def _in_thread(work: Callable[..., Outcome], *arguments: Any) -> Outcome:
    """Work in a thread. It cannot be stopped, so who is cancelled meanwhile goes only when it has ended."""
    running = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running})
        if not running.cancelled():
            running.exception()  # nobody asks for it any more
        raise
