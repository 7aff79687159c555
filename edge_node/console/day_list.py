"""All tickets of today by how they stand. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from edge_node.console.tickets_view import service_name
from edge_node.queue.state import OfficeState
from sync.domain.ordering import in_order
from sync.domain.ticket import Ticket

TABS: Final = {
    "waiting": ("waiting",),
    "open": ("called", "serving"),
    "parked": ("parked",),
    "missed": ("missed",),
    "over": ("finished", "abandoned", "in_transit"),
}
"""The parts of the list, and the states in each."""
PER_PAGE: Final = 60


class TicketLine(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in the list.

    Args:
        at: since when it stands like that: its arrival, its call, its end.
        counter: where it is or was called.
        is_attended: its person was served here, so that a proof may be given.
    """

    ticket_id: str
    label: str
    service: str
    state: str
    arrived_at: datetime
    at: datetime
    slot_start_at: datetime | None = None
    counter: str = ""
    is_attended: bool = False

    @property
    def is_open(self) -> bool:
        return self.state in ("waiting", "parked", "missed")


class DayList(msgspec.Struct, frozen=True, kw_only=True):
    """A part of today's tickets.

    Args:
        counts: how many tickets each part has.
        lines: waiting ones in the order of the queue, all others the latest first.
        page, pages: which page of the part, from 1.
        chosen: the ticket whose history is shown.
    """

    office_name: str
    position: str
    tab: str
    counts: dict[str, int]
    lines: tuple[TicketLine, ...]
    page: int
    pages: int
    chosen: TicketLine | None = None


def view_day_list(state: OfficeState, tab: str, page: int, ticket_id: str, locale: str) -> DayList:
    """A page of a part of the list; an unknown part is the first, a page beyond the end the last."""
    tickets = state.day.tickets
    chosen = tickets.get(ticket_id)
    if tab not in TABS:
        tab = _tab_of(chosen) if chosen is not None else next(iter(TABS))
    part = [ticket for ticket in tickets.values() if ticket.state in TABS[tab]]
    part = in_order(part) if tab == "waiting" else sorted(part, key=_since, reverse=True)
    pages = max(1, -(-len(part) // PER_PAGE))
    page = min(max(1, page), pages)
    return DayList(
        office_name=state.configuration.catalogue.office.name,
        position=f"{state.tail.epoch}-{state.tail.seq}",
        tab=tab,
        counts={name: sum(t.state in states for t in tickets.values()) for name, states in TABS.items()},
        lines=tuple(_line(state, each, locale) for each in part[(page - 1) * PER_PAGE : page * PER_PAGE]),
        page=page,
        pages=pages,
        chosen=_line(state, chosen, locale) if chosen is not None else None,
    )


def _tab_of(ticket: Ticket) -> str:
    return next(name for name, states in TABS.items() if ticket.state in states)


def _since(ticket: Ticket) -> datetime:
    by_state = {
        "called": ticket.called_at,
        "serving": ticket.started_at,
        "parked": ticket.parked_at,
        "missed": ticket.missed_at,
        "in_transit": ticket.released_at,
        "finished": ticket.ended_at,
        "abandoned": ticket.ended_at,
    }
    return by_state.get(ticket.state) or ticket.arrived_at


def _line(state: OfficeState, ticket: Ticket, locale: str) -> TicketLine:
    return TicketLine(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        service=service_name(state, ticket.service, locale),
        state=ticket.state,
        arrived_at=ticket.arrived_at,
        at=_since(ticket),
        slot_start_at=ticket.slot_start_at,
        counter=ticket.called_counter or "",
        is_attended=ticket.started_at is not None,
    )
