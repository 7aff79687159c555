"""A clerk without script at the console of an office whose central is real, and can be cut off."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from sync.io.ids import new_id
from tests.kit.central_database import Clusters
from tests.kit.desk_and_central import CLERK, PASSWORD, DeskAndCentral, desk_and_central
from tests.kit.edge import OFFICE
from tests.kit.plain_http import NO_TLS
from tests.kit.small_city import MONDAY_8H

TUESDAY_9H = MONDAY_8H + timedelta(hours=25)
PERSON = {
    "full_name": "Fátima Mohamed Haddu",
    "document_kind": "dni",
    "document": "12345678Z",
    "language": "es",
}


class Clerk:
    """A browser without script, signed in."""

    def __init__(self, desk: DeskAndCentral, http: httpx.AsyncClient) -> None:
        self.desk = desk
        self.http = http

    async def sign_in(self) -> None:
        await self.http.get("/sign-in")
        await self.post("/sign-in", {"staff_id": CLERK, "password": PASSWORD})

    async def post(self, path: str, fields: dict[str, Any]) -> httpx.Response:
        token = self.http.cookies.get(f"vt_edge_{OFFICE}_csrf", "")
        return await self.http.post(path, data={"_csrf_token": token, **fields})

    async def sees(self, path: str) -> str:
        return text_of(await self.http.get(path))

    async def book(self, at: datetime | str = TUESDAY_9H, **changes: Any) -> httpx.Response:
        """Send the form of a new appointment as it stands when it was filled in."""
        start = at if isinstance(at, str) else at.isoformat()
        fields = {"request_id": new_id(), "service": "viaje", "office": OFFICE, "at": start, "do": "book"}
        return await self.post("/agenda/new", {**fields, **PERSON, **changes})

    async def booked(self, at: datetime = TUESDAY_9H, **changes: Any) -> str:
        """Book, and wait until the office knows it; its id."""
        reply = await self.book(at, **changes)
        assert reply.status_code == 303, text_of(reply)
        appointment_id = slip_of(reply)
        await self.desk.knows(appointment_id)
        return appointment_id


def slip_of(reply: httpx.Response) -> str:
    """The appointment whose slip an answer leads to."""
    found = re.match(r"/agenda/slip/([0-9a-f-]{36})", reply.headers["location"])
    assert found is not None, reply.headers["location"]
    return found[1]


def text_of(reply: httpx.Response) -> str:
    """The words of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", reply.text)).split())


@asynccontextmanager
async def signed_in(desk: DeskAndCentral) -> AsyncIterator[Clerk]:
    async with httpx.AsyncClient(
        verify=NO_TLS, base_url=desk.url, headers={"accept-language": "es"}, timeout=20
    ) as http:
        clerk = Clerk(desk, http)
        await clerk.sign_in()
        yield clerk


@pytest.fixture
async def desk(clusters: Clusters, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[DeskAndCentral]:
    """With two seats in every slot, or as many as the test's parameter says."""
    async with desk_and_central(clusters["wheel"], tmp_path, getattr(request, "param", 2)) as desk:
        yield desk


@pytest.fixture
async def clerk(desk: DeskAndCentral) -> AsyncIterator[Clerk]:
    async with signed_in(desk) as clerk:
        yield clerk
