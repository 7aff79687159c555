"""What the console says in sentences: why somebody is next, what an act came to, why it was refused and what to do next."""

from __future__ import annotations

from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec

from edge_node.console.tickets_view import Because
from edge_node.console.work_view import Undo
from sync.messages.facts import Outcome
from sync.messages.refusals import RefusalCode
from sync.messages.values import Label
from ui.catalog import Words
from ui.formats import CITY_ZONE, clock

Name = Annotated[str, msgspec.Meta(max_length=80)]


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the last act came to, told once. Goes through a cookie to the page after a form: ids and codes only.

    Args:
        verb: of the act.
        refused: why it was not done; ``unchanged`` when the counter had moved on.
        ended: the visit that a call ended with ``outcome``.
        target: service, counter, clerk, zone or kiosk that it was about.
        step: the service that a visit goes on to; it was finished and has not ended.
    """

    verb: Annotated[str, msgspec.Meta(max_length=20)] = ""
    refused: RefusalCode | None = None
    unchanged: bool = False
    code: Label | None = None
    outcome: Outcome | None = None
    ended: Label | None = None
    target: Name = ""
    step: Name = ""
    wait_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 0

    @property
    def is_done(self) -> bool:
        return self.refused is None and not self.unchanged


_DONE: Final = {
    "call_next": "console.done.called",
    "call_ticket": "console.done.called",
    "recall": "console.done.recalled",
    "start": "console.done.started",
    "finish": "console.done.finished",
    "no_show": "console.done.no_show",
    "reinstate": "console.done.reinstated",
    "resume": "console.done.resumed",
    "transfer": "console.done.transferred",
    "park": "console.done.parked",
    "leave": "console.done.left",
    "skip": "console.done.skipped",
    "add_service": "console.done.service_added",
    "set_priority": "console.done.priority",
    "set_needs": "console.done.needs",
    "plan_route": "console.done.route",
    "serve_walk_in": "console.done.started",
    "undo": "console.done.undone",
    "pause_counter": "console.done.paused",
    "resume_counter": "console.done.unpaused",
    "reassign": "console.done.reassigned",
    "ask_support": "console.done.support",
    "answer_support": "console.done.support.answered",
    "take_ticket": "console.done.given",
    "check_in": "console.done.given",
    "confirm_date": "console.done.date",
    "break_glass": "console.done.glass",
    "sell_lease": "console.done.sold",
    "book_appointment": "console.done.booked",
    "move_appointment": "console.done.moved",
    "cancel_appointment": "console.done.cancelled",
    "hand_over": "console.done.sent",
    "mark_arrived": "console.done.arrived",
    "print_again": "console.done.printing",
    "open_counter": "console.done.opened",
    "take_over": "console.done.took_over",
    "change_services": "console.done.services",
    "assign_ticket": "console.done.assigned",
    "take_back": "console.done.wanted_back",
    "post_broadcast": "console.done.broadcast",
    "end_broadcast": "console.done.broadcast.ended",
    "close_counter": "console.done.ended",
    "close_day": "console.supervise.day.closed",
    "sign_out": "console.signed_out",
    "set_keys": "console.done.keys",
}


def sentence(said: Said, words: Words) -> str:
    """What is told of an act."""
    if said.unchanged:
        return words.text("console.refused.moved_on")
    if said.refused is not None:
        return refusal(said, words)
    key = _called(said) if said.verb == "call_next" else _DONE.get(said.verb)
    if said.verb == "finish" and said.step:
        key = "console.done.step"
    if key is None:
        return ""
    outcome = words.text(f"console.outcome.{said.outcome}") if said.outcome else ""
    return words.text(
        key,
        code=said.code or "",
        ended=said.ended or "",
        outcome=outcome[:1].lower() + outcome[1:],
        target=said.target,
        step=said.step,
        counter=said.target,
        kiosk=said.target,
    )


def _called(said: Said) -> str:
    """A call may have ended the visit before, and with nobody waiting that is all it did."""
    if said.ended is None:
        return "console.done.called"
    key = "console.done.called.ended" if said.code else "console.done.called.nobody"
    return f"{key}.step" if said.step else key


def refusal(said: Said, words: Words) -> str:
    """Why not, and what to do next. An ``already_checked_in`` whose ticket has gone is told without its code."""
    if said.refused == "already_checked_in" and said.code is None:
        return words.text("console.refused.nothing")
    if said.refused == "nobody_waiting" and said.verb == "skip":
        return words.text("console.refused.nobody_else")
    return words.text(f"console.refused.{said.refused}", n=max(1, said.wait_s), code=said.code or "")


REVERSIBLE: Final = frozenset(
    {"call_next", "call_ticket", "start", "finish", "no_show", "transfer", "park", "skip", "leave", "serve_walk_in"}
)
"""Verbs that may be taken back."""
_UNDO: Final = {
    "ticket.called": "console.undo.called",
    "ticket.started": "console.undo.started",
    "ticket.finished": "console.undo.finished",
    "ticket.no_show": "console.undo.no_show",
    "ticket.transferred": "console.undo.transferred",
    "ticket.transferred.step": "console.undo.transferred.step",
    "ticket.parked": "console.undo.parked",
    "ticket.skipped": "console.undo.skipped",
    "ticket.abandoned": "console.undo.left",
}


def undo_text(undo: Undo, words: Words) -> str:
    """What would be taken back: "finalizar K12, llamar a K13"."""
    steps = [words.text(_UNDO[tag], code=label) for tag, label in undo.steps if tag in _UNDO]
    return ", ".join(steps)


def because(reasons: Because, words: Words, zone: ZoneInfo = CITY_ZONE) -> str:
    """Why a ticket is next: its own place, then the step of the rule when it was not simply its turn."""
    parts = [_place(reasons, words, zone), _step(reasons, words)]
    return "; ".join(part for part in parts if part)


def _place(reasons: Because, words: Words, zone: ZoneInfo) -> str:
    times = {"arrived": clock(reasons.arrived_at, zone), "due": clock(reasons.due_at, zone)}
    slot = clock(reasons.slot_start_at, zone) if reasons.slot_start_at else ""
    if reasons.rule == "early" and slot:
        return words.text("console.why.early", slot=slot)
    if reasons.is_first:
        return words.text("console.why.first")
    if reasons.behind_at is not None and reasons.behind_at > reasons.due_at:
        return words.text("console.why.end", due=clock(reasons.behind_at, zone))
    if reasons.reinstated:
        return words.text("console.why.reinstated", due=times["due"])
    if reasons.kept_for:
        return words.text("console.why.kept_for")
    if reasons.walks_on:
        return words.text("console.why.step", due=times["due"])
    if reasons.transferred:
        return words.text("console.why.transferred", due=times["due"])
    if slot:
        key = "console.why.appointment.late" if reasons.late else "console.why.appointment"
        return words.text(key, slot=slot, **times)
    if reasons.priority:
        return words.text("console.why.walk_in.priority", due=times["due"])
    return words.text("console.why.walk_in", arrived=times["arrived"])


def _step(reasons: Because, words: Words) -> str:
    if reasons.rule == "secondary":
        return words.text("console.why.secondary", n=reasons.threshold_min)
    if reasons.rule == "idle_secondary":
        return words.text("console.why.secondary.idle")
    return ""
