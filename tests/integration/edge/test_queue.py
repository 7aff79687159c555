"""The queue on its real file: each act once, in order, and nothing acknowledged is lost."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_node.console.staff_sessions import SignedIn
from edge_node.node import EdgeNode
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Wish
from edge_node.queue.dispatcher import Dispatcher, StateUnknown
from edge_node.queue.journal import JournalBroken, read_day
from edge_node.queue.outcomes import Done
from edge_node.queue.replies import CommandReply
from edge_node.queue.timekeeper import Timekeeper
from edge_node.writer import Writer
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages.refusals import Refusal
from tests.kit.clock import ManualClock
from tests.kit.edge import appointment, edge, entities, feed, soon, staff

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")


def clerk(number: int = 1, supervisor: bool = False) -> c.Actor:
    return c.Actor(actor_id=f"clerk-{number}", device_id="console-1", supervisor=supervisor)


async def done(node: EdgeNode, command: c.AnyCommand, actor: c.Actor) -> CommandReply:
    answer = await node.dispatcher.submit(command, actor)
    assert isinstance(answer, Done), answer
    return answer.reply


async def take(node: EdgeNode, service: str = "padron") -> CommandReply:
    answer = await node.desk.take_ticket(new_id(), service, KIOSK, Wish())
    assert isinstance(answer, Done), answer
    return answer.reply


async def open_counter(node: EdgeNode, number: int = 1) -> str:
    reply = await done(node, c.OpenCounter(request_id=new_id(), counter=str(number)), clerk(number))
    assert reply.session is not None
    return reply.session.session


def types(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "edge.db")
    found = [row[0] for row in connection.execute("SELECT type FROM fact ORDER BY epoch, seq")]
    connection.close()
    return found


def same(one: OfficeDay, other: OfficeDay) -> bool:
    return vars(one) == vars(other)


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
                after = reply.ticket.ticket_id
                visit: Any = {"session": sessions[number], "ticket_id": after}
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


class FailingDisk(sqlite3.Connection):
    """A disk that fails as often as it is told to: when facts are committed (before or after they were written), and
    when the journal is read."""

    commits = 0
    after_commit = False
    reads = 0
    _facts = False

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        if "max(seq) FROM fact" in sql and FailingDisk.reads > 0:
            FailingDisk.reads -= 1
            raise sqlite3.OperationalError("disk I/O error")
        self._facts = self._facts or "INTO fact" in sql
        facts, self._facts = self._facts, self._facts and sql != "COMMIT"
        if sql == "COMMIT" and facts and FailingDisk.commits > 0:
            FailingDisk.commits -= 1
            if FailingDisk.after_commit:
                super().execute(sql)
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, *rest)


@pytest.fixture
def failing_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def connect(file: Path) -> sqlite3.Connection:
        return sqlite3.connect(file, isolation_level=None, check_same_thread=False, factory=FailingDisk)

    monkeypatch.setattr("edge_node.node.running.__wrapped__.__kwdefaults__", {"opener": connect})

    def fail(commits: int, *, after_commit: bool = False, reads: int = 0) -> None:
        FailingDisk.commits, FailingDisk.after_commit, FailingDisk.reads = commits, after_commit, reads

    return fail


async def test_a_failed_commit_is_told_and_leaves_no_trace(tmp_path: Path, failing_disk: Callable[..., None]) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        request_id = new_id()
        failing_disk(1)
        answer = await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())
        assert isinstance(answer, Refusal)
        assert answer.code == "retry"
        assert len(node.dispatcher.state.day.tickets) == 1
        again = await node.desk.take_ticket(request_id, "padron", KIOSK, Wish())
        assert isinstance(again, Done)
        assert again.reply.ticket is not None
        assert again.reply.ticket.label == "A2"
    assert types(tmp_path).count("ticket.issued") == 2


async def test_a_commit_that_worked_after_all_is_answered_from_the_journal(
    tmp_path: Path, failing_disk: Callable[..., None]
) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        failing_disk(1, after_commit=True)
        reply = await take(node)
        assert reply.ticket is not None
        assert reply.ticket.label == "A2"
        assert (await take(node)).seq == reply.seq + 1
    assert types(tmp_path).count("ticket.issued") == 3


async def test_a_disk_that_stays_broken_refuses_until_it_works_again(
    tmp_path: Path, failing_disk: Callable[..., None]
) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        failing_disk(1, reads=3)
        for _ in range(3):
            answer = await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())
            assert isinstance(answer, Refusal)
            assert answer.code == "retry"
            with pytest.raises(StateUnknown):
                await node.dispatcher.read(lambda state: state.tail)
        await take(node)
        assert {t.label for t in node.dispatcher.state.day.tickets.values()} == {"A1", "A2"}


async def test_nobody_is_shown_a_state_that_is_not_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        dispatcher: Dispatcher = node.dispatcher
        release = asyncio.Event()
        run = node.writer.run

        async def slow(work: Callable[[sqlite3.Connection], object]) -> object:
            await release.wait()
            return await run(work)

        monkeypatch.setattr(dispatcher._writer, "run", slow)
        taking = asyncio.create_task(take(node))
        await asyncio.sleep(0.01)
        assert len(dispatcher.state.day.tickets) == 2  # memory is ahead
        looking = asyncio.create_task(dispatcher.read(lambda state: len(state.day.tickets)))
        await asyncio.sleep(0.01)
        assert not looking.done()
        release.set()
        assert await looking == 2
        await taking


async def test_a_changed_journal_stops_the_node(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
    connection = sqlite3.connect(tmp_path / "edge.db")
    connection.execute("UPDATE fact SET body = CAST(replace(body, 'A1', 'A2') AS BLOB) WHERE type = 'ticket.issued'")
    connection.commit()
    connection.close()
    with pytest.raises(JournalBroken):
        async with edge(tmp_path, ManualClock()):
            pass


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
        stream = node.agenda_stream()
        assert b"event: agenda_all" in await anext(stream)
        await feed(node, appointment(soon(clock.now())))
        chunk = await asyncio.wait_for(anext(stream), 5)
        while b"event: agenda\n" not in chunk:
            chunk = await asyncio.wait_for(anext(stream), 5)
        assert b"ACDEFG" in chunk
        await stream.aclose()
