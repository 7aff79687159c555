"""What a kiosk's screen can be, as values.

A screen holds only what it shows; the rest is looked up when it is drawn.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sync.domain.check_in import LOCATOR_LENGTH
from sync.messages.topics import Slip
from sync.messages.values import Language, Slug, Uuid

TILES = 6
"""Services on one page: more buttons than these and people stop reading (ux KIO-5)."""

Paper = Literal["printing", "printed", "no_paper", "offline", "error"]
"""How the slip stands: under way, in the person's hand, or why it is not."""

Asked = Literal["ticket", "check_in", "reprint"]

Trouble = Literal[
    "unknown",
    "unread",
    "forged",
    "wrong_office",
    "wrong_day",
    "cancelled",
    "moved",
    "help",
    "closed",
    "stopped",
    "by_appointment",
    "unchecked",
    "missed",
    "finished",
    "desk",
]
"""Why there is no ticket, in the few ways that a person can act on. ``desk``: ask for a ticket at the counter. ``unchecked``: an
appointment that nobody can look up now. ``missed``, ``finished``: an appointment that was called in vain, or served."""

Stands = Literal["none", "ready", "used_up", "other_day"]
"""What the kiosk can do by itself now: nothing while the edge is heard or no reserve was granted."""


class Screen(msgspec.Struct, frozen=True, tag=True):
    """The base of all screens."""


class Home(Screen, frozen=True, tag="home"):
    """With or without appointment; languages; comfort."""


class Services(Screen, frozen=True, tag="services"):
    """What the person comes for, a page of tiles at a time, from 0."""

    page: int = 0


class Confirm(Screen, frozen=True, tag="confirm"):
    """How many are ahead and how long it may take, before a ticket is taken."""

    service: Slug
    page: int = 0


class EnterCode(Screen, frozen=True, tag="code"):
    """Scan the code or type it; ``typed`` has only letters of locators."""

    typed: str = ""

    @property
    def complete(self) -> bool:
        return len(self.typed) == LOCATOR_LENGTH


class Asking(Screen, frozen=True, tag="asking"):
    """The edge has been asked; its reply comes within seconds or not at all."""

    request_id: Uuid
    asked: Asked


class Ticket(Screen, frozen=True, tag="ticket"):
    """The label, large. ``settled_at_s``: when the printer's outcome was known (monotonic seconds)."""

    slip: Slip
    paper: Paper = "printing"
    reprint: bool = False
    settled_at_s: float | None = None


class AlreadyIn(Screen, frozen=True, tag="already_in"):
    """This appointment has its ticket; it can be printed again.

    Args:
        counter: where the person is called to, or served; none while they wait.
    """

    slip: Slip
    counter: Slug | None = None
    is_served: bool = False


class Problem(Screen, frozen=True, tag="problem"):
    """No ticket, and what to do instead.

    Args:
        request_id: the request that nobody answered: a late answer is still for the person before the screen.
        office: where the appointment is (``wrong_office``).
        service_date: its day as an ISO date (``wrong_day``).
    """

    trouble: Trouble
    request_id: Uuid | None = None
    office: Slug | None = None
    service_date: str | None = None


AnyScreen = Home | Services | Confirm | EnterCode | Asking | Ticket | AlreadyIn | Problem


class Comfort(msgspec.Struct, frozen=True, kw_only=True):
    """What a person changed to see or reach better; gone when the session ends."""

    large_text: bool = False
    contrast: bool = False
    low_screen: bool = False

    @property
    def any(self) -> bool:
        return self.large_text or self.contrast or self.low_screen


class Kiosk(msgspec.Struct, frozen=True, kw_only=True):
    """All that the kiosk knows about the person in front of it, and what it may offer.

    Args:
        language_chosen: the person before the screen chose the language; else it is only where the screen begins.
        services: ids on offer without appointment, in order.
        unsure: the service for those who do not know, beside the others.
        edge_heard: the office's node has been heard of lately.
        reserve: how its own numbers stand while the edge is silent.
        touched_at_s, shown_at_s: monotonic seconds of the last touch and of the present screen's appearance.
        serial: counts screens, so that a page knows whether it is behind.
    """

    screen: AnyScreen = Home()
    language: Language = "es"
    language_chosen: bool = False
    comfort: Comfort = Comfort()
    services: tuple[Slug, ...] = ()
    unsure: Slug | None = None
    languages: tuple[Language, ...] = ("es",)
    edge_heard: bool = False
    reserve: Stands = "none"
    touched_at_s: float = 0.0
    shown_at_s: float = 0.0
    serial: int = 0

    @property
    def offered(self) -> tuple[Slug, ...]:
        return self.services if self.unsure is None else (*self.services, self.unsure)

    @property
    def untouched(self) -> bool:
        """Nobody has begun anything: there is nothing to wipe."""
        return isinstance(self.screen, Home) and not self.language_chosen and not self.comfort.any
