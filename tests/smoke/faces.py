"""The public faces that the journey uses, as people and devices use them: HTTP, serial bytes, paper. No product code."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.kit.oracle import Slip, instant
from tests.kit.plain_http import NO_TLS

LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_PLATE = re.compile(r'class="plate"[^>]*>([A-Z][1-9][0-9]{0,2})<')
_FOLLOW = re.compile(r"/t/([A-Za-z0-9_-]{22})$")


def now() -> datetime:
    return datetime.now(UTC)


def new_id() -> str:
    return str(uuid.uuid4())


def document(n: int) -> str:
    """A valid DNI that nobody has."""
    number = 10_000_000 + n * 7
    return f"{number:08d}{LETTERS[number % 23]}"


@dataclass(frozen=True)
class Addresses:
    """Where the city is. ``offices``: id to its faces."""

    desk: str
    central: str
    api_secret: str
    offices: dict[str, dict[str, str]]


class Central:
    """Central as a citizen and a newcomer see it."""

    def __init__(self, base: str, api_secret: str) -> None:
        self.base = base
        self.http = httpx.AsyncClient(verify=NO_TLS, base_url=base, timeout=10)
        self._secret = {"authorization": f"Bearer {api_secret}"}

    async def starts(self, office: str, service: str) -> list[datetime]:
        """Free times of today and tomorrow, earliest first."""
        path = f"/api/v1/offices/{office}/services/{service}/days"
        days = (await self.http.get(path)).raise_for_status().json()
        found: list[datetime] = []
        for day in [d["service_date"] for d in days if d["free"]][:1]:
            times = (await self.http.get(f"{path}/{day}")).raise_for_status().json()
            found += [instant(start) for start in times["starts"]]
        return sorted(found)

    async def book(self, office: str, service: str, start: datetime, n: int) -> dict[str, Any] | None:
        """Book; none when somebody else took it."""
        body = {
            "request_id": new_id(),
            "office_id": office,
            "service_id": service,
            "slot_start_at": start.isoformat().replace("+00:00", "Z"),
            "person": {
                "full_name": f"Persona {n} De Prueba",
                "document_kind": "dni",
                "document": document(n),
                "email": f"persona{n}@example.org",
            },
        }
        reply = await self.http.post("/api/v1/appointments", json=body, headers=self._secret)
        if reply.status_code == 409:
            return None
        again = await self.http.post("/api/v1/appointments", json=body, headers=self._secret)
        assert again.json() == reply.raise_for_status().json(), "the same request must be answered the same"
        return dict(reply.json())

    async def appointment(self, link: str) -> dict[str, Any] | None:
        """What a secret link shows; none when central does not know it."""
        reply = await self.http.get(f"/api/v1/appointments/{link}")
        return dict(reply.json()) if reply.status_code == 200 else None

    async def progress(self, code: str) -> str | None:
        """The text of a progress page; none when central does not know the code."""
        reply = await self.http.get(f"/t/{code}")
        return reply.text if reply.status_code == 200 else None

    async def overview(self) -> dict[str, dict[str, Any]]:
        """Central's picture of the offices, by id."""
        reply = (await self.http.get("/api/v1/overview")).raise_for_status().json()
        return {office["office"]: office for office in reply["offices"]}


