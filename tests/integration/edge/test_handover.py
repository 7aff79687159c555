"""A person who goes to another office keeps their place: by central's grant, by the signed slip, or by both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from edge_node.console.staff_sessions import Member
from edge_node.lan.kiosk import KioskDesk
from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Answer, Done
from edge_node.queue.replies import CommandReply, TicketView
from sync.domain.handover import accept
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Decision
from sync.domain.ticket import Ticket
from sync.io.ids import new_id
from sync.messages import codec, handover_slip
from sync.messages import commands as c
from sync.messages import feed as f
from sync.messages.facts import TicketCard
from sync.messages.refusals import Refusal
from sync.messages.topics import KioskCheckIn
from tests.kit.clock import ManualClock
from tests.kit.edge import edge, entities, feed

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
CLERK = c.Actor(actor_id="clerk-1", device_id="console-1")
MEMBER = Member(staff_id="clerk-1", display_name="Clerk", roles=("clerk",), console="console-1")
TODAY = date(2026, 11, 23)
TOMORROW = TODAY + timedelta(days=1)
TICKET = "01a202c9-0000-7000-8000-000000000001"
OTHER_TICKET = "01a202c9-0000-7000-8000-000000000009"
BOOKING = "01a202c9-0000-7000-8000-000000000002"


class City(NamedTuple):
    """Two offices that nobody connects, with clocks that do not agree."""

    centro: EdgeNode
    puerto: EdgeNode
    here: ManualClock
    there: ManualClock

    def pass_time(self, **delta: float) -> None:
        self.here.advance(**delta)
        self.there.advance(**delta)


def node_key(office: str, key: Ed25519PrivateKey, epoch: int = 1) -> f.NodeKey:
    public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f.NodeKey(office=office, epoch=epoch, public_key=public_key)


@pytest.fixture
async def city(tmp_path: Path) -> AsyncIterator[City]:
    keys = {office: Ed25519PrivateKey.generate() for office in ("centro", "puerto")}
    directory = [node_key(office, key) for office, key in keys.items()]
    clocks = {"centro": ManualClock(), "puerto": ManualClock()}
    nodes: list[EdgeNode] = []
    async with AsyncExitStack() as stack:
        for office, key in keys.items():
            key_file = tmp_path / f"{office}.pem"
            key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
            rows = [*entities(office_id=office), *directory]
            running = edge(tmp_path / office, clocks[office], rows=rows, office_id=office, key_file=key_file)
            nodes.append(await stack.enter_async_context(running))
        yield City(nodes[0], nodes[1], clocks["centro"], clocks["puerto"])


def accepted(answer: object) -> CommandReply:
    assert isinstance(answer, Done), answer
    return answer.reply


async def a_ticket_leaves(city: City, *, slip: bool = True, travel_min: int = 15) -> CommandReply:
    """Somebody waits ten minutes at Centro and is sent to Puerto."""
    issued = accepted(await city.centro.desk.take_ticket(new_id(), "padron", KIOSK, Wish()))
    opened = accepted(await city.centro.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK))
    assert issued.ticket is not None
    assert opened.session is not None
    city.pass_time(minutes=10)
    command = c.HandOver(
        request_id=new_id(),
        session=opened.session.session,
        ticket_id=issued.ticket.ticket_id,
        to_office="puerto",
        travel_min=travel_min,
        slip=slip,
    )
    return accepted(await city.centro.staff_desk.carry_out("hand_over", codec.encode(command), MEMBER))


async def show(node: EdgeNode, scanned: str | None) -> Answer:
    body = codec.encode({"request_id": new_id(), "scanned": scanned})
    answer = await node.staff_desk.carry_out("check_in", body, MEMBER)
    assert isinstance(answer, (Done, Refusal))
    return answer


def only(node: EdgeNode) -> Ticket:
    (ticket,) = node.dispatcher.state.day.tickets.values()
    return ticket


def waited(node: EdgeNode, ticket: Ticket) -> timedelta:
    return node.dispatcher.state.now() - ticket.due_at


def grant(released_at: datetime, **changes: object) -> f.TicketGrant:
    card = TicketCard(
        label="K7",
        service="padron",
        origin="appointment",
        waited_ms=600_000,
        present_ms=700_000,
        follow_hash=bytes(32),
        appointment_id=BOOKING,
    )
    whole = f.TicketGrant(
        id=TICKET,
        tenure=2,
        from_office="centro",
        service_date=TODAY,
        released_at=released_at,
        card=card,
        travel_min=20,
        display_name="Fátima M.",
        language="ar",
        needs=("wheelchair",),
    )
    return msgspec.structs.replace(whole, **changes)


async def test_a_slip_carries_the_place_without_any_network(city: City) -> None:
    left = await a_ticket_leaves(city)
    assert left.ticket is not None
    assert (left.ticket.state, left.ticket.released_to) == ("in_transit", "puerto")
    assert not city.centro.dispatcher.state.day.waiting, "nobody calls it there any more"

    city.pass_time(minutes=5)
    reply = accepted(await show(city.puerto, left.handover_slip))
    ticket = only(city.puerto)
    assert reply.ticket is not None
    assert (reply.ticket.tenure, reply.ticket.from_office, ticket.label) == (2, "centro", "A1")
    assert waited(city.puerto, ticket) == timedelta(minutes=15)
    assert ticket.callable_at == city.puerto.dispatcher.state.now(), "who is here may be called"
    assert reply.slip is not None
    assert reply.slip.follow_url == "", "the code is known only where it was made"
    assert reply.slip.label == "A1"


async def test_the_grant_behind_the_slip_changes_nothing(city: City) -> None:
    left = await a_ticket_leaves(city)
    accepted(await show(city.puerto, left.handover_slip))
    ticket = only(city.puerto)
    before = city.puerto.dispatcher.state.tail.seq
    await feed(city.puerto, grant(city.here.now(), id=ticket.ticket_id))
    await city.puerto.settle_rights()
    facts = await city.puerto.writer.run(
        lambda db: [row[0] for row in db.execute("SELECT type FROM fact WHERE seq > ?", (before,))]
    )
    assert "ticket.accepted" not in facts
    assert only(city.puerto) is ticket


async def test_the_slip_behind_the_grant_says_that_the_person_is_here(city: City) -> None:
    left = await a_ticket_leaves(city)
    assert left.ticket is not None
    await feed(city.puerto, grant(city.here.now(), id=left.ticket.ticket_id))
    assert only(city.puerto).expected
    reply = accepted(await show(city.puerto, left.handover_slip))
    assert not only(city.puerto).expected
    assert only(city.puerto).callable_at <= city.puerto.dispatcher.state.now()
    assert reply.slip is not None


async def test_the_same_slip_twice_is_one_ticket(city: City) -> None:
    left = await a_ticket_leaves(city)
    first = accepted(await show(city.puerto, left.handover_slip))
    again = accepted(await show(city.puerto, left.handover_slip))
    assert first.ticket is not None
    assert again.ticket is not None
    assert first.ticket.label == again.ticket.label
    assert len(city.puerto.dispatcher.state.day.tickets) == 1


async def test_a_kiosk_takes_a_slip_and_prints_a_ticket(city: City) -> None:
    left = await a_ticket_leaves(city)

    async def grant() -> None:
        raise AssertionError("nothing of a reserve is told here")

    desk = KioskDesk(city.puerto.desk, city.puerto.metrics, city.puerto.dispatcher.state.now, grant)
    asked = KioskCheckIn(request_id=new_id(), device="kiosk-1", scanned=left.handover_slip, language="fr")
    reply = await desk.answer(asked)
    assert reply.slip is not None
    assert (reply.slip.label, reply.slip.language, reply.slip.follow_url) == ("A1", "fr", "")
    assert await desk.answer(asked) == reply, "asked again, answered alike"


async def test_bad_slips_are_refused_and_counted(city: City, tmp_path: Path) -> None:
    left = await a_ticket_leaves(city)
    text = left.handover_slip
    assert text is not None
    forged = text[:40] + ("A" if text[40] != "A" else "B") + text[41:]
    for scanned, code in (
        (forged, None),
        ("H1.AAAA.AAAA", "malformed"),
        (text.replace("H1.", "H2."), "unsupported_version"),
    ):
        answer = await show(city.puerto, scanned)
        assert isinstance(answer, Refusal)
        assert answer.code in ((code,) if code else ("bad_signature", "malformed"))
    answer = await show(city.centro, text)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.office) == ("wrong_office", "puerto")
    assert not city.puerto.dispatcher.state.day.tickets
    assert b'ventanilla_refused_total{code="wrong_office"} 1.0' in city.centro.metrics.text()


async def test_a_slip_of_a_replaced_node_is_worth_nothing(city: City) -> None:
    left = await a_ticket_leaves(city)
    await feed(city.puerto, node_key("centro", Ed25519PrivateKey.generate(), epoch=2))
    answer = await show(city.puerto, left.handover_slip)
    assert isinstance(answer, Refusal)
    assert answer.code == "bad_signature"


async def test_a_slip_of_yesterday_is_worth_nothing(city: City) -> None:
    left = await a_ticket_leaves(city)
    city.pass_time(hours=24)
    answer = await show(city.puerto, left.handover_slip)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.service_date) == ("wrong_day", "2026-11-23")


def dated(city: City, text: str | None, day: date, **released: float) -> str:
    """The slip as Centro writes it whose day is called ``day``; given up so much later by central's clock."""
    assert text is not None
    assert city.centro.desk.sign is not None
    slip = handover_slip.read(text, lambda *_: True)
    assert slip is not None
    later = slip.released_min + timedelta(**released) // timedelta(minutes=1)
    changed = msgspec.structs.replace(slip, service_date=day, released_min=later)
    return handover_slip.write(changed, city.centro.desk.sign)


