"""Who may tell what became of a ticket's paper: the kiosk that it was asked for at, and those that were sent its slip."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from edge_node.node import EdgeNode
from provisioning.launchers.broker import Broker
from sync.io.ids import new_id
from sync.messages import topics as t
from tests.integration.edge.test_lan import QR_KEY, SIGNER, Device, device
from tests.kit.clock import ManualClock
from tests.kit.edge import appointment, edge, entities, feed, soon, token_text

pytestmark = pytest.mark.broker


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, broker: Broker, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock, rows=[*entities(), QR_KEY], broker_port=broker.port) as running:
        assert running.lan is not None
        await asyncio.wait_for(running.lan._link.wait_connected(), 5)
        yield running


@pytest.fixture
async def kiosks(node: EdgeNode, broker: Broker) -> AsyncIterator[tuple[Device, Device]]:
    async with device(broker, "kiosk-1") as first, device(broker, "kiosk-2") as second:
        yield first, second


async def tell(kiosk: Device, ack: t.DeviceAck) -> None:
    """Until the edge has dealt with it."""
    await kiosk.say("ack", ack)
    await kiosk.until(lambda _, body: body.get("ack_id") == ack.ack_id)


def printed(kiosk: Device, ticket_id: str) -> t.PrintedAck:
    return t.PrintedAck(ack_id=new_id(), device=kiosk.device, ticket_id=ticket_id)


def failed(kiosk: Device, ticket_id: str) -> t.PrintFailedAck:
    return t.PrintFailedAck(ack_id=new_id(), device=kiosk.device, ticket_id=ticket_id, reason="no_paper")


def refused(node: EdgeNode) -> float:
    return node.metrics.registry.get_sample_value("ventanilla_refused_total", {"code": "ticket_unknown"}) or 0


def paper(node: EdgeNode, ticket_id: str) -> str:
    return node.dispatcher.state.day.tickets[ticket_id].print_state


async def test_another_kiosk_s_word_changes_nothing_and_is_counted(
    node: EdgeNode, kiosks: tuple[Device, Device]
) -> None:
    first, second = kiosks
    ticket_id = (await first.take())["slip"]["ticket_id"]
    await tell(second, printed(second, ticket_id))
    assert (paper(node, ticket_id), refused(node)) == ("unknown", 1)
    await tell(second, failed(second, ticket_id))
    assert (paper(node, ticket_id), refused(node)) == ("unknown", 2)
    await tell(first, failed(first, ticket_id))
    assert paper(node, ticket_id) == "failed"
    await tell(second, printed(second, ticket_id))
    assert (paper(node, ticket_id), refused(node)) == ("failed", 3)


async def test_a_kiosk_that_was_sent_the_slip_tells_of_it_also_when_all_else_is_forgotten(
    node: EdgeNode, kiosks: tuple[Device, Device], clock: ManualClock
) -> None:
    first, second = kiosks
    ticket_id = (await first.take())["slip"]["ticket_id"]
    job = await node.desk.print_again(ticket_id, "kiosk-2", "es")
    assert isinstance(job, t.PrintJob)
    for _ in range(2):  # the job is over after the first
        await tell(second, printed(second, ticket_id))
    assert (paper(node, ticket_id), refused(node)) == ("printed", 0)
    clock.advance(hours=47)
    assert node.timekeeper is not None
    await node.timekeeper.forget()
    assert await node.desk.has_slip(ticket_id, "kiosk-2")
    clock.advance(hours=2)
    await node.timekeeper.forget()
    assert not await node.desk.has_slip(ticket_id, "kiosk-2")


async def test_a_kiosk_that_showed_the_first_ticket_of_an_appointment_tells_of_its_copy(
    node: EdgeNode, kiosks: tuple[Device, Device], clock: ManualClock
) -> None:
    first, second = kiosks
    row = appointment(soon(clock.now()))
    await feed(node, row)
    scanned = token_text(row, SIGNER.sign)
    ticket_id = (await first.arrive(scanned=scanned))["slip"]["ticket_id"]
    assert (await second.arrive(scanned=scanned))["refusal"]["code"] == "already_checked_in"
    await tell(second, printed(second, ticket_id))
    assert (paper(node, ticket_id), refused(node)) == ("printed", 0)
