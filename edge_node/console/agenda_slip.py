"""The slip of an appointment: what the person takes along, on paper and on the clerk's screen."""

from __future__ import annotations

from litestar import get
from litestar.params import FromPath
from litestar.response import Response

from edge_node.console.agenda_central import ask, who
from edge_node.console.agenda_rules import is_uuid
from edge_node.console.agenda_search import Place, place_of
from edge_node.console.agenda_view import service_of
from edge_node.console.frame import frame_of, go, member_or_none
from edge_node.console.paper import paper_page, tongues
from edge_node.console.routes import AnyRequest, node_of
from edge_node.leases.rules import is_pending
from edge_node.problems import Problem
from edge_node.queue.state import OfficeState
from sync.messages import agenda as m
from sync.messages.feed import Service


@get("/agenda/slip/{appointment_id:str}")
async def slip_page(request: AnyRequest, appointment_id: FromPath[str]) -> Response[str] | Response[None]:
    """The slip, in Spanish and in the person's language. While central is away it has a code to type, and none to scan."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    if not is_uuid(appointment_id):
        raise Problem(404, "not_found")
    place = place_of(request.query_params)
    about = m.AppointmentRequest(**who(node, member), appointment_id=appointment_id, locator=place.code or None)
    reply = await ask(node, lambda central: central.show(about))
    known = await node.dispatcher.read(lambda state: _known_here(state, appointment_id))
    stands = (reply.appointment if isinstance(reply, m.AgendaAnswer) else None) or known
    if stands is None and isinstance(reply, m.AgendaAnswer):
        raise Problem(404, "not_found")
    if stands is None:
        return go(request, Place(opened=appointment_id, code=place.code).address)
    state = node.dispatcher.state
    row = state.agenda.by_id.get(appointment_id)
    values = {
        "stands": stands,
        "service": service_of(state, stands.service) or _unknown(stands.service),
        "office_name": state.configuration.catalogue.office.name,
        "is_pending": row is not None and is_pending(row),
        "tongues": tongues(frame_of(request), stands.language),
        "code": place.code,
        "me": member,
    }
    return paper_page(request, "console/agenda_slip.html", values)


def _known_here(state: OfficeState, appointment_id: str) -> m.AgendaAppointment | None:
    """An appointment as this office can tell it by itself: without the code that central signs."""
    row, office = state.agenda.by_id.get(appointment_id), state.configuration.catalogue.office
    if row is None:
        return None
    return m.AgendaAppointment(
        id=row.id,
        version=row.version,
        status="booked" if row.status == "booked" else "cancelled",
        locator=row.locator,
        office=state.office,
        office_name=office.name,
        office_address=office.address,
        service=row.service_id,
        slot_start_at=row.slot_start_at,
        duration_min=row.duration_min,
        language=row.language,
    )


def _unknown(service: str) -> Service:
    """A service that central has not told of, by its id."""
    return Service(id=service, names={"es": service}, series="A", duration_min=1)
