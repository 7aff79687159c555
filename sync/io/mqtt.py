"""The LAN's pipe: one MQTT 5 connection that keeps itself up, for the edge node, kiosks and displays alike.

Being offline is a state here, not an error. A link is a loop of sessions: connect with a clean start, subscribe, greet (the
owner publishes its retained state), pump messages until the connection is gone, wait, again. Nothing is kept over from one
session to the next: whoever needs an answer resends until it comes (sync.messages.topics).

A publish ends when the broker has it (QoS 1) or when the session has ended, whichever is first; it never waits for a
reconnect. Messages go into one bounded queue that outlives sessions; what does not fit is dropped and counted, since every
body on this LAN is either resent or replaced by the next.

Source: MQTT 5.0, 3.1.2.4 (clean start), 3.1.2.11.2 (session expiry), 3.1.2.5 (will), 3.3.1.3 (retain).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Annotated, Self

import aiomqtt
import msgspec
import structlog
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

BACKOFF_FIRST_S = 0.2
BACKOFF_MAX_S = 5.0
QUEUE_MAX = 1000
FAREWELL_S = 1.0
NO_DELAY = (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

log = structlog.get_logger(__name__)


class MqttTls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files of a TLS connection in PEM form; ``cert_file`` and ``key_file`` when the broker asks who we are."""

    ca_file: str
    cert_file: str | None = None
    key_file: str | None = None


class MqttSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the broker is and who we are to it.

    Args:
        client_id: must be unique at the broker: a second connection with it ends the first. Empty: the broker gives one.
        password_file: file whose first line is the password.
        keepalive_s: the broker is pinged when nothing was said for so many seconds; a dead one is noticed in twice that.
        timeout_s: seconds to wait for the broker's answer to a connect, subscribe or publish.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 1883
    client_id: str = ""
    username: str | None = None
    password_file: Path | None = None
    tls: MqttTls | None = None
    keepalive_s: Annotated[int, msgspec.Meta(ge=1, le=600)] = 10
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0


class Will(msgspec.Struct, frozen=True, kw_only=True):
    """What the broker says for us when we are gone. It is also said, by ourselves, on a clean stop."""

    topic: str
    payload: bytes
    retain: bool = True


class MqttMessage(msgspec.Struct, frozen=True):
    """A message as it came, unread. ``retained``: the broker kept it from before our subscription."""

    topic: str
    payload: bytes
    retained: bool = False


