"""The verbs of a counter over the JSON bodies of the console: what is told, what stays in the office's file, what is kept."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from edge_node.console.queue_view import QueueView
from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Done
from edge_node.queue.replies import CommandReply
from edge_node.queue.timekeeper import Timekeeper
from sync.io.ids import new_id
from sync.messages.codec import MalformedMessage
from sync.messages.refusals import Refusal
from tests.kit.clock import ManualClock
from tests.kit.edge import edge

ANA = Member(staff_id="clerk-1", display_name="Ana", roles=("clerk",), console="console-1")
LUIS = Member(staff_id="clerk-2", display_name="Luis", roles=("clerk",), console="console-2")
BOSS = Member(staff_id="boss", display_name="Jefa", roles=("clerk", "supervisor"), console="console-3")


class Desk:
    """A node, and the keys of its clerks."""

    def __init__(self, node: EdgeNode, clock: ManualClock) -> None:
        self.node = node
        self.clock = clock

    async def asks(self, member: Member, verb: str, **body: Any) -> CommandReply | Refusal:
        body = {"request_id": new_id(), **body}
        answer = await self.node.staff_desk.carry_out(verb, json.dumps(body).encode(), member)
        assert isinstance(answer, Done | Refusal), answer
        return answer.reply if isinstance(answer, Done) else answer

    async def does(self, member: Member, verb: str, **body: Any) -> CommandReply:
        reply = await self.asks(member, verb, **body)
        assert isinstance(reply, CommandReply), reply
        return reply

    async def opens(self, member: Member, counter: str) -> str:
        reply = await self.does(member, "open_counter", counter=counter)
        assert reply.session is not None
        return reply.session.session

    async def gives(self) -> str:
        reply = await self.does(BOSS, "take_ticket", service="padron")
        assert reply.ticket is not None
        return reply.ticket.ticket_id

    async def queue(self) -> QueueView:
        view: QueueView = await self.node.view_queue()
        return view


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with edge(folder, clock) as node:
        yield Desk(node, clock)


async def test_next_ends_the_visit_and_undo_brings_it_back(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        session = await d.opens(ANA, "1")
        first, second = await d.gives(), await d.gives()
        seen = (await d.does(ANA, "call_next", session=session)).request_id
        await d.does(ANA, "start", session=session, ticket_id=first)
        called = await d.does(ANA, "call_next", session=session, after=seen)
        assert called.ticket is not None
        assert called.session is not None
        assert called.session.undo is not None
        assert called.ticket.ticket_id == second
        assert called.session.undo.done == ("ticket.finished", "ticket.called")
        d.clock.advance(seconds=5)
        back = await d.does(ANA, "undo", session=session, act=called.session.undo.act)
        assert back.ticket is not None
        assert back.session is not None
        assert (back.ticket.ticket_id, back.ticket.state, back.session.undo) == (first, "serving", None)
        again = await d.does(ANA, "undo", session=session, act=called.session.undo.act)
        assert again.outcome == "unchanged"
        assert [t.ticket_id for t in (await d.queue()).waiting] == [second]


async def test_next_with_nobody_waiting_answers_with_the_visit_that_ended(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        session = await d.opens(ANA, "1")
        only = await d.gives()
        seen = (await d.does(ANA, "call_next", session=session)).request_id
        await d.does(ANA, "start", session=session, ticket_id=only)
        reply = await d.does(ANA, "call_next", session=session, after=seen)
        assert reply.ticket is not None
        assert (reply.ticket.ticket_id, reply.ticket.state, reply.ticket.services) == (only, "finished", ("padron",))


async def test_notes_and_needs_stay_in_the_file_of_the_office(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        session = await d.opens(ANA, "1")
        await d.opens(LUIS, "2")
        ticket = await d.gives()
        await d.does(ANA, "call_next", session=session)
        note = "Fátima trae el <b>libro</b>"
        await d.does(ANA, "set_needs", ticket_id=ticket, needs=["signs"])
        reply = await d.does(ANA, "transfer", session=session, ticket_id=ticket, staff_id="clerk-2", note=note)
        assert reply.ticket is not None
        assert (reply.ticket.has_note, reply.ticket.staff_id) == (True, "clerk-2")
        remark = (await d.queue()).remarks[ticket]
        assert (remark.note, remark.noted_by, remark.needs) == (note, "clerk-1", ("signs",))
        connection = sqlite3.connect(tmp_path / "edge.db")
        told = [
            bytes(row[0]) for row in connection.execute("SELECT body FROM fact UNION ALL SELECT reply FROM request")
        ]
        connection.close()
        assert told
        assert not any("Fátima".encode() in body or b"signs" in body for body in told)
    async with desk(tmp_path) as d:
        assert (await d.queue()).remarks[ticket].note == note, "and are there after a restart"
        d.clock.advance(days=4)
        await Timekeeper(d.node.dispatcher, d.node.writer).forget()
        assert d.node.dispatcher.state.remarks == {}
    connection = sqlite3.connect(tmp_path / "edge.db")
    assert connection.execute("SELECT count(*) FROM remark").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("note", ["x" * 141, "x" * 10_000, "two\nlines"])
async def test_a_note_is_one_short_line(tmp_path: Path, note: str) -> None:
    async with desk(tmp_path) as d:
        session = await d.opens(ANA, "1")
        ticket = await d.gives()
        await d.does(ANA, "call_next", session=session)
        with pytest.raises(MalformedMessage):
            await d.asks(ANA, "transfer", session=session, ticket_id=ticket, service="registro", note=note)


async def test_a_walk_in_is_served_at_once_and_has_a_label(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        session = await d.opens(ANA, "1")
        request_id = new_id()
        body = {"request_id": request_id, "session": session, "service": "padron"}
        reply = await d.does(ANA, "serve_walk_in", **body)
        assert reply.ticket is not None
        assert reply.slip is not None
        assert (reply.ticket.ticket_id, reply.ticket.state, reply.slip.label) == (request_id, "serving", "A1")
        assert reply.slip.follow_url
        assert await d.does(ANA, "serve_walk_in", **body) == reply, "the same request again"
        double = await d.does(ANA, "serve_walk_in", session=session, service="padron")
        assert (double.outcome, double.slip) == ("unchanged", None)


async def test_the_last_counter_that_pauses_or_closes_is_told_who_waits(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        ana, luis = await d.opens(ANA, "1"), await d.opens(LUIS, "2")
        await d.gives()
        first = await d.does(LUIS, "pause_counter", session=luis, reason="rest")
        assert first.unserved == ()
        last = await d.does(ANA, "close_counter", session=ana)
        assert [(each.service, each.waiting) for each in last.unserved] == [("padron", 1)]
        refused = await d.asks(LUIS, "call_next", session=luis)
        assert isinstance(refused, Refusal)
        assert refused.code == "counter_paused"
        resumed = await d.does(LUIS, "resume_counter", session=luis)
        assert resumed.session is not None
        assert resumed.session.paused_at is None


async def test_a_take_over_and_a_call_for_support_are_live_news(tmp_path: Path) -> None:
    async with desk(tmp_path) as d:
        session = await d.opens(ANA, "1")
        stream = d.node.live.follow()
        await anext(stream)
        elsewhere = Member(staff_id="clerk-1", display_name="Ana", roles=("clerk",), console="console-9")
        await d.does(elsewhere, "open_counter", counter="1", take_over=True)
        (news,) = await anext(stream)
        assert (news.event, news.body["from_session"]) == ("counter.taken_over", session)
        refused = await d.asks(ANA, "call_next", session=session)
        assert isinstance(refused, Refusal)
        assert refused.code == "session_elsewhere"
        asked = await d.does(elsewhere, "ask_support", urgency="panic", session=session)
        (news,) = await anext(stream)
        assert (news.event, news.body["urgency"], news.body["counter"]) == ("support.asked", "panic", "1")
        (call,) = (await d.queue()).support
        assert (call.support_id, call.staff_id) == (asked.request_id, "clerk-1")
        await d.does(BOSS, "answer_support", support_id=asked.request_id)
        assert (await d.queue()).support == ()
        await stream.aclose()


@pytest.mark.parametrize(
    "verb", ["skip", "add_service", "set_priority", "set_needs", "undo", "pause_counter", "reassign", "serve_walk_in"]
)
async def test_a_body_with_more_than_the_verb_has_is_malformed(tmp_path: Path, verb: str) -> None:
    async with desk(tmp_path) as d:
        with pytest.raises(MalformedMessage):
            await d.asks(ANA, verb, surprise=1)
