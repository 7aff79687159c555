"""Impatient fingers: two and three presses of one button act once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from sync.io.ids import new_id
from tests.integration.bad_input.office import Office
from tests.integration.portal.citizen import Document
from tests.kit.edge_process import Browser

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(120)]

NEXT = "/api/v1/commands/call_next"


class Desk:
    """A clerk at a counter of their own, with people waiting."""

    def __init__(self, office: Office, browser: Browser) -> None:
        self.office = office
        self.browser = browser
        opened = self.do("open_counter", counter="7")
        self.session = opened["session"]["session"]
        self.last: str | None = None

    def do(self, verb: str, **fields: Any) -> dict[str, Any]:
        reply = self.browser.do(verb, **fields)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    def press(self, *presses: Callable[[httpx.Client], httpx.Response]) -> list[httpx.Response]:
        """All at once, each over a connection of its own."""

        def one(act: Callable[[httpx.Client], httpx.Response]) -> httpx.Response:
            with httpx.Client(
                base_url=self.office.edge.url,
                cookies=self.browser.http.cookies,
                headers=self.browser.headers,
                timeout=10,
            ) as http:
                return act(http)

        with ThreadPoolExecutor(len(presses)) as fingers:
            return list(fingers.map(one, presses))

    def finish(self) -> None:
        """Serve whoever was called, so that the next test finds the counter free."""
        (visit,) = [one for one in self.browser.http.get("/api/v1/queue").json()["called"] if one["counter"] == "7"]
        for verb in ("start", "finish"):
            self.last = self.do(verb, session=self.session, ticket_id=visit["ticket_id"])["session"]["last_call"]


@pytest.fixture(scope="module")
def desk(office: Office) -> Iterator[Desk]:
    with Browser(office.edge.url) as browser:
        assert browser.sign_in("clerk-7").status_code == 200
        yield Desk(office, browser)


@pytest.fixture
def queue(desk: Desk) -> Iterator[Desk]:
    for _ in range(3):
        desk.do("take_ticket", service="padron")
    yield desk
    desk.finish()


@pytest.mark.parametrize("clicks", [2, 3])
@pytest.mark.parametrize("repeated", [False, True], ids=["each its own request", "one request sent again"])
def test_next_pressed_many_times_calls_one_person(queue: Desk, clicks: int, repeated: bool) -> None:
    ids = [new_id()] * clicks if repeated else [new_id() for _ in range(clicks)]
    evidence = queue.office.evidence()
    bodies = [{"request_id": each, "session": queue.session, "after": queue.last} for each in ids]
    replies = queue.press(*(_posting(body) for body in bodies))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.json()["ticket"]["ticket_id"] for reply in replies}) == 1
    evidence.becomes(("ticket.called",), {})


@pytest.mark.parametrize("clicks", [2, 3])
def test_the_form_without_script_pressed_many_times_calls_one_person(queue: Desk, clicks: int) -> None:
    page = Document(queue.browser.http.get("/").text)
    form = page.form("/act/call_next")
    evidence = queue.office.evidence()

    def press(http: httpx.Client) -> httpx.Response:
        return http.post(form.action, data=dict(form.fields))

    assert {reply.status_code for reply in queue.press(*[press] * clicks)} == {303}
    evidence.becomes(("ticket.called",), {})


def test_a_ticket_touched_three_times_is_one_ticket(office: Office) -> None:
    office.kiosk.begin("es")
    office.kiosk.touch("without", "choose:padron")
    evidence = office.evidence()

    def press(_: int) -> int:
        return httpx.post(f"{office.kiosk.url}/act", data={"do": "take"}, timeout=10).status_code

    with ThreadPoolExecutor(3) as fingers:
        assert set(fingers.map(press, range(3))) == {303}
    evidence.becomes(("ticket.issued", "ticket.printed"), {})


def _posting(body: dict[str, Any]) -> Callable[[httpx.Client], httpx.Response]:
    return lambda http: http.post(NEXT, json=body)
