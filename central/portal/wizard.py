"""What the pages of the wizard share: opening the draft at the right step, and what a booking is about."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from central.booking.appointments import Booking, Wish
from central.offices.catalogue import Catalogue, OfficeRecord, ServiceRecord
from central.portal.draft import Draft, Step, may_open, step_of
from central.portal.home import OfficeWait, live_waits
from central.portal.visit import DRAFT_PARAMETER, Form, Page, Visit
from ui.locales import CITIZEN_LOCALES

PATHS: Final[dict[Step, str]] = {
    "office": "/reserva/oficina",
    "slot": "/reserva/hora",
    "you": "/reserva/datos",
    "check": "/reserva/compruebe",
    "done": "/reserva/hecha",
}


def step_path(draft: Draft, step: Step, anchor: str = "", **query: str) -> str:
    """The address of a draft's step: it names the draft, because another tab may have begun another one."""
    return f"{PATHS[step]}?{urlencode({DRAFT_PARAMETER: draft.request_id, **query})}{anchor and f'#{anchor}'}"


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """A draft with what it names.

    Args:
        moving: the appointment that gets a new time, if the draft is for that.
    """

    draft: Draft
    city: Catalogue
    service: ServiceRecord
    office: OfficeRecord | None
    moving: Booking | None

    @property
    def at_office(self) -> OfficeRecord:
        """The office; only for steps that come after choosing it."""
        assert self.office is not None
        return self.office

    @property
    def slot(self) -> datetime:
        """The time; only for steps that come after choosing it."""
        assert self.draft.slot_start_at is not None
        return self.draft.slot_start_at

    @property
    def wish(self) -> Wish:
        return Wish(office_id=self.at_office.id, service_id=self.service.id, slot_start_at=self.slot)

    def path(self, step: Step, anchor: str = "", **query: str) -> str:
        """The address of a step of this draft."""
        return step_path(self.draft, step, anchor, **query)

    @property
    def total_steps(self) -> int:
        return 5 if self.moving is None else 3

    def number(self, step: Step) -> int:
        """Which step of how many; the service's page is the first of five, moving has only three."""
        if self.moving is not None:
            return {"office": 1, "slot": 2, "check": 3}.get(step, 3)
        return {"office": 2, "slot": 3, "you": 4, "check": 5}.get(step, 5)


async def open_step(visit: Visit, step: Step) -> Chosen | Page:
    """The draft at a step, or the page to go to instead."""
    draft = await visit.draft()
    if draft is None:
        return draft_gone(visit)
    if not may_open(draft, step):
        return visit.to(step_path(draft, step_of(draft)))
    return await chosen(visit, draft) or draft_gone(visit)


async def chosen(visit: Visit, draft: Draft) -> Chosen | None:
    """What a draft names; none if the service is not there any more."""
    city = await visit.portal.booking.catalogue.current()
    service = city.services.get(draft.service_id)
    if service is None:
        return None
    moving = await visit.portal.booking.changes.by_id(draft.moves) if draft.moves else None
    office = city.offices.get(draft.office_id or "")
    return Chosen(draft=draft, city=city, service=service, office=office, moving=moving)


def draft_gone(visit: Visit) -> Page:
    """The half hour is over, or the browser keeps no cookies."""
    return visit.page("portal/draft_gone.html", {"here": "/"}, status=410)


async def office_wait(visit: Visit, office: OfficeRecord | None) -> OfficeWait | None:
    """The live wait of the chosen office."""
    return (await live_waits(visit)).of(office.id) if office else None


async def step_values(visit: Visit, step: Step, at: Chosen) -> dict[str, Any]:
    """What every page of the wizard needs."""
    return {
        "here": at.path(step),
        "action": PATHS[step],
        "at": at,
        "step": at.number(step),
        "total": at.total_steps,
        "wait": await office_wait(visit, at.office),
        "request_id": at.draft.request_id,
    }


def wanted_language(form: Form) -> str | None:
    """The language that was asked for with a button of the form itself, so that nothing typed is lost."""
    wanted = form.get("lang")
    return wanted if wanted in CITIZEN_LOCALES else None