async def test_a_slip_dated_ahead_behind_the_grant_says_that_the_person_is_here(city: City) -> None:
    """Central grants for today who comes from a day that was dated ahead, whatever date and hour the paper bears."""
    left = await a_ticket_leaves(city)
    assert left.ticket is not None
    await feed(city.puerto, grant(city.here.now(), id=left.ticket.ticket_id))
    assert only(city.puerto).expected
    accepted(await show(city.puerto, dated(city, left.handover_slip, TOMORROW, hours=24)))
    assert not only(city.puerto).expected


async def test_a_slip_dated_ahead_whose_ticket_is_over_here_is_no_appointment_of_another_day(city: City) -> None:
    left = await a_ticket_leaves(city)
    assert left.ticket is not None
    await feed(city.puerto, grant(city.here.now(), id=left.ticket.ticket_id))
    await feed(city.puerto, f.TicketClosed(id=left.ticket.ticket_id, tenure=2, service_date=TODAY, reason="superseded"))
    answer = await show(city.puerto, dated(city, left.handover_slip, TOMORROW))
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.ticket_id) == ("wrong_state", left.ticket.ticket_id)


async def test_a_slip_dated_ahead_is_of_the_day_that_it_was_by_central_s_clock(city: City) -> None:
    left = await a_ticket_leaves(city)
    accepted(await show(city.puerto, dated(city, left.handover_slip, TOMORROW)))
    assert only(city.puerto).callable_at <= city.puerto.dispatcher.state.now()


