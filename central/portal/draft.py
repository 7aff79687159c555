"""A half-made booking: what was chosen and typed so far, and how far that goes. Pure.

The wizard is a walk over steps: office, slot, you, check, done. A page can be opened when everything before it is there, so
that a bookmark, a reload or the back button never breaks anything. Moving an appointment is the same walk without "you".

Two requests of one visitor may be under way at once (a double click, two tabs). Each step is therefore applied to the draft
as it is when it is written, not to what the request read at its beginning; a finished draft stays finished.
"""

import uuid
from datetime import datetime
from typing import Literal

import msgspec

from central.booking.appointments import Held, Wish
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
        hold_id: the last hold of this walk, also once it has ended: the next one's id is made from it.
        held_until: until when the seats of `hold_id` are kept.
        extensions: how often that was put off. It stands in the form, so that a double click puts it off once.
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
    extensions: int = 0
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


def next_hold_id(draft: Draft, wish: Wish) -> str:
    """The id of the hold that this draft asks for next: the same for a double click, another for every later hold."""
    named = (draft.hold_id or "", wish.office_id, wish.service_id, wish.slot_start_at.isoformat())
    return str(uuid.uuid5(uuid.UUID(draft.request_id), " ".join(named)))


def choose_office(draft: Draft, office_id: str) -> Draft:
    """Another office: a time chosen elsewhere falls; its hold stays known, so that the next hold releases it."""
    if office_id == draft.office_id or draft.booked is not None:
        return draft
    return msgspec.structs.replace(draft, office_id=office_id, slot_start_at=None, held_until=None)


def hold_slot(draft: Draft, held: Held) -> Draft:
    """The seats of a time are kept, in place of those of another; unless another office was chosen meanwhile."""
    if draft.booked is not None or draft.office_id != held.wish.office_id:
        return draft
    return msgspec.structs.replace(
        draft,
        slot_start_at=held.wish.slot_start_at,
        hold_id=held.hold_id,
        held_until=held.held_until,
        extensions=held.extensions,
    )


def extend_slot(draft: Draft, held: Held) -> Draft:
    """The hold stands longer, if it is still this draft's."""
    return hold_slot(draft, held) if draft.hold_id == held.hold_id else draft


def lose_slot(draft: Draft, slot_start_at: datetime, now: datetime) -> Draft:
    """A time is somebody else's: everything typed stays, and another time that is kept."""
    if draft.booked is not None or (draft.slot_start_at != slot_start_at and draft.is_held(now)):
        return draft
    return msgspec.structs.replace(draft, slot_start_at=None, held_until=None)


def note_details(draft: Draft, details: Details, *, checked: bool) -> Draft:
    if draft.booked is not None:
        return draft
    return msgspec.structs.replace(draft, details=details, details_checked=checked)


def finish(draft: Draft, appointment_id: str) -> Draft:
    """Booked: nothing personal is kept here any more, only where a repeated submit is sent."""
    return Draft(request_id=draft.request_id, service_id=draft.service_id, booked=appointment_id)
