"""The office's computer is lost with its disk before it told anybody: a new node, the same kiosk, everybody in the queue again and
no number twice.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from edge_node.node import running
from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.settings import Device
from sync.domain.reserve import BLOCK
from sync.io.ids import new_id
from sync.messages.topics import BOARD_STALE_S
from tests.integration.kiosk.office import Office, RunningKiosk, running_kiosk, until
from tests.kit.edge import OFFICE, as_successor, prepare
from tests.kit.edge import settings as edge_settings

pytestmark = [pytest.mark.broker, pytest.mark.slow]


async def take(kiosk: RunningKiosk) -> str:
    """A person takes a ticket; the label on the paper."""
    for event in (e.StartOver(), e.WithoutAppointment(), e.ChooseService("padron"), e.TakeTicket(new_id())):
        await kiosk.agent.handle(event)
    await until(lambda: isinstance(kiosk.screen, s.Ticket) and kiosk.screen.paper == "printed", 10)
    assert isinstance(kiosk.screen, s.Ticket)
    return kiosk.screen.slip.label


async def test_a_new_node_takes_what_the_kiosk_gave_and_gives_no_number_twice(office: Office, tmp_path: Path) -> None:
    first = edge_settings(tmp_path / "first", broker_port=office.broker.port)
    second = as_successor(edge_settings(tmp_path / "second", broker_port=office.broker.port))
    for each in (first, second):
        prepare(each.data.folder)
    kiosk_settings = msgspec.structs.replace(office.settings(), device=Device(office=OFFICE, id="kiosk-1"))
    async with running_kiosk(kiosk_settings) as kiosk:
        async with running(first) as node:
            await until(lambda: kiosk.agent.kiosk.edge_heard and kiosk.agent.reserve.has_numbers, 15)
            labels = [await take(kiosk), await take(kiosk)]
            await until(lambda: len(node.dispatcher.state.day.tickets) == 2)
        kiosk.agent.queue = msgspec.structs.replace(kiosk.agent.queue, heard_at_s=kiosk.agent.now_s() - BOARD_STALE_S)
        await until(lambda: kiosk.agent.kiosk.reserve == "ready")
        labels.append(await take(kiosk))
        async with running(second) as node:
            day = node.dispatcher.state.day
            await until(lambda: kiosk.agent.reserve.numbers.untold == 0, 20)
            await until(lambda: len(node.dispatcher.state.day.tickets) == 3, 20)
            await until(lambda: kiosk.agent.kiosk.edge_heard and kiosk.agent.kiosk.reserve == "none", 15)
            labels.append(await take(kiosk))
            assert day.reserves["kiosk-1"].first == BLOCK + 1
            assert [node.dispatcher.state.tail.epoch, sorted(t.label for t in day.tickets.values())] == [
                2,
                ["A1", "A2", "A3", "Y1"],
            ]
    assert labels == ["A1", "A2", "Y1", "A3"]
