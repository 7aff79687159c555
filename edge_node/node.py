"""One running edge node: its parts, and the order in which they come up and go down.

Up: migrations, boot check, writer, replay, the node's own facts, LAN, uplink; HTTP last (``serving``). Down: live streams and
HTTP first, then uplink and LAN, then the dispatcher with what it still has, then the file. The caller holds the folder's lock.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import structlog

from edge_node.authority.anchor import AnchorFile
from edge_node.authority.rules import Anchor
from edge_node.console.agenda_news import agenda_line
from edge_node.console.broadcasts import Broadcasts
from edge_node.console.commands import StaffDesk
from edge_node.console.forecasts import Forecasts
from edge_node.console.link_news import shown_of
from edge_node.console.live import Live
from edge_node.console.own_keys import OwnKeys
from edge_node.console.queue_view import QueueView, view_queue
from edge_node.console.staff_sessions import StaffSessions
from edge_node.copies.files import refuse_condemned
from edge_node.copies.keeper import CopyKeeper
from edge_node.database import open_writer, quick_check
from edge_node.disk.keeper import DiskKeeper
from edge_node.lan.devices import Devices
from edge_node.lan.link import Lan
from edge_node.leases.sales import Sales
from edge_node.leases.store import forget_person, pending_people
from edge_node.metrics import Metrics
from edge_node.migrations import migrate, steps
from edge_node.practice.rules import Progress, practice_cookie
from edge_node.queue.boot import Identity, drop_anchor, identify, known_requests, load_state, register_devices
from edge_node.queue.configuration import apply_configuration, configure, news_of, read_rows
from edge_node.queue.desk import Desk
from edge_node.queue.dispatcher import NODE, Dispatcher, StateUnknown
from edge_node.queue.journal import Entry, PendingPrint
from edge_node.queue.rights import new_grants, settle_rights
from edge_node.queue.state import OfficeState
from edge_node.queue.timekeeper import Timekeeper
from edge_node.queue.waits import foresee, publish, scene
from edge_node.settings import Settings
from edge_node.uplink.link import LinkState
from edge_node.uplink.service import Uplink
from edge_node.writer import WriteFailed, Writer
from provisioning.settings import SettingsError, certificates_in
from sync.domain.handover import command_of
from sync.domain.witness import Seen
from sync.io.clock import Clock, ClockThatIsSet, SystemClock
from sync.io.ids import new_id
from sync.io.node_token import load_key
from sync.messages.facts import LeaseSold
from sync.messages.feed import Appointment, TicketGrant
from sync.messages.node_facts import (
    ConfigApplied,
    NodeStarted,
)
from sync.messages.people import PersonRequest
from sync.protocol.downlink import StreamRow
from sync.protocol.hello import Node

VERSION = "0.1.0"
RETRY_S = 1.0
SETTLE_S = 5.0
log = structlog.get_logger()


class EdgeNode:
    """Everything of a node that routes and pages need."""

    def __init__(
        self,
        settings: Settings,
        writer: Writer,
        identity: Identity,
        dispatcher: Dispatcher,
        anchor: Anchor | None = None,
    ) -> None:
        self.settings = settings
        self.writer = writer
        self.identity = identity
        self.dispatcher = dispatcher
        self.metrics = dispatcher.metrics
        self.stopping = False
        self.practice: Progress | None = None
        """What a learner has done, when this is an invented office for practice."""
        self.at_stop: list[Callable[[], None]] = []
        """What else ends first at a shutdown."""
        self.link: LinkState | None = None
        """How the office stands to central; none when the node works alone."""
        self.lan_chore: asyncio.Task[None] | None = None
        """The task that serves the LAN; none while there is no LAN, or it was left to another node."""
        self.live = Live(lambda: dispatcher.state, self.metrics)
        self.devices = Devices(settings.devices, self.metrics)
        self.desk = Desk(dispatcher, writer, self.metrics, settings.central.public_url)
        key_file = settings.central.node_key_file
        self._key = load_key(key_file) if key_file is not None else None
        self.desk.sign = self._key.sign if self._key is not None else None
        self.desk.central_now = self.central_now
        self.sales = Sales(dispatcher, lambda: self.link is not None and self.link.connected)
        self.broadcasts = Broadcasts(writer, dispatcher.state, self.live.tell)
        self.forecasts = Forecasts(dispatcher)
        self.staff_desk = StaffDesk(self.desk, self.sales, self.devices.kiosks, self.broadcasts)
        self.sessions = StaffSessions(
            writer,
            lambda: dispatcher.state.configuration.staff,
            dispatcher.state.now,
            lambda: dispatcher.state.clock.monotonic_ns() / 1e9 / settings.clock.rate,
            settings.sign_in,
            true_now=self.central_now,
            connected=lambda: None if not settings.central.url else self.link is not None and self.link.connected,
        )
        self.own_keys = OwnKeys(writer)
        self.timekeeper = Timekeeper(dispatcher, writer)
        self.lan = self._lan() if settings.broker.port else None
        known_offset = timedelta(milliseconds=anchor.central_offset_ms) if anchor is not None else timedelta()
        self.uplink = self._uplink(known_offset) if settings.central.url else None
        self.disk = DiskKeeper(settings, dispatcher, writer, self._disk_changed)
        self.copies = CopyKeeper(settings, self.metrics, dispatcher.state.now, end_process)
        self.metrics.watch_office(dispatcher.state)
        self.metrics.watch_disk(lambda: self.disk.free_ratio)
        self.anchor = AnchorFile(settings.anchor_file, anchor, self._offset)
        for listener in (self.timekeeper, self.live, self.anchor, self):
            dispatcher.listen(listener)

    @property
    def cookie(self) -> str:
        """Name of the session cookie; ports do not separate cookies, offices do."""
        return f"vt_edge_{self.settings.office.id}"

    @property
    def page_cookie(self) -> str:
        """What the names of all other cookies of its pages begin with: practice leaves nothing at the real console."""
        return self.cookie if self.practice is None else practice_cookie(self.cookie)

    @property
    def broker_state(self) -> str:
        if self.lan is None:
            return "none"
        if self.lan_chore is None:
            return "left"
        return "online" if self.lan.connected else "offline"

    async def view_queue(self) -> QueueView:
        """The whole state of the queue, as the console shows it."""
        return await self.dispatcher.read(lambda state: view_queue(state, self.devices.all(), self.link))

    async def feed_applied(self, _rows: Sequence[StreamRow] | None = None) -> None:
        """The uplink has committed rows of the feed: decide with them from the next command on, tell who shows them."""
        known = self.dispatcher.state.agenda
        changed = None
        while changed is None:  # the rows are committed: nobody will tell of them again
            changed = await self._reconfigured()
        await self.settle_rights()
        await self.timekeeper.erase_people()
        await self._tell_agenda(news_of(known, self.dispatcher.state.agenda))
        await self.sessions.sweep()
        if changed and self.lan is not None:
            await self.lan.configured()
            self.lan.boards.send_now()

    async def pending_people(self) -> list[PersonRequest]:
        """Who appointments are for that were sold here, as long as central does not have them."""
        office = self.settings.office.id
        return await self.writer.run(lambda connection: pending_people(connection, office))

    async def person_taken(self, appointment_id: str) -> None:
        """Central has the person of an appointment: nothing of them but the feed's row stays here."""
        await self.writer.run(lambda connection: forget_person(connection, appointment_id))
        self.dispatcher.state.buyers.pop(appointment_id, None)

    def central_now(self) -> datetime:
        """Central's time, as well as it is known here."""
        return self.uplink.central_now() if self.uplink is not None else self.dispatcher.state.now()

    async def settle_rights(self) -> None:
        """Do what came down: hold tickets granted to this office, end those that are over here, give back leased seats."""
        try:
            for grant in await self.dispatcher.read(new_grants):
                await self._hold(grant)
            await self.dispatcher.act(settle_rights)
        except StateUnknown as error:
            log.warning("rights.not_settled", error=str(error))

    async def _hold(self, grant: TicketGrant) -> None:
        """Hold a granted ticket. One that this build cannot hold, whatever the bug, delays neither the others nor the start."""
        try:
            command = command_of(grant, self.settings.office.id, new_id(), self.central_now())
            await self.dispatcher.submit(command, NODE)
        except StateUnknown:
            raise
        except Exception as error:  # noqa: BLE001 - see above
            log.warning("rights.grant_not_held", ticket=grant.id, error=type(error).__name__)

    async def keep_rights(self) -> None:
        """Do again what could not be done when it came: the day was not open, the ticket was at a counter, the disk failed."""
        while True:
            await asyncio.sleep(SETTLE_S)
            await self.settle_rights()

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        """Wake the uplink: these facts are durable. Show what was sold like any other appointment."""
        if self.uplink is not None:
            self.uplink.committed(entries[-1].header.seq)
        agenda = self.dispatcher.state.agenda.by_id
        for each in entries:
            if isinstance(each.fact, LeaseSold) and (row := agenda.get(each.fact.appointment_id)) is not None:
                self.live.tell("agenda", agenda_line(self.dispatcher.state, row))

    def restored(self) -> None:
        """Facts may be in the journal that were never told of."""
        if self.uplink is not None:
            self.uplink.committed(self.dispatcher.state.tail.seq)

    def link_changed(self, link: LinkState) -> None:
        """The uplink tells how the office stands to central."""
        before, self.link = self.link, link
        if link.fenced_by > self.dispatcher.state.standing.fenced_by:
            self._fenced(link.fenced_by)
        if self.uplink is not None and self.settings.clock.rate == 1.0:  # another rate parts from central on purpose
            self.dispatcher.state.central_clock = self.uplink.central_clock
        if link.halted == "fork":
            self.witnessed("central", (self.identity.epoch, link.forked_at))
        self.metrics.uplink_lag.set(link.pending_facts)
        if shown_of(before) != shown_of(link):
            self.live.tell("link", msgspec.to_builtins(link))

    def leave_lan(self) -> None:
        """Stop serving the devices: they are another node's by now."""
        if self.lan_chore is not None:
            self.lan_chore.cancel()
            self.lan_chore = None
            self.devices.lost_all()
            self._devices_changed()

    def _fenced(self, epoch: int) -> None:
        log.error("node.fenced", epoch=epoch)
        state = self.dispatcher.state
        state.standing = state.standing.fenced(epoch)
        if state.standing.is_fenced:
            self.leave_lan()

    def witnessed(self, witness: str, seen: Seen) -> None:
        """Somebody has seen a place that this journal does not have: without authority from now on, also after a restart."""
        state = self.dispatcher.state
        before, state.standing = state.standing, state.standing.contradicted(seen)
        if state.standing != before:
            log.error("node.rolled_back", witness=witness, epoch=seen[0], seq=seen[1], own_seq=state.tail.seq)
            self.anchor.witnessed(seen)

    def stop_streams(self) -> None:
        """End every live stream: the first thing of a shutdown."""
        self.stopping = True
        self.live.close()
        for stop in self.at_stop:
            stop()

    async def _reconfigured(self) -> bool | None:
        """Work with what the database says now; whether more than the agenda changed.

        None, after a pause, when the disk failed.
        """
        known = self.dispatcher.state.configuration
        try:
            fresh = await asyncio.to_thread(configure, await self.writer.run(read_rows), known)
            return await self.dispatcher.act(lambda state, _now: apply_configuration(state, fresh, NODE)) > 0
        except (WriteFailed, StateUnknown) as error:
            log.warning("configuration.not_applied", error=str(error))
            await asyncio.sleep(RETRY_S)
            return None

    async def _tell_agenda(self, rows: list[Appointment]) -> None:
        for line in await self.dispatcher.read(lambda state: [agenda_line(state, row) for row in rows]):
            self.live.tell("agenda", line)

    def _lan(self) -> Lan:
        lan = Lan(self.settings.broker, self.dispatcher, self.desk, self.devices, self.writer)
        lan.on_devices = self._devices_changed
        lan.on_witness = self.witnessed
        self.desk.on_print = lan.prints.add
        for listener in (lan.boards, lan.prints, lan.reserves):
            self.dispatcher.listen(listener)
        return lan

    def _disk_changed(self) -> None:
        self.live.tell("disk", {"level": self.disk.level})

    def _offset(self) -> timedelta:
        return self.uplink.offset if self.uplink is not None else timedelta()

    def _uplink(self, offset: timedelta) -> Uplink:
        central = self.settings.central
        if self._key is None:
            raise SettingsError("settings", "central.node_key_file", "is needed to reach central")
        identity = self.identity
        return Uplink(
            node=Node(
                office=identity.office,
                node=identity.node,
                epoch=identity.epoch,
                incarnation=identity.incarnation,
                activation=identity.activation,
            ),
            url=central.url,
            key=self._key,
            writer=self.writer,
            clock=self.dispatcher.state.clock,
            schema=[*steps()][-1],
            folder=self.settings.data.folder,
            on_news=self.feed_applied,
            on_link=self.link_changed,
            book=lambda: self.dispatcher.state.book,
            people=self,
            is_rolled_back=lambda: self.dispatcher.state.standing.is_rolled_back,
            registry=self.metrics.registry,
            trusted=certificates_in(central.ca_file, "central.ca_file") if central.ca_file else None,
            offset=offset,
        )

    def _devices_changed(self) -> None:
        self.live.tell("devices", {"devices": [msgspec.to_builtins(status) for status in self.devices.all()]})


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock | None = None, *, opener: Callable[[Path], sqlite3.Connection] = open_writer
) -> AsyncIterator[EdgeNode]:
    """A node that works, without HTTP. The caller holds the folder's lock.

    Args:
        opener: makes the writer's connection; tests put one there that is watched.

    Raises:
        DatabaseTooNew, DatabaseDamaged, JournalBroken, WrongNode: the node must not start.
    """
    refuse_condemned(settings.data.folder)
    applied = migrate(settings.database_file)
    quick_check(settings.database_file)
    log.info("database.ready", applied=applied)
    writer = Writer(settings.database_file, opener)
    writer.start()
    try:
        node = await _boot(settings, writer, clock or _clock(settings))
        async with _serving(node):
            yield node
    finally:
        await writer.close()


