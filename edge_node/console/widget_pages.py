"""The console in a small window beside another program: the visit, who is next, how many wait, and the verbs of most visits.

The same session, keys, forms and live news as the work screen, without anything of a person but their number.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import get
from litestar.response import Response

from edge_node.console.bar_view import PAUSE_REASONS, Bar, view_bar
from edge_node.console.frame import frame_of, locale_of, member_or_none, session_token
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.work_view import WorkView, session_of, view_work
from edge_node.queue.state import OfficeState

ADDRESS = "/widget"


class Small(msgspec.Struct, frozen=True, kw_only=True):
    """What the small window reads of the state, at one position of the journal."""

    work: WorkView
    bar: Bar


@get(ADDRESS)
async def widget_page(request: AnyRequest) -> Response[str]:
    async with frame_of(request).looks:
        return await widget(request, member_or_none(request))


async def widget(request: AnyRequest, member: Member | None, said: Said | None = None) -> Response[str]:
    """The small window; without a counter to show it says why, and leads to the large one."""
    node, frame, locale = node_of(request), frame_of(request), locale_of(request)
    small = await node.dispatcher.read(lambda state: _look(state, member, locale)) if member is not None else None
    if small is None:
        return frame.page(request, "console/widget_out.html", _why_out(request, member))
    words = frame.words(locale)
    visit = small.work.visit
    values: dict[str, Any] = {
        "help_key": "",
        "view": msgspec.structs.replace(small.work, visit=msgspec.structs.replace(visit, name="", note=""))
        if visit is not None
        else small.work,
        "bar": small.bar,
        "pause_options": [(reason, words.text(f"console.pause.reason.{reason}")) for reason in PAUSE_REASONS],
        "refresh_s": small.work.refresh_s,
        "me": member,
    }
    status = 503 if said is not None and said.refused == "retry" else 200
    return frame.page(request, "console/widget.html", values, said=said, address=ADDRESS, status=status)


def _why_out(request: AnyRequest, member: Member | None) -> dict[str, Any]:
    """Why nothing of a counter can be shown: the screen is locked, nobody is signed in, or they have no counter open."""
    node = node_of(request)
    locked = node.sessions.locked_member(session_token(request)) if member is None else None
    session = session_of(node.dispatcher.state, locked.staff_id) if locked is not None else None
    return {
        "help_key": "",
        "signed_in": member is not None,
        "locked_by": locked.display_name if locked is not None else "",
        "counter": session.counter if session is not None else "",
        "unsent": member is None and "unsent" in request.query_params,
    }


def _look(state: OfficeState, member: Member, locale: str) -> Small | None:
    session = session_of(state, member.staff_id)
    if session is None:
        return None
    return Small(work=view_work(state, session, locale), bar=view_bar(state, session, member, locale))
