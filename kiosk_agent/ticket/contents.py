"""What a ticket says, in the person's language and, where it differs, in Spanish for the staff (KIO-27)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

import msgspec

from sync.messages.policy import Policy
from sync.messages.topics import Slip
from sync.messages.values import Language

RECALLS = Policy().recall_limit
ONLY_ZONES = frozenset({"main", "sala", "general", "unica"})


class Voice(Protocol):
    """The words and the clocks of one language. Made by the shell from the catalogues."""

    language: Language

    def text(self, key: str, /, **values: object) -> str:
        """A text of the catalogue, plain."""

    def clock(self, instant: datetime) -> str:
        """The time of day in the office's zone."""

    def stamp(self, instant: datetime) -> str:
        """Weekday, date and time in the office's zone."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """The texts of a ticket in the order in which they stand on it. No name, no document, no service (KIO-28).

    Args:
        mark: said above everything on a second print, so that nobody takes it for another ticket.
        also: the Spanish line under a line of another language, by the name of that line.
        follow_url: what the QR holds; empty when a reprint no longer knows it.
        short_url: for those who type.
    """

    language: Language
    office: str
    stamp: str
    label: str
    zone: str
    ahead: str
    when: str
    follow: str
    follow_url: str
    short_url: str
    rule: str
    mark: str = ""
    note: str = ""
    also: dict[str, str] = {}

    @property
    def right_to_left(self) -> bool:
        return self.language == "ar"

    def shorter_and_shorter(self) -> Iterator[Contents]:
        """The same text, then without one Spanish line after the other, the one that is missed least first."""
        said = self
        yield said
        for name in ("follow", "when"):
            if name in said.also:
                also = {line: text for line, text in said.also.items() if line != name}
                said = msgspec.structs.replace(said, also=also)
                yield said


def contents(slip: Slip, voice: Voice, spanish: Voice, *, reprint: bool = False, recalls: int = RECALLS) -> Contents:
    """The texts of a slip.

    Args:
        voice: in the language of the slip.
        spanish: for what the staff must be able to read too.
        recalls: how often a call is repeated.
    """
    return Contents(
        language=voice.language,
        office=voice.text("ticket.office", office=slip.office_name),
        stamp=voice.stamp(slip.issued_at),
        label=slip.label,
        zone=zone(slip, voice),
        ahead=ahead(slip, voice),
        when=when(slip, voice),
        note=note(slip, voice),
        follow=follow(slip, voice),
        follow_url=slip.follow_url,
        short_url=short_url(slip.follow_url),
        rule=voice.text("ticket.rule", n=recalls),
        mark=voice.text("ticket.copy") if reprint else "",
        also={} if voice.language == spanish.language else _also(slip, spanish, reprint=reprint),
    )


def _also(slip: Slip, spanish: Voice, *, reprint: bool) -> dict[str, str]:
    return {
        "mark": spanish.text("ticket.copy") if reprint else "",
        "zone": zone(slip, spanish),
        "when": spanish.text("ticket.reserve") if slip.reserve else _short_wait(slip, spanish),
        "follow": follow(slip, spanish),
    }


def zone_name(zone: str) -> str:
    """A zone as people read it: ``B`` for ``b``, ``Planta 1`` for ``planta-1``."""
    return zone.upper() if len(zone) <= 2 else zone.replace("-", " ").replace("_", " ").capitalize()


def zone(slip: Slip, voice: Voice) -> str:
    """Where to wait; an office with one zone has a waiting room and no names."""
    if slip.zone in ONLY_ZONES:
        return voice.text("ticket.room")
    return voice.text("ticket.zone", zone=zone_name(slip.zone))


def ahead(slip: Slip, voice: Voice) -> str:
    """How many people come first; of a ticket that the kiosk gave by itself: why it does not say."""
    if slip.reserve:
        return voice.text("ticket.reserve")
    return voice.text("ticket.ahead", n=slip.people_ahead) if slip.people_ahead else voice.text("ticket.next")


def expected(slip: Slip) -> tuple[datetime, datetime] | None:
    """Between which instants the call is expected; none when nothing can be said."""
    if slip.wait is None or is_early(slip):
        return None
    return (
        slip.issued_at + timedelta(minutes=slip.wait.low_min),
        slip.issued_at + timedelta(minutes=slip.wait.high_min),
    )


def is_early(slip: Slip) -> bool:
    """Whether an appointment came so early that it may not be called yet."""
    return slip.callable_at is not None and slip.callable_at > slip.issued_at


def when(slip: Slip, voice: Voice) -> str:
    """When the call is to be expected, as a range or as the instant before which it will not come."""
    if slip.callable_at is not None and is_early(slip):
        return voice.text("ticket.from", time=voice.clock(slip.callable_at))
    stretch = expected(slip)
    if stretch is None:
        return voice.text("ticket.wait.no")
    return voice.text("ticket.between", a=voice.clock(stretch[0]), b=voice.clock(stretch[1]))


def note(slip: Slip, voice: Voice) -> str:
    """What an appointment adds: its hour, and that it is still to be checked."""
    if slip.slot_start_at is None:
        return ""
    hour = voice.text("ticket.appointment", time=voice.clock(slip.slot_start_at))
    return f"{hour}. {voice.text('ticket.verify')}" if slip.to_verify else hour


def _short_wait(slip: Slip, spanish: Voice) -> str:
    stretch = expected(slip)
    if stretch is None:
        return when(slip, spanish)
    a, b = (spanish.clock(instant) for instant in stretch)
    return spanish.text("ticket.both", n=slip.people_ahead, a=a, b=b)


def follow(slip: Slip, voice: Voice) -> str:
    """What the QR is good for; the page of a ticket that no edge knows yet comes with the connection."""
    if not slip.follow_url:
        return ""
    return voice.text("ticket.reserve.follow" if slip.reserve else "ticket.leave")


def short_url(follow_url: str) -> str:
    """The address without scheme and code, for a person to type: ``citas.example/t``."""
    return follow_url.partition("://")[2].rpartition("/")[0]
