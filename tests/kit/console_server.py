"""An office's console on a free port, in the test's own loop: real SQLite, real HTTP, the node at hand to look into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import httpx
import msgspec
from granian.constants import Interfaces
from granian.server.embed import Server

from edge_node.app import create_app
from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Done
from edge_node.queue.replies import TicketView
from provisioning.launchers.ports import free_port
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.io.single_sign_on.settings import SingleSignOn
from sync.messages import feed as f
from sync.messages.commands import CITIZEN, Actor
from sync.messages.policy import Policy
from tests.kit.edge import OFFICE, appointment, edge, staff
from tests.kit.plain_http import NO_TLS

CITIZEN_ACTOR = Actor(actor_id=CITIZEN, device_id="kiosk-1")
SERVICES = {
    "padron": ("Padrón", "Residents' register", "B"),
    "registro": ("Registro", "Registry", "K"),
    "certificados": ("Certificados", "Certificates", "C"),
}
DOCUMENTS = ({"es": "DNI de todas las personas", "en": "Everybody's identity card"},)


class Console:
    """A console that is being served."""

    def __init__(self, node: EdgeNode, url: str) -> None:
        self.node = node
        self.url = url

    async def walk_in(self, service: str = "padron", priority_class: str | None = None) -> TicketView:
        """Somebody takes a ticket at the kiosk."""
        wish = Wish(priority_class=priority_class)
        answer = await self.node.desk.take_ticket(new_id(), service, CITIZEN_ACTOR, wish)
        assert isinstance(answer, Done), answer
        assert answer.reply.ticket is not None
        return answer.reply.ticket

    def tickets(self, state: str) -> list[str]:
        """Labels of the tickets in a state, as the queue has them."""
        return [t.label for t in self.node.dispatcher.state.day.tickets.values() if t.state == state]

    def facts(self, kind: str) -> int:
        """How many facts of a type the journal holds."""
        return sum(1 for each in self.node.live._recent if each.header.type == kind)


def office(bookings: Sequence[f.Appointment] = ()) -> list[f.Entity]:
    """An office with words like a real one's: three services, six counters, five clerks, one supervisor."""
    return [
        f.Office(
            id=OFFICE,
            name="Centro",
            address="Plaza de España 1",
            time_zone="Africa/Ceuta",
            services=tuple(SERVICES),
            hours=(f.OpeningHours(weekday=0, opens=time(9), closes=time(14)),),
            zones=("a", "b"),
        ),
        *(
            f.Service(id=name, names={"es": es, "en": en}, series=series, duration_min=10, documents=DOCUMENTS)
            for name, (es, en, series) in SERVICES.items()
        ),
        *(
            f.Counter(id=str(n), zone="b", primary=("padron", "registro"), secondary=("certificados",))
            for n in range(1, 7)
        ),
        *(staff(f"clerk-{n}") for n in range(1, 6)),
        staff("boss", "clerk", "supervisor"),
        *bookings,
    ]


def policy(rules: Policy) -> f.OfficePolicy:
    return f.OfficePolicy(effective_from=date(2020, 1, 1), policy=rules)


def today_at(minutes: int, service: str = "registro", **changes: object) -> f.Appointment:
    """A booking some minutes from now, within this service day, on a whole ten minutes."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    at = now + timedelta(minutes=minutes)
    return appointment(at - timedelta(minutes=at.minute % 10), service, **changes)


@asynccontextmanager
async def console(
    folder: Path,
    rows: Sequence[f.Entity] | None = None,
    clock: Clock | None = None,
    broker_port: int = 0,
    single_sign_on: SingleSignOn | None = None,
) -> AsyncIterator[Console]:
    """Serve a node's console until the end of the block."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    rules = msgspec.structs.replace(single_sign_on, return_url=url) if single_sign_on is not None else None
    there = office() if rows is None else rows
    async with edge(folder, clock, rows=there, broker_port=broker_port, single_sign_on=rules) as node:
        server = Server(
            create_app(node), address="127.0.0.1", port=port, interface=Interfaces.ASGINL, log_enabled=False
        )
        serving = asyncio.create_task(server.serve())
        try:
            await _answers(url)
            yield Console(node, url)
        finally:
            node.stop_streams()
            server.stop()  # type: ignore[no-untyped-call]
            await asyncio.wait({serving}, timeout=5)
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def _answers(url: str) -> None:
    async with httpx.AsyncClient(verify=NO_TLS) as http:
        for _ in range(200):
            try:
                if (await http.get(f"{url}/health/live")).status_code == 200:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.02)
    raise AssertionError("the console does not answer")
