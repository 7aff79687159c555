"""A node that was replaced: it decides nothing more, says so, and leaves the office's devices to the new one."""

import asyncio
import sqlite3
from pathlib import Path

import httpx
import pytest

from edge_node.database import open_writer
from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.uplink.link import LinkState
from provisioning.launchers.broker import Broker
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import commands as c
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.edge import edge
from tests.kit.edge_end import until
from ui.catalog import load_catalog

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
BOSS = c.Actor(actor_id="boss", device_id="console-1", supervisor=True)


async def fence(node: EdgeNode, epoch: int) -> None:
    """What the uplink does when central names a later epoch: remember it in the step, then tell."""
    sql = "INSERT INTO fence (id, epoch) VALUES (1, ?)"
    await node.writer.run(lambda db: db.execute(sql, (epoch,)).rowcount)
    node.link_changed(LinkState(connected=True, fenced_by=epoch))


def facts(folder: Path) -> int:
    connection = sqlite3.connect(folder / "edge.db")
    (count,) = connection.execute("SELECT count(*) FROM fact").fetchone()
    connection.close()
    return int(count)


async def test_a_fenced_node_decides_nothing_and_adds_nothing(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())
        before = node.dispatcher.state.tail
        await fence(node, 2)
        refused = refuse("no_authority")
        assert await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish()) == refused
        assert await node.dispatcher.submit(c.CloseDay(request_id=new_id()), BOSS) == refused
        clock.advance(hours=24)
        clock.step(minutes=30)
        await node.timekeeper.check_clock()
        await node.feed_applied()
        assert node.dispatcher.state.tail == before
        assert len(node.dispatcher.state.day.waiting) == 1
    kept = facts(tmp_path)
    async with edge(tmp_path, clock) as node:
        assert await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish()) == refused
    assert facts(tmp_path) == kept == before.seq


async def test_a_later_life_of_the_same_machine_is_free_again(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await fence(node, 2)
    connection = open_writer(tmp_path / "edge.db")
    connection.execute("UPDATE node SET epoch = 2")
    connection.close()
    async with edge(tmp_path, ManualClock()) as node:
        assert node.dispatcher.state.has_authority
        assert node.dispatcher.state.tail.epoch == 2


@pytest.mark.parametrize("language", ["es", "en"])
async def test_the_console_says_so_on_every_page(tmp_path: Path, language: str) -> None:
    words = load_catalog(strict=True).words(language)
    async with console(tmp_path) as served, httpx.AsyncClient(base_url=served.url) as http:
        said = str(words.markup("console.standing.fenced"))
        headers = {"accept-language": language}
        assert said not in (await http.get("/sign-in", headers=headers)).text
        await fence(served.node, 2)
        assert said in (await http.get("/sign-in", headers=headers)).text
        assert (await http.get("/health/ready")).json()["authority"] == "fenced"


def running_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks()}


@pytest.mark.broker
async def test_a_fenced_node_leaves_the_lan_and_stays_away(tmp_path: Path, broker: Broker) -> None:
    async with edge(tmp_path, ManualClock(), broker_port=broker.port) as node:
        assert node.lan is not None
        await asyncio.wait_for(node.lan._link.wait_connected(), 5)
        assert "lan" in running_tasks()
        await fence(node, 2)
        await until(lambda: not node.lan.connected)  # type: ignore[union-attr]
        assert node.broker_state == "left"
        assert not any(status.online for status in node.devices.all())
    async with edge(tmp_path, ManualClock(), broker_port=broker.port) as node:
        assert node.lan is not None
        assert not node.lan.connected
        assert "lan" not in running_tasks(), "nobody is there to connect later"
        assert node.broker_state == "left"
