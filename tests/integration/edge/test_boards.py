"""When the screens' boards go out: a call at once, in every zone; what nobody looks up for, a moment later."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from edge_node.lan.boards import CALM_S, Boards
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Done
from sync.io.ids import new_id
from sync.messages import commands as c
from sync.messages import feed as f
from sync.messages.topics import Board, board_topic
from tests.kit.edge import OFFICE, edge, entities
from tests.kit.edge_end import until

CLERK = c.Actor(actor_id="clerk-1", device_id="console-1")
ZONES = [("a",), ("a", "b", "c")]


class Screens:
    """What is published, as soon as it is."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.boards: dict[str, Board] = {}

    async def publish(self, topic: str, body: bytes) -> bool:
        self.begun.append(topic)
        await asyncio.sleep(0.01)  # as a broker's confirmation
        self.boards[topic] = msgspec.json.decode(body, type=Board)
        return True

    def waiting_for(self, zone: str) -> int:
        return self.boards[board_topic(OFFICE, zone)].waiting


@pytest.mark.parametrize("zones", ZONES, ids=["one zone", "three zones"])
async def test_a_call_is_told_at_once_and_a_ticket_in_a_moment(tmp_path: Path, zones: tuple[str, ...]) -> None:
    rows = [msgspec.structs.replace(row, zones=zones) if isinstance(row, f.Office) else row for row in entities()]
    async with edge(tmp_path / "edge", rows=rows) as node:
        screens = Screens()
        boards = Boards(node.dispatcher, screens.publish)
        node.dispatcher.listen(boards)
        sending = asyncio.create_task(boards.run())
        session = await open_counter(node)
        await do(node, c.TakeTicket(request_id=new_id(), service="padron", follow_hash=bytes(32)))
        await until(lambda: len(screens.boards) == len(zones) and screens.waiting_for("a") == 1)
        screens.boards.clear()
        await do(node, c.CallNext(request_id=new_id(), session=session))
        everywhere = {board_topic(OFFICE, zone) for zone in zones}
        assert await until(lambda: set(screens.boards) == everywhere) < CALM_S
        assert [call.label for call in screens.boards[board_topic(OFFICE, "a")].calls] == ["A1"]
        await do(node, c.TakeTicket(request_id=new_id(), service="padron", follow_hash=bytes(32)))
        await until(lambda: screens.waiting_for("a") == 1)
        sending.cancel()
        await asyncio.wait({sending})


async def test_a_call_is_on_its_way_to_the_screen_before_the_clerk_has_the_reply(tmp_path: Path) -> None:
    async with edge(tmp_path / "edge") as node:
        screens = Screens()
        boards = Boards(node.dispatcher, screens.publish)
        node.dispatcher.listen(boards)
        sending = asyncio.create_task(boards.run())
        session = await open_counter(node)
        await do(node, c.TakeTicket(request_id=new_id(), service="padron", follow_hash=bytes(32)))
        # The boards of before are out and none is on its way: the next is due with the beat, or with a call.
        await until(lambda: screens.boards and screens.waiting_for("a") == 1)
        screens.begun.clear()
        await do(node, c.CallNext(request_id=new_id(), session=session))
        assert screens.begun == [board_topic(OFFICE, "a")]
        sending.cancel()
        await asyncio.wait({sending})


async def do(node: EdgeNode, command: c.AnyCommand) -> None:
    assert isinstance(await node.dispatcher.submit(command, CLERK), Done)


async def open_counter(node: EdgeNode) -> str:
    command = c.OpenCounter(request_id=new_id(), counter="1")
    await do(node, command)
    return command.request_id
