"""The console's pages over HTTP, as a browser without script and as the page's own script ask for them."""

import re
import sqlite3
from contextlib import suppress
from html import unescape

import httpx
import msgspec
import pytest
from litestar.middleware.csrf import generate_csrf_token

from edge_node.queue.desk import Wish
from sync.io.ids import new_id
from sync.messages import feed as f
from sync.messages.commands import CITIZEN, Actor
from tests.integration.edge.clerk import CSRF, Clerk, clerk_at, session
from tests.kit.console_server import Console
from tests.kit.edge import OFFICE, entities, feed
from ui.headers import PAGE_HEADERS

UNKNOWN = "01a202c9-0000-7000-8000-000000000000"


@pytest.mark.parametrize("path", ["/", "/counter", "/supervise", "/?panel=give"])
async def test_nothing_is_shown_to_strangers(served: Console, path: str) -> None:
    async with clerk_at(served) as stranger:
        reply = await stranger.http.get(path)
        assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")
        by_script = await stranger.http.get(path, headers={"hx-request": "true"})
        assert (by_script.status_code, by_script.headers["hx-redirect"]) == (204, "/sign-in")


@pytest.mark.parametrize("path", ["/act/call_next", "/act/close_day", "/counter"])
async def test_nothing_is_done_for_strangers(served: Console, path: str) -> None:
    async with clerk_at(served) as stranger:
        await stranger.http.get("/sign-in")
        before = served.node.dispatcher.state.tail.seq
        reply = await stranger.post(path, {"counter": "1"})
        assert reply.headers["location"] == "/sign-in"
        assert served.node.dispatcher.state.tail.seq == before


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("POST", "/sign-in", 403),  # without the form's token: the framework's own refusal
        ("PUT", "/sign-in", 405),
        ("DELETE", "/health/live", 405),
        ("HEAD", "/sign-in", 405),
        ("GET", "/sign-out", 405),
        ("GET", "/nowhere", 404),
        ("GET", "/static/nowhere.css", 404),
        ("GET", "/health/live", 200),
    ],
)
async def test_refusals_carry_the_headers_of_every_page(served: Console, method: str, path: str, status: int) -> None:
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        reply = await stranger.request(method, path)
    assert reply.status_code == status
    assert {name: reply.headers.get_list(name) for name in PAGE_HEADERS} == {n: [v] for n, v in PAGE_HEADERS.items()}


@pytest.mark.parametrize(
    "path", ["/", "/?panel=give", "/?panel=call", "/supervise", "/sign-in", "/counter", "/nowhere"]
)
async def test_every_page_keeps_the_strict_policy(served: Console, path: str) -> None:
    async with clerk_at(served, "boss", "1") as boss:
        reply = await boss.http.get(path, follow_redirects=True)
        assert "script-src 'self'" in reply.headers["content-security-policy"]
        assert not re.search(r"""\s(?:style|on[a-z]+)=["']""", reply.text)
        assert not re.search(r"<script(?![^>]*\ssrc=)", reply.text)
        assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "verb, fields, sentence",
    [
        ("call_next", {"session": "{session}"}, "No hay nadie a quien llamar."),
        ("call_next", {"session": "not an id"}, "Falta un dato o no vale."),
        ("call_next", {"session": "{session}", "bogus": "x"}, "Falta un dato o no vale."),
        ("call_next", {"session": "{session}", "after": UNKNOWN}, "El puesto ya había avanzado"),
        ("call_next", {"session": UNKNOWN}, "Ese puesto no está abierto."),
        ("call_ticket", {"session": "{session}", "ticket_id": UNKNOWN}, "Elija un motivo"),
        ("call_ticket", {"session": "{session}", "ticket_id": UNKNOWN, "reason": "short"}, "Ese turno no existe hoy."),
        ("recall", {"session": "{session}", "ticket_id": "{waiting}"}, "Ese turno ya no está así"),
        ("finish", {"session": "{session}", "ticket_id": "{waiting}", "outcome": "great"}, "Falta un dato o no vale."),
        ("transfer", {"session": "{session}", "ticket_id": "{waiting}"}, "Falta un dato o no vale."),
        ("take_ticket", {"service": "flying"}, "Ese trámite no se atiende en esta oficina."),
        ("take_ticket", {"service": "padron", "print_on": "kiosk-9"}, "Falta un dato o no vale."),
        ("take_ticket", {}, "Falta un dato o no vale."),
        ("check_in", {"appointment_id": UNKNOWN}, "Esa cita no está en la lista de hoy."),
        ("check_in", {"locator": "ZZZ-ZZZ"}, "Esa cita no está en la lista de hoy."),
        ("reinstate", {"ticket_id": "{waiting}"}, "Ese turno ya no está así"),
        ("close_day", {}, "Solo la supervisión puede hacerlo."),
        ("print_again", {"ticket_id": UNKNOWN, "print_on": "kiosk-1"}, "Ese turno no existe hoy."),
    ],
)
async def test_bad_input_is_refused_in_words_and_does_nothing(
    served: Console, clerk: Clerk, verb: str, fields: dict[str, str], sentence: str
) -> None:
    known = {"session": session(served), "waiting": ""}
    if "{waiting}" in fields.values():
        known["waiting"] = (await served.walk_in()).ticket_id
    before = served.node.dispatcher.state.tail.seq
    reply = await clerk.post(f"/act/{verb}", {name: value.format(**known) for name, value in fields.items()})
    assert reply.status_code == 303
    page = await clerk.http.get(reply.headers["location"])
    assert sentence in unescape(page.text)
    assert served.node.dispatcher.state.tail.seq == before
    assert sentence not in unescape((await clerk.http.get("/")).text), "told once"


