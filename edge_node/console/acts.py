"""From a form of the console to a command, and from its answer to what is told. Same bodies and rules as the JSON interface."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import msgspec

from edge_node.console.broadcasts import Broadcast
from edge_node.console.sentences import Said
from edge_node.console.staff_sessions import Member
from edge_node.console.tickets_view import service_name, staff_name_of
from edge_node.console.work_view import session_of
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Answer
from edge_node.queue.replies import CommandReply, TicketView
from edge_node.queue.state import OfficeState
from sync.domain.outcomes import refuse
from sync.domain.ticket import Ticket
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.commands import CloseCounter, OpenCounter
from sync.messages.policy import GENERAL
from sync.messages.refusals import Refusal
from sync.messages.topics import PrintJob
from ui.catalog import Words

_OF_THE_PAGE = frozenset({"_csrf_token", "here"})
_WITH_REASON = frozenset({"call_ticket", "skip", "pause_counter", "set_priority"})
_LISTS = frozenset({"primary", "secondary", "services", "needs", "steps"})
_THEN = ("remind", "return")
"""What is to happen with somebody who is set aside, after so many minutes: tell the clerk, or let them wait again."""
_TARGETS = ("service", "counter", "staff_id", "zone")
_OF_A_COUNTER = frozenset({"session", "after"})
"""A form that may serve somebody at once or give a ticket says both; a ticket needs no counter."""
_GIVING = frozenset({"take_ticket", "serve_walk_in"})
NOTE_MAX = 140
_FLAGS = frozenset({"unless_last", "close", "slip"})
_NUMBERS = frozenset({"minutes", "travel_min"})
_WITH_TEXT = frozenset({"post_broadcast", "hand_over"})
DIGITS = 6
"""More than any number of ours has."""
MANY = 60
"""More fields than any of our forms has."""


class Act(msgspec.Struct, frozen=True):
    """A form's verb and fields, with the answer that it got."""

    verb: str
    fields: Mapping[str, Any]
    answer: Answer | PrintJob | Broadcast


