"""How instants and stretches of time are written for people. Pure: language and zone are arguments.

Instants come in as aware datetimes and are shown in the zone of the city. Figures are Latin in every language, hours
run to 24 without a leading zero ("9:40"). A wait is a stretch, never a point, and Arabic never writes it with a dash.
"""

import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from babel.dates import format_date, format_interval

from ui.catalog import Words

CITY_ZONE: Final = ZoneInfo("Africa/Ceuta")
STEP_MIN: Final = 5
LONGEST_MIN: Final = 60

_DAY: Final = {"es": "EEEE d 'de' MMMM", "en": "EEEE d MMMM", "fr": "EEEE d MMMM", "ar": "EEEE d MMMM"}
_DAY_YEAR: Final = {
    "es": "EEEE d 'de' MMMM 'de' y",
    "en": "EEEE d MMMM y",
    "fr": "EEEE d MMMM y",
    "ar": "EEEE d MMMM y",
}
_SHORT_DAY: Final = {"es": "EEE d MMM", "en": "EEE d MMM", "fr": "EEE d MMM", "ar": "EEE d MMM"}


class WaitRange(msgspec.Struct, frozen=True):
    """An expected wait in whole minutes, both ends on steps of five; `high_min` is always above `low_min`."""

    low_min: int
    high_min: int


def local(instant: datetime, zone: ZoneInfo = CITY_ZONE) -> datetime:
    """The instant on the clocks of the city.

    Raises:
        ValueError: the datetime is naive.
    """
    if instant.tzinfo is None:
        raise ValueError("a naive datetime is not an instant")
    return instant.astimezone(zone)


def clock(instant: datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """The time of day, "9:40"."""
    here = local(instant, zone)
    return f"{here.hour}:{here.minute:02d}"


def day(when: datetime | date, locale: str, *, year: bool = False, zone: ZoneInfo = CITY_ZONE) -> str:
    """Weekday and date, "jueves 26 de noviembre"; with the year where it matters (paper, history)."""
    pattern = (_DAY_YEAR if year else _DAY)[locale]
    return format_date(_civil(when, zone), pattern, locale=locale)


def short_day(when: datetime | date, locale: str, zone: ZoneInfo = CITY_ZONE) -> str:
    """A short date for narrow places, "jue 26 nov"."""
    return format_date(_civil(when, zone), _SHORT_DAY[locale], locale=locale).replace(".", "")


def span_of_days(first: date, last: date, locale: str) -> str:
    """The days of a week for narrow places, "23–30 nov"."""
    british = {"en": "en_GB"}  # the day before the month, as in every other date of ours
    return (
        format_interval(first, last, "MMMd", locale=british.get(locale, locale)).replace(".", "").replace("\u2009", " ")
    )


def stamp(instant: datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """Date and time for paper and logs on screen, "26/11/2026 10:14"; the same in every language."""
    return local(instant, zone).strftime("%d/%m/%Y ") + clock(instant, zone)


def day_time(instant: datetime, words: Words, zone: ZoneInfo = CITY_ZONE) -> str:
    """Weekday, date and time, "jueves 26 de noviembre, 10:20"."""
    return words.text("base.when.day_time", day=day(instant, words.locale.tag, zone=zone), time=clock(instant, zone))


def iso_local(instant: datetime, zone: ZoneInfo = CITY_ZONE) -> str:
    """For the `datetime` attribute of a `time` element, with the offset of that moment."""
    return local(instant, zone).isoformat(timespec="minutes")


def stretch(seconds: float) -> str:
    """A running clock, "4:12" or "1:04:12"."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def rounded(low_min: float, high_min: float) -> WaitRange:
    """A wait widened to steps of five minutes, never narrower than one step."""
    low = max(0, math.floor(low_min / STEP_MIN) * STEP_MIN)
    high = max(low + STEP_MIN, math.ceil(high_min / STEP_MIN) * STEP_MIN)
    return WaitRange(low, high)


def wait_short(low_min: float, high_min: float, words: Words) -> str:
    """A wait as figures for lists: "Menos de 5 min", "10–20 min", "Más de 60 min"."""
    return _wait("short", rounded(low_min, high_min), words)


def wait_long(low_min: float, high_min: float, words: Words) -> str:
    """A wait inside a sentence: "menos de 5 minutos", "de 10 a 20 minutos", "más de 60 minutos"."""
    return _wait("long", rounded(low_min, high_min), words)


def wait_sentence(low_min: float, high_min: float, words: Words) -> str:
    """A wait as a sentence of its own, for the call display: "Entre 10 y 20 min"."""
    return _wait("sentence", rounded(low_min, high_min), words)


def ago(seconds: float, words: Words) -> str:
    """How long something is past: "hace 4 s", "hace 12 min", "hace 3 h"."""
    whole = max(0, int(seconds))
    if whole < 60:
        return words.text("base.ago.seconds", n=whole)
    if whole < 3600:
        return words.text("base.ago.minutes", n=whole // 60)
    return words.text("base.ago.hours", n=whole // 3600)


_SOUNDS_LIKE_I = re.compile(r"h?[ií](?![aeo])", re.IGNORECASE)
"""Before such a word Spanish says "e" instead of "y": "Palmeras e Industrial", but "agua y hielo"."""


def listed(items: Sequence[str], words: Words) -> str:
    """Items as a sentence part: "A", "A y B", "A, B y C"."""
    if len(items) < 2:
        return "".join(items)
    comma = "، " if words.locale.right_to_left else ", "
    joined, last = comma.join(items[:-1]), items[-1]
    if words.locale.tag == "es" and _SOUNDS_LIKE_I.match(last):
        return words.text("base.list.last.i", first=joined, last=last)
    return words.text("base.list.last", first=joined, last=last)


def sentence(text: str) -> str:
    """A text that begins a sentence; the rest stays, for English months keep their capital."""
    return text[:1].upper() + text[1:]


def dashed(locator: str) -> str:
    """A locator as people read it, "K7M-4QX"."""
    return f"{locator[:3]}-{locator[3:]}" if len(locator) == 6 else locator


def _wait(form: str, wait: WaitRange, words: Words) -> str:
    if wait.high_min <= STEP_MIN:
        return words.text(f"base.wait.{form}.under", n=wait.high_min)
    if wait.low_min >= LONGEST_MIN:
        return words.text(f"base.wait.{form}.over", n=LONGEST_MIN)
    return words.text(f"base.wait.{form}.between", a=wait.low_min, b=wait.high_min, n=wait.high_min)


def _civil(when: datetime | date, zone: ZoneInfo) -> date:
    return local(when, zone).date() if isinstance(when, datetime) else when