async def test_a_refusal_is_counted(served: Console, clerk: Clerk) -> None:
    await clerk.post("/act/close_day", {})
    await clerk.post("/act/take_ticket", {})
    metrics = (await clerk.http.get("/metrics")).text
    assert 'ventanilla_refused_total{code="forbidden"} 1.0' in metrics
    assert 'ventanilla_refused_total{code="malformed"} 1.0' in metrics


async def test_only_a_supervisor_ends_the_session_of_another(served: Console, clerk: Clerk) -> None:
    theirs = session(served)
    async with clerk_at(served, "clerk-2", "5") as other:
        await other.post("/act/close_counter", {"session": theirs})
        assert theirs in served.node.dispatcher.state.day.sessions
    async with clerk_at(served, "boss") as boss:
        reply = await boss.post("/act/close_counter", {"session": theirs, "here": "/supervise"})
        assert reply.headers["location"] == "/supervise"
        assert theirs not in served.node.dispatcher.state.day.sessions


async def test_a_form_that_is_not_ours_does_nothing_and_the_next_one_works(served: Console, clerk: Clerk) -> None:
    before = served.node.dispatcher.state.tail.seq
    reply = await clerk.post("/act/take_ticket", {"service": "padron", "_csrf_token": "stolen"})
    assert reply.status_code == 303
    assert served.node.dispatcher.state.tail.seq == before
    assert "Pulse otra vez" in (await clerk.http.get(reply.headers["location"])).text
    await clerk.post("/act/take_ticket", {"service": "padron"})
    assert served.tickets("waiting") == ["B1"]


async def test_a_token_of_an_earlier_installation_is_replaced(served: Console) -> None:
    async with clerk_at(served) as clerk:
        clerk.http.cookies.set(CSRF, generate_csrf_token("another node"), domain="127.0.0.1")
        await clerk.sign_in("clerk-1")
        assert (await clerk.http.get("/")).headers["location"] == "/counter"


async def test_the_same_form_twice_acts_once(served: Console, clerk: Clerk) -> None:
    again = {"service": "padron", "request_id": new_id()}
    one, other = await clerk.post("/act/take_ticket", again), await clerk.post("/act/take_ticket", again)
    assert one.headers["location"] == other.headers["location"]
    assert served.tickets("waiting") == ["B1"]


async def test_a_form_leads_only_to_our_own_pages(served: Console, clerk: Clerk) -> None:
    for here in ("https://elsewhere.example/", "//elsewhere.example", "/?panel=<script>", "javascript:alert(1)"):
        reply = await clerk.post("/act/call_next", {"session": session(served), "here": here})
        assert reply.headers["location"] == "/"


async def test_the_script_gets_the_next_page_without_its_head(served: Console, clerk: Clerk) -> None:
    await served.walk_in()
    reply = await clerk.post(
        "/act/call_next", {"session": session(served), "here": "/?panel=give"}, headers={"hx-request": "true"}
    )
    assert reply.status_code == 200
    assert reply.headers["hx-replace-url"] == "/"
    assert "stylesheet" not in reply.text
    assert 'id="toast"' in reply.text
    assert "Llamado B1" in reply.text
    assert "Llamado B1" not in (await clerk.http.get("/")).text


async def test_an_act_that_may_not_be_kept_says_so_with_503(
    served: Console, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.node.dispatcher, "_stopping", True)
    fields = {"session": session(served)}
    reply = await clerk.post("/act/call_next", fields, headers={"hx-request": "true"})
    assert reply.status_code == 503
    assert "no se hará dos veces" in reply.text
    monkeypatch.undo()


@pytest.mark.parametrize(
    "method, path, status", [("GET", "/nowhere", 404), ("POST", "/act/fly", 404), ("GET", "/static/nothing.js", 404)]
)
async def test_what_is_not_there(served: Console, clerk: Clerk, method: str, path: str, status: int) -> None:
    reply = await (clerk.http.get(path) if method == "GET" else clerk.post(path, {}))
    assert reply.status_code == status


