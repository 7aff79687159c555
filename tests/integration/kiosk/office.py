"""An office as a kiosk sees it: a real broker, something that speaks like an edge, an emulated printer and scanner."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from kiosk_agent.agent import Agent, Hardware
from kiosk_agent.emulators.printer import PrinterEmulator
from kiosk_agent.emulators.scanner import ScannerEmulator
from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.printer import printer_for
from kiosk_agent.scanner import Scanner
from kiosk_agent.screen import Glass, create_app
from kiosk_agent.serving import serving
from kiosk_agent.settings import Device, Http, Settings
from kiosk_agent.settings import Printer as PrinterSettings
from kiosk_agent.settings import Scanner as ScannerSettings
from kiosk_agent.spool import open_spool
from provisioning.launchers.broker import Broker
from sync.io.clock import Clock, SystemClock
from sync.io.ids import new_id
from sync.io.mqtt import MqttLink, MqttSettings
from sync.messages.codec import decode, encode
from sync.messages.refusals import Refusal
from sync.messages.topics import (
    AckReply,
    Board,
    DeviceAck,
    DeviceConfig,
    DeviceStatus,
    KioskCommand,
    KioskMessage,
    KioskReply,
    KioskTakeTicket,
    KioskTellPrinted,
    KioskTellReserved,
    ServiceTile,
    ServiceWait,
    Slip,
    WaitRange,
    board_topic,
    device_topic,
)
from ui.catalog import load_catalog

OFFICE, DEVICE, ZONE = "real", "kiosk-1", "b"
FOLLOW = "http://citas.example:8010/t/"
ISSUED_AT = datetime(2026, 11, 26, 9, 14, tzinfo=UTC)

SERVICES = (
    ServiceTile(id="viaje", names={"es": "Certificado para viajar", "ar": "شهادة السفر"}, pictogram="travel"),
    ServiceTile(id="padron", names={"es": "Empadronamiento", "ar": "التسجيل البلدي"}, pictogram="home"),
    ServiceTile(id="registro", names={"es": "Registro", "ar": "السجل"}, pictogram="stamp"),
    ServiceTile(id="certificado", names={"es": "Certificado digital", "ar": "الشهادة الرقمية"}, pictogram="card"),
    ServiceTile(id="tasas", names={"es": "Tasas y pagos", "ar": "الرسوم"}, pictogram="coins"),
    ServiceTile(id="ayudas", names={"es": "Ayudas y becas", "ar": "المساعدات"}, pictogram="heart"),
    ServiceTile(id="otros", names={"es": "Otros escritos", "ar": "طلبات أخرى"}, pictogram="paper"),
    ServiceTile(id="informacion", names={"es": "Información", "ar": "استعلامات"}, pictogram="info"),
)


def slip(number: int = 12, **changes: object) -> Slip:
    """A slip of ticket K{number}."""
    ready = Slip(
        ticket_id=new_id(),
        label=f"K{number}",
        office_name="Real",
        zone=ZONE,
        service_names={"es": "Empadronamiento"},
        issued_at=ISSUED_AT,
        language="es",
        people_ahead=3,
        wait=WaitRange(low_min=10, high_min=20),
        follow_url=f"{FOLLOW}{number:022d}",
    )
    return msgspec.structs.replace(ready, **changes)


class Edge:
    """What an edge node says to a kiosk, and what it hears from it.

    Attributes:
        answer: the reply to a command, or none: the edge stays silent. Same id, same reply, as at a real edge.
    """

    def __init__(self, port: int) -> None:
        self.commands: list[KioskCommand] = []
        self.acks: list[DeviceAck] = []
        self.told: list[KioskTellReserved] = []
        self.take_told: Callable[[KioskTellReserved], Refusal | None] = lambda _told: None
        self.statuses: list[DeviceStatus] = []
        self.answers_acks = True
        self.beats = True
        self.seq = 1
        self.issued = 11
        self.answer: Callable[[KioskCommand], KioskReply | None] = self.issue
        self._replies: dict[str, KioskReply] = {}
        topics = [device_topic(OFFICE, "+", leaf) for leaf in ("cmd", "ack", "status")]
        settings = MqttSettings(host="127.0.0.1", port=port, client_id="edge")
        self.link = MqttLink(settings, topics, jitter=lambda: 0.5)

    def issue(self, command: KioskCommand) -> KioskReply:
        """Give the next ticket."""
        self.issued += 1
        language = command.language if isinstance(command, KioskTakeTicket) else "es"
        made = slip(self.issued, ticket_id=command.request_id, language=language)
        return KioskReply(request_id=command.request_id, slip=made)

    def refuse(self, refusal: Refusal, again: Slip | None = None) -> None:
        """Refuse everything from now on."""
        self.answer = lambda command: KioskReply(request_id=command.request_id, refusal=refusal, slip=again)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with self.link:
            await asyncio.wait_for(self.link.wait_connected(), 5)
            tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._beat())]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.wait(tasks)

    async def configure(self, **changes: object) -> None:
        config = DeviceConfig(
            office=OFFICE,
            office_name="Real",
            device=DEVICE,
            zone=ZONE,
            time_zone="Africa/Ceuta",
            services=SERVICES,
            version=1,
        )
        body = encode(msgspec.structs.replace(config, **changes))
        await self.link.publish(device_topic(OFFICE, DEVICE, "config"), body, retain=True)

    async def send_board(self) -> None:
        self.seq += 1
        services = tuple(
            ServiceWait(service=tile.id, waiting=at, wait=WaitRange(low_min=5 * at, high_min=5 * at + 10))
            for at, tile in enumerate(SERVICES)
        )
        board = Board(
            office=OFFICE,
            zone=ZONE,
            epoch=1,
            seq=self.seq,
            beat=0,
            at=datetime.now(UTC),
            calls=(),
            recent=(),
            waiting=3,
            services=services,
        )
        await self.link.publish(board_topic(OFFICE, ZONE), encode(board), retain=True)

    async def respond(self, message: msgspec.Struct | bytes) -> None:
        """Say something to the kiosk."""
        body = message if isinstance(message, bytes) else encode(message)
        await self.link.publish(device_topic(OFFICE, DEVICE, "resp"), body)

    async def _beat(self) -> None:
        while True:
            if self.beats:
                await self.send_board()
            await asyncio.sleep(1)

    async def _listen(self) -> None:
        async for message in self.link.messages():
            match message.topic.rsplit("/", 1)[1]:
                case "cmd":
                    await self._asked(decode(message.payload, KioskMessage))  # type: ignore[arg-type]
                case "ack":
                    await self._ack(decode(message.payload, DeviceAck))  # type: ignore[arg-type]
                case _:
                    self.statuses.append(decode(message.payload, DeviceStatus))

    async def _asked(self, asked: KioskMessage) -> None:
        if isinstance(asked, KioskTellPrinted):
            await self.respond(KioskReply(request_id=asked.request_id))
            return
        if not isinstance(asked, KioskTellReserved):
            await self._command(asked)
            return
        self.told.append(asked)
        await self.respond(KioskReply(request_id=asked.request_id, refusal=self.take_told(asked)))

    async def _command(self, command: KioskCommand) -> None:
        self.commands.append(command)
        if command.request_id not in self._replies:
            reply = self.answer(command)
            if reply is None:
                return
            self._replies[command.request_id] = reply
        await self.respond(self._replies[command.request_id])

    async def _ack(self, ack: DeviceAck) -> None:
        self.acks.append(ack)
        if self.answers_acks:
            await self.respond(AckReply(ack_id=ack.ack_id))


class Office:
    """Everything of a test in one place."""

    def __init__(self, edge: Edge, printer: PrinterEmulator, printer_port: int, folder: Path, broker: Broker) -> None:
        self.edge = edge
        self.printer = printer
        self.printer_port = printer_port
        self.folder = folder
        self.broker = broker

    def settings(self, **changes: object) -> Settings:
        """The settings of the kiosk, with a network printer unless told otherwise."""
        settings = Settings(
            device=Device(office=OFFICE, id=DEVICE),
            data=self.folder / "kiosk",
            broker=MqttSettings(host="127.0.0.1", port=self.broker.port, client_id=DEVICE),
            printer=PrinterSettings(kind="network", port=self.printer_port, timeout_s=1, raster=False),
            http=Http(port=0),
            strict_texts=True,
        )
        return msgspec.structs.replace(settings, **changes)


class RunningKiosk:
    """An agent at work in this process, and its page's port."""

    def __init__(self, glass: Glass, port: int, scanner: ScannerEmulator | None) -> None:
        self.glass = glass
        self.agent = glass.agent
        self.port = port
        self.scanner = scanner

    @property
    def screen(self) -> s.AnyScreen:
        return self.agent.kiosk.screen

    @property
    def template(self) -> str:
        return self.glass.view().template

    async def shows(self, kind: type[s.Screen], within_s: float = 6) -> s.AnyScreen:
        """Wait for a kind of screen."""
        await until(lambda: isinstance(self.screen, kind), within_s)
        return self.screen

    async def ready(self) -> None:
        """Wait until the kiosk has its config and hears the edge."""
        await until(lambda: self.agent.config is not None and self.agent.kiosk.edge_heard)

    async def take_ticket(self, service: str = "padron") -> str:
        """Walk through the screens as a person does; gives the request's id."""
        await self.ready()
        request_id = new_id()
        for event in (e.WithoutAppointment(), e.ChooseService(service), e.TakeTicket(request_id)):
            await self.agent.handle(event)
        return request_id


