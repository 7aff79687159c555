"""The agenda: today and the next days, free times, search, one appointment and what can be done with it.

Central alone books, moves and cancels (``agenda_booking``); what a list shows is masked (``agenda_search``).
"""

from __future__ import annotations

from datetime import date

import msgspec
from litestar import get, post
from litestar.response import Response

from edge_node.console import notices
from edge_node.console.acts import carry_out, told
from edge_node.console.agenda_calendar import Ahead, Calendar, calendar_of, look_ahead, with_central
from edge_node.console.agenda_central import ask, trouble, who
from edge_node.console.agenda_search import Place, Search, look_up, place_of, reveal, typed_of
from edge_node.console.agenda_view import DayView, Line, find_line, line_from, today_of, view_day
from edge_node.console.desks_view import ServiceChoice, view_services
from edge_node.console.frame import frame_of, go, locale_of, member_or_none
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.work_view import session_of
from edge_node.node import EdgeNode
from edge_node.queue.state import OfficeState
from edge_node.uplink.client import Failure
from sync.messages import agenda as m

LANGUAGES = ("es", "ar", "fr", "en")
NEEDS = ("wheelchair", "signs", "interpreter", "company", "quiet", "mobility")


class _Look(msgspec.Struct, frozen=True, kw_only=True):
    position: str
    office_name: str
    calendar: Calendar
    view: DayView
    services: tuple[ServiceChoice, ...]
    at_counter: bool
    own: Line | None


@get("/agenda")
async def agenda_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    return await show(request, member, place_of(request.query_params), live=True)


@post("/agenda/search", status_code=200)
async def search_form(request: AnyRequest) -> Response[str] | Response[None]:
    """Masked rows of what was typed."""
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    form = dict((await request.form()).multi_items())
    place = place_of(form)
    return await show(
        request, member, place, search=await look_up(node_of(request), member, typed_of(form), locale_of(request))
    )


@post("/agenda/reveal", status_code=200)
async def reveal_form(request: AnyRequest) -> Response[str] | Response[None]:
    """One appointment's person: in the row of a search, or in the open appointment."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    form = dict((await request.form()).multi_items())
    place, typed = place_of(form), typed_of(form)
    search = await look_up(node, member, typed, locale_of(request)) if typed else None
    shown, why_not = await reveal(node, member, place, "search" if typed else "agenda", locale_of(request))
    if search is not None:
        found = tuple(shown if shown is not None and line.id == shown.id else line for line in search.found)
        search = msgspec.structs.replace(search, found=found, trouble=why_not or search.trouble)
        return await show(request, member, msgspec.structs.replace(place, opened="", code=""), search=search)
    return await show(request, member, place, opened=shown, why_not=why_not)


@post("/agenda/check-in", status_code=200)
async def check_in_form(request: AnyRequest) -> Response[str] | Response[None]:
    """Somebody of the agenda has come to the desk."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    form = dict((await request.form()).multi_items())
    place = place_of(form)
    fields = {"appointment_id": place.opened, "request_id": str(form.get("request_id", ""))}
    act = await carry_out(node, "check_in", fields, member)
    assert act is not None
    words = frame_of(request).words(locale_of(request))
    said = await node.dispatcher.read(lambda state: told(state, act, words))
    return go(request, msgspec.structs.replace(place, opened="" if said.is_done else place.opened).address, said)


@post("/agenda/cancel", status_code=200)
async def cancel_form(request: AnyRequest) -> Response[str] | Response[None]:
    """Cancel the open appointment, at central."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    place = place_of(dict((await request.form()).multi_items()))
    if not place.opened:
        return go(request, "/agenda")
    about = m.AppointmentRequest(**who(node, member), appointment_id=place.opened, locator=place.code or None)
    answer = await ask(node, lambda central: central.cancel(about))
    if isinstance(answer, m.AgendaAnswer) and answer.outcome == "cancelled":
        after = Place(day=place.day, service=place.service)
        return go(request, after.address, Said(verb="cancel_appointment"))
    return await show(request, member, msgspec.structs.replace(place, asking=True), why_not=trouble(answer))


async def show(
    request: AnyRequest,
    member: Member,
    place: Place,
    *,
    search: Search | None = None,
    opened: Line | None = None,
    why_not: str = "",
    live: bool = False,
) -> Response[str]:
    """The page.

    Args:
        opened: the open appointment with its person; else it is found anew, without.
        why_not: why an act was not done, as a key of the words.
        live: it was asked for by its address, so that news of the office may renew it.
    """
    node, frame, locale = node_of(request), frame_of(request), locale_of(request)
    today = today_of(node.dispatcher.state)
    ahead = await look_ahead(node, member, today, place.day or today)
    look = await node.dispatcher.read(lambda state: _look(state, member, place, ahead, locale))
    line = opened or look.own
    if place.opened and line is None:
        line, why_not = await _from_central(node, member, place, locale)
    service = place.service or (look.services[0].id if look.services else "")
    free = None if place.opened or search is not None else await _free(node, member, service, look.view.day)
    values = {
        "look": look,
        "view": look.view,
        "calendar": look.calendar,
        "is_later": place.day is not None and look.view.day > look.calendar.weeks[0].last,
        "place": place,
        "search": search,
        "line": line,
        "why_not": why_not,
        "service": service,
        "free": free.starts if isinstance(free, m.TimesReply) else (),
        "is_cut": isinstance(free, Failure),
        "live": live,
        "me": member,
        "languages": LANGUAGES,
        "known_needs": NEEDS,
        "service_options": [(one.id, one.name) for one in look.services],
        "link_key": notices.link_key(node.link),
        "pending": node.link.pending_facts if node.link else 0,
    }
    refused = why_not.startswith(("console.book.", "console.central.", "console.refused."))
    return frame.page(
        request, "console/agenda.html", values, address=place.address if live else "", status=409 if refused else 200
    )


def _look(state: OfficeState, member: Member, place: Place, ahead: Ahead, locale: str) -> _Look:
    own = find_line(state, place.opened, locale) if place.opened else None
    today = today_of(state)
    day = place.day or today
    return _Look(
        position=f"{state.tail.epoch}-{state.tail.seq}",
        office_name=state.configuration.catalogue.office.name,
        calendar=calendar_of(state, today, day, ahead, locale),
        view=with_central(state, view_day(state, day, locale), ahead, locale),
        services=view_services(state, locale),
        at_counter=session_of(state, member.staff_id) is not None,
        own=own,
    )


async def _from_central(node: EdgeNode, member: Member, place: Place, locale: str) -> tuple[Line | None, str]:
    """An appointment that the office does not know by itself: of a later day, or of another office."""
    about = m.AppointmentRequest(**who(node, member), appointment_id=place.opened, locator=place.code or None)
    reply = await ask(node, lambda central: central.show(about))
    if isinstance(reply, m.AgendaAnswer) and (stands := reply.appointment) is not None:
        return await node.dispatcher.read(lambda state: line_from(state, stands, locale)), ""
    return None, trouble(reply)


async def _free(node: EdgeNode, member: Member, service: str, day: date) -> m.TimesReply | Failure | None:
    if not service:
        return None
    asked = m.TimesRequest(**who(node, member), at_office=node.settings.office.id, service=service, day=day)
    return await ask(node, lambda central: central.times(asked))