@pytest.mark.parametrize("day,hours", [(date(2026, 11, 24), 24), (date(2026, 11, 24), -24), (date(2026, 11, 22), 0)])
async def test_a_slip_of_another_day_by_its_date_and_by_central_s_clock_is_worth_nothing(
    city: City, day: date, hours: int
) -> None:
    left = await a_ticket_leaves(city)
    answer = await show(city.puerto, dated(city, left.handover_slip, day, hours=hours))
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.service_date) == ("wrong_day", day.isoformat())


async def test_a_slip_of_yesterday_whose_ticket_was_held_yesterday_is_worth_nothing(city: City) -> None:
    left = await a_ticket_leaves(city)
    accepted(await show(city.puerto, left.handover_slip))
    city.pass_time(hours=24)
    answer = await show(city.puerto, left.handover_slip)
    assert isinstance(answer, Refusal)
    assert (answer.code, answer.service_date) == ("wrong_day", "2026-11-23")


async def test_without_a_wish_there_is_no_slip(city: City) -> None:
    assert (await a_ticket_leaves(city, slip=False)).handover_slip is None


async def test_a_grant_is_held_with_its_place_and_its_person(city: City) -> None:
    city.there.step(hours=1)  # the wall clock here is wrong; central's is not
    await city.puerto.timekeeper.check_clock()
    city.puerto.central_now = city.here.now  # type: ignore[method-assign]
    await feed(city.puerto, grant(city.here.now() - timedelta(minutes=5)))
    ticket = only(city.puerto)
    assert waited(city.puerto, ticket) == timedelta(minutes=15)
    assert ticket.expected
    assert ticket.callable_at - city.puerto.dispatcher.state.now() == timedelta(minutes=15), (
        "travel less what is behind"
    )
    person = city.puerto.dispatcher.state.people[BOOKING]
    assert (person.display_name, person.language, person.needs) == ("Fátima M.", "ar", ("wheelchair",))
    rows = await city.puerto.writer.run(lambda db: db.execute("SELECT display_name FROM person").fetchall())
    assert rows == [("Fátima M.",)]

    body = codec.encode({"request_id": new_id(), "ticket_id": TICKET})
    reply = accepted(await city.puerto.staff_desk.carry_out("mark_arrived", body, MEMBER))
    assert isinstance(reply.ticket, TicketView)
    assert not reply.ticket.expected
    assert reply.ticket.callable_at == city.puerto.dispatcher.state.now()


