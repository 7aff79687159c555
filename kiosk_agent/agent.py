"""The kiosk at work: every event goes through the machine, is saved, then acted upon.

One lock orders the events. What follows from one of them is written to the spool in one transaction before anything is
sent, shown or printed; the effects are then delivered by tasks of their own, so a slow printer never holds up a touch.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import structlog

from kiosk_agent import machine
from kiosk_agent.link import EdgeLink, Heard
from kiosk_agent.machine import Kiosk
from kiosk_agent.machine import events as e
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.printer import PrinterState, TicketPrinter
from kiosk_agent.printing.slips import SlipPrinter
from kiosk_agent.requests import Requests
from kiosk_agent.reserve import Reserve
from kiosk_agent.retelling import Retelling
from kiosk_agent.scanner import Scanner
from kiosk_agent.settings import Settings
from kiosk_agent.spool import CommandState, Entry, Spool
from kiosk_agent.voice import CatalogVoice, voice
from kiosk_agent.waiting import Queue, is_heard, is_silent, with_board, with_epoch, with_sign_of_life
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.io.mqtt import MqttMessage
from sync.messages.codec import MalformedMessage, decode, encode
from sync.messages.topics import (
    AckReply,
    Board,
    DeviceConfig,
    DeviceStatus,
    Epoch,
    KioskReply,
    PrintFailedAck,
    PrintJob,
)
from ui.catalog import Catalog
from ui.formats import CITY_ZONE

RESUME_WITHIN = timedelta(seconds=30)
"""A request of an earlier run is taken up again only while its person may still be standing there."""
REMEMBERED = timedelta(hours=48)
TICK_S = 0.5
FORGET_EVERY_S = 3600.0
POLL_PRINTER_S = 10.0
VERSION = "0.1.0"

log = structlog.get_logger(__name__)


class Hardware(NamedTuple):
    """What hangs on this kiosk."""

    printer: TicketPrinter
    scanner: Scanner
    letters: Letters


class Agent:
    """One kiosk.

    Attributes:
        kiosk: the machine's state.
        queue: what is known of the office's queue.
        config: what the office wants shown; none before the first contact.
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        hardware: Hardware,
        catalog: Catalog,
        clock: Clock,
        *,
        jitter: Callable[[], float],
    ) -> None:
        self.settings = settings
        self.scanner = hardware.scanner
        self.clock = clock
        self.kiosk = Kiosk()
        self.queue = Queue()
        self.config: DeviceConfig | None = None
        self.zone: ZoneInfo = CITY_ZONE
        self._spool = spool
        self._printer = hardware.printer
        self._catalog = catalog
        self._device = settings.device.id
        self._turn = asyncio.Lock()
        self._watchers: set[asyncio.Event] = set()
        self._printer_state: PrinterState = "none"
        self._started_s = self.now_s()
        self.reserve = Reserve(spool, clock, self._device)
        self.link = EdgeLink(settings, spool, clock, status=self._status, jitter=jitter)
        self.retelling = Retelling(spool, clock, self._device)
        self.link.on_connect = self._tell_now
        self.requests = Requests(self.link.ask, self._gave_up)
        self.slips = SlipPrinter(
            spool,
            hardware.printer,
            settings.printer,
            hardware.letters,
            clock,
            device=self._device,
            voice=self.voice,
            ended=self._printed,
        )

    @property
    def printer_state(self) -> PrinterState:
        return self._printer_state

    def now_s(self) -> float:
        return self.clock.monotonic_ns() / 1e9

    def voice(self, language: str) -> CatalogVoice:
        return voice(self._catalog, language, self.zone)

    @contextlib.contextmanager
    def watching(self) -> Iterator[asyncio.Event]:
        """An event that is set at every change, for one page."""
        changed = asyncio.Event()
        self._watchers.add(changed)
        try:
            yield changed
        finally:
            self._watchers.discard(changed)

    async def handle(self, event: e.Event, settled: tuple[str, CommandState] | None = None) -> None:
        """Take an event: decide, save, act.

        Args:
            settled: the request that this event settles, and how.
        """
        async with self._turn:
            if isinstance(event, (e.TakeTicket, e.NoReply)):
                event = msgspec.structs.replace(event, offer=self.reserve.offer())
            await self._take(machine.step(self.kiosk, event, now_s=self.now_s(), device=self._device), settled)

    async def _take(self, step: machine.Step, settled: tuple[str, CommandState] | None = None) -> None:
        entry = self._entry(step.effects, settled)
        if not entry.empty:
            await self._spool.write(entry, self.clock.now())
        changed, self.kiosk = step.kiosk != self.kiosk, step.kiosk
        for command in entry.commands:
            self.requests.start(command)
        if entry.jobs:
            await self.reserve.count()
            self.slips.wake()
        if entry.taken:
            log.info("reserve.given", ticket_id=entry.taken[0].told.ticket_id, number=entry.taken[0].told.number)
            self.reserve.tell_now()
        if entry.acks:
            self.link.acks_changed()
        if changed:
            self.wake_watchers()

    def _entry(self, effects: tuple[e.Effect, ...], settled: tuple[str, CommandState] | None) -> Entry:
        given = tuple(effect for effect in effects if isinstance(effect, e.Give))
        printed = tuple(effect for effect in effects if isinstance(effect, e.Print))
        if settled is not None and any(give.told.ticket_id == settled[0] for give in given):
            settled = settled[0], "answered"  # by ourselves: what the edge may still say about it comes too late
        jobs = (
            *(PrintJob(job_id=each.job_id, slip=each.slip, reprint=each.reprint) for each in printed),
            *(PrintJob(job_id=each.told.ticket_id, slip=each.slip) for each in given),
        )
        return Entry(
            commands=tuple(effect.command for effect in effects if isinstance(effect, e.Send)),
            settled=settled,
            jobs=jobs,
            taken=tuple(self.reserve.taken(each.told) for each in given),
            seen=tuple(seen for job in jobs for seen in self.reserve.seen(job.slip)),
            acks=tuple(self._unprinted(effect) for effect in effects if isinstance(effect, e.LeaveUnprinted)),
        )

    def _unprinted(self, left: e.LeaveUnprinted) -> PrintFailedAck:
        return PrintFailedAck(
            ack_id=new_id(), device=self._device, ticket_id=left.ticket_id, reason="error", job_id=left.job_id
        )

    # Life

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop."""
        await self._remember()
        self.scanner.start()
        async with self.link.running():
            work = (self._listen, self._scan, self._tick, self._watch_printer, self._forget)
            loops = (*work, self.slips.run, self._tell, self._retell, lambda: _until(stop))
            tasks = [asyncio.create_task(loop(), name=loop.__name__) for loop in loops]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            finally:
                await _cancelled(tasks)
                await self.requests.stop()
                await self.scanner.stop()

    async def _tell(self) -> None:
        await self.reserve.run(self.link)

    async def _retell(self) -> None:
        await self.retelling.run(self.link, lambda: self.zone)

    def _tell_now(self) -> None:
        self.reserve.tell_now()
        self.retelling.tell_now()

    async def _remember(self) -> None:
        """Begin where an earlier run ended: its config, and the request of a person who may still be there."""
        now = self.clock.now()
        await self.reserve.load()
        kept = await self._spool.kept("config")
        if kept is not None:
            with contextlib.suppress(MalformedMessage):
                await self._configure(decode(kept, DeviceConfig))
        epoch = await self._spool.kept("epoch")
        if epoch is not None:
            self.queue = with_epoch(self.queue, int(epoch))
            self.retelling.epoch(self.queue.epoch)
        await self._resume(now)

    async def _resume(self, now: datetime) -> None:
        left = await self._spool.open_commands()
        for old in left:
            if old is not left[-1] or now - old.asked_at > RESUME_WITHIN:
                await self._spool.write(Entry(settled=(old.command.request_id, "given_up")), now)
                continue
            log.info("request.resumed", request_id=old.command.request_id)
            self.kiosk = machine.resume(self.kiosk, old.command, now_s=self.now_s()).kiosk
            self.requests.start(old.command)

    # The edge

    async def _gave_up(self, request_id: str) -> None:
        asked = await self._spool.command(request_id)
        await self.handle(e.NoReply(request_id, asked.command if asked else None), settled=(request_id, "given_up"))

    async def _listen(self) -> None:
        async for heard, message in self.link.heard():
            try:
                await self._hear(heard, message)
            except Exception:
                log.exception("message.failed", topic=message.topic)

    async def _hear(self, heard: Heard, message: MqttMessage) -> None:
        match heard:
            case KioskReply():
                await self._replied(heard)
            case PrintJob():
                await self._print_for_staff(heard)
            case AckReply():
                await self._spool.drop_ack(heard.ack_id)
                await self.link.tell_status()
            case DeviceConfig():
                await self._configure(heard)
                await self._spool.keep("config", encode(heard))
                await self.link.tell_status()
            case Epoch():
                self.queue = with_epoch(self.queue, heard.epoch)
                await self._spool.keep("epoch", str(self.queue.epoch).encode())
                self.retelling.epoch(self.queue.epoch)
            case Board():
                await self._board(heard, retained=message.retained)

    async def _board(self, board: Board, *, retained: bool) -> None:
        """Take the board of our zone; another zone's shows at least that the edge lives."""
        if self.config is None or board.zone == self.config.zone:
            self.queue = with_board(self.queue, board, retained=retained, now_s=self.now_s())
        elif not retained:
            self.queue = with_sign_of_life(self.queue, board.epoch, now_s=self.now_s())
        await self._hear_edge()
        self.wake_watchers()

    async def _replied(self, reply: KioskReply) -> None:
        if self.retelling.replied(reply) or await self.reserve.replied(reply):
            return
        asked = await self._spool.command(reply.request_id)
        if asked is None or asked.state == "answered":
            log.info("reply.repeated" if asked else "reply.foreign", request_id=reply.request_id)
            return
        if reply.refusal is not None and reply.refusal.code == "retry" and asked.state == "open":
            return  # not now: the next attempt asks again
        event = e.Replied(reply, machine.asked_by(asked.command))
        await self.handle(event, settled=(reply.request_id, "answered"))
        self.requests.answered(reply.request_id)  # only now: what could not be kept is asked for again

    async def _print_for_staff(self, job: PrintJob) -> None:
        if await self._spool.job_state(job.job_id) == "done":
            await self._spool.acknowledge_again(job.job_id)
            self.link.acks_changed()
            return
        await self._spool.write(Entry(jobs=(job,), seen=self.reserve.seen(job.slip)), self.clock.now())
        await self.reserve.count()
        self.slips.wake()

    async def _configure(self, config: DeviceConfig) -> None:
        self.config = config
        self.zone = ZoneInfo(config.time_zone)
        await self.reserve.configured(config, self.zone)
        walk_in = tuple(tile for tile in config.services if tile.walk_in)
        unsure = next((tile.id for tile in walk_in if tile.pictogram == "info"), None)
        services = tuple(tile.id for tile in walk_in if tile.id != unsure)
        await self.handle(e.Configured(services, config.languages, unsure))
        self.wake_watchers()

    async def _hear_edge(self) -> None:
        heard = is_heard(self.queue, self.now_s())
        if heard != self.kiosk.edge_heard:
            await self.handle(e.EdgeHeard(heard))
            if heard:
                self._tell_now()
        stands = self.reserve.stands() if is_silent(self.queue, self._started_s, self.now_s()) else "none"
        if stands != self.kiosk.reserve:
            await self.handle(e.ReserveStands(stands))

    # Hardware and time

    async def _scan(self) -> None:
        while True:
            text = await self.scanner.lines.get()
            await self.handle(e.Scanned(text, new_id()))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            await self._hear_edge()
            await self.handle(e.Tick())
            self.wake_watchers()

    async def _forget(self) -> None:
        """A kiosk runs for months: drop what is settled and old, at the start and every hour."""
        while True:
            await self._spool.forget(self.clock.now() - REMEMBERED)
            await asyncio.sleep(FORGET_EVERY_S)

    async def _watch_printer(self) -> None:
        while True:
            self._printer_state = await self._printer.state()
            await self.link.tell_status()
            await asyncio.sleep(POLL_PRINTER_S)

    async def _printed(self, event: e.PrintEnded) -> None:
        self.link.acks_changed()
        await self.handle(event)

    def _status(self) -> DeviceStatus:
        return DeviceStatus(
            device=self._device,
            kind="kiosk",
            online=True,
            printer=self._printer_state,
            scanner=self.scanner.state,
            version=VERSION,
            numbers=self.reserve.numbers,
        )

    def wake_watchers(self) -> None:
        """Let every page look at what there is to show."""
        for changed in self._watchers:
            changed.set()


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
