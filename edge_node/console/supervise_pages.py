"""Supervision: who works where, ending another's counter session, closing the day in two steps."""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.response import Response

from edge_node.console.desks_view import DeskView, open_tickets, view_desks
from edge_node.console.frame import frame_of, go, locale_of, member_or_none
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.work_view import session_of
from edge_node.queue.state import OfficeState
from sync.domain.outcomes import refuse
from sync.domain.service_day import service_date


@get("/supervise")
async def supervise_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    if not member.supervisor:
        node_of(request).desk.refused(refuse("forbidden"))
        return go(request, "/", Said(refused="forbidden"))
    return await supervise(request, member, asking=request.query_params.get("ask") == "close_day")


async def supervise(
    request: AnyRequest, member: Member, *, said: Said | None = None, asking: bool = False
) -> Response[str]:
    """The page; ``asking`` shows the second step of closing the day."""
    node, locale = node_of(request), locale_of(request)

    def look(state: OfficeState) -> dict[str, Any]:
        desks: tuple[DeskView, ...] = view_desks(state, locale)
        return {
            "position": f"{state.tail.epoch}-{state.tail.seq}",
            "office_name": state.configuration.catalogue.office.name,
            "desks": tuple(desk for desk in desks if desk.session),
            "open_tickets": open_tickets(state),
            "waiting": len(state.day.waiting),
            "day_open": state.day.is_open,
            "today": service_date(state.now(), state.zone),
            "at_counter": session_of(state, member.staff_id) is not None,
        }

    values = {**await node.dispatcher.read(look), "asking": asking, "me": member}
    address = "/supervise?ask=close_day" if asking else "/supervise"
    return frame_of(request).page(request, "console/supervise.html", values, said=said, address=address)
