"""The page of an office's policy, for who manages the office: what holds, what held, and changing it from a day on.

A change is typed, looked at in words, and set; each step posts all that was typed, so nothing of it stands anywhere but in the
page. ``seen`` is the newest version that the page knew: who was overtaken is told and keeps what they typed.
"""

from __future__ import annotations

from typing import Final

from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.types import ControllerRouterHandler

from central.audit import Attested, note
from central.policy.store import Overtaken, TooEarly, set_policy
from central.policy.trials import DAYS, Trial
from central.policy.view import JUDGED, At, Draft, check_page, form_page, show_page
from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.staff.gate import POLICIES, StaffVisit, enter, refused

LANGUAGE: Final = "lang"


@get(POLICIES)
async def choose(request: Incoming, portal: NamedDependency[Portal], oficina: FromQuery[str] = "") -> Page:
    """To an office's page: the one that was chosen, or one's own."""
    visit = await enter(request, portal)
    offices = (await portal.booking.catalogue.current()).offices
    return visit.to(f"{POLICIES}/{oficina if oficina in offices else visit.member.office}")


@get(f"{POLICIES}/{{office:str}}")
async def show(
    request: Incoming, portal: NamedDependency[Portal], office: FromPath[str], guardada: FromQuery[int | None] = None
) -> Page:
    """What holds, since when and by whom; what is to come; what held before."""
    visit = await enter(request, portal)
    if page := refused(visit, office):
        return page
    at = await _at(visit, office)
    await visit.looked_at("policy.looked_at", office, office=office)
    return await show_page(visit, at, saved=guardada)


@get(f"{POLICIES}/{{office:str}}/cambiar")
async def change(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """The form, with what would hold tomorrow."""
    visit = await enter(request, portal)
    if page := refused(visit, office):
        return page
    at = await _at(visit, office)
    return form_page(visit, at, Draft.of(at))


@post(f"{POLICIES}/{{office:str}}/cambiar", status_code=200)
async def step(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """A step of a change; which one says the button that was pressed."""
    form = await StaffVisit.form_of(request, portal)
    visit = await enter(request, portal, sent=form)
    if page := refused(visit, office):
        return page
    at = await _at(visit, office)
    draft = Draft.typed_in(form, at)
    if wanted := form.get(LANGUAGE):
        visit.speak(wanted)
        view = form.get("view")
        return check_page(visit, at, draft) if view == "check" else form_page(visit, at, draft, judged=view == JUDGED)
    match form.get("do"):
        case "edit":
            return form_page(visit, at, draft)
        case "try":
            return await _try(visit, at, draft)
        case "save":
            return await _save(visit, at, draft)
        case _:
            return check_page(visit, at, draft)


async def _save(visit: StaffVisit, at: At, draft: Draft) -> Page:
    if draft.policy is None or draft.start is None:
        return form_page(visit, at, draft, judged=True)
    who = Attested(actor=visit.member.actor, at=visit.portal.central.clock.now())
    async with visit.portal.central.pool.acquire() as connection:
        done = await set_policy(
            connection,
            office=at.office.id,
            policy=draft.policy,
            effective_from=draft.start,
            who=who,
            seen=draft.seen,
        )
    if isinstance(done, Overtaken):
        fresh = await _at(visit, at.office.id)
        return form_page(visit, fresh, draft.over(fresh), overtaken=done.latest)
    if done is None or isinstance(done, TooEarly):  # it was tomorrow when the page was made
        return form_page(visit, at, Draft.typed_in(draft.form, await _at(visit, at.office.id)), judged=True)
    return visit.to(f"{POLICIES}/{at.office.id}?guardada={done.policy.version}")


async def _try(visit: StaffVisit, at: At, draft: Draft) -> Page:
    if draft.policy is None:
        return form_page(visit, at, draft, judged=True)
    central = visit.portal.central
    came = await visit.portal.trials.run(central.pool, at.office, central.clock.now(), draft.policy)
    if isinstance(came, Trial):
        who = Attested(actor=visit.member.actor, at=central.clock.now())
        async with central.pool.acquire() as connection:
            await note(connection, who, "policy.tried", at.office.id, office=at.office.id, days=DAYS)
    return check_page(visit, at, draft, came=came, services=await _services(visit))


async def _services(visit: StaffVisit) -> dict[str, str]:
    services = (await visit.portal.booking.catalogue.current()).services
    return {key: one.names.get(visit.locale) or one.names["es"] for key, one in services.items()}


async def _at(visit: StaffVisit, office: str) -> At:
    """An office as it is now.

    Raises:
        NotFoundException: there is none.
    """
    found = await At.read(visit.portal, visit.member, office)
    if found is None:
        raise NotFoundException
    return found


ROUTES: tuple[ControllerRouterHandler, ...] = (choose, show, change, step)
