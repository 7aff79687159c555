"""Pages that list what the exchange keeps for people, for the city's own; read only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import get
from litestar.di import NamedDependency

from central.exchange import parked
from central.exchange.conflicts import Entry, listed
from central.exchange.leases import Statement, statements
from central.portal.service import Portal
from central.portal.visit import Incoming, Page
from central.staff.gate import CONFLICTS, LEASES, PARKED, StaffVisit, enter
from sync.domain.service_day import service_date
from ui import formats
from ui.catalog import Words

SHOWN_OF_ID = 8
"""The end of a lease's id tells it from others; its beginning is the time."""


class Row(msgspec.Struct, frozen=True, array_like=True):
    """The cells of a record, the first its head; a chip beside the head as (text, kind), or none."""

    cells: tuple[str, ...]
    chip: tuple[str, str | None] | None = None


@get(LEASES)
async def leases(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The account of every lease: what was lent and what became of it."""
    visit = await enter(request, portal)
    words = visit.words
    accounts = await statements(portal.central.pool, portal.central.clock.now())
    offices = (await portal.booking.catalogue.current()).offices
    columns = [
        (words.text("central.leases.office"), False),
        (words.text("central.leases.days"), False),
        (words.text("central.leases.granted"), True),
        (words.text("central.leases.sold"), True),
        (words.text("central.leases.returned"), True),
        (words.text("central.leases.reclaimed"), True),
        (words.text("central.leases.lapsed"), True),
        (words.text("central.leases.outstanding"), True),
        (words.text("central.leases.id"), False),
    ]
    rows = [
        _lease_row(words, one, offices[one.office].name if one.office in offices else one.office) for one in accounts
    ]
    return await _page(visit, "central.leases", LEASES, columns, rows)


def _lease_row(words: Words, one: Statement, office: str) -> Row:
    dates = dict.fromkeys(service_date(at, formats.CITY_ZONE) for at in (one.first_at, one.last_at))
    days = " · ".join(formats.short_day(date, words.locale.tag) for date in dates)
    counts = (one.granted, one.sold, one.returned, one.reclaimed, one.lapsed, one.outstanding)
    return Row(
        (office, days, *map(str, counts), one.lease_id[-SHOWN_OF_ID:]),
        _lease_chip(words, one),
    )


def _lease_chip(words: Words, one: Statement) -> tuple[str, str | None] | None:
    if one.is_settled:
        return words.text("central.leases.settled"), "ok"
    if one.is_orphan and one.outstanding:
        return words.text("central.leases.orphan"), "late"
    return (words.text("central.leases.recalled"), "act") if one.is_recalled else None


@get(CONFLICTS)
async def conflicts(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The conflict inbox: what happened, what to do about it, who did."""
    visit = await enter(request, portal)
    words, offices = visit.words, (await portal.booking.catalogue.current()).offices
    columns = [
        (words.text("central.conflicts.what"), False),
        (words.text("central.conflicts.office"), False),
        (words.text("central.conflicts.noted"), False),
        (words.text("central.conflicts.suggestion"), False),
        (words.text("central.conflicts.end"), False),
        (words.text("central.conflicts.key"), False),
    ]
    entries = await listed(portal.central.pool, portal.central.clock.now())
    rows = [
        _conflict_row(words, one, offices[one.office].name if one.office in offices else one.office) for one in entries
    ]
    return await _page(visit, "central.conflicts", CONFLICTS, columns, rows)


def _conflict_row(words: Words, one: Entry, office: str) -> Row:
    end = f"{one.resolved_by}, {formats.stamp(one.resolved_at)}: {one.resolution}" if one.resolved_at else ""
    cells = (
        words.text(f"central.conflict.{one.kind}"),
        office,
        formats.stamp(one.noted_at),
        words.text(f"central.suggestion.{one.suggestion}"),
        end,
        one.key,
    )
    chip = ("central.conflicts.resolved", "ok") if one.resolved_at else ("central.conflicts.open", "late")
    return Row(cells, (words.text(chip[0]), chip[1]))


@get(PARKED)
async def facts(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Facts that no projection could take."""
    visit = await enter(request, portal)
    words, offices = visit.words, (await portal.booking.catalogue.current()).offices
    columns = [
        (words.text("central.parked.place"), False),
        (words.text("central.parked.office"), False),
        (words.text("central.parked.type"), False),
        (words.text("central.parked.at"), False),
        (words.text("central.parked.why"), False),
    ]
    rows = [
        Row(
            (
                one.place,
                offices[one.office].name if one.office in offices else one.office,
                one.type,
                formats.stamp(one.parked_at),
                one.detail,
            )
        )
        for one in await parked.listed(portal.central.pool)
    ]
    return await _page(visit, "central.parked", PARKED, columns, rows)


async def _page(
    visit: StaffVisit, prefix: str, here: str, columns: Sequence[tuple[str, bool]], rows: Sequence[Row]
) -> Page:
    values: dict[str, Any] = {
        "tab": here,
        "heading": visit.words.text(f"{prefix}.h1"),
        "lead": visit.words.text(f"{prefix}.lead"),
        "empty": visit.words.text(f"{prefix}.none"),
        "columns": columns,
        "rows": [(row.cells, row.chip) for row in rows],
    }
    await visit.looked_at("records.looked_at", here, office=visit.of_office)
    return visit.page("insight/records.html", values)


ROUTES = (leases, conflicts, facts)