async def test_a_huge_form_is_refused(served: Console, clerk: Clerk) -> None:
    before = served.node.dispatcher.state.tail.seq
    with suppress(httpx.TransportError):  # it may be cut off before it was sent to its end
        assert (await clerk.post("/act/take_ticket", {"service": "x" * 10_000_000})).status_code == 413
    assert served.node.dispatcher.state.tail.seq == before


async def test_a_cookie_that_somebody_made_up_says_nothing(served: Console, clerk: Clerk) -> None:
    for value in ("{}", "AAAA", "e30=", "x" * 5000):
        reply = await clerk.http.get("/", headers={"cookie": f"{_cookies(clerk)}; vt_edge_{OFFICE}_said={value}"})
        assert reply.status_code == 200


async def test_signing_out_closes_the_counter_but_never_a_visit(served: Console, clerk: Clerk) -> None:
    await served.walk_in()
    await clerk.post("/act/call_next", {"session": session(served)})
    await clerk.post("/sign-out", {})
    assert (await clerk.http.get("/")).headers["location"] == "/sign-in"
    assert served.tickets("called") == ["B1"]
    await clerk.sign_in("clerk-1")
    assert "B1" in (await clerk.http.get("/")).text, "at any PC"
    visit = served.node.dispatcher.state.day.visit_at(session(served))
    assert visit is not None
    for verb in ("start", "finish"):
        await clerk.post(f"/act/{verb}", {"session": session(served), "ticket_id": visit.ticket_id})
    await clerk.post("/sign-out", {})
    assert served.node.dispatcher.state.day.sessions == {}


def _cookies(clerk: Clerk) -> str:
    return "; ".join(f"{name}={value}" for name, value in clerk.http.cookies.items())


async def test_a_service_withdrawn_during_the_day_takes_nobody_new_and_serves_who_waits(
    served: Console, clerk: Clerk
) -> None:
    waiting = await served.walk_in("padron")

    def withdraw(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM entity WHERE kind = 'service' AND entity_id = 'padron'")

    await served.node.writer.run(withdraw)
    known = served.node.dispatcher.state.configuration.catalogue
    without = tuple(service for service in known.office.services if service != "padron")
    await feed(served.node, msgspec.structs.replace(known.office, services=without), version=9)
    assert "padron" not in served.node.dispatcher.state.configuration.catalogue.services

    await clerk.post("/act/take_ticket", {"service": "padron"})
    assert served.tickets("waiting") == [waiting.label]
    assert waiting.label in (await clerk.http.get("/")).text
    await clerk.post("/act/call_next", {"session": session(served)})
    assert served.tickets("called") == [waiting.label]
    assert waiting.label in (await clerk.http.get("/")).text
    async with clerk_at(served, "boss") as boss:
        for path in ("/counter", "/supervise"):
            assert (await boss.http.get(path)).status_code == 200, path


async def test_people_of_a_service_that_is_offered_no_more_are_shown_and_served(served: Console, clerk: Clerk) -> None:
    """Central takes a service away in the middle of the day: who waits for it is called by whoever served it until now."""
    node = served.node
    await node.desk.take_ticket(new_id(), "registro", Actor(actor_id=CITIZEN, device_id="kiosk-1"), Wish())
    place = next(row for row in entities(("padron", "certificados")) if isinstance(row, f.Office))
    await node.writer.run(lambda db: db.execute("DELETE FROM entity WHERE kind = 'service' AND entity_id = 'registro'"))
    await feed(node, place)
    assert set(node.dispatcher.state.configuration.catalogue.services) == {"padron", "certificados"}
    (ticket,) = node.dispatcher.state.day.tickets.values()
    for path in ("/", "/?panel=give", "/?panel=transfer", f"/?panel=ticket&ticket={ticket.ticket_id}"):
        assert (await clerk.http.get(path)).status_code == 200, path
    assert ticket.label in await clerk.page()
    await clerk.act("call_next", session=session(served), after="")
    assert ticket.state == "called"
    assert ticket.label in await clerk.page()
    async with clerk_at(served, "boss") as boss:
        for path in ("/counter", "/supervise"):
            assert (await boss.http.get(path)).status_code == 200, path


async def test_who_has_no_counter_yet_is_told_to_choose_and_reads_how_much_one_serves(served: Console) -> None:
    async with clerk_at(served, "clerk-2") as clerk:
        assert "Elija su puesto en la lista" in await clerk.page("/counter")
        page = await clerk.page("/counter?counter=5")
        assert "Elija su puesto en la lista" not in page
        assert re.search(r'<details class="desks-services">\s*<summary>Trámites del puesto: \d+, y \d+ si', page)
