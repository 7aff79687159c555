"""The kiosk's screen as a state machine: pure, table-driven, time and ids as arguments.

Theory
------
A *session* begins with the first touch or scan on ``Home`` and ends with ``StartOver``, the end of a ticket's time or
the idle countdown; its end wipes the language, the comfort and everything typed. States are the screens::

    Home ── without ──> Services ── choose ──> Confirm ── take ──> Asking ──> Ticket ──> Home
      │                                                              │
      ├── with ───────> EnterCode ── send ───────────────────────────┤── refused ──> Problem ──> (next step)
      └── scan (from any screen that waits for a hand) ──────────────┘── already in ──> AlreadyIn ── reprint ──> Asking

A touch that its screen does not know changes nothing, so a double touch or a late one is harmless. Each request has an
id made with the touch. A reply counts only for the request that the screen stands for: ``Asking`` it, or a ``Problem``
that says that nobody answered it (the person is still there). Any other reply brings a ticket for somebody who has
gone: nothing is printed and the edge is told so. The shell hands in only the first reply to each request.

When the edge has been silent for ten seconds (``Kiosk.reserve`` is *ready*), *take* gives a ticket out of the kiosk's own
numbers without asking; when it falls silent in the middle of a request for a ticket, the end of patience does, under the same
id. Either way it is the screen that the request ends in, so one request gives one ticket. What an appointment is the kiosk
cannot know by itself: it says so and offers a ticket without one.

Refusals become one of a few troubles by table, each with its next steps; what a kiosk cannot help with sends the
person to the counter. The machine never blocks: out of paper the label stays on the glass, and without an answer it
says where to go.
"""

from kiosk_agent.machine.events import Effect, Event, Give, LeaveUnprinted, Print, Send, Touch
from kiosk_agent.machine.given import Offer
from kiosk_agent.machine.screens import AnyScreen, Kiosk
from kiosk_agent.machine.steps import Step, asked_by, resume, step

__all__ = [
    "AnyScreen",
    "Effect",
    "Event",
    "Give",
    "Kiosk",
    "LeaveUnprinted",
    "Offer",
    "Print",
    "Send",
    "Step",
    "Touch",
    "asked_by",
    "resume",
    "step",
]
