"""Context help: which short text stands behind the question mark of a page, by what is open on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

HELP: Final = {
    "none": "learning.help.none",
    "called": "learning.help.called",
    "serving": "learning.help.serving",
    "call": "learning.help.call",
    "transfer": "learning.help.transfer",
    "give": "learning.help.give",
    "given": "learning.help.given",
    "skip": "learning.help.skip",
    "park": "learning.help.park",
    "add": "learning.help.add",
    "class": "learning.help.class",
    "needs": "learning.help.needs",
    "route": "learning.help.route",
    "support": "learning.help.support",
    "ticket": "learning.help.ticket",
    "more": "learning.help.more",
    "pause": "learning.help.pause",
    "close": "learning.help.close",
    "office": "learning.help.office",
    "sent": "learning.help.sent",
    "agenda": "learning.help.agenda",
    "own": "learning.help.own",
    "counter": "learning.help.counter",
    "supervise": "learning.help.supervise",
    "day": "learning.help.day",
    "pending": "learning.help.pending",
    "offline": "learning.help.offline",
}
"""By panel, else by the state of the visit, else by page."""
ELSEWHERE: Final = "learning.help.elsewhere"
_BEFORE_SIGN_IN: Final = ("console/sign_in.html", "console/locked.html", "console/problem.html")
_WORK: Final = "console/work.html"


def help_key(template: str, values: Mapping[str, Any]) -> str:
    """The key of a page's help; empty where nobody is signed in.

    Args:
        values: of the page; the work screen's say which panel is open and how the visit stands.
    """
    if template in _BEFORE_SIGN_IN:
        return ""
    if template != _WORK:
        return HELP.get(template.rpartition("/")[2].removesuffix(".html"), ELSEWHERE)
    visit = values["view"].visit
    return HELP.get(values["panel"] or (visit.state if visit is not None else "none"), ELSEWHERE)
