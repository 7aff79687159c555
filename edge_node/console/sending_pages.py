"""The paper that a person carries to another office: a page to print, with the signed slip as a QR."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from edge_node.console.frame import go, locale_of, member_or_none
from edge_node.console.paper import paper_page
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sending_view import OfficeChoice, SentView, office_choice, view_sent
from edge_node.problems import Problem
from edge_node.queue.state import OfficeState


@get("/sent/{ticket_id:str}")
async def sent_paper(request: AnyRequest, ticket_id: FromPath[str]) -> Response[str] | Response[None]:
    """404 when nobody with this ticket is on the way, or this node cannot sign."""
    node, locale = node_of(request), locale_of(request)
    if member_or_none(request) is None:
        return go(request, "/sign-in")
    slip = await node.desk.slip_of_sent(ticket_id)
    found = await node.dispatcher.read(lambda state: _paper(state, ticket_id, locale))
    if slip is None or found is None:
        raise Problem(404, "not_found")
    sent, office, note, office_name = found
    values = {"sent": sent, "office": office, "note": note, "slip": slip, "office_name": office_name}
    return paper_page(request, "console/paper.html", values)


def _paper(state: OfficeState, ticket_id: str, locale: str) -> tuple[SentView, OfficeChoice, str, str] | None:
    sent = next((each for each in view_sent(state, locale) if each.ticket_id == ticket_id), None)
    if sent is None:
        return None
    remark = state.remarks.get(ticket_id)
    to_office = state.day.tickets[ticket_id].released_to or ""
    name = state.configuration.catalogue.office.name
    return sent, office_choice(state, to_office, locale), remark.note if remark else "", name
