"""`/api/v1` through the real server: what it answers to good and bad requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.booking.conftest import TUESDAY_9H, request_id
from tests.kit.central_database import Clusters
from tests.kit.central_server import running_central
from tests.kit.clock import ManualClock
from tests.kit.small_city import MONDAY_8H, loaded_city

pytestmark = pytest.mark.postgres

AT = "2026-11-24T08:00:00Z"


@pytest.fixture
async def api(clusters: Clusters, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client that may book, on a loaded city whose clock stands still on a Monday morning. One Postgres is enough here."""
    with loaded_city(clusters["wheel"], tmp_path) as dsn:
        async with client_of(dsn, tmp_path) as client:
            yield client


@asynccontextmanager
async def client_of(dsn: str, folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with running_central(dsn, folder, ManualClock(MONDAY_8H)) as server:
        headers = {"authorization": f"Bearer {server.central.keys.api}"}
        async with httpx.AsyncClient(base_url=server.url + "/api/v1", headers=headers) as client:
            yield client


def body(number: int = 1, **changes: Any) -> dict[str, Any]:
    person = {"full_name": "Fátima Mohamed", "document_kind": "passport", "document": f"AB{number:06}"}
    return {
        "request_id": request_id(),
        "office_id": "centro",
        "service_id": "viaje",
        "slot_start_at": AT,
        "person": {**person, **changes.pop("person", {})},
        **changes,
    }


async def test_from_services_to_a_cancelled_appointment(api: httpx.AsyncClient) -> None:
    services = (await api.get("/services")).json()
    assert [one["id"] for one in services] == ["padron", "viaje", "informacion"]
    assert services[1]["offices"] == ["centro", "real"]
    offices = (await api.get("/offices")).json()
    assert (offices[0]["open_now"], offices[0]["opens"]) == (False, [["2026-11-23T08:00:00Z", "2026-11-23T13:00:00Z"]])
    days = (await api.get("/offices/centro/services/viaje/days")).json()
    assert days[1] == {"service_date": "2026-11-24", "free": 30}
    times = (await api.get("/offices/centro/services/viaje/days/2026-11-24")).json()
    assert times["starts"][0] == AT

    booked = await api.post("/appointments", json=body())
    assert booked.status_code == 201
    link = booked.json()["link"]
    shown = (await api.get(f"/appointments/{link}")).json()
    assert (shown["status"], shown["locator"]) == ("booked", booked.json()["locator"])
    assert "Mohamed" not in str(shown)
    assert shown["token"] == booked.json()["token"]

    found = await api.post("/appointments/lookup", json={"locator": shown["locator"], "document_end": "0001"})
    assert found.json() == {"link": link}
    moved = await api.post(
        f"/appointments/{link}/reschedule",
        json={"request_id": request_id(), "office_id": "real", "slot_start_at": AT},
    )
    assert (moved.status_code, moved.json()["office_id"], moved.json()["version"]) == (200, "real", 2)
    assert (await api.post(f"/appointments/{link}/cancel")).json()["status"] == "cancelled"
    assert (await api.post(f"/appointments/{link}/cancel")).status_code == 200
    assert (await api.get(f"/appointments/{link}")).json()["token"] == ""


async def test_fifty_posts_for_one_seat(api: httpx.AsyncClient) -> None:
    replies = await asyncio.gather(*(api.post("/appointments", json=body(number)) for number in range(50)))

    assert sorted(reply.status_code for reply in replies) == [201] + [409] * 49
    lost = next(reply for reply in replies if reply.status_code == 409)
    assert lost.headers["content-type"] == "application/problem+json"
    assert lost.json()["code"] == "taken"
    assert len(lost.json()["alternatives"]) == 3


async def test_a_repeated_post_is_answered_the_same(api: httpx.AsyncClient) -> None:
    asked = body()
    first, second = await asyncio.gather(api.post("/appointments", json=asked), api.post("/appointments", json=asked))
    assert (first.status_code, first.json()) == (second.status_code, second.json())


@pytest.mark.parametrize(
    "changes,status,code",
    [
        ({"office_id": "nowhere"}, 409, "office_unknown"),
        ({"service_id": "informacion"}, 409, "service_unknown"),
        ({"slot_start_at": "2026-11-23T06:00:00Z"}, 409, "too_late"),
        ({"slot_start_at": "2027-03-01T08:00:00Z"}, 409, "too_far"),
        ({"slot_start_at": "2026-11-24T08:03:00Z"}, 409, "no_such_time"),
        ({"slot_start_at": "2026-11-24T08:00:00"}, 400, "malformed"),
        ({"slot_start_at": "tomorrow"}, 400, "malformed"),
        ({"request_id": "1"}, 400, "malformed"),
        ({"colour": "blue"}, 400, "malformed"),
        ({"person": {"document_kind": "dni", "document": "12345678A"}}, 422, "document_letter"),
        ({"person": {"document": "#"}}, 422, "document_form"),
        ({"person": {"email": "not an address"}}, 400, "malformed"),
        ({"slot_start_at": "0001-01-01T00:00:00Z"}, 400, "malformed"),
        ({"slot_start_at": "2199-12-31T23:59:59Z"}, 409, "too_far"),
        ({"slot_start_at": "9999-12-31T23:59:59Z"}, 400, "malformed"),
        ({"person": {"email": "a\x00@b.es"}}, 400, "malformed"),
        ({"person": {"email": "a><b>@b.es"}}, 400, "malformed"),
        ({"person": {"email": "a@b.es\n"}}, 400, "malformed"),
        ({"person": {"full_name": "x" * 1000}}, 400, "malformed"),
        ({"person": {"full_name": "   "}}, 400, "malformed"),
        ({"person": {"full_name": "F\x00tima"}}, 400, "malformed"),
        ({"person": {"full_name": "F\u202etima"}}, 400, "malformed"),
        ({"person": {"language": "de"}}, 400, "malformed"),
    ],
)
async def test_bad_bookings(api: httpx.AsyncClient, changes: dict[str, Any], status: int, code: str) -> None:
    reply = await api.post("/appointments", json=body(**changes))
    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert reply.json()["status"] == status


async def test_booking_needs_the_secret(api: httpx.AsyncClient) -> None:
    for header in ("", "Bearer", "Bearer wrong", "Basic abc", "Bearer " + "é" * 10):
        reply = await api.post("/appointments", json=body(), headers=[(b"authorization", header.encode())])
        assert (reply.status_code, reply.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize(
    "content,status,code",
    [
        (b"", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b'{"request_id": ', 400, "malformed"),
        (b"\xff\xfe", 400, "malformed"),
        (b"[" * 5000, 400, "malformed"),
        (b"x" * 10_000_000, 413, "too_large"),
    ],
)
async def test_bad_bodies(api: httpx.AsyncClient, content: bytes, status: int, code: str) -> None:
    reply = await api.post("/appointments", content=content)
    assert (reply.status_code, reply.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    "method,path,status",
    [
        ("GET", "/nothing", 404),
        ("GET", "/offices/nowhere/services/viaje/days", 404),
        ("GET", "/offices/centro/services/informacion/days", 404),
        ("GET", "/offices/centro/services/viaje/days/someday", 404),
        ("GET", "/offices/centro/services/viaje/days/0001-01-01", 404),
        ("GET", "/offices/centro/services/viaje/days/9999-12-31", 404),
        ("GET", "/offices/centro/services/viaje/days/10000-01-01", 404),
        ("GET", "/appointments/" + "A" * 44, 404),
        ("POST", "/appointments/" + "A" * 44 + "/cancel", 404),
        ("DELETE", "/services", 405),
    ],
)
async def test_bad_addresses(api: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    reply = await api.request(method, path)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("day", ["2199-12-31", "2026-11-20"])
async def test_a_day_out_of_reach_has_no_times(api: httpx.AsyncClient, day: str) -> None:
    reply = await api.get(f"/offices/centro/services/viaje/days/{day}")
    assert (reply.status_code, reply.json()) == (200, {"service_date": day, "starts": []})


async def test_nobody_looks_up_without_the_secret(api: httpx.AsyncClient) -> None:
    asked = {"locator": "AAA-AAA", "document_end": "0001"}
    for secret in ("", "Bearer", "Bearer guessed", "Basic guessed"):
        reply = await api.post("/appointments/lookup", json=asked, headers={"authorization": secret})
        assert reply.status_code == 401


async def test_the_sixth_look_up_is_told_to_wait(api: httpx.AsyncClient) -> None:
    asked = {"locator": "AAA-AAA", "document_end": "0001"}
    codes = [(await api.post("/appointments/lookup", json=asked)).status_code for _ in range(6)]
    assert codes == [404] * 5 + [429]
    last = await api.post("/appointments/lookup", json=asked)
    assert 0 < int(last.headers["retry-after"]) <= 900


async def test_a_method_that_nobody_knows_makes_no_series_of_its_own(api: httpx.AsyncClient) -> None:
    home = str(api.base_url).replace("/api/v1/", "")
    for method in ("BREW", "BREW2", "GET2"):
        assert (await api.request(method, f"{home}/health/live")).status_code == 405
    metrics = (await api.get(f"{home}/metrics")).text
    assert 'method="other"' in metrics
    assert "BREW" not in metrics


async def test_refusals_are_counted_and_paths_are_not_logged(api: httpx.AsyncClient) -> None:
    await api.get("/appointments/" + "A" * 44)
    metrics = (await api.get(str(api.base_url).replace("/api/v1/", "/metrics"))).text
    assert 'ventanilla_refused_total{code="not_found"}' in metrics
    assert "A" * 44 not in metrics
    assert 'route="/api/v1/appointments/{link}"' in metrics


def test_the_first_slot_is_the_one_the_tests_name() -> None:
    assert TUESDAY_9H.isoformat() == "2026-11-24T08:00:00+00:00"
