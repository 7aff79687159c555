"""The record: who did what, to which ticket, appointment, policy or session. For the office that somebody manages.

Whatever is looked up here is written down as well: once per session and question, a download every time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromQuery
from litestar.response import Stream
from litestar.types import ControllerRouterHandler

from central.audit import Attested, note
from central.portal.service import Portal
from central.portal.visit import PRIVATE, Incoming, Page
from central.staff.audit_asked import CITY, Asked, day_of, last_of, place_of, told_place
from central.staff.audit_log import SHOWN, Day, acts, all_acts, all_facts, is_staff, told
from central.staff.audit_words import Line, Names, act_line, fact_line, life_lines
from central.staff.gate import AUDIT, StaffVisit, enter, offices_of, refused
from central.staff.rules import may_manage
from sync.domain.service_day import ends_at, service_date, starts_at
from ui.catalog import Words

MOST_DAYS: Final = 31
MOST_ROWS: Final = 100_000
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


@get(AUDIT)
async def show(request: Incoming, portal: NamedDependency[Portal], oficina: FromQuery[str] = "") -> Page:
    """What is written down about a day, and the life of one ticket or appointment."""
    visit = await enter(request, portal)
    office = oficina or visit.member.office
    if page := _refused(visit, office):
        return page
    offices = (await portal.booking.catalogue.current()).offices
    record = offices.get(visit.member.office if office == CITY else office)
    if record is None:
        raise NotFoundException
    asked = Asked.of(request, office, service_date(portal.central.clock.now(), record.zone))
    values = {
        "tab": AUDIT,
        "choices": _choices(visit, await offices_of(portal)),
        "asked": asked,
        "office_name": record.name,
        "is_city": office == CITY,
        "bad_dates": request.query_params.get("mal") == "fechas",
        "facts": (),
        "acts": (),
        "more_facts": "",
        "more_acts": "",
        "life": None,
        "no_life": False,
    }
    of = None if office == CITY else office
    if asked.day is None:
        await visit.looked_at("audit.looked_up", asked.subject(), office=of)
        return visit.page("staff/audit.html", values, status=422)
    async with portal.central.pool.acquire() as connection:
        log = await Day.find(connection, office, asked.day, record.zone)
        found = await (_life if asked.what and office != CITY else _lists)(visit, connection, log, asked)
        stands = bool(found.get("facts") or found.get("acts"))  # then the person stands in the record already
        is_person = stands or await is_staff(connection, office, asked.person)
    life = found.get("life")
    subject = asked.subject(person=asked.person if is_person else "", what=life.name if life is not None else "")
    await visit.looked_at("audit.looked_up", subject, office=of)
    return visit.page("staff/audit.html", {**values, **found})


async def _life(visit: StaffVisit, connection: Any, log: Day, asked: Asked) -> dict[str, Any]:
    life = await log.life(connection, asked.what)
    lines = life_lines(life, visit.words, await _names(visit)) if life is not None else ()
    return {"life": life, "no_life": life is None, "lines": lines}


async def _lists(visit: StaffVisit, connection: Any, log: Day, asked: Asked) -> dict[str, Any]:
    names, words = await _names(visit), visit.words
    labels = await log.labels(connection)
    facts = await log.facts(
        connection,
        person=asked.person,
        people_only=not asked.everything,
        after=place_of(asked.facts_after),
        most=SHOWN + 1,
    )
    done = await acts(
        connection,
        starts_at(log.day, log.zone),
        ends_at(log.day, log.zone),
        office=None if asked.office == CITY else asked.office,
        person=asked.person,
        after=last_of(asked.acts_after),
        most=SHOWN + 1,
    )
    found: dict[str, Any] = {
        "facts": [fact_line(one, words, names) for one in told(facts[:SHOWN], labels)],
        "acts": [act_line(one, words) for one in done[:SHOWN]],
    }
    if len(facts) > SHOWN:
        found["more_facts"] = asked.further(facts=told_place(facts[SHOWN - 1][0]))
    if len(done) > SHOWN:
        last = done[SHOWN - 1]
        found["more_acts"] = asked.further(acts=f"{last.at.isoformat()},{last.audit_id}")
    return found


def _choices(visit: StaffVisit, offices: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The offices that somebody may look into, and the city for who manages all of it."""
    own = [(key, name) for key, name in offices if may_manage(visit.member, key)]
    return [*own, (CITY, visit.words.text("city.audit.city"))] if visit.member.is_city_wide else own


