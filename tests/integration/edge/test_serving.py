"""The node as a real process: what it acknowledged survives it, and it stops when it is told to."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from edge_node.__main__ import main
from sync.io.ids import new_id
from tests.kit.edge_process import CSRF, Browser, EdgeProcess, edge_process
from ui.headers import PAGE_HEADERS


@pytest.fixture
def node(tmp_path: Path) -> Iterator[EdgeProcess]:
    with edge_process(tmp_path / "edge") as process:
        yield process


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EdgeProcess]:
    """For tests that do not stop it."""
    with edge_process(tmp_path_factory.mktemp("shared") / "edge") as process:
        yield process


@pytest.fixture
def boss(node: EdgeProcess) -> Iterator[Browser]:
    with signed_in(node) as browser:
        yield browser


@pytest.fixture
def shared_boss(shared_node: EdgeProcess) -> Iterator[Browser]:
    with signed_in(shared_node) as browser:
        yield browser


@contextmanager
def signed_in(node: EdgeProcess) -> Iterator[Browser]:
    with Browser(node.url) as browser:
        assert browser.sign_in("boss").status_code == 200
        yield browser


@pytest.mark.timeout(300)
def test_killed_at_any_moment_it_loses_nothing_that_it_acknowledged(node: EdgeProcess, boss: Browser) -> None:
    acknowledged: list[tuple[str, str]] = []
    asked: list[str] = []
    dead = threading.Event()

    def take_tickets() -> None:
        with httpx.Client(base_url=node.url, cookies=boss.http.cookies, headers=boss.headers) as http:
            while not dead.is_set():
                asked.append(request_id := new_id())
                try:
                    reply = http.post(
                        "/api/v1/commands/take_ticket", json={"request_id": request_id, "service": "padron"}
                    )
                except httpx.HTTPError:
                    return
                if reply.status_code == 200:
                    acknowledged.append((request_id, reply.json()["ticket"]["label"]))

    for done in (12, 24, 36):
        dead.clear()
        takers = [threading.Thread(target=take_tickets) for _ in range(4)]
        for taker in takers:
            taker.start()
        while len(acknowledged) < done and any(taker.is_alive() for taker in takers):
            time.sleep(0.01)
        node.kill()
        dead.set()
        for taker in takers:
            taker.join()
        node.start()
    assert len(acknowledged) >= 36
    waiting = {t["ticket_id"]: t["label"] for t in boss.http.get("/api/v1/queue").json()["waiting"]}
    assert {ticket_id: waiting.get(ticket_id) for ticket_id, _ in acknowledged} == dict(acknowledged)
    assert len(set(waiting.values())) == len(waiting)
    assert set(waiting) <= set(asked)
    again = boss.do("take_ticket", request_id=acknowledged[0][0], service="padron")
    assert again.json()["ticket"]["label"] == acknowledged[0][1]


def test_a_session_survives_a_restart_and_ends_by_signing_out(node: EdgeProcess, boss: Browser) -> None:
    assert node.stop() < 5
    node.start()
    assert boss.http.get("/api/v1/me").json()["staff_id"] == "boss"
    assert boss.post("/api/v1/sign-out", {}).status_code == 204
    assert boss.http.get("/api/v1/me").status_code == 401


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_three_open_streams_end_at_once(node: EdgeProcess, boss: Browser, number: int) -> None:
    received = ["", "", ""]
    ready = threading.Barrier(4)

    def listen(index: int) -> None:
        with boss.http.stream("GET", "/api/v1/live" if index else "/api/v1/agenda", headers=_SSE) as stream:
            for line in stream.iter_lines():
                if not received[index]:
                    ready.wait(10)
                received[index] += line + "\n"

    listeners = [threading.Thread(target=listen, args=(index,)) for index in range(3)]
    for listener in listeners:
        listener.start()
    ready.wait(10)
    assert node.stop(number) < 5
    for listener in listeners:
        listener.join(5)
    assert all("event: bye" in text for text in received)


_SSE = {"accept": "text/event-stream"}


def test_a_stream_that_comes_back_gets_what_it_missed(node: EdgeProcess, boss: Browser) -> None:
    first = boss.do("take_ticket", service="padron").json()
    for _ in range(3):
        boss.do("take_ticket", service="registro")
    headers = {"last-event-id": f"1-{first['seq']}"}
    with boss.http.stream("GET", "/api/v1/live", headers=headers) as stream:
        ids = []
        for line in stream.iter_lines():
            if line.startswith("id: "):
                ids.append(line.removeprefix("id: "))
            if len(ids) == 3:
                break
    assert ids == [f"1-{first['seq'] + n}" for n in (1, 2, 3)]
    with boss.http.stream("GET", "/api/v1/live?last_event_id=9-1") as stream:
        events = (line for line in stream.iter_lines() if line.startswith("event: "))
        assert next(events) == "event: reset"


def test_a_stream_ends_with_its_session(node: EdgeProcess, boss: Browser) -> None:
    with boss.http.stream("GET", "/api/v1/live", headers=_SSE, timeout=20) as stream:
        lines = stream.iter_lines()
        next(lines)
        assert boss.post("/api/v1/sign-out", {}).status_code == 204
        assert "event: bye" in list(lines)


def test_a_second_process_is_told_why_not(shared_node: EdgeProcess) -> None:
    for command in ("serve", "migrate"):
        refused = shared_node.run(command)
        assert refused.returncode == 1
        assert "is in use by another edge node" in refused.stderr


@pytest.mark.parametrize("arguments", [[], ["serve"], ["migrate"], ["schema"]])
def test_every_command_explains_itself(arguments: list[str]) -> None:
    assert "Example: python -m edge_node" in CliRunner().invoke(main, [*arguments, "--help"]).stdout


def test_wrong_secrets_and_unknown_people_get_the_same_answer(shared_node: EdgeProcess) -> None:
    with Browser(shared_node.url) as browser:
        wrong, unknown = browser.sign_in("boss", "guess"), browser.sign_in("nobody", "guess")
        assert wrong.status_code == unknown.status_code == 401
        assert wrong.json() == unknown.json()
        assert wrong.json()["code"] == "sign_in_failed"
        assert "vt_edge_centro" not in browser.http.cookies


def test_another_site_cannot_act_with_our_cookies(shared_boss: Browser) -> None:
    body = {"request_id": new_id(), "service": "padron"}
    assert shared_boss.http.post("/api/v1/commands/take_ticket", json=body).status_code == 403
    for forged in (b"0" * 128, b"\xf1" * 128):
        asked = {b"cookie": b"vt_edge_centro_csrf=" + forged, b"x-csrf-token": forged}
        assert shared_boss.http.post("/api/v1/commands/take_ticket", json=body, headers=asked).status_code == 403
    assert body["request_id"] not in shared_boss.http.get("/api/v1/queue").text


def test_only_a_supervisor_closes_the_day(node: EdgeProcess, boss: Browser) -> None:
    with Browser(node.url) as clerk:
        clerk.sign_in("clerk-1")
        refused = clerk.do("close_day")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert boss.do("close_day").status_code == 200
    after = boss.do("take_ticket", service="padron")
    assert (after.status_code, after.json()["code"]) == (409, "day_closed")


_ID = "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa"
BAD_REQUESTS = [
    ("take_ticket", b"", 422, "malformed"),
    ("take_ticket", b"\xff\xfe\x00", 422, "malformed"),
    ("take_ticket", b"[" * 50_000, 422, "malformed"),
    ("take_ticket", b'{"request_id": 7, "service": "padron"}', 422, "malformed"),
    ("take_ticket", b'{"request_id": "%s", "service": ["padron"]}' % _ID.encode(), 422, "malformed"),
    ("take_ticket", b'{"request_id": "%s", "service": "padron", "x": 1}' % _ID.encode(), 422, "malformed"),
    ("take_ticket", b'{"request_id": "%s", "service": "oficina"}' % _ID.encode(), 409, "service_unknown"),
    ("take_ticket", b'{"request_id": "%s", "service": "padron", "print_on": "tv"}' % _ID.encode(), 422, "malformed"),
    ("call_next", b'{"request_id": "%s", "session": "%s"}' % (_ID.encode(), _ID.encode()), 409, "counter_closed"),
    ("open_counter", b'{"request_id": "%s", "counter": "99"}' % _ID.encode(), 409, "counter_unknown"),
    ("reinstate", b'{"request_id": "%s", "ticket_id": "%s"}' % (_ID.encode(), _ID.encode()), 404, "ticket_unknown"),
    ("check_in", b'{"request_id": "%s"}' % _ID.encode(), 422, "malformed"),
    ("check_in", b'{"request_id": "%s", "locator": "QQQ-QQQ"}' % _ID.encode(), 404, "booking_unknown"),
    ("check_in", b'{"request_id": "%s", "scanned": "V9.abc.def"}' % _ID.encode(), 422, "unsupported_version"),
    ("check_in", b'{"request_id": "%s", "scanned": "V1.abc.def"}' % _ID.encode(), 422, "malformed"),
    ("report_printed", b'{"request_id": "%s", "ticket_id": "%s"}' % (_ID.encode(), _ID.encode()), 404, "not_found"),
    ("explode", b"{}", 404, "not_found"),
]


def test_bad_requests_are_refused_counted_and_leave_no_fact(shared_boss: Browser) -> None:
    before = shared_boss.http.get("/api/v1/queue").json()
    for verb, body, status, code in BAD_REQUESTS:
        reply = shared_boss.http.post(f"/api/v1/commands/{verb}", content=body, headers=shared_boss.headers)
        assert (reply.status_code, reply.json()["code"]) == (status, code), (verb, body[:80])
        assert reply.headers["content-type"].startswith("application/problem+json")
    view = shared_boss.http.get("/api/v1/queue").json()
    assert (view["seq"], view["waiting"]) == (before["seq"], before["waiting"])
    metrics = shared_boss.http.get("/metrics").text
    for code in {code for _, _, _, code in BAD_REQUESTS} - {"not_found"}:
        assert f'ventanilla_refused_total{{code="{code}"}}' in metrics


def test_commands_and_their_problems_carry_the_headers_of_every_page(shared_boss: Browser) -> None:
    issued = shared_boss.do("take_ticket", service="padron")
    unknown = shared_boss.do("explode")
    read = shared_boss.http.get("/api/v1/commands/take_ticket", headers=shared_boss.headers)
    assert (issued.status_code, unknown.status_code, read.status_code) == (200, 404, 405)
    for reply in (issued, unknown, read):
        assert {name: reply.headers[name] for name in PAGE_HEADERS} == PAGE_HEADERS
    assert (issued.headers["content-type"], issued.headers["cache-control"]) == ("application/json", "no-store")


def test_a_body_of_ten_megabytes_is_not_read(shared_boss: Browser) -> None:
    try:
        reply = shared_boss.http.post(
            "/api/v1/commands/take_ticket", content=b"x" * 10_000_000, headers=shared_boss.headers
        )
        assert reply.status_code == 413
    except httpx.WriteError:
        pass  # the connection was closed before all of it was sent
    assert shared_boss.do("take_ticket", service="padron").status_code == 200


def test_cookies_are_for_the_server_only(shared_node: EdgeProcess) -> None:
    with Browser(shared_node.url) as browser:
        cookies = browser.sign_in("boss").headers.get_list("set-cookie")
        session = next(cookie for cookie in cookies if cookie.startswith("vt_edge_centro="))
        assert "HttpOnly" in session
        assert "SameSite=lax" in session
        assert CSRF in browser.http.cookies
