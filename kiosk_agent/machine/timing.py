"""When a screen ends by itself. Times are monotonic seconds; a jump of the wall clock ends nobody's session.

A screen that waits for a hand warns after ``IDLE_S`` and counts down ``COUNTDOWN_S`` in sight; then everything is wiped
(ux KIO-13, WCAG 2.2.1). A ticket stays ``TICKET_S`` once the printer is done, a label that could not be printed
``UNPRINTED_S`` (KIO-19). Whoever asked for larger letters or a lower screen gets twice the time everywhere. The wait
for a reply ends with the request's own retries; ``ASKING_MAX_S`` is there for when their end could not be kept.
"""

from __future__ import annotations

import math

from kiosk_agent.machine.screens import AlreadyIn, Asking, Kiosk, Ticket

ASKING_MAX_S = 5.0
"""A little longer than the retries of ``kiosk_agent.requests``, so that these come first on a disk that works."""
IDLE_S = 45.0
COUNTDOWN_S = 20.0
TICKET_S = 8.0
UNPRINTED_S = 30.0
PRINTING_MAX_S = 20.0
"""A printer that says nothing for so long is taken to have said so."""


def patience(kiosk: Kiosk) -> float:
    """The factor on all times of this session."""
    return 2.0 if kiosk.comfort.any else 1.0


def ends_at_s(kiosk: Kiosk) -> float | None:
    """The instant at which this screen ends unless something happens; none when there is nothing to end."""
    screen = kiosk.screen
    if kiosk.untouched:
        return None
    if isinstance(screen, Asking):
        return kiosk.shown_at_s + ASKING_MAX_S
    if isinstance(screen, Ticket):
        return _ticket_ends_at_s(kiosk, screen)
    return kiosk.touched_at_s + (IDLE_S + COUNTDOWN_S) * patience(kiosk)


def seconds_left(kiosk: Kiosk, now_s: float) -> int | None:
    """Whole seconds to show, rounded up; none while nothing ends soon enough to be said."""
    ends, screen = ends_at_s(kiosk), kiosk.screen
    if ends is None or isinstance(screen, Asking) or (isinstance(screen, Ticket) and screen.paper == "printing"):
        return None  # no touch would make these last longer
    left = max(0, math.ceil(ends - now_s))
    if isinstance(screen, Ticket) or left <= COUNTDOWN_S * patience(kiosk):
        return left
    return None


def warns(kiosk: Kiosk, now_s: float) -> bool:
    """Whether "are you still there?" covers the screen. A ticket needs no question, only its countdown."""
    return not isinstance(kiosk.screen, Ticket) and seconds_left(kiosk, now_s) is not None


def over(kiosk: Kiosk, now_s: float) -> bool:
    """Whether the time of this screen has run out."""
    ends = ends_at_s(kiosk)
    return ends is not None and now_s >= ends


def _ticket_ends_at_s(kiosk: Kiosk, ticket: Ticket) -> float:
    if ticket.settled_at_s is None:
        return kiosk.shown_at_s + PRINTING_MAX_S + UNPRINTED_S * patience(kiosk)
    stays = TICKET_S if ticket.paper == "printed" else UNPRINTED_S
    return max(ticket.settled_at_s, kiosk.touched_at_s) + stays * patience(kiosk)


def is_done(kiosk: Kiosk) -> bool:
    """Whether the person has what they came for, so that the next one may begin over this screen."""
    return (isinstance(kiosk.screen, Ticket) and kiosk.screen.settled_at_s is not None) or isinstance(
        kiosk.screen, AlreadyIn
    )
