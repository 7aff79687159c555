"""Who had their data erased at central is nobody any more at the office: also who checked in, and what was written about them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from edge_node.node import EdgeNode
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages import feed as f
from tests.integration.edge.test_leases import MEMBER
from tests.kit.clock import ManualClock
from tests.kit.edge import appointment, edge, entities, feed, soon


async def rows(node: EdgeNode, table: str) -> int:
    return int(await node.writer.run(lambda db: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]))


def said(**values: object) -> bytes:
    return codec.encode({"request_id": new_id(), **values})


async def test_an_erased_person_is_nobody_here(tmp_path: Path) -> None:
    clock = ManualClock()
    row = appointment(soon(clock.now()))
    other = appointment(soon(clock.now(), 20), display_name="Ana P.", locator="ACDEFH")
    async with edge(tmp_path, clock, rows=[*entities(), row, other]) as node:
        state = node.dispatcher.state
        for each in (row, other):
            await node.staff_desk.carry_out("check_in", said(appointment_id=each.id), MEMBER)
        (ticket,) = [t.ticket_id for t in state.day.tickets.values() if t.appointment_id == row.id]
        await node.staff_desk.carry_out("set_needs", said(ticket_id=ticket, needs=["wheelchair"]), MEMBER)
        assert (set(state.people), await rows(node, "person"), await rows(node, "remark")) == ({row.id, other.id}, 2, 1)

        nameless = msgspec.structs.replace(row, version=2, display_name="")
        erased = f.PersonErased(id=row.id, service_date=service_date(clock.now(), state.zone))
        await feed(node, nameless, erased)
        assert (set(state.people), await rows(node, "person"), await rows(node, "remark")) == ({other.id}, 1, 0)
        assert ticket in state.day.tickets, "the ticket goes on"
    async with edge(tmp_path, clock) as again:
        assert set(again.dispatcher.state.people) == {other.id}
