"""Giving an appointment: at central, or out of seats lent to the office while central cannot be asked.

The form keeps its request_id until it is answered: sent twice it books once. When central's answer does not come nobody knows
what happened, so the same form is to be sent again; a lent seat is then only sold to who says that it shall be.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from litestar import get, post
from litestar.response import Response

from edge_node.console.agenda_central import ask, is_open, is_used_up, trouble, who
from edge_node.console.agenda_rules import (
    DOCUMENT_KINDS,
    LANGUAGES,
    SUPPORT,
    Wanted,
    problems_of,
    wanted_of,
)
from edge_node.console.agenda_times import form_page, slip_address, times_for
from edge_node.console.agenda_view import Line, find_line
from edge_node.console.frame import go, locale_of, member_or_none
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.leases.sales import SellHere
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Done
from edge_node.queue.state import OfficeState
from edge_node.uplink.client import Failure
from sync.io.ids import new_id
from sync.messages import agenda as m

Page = Response[str] | Response[None]


@get("/agenda/new")
async def new_page(request: AnyRequest) -> Page:
    """The form; ``from`` names the ticket of the visit that the appointment follows."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    asked = dict(request.query_params.items())
    wanted = wanted_of([*asked.items(), ("ticket", asked.get("from", ""))])
    wanted = await node.dispatcher.read(lambda state: _begun(state, wanted))
    return await show_form(request, member, msgspec.structs.replace(wanted, request_id=new_id()))


@post("/agenda/new", status_code=200)
async def new_form(request: AnyRequest) -> Page:
    """Book what the form says; or only show the times of another day, service or office."""
    member, node = member_or_none(request), node_of(request)
    if member is None:
        return go(request, "/sign-in")
    form = await request.form()
    typed = wanted_of([*form.multi_items()])
    wanted = await node.dispatcher.read(lambda state: _complete(state, typed))
    if not wanted.request_id:
        wanted = msgspec.structs.replace(wanted, request_id=new_id())
    if wanted.do == "times":
        return await show_form(request, member, wanted)
    if problems := problems_of(wanted):
        return await show_form(request, member, wanted, problems=problems)
    booked = await ask(node, lambda central: central.book(_request(node, member, wanted)))
    if isinstance(booked, m.AgendaAnswer):
        if booked.appointment is not None and booked.outcome == "booked":
            return go(request, slip_address(node, booked.appointment), Said(verb="book_appointment"))
        wanted = msgspec.structs.replace(wanted, request_id=new_id()) if is_used_up(booked) else wanted
        return await show_form(request, member, wanted, answer=booked)
    if is_open(booked):
        return await show_form(request, member, msgspec.structs.replace(wanted, tried=True), why_not=trouble(booked))
    return await _out_of_leases(request, member, wanted, booked, anyway=form.get("anyway") == "yes")


async def _out_of_leases(request: AnyRequest, member: Member, wanted: Wanted, why: Failure, *, anyway: bool) -> Page:
    """Sell a lent seat, if central cannot be asked and this office may; never one more."""
    node = node_of(request)
    if wanted.same_person or wanted.office not in ("", node.settings.office.id):
        key = "console.book.cut.person" if wanted.same_person else trouble(why)
        return await show_form(request, member, msgspec.structs.replace(wanted, same_person=False), why_not=key)
    if wanted.tried and not anyway:
        return await show_form(request, member, wanted, problems={"anyway": "console.book.problem.anyway"})
    assert wanted.slot_start_at is not None
    sale = SellHere(
        request_id=wanted.request_id,
        service=wanted.service,
        slot_start_at=wanted.slot_start_at,
        full_name=wanted.full_name,
        document_kind=wanted.document_kind,  # type: ignore[arg-type]
        document=wanted.document,
        email=wanted.email or None,
        phone=wanted.phone or None,
        language=wanted.language,
        needs=wanted.needs,
    )
    answer = await node.sales.sell(sale, member.actor)
    if isinstance(answer, Done) and answer.reply.sold is not None:
        return go(request, f"/agenda/slip/{answer.reply.sold.appointment_id}", Said(verb="sell_lease"))
    code = "retry" if isinstance(answer, Done) else answer.code
    return await show_form(request, member, wanted, why_not=f"console.refused.{code}")


async def show_form(
    request: AnyRequest,
    member: Member,
    wanted: Wanted,
    *,
    answer: m.AgendaAnswer | None = None,
    why_not: str = "",
    problems: Mapping[str, str] | None = None,
) -> Response[str]:
    """The form as it was filled in, with the times of its day; beside the times near a taken one, those are offered."""
    node, locale = node_of(request), locale_of(request)
    wanted = await node.dispatcher.read(lambda state: _complete(state, wanted))
    times = await times_for(node, member, wanted.office, wanted.service, wanted)
    follows = await node.dispatcher.read(lambda state: _follows(state, wanted.ticket, locale))
    values = {
        "wanted": wanted,
        "follows": follows,
        "cut_key": "console.book.cut.lent" if times.starts else "console.book.cut.none",
        "document_kinds": DOCUMENT_KINDS,
        "languages": LANGUAGES,
        "support": SUPPORT,
    }
    key = why_not or (trouble(answer) if answer is not None else "")
    return await form_page(
        request, member, "console/agenda_new.html", values, times, answer=answer, why_not=key, problems=problems or {}
    )


def _request(node: EdgeNode, member: Member, wanted: Wanted) -> m.BookRequest:
    assert wanted.slot_start_at is not None
    appointment_id = None
    if wanted.same_person:
        ticket = node.dispatcher.state.day.tickets.get(wanted.ticket)
        appointment_id = ticket.appointment_id if ticket is not None else None
    return m.BookRequest(
        **who(node, member, wanted.request_id),
        at_office=wanted.office or node.settings.office.id,
        service=wanted.service,
        slot_start_at=wanted.slot_start_at,
        full_name=wanted.full_name,
        document_kind=wanted.document_kind,  # type: ignore[arg-type]
        document=wanted.document,
        person_of=appointment_id,
        email=wanted.email or None,
        phone=wanted.phone or None,
        language=wanted.language,
        needs=wanted.needs,
    )


def _begun(state: OfficeState, wanted: Wanted) -> Wanted:
    """A form that nobody has filled in yet: person and service of the visit that it follows."""
    ticket = state.day.tickets.get(wanted.ticket)
    if ticket is None:
        return msgspec.structs.replace(wanted, ticket="")
    row = state.agenda.by_id.get(ticket.appointment_id or "")
    return msgspec.structs.replace(
        wanted,
        service=wanted.service or ticket.service,
        same_person=row is not None,
        language=row.language if row is not None else wanted.language,
        needs=row.needs if row is not None else wanted.needs,
    )


def _complete(state: OfficeState, wanted: Wanted) -> Wanted:
    """With an office and a service, so that there are times to show; the same person only where there is one to take."""
    ticket = state.day.tickets.get(wanted.ticket)
    services = state.configuration.catalogue.office.services
    return msgspec.structs.replace(
        wanted,
        office=wanted.office or state.office,
        service=wanted.service or (services[0] if services else ""),
        same_person=wanted.same_person and ticket is not None and ticket.appointment_id is not None,
    )


def _follows(state: OfficeState, ticket_id: str, locale: str) -> Line | None:
    """The appointment of the visit that the new one follows."""
    ticket = state.day.tickets.get(ticket_id)
    return find_line(state, ticket.appointment_id or "", locale) if ticket is not None else None
