"""The desk of the demo: start page, mailbox, and the network that can be cut.

It drives the city only from outside, by the same ports and bytes as people and devices do. Its forms also have a JSON face
for ``ventanilla demo cut|heal`` and for tests.
"""

from __future__ import annotations

import asyncio
import contextlib
import tomllib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import msgspec
from litestar.exceptions import NotFoundException

from provisioning.demo.bookings import Bookings, Code
from provisioning.demo.keeper import read_falls
from provisioning.demo.mailbox import Mail, Mailbox
from provisioning.demo.parts import Fall
from provisioning.demo.plan import DemoConfig, OfficePorts, Places
from provisioning.demo.relay import Relay, State
from ui.assets import StaticAssets
from ui.catalog import load_catalog
from ui.formats import dashed, stamp
from ui.locales import STAFF_LOCALES
from ui.pages import Pages

LOOK_EVERY_S = 1.0
SHOWN = 6
AREA = "Ventanilla"
ROLES = ("clerk", "supervisor", "manager", "admin")
"""What staff may be; who is several things is called by the last."""


def static_assets() -> StaticAssets:
    """What all screens share, and the start page's own sheet."""
    return StaticAssets({"demo": Path(__file__).parent / "static"})


class Wan(msgspec.Struct, frozen=True):
    """The state of an office's network, as JSON."""

    state: State


class Scan(msgspec.Struct, frozen=True):
    """What a scanner reads."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class Desk:
    """What stands on the desk."""

    def __init__(self, config: DemoConfig, places: Places) -> None:
        self.config = config
        self._places = places
        self.relays = {
            office.id: Relay(config.host, office.relay, config.host, config.central) for office in config.offices
        }
        self.mailbox = Mailbox(config.host, config.smtp, places.mail)
        self._bookings = Bookings(places)
        self.stopping = asyncio.Event()
        self.city = tomllib.loads(config.city_file.read_text(encoding="utf-8"))
        self.pages = Pages(
            load_catalog(strict=False), [Path(__file__).parent / "pages"], static_assets(), STAFF_LOCALES
        )
        self.http = httpx.AsyncClient(timeout=2.0)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Relays and mailbox work while inside; whatever ends it, what was started is stopped."""
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(self.http.aclose)
            for relay in self.relays.values():
                stack.push_async_callback(relay.stop)
                await relay.start()
            stack.push_async_callback(self._bookings.stop)
            stack.push_async_callback(self.mailbox.stop)
            await self.mailbox.start()
            yield

    def office(self, office: str) -> OfficePorts:
        for ports in self.config.offices:
            if ports.id == office:
                return ports
        raise NotFoundException(f"The demo runs no office called {office}.")

    async def set_wan(self, office: str, state: State) -> None:
        """Cut, silence, disturb or heal the network of an office."""
        await self.relays[self.office(office).id].become(state)

    async def scan(self, office: str, text: str) -> None:
        """Let the kiosk's scanner read a text."""
        control = self.config.url(self.office(office).scanner)
        (await self.http.post(f"{control}/scan", json={"text": text})).raise_for_status()

    async def set_paper(self, office: str, paper: Literal["ok", "out"]) -> None:
        """Put paper into the kiosk's printer or take it out."""
        control = self.config.url(self.office(office).emulators)
        (await self.http.post(f"{control}/state", json={"paper": paper})).raise_for_status()

    async def view(self) -> dict[str, Any]:
        """All that the start page shows."""
        mails, now = list(reversed(self.mailbox.mails)), datetime.now(UTC)
        codes = await self._bookings.coming(now)
        return {
            "config": self.config,
            "portal": self.config.url(self.config.central),
            "falls": [self._fall_view(fall) for fall in read_falls(self._places.falls, now)],
            "offices": [await self._office_view(ports, codes, mails) for ports in self.config.offices],
            "others": [o["name"] for o in self.city["offices"] if o["id"] not in self.relays],
            "mails": mails[:SHOWN],
            "staff": self._staff(),
        }

    async def _office_view(self, ports: OfficePorts, codes: list[Code], mails: list[Mail]) -> dict[str, Any]:
        relay = self.relays[ports.id]
        control = self.config.url(ports.emulators)
        tickets, state = await asyncio.gather(self._ask(f"{control}/tickets"), self._ask(f"{control}/state"))
        return {
            "id": ports.id,
            "name": self._name(ports.id),
            "console": self.config.url(ports.edge),
            "kiosk": self.config.url(ports.kiosk),
            "display": self.config.url(ports.display),
            "wan": relay.state,
            "wan_since": relay.since,
            "paper": (state or {}).get("paper", "unknown"),
            "tickets": list(reversed(tickets or []))[:SHOWN],
            "ticket_count": len(tickets or []),
            "codes": self._options(ports.id, codes, mails),
        }

    def _options(self, office: str, codes: list[Code], mails: list[Mail]) -> list[tuple[str, str]]:
        """What the scanner may read: the office's own appointments, then the other offices', then what else came by mail."""
        own_first = sorted(codes, key=lambda code: (code.office != office, code.slot_start_at))
        known = {code.token for code in codes}
        booked = [
            (code.token, f"{stamp(code.slot_start_at)} · {self._name(code.office)} · {dashed(code.locator)}")
            for code in own_first
        ]
        return [*booked, *((m.scanned, m.subject) for m in mails if m.scanned and m.token not in known)]

    def _fall_view(self, fall: Fall) -> dict[str, Any]:
        office, _, kind = fall.part.rpartition(".")
        return {"fall": fall, "office": self._name(office) if office else "", "kind": kind}

    async def _ask(self, url: str) -> Any:
        """A JSON answer of an emulator; none while it does not answer."""
        with contextlib.suppress(httpx.HTTPError, ValueError):
            return (await self.http.get(url)).raise_for_status().json()
        return None

    def _name(self, office: str) -> str:
        return next((str(o["name"]) for o in self.city["offices"] if o["id"] == office), office)

    def _staff(self) -> list[dict[str, Any]]:
        """Who can sign in, each with the word for what they do."""
        return [
            {"office": office["name"], "role": max(person["roles"], key=ROLES.index), **person}
            for office in self.city["offices"]
            if office["id"] in self.relays
            for person in office.get("staff", [])
        ]
