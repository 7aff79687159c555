"""The queue's day: the clock, the turn of the day, appointments and news from central."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_node.console.agenda_news import agenda_stream
from edge_node.console.staff_sessions import SignedIn
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Wish
from edge_node.queue.dispatcher import StateUnknown
from edge_node.queue.outcomes import Done
from edge_node.queue.timekeeper import Timekeeper
from edge_node.writer import Writer
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages.refusals import Refusal
from tests.integration.edge.queue_acts import (
    KIOSK,
    clerk,
    done,
    open_counter,
    take,
    types,
)
from tests.kit.clock import ManualClock
from tests.kit.edge import appointment, edge, entities, feed, soon, staff


async def test_the_next_morning_yesterday_is_closed_first(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await open_counter(node)
        await take(node)
    clock.advance(hours=24)
    async with edge(tmp_path, clock) as node:
        reply = await take(node)
        assert reply.ticket is not None
        assert reply.ticket.label == "A1"
        assert len(node.dispatcher.state.day.tickets) == 1
    night = types(tmp_path)[types(tmp_path).index("ticket.abandoned") :]
    assert night == [
        "ticket.abandoned", "counter.closed", "day.closed", "day.opened", "ticket.issued",
    ]  # fmt: skip


async def test_the_day_turns_at_four_by_itself(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await take(node)
        clock.advance(hours=18, minutes=59)  # 08:00 UTC is 09:00 in Ceuta: 03:59 there
        await node.timekeeper.check_clock()
        assert types(tmp_path).count("day.opened") == 1
        clock.advance(minutes=2)
        await node.timekeeper.check_clock()
        assert types(tmp_path)[-2:] == ["day.closed", "day.opened"]


@pytest.mark.parametrize("jump", [{"minutes": 5}, {"minutes": -5}, {"seconds": 2.5}])
async def test_a_clock_that_jumps_is_written_down_and_waiting_stays(tmp_path: Path, jump: dict[str, float]) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        issued = await take(node)
        clock.advance(minutes=10)
        clock.step(**jump)
        await node.timekeeper.check_clock()
        state = node.dispatcher.state
        assert issued.ticket is not None
        ticket = state.day.tickets[issued.ticket.ticket_id]
        assert (state.now() - ticket.arrived_at).total_seconds() == 600
        assert state.now() == clock.now()
        await node.timekeeper.check_clock()
    assert types(tmp_path).count("clock.stepped") == 1


async def test_who_is_to_come_back_does_so_after_a_restart_and_never_in_another_day(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        session = await open_counter(node)
        for return_min in (10, 240):
            reply = await take(node)
            assert reply.ticket is not None
            park = c.Park(request_id=new_id(), session=session, ticket_id=reply.ticket.ticket_id, return_min=return_min)
            await done(node, park, clerk())
        await node.timekeeper.return_parked()
        assert "ticket.resumed" not in types(tmp_path)
    clock.advance(minutes=30)
    async with edge(tmp_path, clock) as node:
        await node.timekeeper.return_parked()
        await node.timekeeper.return_parked()
        assert types(tmp_path).count("ticket.resumed") == 1
        assert [t.label for t in node.dispatcher.state.day.waiting.values()] == ["A1"]
        clock.advance(hours=24)
        await node.timekeeper.return_parked()
        assert types(tmp_path).count("ticket.resumed") == 1
        await node.timekeeper.check_clock()
        await node.timekeeper.return_parked()
    assert types(tmp_path).count("ticket.resumed") == 1


async def test_a_small_drift_is_no_step(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        clock.step(seconds=1.9)
        await node.timekeeper.check_clock()
    assert "clock.stepped" not in types(tmp_path)


async def test_an_appointment_is_checked_in_once(tmp_path: Path) -> None:
    clock = ManualClock()
    row = appointment(soon(clock.now()))
    async with edge(tmp_path, clock, rows=[*entities(), row]) as node:

        async def arrive() -> object:
            return await node.desk.check_in(new_id(), Shown("locator", "acd-efg"), KIOSK, Wish(language="ar"))

        first, second = await arrive(), await arrive()
        assert isinstance(first, Done)
        assert first.reply.ticket is not None
        assert first.reply.ticket.slot_start_at == row.slot_start_at
        assert isinstance(second, Refusal)
        assert (second.code, second.ticket_id) == ("already_checked_in", first.reply.ticket.ticket_id)
        people = await node.writer.run(lambda db: db.execute("SELECT display_name FROM person").fetchall())
        assert people == [("Fátima M.",)]
    body = sqlite3.connect(tmp_path / "edge.db").execute("SELECT group_concat(body) FROM fact").fetchone()[0]
    assert "Fátima" not in body


async def test_news_from_central_counts_from_the_next_command_on(tmp_path: Path) -> None:
    """I-24 for staff: from the applied row on."""
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        signed_in = await node.sessions.sign_in("clerk-2", "correct horse battery", "192.0.2.1")
        assert isinstance(signed_in, SignedIn)
        await feed(node, staff("clerk-2", valid_until=clock.now()))
        assert node.sessions.member(signed_in.token) is None
        versions = types(tmp_path).count("config.applied")
        await node.feed_applied()
        assert types(tmp_path).count("config.applied") == versions


async def test_a_node_that_has_stopped_lets_nobody_wait(tmp_path: Path) -> None:
    async with edge(tmp_path / "edge") as node:
        await node.dispatcher.close()
        with pytest.raises(StateUnknown):
            await asyncio.wait_for(node.dispatcher.act(lambda _state, _now: []), 5)
        refused = await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())
        assert isinstance(refused, Refusal)
        assert refused.code == "retry"


async def test_a_full_inbox_says_come_again_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge_node.queue.dispatcher.MAX_PENDING", 10)
    async with edge(tmp_path, ManualClock()) as node:
        answers = await asyncio.gather(*(node.desk.take_ticket(new_id(), "padron", KIOSK, Wish()) for _ in range(30)))
        refused = [a.code for a in answers if isinstance(a, Refusal)]
        assert refused == ["retry"] * 20
        assert b'ventanilla_refused_total{code="retry"} 20.0' in node.metrics.text()


async def test_a_name_stays_with_its_ticket_when_the_booking_is_cancelled_later(tmp_path: Path) -> None:
    clock = ManualClock()
    row = appointment(soon(clock.now()))
    async with edge(tmp_path, clock, rows=[*entities(), row]) as node:
        answer = await node.desk.check_in(new_id(), Shown("locator", row.locator), KIOSK, Wish())
        assert isinstance(answer, Done)
        await feed(node, msgspec.structs.replace(row, status="cancelled", display_name="", version=2))
        again = await node.desk.check_in(new_id(), Shown("appointment", row.id), KIOSK, Wish())
        assert isinstance(again, Refusal)
        assert answer.reply.ticket is not None
        assert (again.code, again.ticket_id) == ("already_checked_in", answer.reply.ticket.ticket_id)
        assert [p.display_name for p in (await node.view_queue()).people.values()] == ["Fátima M."]
    async with edge(tmp_path, clock) as node:
        assert [p.display_name for p in (await node.view_queue()).people.values()] == ["Fátima M."]
        clock.advance(days=3)
        await node.timekeeper.forget()
        assert node.dispatcher.state.people == {}


async def test_somebody_who_comes_while_old_rows_are_deleted_keeps_the_name(tmp_path: Path) -> None:
    clock = ManualClock()
    row = appointment(soon(clock.now()))
    async with edge(tmp_path, clock, rows=[*entities(), row]) as node:

        class BusyWriter(Writer):
            def __init__(self) -> None:
                pass

            async def run(self, work: Any) -> Any:
                deleted = await node.writer.run(work)
                await node.desk.check_in(new_id(), Shown("locator", row.locator), KIOSK, Wish())
                return deleted

        await Timekeeper(node.dispatcher, BusyWriter()).forget()
        assert [p.display_name for p in (await node.view_queue()).people.values()] == ["Fátima M."]


async def test_a_row_that_cannot_be_read_does_not_hold_up_the_others(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await node.writer.run(
            lambda db: db.execute("INSERT INTO entity VALUES ('global', 'service', 'broken', 3, CAST('{}' AS BLOB))")
        )
        await feed(node, staff("clerk-99"))
        configuration = node.dispatcher.state.configuration
        assert "clerk-99" in configuration.staff
        assert set(configuration.catalogue.services) == {"padron", "registro", "certificados"}


async def test_the_agenda_stream_brings_a_booking_as_it_comes(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        stream = agenda_stream(node.live, node.dispatcher)
        assert b"event: agenda_all" in await anext(stream)
        await feed(node, appointment(soon(clock.now())))
        chunk = await asyncio.wait_for(anext(stream), 5)
        while b"event: agenda\n" not in chunk:
            chunk = await asyncio.wait_for(anext(stream), 5)
        assert b"ACDEFG" in chunk
        await stream.aclose()
