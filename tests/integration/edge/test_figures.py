"""What operations watch of an office's rights, clock, screens and disk."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from edge_node.node import EdgeNode
from edge_node.queue.desk import Wish
from edge_node.queue.outcomes import Done
from edge_node.uplink.link import LinkState
from sync.io.ids import new_id
from sync.messages import commands as c
from tests.kit.clock import ManualClock
from tests.kit.edge import edge

KIOSK = c.Actor(actor_id=c.CITIZEN, device_id="kiosk-1")
CLERK = c.Actor(actor_id="clerk-1", device_id="console-1")
DISPLAY = c.Actor(actor_id=c.CITIZEN, device_id="display-1")
NAMES = ("fenced", "rolled_back", "date_unconfirmed", "rows_put_aside", "people_untold", "calls_unseen")


def figures(node: EdgeNode) -> dict[str, float]:
    lines = (line.split() for line in node.metrics.text().decode().splitlines() if not line.startswith("#"))
    found = {line[0].removeprefix("ventanilla_"): float(line[1]) for line in lines}
    return {name: found[name] for name in (*NAMES, "disk_free_ratio")}


async def test_an_office_that_is_well_shows_zeros(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await node.timekeeper.check_clock()
        await node.disk.look()
        found = figures(node)
        assert 0 < found.pop("disk_free_ratio") <= 1
        assert found == dict.fromkeys(NAMES, 0)


async def test_a_call_that_no_screen_shows_is_counted_until_one_does(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())
        opened = await node.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK)
        assert isinstance(opened, Done)
        assert opened.reply.session is not None
        call = c.CallNext(request_id=new_id(), session=opened.reply.session.session)
        called = await node.dispatcher.submit(call, CLERK)
        assert isinstance(called, Done)
        assert called.reply.ticket is not None
        clock.advance(seconds=5)
        assert figures(node)["calls_unseen"] == 0
        clock.advance(seconds=1)
        assert figures(node)["calls_unseen"] == 1
        shown = c.ReportShown(
            request_id=new_id(), ticket_id=called.reply.ticket.ticket_id, recalls=0, shown_at=clock.now(), sounded=True
        )
        await node.dispatcher.submit(shown, DISPLAY)
        assert figures(node)["calls_unseen"] == 0


async def test_what_takes_authority_shows(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        await node.timekeeper.check_clock()
        node.witnessed("kiosk-1", (1, 900))
        assert (figures(node)["rolled_back"], figures(node)["fenced"]) == (1, 0)
        node.link_changed(LinkState(connected=True, fenced_by=2))
        assert figures(node)["fenced"] == 1


async def test_rows_put_aside_and_a_doubtful_clock_show(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock(datetime(2021, 1, 1, 9, tzinfo=UTC))) as node:
        insert = "INSERT INTO entity_aside (stream, kind, entity_id, version, body) VALUES ('office:centro', 'lease', ?, 1, x'7b7d')"
        await node.writer.run(lambda db: db.execute(insert, (new_id(),)).rowcount)
        await node.feed_applied()
        assert (figures(node)["rows_put_aside"], figures(node)["date_unconfirmed"]) == (1, 1)
