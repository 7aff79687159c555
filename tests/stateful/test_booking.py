"""Central as a process on Postgres: booked, held, moved, cancelled, repeated and killed in any order; no seat is ever sold twice."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import asyncpg
import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from central.database import connect
from central.keys import API
from central.loading import load
from central.settings import Database, Keys, Settings
from provisioning.launchers.ports import free_port
from provisioning.launchers.process import Child, http_ready
from sync.io.ids import new_id
from tests.integration.portal.citizen import Document
from tests.kit.central_database import Clusters, migrate_central
from tests.kit.small_city import TEST_KEYS, small_city, write_keys
from tests.stateful.booking_model import LENGTH, SLOT, Booked, Hold, SeatModel
from tests.stateful.effort import effort

SEATS = 2
SLOTS = 6
PEOPLE = 8
MOST_RESTARTS = 1
OFFICE = "centro"
SECRET = {"authorization": f"Bearer {TEST_KEYS[API]}"}
LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
SEATS_OF_DAY = (
    "SELECT slot.start_at, seat.state, count(*) AS n FROM seat JOIN slot USING (slot_id) "
    "WHERE slot.office_id = $1 AND slot.start_at = ANY ($2::timestamptz[]) GROUP BY 1, 2"
)

pick = st.integers(0, 10**6)
services = st.sampled_from(sorted(LENGTH))
places = st.integers(0, SLOTS - 1)
people = st.integers(0, PEOPLE - 1)


@dataclass
class Place:
    """Where the process is; one for all sequences, each leaves the day as it found it."""

    child: Child
    url: str
    dsn: str
    slots: tuple[datetime, ...]
    people: int = 0

    def query(self, sql: str, *arguments: Any) -> list[Any]:
        async def work() -> list[Any]:
            connection = await asyncpg.connect(self.dsn)
            try:
                return list(await connection.fetch(sql, *arguments))
            finally:
                await connection.close()

        return asyncio.run(work())


class Visitor:
    """A browser in the booking's pages, without script."""

    def __init__(self, url: str) -> None:
        self.http = httpx.Client(base_url=url, headers={"accept": "text/html"}, follow_redirects=True, timeout=20)
        self.path = ""
        self.page = Document("")

    def open(self, path: str) -> None:
        self._show(self.http.get(path))

    def send(self, action: str, **values: str) -> int:
        form = self.page.form(action)
        reply = self.http.post(urljoin(self.path, form.action), data={**dict(form.fields), **values})
        self._show(reply)
        return reply.status_code

    def _show(self, reply: httpx.Response) -> None:
        self.path, self.page = reply.url.path, Document(reply.text)


