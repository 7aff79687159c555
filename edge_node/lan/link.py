"""The edge's end of the LAN: one MQTT connection that hears every device of the office and answers each on its own topic.

The broker is a stateless pipe. What is retained there (boards, epoch, configs) is said again at every connect; what a device
asks is asked again until it is answered. A body that is not what its topic carries is refused, counted and forgotten.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Literal

import structlog

from edge_node.lan.boards import Boards
from edge_node.lan.devices import Devices, config_of
from edge_node.lan.kiosk import KioskDesk
from edge_node.lan.prints import Prints
from edge_node.lan.reserves import Reserves
from edge_node.lan.rules import NOT_NOW
from edge_node.queue.desk import Desk
from edge_node.queue.dispatcher import Dispatcher, StateUnknown
from edge_node.settings import Broker
from edge_node.writer import WriteFailed, Writer
from sync.domain.witness import Seen
from sync.io.mqtt import MqttLink, MqttMessage, MqttSettings
from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.commands import CITIZEN, Actor, ReportPrinted, ReportPrintFailed, ReportShown
from sync.messages.refusals import Refusal, RefusalCode
from sync.messages.topics import (
    AckReply,
    DeviceAck,
    DeviceStatus,
    KioskMessage,
    KioskReply,
    PrintedAck,
    PrintFailedAck,
    ShownAck,
    V,
    device_topic,
)

MAX_AT_ONCE = 64
"""Messages that are being answered at the same time; more wait in the link's own queue."""

Leaf = Literal["cmd", "ack", "status"]
LEAVES: tuple[Leaf, ...] = ("cmd", "ack", "status")
log = structlog.get_logger()


