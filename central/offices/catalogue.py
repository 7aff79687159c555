"""The catalogue in memory: what pages, booking and the feed read. One immutable value, replaced as a whole."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

import msgspec

from central.offices.rules import Capacity
from sync.domain.opening import Interval, Week, hours_of, is_open
from sync.domain.service_day import service_date
from sync.messages.feed import Counter, DatedHours, Holiday, OfficePolicy, OpeningHours, Staff, Text
from sync.messages.policy import Policy
from sync.messages.values import Language, Series, Slug


class ServiceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A service as central knows it.

    Args:
        family: a person has at most one booked appointment in it.
        summaries: one sentence by language: who it is for.
        documents: what to bring, each by language.
        online_url: where it can be done without coming; empty if nowhere.
        bookable: whether appointments are given for it.
    """

    id: Slug
    family: Slug
    names: Text
    summaries: Text
    documents: tuple[Text, ...]
    online_url: str
    series: Series
    duration_min: int
    walk_in: bool
    bookable: bool
    sensitive: bool
    pictogram: str


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """Capacity of an office for some services."""

    id: Slug
    services: tuple[Slug, ...]
    capacity: Capacity


class OfficeRecord(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """An office with everything that belongs to it. `directions` is how to get there, by language; `policy` is the city
    file's, `policies` are those that were set later, by the day from which they hold.
    """

    id: Slug
    name: str
    address: str
    phone: str
    directions: Text
    latitude: float | None
    longitude: float | None
    time_zone: str
    zones: tuple[Slug, ...]
    spare_series: Series
    second_language: Language
    policy: Policy
    policy_from: date
    policies: tuple[OfficePolicy, ...]
    services: tuple[Slug, ...]
    hours: tuple[OpeningHours, ...]
    exceptions: tuple[DatedHours, ...]
    pools: tuple[Pool, ...]
    counters: tuple[Counter, ...]
    staff: tuple[Staff, ...]

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    def policy_on(self, day: date) -> Policy:
        """The policy in force on a service day: of those that begin by then the newest, one that was set before the file's."""
        first = OfficePolicy(effective_from=self.policy_from, policy=self.policy)
        begun = [one for one in (*self.policies, first) if one.effective_from <= day]
        return max(begun, key=lambda one: one.effective_from, default=first).policy

    def pool_for(self, service: str) -> Pool | None:
        """The capacity that a service is booked from; the first that names it."""
        return next((pool for pool in self.pools if service in pool.services), None)


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """Offices and services by id, in the order in which people see them; holidays by date."""

    offices: Mapping[str, OfficeRecord]
    services: Mapping[str, ServiceRecord]
    holidays: Mapping[date, Holiday]

    def week(self, office: OfficeRecord) -> Week:
        """What decides an office's hours."""
        dated = {hours.service_date: hours for hours in office.exceptions}
        return Week(zone=office.zone, weekly=office.hours, dated=dated, holidays=self.holidays)

    def hours(self, office: OfficeRecord, day: date) -> tuple[Interval, ...]:
        """The opening of an office on a service day, sorted, UTC."""
        return hours_of(day, self.week(office))

    def is_open(self, office: OfficeRecord, at: datetime) -> bool:
        """Whether an office is open at an instant."""
        return is_open(at, self.hours(office, service_date(at, office.zone)))

    def offices_for(self, service: str) -> tuple[OfficeRecord, ...]:
        """The offices where a service can be booked, in order."""
        return tuple(office for office in self.offices.values() if office.pool_for(service))

    def bookable_services(self) -> tuple[ServiceRecord, ...]:
        """The services that appointments are given for, in order."""
        return tuple(service for service in self.services.values() if service.bookable)