@get(f"{AUDIT}.csv")
async def download(
    request: Incoming,
    portal: NamedDependency[Portal],
    oficina: FromQuery[str] = "",
    desde: FromQuery[str] = "",
    hasta: FromQuery[str] = "",
) -> Response[Any]:
    """All of an office's days as a table, sent while it is read."""
    visit = await enter(request, portal)
    office = oficina or visit.member.office
    if page := _refused(visit, office):
        return page
    record = (await portal.booking.catalogue.current()).offices.get(office)
    if record is None:
        raise NotFoundException
    since, until = day_of(desde), day_of(hasta)
    if since is None or until is None or not timedelta(0) <= until - since < timedelta(days=MOST_DAYS):
        return visit.to(f"{AUDIT}?{urlencode({'oficina': office, 'mal': 'fechas'})}#descargar")
    who = Attested(actor=visit.member.actor, at=portal.central.clock.now())
    async with portal.central.pool.acquire() as connection:
        await note(
            connection, who, "audit.exported", office, office=office, since=since.isoformat(), until=until.isoformat()
        )
    name = f"registro-{office}-{since}-{until}.csv"
    return Stream(
        _table(visit, office, record.zone, since, until),
        media_type="text/csv; charset=utf-8",
        headers={**PRIVATE, "content-disposition": f'attachment; filename="{name}"'},
    )


async def _table(visit: StaffVisit, office: str, zone: Any, since: date, until: date) -> AsyncIterator[bytes]:
    words, names, rows, pool = visit.words, await _names(visit), 0, visit.portal.central.pool
    head = ("day", "at", "log", "office", "who", "what", "about", "from", "code", "id")
    yield "\ufeff".encode() + _csv([head])
    for n in range((until - since).days + 1):
        day = since + timedelta(days=n)
        async for block in _day_rows(pool, words, names, office=office, zone=zone, day=day):
            rows += len(block)
            yield _csv(block)
            if rows >= MOST_ROWS:
                yield _csv([(day.isoformat(), "", "", office, "", words.text("city.audit.csv.cut"), "", "", "", "")])
                return


async def _day_rows(
    pool: Any, words: Words, names: Names, *, office: str, zone: Any, day: date
) -> AsyncIterator[list[tuple[str, ...]]]:
    """A day block by block. Each is read on a connection of its own, so that who takes long to download holds none meanwhile."""
    log = await Day.find(pool, office, day, zone)
    async for facts in all_facts(pool, log):
        yield [
            (*_row(day, "office", office, fact_line(one, words, names)), one.header.type, told_place(one.header))
            for one in facts
        ]
    async for done in all_acts(pool, starts_at(day, zone), ends_at(day, zone), office):
        yield [(*_row(day, "central", office, act_line(one, words)), one.act, one.audit_id) for one in done]


def _row(day: date, log: str, office: str, line: Line) -> tuple[str, ...]:
    at = line.at.isoformat(timespec="milliseconds")
    return (day.isoformat(), at, log, office, line.who, line.did, line.about, line.where)


def _csv(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows([[f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row] for row in rows])
    return text.getvalue().encode()


async def _names(visit: StaffVisit) -> Names:
    catalogue = await visit.portal.booking.catalogue.current()
    return Names(
        services={key: one.names.get(visit.locale) or one.names["es"] for key, one in catalogue.services.items()},
        offices={key: one.name for key, one in catalogue.offices.items()},
    )


def _refused(visit: StaffVisit, office: str) -> Page | None:
    """What concerns the city is for who manages all of it."""
    return None if office == CITY and visit.member.is_city_wide else refused(visit, office)


ROUTES: tuple[ControllerRouterHandler, ...] = (show, download)