class Lan:
    """Kiosks and displays, as long as ``run`` runs.

    Args:
        on_devices: called when a device's status has changed.
        on_witness: called with a device that has seen more of the journal than it has.
    """

    def __init__(self, broker: Broker, dispatcher: Dispatcher, desk: Desk, devices: Devices, writer: Writer) -> None:
        self._dispatcher = dispatcher
        self._devices = devices
        self._metrics = dispatcher.metrics
        self._office = dispatcher.state.office
        self._desk = desk
        self.reserves = Reserves(dispatcher, devices, self.configured)
        self._kiosks = KioskDesk(desk, dispatcher.metrics, dispatcher.state.now, self.reserves.settle)
        self.boards = Boards(dispatcher, self._publish_retained)
        self.prints = Prints(dispatcher, writer, self._respond)
        self.on_devices: Callable[[], None] = _nothing
        self.on_witness: Callable[[str, Seen], None] = lambda _device, _seen: None
        self._link = MqttLink(
            _mqtt_settings(broker, self._office),
            [device_topic(self._office, "+", leaf) for leaf in LEAVES],
            jitter=random.random,
            on_connect=self._greet,
            on_disconnect=self._lost,
        )

    @property
    def connected(self) -> bool:
        return self._link.connected

    async def run(self) -> None:
        """Serve the LAN until cancelled."""
        at_once = asyncio.Semaphore(MAX_AT_ONCE)
        async with self._link, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.boards.run(), name="boards")
            tasks.create_task(self.prints.run(), name="prints")
            tasks.create_task(self.reserves.run(), name="reserves")
            async for message in self._link.messages():
                await at_once.acquire()
                # By the task's end, not in it: one that is cancelled before its first step runs no line of its own.
                tasks.create_task(self._answer(message)).add_done_callback(lambda _: at_once.release())

    async def configured(self) -> None:
        """Tell every device what it shows now."""
        configs = await self._dispatcher.read(
            lambda state: [config_of(device, state, self._desk.public_url) for device in self._devices.known.values()]
        )
        for config in configs:
            topic = device_topic(self._office, config.device, "config")
            await self._link.publish(topic, codec.encode(config), retain=True)

    async def _greet(self) -> None:
        await self.boards.announce_epoch()
        await self.configured()
        self.boards.send_now()

    def _lost(self) -> None:
        self._devices.lost_all()
        self.on_devices()

    async def _answer(self, message: MqttMessage) -> None:
        try:
            await self._take(message)
        except MalformedMessage as error:
            self._refuse("malformed", message, error.detail)
        except (StateUnknown, WriteFailed):
            log.warning("lan.not_now", topic=message.topic)  # the device asks again
        except Exception:
            log.exception("lan.message_failed", topic=message.topic)

    async def _take(self, message: MqttMessage) -> None:
        device, leaf = message.topic.split("/")[3:5]
        if leaf == "status":
            self._status(device, message)
        elif message.retained:
            return  # commands and acks are never retained by a device of ours
        elif leaf == "cmd":
            await self._command(device, message)
        elif leaf == "ack":
            await self._ack(device, message)

    def _status(self, device: str, message: MqttMessage) -> None:
        if not message.payload:
            return  # somebody cleared the retained status
        status = codec.decode(message.payload, DeviceStatus)
        if status.v != V:
            self._refuse("unsupported_version", message)
        elif status.device != device or not self._devices.is_a(device, status.kind):
            self._refuse("forbidden", message)
        else:
            self._look_back(status)
            if self._devices.heard(status):
                self.reserves.heard()
                self.on_devices()

    def _look_back(self, status: DeviceStatus) -> None:
        """A device that heard more of this office's journal than it has is a witness."""
        own = self._dispatcher.state.tail
        if status.seen > (own.epoch, own.seq):
            self.on_witness(status.device, status.seen)

    async def _command(self, device: str, message: MqttMessage) -> None:
        asked: KioskMessage = codec.decode(message.payload, KioskMessage)  # type: ignore[arg-type]
        refusal = self._objection(device, asked, "kiosk")
        if refusal is not None:
            self._refuse(refusal, message)
            if asked.device == device:
                reply = KioskReply(request_id=asked.request_id, refusal=Refusal(code=refusal))
                await self._respond(device, codec.encode(reply))
            return
        await self._respond(device, codec.encode(await self._kiosks.answer(asked)))

    async def _ack(self, device: str, message: MqttMessage) -> None:
        ack: DeviceAck = codec.decode(message.payload, DeviceAck)  # type: ignore[arg-type]
        refusal = self._objection(device, ack, "display" if isinstance(ack, ShownAck) else "kiosk")
        if refusal is not None:
            self._refuse(refusal, message)
            return
        if isinstance(ack, ShownAck) or await self._desk.has_slip(ack.ticket_id, device):
            actor = Actor(actor_id=CITIZEN if isinstance(ack, ShownAck) else "system", device_id=device)
            answer = await self._dispatcher.submit(_report(ack), actor)
            if isinstance(answer, Refusal) and answer.code in NOT_NOW:
                return  # no reply: the device sends it again, in the end to whoever holds the office
        else:
            self._refuse("ticket_unknown", message, "its paper is not this kiosk's")
        if not isinstance(ack, ShownAck):
            await self.prints.acknowledged(device, ack.ticket_id, ack.job_id)
        await self._respond(device, codec.encode(AckReply(ack_id=ack.ack_id)))

    def _objection(self, device: str, body: KioskMessage | DeviceAck, kind: str) -> RefusalCode | None:
        if body.v != V:
            return "unsupported_version"
        known = self._devices.known.get(device)
        if body.device != device or known is None or known.kind != kind:
            return "forbidden"
        return None

    def _refuse(self, code: RefusalCode, message: MqttMessage, detail: str = "") -> None:
        self._metrics.refused.labels(code).inc()
        log.info("lan.refused", topic=message.topic, code=code, detail=detail, bytes=len(message.payload))

    async def _respond(self, device: str, body: bytes) -> bool:
        return await self._link.publish(device_topic(self._office, device, "resp"), body)

    async def _publish_retained(self, topic: str, body: bytes) -> bool:
        return await self._link.publish(topic, body, retain=True)


def _report(ack: PrintedAck | PrintFailedAck | ShownAck) -> ReportPrinted | ReportPrintFailed | ReportShown:
    """An ack as a command; its id makes sure that it acts once."""
    match ack:
        case PrintedAck():
            return ReportPrinted(request_id=ack.ack_id, ticket_id=ack.ticket_id, reprint=ack.reprint)
        case PrintFailedAck():
            return ReportPrintFailed(request_id=ack.ack_id, ticket_id=ack.ticket_id, reason=ack.reason)
        case ShownAck():
            return ReportShown(
                request_id=ack.ack_id,
                ticket_id=ack.ticket_id,
                recalls=ack.recalls,
                shown_at=ack.shown_at,
                sounded=ack.sounded,
                announcement=ack.announcement,
            )


def _mqtt_settings(broker: Broker, office: str) -> MqttSettings:
    return MqttSettings(
        host=broker.host,
        port=broker.port,
        client_id=f"edge-{office}",
        username=broker.username or None,
        password_file=broker.password_file,
    )


def _nothing() -> None:
    return None
