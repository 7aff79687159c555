"""A day is not opened by a clock that nobody can believe: a supervisor confirms the date, then everything goes on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Done
from sync.domain.central_clock import CentralClock
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages import commands as c
from sync.messages.refusals import Refusal
from tests.integration.edge.clerk import clerk_at
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.edge import edge

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
BOSS = Member(staff_id="boss", display_name="Boss", roles=("clerk", "supervisor"), console="console-1")
UNCONFIRMED = refuse("date_unconfirmed")


def central_says(node: EdgeNode, clock: ManualClock, **apart: float) -> None:
    """Central was heard just now, and its clock is so far from the office's."""
    at = clock.now() + timedelta(**apart)
    node.dispatcher.state.central_clock = CentralClock(at=at, mono_ns=clock.monotonic_ns(), error_ns=0)


async def take(node: EdgeNode) -> Done | Refusal:
    return await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())


async def confirm(node: EdgeNode, service_date: date) -> object:
    body = codec.encode({"request_id": new_id(), "service_date": service_date})
    return await node.staff_desk.carry_out("confirm_date", body, BOSS)


async def test_a_clock_that_was_never_set_opens_nothing_until_it_is_confirmed(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2021, 1, 1, 9, tzinfo=UTC))
    async with edge(tmp_path, clock) as node:
        await node.timekeeper.check_clock()
        assert await take(node) == UNCONFIRMED
        assert node.dispatcher.state.day.service_date is None
        assert await confirm(node, date(2021, 1, 2)) == refuse("wrong_day", service_date="2021-01-01")
        assert isinstance(await confirm(node, date(2021, 1, 1)), Done)
        assert isinstance(await take(node), Done)
        actors = await node.writer.run(
            lambda db: db.execute("SELECT actor_id FROM fact WHERE type = 'day.opened'").fetchall()
        )
        assert actors == [("boss",)], "who said so stands in the journal"


async def test_a_clock_that_central_contradicts_does_not_turn_the_day(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        assert isinstance(await take(node), Done)
        central_says(node, clock, seconds=-125)
        assert isinstance(await take(node), Done), "a day that is open goes on under any clock"
        clock.advance(days=1)
        await node.timekeeper.check_clock()
        assert await take(node) == UNCONFIRMED
        assert node.dispatcher.state.day.service_date == date(2026, 11, 23)
        clock.step(seconds=-125)
        await node.timekeeper.check_clock()
        assert isinstance(await take(node), Done), "the clock was put right"
        assert node.dispatcher.state.day.service_date == date(2026, 11, 24)


async def test_a_wall_clock_that_was_put_right_is_no_longer_off(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await take(node)
        central_says(node, clock, hours=1)
        clock.step(hours=1)
        await node.timekeeper.check_clock()
        clock.advance(days=1)
        assert isinstance(await take(node), Done)


async def test_central_that_was_heard_between_a_step_and_its_noticing_is_not_misunderstood(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await take(node)
        clock.step(days=3650)
        central_says(node, clock, days=-3650)
        await node.timekeeper.check_clock()
        assert await take(node) == UNCONFIRMED
        clock.step(days=-3650)
        await node.timekeeper.check_clock()
        clock.step(days=3650)
        await node.timekeeper.check_clock()
        assert await take(node) == UNCONFIRMED


async def test_a_wall_clock_that_was_put_right_opens_no_day_of_an_office_clock_that_has_not_followed(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await take(node)
        clock.step(days=3650)
        await node.timekeeper.check_clock()
        central_says(node, clock, days=-3650)
        assert await take(node) == UNCONFIRMED
        clock.step(days=-3650)
        assert await take(node) == UNCONFIRMED
        await node.timekeeper.check_clock()
        assert isinstance(await take(node), Done)
        assert node.dispatcher.state.day.service_date == date(2026, 11, 23)


async def test_a_clock_behind_its_own_journal_opens_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[]) as node:  # central has told nothing yet: there is no day
        assert node.dispatcher.state.day.service_date is None
    clock.step(minutes=-20)
    async with edge(tmp_path, clock) as node:
        assert node.dispatcher.state.doubt(node.dispatcher.state.now()) == "behind_journal"
        assert await take(node) == UNCONFIRMED
        clock.advance(minutes=16)
        assert node.dispatcher.state.doubt(node.dispatcher.state.now()) is None


async def test_a_clock_that_is_years_ahead_opens_no_day_that_would_never_end(tmp_path: Path) -> None:
    """The battery of the machine's clock is dead and central is away: a day of 2036, once open, would not end before 2036."""
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await take(node)
    clock.step(days=3652)
    async with edge(tmp_path, clock) as node:
        assert node.dispatcher.state.doubt(node.dispatcher.state.now()) == "ahead_of_journal"
        assert await take(node) == UNCONFIRMED
        clock.step(days=-3652)
        await node.timekeeper.check_clock()
        assert isinstance(await take(node), Done)
        assert node.dispatcher.state.day.service_date == date(2026, 11, 23)
        clock.advance(days=1)
        assert isinstance(await take(node), Done)
        assert node.dispatcher.state.day.service_date == date(2026, 11, 24)


async def test_the_console_says_whose_word_is_awaited(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2021, 1, 1, 9, tzinfo=UTC))
    async with console(tmp_path, clock=clock) as served, httpx.AsyncClient(base_url=served.url) as http:
        assert "confirmar la fecha" in (await http.get("/sign-in", headers={"accept-language": "es"})).text
        async with clerk_at(served, "boss") as boss:
            page = (await boss.http.get("/supervise")).text
            assert "1 de enero de 2021" in page
            assert 'value="2021-01-01"' in page
            done = await boss.post("/act/confirm_date", {"service_date": "2021-01-01", "here": "/supervise"})
            assert done.headers["location"] == "/supervise"
            assert 'value="2021-01-01"' not in (await boss.http.get("/supervise")).text
        assert served.node.dispatcher.state.day.is_open
        assert "confirmar la fecha" not in (await http.get("/sign-in", headers={"accept-language": "es"})).text