async def test_a_grant_that_came_before_a_restart_is_held_at_the_start(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [*entities(), grant(clock.now(), from_office="puerto")]
    async with edge(tmp_path, clock, rows=rows) as node:
        assert only(node).ticket_id == TICKET


async def test_a_grant_that_cannot_be_held_delays_no_other_and_no_start(tmp_path: Path) -> None:
    def fail_for_one(day: OfficeDay, command: c.Accept, *rest: Any) -> Decision:
        if command.ticket_id == TICKET:
            raise OverflowError
        return accept(day, command, *rest)

    clock = ManualClock()
    rows = [*entities(), grant(clock.now()), grant(clock.now(), id=OTHER_TICKET)]
    with patch("sync.domain.decide.accept", fail_for_one):
        async with edge(tmp_path, clock, rows=rows) as node:
            assert only(node).ticket_id == OTHER_TICKET
            await node.settle_rights()
    async with edge(tmp_path, clock) as node:
        assert sorted(node.dispatcher.state.day.tickets) == [TICKET, OTHER_TICKET], "held as soon as it can be"


async def test_a_grant_of_another_day_is_left_alone(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await feed(node, grant(clock.now(), service_date=date(2026, 11, 22)))
        assert not node.dispatcher.state.day.tickets


async def test_a_ticket_that_is_over_ends_here_but_not_under_a_clerk(city: City) -> None:
    node = city.puerto
    await feed(node, grant(city.here.now()))
    opened = accepted(await node.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK))
    assert opened.session is not None
    session = opened.session.session
    call = c.CallTicket(request_id=new_id(), session=session, ticket_id=TICKET, reason="supervisor")
    accepted(await node.dispatcher.submit(call, CLERK))
    await feed(node, f.TicketClosed(id=TICKET, tenure=2, service_date=TODAY, reason="superseded"))
    assert only(node).state == "called"
    accepted(await node.dispatcher.submit(c.NoShow(request_id=new_id(), session=session, ticket_id=TICKET), CLERK))
    await node.settle_rights()
    assert only(node).state == "abandoned"


async def test_somebody_who_was_sent_away_is_shown_as_such(city: City) -> None:
    await a_ticket_leaves(city)
    view = await city.centro.view_queue()
    assert [ticket.released_to for ticket in view.in_transit] == ["puerto"]


async def test_a_grant_that_a_restored_central_forgot_is_held_and_forgotten_with_its_day(tmp_path: Path) -> None:
    """Central was restored before it was taken: the date was in doubt, or the disk was full."""
    clock = ManualClock()
    kept = grant(clock.now(), from_office="centro", series="A", number=7)
    values = ("office:centro", kept.KIND, kept.id, kept.tenure, codec.encode(kept))
    insert = "INSERT INTO entity_aside (stream, kind, entity_id, version, body) VALUES (?, ?, ?, ?, ?)"

    async def aside(node: EdgeNode) -> int:
        return await node.writer.run(lambda db: int(db.execute("SELECT count(*) FROM entity_aside").fetchone()[0]))

    async with edge(tmp_path, clock, rows=entities()) as node:
        await node.writer.run(lambda db: db.execute(insert, values).rowcount)
        await node.feed_applied()
        assert node.dispatcher.state.day.tickets[kept.id].label == "A7"
        assert node.dispatcher.state.configuration.put_aside == 0, "nobody waits for a report of it"
        await node.timekeeper.forget()
        assert await aside(node) == 1
        clock.advance(days=1)
        await node.timekeeper.forget()
        assert await aside(node) == 0
