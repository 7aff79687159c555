"""P3: day and time. Choosing a time keeps its seats; until then nothing is held."""

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from central.booking.appointments import Crowded, Held, NotOffered, Recovering, Taken, Wish
from central.booking.rules import holder_hash
from central.portal.days import (
    DAYS_SHOWN,
    FreeDay,
    by_day,
    date_example,
    days_near,
    open_halves,
    read_date,
    times_shown,
)
from central.portal.draft import Draft, hold_slot, lose_slot, next_hold_id, step_of
from central.portal.home import live_waits
from central.portal.offices_view import day_name
from central.portal.service import Portal
from central.portal.visit import Form, Incoming, Page, Visit
from central.portal.wizard import Chosen, open_step, step_path, step_values
from central.problems import Problem
from central.requests import REFUSED
from sync.messages.values import require_plausible
from ui import formats


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What the page is asked to show.

    Args:
        day: whose times are shown; the first free one unless given.
        more: how many fives of days.
        typed: the other date as it was typed.
        error: key of what is wrong, with the field it belongs to.
        alternatives: times nearest to one that was taken.
        notice: key of news at the top.
    """

    day: date | None = None
    more: int = 1
    typed: str = ""
    error: tuple[str, str] | None = None
    error_values: dict[str, str | int] = {}
    alternatives: tuple[datetime, ...] = ()
    notice: str = ""


@get("/reserva/hora")
async def slot(
    request: Incoming,
    portal: NamedDependency[Portal],
    dia: FromQuery[str] = "",
    mas: FromQuery[str] = "1",
    aviso: FromQuery[str] = "",
) -> Page:
    """The next free days with their times; a day that has none, and the nearest that have."""
    visit = Visit(request, portal)
    at = await open_step(visit, "slot")
    if not isinstance(at, Chosen):
        return at
    if await portal.booking.bookings.is_recovering():
        raise not_now()
    more = int(mas) if mas.isascii() and mas.isdecimal() and len(mas) < 3 else 1
    notice = "portal.hold.expired" if aviso == "acabado" else ""
    day = _iso_date(dia)
    if day is not None and not _is_shown(visit, at, day):
        return await _out_of_range(visit, at, dia, shown=None)
    return await show_slots(visit, at, Asked(day=day, more=max(1, more), notice=notice))


@post("/reserva/hora")
async def choose(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Keep a time, or show another day: which of the two, the pressed button and the chosen day say."""
    visit = Visit(request, portal)
    form = await visit.form()
    at = await open_step(visit, "slot")
    if not isinstance(at, Chosen):
        return at
    time = form.get("first") or form.get("time")
    if form.get("go") == "date" or (
        form.get("other") and not time
    ):  # the Enter key in the field presses no button of its own
        return await _other_date(visit, at, form)
    day, shown = form.get("day"), form.get("shown")
    if day and day != shown and not form.get("first"):
        return visit.to(at.path("slot", "times", dia=day if _iso_date(day) else ""))
    wanted = _instant(time)
    if wanted is None:
        error = ("time", "portal.err.time")
        return await show_slots(visit, at, Asked(day=_shown_day(visit, at, shown), error=error), status=422)
    return await hold(visit, at, wanted)


def not_now() -> Problem:
    """Nothing can be booked for the moment; what the visitor has chosen is kept."""
    REFUSED.labels("recovering").inc()
    return Problem(503, "recovering", retry_after_s=60)


async def hold(visit: Visit, at: Chosen, wanted: datetime) -> Page:
    """Keep the seats of a time for this visitor and go on; somebody else's time gives the nearest ones instead."""
    if wanted == at.draft.slot_start_at and await _still_held(visit, at.draft):
        return visit.to(at.path(step_of(at.draft)))
    outcome = await hold_for(visit, at, wanted)
    if not isinstance(outcome, Draft):
        return await show_refused(visit, at, outcome, wanted)
    return visit.to(step_path(outcome, step_of(outcome)))


