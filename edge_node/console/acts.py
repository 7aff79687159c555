"""From a form of the console to a command, and from its answer to what is told. Same bodies and rules as the JSON interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.work_view import service_name, session_of
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Answer
from edge_node.queue.state import OfficeState
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.commands import CloseCounter
from sync.messages.refusals import Refusal
from sync.messages.topics import PrintJob
from ui.catalog import Words

_OF_THE_PAGE = frozenset({"_csrf_token", "here"})
_WITH_REASON = frozenset({"call_ticket", "skip", "pause_counter"})
_LISTS = frozenset({"primary", "secondary"})
MANY = 60
"""More fields than any of our forms has."""


class Act(msgspec.Struct, frozen=True):
    """A form's verb and fields, with the answer that it got."""

    verb: str
    fields: Mapping[str, Any]
    answer: Answer | PrintJob


def fields_of(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What a form says: empty fields are left out, choices of several become lists, a transfer's target its service or
    counter.
    """
    fields: dict[str, Any] = {}
    for name, value in islice(pairs, MANY):
        if name in _OF_THE_PAGE or not isinstance(value, str) or not value.strip():
            continue
        if name in _LISTS:
            fields.setdefault(name, []).append(value.strip())
        elif name == "target":
            kind, _, target = value.partition(":")
            fields[kind if kind in ("service", "counter", "staff_id", "zone") else name] = target
        else:
            fields[name] = value.strip()
    return fields


async def carry_out(node: EdgeNode, verb: str, fields: Mapping[str, Any], member: Member) -> Act | None:
    """Do what a form asks; none when there is no such verb. A reprint has no request_id: it changes nothing in the queue."""
    body = {name: value for name, value in fields.items() if (verb, name) != ("print_again", "request_id")}
    try:
        answer = await node.staff_desk.carry_out(verb, codec.encode(body), member)
    except MalformedMessage:
        return Act(verb, fields, node.desk.refused(refuse(_lacks(verb, fields))))
    return None if answer is None else Act(verb, fields, answer)


async def close_own_counter(node: EdgeNode, member: Member) -> None:
    """Close the counter of somebody who leaves; an open visit keeps it open, for when they come back."""
    session = await node.dispatcher.read(lambda state: session_of(state, member.staff_id))
    if session is not None:
        await node.dispatcher.submit(CloseCounter(request_id=new_id(), session=session.session), member.actor)


def told(state: OfficeState, act: Act, words: Words) -> Said:
    """What is to be told of an act."""
    answer = act.answer
    if isinstance(answer, Refusal):
        ticket = state.day.tickets.get(answer.ticket_id or "")
        return Said(refused=answer.code, code=ticket.label if ticket else None, wait_s=answer.wait_s or 0)
    if isinstance(answer, PrintJob):
        return Said(verb=act.verb, code=answer.slip.label, target=str(act.fields.get("print_on", "")))
    reply = answer.reply
    if reply.outcome == "unchanged" and act.verb != "open_counter":
        return Said(unchanged=True)
    return Said(
        verb=act.verb,
        code=reply.ticket.label if reply.ticket else None,
        outcome=reply.ticket.outcome if reply.ticket else None,
        target=_target(state, act, words),
    )


def _target(state: OfficeState, act: Act, words: Words) -> str:
    """The counter that was opened; where a ticket was sent."""
    counter, service = act.fields.get("counter"), act.fields.get("service")
    if act.verb == "open_counter":
        return str(counter)
    if counter:
        return words.text("console.desk.one", counter=counter)
    return service_name(state, str(service), words.locale.tag)[:80] if service else ""


def _lacks(verb: str, fields: Mapping[str, Any]) -> Any:
    """What needs a reason and has none has a refusal of its own."""
    return "reason_required" if verb in _WITH_REASON and "reason" not in fields else "malformed"