def fields_of(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What a form says: empty fields are left out, choices of several become lists, a transfer's target its service or
    counter, what comes after parking its minutes.
    """
    fields: dict[str, Any] = {}
    for name, value in islice(pairs, MANY):
        if name in _OF_THE_PAGE or not isinstance(value, str) or not value.strip():
            continue
        if name in _LISTS:
            fields.setdefault(name, []).append(value.strip())
        elif name in _FLAGS:
            fields[name] = True
        elif name in _NUMBERS:
            fields[name] = int(value) if value.strip().isdecimal() and len(value) < DIGITS else value
        elif name == "target":
            kind, _, target = value.partition(":")
            fields[kind if kind in _TARGETS else name] = target
        elif name == "then":
            kind, _, amount = value.partition(":")
            fields[f"{kind}_min" if kind in _THEN else name] = amount
        elif name == "note":
            fields[name] = " ".join(value.split())  # one line
        else:
            fields[name] = value.strip()
    return fields


async def carry_out(node: EdgeNode, verb: str, fields: Mapping[str, Any], member: Member) -> Act | None:
    """Do what a form asks; none when there is no such verb."""
    body = body_of(verb, fields)
    try:
        answer = await node.staff_desk.carry_out(verb, codec.encode(body), member)
    except MalformedMessage:
        return Act(verb, fields, node.desk.refused(refuse(_lacks(verb, fields))))
    return None if answer is None else Act(verb, fields, answer)


def body_of(verb: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A form's fields as the verb's body. A reprint has no request_id, for it changes nothing in the queue; boxes that nobody
    ticked send nothing, and mean none; a box that was ticked means yes. The general class needs no basis.
    """
    left_out = {"print_again": {"request_id"}, "take_ticket": _OF_A_COUNTER}.get(verb, frozenset())
    body = {name: value for name, value in fields.items() if name not in left_out}
    if verb in _GIVING and body.get("priority_class", GENERAL) == GENERAL:
        body.pop("basis", None)
    if verb == "set_needs":
        speaks = [body.pop("speaks")] if "speaks" in body else []
        body["needs"] = [*body.get("needs", []), *speaks]
    elif verb == "park":
        body["back_to_me"] = "back_to_me" in body
        for name in (f"{kind}_min" for kind in _THEN):
            if str(body.get(name, "")).isdecimal() and len(str(body[name])) < DIGITS:
                body[name] = int(body[name])
    return body


async def close_own_counter(node: EdgeNode, member: Member) -> None:
    """Close the counter of somebody who leaves; an open visit keeps it open, for when they come back."""
    session = await node.dispatcher.read(lambda state: session_of(state, member.staff_id))
    if session is not None:
        await node.dispatcher.submit(CloseCounter(request_id=new_id(), session=session.session), member.actor)


async def take_along(node: EdgeNode, member: Member) -> str:
    """Bring the counter that somebody has open to the browser that they have signed in with, visit and all: the other one is told
    and acts no more. Gives the counter, where there was one to bring.
    """

    def elsewhere(state: OfficeState) -> str:
        session = session_of(state, member.staff_id)
        return session.counter if session and (session.console or session.opened_on) != member.console else ""

    counter = await node.dispatcher.read(elsewhere)
    if not counter:
        return ""
    command = OpenCounter(request_id=new_id(), counter=counter, take_over=True, only_own=True)
    answer = await node.dispatcher.submit(command, member.actor)
    return "" if isinstance(answer, Refusal) else counter


def told(state: OfficeState, act: Act, words: Words) -> Said:
    """What is to be told of an act."""
    answer = act.answer
    if isinstance(answer, Refusal):
        ticket = state.day.tickets.get(answer.ticket_id or "")
        return Said(
            verb=act.verb, refused=answer.code, code=ticket.label if ticket else None, wait_s=answer.wait_s or 0
        )
    if isinstance(answer, Broadcast):
        return Said(verb=act.verb)
    if isinstance(answer, PrintJob):
        return Said(verb=act.verb, code=answer.slip.label, target=str(act.fields.get("print_on", "")))
    reply = answer.reply
    if reply.outcome == "unchanged" and act.verb != "open_counter":
        return Said(unchanged=True)
    code, ended = reply.ticket.label if reply.ticket else None, None
    outcome = reply.ticket.outcome if reply.ticket else None
    left: Ticket | TicketView | None = reply.ticket if act.verb == "finish" else None
    if act.verb == "call_next":
        code, left = _called(state, reply)
        ended, outcome = (left.label, left.outcome) if left else (None, None)
    step = left if left is not None and left.state == "waiting" else None
    return Said(
        verb=act.verb,
        code=code,
        ended=ended,
        outcome=outcome,
        target=_target(state, act, words),
        step=service_name(state, step.service, words.locale.tag)[:80] if step else "",
    )


def _called(state: OfficeState, reply: CommandReply) -> tuple[str | None, Ticket | TicketView | None]:
    """Who was called, and the visit that ended or went on with it. When a later act has come meanwhile, only the call is told."""
    ticket, session = reply.ticket, state.day.sessions.get(reply.session.session if reply.session else "")
    if ticket is not None and ticket.state != "called":  # nobody waited
        return None, ticket
    act = session.act if session is not None else None
    mine = act.before if act is not None and act.request_id == reply.request_id else {}
    left = (t for ticket_id in mine if (t := state.day.tickets[ticket_id]).state in ("finished", "waiting"))
    return ticket.label if ticket else None, next(left, None)


def _target(state: OfficeState, act: Act, words: Words) -> str:
    """The counter that was opened; where a ticket was sent; what was added."""
    counter, service = act.fields.get("counter"), act.fields.get("service")
    if staff_id := act.fields.get("staff_id"):
        return staff_name_of(state, str(staff_id))[:80]
    if zone := act.fields.get("zone"):
        return words.text("console.transfer.zone.of", zone=str(zone).upper())[:80]
    if act.verb == "open_counter":
        return str(counter)
    if act.verb == "assign_ticket":
        to = act.fields.get("to_counter")
        return words.text("console.desk.one", counter=to) if to else words.text("console.supervise.everybody")
    if counter:
        return words.text("console.desk.one", counter=counter)
    return service_name(state, str(service), words.locale.tag)[:80] if service else ""


def _lacks(verb: str, fields: Mapping[str, Any]) -> Any:
    """What needs a reason and has none has a refusal of its own, and so has a text that is missing or too long."""
    text = str(fields.get("text", fields.get("note", "")))
    if verb in _WITH_TEXT and not (0 < len(text) <= NOTE_MAX and text.isprintable()):
        return "text_length"
    if len(text) > NOTE_MAX:
        return "note_too_long"
    needed = "basis" if verb == "set_priority" else "reason"
    return "reason_required" if verb in _WITH_REASON and needed not in fields else "malformed"
