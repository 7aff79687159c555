"""A city as a file says it: the shape of the TOML that `load-city` reads, and what makes it impossible.

    [city]
    name = "Melilla"
    time_zone = "Africa/Ceuta"

    [[services]]
    id = "padron"
    names = { es = "Certificado de empadronamiento", en = "…", fr = "…", ar = "…" }

    [[offices]]
    id = "centro"
    hours = [{ days = ["mon", "tue"], opens = 09:00:00, closes = 14:00:00 }]

`provisioning/demo/melilla.toml` is a whole one. All that is wrong is said at once, each with its place.
"""

import tomllib
from collections import Counter as Tally
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import pairwise
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

from sync.domain.service_day import TURN
from sync.messages.feed import Text
from sync.messages.policy import Policy
from sync.messages.values import Language, Series, Slug

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LANGUAGES = ("es", "en", "fr", "ar")
MAX_EXCEPTION_DAYS = 400

Position = Annotated[int, msgspec.Meta(ge=0)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of all tables of the file: an unknown key is an error that names it."""


class CityInfo(_Part, frozen=True, kw_only=True):
    """The whole city. `country` and `subdivision` are codes of the `holidays` package."""

    name: str
    time_zone: str
    phone: str = ""
    country: str = "ES"
    subdivision: str = ""


class HolidayPlan(_Part, frozen=True, kw_only=True):
    """What the official calendar does not say: estimated dates that are now sure, and days that are not kept here."""

    confirmed: tuple[date, ...] = ()
    struck: tuple[date, ...] = ()


class CityService(_Part, frozen=True, kw_only=True):
    """A service. Texts stand in all languages of the citizens' screens."""

    id: Slug
    family: Slug | None = None
    series: Series
    duration_min: Annotated[int, msgspec.Meta(ge=1, le=480)]
    pictogram: str = "document"
    walk_in: bool = True
    bookable: bool = True
    sensitive: bool = False
    online_url: str = ""
    names: Text
    summaries: Text = msgspec.field(default_factory=dict)
    documents: tuple[Text, ...] = ()


class CityHours(_Part, frozen=True, kw_only=True):
    """The same hours on some days of the week, local time."""

    days: tuple[Day, ...]
    opens: time
    closes: time


class CityException(_Part, frozen=True, kw_only=True):
    """Hours of one service date; without times: closed, or round the clock if `open`."""

    service_date: date
    open: bool
    opens: time | None = None
    closes: time | None = None
    note: str = ""


class CityBand(_Part, frozen=True, kw_only=True):
    """Another number of seats in a part of the week."""

    days: tuple[Day, ...]
    starts: time
    ends: time
    seats: Annotated[int, msgspec.Meta(ge=0, le=10_000)]


class CityPool(_Part, frozen=True, kw_only=True):
    """Capacity for some services: `seats` people can start every `slot_min` minutes."""

    id: Slug
    services: tuple[Slug, ...]
    slot_min: Annotated[int, msgspec.Meta(ge=5, le=120)] = 10
    seats: Annotated[int, msgspec.Meta(ge=0, le=10_000)]
    bands: tuple[CityBand, ...] = ()


class CityCounter(_Part, frozen=True, kw_only=True):
    id: Slug
    zone: Slug = "a"
    primary: tuple[Slug, ...]
    secondary: tuple[Slug, ...] = ()


class CityStaff(_Part, frozen=True, kw_only=True):
    """Somebody of the office. Either an argon2id verifier, or a password that everybody may know. A `manager` manages this
    office at central, an `admin` all offices.
    """

    id: Slug
    display_name: str
    roles: tuple[Literal["clerk", "supervisor", "manager", "admin"], ...]
    verifier: str | None = None
    demo_password: str | None = None
    valid_until: datetime | None = None


class CityOffice(_Part, frozen=True, kw_only=True):
    id: Slug
    name: str
    address: str
    phone: str = ""
    directions: Text = msgspec.field(default_factory=dict)
    latitude: float | None = None
    longitude: float | None = None
    zones: tuple[Slug, ...] = ("a",)
    spare_series: Series = "Z"
    second_language: Language = "ar"
    policy: Policy | None = None
    services: tuple[Slug, ...]
    hours: tuple[CityHours, ...]
    exceptions: Annotated[tuple[CityException, ...], msgspec.Meta(max_length=MAX_EXCEPTION_DAYS)] = ()
    pools: tuple[CityPool, ...] = ()
    counters: tuple[CityCounter, ...] = ()
    staff: tuple[CityStaff, ...] = ()


class City(_Part, frozen=True, kw_only=True):
    """A whole city file."""

    city: CityInfo
    holidays: HolidayPlan = HolidayPlan()
    policy: Policy = Policy()
    services: tuple[CityService, ...]
    offices: tuple[CityOffice, ...]


class CityError(Exception):
    """A city file that cannot be loaded; nothing was changed.

    Attributes:
        problems: one sentence each, with its place.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def read_city(text: str) -> City:
    """Read and check a city file.

    Raises:
        CityError: not TOML, not of this shape, or contradicting itself.
    """
    try:
        city = msgspec.convert(tomllib.loads(text), City)
    except tomllib.TOMLDecodeError as error:
        raise CityError([f"is not TOML: {error}"]) from error
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        raise CityError([f"{place.strip('`').removeprefix('$.') or 'the file'}: {problem}"]) from error
    if problems := list(_problems(city)):
        raise CityError(problems)
    return city


def _problems(city: City) -> Iterator[str]:
    yield from _city_problems(city)
    for service in city.services:
        yield from _service_problems(service)
    known = {service.id for service in city.services}
    letters = {service.series for service in city.services}
    for office in city.offices:
        for problem in _office_problems(office, known, letters):
            yield f"office {office.id}: {problem}"


def _city_problems(city: City) -> Iterator[str]:
    try:
        ZoneInfo(city.city.time_zone)
    except (KeyError, ValueError, OSError):
        yield f"city.time_zone: {city.city.time_zone!r} is no time zone"
    yield from _twice("services", [service.id for service in city.services])
    yield from _twice("offices", [office.id for office in city.offices])


def _service_problems(service: CityService) -> Iterator[str]:
    for what, text in (("names", service.names), *(("documents", one) for one in service.documents)):
        if missing := [language for language in LANGUAGES if not text.get(language)]:
            yield f"service {service.id}: {what} lack {', '.join(missing)}"


def _office_problems(office: CityOffice, known: set[str], letters: set[str]) -> Iterator[str]:
    own = set(office.services)
    yield from _unknown("services", office.services, known, "services of the city")
    for pool in office.pools:
        yield from _unknown(f"pool {pool.id}", pool.services, own, "services of the office")
    for counter in office.counters:
        yield from _unknown(f"counter {counter.id}", counter.primary + counter.secondary, own, "services of the office")
        yield from _unknown(f"counter {counter.id}", (counter.zone,), set(office.zones), "zones of the office")
    yield from _twice("counters", [counter.id for counter in office.counters])
    yield from _twice("pools", [pool.id for pool in office.pools])
    yield from _twice("staff", [person.id for person in office.staff])
    yield from _twice("exceptions", [str(one.service_date) for one in office.exceptions])
    if office.spare_series in letters:
        yield f"spare_series: {office.spare_series} is the letter of a service"
    yield from _hours_problems(office)
    for person in office.staff:
        if (person.verifier is None) == (person.demo_password is None):
            yield f"staff {person.id}: give either a verifier or a demo_password"


def _hours_problems(office: CityOffice) -> Iterator[str]:
    for hours in office.hours:
        if not TURN <= hours.opens < hours.closes:
            yield f"hours {'/'.join(hours.days)}: opens {hours.opens} must be from {TURN} on and before closes {hours.closes}"
    for day in DAYS:
        todays = sorted((hours.opens, hours.closes) for hours in office.hours if day in hours.days)
        if any(later[0] < earlier[1] for earlier, later in pairwise(todays)):
            yield f"hours of {day} overlap"
    for one in office.exceptions:
        if (one.opens is None) != (one.closes is None) or (one.opens and not one.open):
            yield f"exception {one.service_date}: give both times or none, and none when closed"
        elif one.opens and one.closes and not TURN <= one.opens < one.closes:
            yield f"exception {one.service_date}: opens {one.opens} must be from {TURN} on and before closes {one.closes}"


def _unknown(where: str, used: tuple[str, ...], known: set[str], what: str) -> Iterator[str]:
    if odd := sorted(set(used) - known):
        yield f"{where}: {', '.join(odd)} not among the {what}"


def _twice(where: str, ids: list[str]) -> Iterator[str]:
    if repeated := [one for one, count in Tally(ids).items() if count > 1]:
        yield f"{where}: {', '.join(repeated)} stand there twice"
