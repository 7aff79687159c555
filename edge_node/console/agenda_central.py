"""Asking central on behalf of somebody of staff, and what is said when it cannot or will not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.uplink.agenda import NOT_CONNECTED, AgendaAtCentral
from edge_node.uplink.client import Failure
from sync.io.ids import new_id
from sync.messages import agenda as m

T = TypeVar("T")

OUTCOMES = {
    "taken": "console.book.taken",
    "no_such_time": "console.book.taken",
    "limit_reached": "console.book.limit",
    "too_late": "console.book.too_late",
    "too_far": "console.book.too_far",
    "office_unknown": "console.book.not_offered",
    "service_unknown": "console.book.not_offered",
    "not_bookable_here": "console.book.not_offered",
    "document_missing": "console.book.problem.document.missing",
    "document_form": "console.book.problem.document.form",
    "document_letter": "console.book.problem.document.letter",
    "malformed": "console.book.malformed",
    "request_reused": "console.book.reused",
    "not_changeable": "console.book.not_changeable",
    "not_found": "console.book.not_found",
    "recovering": "console.book.recovering",
}
"""Why central did not do it, as keys of the words."""
CUT, SILENT, REFUSED = "console.central.cut", "console.central.silent", "console.central.refused"


async def ask(node: EdgeNode, call: Callable[[AgendaAtCentral], Awaitable[T]]) -> T | Failure:
    """Ask central; a node that works alone has none to ask."""
    return NOT_CONNECTED if node.uplink is None else await call(node.uplink.agenda)


def who(node: EdgeNode, member: Member, request_id: str = "") -> dict[str, Any]:
    """The fields that every question carries."""
    return {"request_id": request_id or new_id(), "office": node.settings.office.id, "staff_id": member.staff_id}


def trouble(answer: m.AgendaAnswer | Failure) -> str:
    """The words for an answer that is not the wanted one.

    Only silence leaves open what has happened; a central that was not asked, or that refused, has done nothing.
    """
    if isinstance(answer, m.AgendaAnswer):
        return OUTCOMES[answer.outcome]
    if answer == NOT_CONNECTED:
        return CUT
    return SILENT if answer.unreachable or answer.code.startswith("http_5") or answer.code == "retry" else REFUSED


def is_used_up(answer: object) -> bool:
    """Whether a form's request_id stands for something else already, so that the form needs a new one."""
    return isinstance(answer, m.AgendaAnswer) and answer.outcome == "request_reused"


def is_open(answer: object) -> bool:
    """Whether nobody knows if central has done it."""
    return isinstance(answer, Failure) and trouble(answer) == SILENT
