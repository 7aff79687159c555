"""What the portal says of offices: waits now, when they are open, first free days."""

from datetime import date, datetime, time, timedelta
from typing import Final

import msgspec

from central.insight.office_now import OfficeNow
from central.offices.catalogue import Catalogue, OfficeRecord
from sync.domain.opening import Interval
from sync.domain.service_day import service_date
from sync.messages.feed import Holiday
from ui import formats
from ui.catalog import Words

CLOSURES_AHEAD: Final = timedelta(days=60)


class WeekdayHours(msgspec.Struct, frozen=True):
    """Opening on one weekday, local times; `name` is the weekday in the page's language."""

    name: str
    spans: tuple[tuple[str, str], ...]


class ClosedDay(msgspec.Struct, frozen=True):
    """A coming day on which the office is closed, or may be."""

    day: date
    why: str
    confirmed: bool


class DatedOpening(msgspec.Struct, frozen=True):
    """A coming day with hours of its own."""

    day: date
    intervals: tuple[Interval, ...]
    note: str


def opening_text(office: OfficeNow, now: datetime, words: Words, record: OfficeRecord) -> str:
    """Until when the office is open, or when it opens again: one short line."""
    opening = office.opening
    if opening.is_open and opening.until is not None:
        if opening.all_day:
            return words.text("portal.home.now.all_day")
        return words.text("portal.home.now.until", time=formats.clock(opening.until))
    if opening.opens_at is None:
        return ""
    day = day_name(opening.opens_at, now, words, record)
    return words.text("portal.home.now.opens", day=day, time=formats.clock(opening.opens_at))


def day_name(at: datetime, now: datetime, words: Words, record: OfficeRecord) -> str:
    """Today, tomorrow, or the weekday and date, in the words of the page."""
    ahead = (at.astimezone(record.zone).date() - now.astimezone(record.zone).date()).days
    if ahead == 0:
        return words.text("base.when.today")
    if ahead == 1:
        return words.text("base.when.tomorrow")
    return formats.day(at, words.locale.tag, zone=record.zone)


def week_of(record: OfficeRecord, locale: str) -> tuple[WeekdayHours, ...]:
    """The weekly hours, Monday first; days without hours have no spans."""
    monday = date(2026, 1, 5)
    return tuple(
        WeekdayHours(
            formats.day(monday + timedelta(days=weekday), locale).split(" ")[0].strip("،,"),
            tuple(
                (_time(hours.opens), _time(hours.closes)) for hours in record.hours if hours.weekday == weekday
            ),
        )
        for weekday in range(7)
    )  # fmt: skip


def closures_of(record: OfficeRecord, city: Catalogue, now: datetime, locale: str) -> tuple[ClosedDay, ...]:
    """Coming days on which the office is closed against its weekly hours."""
    today = service_date(now, record.zone)
    last = today + CLOSURES_AHEAD
    found = {
        day: ClosedDay(day, _name(holiday, locale), holiday.confirmed)
        for day, holiday in city.holidays.items()
        if today <= day <= last and not _is_open_day(record, day)
    }
    for dated in record.exceptions:
        if not dated.open and today <= dated.service_date <= last:
            found[dated.service_date] = ClosedDay(dated.service_date, dated.note, confirmed=True)
    return tuple(found[day] for day in sorted(found))


def special_hours_of(record: OfficeRecord, city: Catalogue, now: datetime) -> tuple[DatedOpening, ...]:
    """Coming days with other hours than the week's."""
    today = service_date(now, record.zone)
    return tuple(
        DatedOpening(dated.service_date, city.hours(record, dated.service_date), dated.note)
        for dated in sorted(record.exceptions, key=lambda dated: dated.service_date)
        if dated.open and dated.service_date >= today
    )


def _is_open_day(record: OfficeRecord, day: date) -> bool:
    return any(dated.service_date == day and dated.open for dated in record.exceptions)


def _name(holiday: Holiday, locale: str) -> str:
    return holiday.names.get(locale) or holiday.names["es"]


def _time(at: time) -> str:
    return f"{at.hour}:{at.minute:02d}"
