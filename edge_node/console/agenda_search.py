"""Finding appointments, and looking at who one of them is for.

Rows are masked. A person is shown of one appointment at a time, behind a fact that says who looked (``appointment.revealed``);
what is searched for stands in no address.
"""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

import msgspec

from edge_node.console.agenda_central import ask, trouble, who
from edge_node.console.agenda_rules import TYPED_MAX, day_or_none, is_uuid, slug
from edge_node.console.agenda_view import Line, find_here, find_line, line_from, merged
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.queue.state import OfficeState
from edge_node.uplink.client import Failure
from sync.domain.check_in import normalise_locator
from sync.io.ids import new_id
from sync.messages import agenda as m
from sync.messages.commands import Reveal
from sync.messages.refusals import Refusal


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked for and found. ``trouble``: why no more was."""

    typed: str
    found: tuple[Line, ...] = ()
    more: bool = False
    trouble: str = ""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where somebody stands in the agenda.

    Args:
        service: whose free times are shown; empty: the first one's.
        opened: the appointment that is open beside the list; ``code`` its locator where that is another office's.
        asking: the second step of cancelling it.
    """

    day: date | None = None
    service: str = ""
    opened: str = ""
    code: str = ""
    asking: bool = False

    @property
    def address(self) -> str:
        asked = {
            "day": self.day.isoformat() if self.day else "",
            "service": self.service,
            "open": self.opened,
            "code": self.code,
            "ask": "cancel" if self.asking else "",
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/agenda?{query}" if query else "/agenda"


def place_of(asked: Any) -> Place:
    """A place in the agenda, whatever was asked for."""
    opened = str(asked.get("open", ""))
    return Place(
        day=day_or_none(str(asked.get("day", ""))),
        service=slug(str(asked.get("service", ""))),
        opened=opened if is_uuid(opened) else "",
        code=normalise_locator(str(asked.get("code", ""))[:16]) or "",
        asking=asked.get("ask") == "cancel",
    )


def typed_of(form: Any) -> str:
    return " ".join(str(form.get("typed", "")).split())[:TYPED_MAX]


async def look_up(node: EdgeNode, member: Member, typed: str, locale: str) -> Search:
    """Ask central, and the office itself for what central does not know; the office alone when central cannot be asked."""
    if not typed:
        return Search(typed="", trouble="console.search.empty")
    reply = await ask(node, lambda central: central.search(m.SearchRequest(**who(node, member), typed=typed)))
    if isinstance(reply, Failure):
        found = await node.dispatcher.read(lambda state: find_here(state, typed, locale))
        return Search(typed=typed, found=found, trouble="console.search.alone")

    def both(state: OfficeState) -> tuple[Line, ...]:
        told_of = [line_from(state, one, locale) for one in reply.found]
        return merged((*find_here(state, typed, locale, pending_only=True), *told_of))

    return Search(typed=typed, found=await node.dispatcher.read(both), more=reply.more)


async def reveal(node: EdgeNode, member: Member, place: Place, found_by: str, locale: str) -> tuple[Line | None, str]:
    """The person of an appointment, once it is written down who looks; what the office knows of it while central is away.

    Returns:
        The appointment with its person, or none and why.
    """
    command = Reveal(
        request_id=new_id(), appointment_id=place.opened, found_by="search" if found_by == "search" else "agenda"
    )
    answer = await node.dispatcher.submit(command, member.actor) if place.opened else None
    if answer is None or isinstance(answer, Refusal):
        return None, f"console.refused.{answer.code}" if answer is not None else "console.book.not_found"
    about = m.AppointmentRequest(**who(node, member), appointment_id=place.opened, locator=place.code or None)
    reply = await ask(node, lambda central: central.reveal(about))
    if isinstance(reply, m.AgendaAnswer) and (stands := reply.appointment) is not None:
        return await node.dispatcher.read(lambda state: line_from(state, stands, locale)), ""

    def known_here(state: OfficeState) -> Line | None:
        line, row = find_line(state, place.opened, locale), state.agenda.by_id.get(place.opened)
        if line is None or row is None:
            return None
        return msgspec.structs.replace(line, person=m.AppointmentPerson(full_name=row.display_name))

    return await node.dispatcher.read(known_here), trouble(reply)
