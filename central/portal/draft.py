"""A half-made booking: what was chosen and typed so far, and how far that goes. Pure.

The wizard is a walk over steps: office, slot, you, check, done. A page can be opened when everything before it is there, so
that a bookmark, a reload or the back button never breaks anything. Moving an appointment is the same walk without "you".
"""

from datetime import datetime
from typing import Literal

import msgspec

from sync.messages.values import Instant, Slug, Uuid

Step = Literal["office", "slot", "you", "check", "done"]
STEPS: tuple[Step, ...] = ("office", "slot", "you", "check", "done")


class Details(msgspec.Struct, frozen=True, kw_only=True):
    """What was typed under "Sus datos", as it was typed: right or wrong, it is shown again."""

    name: str = ""
    doc_type: str = "dni"
    doc: str = ""
    mail: str = ""
    mobile: str = ""
    other: bool = False
    support: tuple[str, ...] = ()


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One walk through the wizard.

    Args:
        request_id: of the booking that this draft becomes: sent twice, it books once.
        held_until: until when the seats of `hold_id` are kept.
        details_checked: the details were found good when they were typed.
        moves: the appointment that gets a new time; its old one is kept until then.
        booked: the appointment that came of it.
    """

    request_id: Uuid
    service_id: Slug
    office_id: Slug | None = None
    slot_start_at: Instant | None = None
    hold_id: Uuid | None = None
    held_until: Instant | None = None
    details: Details = Details()
    details_checked: bool = False
    moves: Uuid | None = None
    booked: Uuid | None = None

    def is_held(self, now: datetime) -> bool:
        """Whether the chosen time is still kept for this person."""
        return self.hold_id is not None and self.held_until is not None and now < self.held_until


def step_of(draft: Draft) -> Step:
    """The first step that is still to be done."""
    if draft.booked is not None:
        return "done"
    if draft.office_id is None:
        return "office"
    if draft.slot_start_at is None:
        return "slot"
    if draft.moves is None and not draft.details_checked:
        return "you"
    return "check"


def may_open(draft: Draft, step: Step) -> bool:
    """Whether everything before a step is there. Moving an appointment asks for no details."""
    if draft.booked is not None:
        return step == "done"
    if draft.moves is not None and step == "you":
        return False
    return STEPS.index(step) <= STEPS.index(step_of(draft))


def choose_office(draft: Draft, office_id: str) -> Draft:
    """Another office: a time chosen elsewhere falls; its hold stays known, so that the next hold releases it."""
    if office_id == draft.office_id:
        return draft
    return msgspec.structs.replace(draft, office_id=office_id, slot_start_at=None, held_until=None)


def hold_slot(draft: Draft, slot_start_at: datetime, hold_id: str, held_until: datetime) -> Draft:
    """The seats of a time are kept."""
    return msgspec.structs.replace(draft, slot_start_at=slot_start_at, hold_id=hold_id, held_until=held_until)


def lose_slot(draft: Draft) -> Draft:
    """The time is somebody else's: everything typed stays."""
    return msgspec.structs.replace(draft, slot_start_at=None, hold_id=None, held_until=None)


def note_details(draft: Draft, details: Details, *, checked: bool) -> Draft:
    return msgspec.structs.replace(draft, details=details, details_checked=checked)


def finish(draft: Draft, appointment_id: str) -> Draft:
    """Booked: nothing personal is kept here any more, only where a repeated submit is sent."""
    return Draft(request_id=draft.request_id, service_id=draft.service_id, booked=appointment_id)