class MqttLink:
    """A connection that is made again whenever it is lost.

    Use it as ``async with MqttLink(...) as link:``; entering does not wait for the broker, leaving publishes the will and
    disconnects.

    Args:
        settings: broker and identity.
        subscriptions: topic filters, made anew in every session at QoS 1.
        jitter: gives numbers in [0, 1), so that all devices of an office do not come back in the same instant.
        will: last will.
        on_connect: awaited after each subscribe; publish retained state here. Messages are already flowing.
        on_disconnect: called when a session that was up has ended.
    """

    def __init__(
        self,
        settings: MqttSettings,
        subscriptions: Sequence[str],
        *,
        jitter: Callable[[], float],
        will: Will | None = None,
        on_connect: Callable[[], Awaitable[None]] | None = None,
        on_disconnect: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._subscriptions = [(topic, SubscribeOptions(qos=1)) for topic in subscriptions]
        self._jitter = jitter
        self._will = will
        self._on_connect = on_connect
        self._on_disconnect = on_disconnect
        self._inbox: asyncio.Queue[MqttMessage] = asyncio.Queue(QUEUE_MAX)
        self._session: _Session | None = None
        self._up = asyncio.Event()
        self._loop_task: asyncio.Task[None] | None = None
        self._log = log.bind(client_id=settings.client_id, host=settings.host, port=settings.port)
        self.sessions = 0
        """Sessions that came up since the start."""
        self.dropped = 0
        """Messages that found the queue full."""

    @property
    def connected(self) -> bool:
        """Whether a session is up: subscribed, and not yet seen to be gone."""
        return self._session is not None

    async def wait_connected(self) -> None:
        """Return as soon as a session is up."""
        await self._up.wait()

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False, qos: int = 1) -> bool:
        """Hand a message to the broker.

        Returns:
            True when the broker has it (QoS 1) or it was written (QoS 0). False when we are offline, the session ended
            meanwhile, or the broker did not answer in ``timeout_s``; it may have been delivered all the same.
        """
        session = self._session
        if session is None:
            return False
        try:
            return await session.outlives(session.client.publish(topic, payload, qos=qos, retain=retain))
        except aiomqtt.MqttError as error:
            self._log.info("mqtt.publish_failed", topic=topic, reason=str(error))
            return False

    async def messages(self) -> AsyncIterator[MqttMessage]:
        """Every message in the order of its arrival, across sessions, for ever. For one reader."""
        while True:
            yield await self._inbox.get()

    async def __aenter__(self) -> Self:
        self._loop_task = asyncio.create_task(self._keep_up(), name=f"mqtt {self._settings.client_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._loop_task is not None
        if self._will is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await self.publish(self._will.topic, self._will.payload, retain=self._will.retain)
        self._loop_task.cancel()
        await asyncio.wait({self._loop_task})

    async def _keep_up(self) -> None:
        wait_s = BACKOFF_FIRST_S
        while True:
            before = self.sessions
            try:
                with _heeding_cancellation():
                    await self._run_session()
            except (aiomqtt.MqttError, OSError) as error:
                self._log.info("mqtt.offline", reason=str(error))
            except Exception:  # noqa: BLE001 - a fault in the owner's greeting must not leave a process silently deaf
                self._log.exception("mqtt.session_failed")
            if self.sessions > before:
                wait_s = BACKOFF_FIRST_S
            await asyncio.sleep(wait_s * (0.5 + self._jitter() / 2))
            wait_s = min(wait_s * 2, BACKOFF_MAX_S)

    async def _run_session(self) -> None:
        async with _connection(self._new_client()) as client:
            session = _Session(client, asyncio.create_task(_until_gone(client)))
            try:
                await self._subscribe(session)
                self._session = session
                self.sessions += 1
                self._up.set()
                self._log.info("mqtt.online")
                if self._on_connect is not None:
                    await self._on_connect()
                await session.pump
            finally:
                await self._end(session)

    async def _end(self, session: _Session) -> None:
        was_up, self._session = self._session is session, None
        self._up.clear()
        session.pump.cancel()
        await asyncio.wait({session.pump})
        if not session.pump.cancelled():
            session.pump.exception()  # marks it as seen; whoever awaited the pump has it
        if was_up and self._on_disconnect is not None:
            self._on_disconnect()

    async def _subscribe(self, session: _Session) -> None:
        if not self._subscriptions:
            return

        async def ask() -> None:
            for code in await session.client.subscribe(self._subscriptions):
                if not isinstance(code, int) and code.is_failure:
                    raise aiomqtt.MqttError(f"subscription refused: {code}")

        if not await session.outlives(ask()):
            await session.pump

    def _take(self, message: aiomqtt.Message) -> None:
        try:
            self._inbox.put_nowait(MqttMessage(message.topic.value, message.payload, bool(message.retain)))
        except asyncio.QueueFull:
            self.dropped += 1
            self._log.warning("mqtt.message_dropped", topic=message.topic.value)

    def _new_client(self) -> aiomqtt.Client:
        settings, tls, will = self._settings, self._settings.tls, self._will
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0
        return aiomqtt.Client(
            settings.host,
            settings.port,
            identifier=settings.client_id,
            username=settings.username,
            password=_first_line(settings.password_file),
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,
            properties=properties,
            keepalive=settings.keepalive_s,
            timeout=settings.timeout_s,
            socket_options=[NO_DELAY],
            queue_type=_passing_on(self._take),
            tls_params=None if tls is None else aiomqtt.TLSParameters(tls.ca_file, tls.cert_file, tls.key_file),
            will=None if will is None else aiomqtt.Will(will.topic, will.payload, qos=1, retain=will.retain),
        )


def _passing_on(take: Callable[[aiomqtt.Message], None]) -> type[asyncio.Queue[aiomqtt.Message]]:
    """A queue for aiomqtt that keeps nothing: its own way out makes a task for every message, a quarter of a trip's time."""

    class Straight(asyncio.Queue[aiomqtt.Message]):
        def put_nowait(self, item: aiomqtt.Message) -> None:
            take(item)

    return Straight


async def _until_gone(client: aiomqtt.Client) -> None:
    """Wait for the end of the connection; no message comes this way (`_passing_on`).

    Raises:
        aiomqtt.MqttError: it is gone.
    """
    async for _ in client.messages:
        pass


class _Session:
    """A connection and the task that ends when it is gone."""

    def __init__(self, client: aiomqtt.Client, pump: asyncio.Task[None]) -> None:
        self.client = client
        self.pump = pump
        self._waiting: set[asyncio.Timeout] = set()
        pump.add_done_callback(self._gone)

    async def outlives(self, work: Awaitable[None]) -> bool:
        """Do the work unless the connection goes first (aiomqtt itself would wait for its time limit); whether it was done.

        It begins at once and in the caller's own task: a call on its way to a screen does not queue behind anything.
        """
        while_up = asyncio.timeout(0 if self.pump.done() else None)
        with _heeding_cancellation():
            try:
                async with while_up:
                    self._waiting.add(while_up)
                    await work
            except TimeoutError:
                return False
            finally:
                self._waiting.discard(while_up)
            return True

    def _gone(self, _pump: asyncio.Task[None]) -> None:
        for while_up in self._waiting:
            while_up.reschedule(0)


@contextlib.contextmanager
def _heeding_cancellation() -> Iterator[None]:
    """Raise a cancellation that came inside and was swallowed there.

    aiomqtt waits with ``asyncio.wait_for``, which can lose one (sync.io.waiting); a caller's loop would go on for ever.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        yield
    finally:
        if task.cancelling() > before:
            raise asyncio.CancelledError


@contextlib.asynccontextmanager
async def _connection(client: aiomqtt.Client) -> AsyncIterator[aiomqtt.Client]:
    """Connect, and disconnect at the end. Being cancelled while a thread is connecting waits for it: it owns a socket."""
    entering = asyncio.ensure_future(client.__aenter__())
    try:
        await asyncio.shield(entering)
    except asyncio.CancelledError:
        await _leave(client, entering)
        raise
    try:
        yield client
    finally:
        await _leave(client)


async def _leave(client: aiomqtt.Client, entering: asyncio.Future[aiomqtt.Client] | None = None) -> None:
    """Say goodbye, but not for long: a broker that does not answer must not hold up a stop."""
    with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            if entering is not None:
                await entering
            await client.__aexit__(None, None, None)


def _first_line(path: Path | None) -> str | None:
    return None if path is None else path.read_text(encoding="utf-8").split("\n", 1)[0].strip()
