"""``python -m tests.smoke``: the journey; the last line is one JSON object. Exit 1 if anything was lost, doubled or out of order."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
import tomllib
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
from playwright.async_api import Browser

from provisioning.demo.city import City
from tests.kit.browser import chromium
from tests.kit.city import running_city
from tests.kit.oracle import Oracle, Pool
from tests.smoke.day import BOOKINGS, WALK_INS, Day, Office
from tests.smoke.faces import Addresses, document
from tests.smoke.screens import Display, book_by_hand

CUT = "centro"
CONVERGE_TIMEOUT_S = 60.0


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def addresses_of(city: City) -> Addresses:
    config = city.config
    return Addresses(
        desk=config.url(config.start_page),
        central=config.url(config.central),
        api_secret=(city.places.central / "keys" / "api.key").read_text(encoding="ascii").strip(),
        offices={
            office.id: {
                "edge": config.url(office.edge),
                "kiosk": config.url(office.kiosk),
                "display": config.url(office.display),
                "printer": config.url(office.emulators),
            }
            for office in config.offices
        },
    )


def pools_of(city: City) -> dict[tuple[str, str], Pool]:
    """Which seats there are, by office and service: what the city's own file says."""
    plan = tomllib.loads(city.config.city_file.read_text(encoding="utf-8"))
    return {
        (office["id"], service): Pool(pool["id"], pool["slot_min"], pool["seats"])
        for office in plan["offices"]
        for pool in office["pools"]
        for service in pool["services"]
    }


