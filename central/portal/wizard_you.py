"""P4: who comes. Whatever is typed is kept with the draft, right or wrong, before anything else happens."""

from collections.abc import Sequence

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.booking.appointments import Person
from central.portal.details import DOCUMENT_KINDS, NEEDS, FieldProblem, check_details
from central.portal.draft import Details, Draft, extend_slot, may_open, note_details, step_of
from central.portal.service import Portal
from central.portal.visit import Form, Incoming, Page, Visit
from central.portal.wizard import Chosen, open_step, step_path, step_values, wanted_language
from central.portal.wizard_slot import hold_for, show_refused

RETENTION_DAYS = 30


@get("/reserva/datos")
async def you(request: Incoming, portal: NamedDependency[Portal], aviso: FromQuery[str] = "") -> Page:
    """The form, with what was typed before."""
    visit = Visit(request, portal)
    at = await open_step(visit, "you")
    return at if not isinstance(at, Chosen) else await _show(visit, at, extended=aviso == "mas-tiempo")


@post("/reserva/datos")
async def note(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Check the details; or only keep them, when more time or another language was asked for."""
    visit = Visit(request, portal)
    form = await visit.form()
    at = await open_step(visit, "you")
    if not isinstance(at, Chosen):
        return at
    details = read_details(form)
    person = check_details(details, visit.locale)
    is_good = isinstance(person, Person)
    draft = (await visit.change(at.draft, lambda draft: note_details(draft, details, checked=is_good))).after
    if not may_open(draft, "you"):  # booked in another tab, or another office chosen
        return visit.to(step_path(draft, step_of(draft)))
    at = msgspec.structs.replace(at, draft=draft)
    if language := wanted_language(form):
        return visit.to(at.path("you", lang=language))
    if form.get("more"):
        return await _more_time(visit, at, form.get("more"))
    if not isinstance(person, Person):
        return await _show(visit, at, problems=person)
    if not draft.is_held(portal.central.clock.now()):
        return await hold_again(visit, at)
    return visit.to(step_path(draft, step_of(draft)))


async def hold_again(visit: Visit, at: Chosen) -> Page:
    """The time ran out over the form: keep the same seats once more if nobody took them, else choose again; nothing is lost."""
    outcome = await hold_for(visit, at, at.slot)
    if not isinstance(outcome, Draft):
        return await show_refused(visit, at, outcome, at.slot)
    step = step_of(outcome)
    return visit.to(step_path(outcome, step, aviso="otra-vez") if step == "check" else step_path(outcome, step))


def read_details(form: Form) -> Details:
    """The fields as they were typed."""
    return Details(
        name=form.get("name"),
        doc_type=form.get("doc_type") or DOCUMENT_KINDS[0],
        doc=form.get("doc"),
        mail=form.get("mail"),
        mobile=form.get("mobile"),
        other=form.has("other"),
        support=tuple(need for need in NEEDS if need in form.all("support")),
    )


async def _more_time(visit: Visit, at: Chosen, so_far: str) -> Page:
    hold_id = at.draft.hold_id
    is_count = so_far.isascii() and so_far.isdecimal() and len(so_far) < 3
    held = await visit.portal.booking.bookings.extend(hold_id, int(so_far)) if hold_id and is_count else None
    if held is not None:
        await visit.change(at.draft, lambda draft: extend_slot(draft, held))
        return visit.to(at.path("you", aviso="mas-tiempo"))
    if at.draft.is_held(visit.portal.central.clock.now()):
        return visit.to(at.path("you"))  # extended often enough; the time that is left stands on the page
    return await hold_again(visit, at)


async def _show(visit: Visit, at: Chosen, *, problems: Sequence[FieldProblem] = (), extended: bool = False) -> Page:
    told = {problem.field: tell(visit, problem) for problem in problems}
    values = {
        **await step_values(visit, "you", at),
        "details": at.draft.details,
        "problems": list(told.items()),
        "errors": told,
        "failed": bool(told),
        "is_held": at.draft.is_held(visit.portal.central.clock.now()),
        "extended": extended,
        "needs": NEEDS,
        "kinds": DOCUMENT_KINDS,
        "retention_days": RETENTION_DAYS,
        "keeps": "step",
    }
    return visit.page("portal/you.html", values, status=422 if told else 200)


def tell(visit: Visit, problem: FieldProblem) -> str:
    """A problem in the visitor's language, the same words above the form and at the field."""
    names = {name: visit.words.text(key) for name, key in problem.names.items()}
    return visit.words.text(problem.key, **problem.values, **names)


ROUTES = (you, note)
