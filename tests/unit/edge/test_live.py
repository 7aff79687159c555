"""Live streams: what was missed, who does not keep up, the end."""

import asyncio
from zoneinfo import ZoneInfo

import pytest

from edge_node.console import live as module
from edge_node.console.live import Live, News
from edge_node.metrics import Metrics
from edge_node.queue.journal import Entry
from edge_node.queue.state import OfficeState
from sync.messages.commands import Actor
from sync.messages.node_facts import NodeStarted
from tests.kit.clock import ManualClock
from tests.kit.office import new_id

NODE = Actor(actor_id="system", device_id="edge")


class Office:
    """A state that only starts nodes, and its live streams."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.state = OfficeState("centro", 1, ZoneInfo("Africa/Ceuta"), self.clock)
        self.live = Live(lambda: self.state, Metrics())

    def happen(self, times: int = 1) -> list[Entry]:
        facts = [NodeStarted(node="n", incarnation=new_id(), version="1") for _ in range(times)]
        entries = self.state.record(facts, NODE, self.clock.now())
        self.live.committed(entries, ())
        return entries


@pytest.fixture
def office() -> Office:
    return Office()


def seqs(fresh: tuple[News, ...]) -> list[int]:
    return [each.body["seq"] for each in fresh]


async def test_a_new_stream_is_told_where_it_stands(office: Office) -> None:
    office.happen(3)
    following = office.live.follow()
    first = await anext(following)
    assert [(each.event, each.sse.split(b"\n")[0]) for each in first] == [("reset", b"id: 1-3")]
    office.happen(2)
    assert seqs(await anext(following)) == [4, 5]
    await following.aclose()


@pytest.mark.parametrize(
    "last, events",
    [
        ("1-3", []),
        ("1-1", ["node.started", "node.started"]),
        ("1-0", ["node.started"] * 3),
        ("1-4", ["reset"]),
        ("2-1", ["reset"]),
        ("1-x", ["reset"]),
        ("garbage", ["reset"]),
        ("", ["reset"]),
    ],
)
async def test_what_was_missed_is_told_or_else_reset(office: Office, last: str, events: list[str]) -> None:
    office.happen(3)
    following = office.live.follow(last)
    assert [each.event for each in await anext(following)] == events
    await following.aclose()


async def test_what_is_too_long_ago_is_reset(office: Office) -> None:
    office.happen(module.REMEMBERED + 10)
    following = office.live.follow("1-5")
    assert [each.event for each in await anext(following)] == ["reset"]
    await following.aclose()


async def test_a_stream_that_does_not_keep_up_is_told_to_read_again(office: Office) -> None:
    following = office.live.follow()
    await anext(following)
    office.happen(module.STREAM_MAX + 50)
    fresh = await anext(following)
    assert fresh[0].event == "reset"
    assert len(fresh) <= module.STREAM_MAX
    assert fresh[-1].body["seq"] == module.STREAM_MAX + 50
    await following.aclose()


async def test_closing_ends_every_stream_with_bye(office: Office) -> None:
    async def read() -> bytes:
        return b"".join([chunk async for chunk in office.live.stream(None)])

    readers = [asyncio.create_task(read()) for _ in range(3)]
    await asyncio.sleep(0)
    office.live.close()
    for text in await asyncio.wait_for(asyncio.gather(*readers, read()), 1):
        assert text.endswith(b"event: bye\ndata: {}\n\n")


async def test_silence_is_a_beat(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEAT_S", 0.01)
    stream = office.live.stream(None)
    chunks = [await anext(stream) for _ in range(3)]
    assert chunks[2] == b"event: beat\ndata: {}\n\n"
    await stream.aclose()
