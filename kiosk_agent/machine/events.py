"""What happens to a kiosk, and what it does about it, as values.

Ids are made at the shell and come inside the event that needs one.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from kiosk_agent.machine.given import Offer
from kiosk_agent.machine.screens import Asked, Paper, Stands
from sync.messages.topics import KioskCommand, KioskReply, KioskTellReserved, Slip
from sync.messages.values import Language, Slug, Uuid

# What a hand does


class Touch(msgspec.Struct, frozen=True):
    """The base of what people do; each of them shows that somebody is there."""


class Stay(Touch, frozen=True):
    """The answer to "are you still there?"."""


class StartOver(Touch, frozen=True):
    """Back to the first screen, everything wiped: *Terminar*, *Empezar de nuevo*."""


class Back(Touch, frozen=True):
    """One screen back."""


class WithAppointment(Touch, frozen=True):
    pass


class WithoutAppointment(Touch, frozen=True):
    pass


class MoreServices(Touch, frozen=True):
    pass


class ChooseService(Touch, frozen=True):
    service: Slug


class TakeTicket(Touch, frozen=True):
    """``offer``: a number that the kiosk may give by itself."""

    request_id: Uuid
    offer: Offer | None = None


class TypeLetter(Touch, frozen=True):
    """One key; what is no letter of a locator changes nothing."""

    letter: str


class EraseLetter(Touch, frozen=True):
    pass


class SendCode(Touch, frozen=True):
    request_id: Uuid


class AskReprint(Touch, frozen=True):
    request_id: Uuid


class ChooseLanguage(Touch, frozen=True):
    language: Language


class SwitchComfort(Touch, frozen=True):
    what: Literal["large_text", "contrast", "low_screen"]


class Scanned(Touch, frozen=True):
    """A line from the scanner, as read."""

    text: str
    request_id: Uuid


# What the office and the machine do


class Replied(msgspec.Struct, frozen=True):
    """The first answer to a request of this kiosk; the shell drops repeated and foreign ones."""

    reply: KioskReply
    asked: Asked


class NoReply(msgspec.Struct, frozen=True):
    """The request was sent as often as it is worth; nobody answered. ``offer`` as in ``TakeTicket``."""

    request_id: Uuid
    command: KioskCommand | None = None
    offer: Offer | None = None


class PrintEnded(msgspec.Struct, frozen=True):
    ticket_id: Uuid
    paper: Paper


class Configured(msgspec.Struct, frozen=True):
    """What the office offers. ``unsure``: the service of those who do not know what they need, shown apart."""

    services: tuple[Slug, ...]
    languages: tuple[Language, ...]
    unsure: Slug | None = None


class EdgeHeard(msgspec.Struct, frozen=True):
    heard: bool


class ReserveStands(msgspec.Struct, frozen=True):
    stands: Stands


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = Touch | Replied | NoReply | PrintEnded | Configured | EdgeHeard | ReserveStands | Tick


# What the kiosk does


class Send(msgspec.Struct, frozen=True):
    """Ask the edge; resend the same id until it answers or patience ends."""

    command: KioskCommand


class Print(msgspec.Struct, frozen=True):
    """Print a slip. ``job_id`` is the request that it answers, so that the same answer prints once."""

    job_id: Uuid
    slip: Slip
    reprint: bool = False


class Give(msgspec.Struct, frozen=True):
    """Give a ticket out of the reserve: keep it and its print together, then print it and tell the edge when it is back."""

    told: KioskTellReserved
    slip: Slip


class LeaveUnprinted(msgspec.Struct, frozen=True):
    """A ticket came for somebody who has gone: tell the edge that nobody has the paper.

    ``job_id`` is the print that is not made, as in ``Print``.
    """

    ticket_id: Uuid
    job_id: Uuid


Effect = Send | Print | Give | LeaveUnprinted
