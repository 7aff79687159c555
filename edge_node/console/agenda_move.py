"""Moving an appointment: central keeps the old time until the new one stands."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import get, post
from litestar.response import Response

from edge_node.console.agenda_central import ask, is_used_up, trouble, who
from edge_node.console.agenda_rules import Wanted, wanted_of
from edge_node.console.agenda_search import Place, place_of
from edge_node.console.agenda_times import Times, form_page, slip_address, times_for
from edge_node.console.agenda_view import Line, find_line, line_from
from edge_node.console.frame import go, locale_of, member_or_none
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.uplink.client import Failure
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.messages import agenda as m

Page = Response[str] | Response[None]


@get("/agenda/move")
async def move_page(request: AnyRequest) -> Page:
    """Choose another time, or another office, for an appointment."""
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    wanted = wanted_of([*request.query_params.items()])
    return await show_move(request, member, place_of(request.query_params), wanted)


@post("/agenda/move", status_code=200)
async def move_form(request: AnyRequest) -> Page:
    """Move it at central; the old time is kept until the new one stands."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    pairs = [*(await request.form()).multi_items()]
    place, wanted = place_of(dict(pairs)), wanted_of(pairs)
    if wanted.do == "times" or not place.opened:
        return await show_move(request, member, place, wanted)
    if wanted.slot_start_at is None:
        return await show_move(request, member, place, wanted, problems={"at": "console.book.problem.time"})
    about = m.MoveRequest(
        **who(node, member, wanted.request_id),
        appointment_id=place.opened,
        locator=place.code or None,
        at_office=wanted.office or node.settings.office.id,
        slot_start_at=wanted.slot_start_at,
    )
    moved = await ask(node, lambda central: central.move(about))
    if isinstance(moved, m.AgendaAnswer) and moved.appointment is not None and moved.outcome == "moved":
        return go(request, slip_address(node, moved.appointment), Said(verb="move_appointment"))
    return await show_move(request, member, place, wanted, answer=moved)


async def show_move(
    request: AnyRequest,
    member: Member,
    place: Place,
    wanted: Wanted,
    *,
    answer: m.AgendaAnswer | Failure | None = None,
    problems: Mapping[str, str] | None = None,
) -> Page:
    """The appointment as it stands, and the times that it could have; none while central cannot be asked."""
    node, locale = node_of(request), locale_of(request)
    line = await _stands(node, member, place, locale)
    if line is None:
        return go(request, place.address)
    wanted = msgspec.structs.replace(
        wanted,
        service=line.service_id,
        office=wanted.office or line.office_id,
        day=wanted.day or service_date(line.slot_start_at, node.settings.zone).isoformat(),
        request_id=new_id() if is_used_up(answer) else wanted.request_id or new_id(),
    )
    times = await times_for(node, member, wanted.office, wanted.service, wanted)
    values = {"wanted": wanted, "line": line, "place": place, "cut_key": "console.move.cut"}
    return await form_page(
        request,
        member,
        "console/agenda_move.html",
        values,
        Times(lent=True) if times.lent else times,
        answer=answer if isinstance(answer, m.AgendaAnswer) else None,
        why_not=trouble(answer) if answer is not None else "",
        problems=problems or {},
    )


async def _stands(node: EdgeNode, member: Member, place: Place, locale: str) -> Line | None:
    """The appointment as central has it, else as the office knows it."""
    if not place.opened:
        return None
    about = m.AppointmentRequest(**who(node, member), appointment_id=place.opened, locator=place.code or None)
    reply = await ask(node, lambda central: central.show(about))
    if isinstance(reply, m.AgendaAnswer) and (stands := reply.appointment) is not None:
        return await node.dispatcher.read(lambda state: line_from(state, stands, locale))
    return await node.dispatcher.read(lambda state: find_line(state, place.opened, locale))
