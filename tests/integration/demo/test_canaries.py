"""I-23 over real processes: somebody books, comes, is called and served, and what identifies them is only where it is needed.

Everything that a city says and writes is caught: each message of the office's broker, each log of a process, the facts of both
ends, the metrics, the office's database and the agents' spools.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import asyncpg
import httpx
import msgspec
import pytest

from provisioning.demo.city import DATABASE, City
from provisioning.demo.plan import read_config
from tests.kit.city import running_city
from tests.kit.edge_end import until
from tests.smoke.__main__ import addresses_of
from tests.smoke.day import SECRET, STAFF
from tests.smoke.faces import Addresses, Central, Clerk, Kiosk, document, new_id

OFFICE = "centro"
SERVICE = "padron-certificado"
FIRST, LAST = "Zoraidakanari", "Kwotlbruska"
IDENTIFYING = {"surname": LAST, "document": document(4242), "e-mail": "kanarivogel", "phone": "698745123"}
"""What never reaches an office. In a name's place stands the first name with an initial, in no message, log or fact either."""
EVERYTHING = IDENTIFYING | {"first name": FIRST}


def canaries_in(content: bytes, canaries: dict[str, str] = EVERYTHING) -> list[str]:
    """Which of them stand in some bytes, whatever the case."""
    text = content.lower()
    return [what for what, canary in canaries.items() if canary.lower().encode() in text]


@pytest.fixture
def city() -> Iterator[City]:
    demo = read_config()
    one_office = tuple(office for office in demo.offices if office.id == OFFICE)
    with running_city(config=msgspec.structs.replace(demo, offices=one_office)) as running:
        yield running


@contextlib.asynccontextmanager
async def overheard(city: City) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Every message of the office's broker, from what is retained on."""
    messages: list[tuple[str, bytes]] = []
    port = next(office.broker for office in city.config.offices if office.id == OFFICE)

    async def listen() -> None:
        async with aiomqtt.Client(city.config.host, port) as client:
            await client.subscribe("#", qos=1)
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                messages.append((str(message.topic), message.payload))

    listening = asyncio.create_task(listen())
    try:
        yield messages
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def book(addresses: Addresses, start: datetime) -> dict[str, Any]:
    body = {
        "request_id": new_id(),
        "office_id": OFFICE,
        "service_id": SERVICE,
        "slot_start_at": start.isoformat().replace("+00:00", "Z"),
        "person": {
            "full_name": f"{FIRST} {LAST}",
            "document_kind": "dni",
            "document": IDENTIFYING["document"],
            "email": f"{IDENTIFYING['e-mail']}@example.org",
            "phone": "+34 698 745 123",
        },
    }
    async with httpx.AsyncClient(base_url=addresses.central, timeout=10) as http:
        secret = {"authorization": f"Bearer {addresses.api_secret}"}
        return dict((await http.post("/api/v1/appointments", json=body, headers=secret)).raise_for_status().json())


async def served(clerk: Clerk, kiosk: Kiosk, booked: dict[str, Any]) -> None:
    """The whole visit: the locator at the kiosk, the call, the screen, the end."""
    await clerk.sign_in(SECRET)
    async with contextlib.aclosing(clerk.agenda_stream()) as rows, asyncio.timeout(15):  # type: ignore[type-var]
        async for _, row in rows:
            if row["id"] == booked["appointment_id"]:
                break
    await kiosk.type(booked["locator"].replace("-", ""))
    await clerk.open("1")
    called = await clerk.do("call_next", session=clerk.session["session"], after=None)
    assert called["outcome"] == "done", called
    ticket = {"session": clerk.session["session"], "ticket_id": called["ticket"]["ticket_id"]}
    for verb in ("recall", "start", "finish"):
        await clerk.do(verb, **ticket)


async def known_at_central(city: City) -> tuple[list[bytes], list[str]]:
    """The bodies of the raw log once the visit's end is there, and who the appointments are for."""
    assert city.postgres is not None
    connection = await asyncpg.connect(city.postgres.dsn(DATABASE))
    try:
        await until(lambda: connection.fetchval("SELECT count(*) FROM fact WHERE type = 'ticket.finished'"), 15)
        facts = await connection.fetch("SELECT body, actor_id, device_id FROM fact")
        people = await connection.fetch("SELECT full_name FROM appointment")
        return [b" ".join((row[0], row[1].encode(), row[2].encode())) for row in facts], [row[0] for row in people]
    finally:
        await connection.close()


async def metrics_of(addresses: Addresses) -> bytes:
    async with httpx.AsyncClient(timeout=10) as http:
        replies = [await http.get(url + "/metrics") for url in (addresses.central, addresses.offices[OFFICE]["edge"])]
        assert [reply.status_code for reply in replies] == [200, 200]
        return b"\n".join(reply.content for reply in replies)


def written_below(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.mark.city
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_who_somebody_is_stands_only_where_it_is_needed(city: City) -> None:
    addresses = addresses_of(city)
    central, faces = Central(addresses.central, addresses.api_secret), addresses.offices[OFFICE]
    clerk, kiosk = Clerk(faces["edge"], STAFF[OFFICE][0]), Kiosk(OFFICE, faces, addresses.desk)
    async with overheard(city) as messages, central.http, clerk.http, kiosk:
        booked = await book(addresses, (await central.starts(OFFICE, SERVICE))[0])
        await served(clerk, kiosk, booked)
        facts, people = await known_at_central(city)
        metrics = await metrics_of(addresses)
    office = city.places.office(OFFICE)
    with sqlite3.connect(f"file:{office / 'edge' / 'edge.db'}?mode=ro", uri=True) as edge:
        journal = [body for (body,) in edge.execute("SELECT body FROM fact")]
        named = edge.execute("SELECT count(*) FROM person WHERE display_name LIKE ?", (f"{FIRST} %",)).fetchone()[0]

    assert f"{FIRST} {LAST}" in people, "the canary is where it is needed: at central"
    assert named == 1, "and its short form where somebody calls it"
    assert len(messages) > 10
    found = {
        "messages": [(topic, found) for topic, body in messages if (found := canaries_in(topic.encode() + body))],
        "facts": [found for body in (*facts, *journal) if (found := canaries_in(body))],
        "metrics": canaries_in(metrics),
        "logs": [(name, found) for name, log in written_below(city.places.logs).items() if (found := canaries_in(log))],
        "office": [
            (name, found)
            for name, content in written_below(office).items()
            if (found := canaries_in(content, IDENTIFYING))
        ],
    }
    assert not any(found.values()), found
    assert canaries_in(f"log: {FIRST} {LAST}".encode()) == ["surname", "first name"], "the search itself finds"
