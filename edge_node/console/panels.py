"""The panels of the work screen: which there are, when one has anything to show, what their lists offer.

A panel is the same page with ``?panel=`` and sometimes ``ticket=``, so that it has an address, works without script and survives
a refresh. One that does not fit the counter's state (any more) is not shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec

from edge_node.console.acts import Act
from edge_node.console.desk_panels import PANELS as COUNTER_PANELS
from edge_node.console.desks_view import ServiceChoice
from edge_node.console.notices import PARK_REASONS
from edge_node.console.tickets_view import Place
from edge_node.console.work_view import WorkView
from edge_node.queue.outcomes import SPEAKS, Done
from sync.messages.commands import MAX_STEPS
from sync.messages.policy import GENERAL
from sync.messages.refusals import Refusal
from ui.catalog import Words

PANELS: Final = (
    "call",
    "transfer",
    "give",
    "given",
    "skip",
    "park",
    "add",
    "class",
    "needs",
    "route",
    "support",
    "ticket",
    "more",
    *COUNTER_PANELS,
)
OUTCOMES: Final = ("resolved", "missing_documents", "referred", "not_applicable", "identity_mismatch")
REASONS: Final = ("mobility", "short", "returning", "distress", "language", "supervisor")
SKIP_REASONS: Final = ("away", "company", "papers", "other_clerk")
NEEDS: Final = ("wheelchair", "signs", "interpreter", "company", "quiet", "mobility")
LANGUAGES: Final = ("es", "ar", "fr", "en")
SPOKEN: Final = tuple(language for language in LANGUAGES if language != "es")
ORDERS: Final = ("keep", "next", "end")
REMINDERS_MIN: Final = (5, 10, 15)
RETURNS_MIN: Final = (10, 20, 30, 60)
BASES: Final = ("asked", "seen", "document", "correction")
GIVING: Final = ("take_ticket", "check_in", "print_again")
CHOICES: Final = {
    "outcomes": OUTCOMES,
    "known_needs": NEEDS,
    "languages": LANGUAGES,
    "spoken": SPOKEN,
    "speaks": SPEAKS,
    "orders": ORDERS,
    "reminders": REMINDERS_MIN,
    "returns": RETURNS_MIN,
    "bases": BASES,
    "max_steps": MAX_STEPS,
}


class Panel(msgspec.Struct, frozen=True):
    """What is open on the work screen; nothing when the name is empty."""

    name: str = ""
    ticket: str = ""
    office: str = ""

    @property
    def address(self) -> str:
        asked = {"panel": self.name, "ticket": self.ticket, "office": self.office} if self.name else {}
        return "/" + ("?" + urlencode({name: value for name, value in asked.items() if value}) if asked else "")

    @classmethod
    def of(cls, name: str, ticket: str, office: str = "") -> Panel:
        """A panel that exists, whatever was asked for."""
        return cls(name, ticket[:36], office[:40]) if name in PANELS else cls()

    @classmethod
    def at(cls, address: str) -> Panel:
        """The panel of one of our own addresses."""
        asked = parse_qs(urlsplit(address).query)
        return cls.of(*(asked.get(name, [""])[0] for name in ("panel", "ticket", "office")))


def after_act(act: Act, panel: Panel) -> Panel:
    """What is open after an act: its panel when it was refused, the ticket when one was given, else nothing."""
    answer = act.answer
    if isinstance(answer, Refusal):
        known = answer.code == "already_checked_in" and answer.ticket_id
        return Panel("given", answer.ticket_id or "") if known else panel
    if act.verb in ("hand_over", "take_back"):
        return Panel("sent", str(act.fields.get("ticket_id", "")) if act.verb == "hand_over" else "")
    if act.verb not in GIVING:
        return Panel()
    ticket = answer.reply.ticket if isinstance(answer, Done) else None
    return Panel("given", ticket.ticket_id) if ticket else panel


def fits(panel: Panel, work: WorkView, subject: Place | None) -> bool:
    """Whether a panel has anything to show now.

    Args:
        subject: the ticket that it is about: the one that its address names, else the open visit.
    """
    state = subject.state if subject is not None else ""
    own = work.visit is not None and subject is not None and subject.ticket_id == work.visit.ticket_id
    match panel.name:
        case "transfer" | "more":
            return work.visit is not None
        case "add":
            return work.visit is not None and work.visit.state == "serving"
        case "park":
            return state == "waiting" or own
        case "skip":
            is_next = work.next is not None and subject is not None and subject.ticket_id == work.next.ticket_id
            return is_next or (own and state == "called")
        case "ticket":
            return state in ("waiting", "parked", "missed")
        case "class" | "needs":
            return subject is not None
        case "route":
            return state in ("waiting", "parked") or own
        case _:
            return True


def options(
    services: Iterable[ServiceChoice], classes: Iterable[str], kiosks: Iterable[str], words: Words
) -> dict[str, list[tuple[str, str]]]:
    """What the panels' lists offer, as (value, text)."""
    return {
        "reason_options": [(reason, words.text(f"console.reason.{reason}")) for reason in REASONS],
        "skip_options": [(reason, words.text(f"console.skipping.{reason}")) for reason in SKIP_REASONS],
        "park_options": [(reason, words.text(f"console.park.{reason}")) for reason in PARK_REASONS],
        "service_options": [(service.id, service.name) for service in services if service.walk_in],
        "step_options": [(service.id, service.name) for service in services],
        "language_options": [(language, words.text(f"console.language.{language}")) for language in LANGUAGES],
        "class_options": [(each, class_name(each, words)) for each in (GENERAL, *classes)],
        "basis_options": [(basis, words.text(f"console.basis.{basis}")) for basis in BASES],
        "kiosk_options": [(kiosk, kiosk) for kiosk in sorted(kiosks)],
    }


def class_name(priority_class: str, words: Words) -> str:
    """A class in words; one that an office's policy made up by its own name."""
    key = f"console.class.{priority_class}"
    return words.text(key) if key in words else priority_class.replace("_", " ")


def default_service(remembered: str, own: Iterable[str], services: Iterable[ServiceChoice]) -> str:
    """What somebody without appointment most likely comes for: the last one that was given here, else the counter's first."""
    offered = [service.id for service in services if service.walk_in]
    return next((each for each in (remembered, *own) if each in offered), "")


def values_of(work: WorkView, subject: Place | None) -> dict[str, Any]:
    """What a panel shows of the ticket that it is about."""
    return {
        "subject": subject,
        "subject_is_visit": bool(subject and work.visit and subject.ticket_id == work.visit.ticket_id),
    }