async def hold_for(visit: Visit, at: Chosen, wanted: datetime) -> Draft | Taken | NotOffered | Crowded:
    """Keep the seats of a time in place of those that the draft had. Returns the draft with them.

    Asked twice at once, both get the same hold. Every hold that leaves the draft is released by who took it out.
    """
    bookings = visit.portal.booking.bookings
    wish = Wish(office_id=at.at_office.id, service_id=at.service.id, slot_start_at=wanted)
    holder = holder_hash(visit.portal.central.keys.person, visit.address)
    held = await bookings.hold(wish, hold_id=next_hold_id(at.draft, wish), replaces=at.draft.hold_id, holder=holder)
    if isinstance(held, Recovering):
        raise not_now()
    if not isinstance(held, Held):
        return held
    change = await visit.change(at.draft, lambda draft: hold_slot(draft, held))
    for hold_id in {change.before.hold_id, held.hold_id} - {change.after.hold_id, at.draft.hold_id}:
        if hold_id is not None:
            await bookings.release(hold_id)
    return change.after


async def _still_held(visit: Visit, draft: Draft) -> bool:
    return draft.hold_id is not None and await visit.portal.booking.bookings.held(draft.hold_id) is not None


async def show_refused(visit: Visit, at: Chosen, outcome: Taken | NotOffered | Crowded, wanted: datetime) -> Page:
    """The time was not kept: why, and what can be done instead."""
    if isinstance(outcome, Crowded):
        return await _show_crowded(visit, at, outcome, wanted)
    return await show_gone(visit, at, outcome, wanted)


async def _show_crowded(visit: Visit, at: Chosen, outcome: Crowded, wanted: datetime) -> Page:
    """Too many times are kept for this address: nothing is lost, and waiting, the phone or coming help."""
    REFUSED.labels("crowded").inc()
    words: dict[str, str | int] = {"n": math.ceil(outcome.retry_after_s / 60), "phone": visit.phone}
    day = _shown_day(visit, at, wanted.astimezone(at.at_office.zone).date().isoformat())
    return await show_slots(
        visit, at, Asked(day=day, error=("time", "portal.err.crowded"), error_values=words), status=429
    )


async def show_gone(visit: Visit, at: Chosen, outcome: Taken | NotOffered, wanted: datetime) -> Page:
    """The time is somebody else's, and the three nearest are shown; or it is none that the office gives. What was typed stays."""
    REFUSED.labels("taken" if isinstance(outcome, Taken) else outcome.reason).inc()
    now = visit.portal.central.clock.now()
    change = await visit.change(at.draft, lambda draft: lose_slot(draft, wanted, now))
    if isinstance(outcome, Taken):
        day = wanted.astimezone(at.at_office.zone).date()
        asked = Asked(day=day, error=("time", "portal.err.taken"), alternatives=outcome.alternatives)
    else:
        asked = Asked(error=("time", "portal.err.not_offered"), alternatives=outcome.alternatives)
    return await show_slots(visit, msgspec.structs.replace(at, draft=change.after), asked, status=409)


async def show_slots(visit: Visit, at: Chosen, asked: Asked, status: int = 200) -> Page:
    """The page with days and times, or the one that says what to do when there are none."""
    office, now = at.at_office, visit.portal.central.clock.now()
    found = await visit.portal.booking.availability.days(office, at.service)
    days = by_day((start for day in found for start in day.starts), office.zone)
    if not days:
        return await _show_none(visit, at, status)
    open_day = next((free for free in days if free.day == asked.day), None)
    listed, shown = _listed(days, asked, open_day), open_day or (days[0] if asked.day is None else None)
    values: dict[str, Any] = {
        **await step_values(visit, "slot", at),
        "first": days[0].starts[0],
        "days": listed,
        "shown": shown,
        "times": _times(shown),
        "halves": {free.day: open_halves(at.city.hours(office, free.day), office.zone) for free in listed},
        "more": asked.more + 1 if len(days) > len(listed) and not asked.typed else None,
        "asked": asked,
        "asked_has_none": asked.day is not None and open_day is None and not asked.error,
        "is_closed": asked.day is not None and not at.city.hours(office, asked.day),
        "unconfirmed": _unconfirmed(at, listed),
        "example": date_example(now.astimezone(office.zone).date()),
        "failed": asked.error is not None,
        "picked": at.draft.slot_start_at,
    }
    return visit.page("portal/slot.html", values, status=status)


