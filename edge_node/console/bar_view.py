"""What stands around the work of a counter: whether it is here at all, its pause, what its leaving would do, what supervisors
tell and what waits for them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from edge_node.console.broadcasts import Broadcast
from edge_node.console.staff_sessions import Member
from edge_node.console.tickets_view import service_name
from edge_node.queue.state import OfficeState
from sync.domain.alerts import alerts
from sync.domain.counters import Unserved, left_unserved, unserved
from sync.domain.ticket import CounterSession
from ui.catalog import Words

PAUSE_REASONS: Final = ("rest", "errand", "phone", "equipment", "other")
CLOSE_REASONS: Final = ("shift_end", "move", "asked", "equipment", "other")


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A service by its name, and how many people wait for it."""

    service: str
    n: int


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """The state around a counter session.

    Args:
        is_elsewhere: it goes on in another browser of the same clerk; nothing of it is shown here.
        paused_s: seconds since it is on pause.
        alone: services that people wait for and that nobody else would serve.
        unattended: services that people wait for and that nobody serves now.
        alerts: how much waits for a supervisor; nothing for others.
    """

    is_elsewhere: bool
    paused_reason: str = ""
    paused_at: datetime | None = None
    paused_s: int = 0
    alone: tuple[Waiting, ...] = ()
    unattended: tuple[Waiting, ...] = ()
    alerts: int = 0


class BroadcastView(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    text: str
    who: str
    posted_at: datetime
    until_at: datetime


def view_bar(state: OfficeState, session: CounterSession, member: Member, locale: str) -> Bar:
    """The state around a member's counter."""
    day, now = state.day, state.now()
    return Bar(
        is_elsewhere=session.console not in ("", member.console),
        paused_reason=session.paused_reason or "",
        paused_at=session.paused_at,
        paused_s=max(0, int((now - session.paused_at).total_seconds())) if session.paused_at else 0,
        alone=_named(state, left_unserved(day, session), locale),
        unattended=_named(state, unserved(day), locale),
        alerts=len(alerts(day, now)) if member.supervisor else 0,
    )


def view_broadcasts(state: OfficeState, standing: tuple[Broadcast, ...]) -> tuple[BroadcastView, ...]:
    """What supervisors tell, with their names."""
    return tuple(
        BroadcastView(
            id=each.id,
            text=each.text,
            who=person_name(state, each.posted_by),
            posted_at=each.posted_at,
            until_at=each.until_at,
        )
        for each in standing
    )


def person_name(state: OfficeState, staff_id: str) -> str:
    """Somebody of staff by name; the id when central has told nothing (any more)."""
    staff = state.configuration.staff.get(staff_id)
    return staff.display_name if staff else staff_id


def waiting_texts(waiting: tuple[Waiting, ...], words: Words) -> list[str]:
    """For each its name and how many wait, as ``Padrón (esperan 3)``."""
    return [words.text("console.leave.waiting", service=each.service, n=each.n) for each in waiting]


def _named(state: OfficeState, found: tuple[Unserved, ...], locale: str) -> tuple[Waiting, ...]:
    return tuple(Waiting(service=service_name(state, each.service, locale), n=each.waiting) for each in found)
