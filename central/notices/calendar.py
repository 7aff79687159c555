"""An appointment as a calendar file. Source: RFC 5545; RFC 5546 for what calendars do with it.

A file of an appointment that was cancelled takes the event out again: a calendar that has it looks for its uid, the same
organizer and a greater sequence (RFC 5546, 3.2.5).
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from icalendar import Alarm, Calendar, Event

from central.booking.appointments import Booking
from central.notices.letters import Letter
from central.offices.catalogue import Catalogue
from ui.catalog import Words
from ui.formats import dashed

REMIND = timedelta(hours=-2)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What a calendar keeps of an appointment.

    Args:
        version: a later one of the same appointment replaces the earlier.
        address: of the appointment's own page.
        organizer: an e-mail address; it only says whose event this is.
        is_cancelled: the appointment does not take place.
    """

    appointment_id: str
    version: int
    office_id: str
    service_id: str
    slot_start_at: datetime
    duration_min: int
    locator: str
    address: str
    organizer: str
    is_cancelled: bool

    @classmethod
    def of(cls, source: Booking | Letter, address: str, organizer: str) -> Entry:
        return cls(
            appointment_id=source.appointment_id,
            version=source.version,
            office_id=source.office_id,
            service_id=source.service_id,
            slot_start_at=source.slot_start_at,
            duration_min=source.duration_min,
            locator=source.locator,
            address=address,
            organizer=organizer,
            is_cancelled=(source.status if isinstance(source, Booking) else source.kind) == "cancelled",
        )


def calendar_of(entry: Entry, city: Catalogue, words: Words, now: datetime) -> bytes:
    """The bytes of the file. A sensitive service is not named: calendars are shared."""
    office, service = city.offices[entry.office_id], city.services[entry.service_id]
    name = "" if service.sensitive else service.names.get(words.locale.tag, service.names["es"])
    title = words.text("mail.calendar", office=office.name)
    event = Event()
    event.add("uid", f"{entry.appointment_id}@{entry.organizer.rpartition('@')[2]}")
    event.add("sequence", entry.version)
    event.add("dtstamp", now)
    event.add("dtstart", entry.slot_start_at)
    event.add("dtend", entry.slot_start_at + timedelta(minutes=entry.duration_min))
    event.add("summary", f"{title}: {name}" if name else title)
    event.add("location", f"{office.name}, {office.address}")
    event.add("description", f"{words.text('mail.code')}: {dashed(entry.locator)}\n{entry.address}")
    event.add("url", entry.address)
    event.add("organizer", f"mailto:{entry.organizer}")
    event.add("status", "CANCELLED" if entry.is_cancelled else "CONFIRMED")
    if office.latitude is not None and office.longitude is not None:
        event.add("geo", (office.latitude, office.longitude))
    if not entry.is_cancelled:
        event.add_component(_alarm(title))
    calendar = Calendar()
    calendar.add("prodid", "-//Ventanilla//ES")
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if entry.is_cancelled else "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())


def _alarm(title: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", title)
    alarm.add("trigger", REMIND)
    return alarm