class BookingMachine(RuleBasedStateMachine):
    """One stretch of a day at one office."""

    place: Place

    def __init__(self) -> None:
        super().__init__()
        self.model = SeatModel(self.place.slots, SEATS)
        self.http = httpx.Client(base_url=self.place.url, timeout=20)
        self.answered: list[tuple[str, dict[str, Any], int, bytes]] = []
        self.visitors: dict[int, Visitor] = {}
        self.refused: list[httpx.Client] = []
        self.over: set[str] = set()
        """Holds whose time has passed; central may not have tidied them up."""
        self.restarts = 0

    @initialize()
    def new_people(self) -> None:
        self.first = self.place.people
        self.place.people += PEOPLE * 2

    # ------------------------------------------------------------------------------------------------- over the API

    @rule(service=services, at=places, person=people)
    def book(self, service: str, at: int, person: int) -> None:
        starts = self.model.starts(service, self.model.slots[at])
        body = self._wish(service, starts[0], person)
        reply = self._post("/api/v1/appointments", body)
        if self.model.has_one(person, service):
            assert reply.status_code == 409
            assert reply.json()["code"] == "limit_reached" or not self._room(starts)
        elif not self._room(starts):
            assert (reply.status_code, reply.json()["code"]) == (409, "taken")
        else:
            assert reply.status_code == 201, reply.text
            self._booked(reply.json(), service, person, starts)
            self.answered.append(("/api/v1/appointments", body, 201, reply.content))

    @precondition(lambda self: self.answered)
    @rule(number=pick)
    def repeat(self, number: int) -> None:
        path, body, status, before = self.answered[number % len(self.answered)]
        reply = self._post(path, body)
        assert (reply.status_code, reply.content) == (status, before)

    @precondition(lambda self: self.answered)
    @rule(number=pick, at=places)
    def ask_something_else_under_an_old_id(self, number: int, at: int) -> None:
        path, body, _, _ = self.answered[number % len(self.answered)]
        other = self.model.slots[at] + timedelta(hours=2)
        reply = self._post(path, body | {"slot_start_at": _text(other)})
        assert (reply.status_code, reply.json()["code"]) == (422, "request_reused")

    @precondition(lambda self: self.model.booked)
    @rule(number=pick)
    def cancel(self, number: int) -> None:
        one = self._any(number)
        reply = self._post(f"/api/v1/appointments/{one.link}/cancel", {})
        assert reply.status_code == 200, reply.text
        assert reply.json()["status"] == "cancelled"
        one.stands = False

    @precondition(lambda self: self.model.booked)
    @rule(number=pick, at=places)
    def move(self, number: int, at: int) -> None:
        one = self._any(number)
        starts = self.model.starts(one.service, self.model.slots[at])
        path = f"/api/v1/appointments/{one.link}/reschedule"
        body = {"request_id": new_id(), "office_id": OFFICE, "slot_start_at": _text(starts[0])}
        reply = self._post(path, body)
        if not one.stands:
            assert (reply.status_code, reply.json()["code"]) == (409, "not_changeable")
        elif not self._room(starts, but_of=one.appointment_id):
            assert (reply.status_code, reply.json()["code"]) == (409, "taken")
        else:
            assert reply.status_code == 200, reply.text
            told = reply.json()
            assert (told["appointment_id"], told["link"]) == (one.appointment_id, one.link)
            assert told["version"] > one.version
            one.starts, one.version = starts, told["version"]
            self.answered.append((path, body, 200, reply.content))

    # ---------------------------------------------------------------------------------------- through the pages, with a hold

    @rule(service=services, at=places)
    def hold(self, service: str, at: int) -> None:
        starts = self.model.starts(service, self.model.slots[at])
        visitor = Visitor(self.place.url)
        visitor.open(f"/tramites/{service}")
        visitor.send("/reserva", service=service)
        visitor.send("/reserva/oficina", office=OFFICE)
        status = visitor.send("/reserva/hora", time=_text(starts[0]))
        if not self._room(starts):
            assert status == 409
            self.refused.append(visitor.http)
            return
        assert (status, visitor.path) == (200, "/reserva/datos"), visitor.page.words[:300]
        number = len(self.visitors)
        self.visitors[number] = visitor
        known = {hold.hold_id for hold in self.model.holds.values()} | self.over
        (fresh,) = {str(row["hold_id"]) for row in self.place.query("SELECT hold_id FROM hold")} - known
        self.model.holds[number] = Hold(fresh, service, starts)

    @precondition(lambda self: self.model.holds)
    @rule(number=pick, person=people)
    def confirm(self, number: int, person: int) -> None:
        number = self._held(number)
        self._confirm(number, self.model.holds[number], person + PEOPLE, is_held=True)

    @precondition(lambda self: self.model.holds)
    @rule(number=pick, person=people, first=st.booleans())
    def confirm_after_the_hold_has_ended(self, number: int, person: int, first: bool) -> None:
        """The form took too long. Its seats may be somebody else's by then."""
        number = self._held(number)
        hold = self.model.holds.pop(number)
        self.over.add(hold.hold_id)
        self._end_hold(hold)
        if first:
            self.book(hold.service, self.model.slots.index(hold.starts[0]), person)
        self._confirm(number, hold, person + PEOPLE, is_held=False)

    # -------------------------------------------------------------------------------------------------- and whatever else

    @precondition(lambda self: self.restarts < MOST_RESTARTS)
    @rule()
    def kill(self) -> None:
        self.restarts += 1
        self.place.child.kill()
        self.place.child.start()

    @invariant()
    def seats_are_as_the_model_says(self) -> None:
        slots = [*self.model.slots, self.model.slots[-1] + SLOT]
        rows = self.place.query(SEATS_OF_DAY, OFFICE, slots)
        for slot in slots:
            states = {row["state"]: row["n"] for row in rows if row["start_at"] == slot}
            assert sum(states.values()) == SEATS
            booked = sum(slot in one.starts for one in self.model.booked.values() if one.stands)
            assert states.get("booked", 0) == booked
            assert states.get("free", 0) <= self.model.free(slot)

    def teardown(self) -> None:
        """Give everything back: then every seat is free again."""
        if not self.place.child.is_running:
            self.place.child.start()
        for one in self.model.booked.values():
            shown = self.http.get(f"/api/v1/appointments/{one.link}").json()
            assert (shown["status"] == "booked", shown["slot_start_at"]) == (one.stands, _text(one.starts[0]))
            self._post(f"/api/v1/appointments/{one.link}/cancel", {})
        self.place.query("DELETE FROM hold")
        self.place.query("UPDATE seat SET state = 'free', hold_id = NULL, held_until = NULL WHERE state = 'held'")
        left = self.place.query("SELECT count(*) AS n FROM seat WHERE state <> 'free'")
        assert left[0]["n"] == 0
        for client in (self.http, *(visitor.http for visitor in self.visitors.values()), *self.refused):
            client.close()

    # -------------------------------------------------------------------------------------------------------------- inside

    def _confirm(self, number: int, hold: Hold, person: int, *, is_held: bool) -> None:
        visitor = self.visitors[number]
        visitor.open("/reserva/datos")  # whoever filled the form in before
        if visitor.path == "/reserva/datos":
            who = {"name": f"Persona {person}", "doc_type": "dni", "doc": _document(self.first + person)}
            visitor.send("/reserva/datos", **who, mail=f"p{person}@example.org", mobile="")
        if visitor.path == "/reserva/compruebe":
            visitor.send("/reserva/compruebe")
        if not visitor.path.startswith("/cita/"):
            assert self.model.has_one(person, hold.service) or not is_held, visitor.page.words[:300]
            return
        assert not self.model.has_one(person, hold.service)
        self.model.holds.pop(number, None)
        assert self._room(hold.starts)
        link = visitor.path.removeprefix("/cita/")
        shown = self.http.get(f"/api/v1/appointments/{link}").json()
        self._booked(shown | {"link": link}, hold.service, person, hold.starts)

    def _booked(self, told: dict[str, Any], service: str, person: int, starts: tuple[datetime, ...]) -> None:
        assert told["appointment_id"] not in self.model.booked
        assert told["slot_start_at"] == _text(starts[0])
        one = Booked(told["appointment_id"], told["link"], service, person, starts, told["version"])
        self.model.booked[one.appointment_id] = one

    def _end_hold(self, hold: Hold) -> None:
        """Its time has passed."""
        self.place.query("UPDATE hold SET held_until = now() - interval '1 second' WHERE hold_id = $1", hold.hold_id)
        self.place.query("UPDATE seat SET held_until = now() - interval '1 second' WHERE hold_id = $1", hold.hold_id)

    def _room(self, starts: tuple[datetime, ...], **but: Any) -> bool:
        return self.model.has_room(starts, **but)

    def _any(self, number: int) -> Booked:
        return list(self.model.booked.values())[number % len(self.model.booked)]

    def _held(self, number: int) -> int:
        return list(self.model.holds)[number % len(self.model.holds)]

    def _wish(self, service: str, at: datetime, person: int) -> dict[str, Any]:
        who = {
            "full_name": f"Persona {person}",
            "document_kind": "dni",
            "document": _document(self.first + person),
            "email": f"p{person}@example.org",
        }
        return {
            "request_id": new_id(),
            "office_id": OFFICE,
            "service_id": service,
            "slot_start_at": _text(at),
            "person": who,
        }

    def _post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """As a program does: a process that has just come up may have closed the connection of before."""
        try:
            return self.http.post(path, json=body, headers=SECRET)
        except httpx.TransportError:
            return self.http.post(path, json=body, headers=SECRET)


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _document(number: int) -> str:
    digits = 10_000_000 + number * 7
    return f"{digits:08d}{LETTERS[digits % 23]}"


