"""Kiosks' reserves at the edge: granted to those that keep one, told back, in the queue once and at their true arrival."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_node.node import EdgeNode, running
from edge_node.queue.desk import Wish
from provisioning.launchers.broker import Broker
from sync.domain.reserve import BLOCK
from sync.domain.retold import LEAP
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages import facts as f
from sync.messages import topics as t
from tests.integration.edge.test_lan import Device, device
from tests.integration.kiosk.office import until
from tests.kit.clock import ManualClock
from tests.kit.edge import as_successor, edge, prepare, settings

pytestmark = pytest.mark.broker
SUPERVISOR = c.Actor(actor_id="boss", device_id="console-1", supervisor=True)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, broker: Broker, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock, broker_port=broker.port) as running:
        assert running.lan is not None
        await asyncio.wait_for(running.lan._link.wait_connected(), 5)
        yield running


@pytest.fixture
async def kiosk(node: EdgeNode, broker: Broker) -> AsyncIterator[Device]:
    async with device(broker, "kiosk-1") as there:
        yield there


def today(node: EdgeNode) -> date:
    return service_date(node.dispatcher.state.now(), node.dispatcher.state.zone)


async def appear(kiosk: Device, **numbers: Any) -> None:
    status = t.DeviceStatus(device=kiosk.device, kind="kiosk", online=True, numbers=t.HeldNumbers(**numbers))
    await kiosk.say("status", status)


async def block_of(kiosk: Device, beyond: int = 0) -> t.ReserveBlock:
    def is_block(topic: str, body: dict[str, Any]) -> bool:
        return topic.endswith("/config") and body["reserve"] is not None and body["reserve"]["last"] > beyond

    return msgspec.convert((await kiosk.until(is_block))["reserve"], t.ReserveBlock)


def tale(block: t.ReserveBlock, number: int, minutes_ago: int = 10, **changes: Any) -> t.KioskTellReserved:
    told = t.KioskTellReserved(
        request_id=new_id(),
        ticket_id=new_id(),
        device="kiosk-1",
        service="padron",
        service_date=block.service_date,
        series=block.series,
        number=number,
        elapsed_ms=minutes_ago * 60_000,
        follow_code=bytes(16),
    )
    return msgspec.structs.replace(told, **changes)


async def test_a_kiosk_that_keeps_a_reserve_is_granted_one_with_its_config(node: EdgeNode, kiosk: Device) -> None:
    await appear(kiosk)
    block = await block_of(kiosk)
    assert (block.series, block.first, block.last, block.service_date) == ("Y", 1, BLOCK, today(node))
    assert list(node.dispatcher.state.day.reserves) == ["kiosk-1"]


async def test_a_kiosk_of_an_older_build_is_granted_none(node: EdgeNode, kiosk: Device) -> None:
    await kiosk.say("status", t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True))
    await kiosk.until(lambda topic, body: topic.endswith("/config"))
    await kiosk.take()
    assert node.dispatcher.state.day.reserves == {}


async def test_two_kiosks_have_two_letters(node: EdgeNode, kiosk: Device, broker: Broker) -> None:
    async with device(broker, "kiosk-2") as other:
        for each in (other, kiosk):
            await appear(each)
        assert ((await block_of(kiosk)).series, (await block_of(other)).series) == ("Y", "X")


async def test_what_a_kiosk_gave_joins_at_its_true_arrival_once(
    node: EdgeNode, kiosk: Device, clock: ManualClock
) -> None:
    await appear(kiosk)
    told = tale(await block_of(kiosk), 3, follow_code=b"c" * 16)
    for _ in range(2):  # the first answer got lost
        kiosk.heard.clear()
        reply = await kiosk.ask(told)
        assert (reply["refusal"], reply["slip"]) == (None, None)
    (ticket,) = node.dispatcher.state.day.tickets.values()
    arrived_at = clock.now() - timedelta(minutes=10)
    assert (ticket.ticket_id, ticket.label, ticket.arrived_at) == (told.ticket_id, "Y3", arrived_at)
    again = await node.desk.slip_again(told.ticket_id, Wish())
    assert isinstance(again, t.Slip)
    assert again.follow_url == t.progress_url("https://citas.example", b"c" * 16)


async def test_the_printed_label_and_code_count_when_the_request_had_been_taken_unheard(
    node: EdgeNode, kiosk: Device
) -> None:
    await appear(kiosk)
    block = await block_of(kiosk)
    wish = t.KioskTakeTicket(request_id=new_id(), device="kiosk-1", service="padron")
    assert (await kiosk.ask(wish))["slip"]["label"] == "A1"
    await kiosk.ask(told := tale(block, 1, ticket_id=wish.request_id))
    (ticket,) = node.dispatcher.state.day.tickets.values()
    assert (ticket.label, node.dispatcher.state.day.by_follow_hash) == ("Y1", {ticket.follow_hash: told.ticket_id})
    again = await node.desk.slip_again(told.ticket_id, Wish())
    assert isinstance(again, t.Slip)
    assert again.follow_url == t.progress_url("https://citas.example", bytes(16))


async def test_a_question_that_comes_behind_the_ticket_makes_no_second_one(node: EdgeNode, kiosk: Device) -> None:
    await appear(kiosk)
    told = tale(await block_of(kiosk), 1)
    await kiosk.ask(told)
    kiosk.heard.clear()
    late = await kiosk.ask(t.KioskTakeTicket(request_id=told.ticket_id, device="kiosk-1", service="padron"))
    assert late["slip"]["label"] == "Y1"
    assert len(node.dispatcher.state.day.tickets) == 1


async def test_used_numbers_are_topped_up(node: EdgeNode, kiosk: Device) -> None:
    await appear(kiosk)
    block = await block_of(kiosk)
    await kiosk.ask(tale(block, BLOCK - 1))
    more = await block_of(kiosk, beyond=BLOCK)
    assert (more.first, more.last) == (BLOCK + 1, 2 * BLOCK)
    assert (await kiosk.ask(tale(block, BLOCK)))["refusal"] is None  # of the block before


async def test_refusals_of_a_told_ticket_name_their_reason(node: EdgeNode, kiosk: Device) -> None:
    await appear(kiosk)
    block = await block_of(kiosk)
    assert (await kiosk.ask(tale(block, BLOCK + 1)))["refusal"]["code"] == "not_reserved"
    await kiosk.ask(tale(block, 1))
    assert (await kiosk.ask(tale(block, 1)))["refusal"]["code"] == "not_reserved"
    await node.dispatcher.submit(c.CloseDay(request_id=new_id()), SUPERVISOR)
    assert (await kiosk.ask(tale(block, 2)))["refusal"]["code"] == "day_closed"
    await kiosk.until(lambda topic, body: topic.endswith("/config") and body["reserve"] is None)


async def test_before_the_kiosk_has_said_what_it_holds_it_is_asked_to_come_again(node: EdgeNode, kiosk: Device) -> None:
    told = tale(t.ReserveBlock(service_date=today(node), series="Y", first=1, last=BLOCK), 2)
    await kiosk.take()
    assert (await kiosk.ask(told))["refusal"]["code"] == "retry"
    kiosk.heard.clear()
    await appear(kiosk, service_date=today(node), series="Y", last=BLOCK, highest={"Y": 2}, untold=1)
    block = await block_of(kiosk)
    assert (block.first, block.last) == (BLOCK + 1, 2 * BLOCK)  # behind what another life had granted
    assert (await kiosk.ask(told))["refusal"] is None
    assert node.dispatcher.state.day.tickets[told.ticket_id].label == "Y2"


@pytest.fixture
async def successor(tmp_path: Path, broker: Broker, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    """A node that took the office over today, from one whose last hours nobody heard of."""
    of = as_successor(settings(tmp_path / "successor", broker_port=broker.port))
    prepare(of.data.folder)
    async with running(of, clock) as node:
        assert node.lan is not None
        await asyncio.wait_for(node.lan._link.wait_connected(), 5)
        yield node


def refused(node: EdgeNode, code: str) -> float:
    return node.metrics.registry.get_sample_value("ventanilla_refused_total", {"code": code}) or 0


def print_told(number: int, day: date, **changes: Any) -> t.KioskTellPrinted:
    told = t.KioskTellPrinted(
        request_id=new_id(),
        ticket_id=new_id(),
        device="kiosk-1",
        service="padron",
        service_date=day,
        series="A",
        number=number,
        elapsed_ms=60_000,
    )
    return msgspec.structs.replace(told, **changes)


async def test_labels_go_on_behind_what_a_kiosk_has_printed(successor: EdgeNode, broker: Broker) -> None:
    node = successor
    async with device(broker, "kiosk-1") as kiosk:
        assert (await kiosk.take())["slip"]["label"] == "A1"
        await appear(kiosk, service_date=today(node) - timedelta(days=1), highest={"A": 90})
        await appear(kiosk, service_date=today(node), highest={"A": 25})
        await until(lambda: node.dispatcher.state.day.last_numbers["A"] == 25)
        assert (await kiosk.take())["slip"]["label"] == "A26"
    skipped = [each.header for each in node.live._recent if each.header.type == f.LabelsSkipped.TYPE]
    assert len(skipped) == 1


async def test_a_number_that_nobody_can_have_given_uses_up_no_series(successor: EdgeNode, broker: Broker) -> None:
    node = successor
    async with device(broker, "kiosk-1") as kiosk:
        await appear(kiosk, service_date=today(node), highest={"A": 999})
        await until(lambda: refused(node, "not_reserved") == 1)
        assert (await kiosk.ask(print_told(999, today(node))))["refusal"]["code"] == "not_reserved"
        assert (await kiosk.ask(print_told(12, today(node))))["refusal"] is None
        assert (await kiosk.take())["slip"]["label"] == "A13"


async def test_a_node_that_gave_every_number_of_the_day_believes_no_kiosk_about_them(
    node: EdgeNode, kiosk: Device
) -> None:
    assert (await kiosk.take())["slip"]["label"] == "A1"
    await appear(kiosk, service_date=today(node), highest={"A": 25})
    await until(lambda: refused(node, "not_reserved") == 1)
    assert (await kiosk.ask(print_told(12, today(node))))["refusal"]["code"] == "not_reserved"
    kiosk.heard.clear()
    assert (await kiosk.take())["slip"]["label"] == "A2"
    assert refused(node, "not_reserved") == 2


async def test_the_second_day_of_a_successor_lacks_nothing_also_after_a_restart(
    broker: Broker, clock: ManualClock, tmp_path: Path
) -> None:
    of = as_successor(settings(tmp_path / "successor"))
    prepare(of.data.folder)
    for days, believed in ((0, LEAP), (0, LEAP), (1, 0), (0, 0)):
        clock.advance(days=days)
        async with running(of, clock) as node:
            await node.desk.take_ticket(new_id(), "padron", c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1"), Wish())
            assert node.dispatcher.state.believed_up_to("A") == believed


async def test_a_ticket_of_another_kiosk_takes_no_label_of_this_one(
    node: EdgeNode, kiosk: Device, broker: Broker
) -> None:
    await appear(kiosk)
    block = await block_of(kiosk)
    async with device(broker, "kiosk-2") as other:
        wish = t.KioskTakeTicket(request_id=new_id(), device="kiosk-2", service="padron")
        assert (await other.ask(wish))["slip"]["label"] == "A1"
    told = tale(block, 1, ticket_id=wish.request_id)
    assert (await kiosk.ask(told))["refusal"]["code"] == "ticket_unknown"
    (ticket,) = node.dispatcher.state.day.tickets.values()
    assert ticket.label == "A1"
    assert refused(node, "ticket_unknown") == 1
