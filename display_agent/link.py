"""The display's end of the LAN: reads what the edge retains for it, says how it is, delivers proofs until they are answered.

Proofs are sent at once when there is a connection, again every RESEND_S and on each reconnect, until an `ack_reply` names them.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Callable

import structlog

from display_agent.board import SECOND_NS
from display_agent.proof import Proof
from display_agent.settings import Settings
from display_agent.spool import Spool
from sync.io.clock import Clock
from sync.io.device_reading import Reader, Refused
from sync.io.ids import new_id
from sync.io.mqtt import MqttLink, MqttMessage, Will
from sync.messages.codec import encode
from sync.messages.topics import (
    AckReply,
    Board,
    DeviceConfig,
    DeviceStatus,
    Epoch,
    KioskReply,
    PrintJob,
    ShownAck,
    device_topic,
)

RESEND_S = 2
STATUS_S = 30
SENT_AT_ONCE = 50
NOTHING_SEEN = (0, 0)

log = structlog.get_logger(__name__)


class EdgeLink:
    """One display's connection to its office."""

    def __init__(
        self, settings: Settings, spool: Spool, clock: Clock, *, version: str, jitter: Callable[[], float]
    ) -> None:
        office, self._device = settings.device.office, settings.device.id
        self._spool = spool
        self._clock = clock
        self._version = version
        self._ack_topic = device_topic(office, self._device, "ack")
        self._status_topic = device_topic(office, self._device, "status")
        self._reader = Reader(office, self._device)
        self._pending: dict[str, bytes] = {}
        self._sent_ns: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._seen = self._told_seen = NOTHING_SEEN
        will = Will(
            topic=self._status_topic, payload=encode(DeviceStatus(device=self._device, kind="display", online=False))
        )
        self._mqtt = MqttLink(
            settings.broker, self._reader.subscriptions, jitter=jitter, will=will, on_connect=self._greet
        )
        self.refused: Counter[str] = Counter()
        """Messages that were not taken, by code."""

    @property
    def connected(self) -> bool:
        return self._mqtt.connected

    @property
    def pending_acks(self) -> int:
        return len(self._pending)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Stay connected while inside."""
        self._pending = await self._spool.acks()
        async with self._mqtt:
            yield

    async def readings(self) -> AsyncIterator[tuple[Board | Epoch | DeviceConfig, MqttMessage]]:
        """What the edge says, each with the message it came in; what cannot be taken is counted and passed over."""
        async for message in self._mqtt.messages():
            reading = self._reader.read(message)
            if isinstance(reading, Refused):
                self.refuse(reading.code, message.topic)
            elif isinstance(reading, AckReply):
                await self._settle(reading.ack_id)
            elif isinstance(reading, KioskReply | PrintJob):
                self.refuse("misplaced", message.topic)
            else:
                await self._witness(reading, message)
                yield reading, message

    def refuse(self, code: str, topic: str) -> None:
        """Count a message that changes nothing here."""
        self.refused[code] += 1
        log.info("message.refused", code=code, topic=topic, count=self.refused[code])

    async def prove(self, proof: Proof) -> None:
        """Write a proof down and have it sent."""
        ack = ShownAck(
            ack_id=new_id(),
            device=self._device,
            ticket_id=proof.mark.ticket_id,
            recalls=proof.mark.recalls,
            shown_at=proof.shown_at,
            sounded=proof.sounded,
            announcement=proof.mark.announcement,
        )
        body = encode(ack)
        await self._spool.add_proof(proof.mark, ack.ack_id, body)
        self._pending[ack.ack_id] = body
        self._wake.set()

    async def deliver(self) -> None:
        """Send proofs until they are answered, and our status now and then; for ever. A slow broker delays only this."""
        status_due_ns = self._clock.monotonic_ns() + STATUS_S * SECOND_NS
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESEND_S):
                    await self._wake.wait()
            self._wake.clear()
            await self._send_due()
            if self._clock.monotonic_ns() >= status_due_ns:
                status_due_ns += STATUS_S * SECOND_NS
                await self._tell_status()

    async def _send_due(self) -> None:
        """Send the oldest unanswered proofs, but for those that had no time for an answer yet."""
        before_ns = self._clock.monotonic_ns() - RESEND_S * SECOND_NS
        for ack_id, body in list(self._pending.items())[:SENT_AT_ONCE]:
            if self._sent_ns.get(ack_id, before_ns) > before_ns:
                continue
            if not await self._mqtt.publish(self._ack_topic, body):
                return
            self._sent_ns[ack_id] = self._clock.monotonic_ns()

    async def _tell_status(self) -> None:
        """Say that this display is there, as retained state."""
        status = DeviceStatus(
            device=self._device,
            kind="display",
            online=True,
            pending_acks=len(self._pending),
            version=self._version,
            at=self._clock.now(),
            seen_epoch=self._seen[0],
            seen_seq=self._seen[1],
        )
        if await self._mqtt.publish(self._status_topic, encode(status), retain=True):
            self._told_seen = status.seen

    async def _witness(self, reading: Board | Epoch | DeviceConfig, message: MqttMessage) -> None:
        """Remember how far the edge's journal went. An edge that has less now is told at once: it was put back in time."""
        if not isinstance(reading, (Board, Epoch)):
            return
        heard = reading.epoch, reading.seq
        if heard < self._seen and not message.retained and self._told_seen != self._seen:
            await self._tell_status()
        self._seen = max(heard, self._seen)

    async def _greet(self) -> None:
        self._sent_ns.clear()  # what was sent in the former session may be lost
        await self._tell_status()
        self._wake.set()

    async def _settle(self, ack_id: str) -> None:
        self._sent_ns.pop(ack_id, None)
        if self._pending.pop(ack_id, None) is not None:
            await self._spool.drop_ack(ack_id)