@contextlib.asynccontextmanager
async def running_kiosk(
    settings: Settings, clock: Clock | None = None, *, with_scanner: bool = False
) -> AsyncIterator[RunningKiosk]:
    """Run an agent until the block ends."""
    scanner = ScannerEmulator(settings.data.parent / "scanner.tty") if with_scanner else None
    if scanner is not None:
        settings = msgspec.structs.replace(settings, scanner=ScannerSettings(path=scanner.path))
    letters, stop = Letters(), asyncio.Event()
    hardware = Hardware(printer_for(settings.printer, letters), Scanner(settings.scanner), letters)
    catalog = load_catalog(strict=True)
    async with open_spool(settings.data) as spool:
        agent = Agent(settings, spool, hardware, catalog, clock or SystemClock(), jitter=lambda: 0.5)
        glass = Glass(agent, catalog)
        async with serving(create_app(glass), "127.0.0.1", 0, before_stop=glass.close) as port:
            task = asyncio.create_task(agent.run(stop))
            try:
                yield RunningKiosk(glass, port, scanner)
            finally:
                stop.set()
                await task
                hardware.printer.close()
                if scanner is not None:
                    scanner.unplug()


async def until(condition: Callable[[], object], within_s: float = 6) -> None:
    """Wait for something that happens in another task or process."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.01)