class Journey:
    """The story: a quiet start, the cut, the heal, the end of the day."""

    def __init__(self, addresses: Addresses, browser: Browser, seed: int, pools: dict[tuple[str, str], Pool]) -> None:
        self.addresses = addresses
        self.browser = browser
        self.oracle = Oracle(pools)
        self.day = Day(addresses, self.oracle, seed)
        self.displays: dict[str, Display] = {}
        self.booked_in_cut: set[str] = set()
        self.during_cut: dict[str, int] = {}
        self.converged_s = 0.0

    async def run(self) -> None:
        day = self.day
        await day.open()
        for office, faces in self.addresses.offices.items():
            self.displays[office] = await Display.open(self.browser, office, faces["display"])
        async with self._in_background():
            tell("· both offices connected")
            await self._book_by_hand()
            await self._phase(bookings=BOOKINGS // 2 - 1, walk_ins=WALK_INS // 6)
            tell(f"· {CUT} is cut off")
            await self._set_wan("cut")
            before = dict(day.offices[CUT].acts)
            known = set(day.confirmed_at)
            await self._phase(bookings=BOOKINGS // 4, walk_ins=WALK_INS // 6)
            self.booked_in_cut = set(day.confirmed_at) - known
            acts = day.offices[CUT].acts
            self.during_cut = {name: acts[name] - before.get(name, 0) for name in ("tickets", "calls", "checkins")}
            tell(f"· the network is back; alone it did {self.during_cut}")
            await self._set_wan("up")
            await self._until_caught_up()
            await self._phase(bookings=BOOKINGS - BOOKINGS // 2 - BOOKINGS // 4, walk_ins=WALK_INS // 2 - WALK_INS // 3)
            for each in day.offices.values():
                each.done.set()
            await self._until_everybody_served()
            await self._until_both_agree()

    @contextlib.asynccontextmanager
    async def _in_background(self) -> AsyncIterator[None]:
        day = self.day
        agendas = [asyncio.create_task(day.follow_agenda(office)) for office in day.offices.values()]
        self.work = [
            asyncio.create_task(day.work(office, clerk)) for office in day.offices.values() for clerk in office.clerks
        ]
        try:
            yield
        finally:
            for task in (*agendas, *self.work):
                task.cancel()
            await asyncio.gather(*agendas, *self.work, return_exceptions=True)

    async def _phase(self, bookings: int, walk_ins: int) -> None:
        """``bookings`` in all, alternating; ``walk_ins`` at each office."""
        day = self.day
        offices = list(day.offices.values())
        for n in range(bookings):
            await day.book(offices[n % 2].id, 1)
        await asyncio.gather(*(self._guarded(day.people_come(office, walk_ins)) for office in offices))

    async def _guarded(self, arriving: Any) -> None:
        """Let people come; a clerk whose work failed ends the journey at once."""
        coming = asyncio.create_task(arriving)
        await asyncio.wait({coming, *self.work}, return_when=asyncio.FIRST_COMPLETED)
        for task in self.work:
            if task.done():
                coming.cancel()
                task.result()
        await coming

    async def _book_by_hand(self) -> None:
        """One booking through the portal's pages, without script; its citizen is found again by locator."""
        locator = await book_by_hand(self.browser, self.addresses.central, 900, document(900), "Centro")
        self.oracle.booked(locator, {"locator": locator, "office": CUT, "appointment_id": locator, "link": ""})

    async def _set_wan(self, state: str) -> None:
        async with httpx.AsyncClient() as http:
            reply = await http.post(f"{self.addresses.desk}/api/wan/{CUT}", json={"state": state})
            reply.raise_for_status()

    async def _until_caught_up(self) -> None:
        """Central has what the office did alone, and the office what central booked: seconds from the heal."""
        healed_s = time.monotonic()
        watcher = self.day.offices[CUT].watcher
        alone = (await watcher.queue())["seq"]
        heads = (await self.day.central.overview())[CUT]["heads"]
        async with asyncio.timeout(CONVERGE_TIMEOUT_S):
            while True:
                there, here = (await self.day.central.overview())[CUT], (await watcher.queue())["link"]
                if there["acked_seq"] >= alone and all(here["cursors"].get(s, 0) >= n for s, n in heads.items()):
                    break
                await asyncio.sleep(0.05)
        self.converged_s = time.monotonic() - healed_s

    async def _until_everybody_served(self) -> None:
        async with asyncio.timeout(CONVERGE_TIMEOUT_S):
            await asyncio.gather(*self.work)

    async def _until_both_agree(self) -> None:
        """Acknowledged = last fact, feed = head, tickets by state equal at the edges and at central."""
        deadline = time.monotonic() + CONVERGE_TIMEOUT_S
        while differences := await self._differences():
            if time.monotonic() > deadline:
                self.oracle.faults += differences
                return
            await asyncio.sleep(0.1)

    async def _differences(self) -> list[str]:
        picture, found = await self.day.central.overview(), []
        for office in self.day.offices.values():
            queue, there = await office.watcher.queue(), picture[office.id]
            if there["acked_seq"] != queue["seq"]:
                found.append(f"{office.id}: central has {there['acked_seq']} facts, the edge {queue['seq']}")
            here = {state: len(queue[state]) for state in ("waiting", "called", "serving", "missed") if queue[state]}
            told = {state: n for state, n in there["open_by_state"].items() if n and state != "parked"}
            if here != told:
                found.append(f"{office.id}: open tickets {here} here, {told} at central")
            if queue["link"]["cursors"] != there["heads"]:
                found.append(f"{office.id}: cursors {queue['link']['cursors']}, heads {there['heads']}")
        return found

    # ------------------------------------------------------------------------------------------------- judgement

    async def verdict(self) -> dict[str, Any]:
        lost = [*self.oracle.faults, *await self._lost()]
        duplicates = self.oracle.duplicates()
        order = self.oracle.order_violations()
        outside = self.oracle.arrivals_outside_their_windows()
        for problem in (*lost, *duplicates, *order, *outside):
            tell(f"  ! {problem}")
        shown, to_display = await self._shown()
        kiosks = [ms for office in self.day.offices.values() for ms in office.kiosk.take_to_last_byte_ms]
        calls = len(self.oracle.calls)
        return {
            "ok": not (lost or duplicates or order or outside) and shown == self._first_calls(),
            "bookings": len(self.oracle.bookings),
            "tickets": len(self.oracle.people),
            "tickets_printed": len({(s.office, s.label) for s in self.oracle.slips}),
            "reprints": self.oracle.reprints(),
            "calls": calls,
            "calls_shown": shown,
            "during_cut": self.during_cut,
            "lost": len(lost),
            "duplicates": len(duplicates),
            "order_violations": len(order),
            "arrivals_outside_window": len(outside),
            "converged_s": round(self.converged_s, 2),
            "booking_to_kiosk_ms_p95": p95(self.day.booking_to_agenda_ms(self._late_by_design())),
            "call_to_display_ms_p95": p95(to_display),
            "take_to_last_byte_ms_p95": p95(kiosks),
        }

    def _late_by_design(self) -> set[str]:
        """Bookings of the cut office made while it was cut: its agenda cannot know them before the heal."""
        return {
            booking["appointment_id"]
            for booking in self.oracle.bookings.values()
            if booking["office"] == CUT and booking["appointment_id"] in self.booked_in_cut
        }

    def _first_calls(self) -> int:
        return sum(1 for person in self.oracle.people.values() if person.calls)

    async def _shown(self) -> tuple[int, list[float]]:
        """How many called people stood on their office's screen, and how long after the clerk's key."""
        shown, delays = 0, []
        for office in self.day.offices.values():
            seen = await self.displays[office.id].seen()
            for label, sent_at in office.sent.items():
                if label in seen:
                    shown += 1
                    delays.append((seen[label] - sent_at) / timedelta(milliseconds=1))
        return shown, delays

    async def _lost(self) -> list[str]:
        """Acts that were acknowledged to somebody and that central does not have."""
        day, lost = self.day, []
        for appointment, link in day.links.items():
            if await day.central.appointment(link) is None:
                lost.append(f"booking {appointment} is unknown")
        for slip in self.oracle.slips:
            page = await day.central.progress(slip.follow_code)
            if page is None or slip.label not in page:
                lost.append(f"slip {slip.office} {slip.label} is unknown")
        picture = await day.central.overview()
        for office in day.offices.values():
            lost += self._lost_at(office, picture[office.id])
        return lost

    def _lost_at(self, office: Office, there: dict[str, Any]) -> list[str]:
        issued = sum(1 for person in self.oracle.people.values() if person.office == office.id)
        finished, known = len(office.finished), there["finished"]
        lost = self.oracle.lost_calls(office.id, there["acked_seq"])
        if there["tickets"] < issued:
            lost.append(f"{office.id}: {issued} tickets were given, central knows {there['tickets']}")
        if known != finished:
            lost.append(f"{office.id}: {finished} visits were finished, central knows {known}")
        return lost


def p95(values: list[float]) -> float | None:
    """The 95th percentile, in milliseconds."""
    return round(quantiles(values, n=20, method="inclusive")[-1], 1) if len(values) > 1 else None


async def journey(city: City, seed: int) -> dict[str, Any]:
    async with chromium() as browser:
        story = Journey(addresses_of(city), browser, seed, pools_of(city))
        await story.run()
        return await story.verdict()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.smoke", description=__doc__, epilog="Example: make smoke")
    parser.add_argument("--seed", type=int, default=1, help="of the people's behaviour")
    parser.add_argument("--folder", type=Path, help="keep the city's data and logs here")
    options = parser.parse_args()
    started_s = time.monotonic()
    with running_city(lambda text: tell(f"  {text}"), options.folder) as city:
        verdict = asyncio.run(journey(city, options.seed))
    verdict["took_s"] = round(time.monotonic() - started_s, 1)
    print(json.dumps(verdict))
    return 0 if verdict["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