async def _show_none(visit: Visit, at: Chosen, status: int) -> Page:
    """P3b: nothing is free. Why, other offices, coming without appointment, the phone."""
    live = await live_waits(visit)
    now = live.at
    others = [one for one in live.offices if one.record.id != at.at_office.id and at.service.id in one.record.services]
    mine = live.of(at.at_office.id)
    opens_at = mine.now.opening.opens_at if mine else None
    values = {
        **await step_values(visit, "slot", at),
        "others": others,
        "mine": mine,
        "opens_day": day_name(opens_at, now, visit.words, at.at_office) if opens_at else "",
    }
    return visit.page("portal/slot_none.html", values, status=status)


async def _other_date(visit: Visit, at: Chosen, form: Form) -> Page:
    office, now = at.at_office, visit.portal.central.clock.now()
    horizon = visit.portal.booking.availability.horizon(office)
    today, typed = now.astimezone(office.zone).date(), form.get("other")
    wanted = read_date(typed, today)
    shown = _shown_day(visit, at, form.get("shown"))
    if wanted is None:
        words: dict[str, str | int] = {"example": date_example(today)}
        asked = Asked(typed=typed, error=("other", "portal.err.date"), error_values=words, day=shown)
        return await show_slots(visit, at, asked, status=422)
    if not horizon[0] <= wanted <= horizon[-1]:
        return await _out_of_range(visit, at, typed, shown)
    return visit.to(at.path("slot", "times", dia=wanted.isoformat()))


async def _out_of_range(visit: Visit, at: Chosen, typed: str, shown: date | None) -> Page:
    horizon = visit.portal.booking.availability.horizon(at.at_office)
    words: dict[str, str | int] = {
        "first": formats.day(horizon[0], visit.locale),
        "last": formats.day(horizon[-1], visit.locale),
    }
    asked = Asked(typed=typed, error=("other", "portal.err.date.range"), error_values=words, day=shown)
    return await show_slots(visit, at, asked, status=422)


def _is_shown(visit: Visit, at: Chosen, day: date) -> bool:
    """Whether the page can show a day: those that can be booked, and the night that the last of them ends in."""
    horizon = visit.portal.booking.availability.horizon(at.at_office)
    return horizon[0] <= day <= horizon[-1] + timedelta(days=1)


def _shown_day(visit: Visit, at: Chosen, text: str) -> date | None:
    """The day that was on the page, as its form says."""
    day = _iso_date(text)
    return day if day is not None and _is_shown(visit, at, day) else None


def _listed(days: tuple[FreeDay, ...], asked: Asked, open_day: FreeDay | None) -> tuple[FreeDay, ...]:
    """The next free days, with the asked one among them; around it if it has no time."""
    if asked.day is not None and open_day is None:
        return days_near(days, asked.day)
    listed = days[: DAYS_SHOWN * asked.more]
    return listed if open_day is None or open_day in listed else (*listed, open_day)


def _times(free: FreeDay | None) -> list[tuple[str, tuple[datetime, ...]]]:
    if free is None:
        return []
    parts = (("portal.slot.morning", free.morning), ("portal.slot.afternoon", free.afternoon))
    return [(name, times_shown(starts)) for name, starts in parts if starts]


def _unconfirmed(at: Chosen, days: tuple[FreeDay, ...]) -> list[date]:
    return [free.day for free in days if free.day in at.city.holidays and not at.city.holidays[free.day].confirmed]


def _iso_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime | None:
    """An instant as our own form sends it, to the minute."""
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            return None
        require_plausible(instant)
    except ValueError:
        return None
    return instant.astimezone(UTC).replace(second=0, microsecond=0)


ROUTES = (slot, choose)
