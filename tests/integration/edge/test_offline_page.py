"""What works without network is read from what will decide it: lent seats, kiosks' numbers, the agenda, what is known of staff."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from edge_node.console.offline_view import Around, KioskLeft, Offline, view_offline
from edge_node.node import EdgeNode
from edge_node.queue.arrivals import Shown
from edge_node.queue.desk import Wish
from edge_node.queue.dispatcher import NODE
from edge_node.queue.outcomes import Done
from edge_node.uplink.link import LinkState
from sync.domain.reserve import BLOCK, grant
from sync.io.ids import new_id
from sync.messages import topics as t
from sync.messages.commands import CITIZEN, Actor
from tests.integration.edge.clerk import clerk_at
from tests.integration.edge.test_leases import lease, sell, sold, tomorrow
from tests.kit.clock import ManualClock
from tests.kit.console_server import console
from tests.kit.edge import appointment, edge, entities, feed, soon

KIOSK = Actor(actor_id=CITIZEN, device_id="kiosk-1")


async def seen(node: EdgeNode, **changes: Any) -> Offline:
    known = Around(
        link=LinkState(connected=False, pending_facts=9),
        unheard=timedelta(hours=2),
        sign_in_limit=timedelta(hours=72),
        signs=True,
        devices=tuple(node.devices.all()),
    )
    around = msgspec.structs.replace(known, **changes)
    return await node.dispatcher.read(lambda state: view_offline(state, around))


async def test_a_lent_seat_that_is_sold_is_no_longer_offered(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock, rows=[*entities(), lease(clock, seats=2)]) as node:
        before = await seen(node)
        assert (before.seats, before.seats_until, before.sold) == (2, tomorrow(clock), 0)
        sold(await sell(node, tomorrow(clock)))
        after = await seen(node)
        assert (after.seats, after.sold) == (1, 1)
        await feed(node, lease(clock, seats=2, recalled=True))
        assert ((await seen(node)).seats, (await seen(node)).seats_until) == (0, None)


async def test_seats_of_another_life_of_the_node_and_of_slots_that_have_begun_are_none(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path / "other", clock, rows=[*entities(), lease(clock, fence=2)]) as node:
        assert (await seen(node)).seats == 0
    async with edge(tmp_path / "own", clock, rows=[*entities(), lease(clock)]) as node:
        assert (await seen(node)).seats == 2
        clock.advance(days=1, hours=1)
        assert (await seen(node)).seats == 0


async def test_who_is_still_to_come_and_how_far_the_agenda_goes(tmp_path: Path) -> None:
    clock = ManualClock()
    today = appointment(soon(clock.now()), locator="ACDEFH")
    later = appointment(soon(clock.now()) + timedelta(days=6))
    gone = appointment(soon(clock.now()) + timedelta(days=7), locator="ACDEFJ", status="cancelled")
    async with edge(tmp_path, clock, rows=[*entities(), today, later, gone]) as node:
        view = await seen(node)
        assert (view.today, view.known_until) == (1, (clock.now() + timedelta(days=6)).date())
        answer = await node.desk.check_in(new_id(), Shown("locator", "ACDEFH"), KIOSK, Wish())
        assert isinstance(answer, Done)
        assert (await seen(node)).today == 0


async def test_kiosks_numbers_are_what_is_left_of_their_block_by_whoever_knows_more(tmp_path: Path) -> None:
    async with edge(tmp_path, ManualClock()) as node:
        assert (await seen(node)).kiosks == (KioskLeft(kiosk="kiosk-1"), KioskLeft(kiosk="kiosk-2"))
        await node.desk.take_ticket(new_id(), "padron", KIOSK, Wish())  # opens the day
        block = grant(node.dispatcher.state.day, "kiosk-1", "Y")
        assert block is not None
        await node.dispatcher.act(lambda state, now: state.record([block], NODE, now))
        assert (await seen(node)).kiosks[0] == KioskLeft(kiosk="kiosk-1", series="Y", left=BLOCK)
        held = t.HeldNumbers(
            service_date=block.service_date, series="Y", last=BLOCK, highest={"Y": 4, "A": 1}, untold=4
        )
        node.devices.heard(t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True, numbers=held))
        assert (await seen(node)).kiosks[0].left == BLOCK - 4, "the kiosk has given four that it could not tell yet"
        yesterday = msgspec.structs.replace(held, service_date=block.service_date - timedelta(days=1))
        node.devices.heard(t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True, numbers=yesterday))
        assert (await seen(node)).kiosks[0].left == BLOCK


async def test_signing_in_ends_by_the_age_of_what_is_known(tmp_path: Path) -> None:
    clock = ManualClock()
    async with edge(tmp_path, clock) as node:
        now = node.dispatcher.state.now()
        view = await seen(node)
        assert (view.since, view.pending) == (now - timedelta(hours=2), 9)
        assert (view.sign_in_until, view.sign_in_left) == (now + timedelta(hours=70), timedelta(hours=70))
        assert (await seen(node, unheard=timedelta(hours=80))).sign_in_left == timedelta()
        heard_at = now - timedelta(minutes=3)
        assert (await seen(node, link=LinkState(connected=False, last_contact_at=heard_at))).since == heard_at
        connected = await seen(node, link=LinkState(connected=True), unheard=timedelta())
        assert (connected.reach, connected.since, connected.sign_in_until) == ("connected", None, None)
        assert (await seen(node, link=None)).reach == "alone"


async def test_the_page_is_for_whoever_works_here(tmp_path: Path) -> None:
    async with console(tmp_path / "edge") as served:
        async with clerk_at(served) as stranger:
            reply = await stranger.http.get("/offline")
            assert (reply.status_code, reply.headers["location"]) == (303, "/sign-in")
        async with clerk_at(served, "clerk-1") as clerk:
            assert "Este servidor trabaja sin central." in await clerk.page("/offline")
            english = await clerk.page("/offline?lang=en")
            assert "Without network: what works and until when" in english
            assert "kiosk-1" in english
            assert 'href="/offline"' in await clerk.page("/counter"), "from the help of any page"
