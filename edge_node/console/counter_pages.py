"""Choosing a counter: which are free, who has the others, what this one serves; taking one over."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
from litestar import get, post
from litestar.response import Response

from edge_node.console.acts import carry_out, fields_of, told
from edge_node.console.bar_view import person_name
from edge_node.console.desks_view import DeskView, ServiceChoice, view_desks, view_services
from edge_node.console.frame import (
    counter_cookie,
    desk_cookie,
    frame_of,
    go,
    locale_of,
    member_or_none,
    remembered_counter,
    remembered_session,
)
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.work_view import session_of
from edge_node.practice.pages import has_read
from edge_node.queue.outcomes import Done
from edge_node.queue.state import OfficeState
from ui.catalog import Words
from ui.formats import clock


@get("/counter")
async def counter_page(request: AnyRequest) -> Response[str] | Response[None]:
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    if await node.dispatcher.read(lambda state: session_of(state, member.staff_id)):
        return go(request, "/")
    chosen = request.query_params.get("counter") or remembered_counter(request)
    return await _page(request, member, chosen)


@post("/counter", status_code=200)
async def open_counter_form(request: AnyRequest) -> Response[str] | Response[None]:
    """Open the chosen counter. Whoever has it open is only ended by a supervisor, or when the box was ticked."""
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    fields = fields_of((await request.form()).multi_items())
    counter = str(fields.get("counter", ""))
    wanted, confirmed = fields.pop("take_over", None), fields.pop("confirmed", None)
    if wanted and not (member.supervisor or confirmed):
        return await _page(request, member, counter, problem="console.desk.take_over.unconfirmed")
    primary, secondary = fields.get("primary", []), fields.get("secondary", [])
    fields |= {"secondary": [each for each in secondary if each not in primary], "take_over": bool(wanted)}
    act = await carry_out(node, "open_counter", fields, member)
    assert act is not None
    words = frame_of(request).words(locale_of(request))
    said = await node.dispatcher.read(lambda state: told(state, act, words))
    if not isinstance(act.answer, Done) or act.answer.reply.session is None:
        return await _page(request, member, counter, said=said)
    reply = go(request, "/", msgspec.structs.replace(said, verb="take_over") if wanted else said)
    reply.set_cookie(counter_cookie(node, counter))
    reply.set_cookie(desk_cookie(node, act.answer.reply.session.session))
    return reply


async def _page(
    request: AnyRequest, member: Member, counter: str, *, said: Said | None = None, problem: str = ""
) -> Response[str]:
    node, frame, locale = node_of(request), frame_of(request), locale_of(request)
    words, was_at = frame.words(locale), (remembered_session(request), remembered_counter(request))

    def look(state: OfficeState) -> tuple[tuple[DeskView, ...], tuple[ServiceChoice, ...], Left, str]:
        office = state.configuration.catalogue.office.name
        left = left_counter(state, *was_at, words) if said is None and not problem else Left()
        return view_desks(state, locale), view_services(state, locale, counter), left, office

    desks, services, left, office_name = await node.dispatcher.read(look)
    values: dict[str, Any] = {
        "office_name": office_name,
        "desks": desks,
        "desk": next((desk for desk in desks if desk.id == counter), None),
        "services": services,
        "left": left,
        "problem": problem,
        "me": member,
        "offers_guide": not has_read(request, member.staff_id),
    }
    refused = problem or (said is not None and not said.is_done)
    reply = frame.page(request, "console/counter.html", values, said=said, status=422 if refused else 200)
    if was_at[0]:
        reply.set_cookie(desk_cookie(node, ""))
    return reply


class Left(NamedTuple):
    """What is told of a counter session that has gone; ``counter``: it may be taken back there."""

    text: str = ""
    counter: str = ""


def left_counter(state: OfficeState, session: str, counter: str, words: Words) -> Left:
    """What has become of the counter session that this browser worked at, when its clerk did not close it."""
    if not session or session in state.day.sessions:
        return Left()
    if not state.day.is_open:
        return Left(words.text("console.left.day"))
    holder = state.day.sessions.get(state.day.session_at.get(counter, ""))
    if holder is None:
        return Left(words.text("console.left.ended", counter=counter))
    who, since = person_name(state, holder.staff_id), clock(holder.opened_at, state.zone)
    return Left(words.text("console.left.taken_over", who=who, counter=counter, time=since), counter)
