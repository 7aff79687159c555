"""A day at two offices: people book, come, are called; one office is cut off in the middle and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.kit.oracle import Oracle
from tests.smoke.faces import Addresses, Central, Clerk, Kiosk, now

BOOKINGS = 20
WALK_INS = 60
SECRET = "melilla"
STAFF = {"centro": ("lucia", "karim", "ana"), "real": ("nadia", "pedro", "ines")}
WATCHER = {"centro": "mercedes", "real": "rachid"}
SERVICES = ("viaje", "padron-certificado", "registro", "informacion")
BOOKABLE = SERVICES[:3]


@dataclass
class Office:
    """One office's faces and what happened there."""

    id: str
    kiosk: Kiosk
    clerks: list[Clerk]
    watcher: Clerk
    arriving: asyncio.Queue[tuple[str, Any]] = field(default_factory=asyncio.Queue)
    in_agenda: dict[str, datetime] = field(default_factory=dict)
    sent: dict[str, datetime] = field(default_factory=dict)
    acts: Counter[str] = field(default_factory=Counter)
    finished: set[str] = field(default_factory=set)
    done: asyncio.Event = field(default_factory=asyncio.Event)


class Day:
    """Plays the day. ``during_cut`` counts what the cut office did while it was alone."""

    def __init__(self, addresses: Addresses, oracle: Oracle, seed: int) -> None:
        self.oracle = oracle
        self.central = Central(addresses.central, addresses.api_secret)
        self.random = random.Random(seed)
        self.offices = {
            office: Office(
                office,
                Kiosk(office, faces, addresses.desk),
                [Clerk(faces["edge"], staff) for staff in STAFF[office]],
                Clerk(faces["edge"], WATCHER[office]),
            )
            for office, faces in addresses.offices.items()
        }
        self.confirmed_at: dict[str, datetime] = {}
        self.links: dict[str, str] = {}
        self.tickets_expected = 0
        self._people = 0

    async def open(self) -> None:
        """Everybody signs in; clerks open their counters; the agendas are followed."""
        for office in self.offices.values():
            await office.watcher.sign_in(SECRET)
            queue = await office.watcher.queue()
            counters = [counter["id"] for counter in queue["counters"]]
            for clerk, counter in zip(office.clerks, counters, strict=False):
                await clerk.sign_in(SECRET)
                await clerk.open(counter)

    async def follow_agenda(self, office: Office) -> None:
        """Note when each appointment reached the office; reconnects as a console does."""
        while True:
            with contextlib.suppress(Exception):
                async for read_at, row in office.watcher.agenda_stream():
                    office.in_agenda.setdefault(row["id"], read_at)
            await asyncio.sleep(0.1)

    async def book(self, office: str, count: int) -> None:
        """Book appointments for now and soon, and let the people come."""
        for _ in range(count):
            self._people += 1
            booking = await self._book_one(office, self._people)
            self._note(office, booking)
            await self.offices[office].arriving.put(("booking", booking))

    async def _book_one(self, office: str, n: int) -> dict[str, Any]:
        service = BOOKABLE[n % len(BOOKABLE)]
        for start in (await self.central.starts(office, service))[:40]:
            booking = await self.central.book(office, service, start, n)
            if booking is not None:
                return booking
        raise AssertionError(f"no free time at {office} for {service}")

    def _note(self, office: str, booking: dict[str, Any]) -> None:
        self.confirmed_at[booking["appointment_id"]] = now()
        self.links[booking["appointment_id"]] = booking["link"]
        self.oracle.booked(booking["locator"], {**booking, "office": office})

    async def people_come(self, office: Office, walk_ins: int) -> None:
        """At the kiosk, one after the other: those with an appointment by code or by typing, the others for a service."""
        for n in range(walk_ins):
            await self._one_comes(office, "walk_in", SERVICES[n % len(SERVICES)])
            with contextlib.suppress(asyncio.QueueEmpty):
                await self._one_comes(office, *office.arriving.get_nowait())
        while not office.arriving.empty():
            await self._one_comes(office, *office.arriving.get_nowait())

    async def _one_comes(self, office: Office, kind: str, what: Any) -> None:
        if kind == "walk_in":
            slip, asked_at, answered_at = await office.kiosk.walk_in(what)
        else:
            known = what["appointment_id"] in office.in_agenda
            typed = known and self.random.random() < 0.4
            slip, asked_at, answered_at = await (
                office.kiosk.type(what["locator"]) if typed else office.kiosk.scan(what["token"])
            )
            office.acts["checkins"] += 1
        office.acts["tickets"] += 1
        self.oracle.printed(slip)
        self.oracle.taken(office.id, slip.label, asked_at, answered_at)

    async def work(self, office: Office, clerk: Clerk) -> None:
        """Call, serve, finish; sometimes nobody comes, sometimes a person is sent on; until the office is empty."""
        while True:
            if not await self._serve_one(office, clerk):
                if office.done.is_set():
                    return
                await asyncio.sleep(0.05)

    async def _serve_one(self, office: Office, clerk: Clerk) -> bool:
        sent_at = now()
        reply = await clerk.do("call_next", session=clerk.session["session"], after=clerk.session.get("last_call"))
        if reply.get("code") == "nobody_waiting":
            return False
        assert reply.get("outcome") == "done", reply
        ticket = reply["ticket"]
        self.oracle.called(office.id, reply, clerk.session)
        office.acts["calls"] += 1
        office.sent.setdefault(ticket["label"], sent_at)
        await asyncio.sleep(self.random.uniform(0.02, 0.15))
        await self._see_through(office, clerk, ticket["ticket_id"], first=len(self._person(ticket).calls) == 1)
        return True

    def _person(self, ticket: dict[str, Any]) -> Any:
        return self.oracle.people[ticket["ticket_id"]]

    async def _see_through(self, office: Office, clerk: Clerk, ticket_id: str, *, first: bool) -> None:
        target = {"session": clerk.session["session"], "ticket_id": ticket_id}
        luck = self.random.random()
        if first and luck < 0.1:
            await self._done(clerk.do("no_show", **target))
            back = await self._done(clerk.do("reinstate", ticket_id=ticket_id))
            self.oracle.returned(back)
            return
        await self._done(clerk.do("start", **target))
        if first and luck < 0.2:
            moved = await self._done(clerk.do("transfer", service=self.random.choice(SERVICES), **target))
            self.oracle.moved(moved)
            return
        self.oracle.ended(await self._done(clerk.do("finish", **target)))
        office.acts["finishes"] += 1
        office.finished.add(ticket_id)

    async def _done(self, act: Any) -> dict[str, Any]:
        reply: dict[str, Any] = await act
        assert reply.get("outcome") == "done", reply
        return reply

    def booking_to_agenda_ms(self, skip: set[str]) -> list[float]:
        """From the confirmation in hand to the appointment in the office's agenda; those of a cut office apart."""
        return [
            max(0.0, (office.in_agenda[booked] - self.confirmed_at[booked]) / timedelta(milliseconds=1))
            for office in self.offices.values()
            for booked in office.in_agenda
            if booked in self.confirmed_at and booked not in skip
        ]