def end_process() -> None:
    """End as if somebody had asked for it: streams are closed, what was handed over is written."""
    os.kill(os.getpid(), signal.SIGTERM)


def _clock(settings: Settings) -> Clock:
    rate, ahead_file = settings.clock.rate, settings.clock.ahead_file
    return SystemClock(rate) if ahead_file is None else ClockThatIsSet(ahead_file, rate)


async def _boot(settings: Settings, writer: Writer, clock: Clock) -> EdgeNode:
    identity = await identify(writer, settings.office, settings.central.activation_file)
    state = await load_state(writer, identity, settings.office, clock)
    publish(state, await foresee(scene(state)))
    await register_devices(writer, settings.devices)
    dispatcher = Dispatcher(state, writer, Metrics(), await known_requests(writer))
    dispatcher.metrics.watch(lambda: dispatcher.depth, lambda: len(dispatcher.state.day.waiting))
    node = EdgeNode(settings, writer, identity, dispatcher, await drop_anchor(writer, state, settings.anchor_file))
    await node.sessions.load()
    await node.broadcasts.load()
    await node.own_keys.load()
    log.info("journal.replayed", epoch=state.tail.epoch, seq=state.tail.seq, tickets=len(state.day.tickets))
    return node


@asynccontextmanager
async def _serving(node: EdgeNode) -> AsyncIterator[None]:
    node.dispatcher.start()
    chores: list[asyncio.Task[None]] = []
    try:  # also around the first commits: a start that the disk refuses leaves nothing running
        await node.dispatcher.act(lambda state, now: _started(state, now, node.identity))
        await node.settle_rights()  # what came down before the last process could do it
        chores += [_start(node.timekeeper.run, "timekeeper"), _start(node.sessions.run, "sessions")]
        if node.lan is not None and not node.dispatcher.state.standing.is_fenced:
            node.lan_chore = _start(node.lan.run, "lan")
            chores.append(node.lan_chore)
        chores += [_start(node.keep_rights, "rights"), _start(node.anchor.run, "anchor"), _start(node.disk.run, "disk")]
        chores.append(_start(node.copies.run, "copies"))
        if node.uplink is not None:
            node.restored()
            chores.append(_start(node.uplink.run, "uplink"))
        yield
    finally:
        node.stop_streams()
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await node.dispatcher.close()


def _started(state: OfficeState, now: Any, identity: Identity) -> list[Entry]:
    started = NodeStarted(node=identity.node, incarnation=identity.incarnation, version=VERSION)
    configured = ConfigApplied(versions=state.configuration.versions, states=state.configuration.states)
    return state.record((started, configured), NODE, now)


def _start(work: Callable[[], Coroutine[Any, Any, None]], name: str) -> asyncio.Task[None]:
    """A task that never ends by itself: an office without its LAN or its clock is worse than one that begins them anew."""

    async def keep() -> None:
        while True:
            try:
                await work()
            except Exception:
                log.exception("node.task_failed", task=name)
            await asyncio.sleep(RETRY_S)

    return asyncio.create_task(keep(), name=name)
