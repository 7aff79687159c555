"""The office's journal as people read it: what happened, when, to whom, by whom. Facts carry no personal data; nor do lines.

A fact that this build does not know, or that only concerns the server, is told as an entry of the server.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from edge_node.console.tickets_view import service_name, staff_name_of
from edge_node.database import open_reader
from edge_node.node import EdgeNode
from edge_node.queue.state import OfficeState
from sync.io.sql import load
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.commands import CITIZEN, SYSTEM
from sync.messages.fact_types import FACTS
from sync.messages.facts import Fact, TicketAbandoned, TicketResumed, told_as
from ui.catalog import Words

SQL = load("edge_node.console", "journal_lines.sql")
MOST: Final = 100
"""Lines of one list."""
TOLD: Final = frozenset(
    {
        *("counter.opened", "counter.closed", "counter.paused", "counter.resumed", "counter.taken_over"),
        *("counter.services_changed", "day.opened", "day.closed", "clock.stepped"),
        *("ticket.issued", "ticket.printed", "ticket.print_failed", "ticket.called", "ticket.recalled", "ticket.shown"),
        *("ticket.started", "ticket.finished", "ticket.no_show", "ticket.reinstated", "ticket.transferred"),
        *("ticket.reassigned", "ticket.parked", "ticket.resumed", "ticket.abandoned", "ticket.released"),
        *("ticket.accepted", "ticket.arrived", "ticket.relabelled", "ticket.skipped", "ticket.service_added"),
        *("ticket.priority_changed", "ticket.needs_set", "ticket.route_planned", "ticket.undone", "ticket.wanted_back"),
        *("support.asked", "support.answered", "appointment.revealed", "lease.sold", "lease.returned"),
    }
)
"""Facts with words of their own, ``console.fact.{told_as}``."""


class FactLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry.

    Args:
        what: in words of the staff's language.
        label: the ticket's, if it is of today.
        who: who did it; empty for the server itself.
    """

    at: datetime
    what: str
    label: str = ""
    who: str = ""


class Row(msgspec.Struct, frozen=True):
    """A fact as it was stored."""

    type: str
    actor_id: str
    occurred_at: str
    body: bytes


async def pending(node: EdgeNode, acked_seq: int) -> list[Row]:
    """The newest facts that central has not acknowledged, at most ``MOST``."""
    return await _rows(node, SQL.facts_pending, {"acked": acked_seq})


async def history(node: EdgeNode, ticket_id: str) -> list[Row]:
    """What happened to a ticket of today, in order, at most ``MOST`` facts."""
    return await _rows(node, SQL.facts_of_ticket, {"ticket_id": ticket_id})


def lines(state: OfficeState, rows: Sequence[Row], words: Words) -> tuple[FactLine, ...]:
    """Facts in words."""
    return tuple(_line(state, row, words) for row in rows)


async def _rows(node: EdgeNode, statement: str, about: Mapping[str, object]) -> list[Row]:
    asked = {"epoch": node.dispatcher.state.tail.epoch, "most": MOST, **about}
    reader = await open_reader(node.settings.database_file)
    try:
        return [Row(**dict(row)) for row in await reader.execute_fetchall(statement, asked)]
    finally:
        await reader.close()


def _line(state: OfficeState, row: Row, words: Words) -> FactLine:
    fact = _fact(row)
    ticket = state.day.tickets.get(getattr(fact, "ticket_id", ""))
    return FactLine(
        at=datetime.fromisoformat(row.occurred_at),
        what=_what(state, fact, row.type, words),
        label=ticket.label if ticket is not None else "",
        who=_who(state, row.actor_id, words),
    )


def _fact(row: Row) -> Fact | None:
    shape = FACTS.get(row.type)
    try:
        return codec.decode(bytes(row.body), shape) if shape is not None else None
    except MalformedMessage:
        return None


def _what(state: OfficeState, fact: Fact | None, tag: str, words: Words) -> str:
    if fact is None or tag not in TOLD:
        return words.text("console.fact.other")
    if isinstance(fact, TicketAbandoned):
        return words.text(f"console.fact.ticket.abandoned.{fact.reason}")
    if isinstance(fact, TicketResumed) and fact.automatic:
        return words.text("console.fact.ticket.resumed.automatic")
    outcome = getattr(fact, "outcome", None)
    service = getattr(fact, "service", None)
    return words.text(
        f"console.fact.{told_as(fact)}",
        counter=getattr(fact, "counter", None) or "",
        outcome=words.text(f"console.outcome.{outcome}").lower() if outcome else "",
        service=service_name(state, service, words.locale.tag) if service else "",
    )


def _who(state: OfficeState, actor_id: str, words: Words) -> str:
    if actor_id == CITIZEN:
        return words.text("console.fact.by.citizen")
    return "" if actor_id == SYSTEM else staff_name_of(state, actor_id)
