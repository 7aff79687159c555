"""The work screen and its verbs; its panels are the same page with ``?panel=`` (``panels.py``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from edge_node.console import notices
from edge_node.console.acts import carry_out, fields_of, told
from edge_node.console.bar_view import Bar, view_bar
from edge_node.console.desk_panels import panel_values
from edge_node.console.desks_view import DeskView, ServiceChoice, view_desks, view_services
from edge_node.console.frame import (
    desk_cookie,
    frame_of,
    go,
    go_unsent,
    is_enhanced,
    left_by,
    locale_of,
    member_or_none,
    remembered_service,
    remembered_session,
    service_cookie,
    session_token,
)
from edge_node.console.panels import CHOICES, Panel, after_act, default_service, fits, options, values_of
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sending_view import Sending, view_office_panel, view_sending
from edge_node.console.sentences import REVERSIBLE, Said, because, undo_text
from edge_node.console.staff_sessions import Member
from edge_node.console.supervise_pages import supervise
from edge_node.console.tickets_view import Look, Place, Standing, staff_name_of
from edge_node.console.widget_pages import ADDRESS as WIDGET
from edge_node.console.widget_pages import widget
from edge_node.console.work_view import WorkView, session_of, view_work
from edge_node.node import EdgeNode
from edge_node.problems import Problem
from edge_node.queue.desk import Wish
from edge_node.queue.state import OfficeState
from sync.domain.names import initials
from sync.domain.parked import ParkedAlert, Returned, for_clerk, parked_alerts, returned
from sync.domain.support import answer_for, calls
from sync.domain.ticket import CounterSession, SupportAnswer, SupportCall, Ticket
from sync.messages.refusals import Refusal
from sync.messages.topics import Slip
from ui.catalog import Words

GIVEN_BY = ("take_ticket", "serve_walk_in")
"""Verbs after which this PC remembers the service."""


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """All of the state that a work page reads, at one position of the journal.

    Args:
        subject: the ticket that the panel is about; standing: its place in the line, while it waits.
        zones: where a counter is open that serves the visit's service.
        classes: of the office's policy, beside the general one.
        parked: parked tickets that this clerk must look after; back: those that came back by themselves.
        names: of the clerks that the notices speak of.
    """

    work: WorkView
    subject: Place | None
    standing: Standing | None
    desks: tuple[DeskView, ...]
    services: tuple[ServiceChoice, ...]
    own: tuple[str, ...]
    zones: tuple[str, ...]
    classes: tuple[str, ...]
    parked: tuple[ParkedAlert, ...]
    back: tuple[Returned, ...]
    calls: tuple[SupportCall, ...]
    answer: SupportAnswer | None
    names: dict[str, str]
    bar: Bar
    sending: Sending


@get("/")
async def work_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    panel = Panel.of(*(request.query_params.get(name, "") for name in ("panel", "ticket", "office")))
    async with frame_of(request).looks:
        return await work(request, member, panel)


@post("/act/{verb:str}", status_code=200)
async def act_form(request: AnyRequest, verb: FromPath[str]) -> Response[str] | Response[None]:
    """Any verb. The answer leads back to where the form stood, or shows the ticket that was given."""
    node, member = node_of(request), member_or_none(request)
    form = await request.form()
    is_small = str(form.get("here", "")).startswith(WIDGET)
    if member is None:
        return go_unsent(request, WIDGET) if is_small else go_unsent(request)
    act = await carry_out(node, verb, fields_of(form.multi_items()), member)
    if act is None:
        raise Problem(404, "not_found")
    words = frame_of(request).words(locale_of(request))
    said = await node.dispatcher.read(lambda state: told(state, act, words))
    if str(form.get("here", "")).startswith("/supervise"):
        return await supervise(request, member, said=said) if is_enhanced(request) else go(request, "/supervise", said)
    if is_small:
        return await widget(request, member, said) if is_enhanced(request) else go(request, WIDGET, said)
    if verb == "close_counter" and said.is_done:
        reply = go(request, "/counter", said)
        reply.set_cookie(desk_cookie(node, ""))
        return reply
    panel = after_act(act, Panel.at(str(form.get("here", ""))))
    page = await work(request, member, panel, said) if is_enhanced(request) else go(request, panel.address, said)
    if verb in GIVEN_BY and said.is_done:
        page.set_cookie(service_cookie(node, str(act.fields.get("service", ""))))
    return page


async def work(
    request: AnyRequest, member: Member, panel: Panel, said: Said | None = None
) -> Response[str] | Response[None]:
    """The work screen of a member, who is led to choose a counter while they have none open."""
    node, frame, locale = node_of(request), frame_of(request), locale_of(request)
    screen = await node.dispatcher.read(lambda state: _look(state, member, panel, locale))
    if screen is None:
        return go(request, "/counter", said)
    slip = await _slip(node, panel, locale)
    is_shown = slip is not None if panel.name == "given" else fits(panel, screen.work, screen.subject)
    words = frame.words(locale)
    kiosks = node.devices.kiosks if node.lan is not None else ()
    values = {
        **CHOICES,
        **options(screen.services, screen.classes, kiosks, words),
        **values_of(screen.work, screen.subject),
        **_around(node, screen, member, words),
        **await panel_values(
            node,
            screen.bar,
            screen.sending,
            panel=panel.name,
            ticket=panel.ticket,
            refresh_s=screen.work.refresh_s,
            words=words,
        ),
        **_person(request, screen.work),
        "panel": panel.name if is_shown else "",
        "panel_ticket": panel.ticket,
        "panel_office": panel.office,
        "standing": screen.standing,
        "stands_because": because(screen.standing.because, words, frame.zone) if screen.standing else "",
        "because": because(screen.work.because, words, frame.zone) if screen.work.because else "",
        "undo": undo_text(screen.work.undo, words) if screen.work.undo else "",
        "offers_undo": _offers_undo(said or left_by(request), screen.work),
        "park_text": lambda reason: notices.park_reason(reason, words),
        "desks": screen.desks,
        "services": screen.services,
        "zones": screen.zones,
        "own_zone": screen.work.zone,
        "service": default_service(remembered_service(request), screen.own, screen.services),
        "slip": slip,
        "me": member,
    }
    status = 503 if said is not None and said.refused == "retry" else 200
    reply = frame.page(request, "console/work.html", values, said=said, address=panel.address, status=status)
    if remembered_session(request) != screen.work.session:
        reply.set_cookie(desk_cookie(node, screen.work.session))
    return reply


def _look(state: OfficeState, member: Member, panel: Panel, locale: str) -> Screen | None:
    session = session_of(state, member.staff_id)
    if session is None:
        return None
    day, now = state.day, state.now()
    work = view_work(state, session, locale)
    parked = for_clerk(parked_alerts(day, now), member.staff_id, supervisor=member.supervisor)
    asked, answer = calls(day), answer_for(day, member.staff_id, now)
    who = {alert.parked_by for alert in parked} | {call.staff_id for call in asked}
    subject = _subject(state, work, panel)
    about = Look(state, session, locale)
    return Screen(
        work=work,
        subject=about.place(subject) if subject is not None else None,
        standing=about.standing(subject) if subject is not None else None,
        desks=tuple(desk for desk in view_desks(state, locale) if desk.session and desk.id != session.counter),
        services=view_services(state, locale, session.counter),
        own=session.primary,
        zones=_zones(day.sessions.values(), work),
        classes=tuple(day.policy.class_head_start_min),
        parked=parked,
        back=returned(day, member.staff_id, now),
        calls=asked,
        answer=answer,
        names={each: staff_name_of(state, each) for each in (*who, answer.staff_id if answer else "")},
        bar=view_bar(state, session, member, locale),
        sending=view_office_panel(state, session, panel.ticket, panel.office, locale)
        if panel.name == "office"
        else view_sending(state, session, locale),
    )


def _person(request: AnyRequest, view: WorkView) -> dict[str, Any]:
    """The view, without the data of the visit's person while nobody sits there: then only who it is about, in initials."""
    visit = view.visit
    if visit is None or not visit.name:
        return {"view": view, "hidden": ""}
    if node_of(request).sessions.shows(session_token(request), visit.ticket_id, visit.called_at):
        return {"view": view, "hidden": ""}
    masked = msgspec.structs.replace(visit, name="", note="")
    return {"view": msgspec.structs.replace(view, visit=masked), "hidden": initials(visit.name)}


