"""The kiosk's end of the LAN: sends requests and acks, says how the kiosk is, hands in what the edge says.

Acks are sent at once, again with growing pauses and on every reconnect, until an ``ack_reply`` names them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec
import structlog

from kiosk_agent.settings import Settings
from kiosk_agent.spool import Spool
from sync.io.clock import Clock
from sync.io.device_reading import Reader, Refused
from sync.io.mqtt import MqttLink, MqttMessage, Will
from sync.io.waiting import set_within
from sync.messages.codec import encode
from sync.messages.topics import Board, DeviceConfig, DeviceResponse, DeviceStatus, Epoch, KioskMessage, device_topic

ACK_FIRST_S = 1.0
ACK_MAX_S = 30.0
NOTHING_SEEN = (0, 0)

Heard = Board | Epoch | DeviceConfig | DeviceResponse

log = structlog.get_logger(__name__)


class EdgeLink:
    """One kiosk's connection to its office.

    Args:
        status: how the kiosk is now, without ``pending_acks`` and ``at``.
        jitter: numbers in [0, 1).
    """

    def __init__(
        self,
        settings: Settings,
        spool: Spool,
        clock: Clock,
        *,
        status: Callable[[], DeviceStatus],
        jitter: Callable[[], float],
    ) -> None:
        office, self._device = settings.device.office, settings.device.id
        self._spool = spool
        self._clock = clock
        self._status = status
        self._command_topic = device_topic(office, self._device, "cmd")
        self._ack_topic = device_topic(office, self._device, "ack")
        self._status_topic = device_topic(office, self._device, "status")
        self._reader = Reader(office, self._device)
        self._acks_changed = asyncio.Event()
        self._sent: dict[str, _Sent] = {}
        self._told: DeviceStatus | None = None
        self._seen = self._told_seen = NOTHING_SEEN
        will = DeviceStatus(device=self._device, kind="kiosk", online=False)
        self._mqtt = MqttLink(
            settings.broker,
            self._reader.subscriptions,
            jitter=jitter,
            will=Will(topic=self._status_topic, payload=encode(will)),
            on_connect=self._greet,
        )
        self.on_connect: Callable[[], None] = lambda: None
        self.refused: Counter[str] = Counter()
        """Messages that were not taken, by code."""

    @property
    def connected(self) -> bool:
        return self._mqtt.connected

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stay connected while inside."""
        async with self._mqtt:
            resending = asyncio.create_task(self._send_acks(), name="acks")
            try:
                yield
            finally:
                resending.cancel()
                await asyncio.wait({resending})

    async def heard(self) -> AsyncIterator[tuple[Heard, MqttMessage]]:
        """What the edge says; what cannot be taken is counted and passed over."""
        async for message in self._mqtt.messages():
            reading = self._reader.read(message)
            if isinstance(reading, Refused):
                self.refused[reading.code] += 1
                log.info("message.refused", code=reading.code, topic=message.topic, count=self.refused[reading.code])
            else:
                await self._witness(reading, message)
                yield reading, message

    async def ask(self, command: KioskMessage) -> bool:
        """Send a request once; whether the broker took it."""
        return await self._mqtt.publish(self._command_topic, encode(command))

    def acks_changed(self) -> None:
        """An ack was spooled, or one was answered."""
        self._acks_changed.set()

    async def tell_status(self, *, again: bool = False) -> None:
        """Publish the kiosk's state if it is news."""
        status = msgspec.structs.replace(self._status(), pending_acks=len(await self._spool.acks()))
        if status == self._told and not again:
            return
        epoch, seq = seen = self._seen
        told = msgspec.structs.replace(status, at=self._clock.now(), seen_epoch=epoch, seen_seq=seq)
        if await self._mqtt.publish(self._status_topic, encode(told), retain=True):
            self._told, self._told_seen = status, seen

    async def _witness(self, reading: Heard, message: MqttMessage) -> None:
        """Remember how far the edge's journal went. An edge that has less now is told at once: it was put back in time."""
        if not isinstance(reading, (Board, Epoch)):
            return
        heard = reading.epoch, reading.seq
        if heard < self._seen and not message.retained and self._told_seen != self._seen:
            await self.tell_status(again=True)
        self._seen = max(heard, self._seen)

    async def _greet(self) -> None:
        self._sent.clear()  # what an earlier connection took may be lost with it
        self._acks_changed.set()
        await self.tell_status(again=True)
        self.on_connect()

    async def _send_acks(self) -> None:
        while True:
            waiting = await self._spool.acks()
            self._sent = {ack_id: sent for ack_id, sent in self._sent.items() if ack_id in waiting}
            for ack_id, body in waiting.items():
                if not await self._send_ack(ack_id, body):
                    break
            due_s = min((sent.due_s for sent in self._sent.values()), default=None)
            await set_within(self._acks_changed, None if due_s is None else max(0.0, due_s - self._now_s()))
            self._acks_changed.clear()

    async def _send_ack(self, ack_id: str, body: bytes) -> bool:
        """Send an ack if it is due; whether the connection holds."""
        before = self._sent.get(ack_id)
        if before is not None and before.due_s > self._now_s():
            return True
        taken = await self._mqtt.publish(self._ack_topic, body)
        pause_s = ACK_FIRST_S if before is None else min(before.pause_s * 2, ACK_MAX_S)
        self._sent[ack_id] = _Sent(self._now_s() + pause_s, pause_s)
        return taken

    def _now_s(self) -> float:
        return self._clock.monotonic_ns() / 1e9


class _Sent(NamedTuple):
    """When an ack is to be sent again, and how long the pause before that is."""

    due_s: float
    pause_s: float
