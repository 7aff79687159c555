"""A database that was put back from an image: found out by the anchor, a device or central, and then nothing is done with it."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import httpx
import pytest

from edge_node.authority.anchor import read_anchor
from edge_node.console.staff_sessions import Member
from edge_node.lan.boards import Boards
from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Done
from edge_node.uplink.link import LinkState
from provisioning.launchers.broker import Broker
from sync.domain.outcomes import refuse
from sync.io.ids import new_id
from sync.messages import codec
from sync.messages import commands as c
from sync.messages import topics as t
from sync.messages.refusals import Refusal
from tests.integration.edge.clerk import clerk_at
from tests.integration.edge.test_lan import device
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.edge import edge
from tests.kit.edge_end import until

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
BOSS = Member(staff_id="boss", display_name="Boss", roles=("clerk", "supervisor"), console="console-1")
CLERK = Member(staff_id="clerk-1", display_name="Clerk", roles=("clerk",), console="console-1")
NO_AUTHORITY = refuse("no_authority")


async def take(node: EdgeNode) -> Done | Refusal:
    return await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())


async def break_glass(node: EdgeNode, member: Member) -> object:
    return await node.staff_desk.carry_out("break_glass", codec.encode({"request_id": new_id()}), member)


async def an_old_copy(folder: Path, clock: ManualClock) -> tuple[int, int]:
    """A node works, an image is made, it works on, the image is put back; where both journals ended."""
    async with edge(folder, clock) as node:
        await take(node)
        old = node.dispatcher.state.tail.seq
    shutil.copytree(folder, folder.with_name("image"), ignore=shutil.ignore_patterns("anchor*"))
    async with edge(folder, clock) as node:
        await take(node)
        new = node.dispatcher.state.tail.seq
    for name in ("edge.db-wal", "edge.db-shm"):
        (folder / name).unlink(missing_ok=True)
    shutil.copy(folder.with_name("image") / "edge.db", folder / "edge.db")
    return old, new


async def test_the_anchor_follows_the_journal(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        tail = node.dispatcher.state.tail
        await until(lambda: (a := read_anchor(tmp_path / "anchor.json")) is not None and a.seq == tail.seq)
        await take(node)
        tail = node.dispatcher.state.tail
    anchor = read_anchor(tmp_path / "anchor.json")
    assert anchor is not None
    assert (anchor.epoch, anchor.seq, anchor.hash) == (1, tail.seq, tail.hash), "the last word is written at the end"
    async with edge(tmp_path, ManualClock()) as node:
        assert node.dispatcher.state.has_authority


async def test_an_old_image_does_nothing(tmp_path: Path) -> None:
    clock, folder = ManualClock(), tmp_path / "edge"
    old, new = await an_old_copy(folder, clock)
    for _ in range(2):  # a restart changes nothing
        async with edge(folder, clock) as node:
            assert await take(node) == NO_AUTHORITY
            assert node.dispatcher.state.standing.witnessed == (1, new)
            assert node.dispatcher.state.tail.seq == old


async def test_a_supervisor_may_go_on_with_it_and_that_is_a_fact(tmp_path: Path) -> None:
    clock, folder = ManualClock(), tmp_path / "edge"
    _, new = await an_old_copy(folder, clock)
    async with edge(folder, clock) as node:
        assert await break_glass(node, CLERK) == refuse("forbidden")
        assert isinstance(await break_glass(node, BOSS), Done)
        assert isinstance(await take(node), Done)
        facts = await node.writer.run(lambda db: db.execute("SELECT type, actor_id, body FROM fact").fetchall())
        ((_, actor, body),) = [row for row in facts if row[0] == "node.break_glass"]
        assert (actor, codec.decode(body, dict)) == ("boss", {"seen_epoch": 1, "seen_seq": new})
        node.witnessed("kiosk-1", (1, new))
        assert node.dispatcher.state.has_authority, "answered for"
        clock.advance(days=2)
        await node.timekeeper.check_clock()
    async with edge(folder, clock) as node:
        assert isinstance(await take(node), Done), "also days later"
        node.witnessed("kiosk-1", (1, new + 100))
        assert await take(node) == NO_AUTHORITY


async def test_what_a_witness_said_outlives_a_restart(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
        seen = (1, node.dispatcher.state.tail.seq + 7)
        node.witnessed("kiosk-1", seen)
        assert await take(node) == NO_AUTHORITY
    async with edge(tmp_path, ManualClock()) as node:
        assert node.dispatcher.state.standing.witnessed == seen
        assert await take(node) == NO_AUTHORITY


async def test_central_is_a_witness_too(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        node.link_changed(LinkState(connected=True, halted="fork", forked_at=40))
        assert node.dispatcher.state.standing.witnessed == (1, 40)
        assert await take(node) == NO_AUTHORITY
        assert isinstance(await break_glass(node, BOSS), Done)
        node.link_changed(LinkState(connected=False, halted="fork", forked_at=40))
        assert isinstance(await take(node), Done)


async def test_an_unreadable_anchor_stops_nobody(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await take(node)
    (tmp_path / "anchor.json").write_bytes(b"\x00")
    async with edge(tmp_path, ManualClock()) as node:
        assert isinstance(await take(node), Done)


def count_rounds(boards: Boards, monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """Grows by one with every time that the boards were, or were not, sent."""
    rounds: list[None] = []
    send = boards._send

    async def counted() -> None:
        await send()
        rounds.append(None)

    monkeypatch.setattr(boards, "_send", counted)
    return rounds


@pytest.mark.broker
async def test_a_device_that_saw_more_is_believed(
    tmp_path: Path, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with device(broker, "kiosk-1") as kiosk, edge(tmp_path, ManualClock(), broker_port=broker.port) as node:
        assert node.lan is not None
        await asyncio.wait_for(node.lan._link.wait_connected(), 5)
        tail = node.dispatcher.state.tail
        status = t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True, seen_epoch=1, seen_seq=tail.seq)
        await kiosk.say("status", status)
        await until(lambda: any(each.online for each in node.devices.all()))
        assert node.dispatcher.state.has_authority, "as much is not more"
        await kiosk.say(
            "status", t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True, seen_epoch=1, seen_seq=900)
        )
        await until(lambda: not node.dispatcher.state.has_authority)
        assert node.lan.connected, "it is still to be heard, should a supervisor go on with it"
        reply = await kiosk.take()
        assert reply["refusal"]["code"] == "no_authority"
        kiosk.heard.clear()
        rounds = count_rounds(node.lan.boards, monkeypatch)
        node.lan.boards.send_now()
        await until(lambda: rounds)
        await kiosk.take()  # answered behind whatever was sent before
        assert not [topic for topic, _ in kiosk.heard if topic.endswith("/board")], "its boards would hide the evidence"


async def test_the_supervisor_finds_it_on_the_page(tmp_path: Path) -> None:
    async with console(tmp_path) as served, httpx.AsyncClient(base_url=served.url) as http:
        served.node.witnessed("kiosk-1", (1, 900))
        assert "copia antigua" in (await http.get("/sign-in", headers={"accept-language": "es"})).text
        assert (await http.get("/health/ready")).json()["authority"] == "rolled_back"
        async with clerk_at(served, "boss") as boss:
            assert "/act/break_glass" in (await boss.http.get("/supervise")).text
            await boss.post("/act/break_glass", {"here": "/supervise"})
            assert "/act/break_glass" not in (await boss.http.get("/supervise")).text
        assert served.node.dispatcher.state.has_authority
