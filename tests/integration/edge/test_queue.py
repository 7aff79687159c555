"""The queue on its real file: each act once, in order, and nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from edge_node.console.staff_sessions import SignedIn
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Wish
from edge_node.queue.journal import read_day
from edge_node.queue.outcomes import Done
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import commands as c
from tests.integration.edge.queue_acts import (
    KIOSK,
    clerk,
    done,
    open_counter,
    same,
    take,
    types,
)
from tests.kit.clock import ManualClock
from tests.kit.edge import edge


async def test_a_visit_from_the_kiosk_to_the_end(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        issued = await take(node)
        assert issued.ticket is not None
        assert issued.slip is not None
        assert (issued.ticket.label, issued.ticket.state, issued.slip.people_ahead) == ("A1", "waiting", 0)
        assert issued.slip.follow_url.startswith("https://citas.example/t/")
        session = await open_counter(node)
        clock.advance(seconds=5)
        called = await done(node, c.CallNext(request_id=new_id(), session=session), clerk())
        assert called.ticket is not None
        assert called.ticket.why is not None
        assert (called.ticket.label, called.ticket.counter, called.ticket.why.rule) == ("A1", "1", "primary")
        assert called.ticket.called_at == clock.now()
        assert called.session is not None
        assert called.session.primary == ("padron", "registro", "certificados")
        visit: Any = {"session": session, "ticket_id": called.ticket.ticket_id}
        await done(node, c.Start(request_id=new_id(), **visit), clerk())
        ended = await done(node, c.Finish(request_id=new_id(), **visit), clerk())
        assert ended.ticket is not None
        assert ended.ticket.state == "finished"
    assert types(tmp_path) == [
        "node.started", "config.applied", "day.opened", "ticket.issued", "counter.opened",
        "ticket.called", "ticket.started", "ticket.finished",
    ]  # fmt: skip


async def test_the_fact_knows_only_the_hash_of_the_follow_code(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        issued = await take(node)
        assert issued.ticket is not None
        code = await node.writer.run(lambda db: db.execute("SELECT code FROM follow_code").fetchone()[0])
        ticket = node.dispatcher.state.day.tickets[issued.ticket.ticket_id]
        assert ticket.follow_hash == hashlib.sha256(code).digest()
        assert len(code) == 16


async def test_the_day_that_replay_makes_is_the_day_that_was(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        sessions = [await open_counter(node, n) for n in (1, 2)]
        for _ in range(12):
            await take(node)
            clock.advance(seconds=7)
        for n, session in enumerate(sessions, 1):
            called = await done(node, c.CallNext(request_id=new_id(), session=session), clerk(n))
            assert called.ticket is not None
            visit = {"session": session, "ticket_id": called.ticket.ticket_id}
            await done(node, c.NoShow(request_id=new_id(), **visit), clerk(n))
        clock.step(minutes=-3)
        await node.timekeeper.check_clock()
        await take(node)
        before, tail = node.dispatcher.state.day, node.dispatcher.state.tail
        entries, replayed_tail = await node.writer.run(lambda db: read_day(db, 1))
        again = OfficeDay(before.office)
        for each in entries:
            again.apply(each.header, each.fact)
        assert replayed_tail == tail
        assert same(again, before)


async def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        session = await open_counter(node)
        first, second = await take(node), await take(node)
        signed_in = await node.sessions.sign_in("clerk-1", "correct horse battery", "192.0.2.1")
        assert isinstance(signed_in, SignedIn)
    clock.advance(minutes=1)
    async with edge(tmp_path, clock) as node:
        assert node.sessions.member(signed_in.token) is not None
        called = await done(node, c.CallNext(request_id=new_id(), session=session), clerk())
        assert called.ticket is not None
        assert first.ticket is not None
        assert called.ticket.label == first.ticket.label
        third = await take(node)
        assert third.ticket is not None
        assert third.ticket.label == "A3"
        assert second.ticket is not None


async def test_a_repeated_request_gets_its_reply_again_even_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock()
    request_id = new_id()
    async with edge(tmp_path, clock) as node:
        both = await asyncio.gather(*(node.desk.take_ticket(request_id, "padron", KIOSK, Wish()) for _ in range(2)))
        later = await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())
        assert isinstance(later, Done)
        assert all(isinstance(each, Done) and each.body == later.body for each in both)
    async with edge(tmp_path, clock) as node:
        again = await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())
        assert isinstance(again, Done)
        assert again.body == later.body
    assert types(tmp_path).count("ticket.issued") == 1


async def test_an_id_that_comes_again_with_something_else_gets_nobodys_answer(tmp_path: Path) -> None:
    clock, request_id = ManualClock(), new_id()
    ana, karim = (c.Actor(actor_id=who, device_id="console-1") for who in ("clerk-1", "clerk-2"))
    reused = refuse("request_reused")
    async with edge(tmp_path, clock) as node:

        async def reuse() -> list[object]:
            opened = c.OpenCounter(request_id=request_id, counter="1")
            return [
                await node.desk.take_ticket(request_id, "viaje", karim, Wish()),
                await node.desk.take_ticket(request_id, "padron", karim, Wish(language="ar")),
                await node.desk.take_ticket(request_id, "padron", ana, Wish()),
                await node.desk.check_in(request_id, Shown("locator", "ACDEFG"), karim, Wish()),
                await node.dispatcher.submit(opened, karim),
            ]

        first, twin = await asyncio.gather(
            node.desk.take_ticket(request_id, "padron", karim, Wish()),
            node.desk.take_ticket(request_id, "viaje", karim, Wish()),
        )
        assert isinstance(first, Done)
        assert twin == reused, "while the first is being carried out"
        assert await reuse() == [reused] * 5
    async with edge(tmp_path, clock) as node:
        assert await reuse() == [reused] * 5, "after a restart"
        again = await node.desk.take_ticket(request_id, "padron", karim, Wish())
        assert isinstance(again, Done)
        await node.writer.run(lambda db: db.execute("UPDATE request SET asked = NULL"))
    async with edge(tmp_path, clock) as node:
        assert await node.desk.take_ticket(request_id, "padron", karim, Wish()) == again, (
            "stored by a build that did not say"
        )
    assert types(tmp_path).count("ticket.issued") == 1


async def test_who_gives_up_waiting_takes_nobody_elses_answer_and_undoes_nothing(tmp_path: Path) -> None:
    request_id = new_id()
    async with edge(tmp_path) as node:

        async def ask() -> object:
            return await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())

        first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0)  # both have asked
        first.cancel()
        assert isinstance(await second, Done)
        assert first.cancelled()
        assert len(node.dispatcher.state.day.tickets) == 1


async def test_requests_are_forgotten_after_two_days(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await take(node)
        clock.advance(hours=47)
        await node.timekeeper.forget()
        assert await node.writer.run(lambda db: db.execute("SELECT count(*) FROM request").fetchone()[0]) == 1
        clock.advance(hours=2)
        await node.timekeeper.forget()
        assert await node.writer.run(lambda db: db.execute("SELECT count(*) FROM request").fetchone()[0]) == 0
        assert await node.writer.run(lambda db: db.execute("SELECT count(*) FROM follow_code").fetchone()[0]) == 0


@pytest.mark.parametrize("clicks", [2, 3])
async def test_clicking_next_again_calls_once(tmp_path: Path, clicks: int) -> None:
    """The clicks of one impatient finger: other request ids, the same view."""
    async with edge(tmp_path, ManualClock()) as node:
        for _ in range(5):
            await take(node)
        session = await open_counter(node)
        answers = await asyncio.gather(
            *(node.dispatcher.submit(c.CallNext(request_id=new_id(), session=session), clerk()) for _ in range(clicks))
        )
        assert [a.reply.outcome for a in answers if isinstance(a, Done)] == ["done"] + ["unchanged"] * (clicks - 1)
        assert {a.reply.ticket.label for a in answers if isinstance(a, Done) and a.reply.ticket} == {"A1"}
    assert types(tmp_path).count("ticket.called") == 1


async def test_five_hundred_nexts_from_ten_counters_call_everybody_once_in_order(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        for _ in range(500):
            await take(node)
            clock.advance(milliseconds=1)
        sessions = {n: await open_counter(node, n) for n in range(1, 11)}

        async def work(number: int) -> None:
            after: str | None = None
            for _ in range(50):
                command = c.CallNext(request_id=new_id(), session=sessions[number], after=after)
                reply = await done(node, command, clerk(number))
                assert reply.ticket is not None
                assert reply.session is not None
                after = reply.session.last_call
                visit: Any = {"session": sessions[number], "ticket_id": reply.ticket.ticket_id}
                await asyncio.gather(
                    done(node, c.Start(request_id=new_id(), **visit), clerk(number)),
                    done(node, c.Finish(request_id=new_id(), **visit), clerk(number)),
                )

        await asyncio.gather(*(work(n) for n in sessions))
        assert not node.dispatcher.state.day.waiting
    connection = sqlite3.connect(tmp_path / "edge.db")
    called = [
        row[0] for row in connection.execute(
            "SELECT i.seq FROM fact c JOIN fact i ON i.type = 'ticket.issued' "
            "AND i.body ->> 'ticket_id' = c.body ->> 'ticket_id' WHERE c.type = 'ticket.called' ORDER BY c.seq"
        )
    ]  # fmt: skip
    connection.close()
    assert len(called) == 500
    assert called == sorted(called)
