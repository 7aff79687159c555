"""What came down about rights that move, done in the queue: granted tickets, tickets that are over here, recalled leases."""

from __future__ import annotations

from datetime import datetime

from edge_node.queue.journal import Entry
from edge_node.queue.state import OfficeState
from sync.domain.handover import ended_elsewhere, is_new
from sync.domain.leases import give_back
from sync.domain.service_day import service_date
from sync.messages.commands import SYSTEM, Actor
from sync.messages.feed import TicketGrant

_NODE = Actor(actor_id=SYSTEM, device_id="edge")


def new_grants(state: OfficeState) -> list[TicketGrant]:
    """Tickets of today that central gave to this office and that it does not hold yet."""
    today, day = service_date(state.now(), state.zone), state.day
    opens_first = day.service_date != today
    grants = sorted(state.configuration.grants.values(), key=lambda grant: grant.id)
    return [g for g in grants if g.service_date == today and (opens_first or is_new(day, g, today))]


def settle_rights(state: OfficeState, now: datetime) -> list[Entry]:
    """End tickets that are over here by central's word, and give back the unsold seats of recalled leases."""
    known = state.configuration
    ended = ended_elsewhere(state.day, known.closed.values(), known.taken.values()) if state.day.is_open else []
    return state.record([*ended, *give_back(state.rights)], _NODE, now)
