"""What works without network, and until when: one page for everybody who works here, with the figures of this moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from litestar import get
from litestar.response import Response

from edge_node.console.frame import frame_of, go, locale_of, member_or_none
from edge_node.console.offline_rows import LOOKS, rows, server_text
from edge_node.console.offline_view import Around, view_offline
from edge_node.console.routes import AnyRequest, node_of
from edge_node.node import EdgeNode

REFRESH_S: Final = 60
"""What is left runs out by itself; nothing tells of it."""


@get("/offline")
async def offline_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    node, frame = node_of(request), frame_of(request)
    words = frame.words(locale_of(request))
    view = await node.dispatcher.read(lambda state: view_offline(state, around(node)))
    values: dict[str, Any] = {
        "view": view,
        "rows": rows(view, words, frame.zone),
        "looks": LOOKS,
        "server_text": server_text(words),
        "refresh_s": REFRESH_S,
        "me": member,
    }
    return frame.page(request, "console/offline.html", values)


def around(node: EdgeNode) -> Around:
    """What the node knows beside its queue."""
    return Around(
        link=node.link if node.settings.central.url else None,
        unheard=node.sessions.central_unheard(),
        sign_in_limit=timedelta(hours=node.settings.sign_in.offline_h),
        signs=node.desk.sign is not None,
        devices=tuple(node.devices.all()),
    )
