"""Closures of an office, and the appointments that lost their place: for who manages it. Codes and times only, no names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Final

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from central.audit import Attested
from central.closures.marking import close_office, open_again, queries
from central.closures.rules import Proposal
from central.closures.service import Do
from central.offices.catalogue import Catalogue, OfficeRecord
from central.portal.service import Portal
from central.portal.visit import Form, Incoming, Page
from central.staff.gate import CLOSURES, StaffVisit, enter, offices_of, refused
from central.staff.people import names_of
from central.staff.rules import may_manage
from sync.domain.service_day import service_date
from ui import formats
from ui.catalog import Words

SHOWN: Final = 50
RUNS: Final = 10
ITEMS: Final = 100
CLOSED_SHOWN: Final = 60


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An appointment without a place, as the page shows it.

    Args:
        chip: what was done with it already, as (text, kind).
    """

    id: str
    code: str
    service: str
    was: str
    to: str
    booked: str
    reach: str
    chip: tuple[str, str] | None = None


@get(CLOSURES)
async def choose(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """To an office's page: the one that was chosen, or one's own."""
    visit = await enter(request, portal)
    chosen = request.query_params.get("oficina", "")
    offices = (await portal.booking.catalogue.current()).offices
    return visit.to(f"{CLOSURES}/{chosen if chosen in offices else visit.member.office}")


@get(f"{CLOSURES}/{{office:str}}")
async def show(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """The closures to come, and who has no place."""
    visit = await enter(request, portal)
    if page := refused(visit, office):
        return page
    await visit.looked_at("closure.looked_at", office, office=office)
    return await _page(visit, await _record(visit, office))


@post(f"{CLOSURES}/{{office:str}}/cerrar", status_code=200)
async def close(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """Close the office for some days."""
    form = await StaffVisit.form_of(request, portal)
    visit = await enter(request, portal, sent=form)
    if page := refused(visit, office):
        return page
    record = await _record(visit, office)
    since, until = _day(form.get("desde")), _day(form.get("hasta") or form.get("desde"))
    if since is None or until is None:
        return await _page(visit, record, problem="city.closures.bad.malformed", form=form, status=422)
    async with portal.central.pool.acquire() as connection:
        done = await close_office(
            connection, portal.central.settings, _who(visit), office=office, since=since, until=until,
            reason=form.get("motivo")[:120],
        )  # fmt: skip
    if isinstance(done, str):
        return await _page(visit, record, problem=f"city.closures.bad.{done}", form=form, status=422)
    return visit.to(f"{CLOSURES}/{office}?cerrado={since}")


@post(f"{CLOSURES}/{{office:str}}/quitar", status_code=200)
async def lift(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """Open the office again on a day."""
    form = await StaffVisit.form_of(request, portal)
    visit = await enter(request, portal, sent=form)
    if page := refused(visit, office):
        return page
    if (day := _day(form.get("dia"))) is not None:
        async with portal.central.pool.acquire() as connection:
            await open_again(connection, portal.central.settings, _who(visit), office=office, day=day)
    return visit.to(f"{CLOSURES}/{office}")


@post(f"{CLOSURES}/{{office:str}}/mover", status_code=200)
async def move(request: Incoming, portal: NamedDependency[Portal], office: FromPath[str]) -> Page:
    """Have the chosen ones, or all, moved or told. What is proposed now counts, not what the page showed."""
    form = await StaffVisit.form_of(request, portal)
    visit = await enter(request, portal, sent=form)
    if page := refused(visit, office):
        return page
    record = await _record(visit, office)
    act: Do = "offer" if form.get("do").startswith("offer") else "move"
    affected = await portal.closures.affected(office, *_span(visit, record))
    chosen = {one.appointment_id for one in affected}
    if not form.get("do").endswith("all"):
        chosen &= set(form.all("cita"))
    last = max((n for n, one in enumerate(affected, 1) if one.appointment_id in chosen), default=0)
    proposals = await portal.closures.proposed(office, affected, first=last) if last else []
    proposals = [one for one in proposals if one.affected.appointment_id in chosen]
    if not proposals:
        return await _page(visit, record, problem="city.closures.bad.none_chosen", status=422)
    begun = await portal.closures.begin(_who(visit), office, proposals, act)
    return visit.to(f"{CLOSURES}/{office}/{begun.run_id}?sin={begun.without_place}")


@get(f"{CLOSURES}/{{office:str}}/{{run:uuid}}")
async def progress(
    request: Incoming, portal: NamedDependency[Portal], office: FromPath[str], run: FromPath[Any]
) -> Page:
    """How far a run is, and what somebody has to look at."""
    visit = await enter(request, portal)
    if page := refused(visit, office):
        return page
    record, pool = await _record(visit, office), portal.central.pool
    found = await pool.fetchrow(queries.run, str(run))
    if found is None or found["office_id"] != office:
        raise NotFoundException
    everything, after = bool(request.query_params.get("todas")), request.query_params.get("tras", "0")
    place = int(after) if after.isdecimal() and len(after) < 8 else 0
    items = await pool.fetch(queries.items_of_run, str(run), place, not everything, ITEMS + 1)
    catalogue = await portal.booking.catalogue.current()
    counts = _counts(await pool.fetch(queries.counts, [str(run)]))
    without = request.query_params.get("sin", "0")
    names = await names_of(pool, {found["begun_by"]})
    values = {
        "tab": CLOSURES,
        "office": record,
        "run": found,
        "begun_by": names.get(found["begun_by"], found["begun_by"]),
        "done": counts.get("done", 0),
        "not_done": counts.get("failed", 0),
        "waiting": counts.get("waiting", 0),
        "total": sum(counts.values()),
        "without_place": int(without) if without.isdecimal() and len(without) < 8 else 0,
        "everything": everything,
        "items": [_item(visit.words, catalogue, row) for row in items[:ITEMS]],
        "more": items[ITEMS - 1]["place"] if len(items) > ITEMS else None,
    }
    return visit.page("closures/run.html", values)


async def _page(
    visit: StaffVisit, office: OfficeRecord, *, problem: str = "", form: Form | None = None, status: int = 200
) -> Page:
    portal, words = visit.portal, visit.words
    catalogue, pool = await portal.booking.catalogue.current(), portal.central.pool
    since, until = _span(visit, office)
    affected = await portal.closures.affected(office.id, since, until)
    at = _page_number(visit, len(affected))
    shown = (await portal.closures.proposed(office.id, affected, first=(at + 1) * SHOWN))[at * SHOWN :]
    told = await pool.fetch(queries.told, [one.affected.appointment_id for one in shown])
    runs = await pool.fetch(queries.runs, office.id, RUNS)
    counts = await pool.fetch(queries.counts, [run["run_id"] for run in runs])
    names = await names_of(pool, {run["begun_by"] for run in runs})
    closed = await pool.fetch(queries.closures, office.id, since, CLOSED_SHOWN)
    values = {
        "tab": CLOSURES,
        "choices": [(key, name) for key, name in await offices_of(portal) if may_manage(visit.member, key)],
        "office": office,
        "today": since,
        "closed": closed,
        "just_closed": _day(visit.request.query_params.get("cerrado", "")),
        "problem": problem,
        "typed": {name: form.get(name) if form else "" for name in ("desde", "hasta", "motivo")},
        "total": len(affected),
        "placeless": sum(one.place is None for one in shown),
        "rows": _rows(words, catalogue, office, shown, {row["appointment_id"]: row for row in told}),
        "at": at,
        "pages": -(-len(affected) // SHOWN),
        "names": names,
        "runs": [(run, _counts(row for row in counts if row["run_id"] == run["run_id"])) for run in runs],
    }
    return visit.page("closures/closures.html", values, status=status)


def _rows(
    words: Words, catalogue: Catalogue, office: OfficeRecord, proposals: Sequence[Proposal], told: dict[str, Any]
) -> list[Row]:
    return [
        Row(
            id=one.affected.appointment_id,
            code=formats.dashed(one.affected.locator),
            service=_service(words, catalogue, one.affected.service_id),
            was=formats.day_time(one.affected.slot_start_at, words, office.zone),
            to=_to(words, catalogue, office, one),
            booked=formats.stamp(one.affected.booked_at, office.zone),
            reach=words.text("city.closures.reach.mail" if one.affected.has_mail else "city.closures.reach.call"),
            chip=_chip(words, told.get(one.affected.appointment_id)),
        )
        for one in proposals
    ]


def _to(words: Words, catalogue: Catalogue, office: OfficeRecord, proposal: Proposal) -> str:
    if proposal.place is None:
        return words.text("city.closures.no_place")
    return _when(words, catalogue, proposal.place.office_id, proposal.place.start_at, office.id)


def _when(words: Words, catalogue: Catalogue, office: str, at: Any, own: str) -> str:
    record = catalogue.offices[office]
    when = formats.day_time(at, words, record.zone)
    return when if office == own else words.text("city.closures.elsewhere", when=when, office=record.name)


def _chip(words: Words, told: Any) -> tuple[str, str] | None:
    if told is None:
        return None
    if told["state"] == "waiting":
        return words.text("city.closures.chip.waiting"), "act"
    if told["state"] == "failed":
        return words.text(f"city.closures.problem.{told['problem']}"), "late"
    return (words.text("city.closures.chip.offered"), "ok") if told["act"] == "offer" else None


def _item(words: Words, catalogue: Catalogue, row: Any) -> dict[str, Any]:
    kind = {"done": "ok", "failed": "late", "waiting": "act"}[row["state"]]
    return {
        "code": formats.dashed(row["locator"] or ""),
        "service": _service(words, catalogue, row["service_id"] or ""),
        "was": _when(words, catalogue, row["was_office_id"], row["was_start_at"], row["was_office_id"]),
        "to": _when(words, catalogue, row["to_office_id"], row["to_start_at"], row["was_office_id"]),
        "chip": (words.text(f"city.closures.state.{row['act']}.{row['state']}"), kind),
        "problem": words.text(f"city.closures.problem.{row['problem']}") if row["problem"] else "",
    }


def _service(words: Words, catalogue: Catalogue, service: str) -> str:
    names = catalogue.services[service].names if service in catalogue.services else {}
    return names.get(words.locale.tag) or names.get("es") or service


def _counts(rows: Any) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["state"]] = counts.get(row["state"], 0) + row["items"]
    return counts


def _page_number(visit: StaffVisit, total: int) -> int:
    text = visit.request.query_params.get("pagina", "0")
    return min(int(text), max(0, total - 1) // SHOWN) if text.isdecimal() and len(text) < 6 else 0


def _span(visit: StaffVisit, office: OfficeRecord) -> tuple[date, date]:
    """From today as far as anybody can have booked."""
    central = visit.portal.central
    today = service_date(central.clock.now(), office.zone)
    return today, today + timedelta(days=central.settings.booking.horizon_days + 1)


async def _record(visit: StaffVisit, office: str) -> OfficeRecord:
    record = (await visit.portal.booking.catalogue.current()).offices.get(office)
    if record is None:
        raise NotFoundException
    return record


def _who(visit: StaffVisit) -> Attested:
    return Attested(actor=visit.member.actor, at=visit.portal.central.clock.now())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


ROUTES: tuple[ControllerRouterHandler, ...] = (choose, show, close, lift, move, progress)
