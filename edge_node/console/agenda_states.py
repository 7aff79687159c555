"""How an appointment of today stands: by its ticket once there is one, else by the clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from edge_node.console.queue_view import AppointmentView
from edge_node.queue.state import OfficeState

AgendaState = Literal["in_course", "arrived", "missed", "late", "not_arrived", "done", "sent", "cancelled", "moved"]
_BY_TICKET: dict[str, AgendaState] = {
    "waiting": "arrived",
    "parked": "arrived",
    "called": "in_course",
    "serving": "in_course",
    "missed": "missed",
    "finished": "done",
    "abandoned": "done",
    "in_transit": "sent",
}
OVER: frozenset[AgendaState] = frozenset({"done", "sent", "cancelled", "moved"})


def standing(state: OfficeState, row: AppointmentView, now: datetime) -> AgendaState:
    """How a line of the agenda stands now."""
    ticket = state.day.tickets.get(row.ticket_id or "")
    if ticket is not None:
        return _BY_TICKET[ticket.state]
    if row.status == "booked":
        grace = timedelta(minutes=state.day.policy.grace_min)
        return "late" if now > row.slot_start_at + grace else "not_arrived"
    return "moved" if row.status == "moved" else "cancelled"