class Kiosk:
    """A kiosk's screen, its scanner's wire and its printer's paper."""

    def __init__(self, office: str, faces: dict[str, str], desk: str) -> None:
        self.office = office
        self._http = httpx.AsyncClient(verify=NO_TLS, base_url=faces["kiosk"], timeout=10)
        self._printer = httpx.AsyncClient(verify=NO_TLS, base_url=faces["printer"], timeout=10)
        self._desk = httpx.AsyncClient(verify=NO_TLS, base_url=desk, timeout=10)
        self._before = 0
        self.take_to_last_byte_ms: list[float] = []

    async def __aenter__(self) -> Kiosk:
        return self

    async def __aexit__(self, *_: object) -> None:
        for client in (self._http, self._printer, self._desk):
            await client.aclose()

    async def touch(self, what: str) -> None:
        reply = await self._http.post("/act", data={"do": what})
        assert reply.status_code in (200, 303), (what, reply.status_code, reply.text[:200])

    async def walk_in(self, service: str) -> tuple[Slip, datetime, datetime]:
        """Touch through to the paper: the slip, and when it was asked for and in hand."""
        await self._home()
        await self.touch("without")
        await self._choose(service)
        asked_at = now()
        await self.touch("take")
        return await self._paper(asked_at)

    async def scan(self, text: str) -> tuple[Slip, datetime, datetime]:
        """Let the scanner read a code: bytes on the serial line."""
        await self._home()
        asked_at = now()
        (await self._desk.post(f"/api/scan/{self.office}", json={"text": text})).raise_for_status()
        return await self._paper(asked_at)

    async def type(self, locator: str) -> tuple[Slip, datetime, datetime]:
        """Type a locator on the screen's keys."""
        await self._home()
        await self.touch("with")
        for letter in locator:
            await self.touch(f"letter:{letter}")
        asked_at = now()
        await self.touch("send")
        return await self._paper(asked_at)

    async def page(self) -> str:
        return (await self._http.get("/")).text

    async def _home(self) -> None:
        await self.touch("restart")
        self._before = len((await self._printer.get("/tickets")).json())

    async def _choose(self, service: str) -> None:
        for _ in range(4):
            if f'"choose:{service}"' in await self.page():
                break
            await self.touch("more")
        await self.touch(f"choose:{service}")

    async def _paper(self, asked_at: datetime) -> tuple[Slip, datetime, datetime]:
        for _ in range(400):
            tickets = (await self._printer.get("/tickets")).json()
            if len(tickets) > self._before:
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError(f"no paper at {self.office}: {_words(await self.page())}")
        record = tickets[-1]
        label = await self._label(record)
        last_byte_at = instant(record["last_byte_at"])
        self.take_to_last_byte_ms.append((last_byte_at - asked_at).total_seconds() * 1000)
        code = next(m[1] for text in record["qr_texts"] if (m := _FOLLOW.search(text)))
        return Slip(self.office, label, code, last_byte_at), asked_at, now()

    async def _label(self, record: dict[str, Any]) -> str:
        """The label: read from the paper where it is letters, from the screen where it is a picture."""
        for line in record["lines"]:
            if re.fullmatch(r"[A-Z][1-9][0-9]{0,2}", line.strip()):
                return str(line.strip())
        for _ in range(100):
            if plate := _PLATE.search(await self.page()):
                return plate[1]
            await asyncio.sleep(0.02)
        raise AssertionError(f"no label at {self.office}: {_words(await self.page())}")


class Clerk:
    """A clerk in front of the console's JSON face."""

    def __init__(self, base: str, staff_id: str) -> None:
        self.staff_id = staff_id
        self.http = httpx.AsyncClient(verify=NO_TLS, base_url=base, timeout=10)
        self.session: dict[str, Any] = {}

    async def sign_in(self, secret: str) -> None:
        (await self.http.get("/api/v1/services")).raise_for_status()
        self.http.headers["x-csrf-token"] = next(v for k, v in self.http.cookies.items() if k.endswith("_csrf"))
        (await self.http.post("/api/v1/sign-in", json={"staff_id": self.staff_id, "secret": secret})).raise_for_status()

    async def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        """Carry out a verb: the reply, or the problem with its ``code``."""
        reply = await self.http.post(f"/api/v1/commands/{verb}", json={"request_id": new_id(), **fields})
        body: dict[str, Any] = reply.json()
        if reply.status_code == 200 and body.get("session"):
            self.session = body["session"]
        return body

    async def open(self, counter: str) -> None:
        reply = await self.do("open_counter", counter=counter)
        assert reply.get("outcome") in ("done", "unchanged"), reply

    async def queue(self) -> dict[str, Any]:
        return dict((await self.http.get("/api/v1/queue")).raise_for_status().json())

    async def agenda_stream(self) -> AsyncIterator[tuple[datetime, dict[str, Any]]]:
        """Appointments as they reach the office, each with the instant at which it was read here."""
        headers = {"accept": "text/event-stream"}
        async with self.http.stream("GET", "/api/v1/agenda", headers=headers, timeout=None) as stream:
            async for line in stream.aiter_lines():
                if line.startswith("data:"):
                    body = json.loads(line[5:])
                    for row in body if isinstance(body, list) else body.get("appointments", [body]):
                        if isinstance(row, dict) and "id" in row:
                            yield now(), row


def _words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))[:300]
