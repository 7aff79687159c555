"""Supervision: what waits for a supervisor, all counters, what a change would do before it is done, what everybody is told; and
the end of the day in two steps.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import get
from litestar.response import Response

from edge_node.console.bar_view import PAUSE_REASONS, view_broadcasts, waiting_texts
from edge_node.console.desk_panels import ends_in_s
from edge_node.console.frame import frame_of, go, locale_of, member_or_none
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.supervise_view import Asked, Chosen, Supervised, view_supervised
from edge_node.console.tickets_view import service_name
from edge_node.node import EdgeNode
from sync.domain.outcomes import refuse
from sync.domain.waits.what_if import Effect
from ui.catalog import Words

REFRESH_S: Final = 30
BROADCAST_MIN: Final = (15, 30, 60)
TELLS_MIN: Final = 2
"""A minute more or less is the dice of the replay."""
NOTHING_ASKED: Final = Asked()


@get("/supervise")
async def supervise_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    if not member.supervisor:
        node_of(request).desk.refused(refuse("forbidden"))
        return go(request, "/", Said(refused="forbidden"))
    query = request.query_params
    asked = Asked(query.get("counter", "")[:40], query.get("ask", ""), tuple(query.getall("serve", [])))
    return await supervise(request, member, asked=asked)


async def supervise(
    request: AnyRequest, member: Member, *, said: Said | None = None, asked: Asked = NOTHING_ASKED
) -> Response[str]:
    """The page; what is asked for shows a counter to change, or a second step."""
    node, locale, frame = node_of(request), locale_of(request), frame_of(request)
    words = frame.words(locale)
    view: Supervised = await node.dispatcher.read(lambda state: view_supervised(state, member.staff_id, asked, locale))
    standing = view_broadcasts(node.dispatcher.state, node.broadcasts.standing())
    values: dict[str, Any] = {
        "view": view,
        "asking": asked.ask,
        "effects": await _effects(node, view.chosen, words),
        "alone": waiting_texts(view.chosen.alone, words) if view.chosen else [],
        "broadcasts": standing,
        "refresh_s": ends_in_s(standing, node.dispatcher.state.now(), REFRESH_S),
        "duration_options": [
            *((str(n), words.text("console.broadcast.minutes", n=n)) for n in BROADCAST_MIN),
            ("", words.text("console.broadcast.day")),
        ],
        "pause_reasons": {reason: words.text(f"console.pause.reason.{reason}") for reason in PAUSE_REASONS},
        "role_options": [(role, words.text(f"console.role.{role}")) for role in ("primary", "secondary", "none")],
        "me": member,
    }
    address = str(request.url.path) + (f"?{request.url.query}" if request.url.query else "")
    here = address if request.method == "GET" else "/supervise"
    return frame.page(request, "console/supervise.html", values, said=said, address=here)


async def _effects(node: EdgeNode, chosen: Chosen | None, words: Words) -> list[str]:
    """What the change that was asked for would do, one sentence a service."""
    if chosen is None or chosen.change is None:
        return []
    state, locale = node.dispatcher.state, words.locale.tag
    found = await node.forecasts.of(chosen.change)
    return [effect_text(each, service_name(state, each.service, locale), words) for each in found]


def effect_text(effect: Effect, service: str, words: Words) -> str:
    """``Baja la espera de Padrón de ~14 a ~8 min``, and its like."""
    before, after = effect.before_min, effect.after_min
    if before is None and after is None:
        return words.text("console.effect.nobody", service=service)
    if before is None:
        return words.text("console.effect.served", service=service, after=after)
    if after is None:
        return words.text("console.effect.left", service=service, before=before)
    if abs(before - after) < TELLS_MIN:
        return words.text("console.effect.same", service=service, after=after)
    if after < before:
        return words.text("console.effect.less", service=service, before=before, after=after)
    return words.text("console.effect.more", service=service, before=before, after=after)