@pytest.fixture
def place(clusters: Clusters, tmp_path: Path) -> Iterator[Place]:
    """Central on a city that was loaded now; the second day with free times, so that no slot begins meanwhile."""
    keys, now = write_keys(tmp_path), datetime.now(UTC)
    cluster = clusters["wheel"]

    def prepare(dsn: str) -> None:
        migrate_central(dsn)

        async def work() -> None:
            settings = Settings(database=Database(dsn=dsn), keys=Keys(folder=keys))
            connection = await connect(settings.database)
            try:
                await load(connection, settings=settings, city=small_city(SEATS), now=now)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work()).result()

    with cluster.fresh(cluster.template("stateful_city", prepare)) as dsn:
        port = free_port()
        config = tmp_path / "central.toml"
        config.write_text(
            f'[http]\nport = {port}\n[database]\ndsn = "{dsn}"\n[keys]\nfolder = "{keys}"\n', encoding="utf-8"
        )
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "central", "serve", "--config", str(config)]
        log = tmp_path / "central.log"
        child = Child("central", command, log=log, ready=http_ready(f"{url}/health/ready"), ready_timeout_s=60)
        with child:
            path = f"{url}/api/v1/offices/{OFFICE}/services/viaje/days"
            day = httpx.get(path, timeout=20).json()[1]["service_date"]
            first = datetime.fromisoformat(httpx.get(f"{path}/{day}", timeout=20).json()["starts"][0])
            yield Place(child, url, dsn, tuple(first + SLOT * number for number in range(SLOTS)))


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_seat_is_sold_twice_whatever_is_asked(place: Place) -> None:
    machine = type("BookingAtPlace", (BookingMachine,), {"place": place})
    run_state_machine_as_test(machine, settings=effort(examples=6, steps=40))
