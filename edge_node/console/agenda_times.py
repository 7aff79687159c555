"""Choosing a time: the free days and times of an office, and the page of a form that asks for one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from litestar.response import Response

from edge_node.console import notices
from edge_node.console.agenda_central import ask, who
from edge_node.console.agenda_rules import Wanted
from edge_node.console.agenda_view import service_text
from edge_node.console.desks_view import view_services
from edge_node.console.frame import frame_of, locale_of
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.queue.state import OfficeState
from sync.domain.service_day import service_date
from sync.messages import agenda as m


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen.

    Args:
        lent: central cannot be asked; these are the starts of seats that the office may sell by itself.
        recovering: central gives no appointments until its offices have reported.
    """

    offices: tuple[m.OfficeChoice, ...] = ()
    days: tuple[m.FreeDay, ...] = ()
    day: str = ""
    starts: tuple[datetime, ...] = ()
    lent: bool = False
    recovering: bool = False


async def times_for(node: EdgeNode, member: Member, office: str, service: str, wanted: Wanted) -> Times:
    """Free times at central; while it cannot be asked, those of seats lent to this office."""
    asked = m.TimesRequest(**who(node, member), at_office=office, service=service, day=wanted.wanted_day)
    reply = await ask(node, lambda central: central.times(asked))
    if isinstance(reply, m.TimesReply):
        day = reply.day.isoformat() if reply.day else ""
        return Times(offices=reply.offices, days=reply.days, day=day, starts=reply.starts, recovering=reply.recovering)
    if office != node.settings.office.id:
        return Times(lent=True)
    lent = (await node.sales.lent(service)).starts
    counted = Counter(service_date(start, node.settings.zone) for start in lent)
    days = tuple(m.FreeDay(service_date=day, free=free) for day, free in sorted(counted.items()))
    day_shown = wanted.wanted_day if wanted.wanted_day in counted else min(counted, default=None)
    return Times(
        days=days,
        day=day_shown.isoformat() if day_shown else "",
        starts=tuple(start for start in lent if service_date(start, node.settings.zone) == day_shown),
        lent=True,
    )


async def form_page(
    request: AnyRequest,
    member: Member,
    template: str,
    values: dict[str, Any],
    times: Times,
    *,
    answer: m.AgendaAnswer | None,
    why_not: str,
    problems: Mapping[str, str],
) -> Response[str]:
    """The page of a form that asks for a time; ``answer``: what central said to it, with times near a taken one."""
    node, locale = node_of(request), locale_of(request)

    def look(state: OfficeState) -> dict[str, Any]:
        return {
            "office_name": state.configuration.catalogue.office.name,
            "office_id": state.office,
            "service_options": _services(state, values["wanted"].service, locale),
            "service_text": service_text(state, values["wanted"].service, locale),
        }

    more = {
        **await node.dispatcher.read(look),
        "times": times,
        "alternatives": answer.alternatives if answer is not None else (),
        "why_not": why_not,
        "problems": problems,
        "me": member,
        "link_key": notices.link_key(node.link),
        "pending": node.link.pending_facts if node.link else 0,
    }
    status = 422 if problems else 409 if why_not else 200
    return frame_of(request).page(request, template, {**values, **more}, status=status)


def slip_address(node: EdgeNode, stands: m.AgendaAppointment) -> str:
    """Where an appointment's slip stands; one of another office is named with its locator."""
    code = "" if stands.office == node.settings.office.id else f"?code={stands.locator}"
    return f"/agenda/slip/{stands.id}{code}"


def _services(state: OfficeState, wanted: str, locale: str) -> list[tuple[str, str]]:
    """What the office offers; and what was asked for, if only another one does."""
    own = [(one.id, one.name) for one in view_services(state, locale)]
    is_own = not wanted or any(wanted == service for service, _ in own)
    return own if is_own else [*own, (wanted, service_text(state, wanted, locale))]
