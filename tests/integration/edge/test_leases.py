"""Appointments out of lent seats: only while central cannot be asked, never twice, shown at once, their people kept apart."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import msgspec

from edge_node.console.staff_sessions import Member
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Answer, Done
from edge_node.queue.replies import SoldView
from edge_node.uplink.link import LinkState
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages import feed as f
from sync.messages.refusals import Refusal
from sync.messages.values import SeatRef
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.edge import SECRET, edge, entities, feed

MEMBER = Member(staff_id="clerk-1", display_name="Clerk", roles=("clerk",), console="console-1")
PERSON = {
    "full_name": "Fátima Mohamed Haddu",
    "document_kind": "dni",
    "document": "12345678Z",
    "phone": "600000000",
    "language": "ar",
    "needs": ["wheelchair"],
}
LEASE = "01a202c9-0000-7000-8000-0000000000aa"
SLOT = "01a202c9-0000-7000-8000-0000000000b1"


def tomorrow(clock: ManualClock) -> datetime:
    return clock.now().replace(hour=9, minute=0) + timedelta(days=1)


def lease(clock: ManualClock, seats: int = 2, **changes: object) -> f.Lease:
    start_at = tomorrow(clock)
    lent = tuple(
        f.LeasedSeat(seat=SeatRef(SLOT, n + 1), start_at=start_at, duration_min=10, services=("padron",))
        for n in range(seats)
    )
    return msgspec.structs.replace(f.Lease(id=LEASE, fence=1, seats=lent, sell_until=start_at), **changes)


async def sell(node: EdgeNode, start_at: datetime, request_id: str | None = None, **changes: object) -> Answer:
    body = {"request_id": request_id or new_id(), "service": "padron", "slot_start_at": start_at, **PERSON, **changes}
    answer = await node.staff_desk.carry_out("sell_lease", codec.encode(body), MEMBER)
    assert isinstance(answer, (Done, Refusal))
    return answer


def sold(answer: Answer) -> SoldView:
    assert isinstance(answer, Done), answer
    assert answer.reply.sold is not None
    return answer.reply.sold


def code(answer: Answer) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


async def test_a_sale_is_shown_at_once_and_its_person_is_in_no_fact(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock)]) as node:
        view = sold(await sell(node, tomorrow(clock)))
        assert (len(view.locator), view.slot_start_at, view.duration_min) == (6, tomorrow(clock), 10)
        (shown,) = (await node.view_queue()).sold
        assert (shown.id, shown.pending, shown.person.display_name) == (view.appointment_id, True, "Fátima M.")
        (person,) = await node.pending_people()
        assert (person.full_name, person.document, person.phone) == ("Fátima Mohamed Haddu", "12345678Z", "600000000")
        assert (person.language, person.needs, person.office) == ("ar", ("wheelchair",), "centro")
        bodies = await node.writer.run(lambda db: [bytes(row[0]) for row in db.execute("SELECT body FROM fact")])
        replies = await node.writer.run(lambda db: [bytes(row[0]) for row in db.execute("SELECT reply FROM request")])
        assert not any(b"tima" in body or b"12345678" in body or b"600000000" in body for body in [*bodies, *replies])

    async with edge(tmp_path, clock) as node:
        (shown,) = (await node.view_queue()).sold
        assert (shown.id, shown.person.display_name) == (view.appointment_id, "Fátima M.")


async def test_centrals_row_takes_its_place_and_the_name_stays_until_central_has_it(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock)]) as node:
        view = sold(await sell(node, tomorrow(clock)))
        row = f.Appointment(
            id=view.appointment_id,
            version=1,
            locator=view.locator,
            service_id="padron",
            slot_start_at=view.slot_start_at,
            duration_min=10,
            status="booked",
        )
        await feed(node, row, version=1)
        assert (await node.view_queue()).sold == ()
        assert node.dispatcher.state.agenda.by_id[row.id].display_name == "Fátima M."
        await node.person_taken(row.id)
        assert await node.pending_people() == []
        assert node.dispatcher.state.agenda.by_id[row.id].display_name == ""


async def test_who_was_sold_an_appointment_checks_in_though_central_was_never_back(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock)]) as node:
        view = sold(await sell(node, tomorrow(clock)))
        clock.advance(days=1)
        body = codec.encode({"request_id": new_id(), "locator": view.locator})
        answer = await node.staff_desk.carry_out("check_in", body, MEMBER)
        assert isinstance(answer, Done)
        assert answer.reply.ticket is not None
        assert (answer.reply.ticket.appointment_id, answer.reply.ticket.to_verify) == (view.appointment_id, False)
        assert node.dispatcher.state.people[view.appointment_id].display_name == "Fátima M."
        clock.advance(days=1)
        assert (await node.view_queue()).sold == (), "its day is over"


async def test_nothing_is_sold_beyond_what_was_lent(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock, seats=2)]) as node:
        twice = new_id()
        first = sold(await sell(node, tomorrow(clock), twice))
        assert sold(await sell(node, tomorrow(clock), twice)) == first, "the same request is the same sale"
        second = sold(await sell(node, tomorrow(clock)))
        assert first.appointment_id != second.appointment_id
        assert code(await sell(node, tomorrow(clock))) == "no_leased_seat"
        assert code(await sell(node, tomorrow(clock), service="hologram")) == "service_unknown"
        assert (await node.sales.lent("padron")).starts == ()
    async with edge(tmp_path, clock) as node:
        await feed(node, lease(clock, seats=2), version=1)  # a snapshot brings the lease anew
        assert code(await sell(node, tomorrow(clock))) == "no_leased_seat"


async def test_the_book_is_of_the_whole_journal_not_of_the_day(tmp_path: Path) -> None:
    clock = ManualClock()
    later = lease(clock, seats=1)
    far = tuple(msgspec.structs.replace(seat, start_at=seat.start_at + timedelta(days=5)) for seat in later.seats)
    later = msgspec.structs.replace(later, seats=far, sell_until=far[0].start_at)
    async with edge(tmp_path, clock, rows=[*entities(), later]) as node:
        sold(await sell(node, far[0].start_at))
        clock.advance(days=2)
        await node.timekeeper.check_clock()
    async with edge(tmp_path, clock) as node:
        assert code(await sell(node, far[0].start_at)) == "no_leased_seat"
        assert len((await node.view_queue()).sold) == 1


async def test_while_central_can_be_asked_it_is(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock)]) as node:
        asked = new_id()
        first = sold(await sell(node, tomorrow(clock), asked))
        node.link_changed(LinkState(connected=True))
        assert code(await sell(node, tomorrow(clock))) == "central_reachable"
        assert not (await node.sales.lent("padron")).may_sell
        assert sold(await sell(node, tomorrow(clock), asked)) == first, "what was sold stays sold"
        node.link_changed(LinkState(connected=False))
        lent = await node.sales.lent("padron")
        assert (lent.may_sell, lent.starts) == (True, (tomorrow(clock),))


async def test_a_recalled_lease_gives_back_what_was_not_sold(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock, seats=3)]) as node:
        sold(await sell(node, tomorrow(clock)))
        await feed(node, lease(clock, seats=3, recalled=True))
        assert code(await sell(node, tomorrow(clock))) == "no_leased_seat"
        await node.settle_rights()
    connection = sqlite3.connect(tmp_path / "edge.db")
    facts = "SELECT type, body FROM fact WHERE type LIKE 'lease.%' ORDER BY seq"
    (_, gone), (_, back) = ((kind, codec.decode(body, dict)["seats"]) for kind, body in connection.execute(facts))
    connection.close()
    assert sorted([*gone, *back]) == [[SLOT, 1], [SLOT, 2], [SLOT, 3]]
    assert len(gone) == 1


async def test_a_lease_of_an_earlier_life_sells_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock, fence=7)]) as node:
        assert code(await sell(node, tomorrow(clock))) == "no_leased_seat"


async def test_the_console_offers_what_is_lent_over_http(tmp_path: Path) -> None:
    clock = ManualClock()
    rows = [*entities(), lease(clock)]
    async with console(tmp_path, rows, clock) as served, httpx.AsyncClient(base_url=served.url) as http:
        assert (await http.get("/api/v1/lent?service=padron")).status_code == 401
        await http.get("/sign-in")
        token = http.cookies["vt_edge_centro_csrf"]
        signed = await http.post(
            "/api/v1/sign-in", json={"staff_id": "clerk-1", "secret": SECRET}, headers={"x-csrf-token": token}
        )
        assert signed.status_code == 200
        lent = (await http.get("/api/v1/lent?service=padron")).json()
        assert (lent["may_sell"], len(lent["starts"])) == (True, 1)
        body = {"request_id": new_id(), "service": "padron", "slot_start_at": lent["starts"][0], **PERSON}
        reply = await http.post("/api/v1/commands/sell_lease", json=body, headers={"x-csrf-token": token})
        assert reply.status_code == 200, reply.text
        assert len(reply.json()["sold"]["locator"]) == 6
        bad = await http.post(
            "/api/v1/commands/sell_lease", json={**body, "document_kind": "x"}, headers={"x-csrf-token": token}
        )
        assert bad.status_code == 422
