"""What belongs to one person: their keys, and their sessions at this office."""

from __future__ import annotations

from typing import Any

from litestar import get, post
from litestar.response import Response

from edge_node.console.acts import close_own_counter
from edge_node.console.frame import frame_of, go, go_unsent, member_or_none, session_token
from edge_node.console.key_bindings import ALLOWED, USUAL, KeysRefused, chosen
from edge_node.console.routes import AnyRequest, node_of
from edge_node.console.sentences import Said
from edge_node.console.sign_in_pages import signed_out
from edge_node.console.staff_sessions import Member

KEY_WORDS = {
    "call_next": "console.call_next",
    "start": "console.arrived",
    "recall": "console.recall",
    "no_show": "console.no_show",
    "finish": "console.finish",
    "give": "console.walk_in",
    "undo": "console.undo",
    "pause": "console.pause",
    "close": "console.desk.close",
    "support": "console.support",
    "palette": "console.palette",
    "lock": "console.lock",
}
REFUSED = {"not_allowed": "console.keys.not_allowed", "twice": "console.keys.twice"}


@get("/me")
async def own_page(request: AnyRequest) -> Response[str] | Response[None]:
    member = member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    return _page(request, member, node_of(request).own_keys.of(member.staff_id))


@post("/me/keys", status_code=200)
async def keys_form(request: AnyRequest) -> Response[str] | Response[None]:
    """Keep somebody's keys, or the usual ones again."""
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go_unsent(request)
    form = await request.form()
    wanted = {} if form.get("usual") else {usual: str(form.get(usual, usual))[:20] for usual in USUAL}
    keys = chosen(wanted)
    if isinstance(keys, KeysRefused):
        return _page(request, member, {usual: wanted.get(usual, usual) for usual in USUAL}, keys)
    await node.own_keys.keep(member.staff_id, keys)
    return go(request, "/me", Said(verb="set_keys"))


@post("/me/sign-out-everywhere", status_code=303)
async def sign_out_everywhere_form(request: AnyRequest) -> Response[None]:
    """End all sessions of whoever asks, this one too."""
    node, member = node_of(request), member_or_none(request)
    if member is None:
        return go(request, "/sign-in")
    await close_own_counter(node, member)
    await node.sessions.sign_out(session_token(request))
    await node.sessions.sign_out_everywhere(member.staff_id)
    return signed_out(request)


def _page(
    request: AnyRequest, member: Member, keys: dict[str, str], refused: KeysRefused | None = None
) -> Response[str]:
    node, frame = node_of(request), frame_of(request)
    row = node.dispatcher.state.configuration.staff.get(member.staff_id)
    values: dict[str, Any] = {
        "office_name": node.dispatcher.state.configuration.catalogue.office.name,
        "me": member,
        "rows": [(usual, KEY_WORDS[does], keys[usual]) for usual, does in USUAL.items()],
        "allowed": [(key, key) for key in ALLOWED],
        "refused": refused,
        "refused_words": REFUSED[refused.why] if refused else "",
        "names": {usual: KEY_WORDS[does] for usual, does in USUAL.items()},
        "has_factor": row is not None and row.second_factor is not None,
        "wants_factor": row is not None and "supervisor" in row.roles and not member.supervisor,
    }
    return frame.page(request, "console/own.html", values, status=422 if refused else 200)
