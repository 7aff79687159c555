"""The work screen and its verbs.

Its panels (call out of order, transfer, give a ticket, a ticket just given) are the same page with ``?panel=``, so that each
has an address, works without script and survives a refresh.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Response

from edge_node.console import notices
from edge_node.console.acts import Act, carry_out, fields_of, told
from edge_node.console.desks_view import DeskView, ServiceChoice, view_desks, view_services
from edge_node.console.frame import (
    desk_cookie,
    frame_of,
    go,
    is_enhanced,
    locale_of,
    member_or_none,
    remembered_session,
)
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said, because
from edge_node.console.staff_sessions import Member
from edge_node.console.supervise_pages import supervise
from edge_node.console.work_view import WorkView, session_of, view_work
from edge_node.node import EdgeNode
from edge_node.problems import Problem
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Done
from edge_node.queue.state import OfficeState
from sync.messages.refusals import Refusal
from sync.messages.topics import Slip
from ui.catalog import Words

PANELS: Final = ("call", "transfer", "give", "given")
OUTCOMES: Final = ("resolved", "missing_documents", "referred", "not_applicable", "identity_mismatch")
REASONS: Final = ("mobility", "short", "returning", "distress", "language", "supervisor")
NEEDS: Final = ("wheelchair", "signs", "interpreter", "company", "quiet", "mobility")
LANGUAGES: Final = ("es", "ar", "fr", "en")
GIVING: Final = ("take_ticket", "check_in", "print_again")
CHOICES: Final = {"outcomes": OUTCOMES, "known_needs": NEEDS, "languages": LANGUAGES}


class Panel(msgspec.Struct, frozen=True):
    """What is open on the work screen; nothing when the name is empty."""

    name: str = ""
    ticket: str = ""

    @property
    def address(self) -> str:
        asked = {"panel": self.name, "ticket": self.ticket} if self.name else {}
        return "/" + ("?" + urlencode({name: value for name, value in asked.items() if value}) if asked else "")

    @classmethod
    def of(cls, name: str, ticket: str) -> Panel:
        """A panel that exists, whatever was asked for."""
        return cls(name, ticket[:36]) if name in PANELS else cls()

    @classmethod
    def at(cls, address: str) -> Panel:
        """The panel of one of our own addresses."""
        asked = parse_qs(urlsplit(address).query)
        return cls.of(asked.get("panel", [""])[0], asked.get("ticket", [""])[0])


class Screen(msgspec.Struct, frozen=True, kw_only=True):
    """All of the state that a work page reads, at one position of the journal."""

    work: WorkView
    desks: tuple[DeskView, ...]
    services: tuple[ServiceChoice, ...]
    preferential: bool


@get("/")
async def work_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    panel = Panel.of(request.query_params.get("panel", ""), request.query_params.get("ticket", ""))
    return await work(request, member, panel)


@post("/act/{verb:str}", status_code=200)
async def act_form(request: AnyRequest, verb: FromPath[str]) -> Response[str] | Response[None]:
    """Any verb. The answer leads back to where the form stood, or shows the ticket that was given."""
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    form = await request.form()
    act = await carry_out(node, verb, fields_of(form.multi_items()), member)
    if act is None:
        raise Problem(404, "not_found")
    words = frame_of(request).words(locale_of(request))
    said = await node.dispatcher.read(lambda state: told(state, act, words))
    if str(form.get("here", "")).startswith("/supervise"):
        return await supervise(request, member, said=said) if is_enhanced(request) else go(request, "/supervise", said)
    if verb == "close_counter" and said.is_done:
        reply = go(request, "/counter", said)
        reply.set_cookie(desk_cookie(node, ""))
        return reply
    panel = after_act(act, Panel.at(str(form.get("here", ""))))
    return await work(request, member, panel, said) if is_enhanced(request) else go(request, panel.address, said)


def after_act(act: Act, panel: Panel) -> Panel:
    """What is open after an act: its panel when it was refused, the ticket when one was given, else nothing."""
    answer = act.answer
    if isinstance(answer, Refusal):
        known = answer.code == "already_checked_in" and answer.ticket_id
        return Panel("given", answer.ticket_id or "") if known else panel
    if act.verb not in GIVING:
        return Panel()
    ticket = answer.reply.ticket if isinstance(answer, Done) else None
    return Panel("given", ticket.ticket_id) if ticket else panel


async def work(
    request: AnyRequest, member: Member, panel: Panel, said: Said | None = None
) -> Response[str] | Response[None]:
    """The work screen of a member, who is led to choose a counter while they have none open."""
    node, frame, locale = node_of(request), frame_of(request), locale_of(request)
    screen = await node.dispatcher.read(lambda state: _look(state, member, locale))
    if screen is None:
        return go(request, "/counter", said)
    slip = await _slip(node, panel, locale)
    words = frame.words(locale)
    values = {
        **CHOICES,
        **_options(screen, node, words),
        **_around(node, screen, words),
        "view": screen.work,
        "panel": panel.name if panel.name != "given" or slip else "",
        "panel_ticket": panel.ticket,
        "because": because(screen.work.because, words, frame.zone) if screen.work.because else "",
        "desks": screen.desks,
        "services": screen.services,
        "preferential": screen.preferential,
        "slip": slip,
        "me": member,
    }
    status = 503 if said is not None and said.refused == "retry" else 200
    reply = frame.page(request, "console/work.html", values, said=said, address=panel.address, status=status)
    if remembered_session(request) != screen.work.session:
        reply.set_cookie(desk_cookie(node, screen.work.session))
    return reply


def _look(state: OfficeState, member: Member, locale: str) -> Screen | None:
    session = session_of(state, member.staff_id)
    if session is None:
        return None
    return Screen(
        work=view_work(state, session, locale),
        desks=tuple(desk for desk in view_desks(state, locale) if desk.session and desk.id != session.counter),
        services=view_services(state, locale, session.counter),
        preferential="reduced_mobility" in state.day.policy.class_head_start_min,
    )


def _around(node: EdgeNode, screen: Screen, words: Words) -> dict[str, Any]:
    """What stands beside the queue: the link to central, devices, paper."""
    devices = node.devices.all() if node.lan is not None else []
    return {
        "link_key": notices.link_key(node.link),
        "pending": node.link.pending_facts if node.link else 0,
        "notices": [
            *notices.of_devices(devices, words),
            *notices.of_tickets(screen.work.not_printed, screen.work.to_verify, words),
            *notices.of_sold(screen.work.sold, words),
        ],
    }


def _options(screen: Screen, node: EdgeNode, words: Words) -> dict[str, list[tuple[str, str]]]:
    """What the panels' lists offer, as (value, text)."""
    kiosks = sorted(node.devices.kiosks) if node.lan is not None else []
    return {
        "reason_options": [(reason, words.text(f"console.reason.{reason}")) for reason in REASONS],
        "service_options": [(service.id, service.name) for service in screen.services if service.walk_in],
        "language_options": [(language, words.text(f"console.language.{language}")) for language in LANGUAGES],
        "kiosk_options": [(kiosk, kiosk) for kiosk in kiosks],
    }


async def _slip(node: EdgeNode, panel: Panel, locale: str) -> Slip | None:
    """The slip of the ticket that the panel shows; none when there is no such ticket today."""
    if panel.name != "given" or not await node.dispatcher.read(lambda state: panel.ticket in state.day.tickets):
        return None
    slip = await node.desk.slip_again(panel.ticket, Wish(language=locale))
    return None if isinstance(slip, Refusal) else slip
