"""Bodies that no form and no program of ours sends, at every HTTP face of an office."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import httpx
import msgspec
import pytest

from sync.io.ids import new_id
from tests.integration.bad_input.office import Office
from tests.kit.edge_process import Browser

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(120)]

TEN_MEGABYTES = 10_000_000
ID = "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa"


@pytest.fixture(scope="module")
def clerk(office: Office) -> Iterator[Browser]:
    with Browser(office.edge.url) as browser:
        assert browser.sign_in("clerk-1").status_code == 200
        yield browser


class Posted(NamedTuple):
    """A body for the edge's JSON interface, and the answer."""

    path: str
    body: object
    status: int
    code: str
    counted: bool = True


def command(verb: str, **fields: Any) -> tuple[str, dict[str, Any]]:
    return f"/api/v1/commands/{verb}", {"request_id": ID, **fields}


POSTED = {
    "nothing": Posted("/api/v1/commands/call_next", b"", 422, "malformed"),
    "no JSON": Posted("/api/v1/commands/call_next", b"session=1", 422, "malformed"),
    "no text": Posted("/api/v1/commands/call_next", b"\xff\xfe\x00", 422, "malformed"),
    "very deep": Posted("/api/v1/commands/call_next", b"[" * 60_000, 422, "malformed"),
    "a list": Posted("/api/v1/commands/call_next", [1], 422, "malformed"),
    "an id that is a number": Posted("/api/v1/commands/call_next", {"request_id": 1, "session": ID}, 422, "malformed"),
    "an id that is no id": Posted("/api/v1/commands/call_next", {"request_id": "x", "session": ID}, 422, "malformed"),
    "a session of lists": Posted(*command("call_next", session=[[]]), 422, "malformed"),
    "a field that nobody knows": Posted(*command("call_next", session=ID, priority=1), 422, "malformed"),
    "a service that is a truth": Posted(*command("take_ticket", service=True), 422, "malformed"),
    "a service with a path in it": Posted(*command("take_ticket", service="../padron"), 422, "malformed"),
    "a locator of a thousand letters": Posted(*command("check_in", locator="A" * 1000), 422, "malformed"),
    "a session that nobody opened": Posted(*command("call_next", session=ID), 409, "counter_closed"),
    "a verb that there is not": Posted(*command("explode"), 404, "not_found", counted=False),
    "a sign-in without a secret": Posted("/api/v1/sign-in", {"staff_id": "boss"}, 422, "malformed"),
    "a sign-in with numbers": Posted("/api/v1/sign-in", {"staff_id": 1, "secret": 2}, 422, "malformed"),
    "a wrong secret": Posted("/api/v1/sign-in", {"staff_id": "boss", "secret": "guess"}, 401, "sign_in_failed"),
}


@pytest.mark.parametrize("posted", [pytest.param(posted, id=name) for name, posted in POSTED.items()])
def test_json_for_the_edge(office: Office, clerk: Browser, posted: Posted) -> None:
    evidence = office.evidence()
    body = posted.body if isinstance(posted.body, bytes) else msgspec.json.encode(posted.body)
    reply = clerk.http.post(posted.path, content=body, headers=clerk.headers)
    assert (reply.status_code, reply.json()["code"]) == (posted.status, posted.code)
    evidence.becomes((), {posted.code: 1} if posted.counted else {})


FORMS = {
    "a ticket without a service": ("take_ticket", {}, "malformed"),
    "a service that is not offered": ("take_ticket", {"service": "oficina"}, "service_unknown"),
    "a ticket that is none": ("reinstate", {"ticket_id": "<b>1</b>"}, "malformed"),
    "a counter that there is not": ("open_counter", {"counter": "99"}, "counter_unknown"),
    "a code of nobody": ("check_in", {"locator": "777777"}, "booking_unknown"),
}


@pytest.mark.parametrize("verb, fields, code", [pytest.param(*form, id=name) for name, form in FORMS.items()])
def test_a_form_of_the_console(office: Office, clerk: Browser, verb: str, fields: dict[str, str], code: str) -> None:
    evidence = office.evidence()
    form = {"request_id": new_id(), "_csrf_token": clerk.headers["x-csrf-token"], **fields}
    assert clerk.http.post(f"/act/{verb}", data=form).status_code == 303
    evidence.becomes((), {code: 1})


@pytest.mark.parametrize("path", ["/api/v1/commands/take_ticket", "/api/v1/sign-in", "/act/take_ticket", "/sign-in"])
def test_ten_megabytes_for_the_edge(office: Office, clerk: Browser, path: str) -> None:
    evidence = office.evidence()
    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):  # cut off before all of it was sent
        kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
        headers = {**clerk.headers, "content-type": kind}
        assert clerk.http.post(path, content=b"x=" + b"x" * TEN_MEGABYTES, headers=headers).status_code == 413
    evidence.becomes((), {"too_large": 1})
    assert clerk.http.get("/health/ready").status_code == 200


def test_ten_megabytes_for_the_kiosk(office: Office) -> None:
    evidence = office.evidence()
    with suppress(httpx.WriteError, httpx.ReadError, httpx.RemoteProtocolError):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        reply = office.kiosk.http.post("/act", content=b"do=" + b"x" * TEN_MEGABYTES, headers=headers)
        assert reply.status_code == 413
    office.kiosk.begin("es")
    evidence.becomes((), {})


@pytest.mark.parametrize(
    "button", ["explode", "choose:", "choose:" + "x" * 40, "letter:<", "language:xx", "", "x" * 500]
)
def test_a_button_that_there_is_not(office: Office, button: str) -> None:
    office.kiosk.begin("es")
    evidence = office.evidence()
    assert office.kiosk.http.post("/act", data={"do": button}).status_code in {303, 400}
    office.kiosk.shows("¿Tiene cita?")
    evidence.becomes((), {})
