"""Today's tickets with the history of one, and what waits to be sent to central."""

from __future__ import annotations

from litestar import get
from litestar.response import Response

from edge_node.console import journal_lines, notices
from edge_node.console.agenda_rules import is_uuid
from edge_node.console.day_list import TABS, view_day_list
from edge_node.console.frame import frame_of, go, locale_of, member_or_none
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.work_view import REFRESH_S, session_of


@get("/day")
async def day_page(request: AnyRequest) -> Response[str] | Response[None]:
    """``?tab=`` a part of the list, ``?page=`` a page of it, ``?ticket=`` with what has happened to that one."""
    member, node, locale = member_or_none(request), node_of(request), locale_of(request)
    if member is None:
        return go(request, "/sign-in")
    tab, ticket_id, typed = (request.query_params.get(name, "") for name in ("tab", "ticket", "page"))
    ticket_id = ticket_id if is_uuid(ticket_id) else ""
    page = int(typed) if typed.isdecimal() and len(typed) < 5 else 1
    view = await node.dispatcher.read(lambda state: view_day_list(state, tab, page, ticket_id, locale))
    rows = await journal_lines.history(node, ticket_id) if view.chosen is not None else []
    words = frame_of(request).words(locale)
    values = {
        "view": view,
        "tabs": tuple(TABS),
        "history": await node.dispatcher.read(lambda state: journal_lines.lines(state, rows, words)),
        "at_counter": await node.dispatcher.read(lambda state: session_of(state, member.staff_id) is not None),
        "refresh_s": REFRESH_S,
        "me": member,
        "link_key": notices.link_key(node.link),
        "pending": node.link.pending_facts if node.link else 0,
    }
    return frame_of(request).page(request, "console/day.html", values)


@get("/pending")
async def pending_page(request: AnyRequest) -> Response[str] | Response[None]:
    """The facts that central has not acknowledged, the newest first; they are on this node's disk."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    link = node.link
    rows = await journal_lines.pending(node, link.acked_seq) if link is not None else []
    words = frame_of(request).words(locale_of(request))
    values = {
        "office_name": node.dispatcher.state.configuration.catalogue.office.name,
        "link": link,
        "lines": await node.dispatcher.read(lambda state: journal_lines.lines(state, rows, words)),
        "pending": link.pending_facts if link is not None else 0,
        "link_key": "",
        "me": member,
    }
    return frame_of(request).page(request, "console/pending.html", values)


ROUTES = (day_page, pending_page)
