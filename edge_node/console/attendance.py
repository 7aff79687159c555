"""The proof of attendance: that somebody was at this office from when to when, for an employer or a school.

It says no more than that needs. A name is typed for this one print and kept nowhere; a sensitive service is left out, and any
other when the clerk says so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from edge_node.console.agenda_rules import LANGUAGES, name_of
from edge_node.console.frame import frame_of, go, member_or_none
from edge_node.console.paper import paper_page, tongues
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.staff_sessions import Member
from edge_node.queue.state import OfficeState
from sync.messages.feed import Office, Service


class Attendance(msgspec.Struct, frozen=True, kw_only=True):
    """What is attested.

    Args:
        until_at: the end of the visit; while it goes on, now.
        name: as the appointment says it; empty without one.
    """

    ticket_id: str
    label: str
    office: Office
    service: Service | None
    arrived_at: datetime
    until_at: datetime
    is_over: bool
    name: str
    language: str


@get("/attendance/{ticket_id:str}")
async def attendance_page(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str] | Response[None]:
    """The proof, with the name that the appointment has."""
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    return await _show(request, member, ticket_id)


@post("/attendance/{ticket_id:str}", status_code=200)
async def attendance_form(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str] | Response[None]:
    """The same with another name, language or without the service: for this print, and kept nowhere."""
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    return await _show(request, member, ticket_id, dict((await request.form()).multi_items()))


async def _show(
    request: AnyRequest, member: Member, ticket_id: str, form: dict[str, Any] | None = None
) -> Response[str]:
    node, frame = node_of(request), frame_of(request)
    attended = await node.dispatcher.read(lambda state: attendance_of(state, ticket_id))
    office_name = node.dispatcher.state.configuration.catalogue.office.name
    if attended is None:
        nothing = {"attended": None, "office_name": office_name, "me": member}
        return paper_page(request, "console/attendance.html", nothing, status=404)
    name, language = attended.name, attended.language
    with_service = attended.service is not None and not attended.service.sensitive
    if form is not None:
        name, language = name_of(str(form.get("name", ""))), str(form.get("language", ""))
        with_service = attended.service is not None and form.get("with_service") == "yes"
    now = node.dispatcher.state.now()
    values = {
        "attended": attended,
        "name": name,
        "language": language if language in LANGUAGES else "es",
        "with_service": with_service,
        "now": now,
        "office_name": office_name,
        "tongues": tongues(frame, language),
        "languages": LANGUAGES,
        "me": member,
    }
    return paper_page(request, "console/attendance.html", values)


def attendance_of(state: OfficeState, ticket_id: str) -> Attendance | None:
    """What can be attested of a ticket of today; none unless its person was called to a counter and came."""
    ticket = state.day.tickets.get(ticket_id)
    if ticket is None or ticket.started_at is None:
        return None
    row = state.agenda.by_id.get(ticket.appointment_id or "") or state.people.get(ticket.appointment_id or "")
    return Attendance(
        ticket_id=ticket.ticket_id,
        label=ticket.label,
        office=state.configuration.catalogue.office,
        service=state.configuration.catalogue.services.get(ticket.service),
        arrived_at=ticket.arrived_at,
        until_at=ticket.ended_at or state.now(),
        is_over=ticket.ended_at is not None,
        name=row.display_name if row is not None else "",
        language=row.language if row is not None else "es",
    )