def _zones(sessions: Iterable[CounterSession], work: WorkView) -> tuple[str, ...]:
    """Where somebody can serve the visit's service now."""
    service = work.visit.services[0][0] if work.visit is not None else ""
    return tuple(sorted({s.zone for s in sessions if s.zone and s.serves(service)}))


def _subject(state: OfficeState, work: WorkView, panel: Panel) -> Ticket | None:
    """The ticket that a panel is about, while it is open."""
    visit = work.visit.ticket_id if work.visit is not None else ""
    ticket = state.day.tickets.get(panel.ticket or visit)
    return ticket if ticket is not None and ticket.is_open else None


def _around(node: EdgeNode, screen: Screen, member: Member, words: Words) -> dict[str, Any]:
    """What stands beside the queue: the link to central, colleagues, what was set aside, devices, paper."""
    devices = node.devices.all() if node.lan is not None else []
    to = notices.Reader(member.staff_id, screen.names.__getitem__, words, node.settings.zone)
    return {
        "link_key": notices.link_key(node.link),
        "pending": node.link.pending_facts if node.link else 0,
        "notices": [
            *notices.of_support(screen.calls, screen.answer, to),
            *notices.of_parked(screen.parked, to),
            *notices.of_returned(screen.back, to),
            *notices.of_devices(devices, words),
            *notices.of_tickets(screen.work.not_printed, screen.work.to_verify, words),
            *notices.of_sold(screen.work.sold, words),
            *notices.of_unattended(screen.bar.unattended, words),
        ],
    }


def _offers_undo(told: Said | None, work: WorkView) -> bool:
    """Whether what is told may be taken back beside it."""
    return told is not None and told.is_done and told.verb in REVERSIBLE and work.undo is not None


async def _slip(node: EdgeNode, panel: Panel, locale: str) -> Slip | None:
    """The slip of the ticket that the panel shows; none when there is no such ticket today."""
    if panel.name != "given" or not await node.dispatcher.read(lambda state: panel.ticket in state.day.tickets):
        return None
    slip = await node.desk.slip_again(panel.ticket, Wish(language=locale))
    return None if isinstance(slip, Refusal) else slip
