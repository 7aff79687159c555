"""The one LISTEN connection of the process.

A notification is a hint that something changed, never the news itself: subscribers read the database for that, and also
look by themselves every few seconds. After a lost connection nobody knows what was missed, so every subscriber is told
`None`: "anything may have changed".
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from sync.io.waiting import set_within

log = structlog.get_logger(__name__)

Heard = Callable[[str | None], None]
"""Gets the payload, or None after a reconnect. Must not block; exceptions are logged."""

HEALTH_CHECK_S = 10
RETRY_S = 1.0


class Listener:
    """Keeps one connection listening and hands payloads on.

    Args:
        connect: opens a connection for LISTEN, outside any pooler.
    """

    def __init__(self, connect: Callable[[], Awaitable[Any]]) -> None:
        self._connect = connect
        self._subscribers: defaultdict[str, list[Heard]] = defaultdict(list)
        self._lost = asyncio.Event()
        self._ready = asyncio.Event()

    @property
    def is_up(self) -> bool:
        """Whether every channel that somebody subscribed is being listened to."""
        return self._ready.is_set()

    async def wait_until_up(self) -> None:
        """Return once all channels are listened to and their subscribers have been told that anything may have changed."""
        await self._ready.wait()

    def subscribe(self, channel: str, heard: Heard) -> Callable[[], None]:
        """Call `heard` for every notification on a channel. Returns what ends it. A new channel reconnects."""
        is_new = channel not in self._subscribers
        self._subscribers[channel].append(heard)
        if is_new:
            self._ready.clear()
            self._lost.set()
        return lambda: self._subscribers[channel].remove(heard)

    async def run(self) -> None:
        """Listen until cancelled, reconnecting whenever the connection is gone."""
        while True:
            try:
                await self._session()
            except Exception as error:  # noqa: BLE001 - a killed session can surface as any of the driver's errors
                log.warning("listener.lost", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
            finally:
                self._ready.clear()

    async def _session(self) -> None:
        connection = await self._connect()
        try:
            self._lost.clear()
            connection.add_termination_listener(lambda _: self._lost.set())
            for channel in list(self._subscribers):
                await connection.add_listener(channel, self._on_notification)
            self._tell_all()
            if not self._lost.is_set():
                self._ready.set()
            await self._stay(connection)
        finally:
            with contextlib.suppress(Exception):
                await connection.close(timeout=1)

    async def _stay(self, connection: Any) -> None:
        """Return when the connection was lost or a channel was added; a dead peer is noticed by asking it."""
        while not self._lost.is_set():
            if not await set_within(self._lost, HEALTH_CHECK_S):
                await connection.fetchval("SELECT 1", timeout=HEALTH_CHECK_S)

    def _tell_all(self) -> None:
        for channel in list(self._subscribers):
            self._tell(channel, None)

    def _on_notification(self, _connection: Any, _pid: int, channel: str, payload: object) -> None:
        self._tell(channel, str(payload))

    def _tell(self, channel: str, payload: str | None) -> None:
        for heard in list(self._subscribers[channel]):
            try:
                heard(payload)
            except Exception:
                log.exception("listener.subscriber_failed", channel=channel)
