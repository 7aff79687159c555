"""What the edge's answer means for the person in front of the screen."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from kiosk_agent.machine.screens import AlreadyIn, Problem, Ticket, Trouble
from sync.messages.refusals import Refusal, RefusalCode
from sync.messages.topics import KioskReply

NextStep = Literal["code", "walk_in", "home"]
"""What a person can touch on a problem's screen."""

TROUBLES: Mapping[RefusalCode, Trouble] = MappingProxyType(
    {
        "booking_unknown": "unknown",
        "malformed": "unread",
        "bad_signature": "forged",
        "wrong_office": "wrong_office",
        "wrong_day": "wrong_day",
        "cancelled": "cancelled",
        "moved": "moved",
        "ask_for_help": "help",
        "day_closed": "closed",
        "no_authority": "stopped",
        "date_unconfirmed": "stopped",
        "disk_full": "stopped",
        "walk_in_not_allowed": "by_appointment",
    }
)
"""Every other refusal sends the person to the counter."""

NEXT_STEPS: Mapping[Trouble, tuple[NextStep, ...]] = MappingProxyType(
    {
        "unknown": ("code", "walk_in"),
        "unread": ("code", "walk_in"),
        "forged": ("walk_in",),
        "wrong_office": ("walk_in",),
        "wrong_day": ("walk_in",),
        "cancelled": ("walk_in",),
        "moved": ("walk_in",),
        "help": ("walk_in",),
        "closed": (),
        "stopped": (),
        "by_appointment": ("walk_in",),
        "unchecked": ("walk_in",),
        "missed": (),
        "finished": ("walk_in",),
        "desk": (),
    }
)
"""Beside these, every problem offers the way back to the beginning."""


def screen_for(reply: KioskReply, *, reprint: bool) -> Ticket | AlreadyIn | Problem:
    """The screen that says what the edge answered.

    Args:
        reprint: the request was for a ticket that exists already.
    """
    if reply.refusal is None:
        if reply.slip is None:
            return Problem("desk")
        return Ticket(reply.slip, reprint=reprint)
    if reply.refusal.code == "already_checked_in" and reply.slip is not None:
        return AlreadyIn(reply.slip, reply.counter, reply.is_served)
    if reply.refusal.code == "already_checked_in" and reply.visit != "open":
        return Problem(reply.visit)
    return _problem(reply.refusal)


def _problem(refusal: Refusal) -> Problem:
    trouble = TROUBLES.get(refusal.code, "desk")
    return Problem(trouble, office=refusal.office, service_date=refusal.service_date)
