"""One message to a hundred displays: the least it costs from the publish until the last subscriber has it (goal G9).

All subscribers live in one process and one event loop, since a process per display would measure the scheduler; whoever
compares with this reads with the same ``Listeners``.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import cast

import aiomqtt
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from sync.io.mqtt import NO_DELAY
from tests.bench.limits.figures import Figures, figures

TOPIC = "limit/fanout"
WAIT_S = 20
KEEPALIVE_S = 3600
PAUSE_S = 0.05


class Listeners:
    """Subscribers of one topic; ``all_have`` ends when each has had a message that is looked for."""

    def __init__(self, port: int, topic: str, count: int) -> None:
        self._topic = topic
        self._missing: set[int] = set()
        self._wanted: Callable[[bytes], bool] = lambda _body: False
        self._done = asyncio.Event()
        self._subscribed = 0
        self._clients = [self._client(port, number) for number in range(count)]

    async def subscribed(self) -> None:
        """All of them are."""
        async with asyncio.timeout(WAIT_S):
            while self._subscribed < len(self._clients):  # noqa: ASYNC110 - callbacks of paho count it
                await asyncio.sleep(0.01)

    def look_for(self, wanted: Callable[[bytes], bool]) -> None:
        """From now on count who has had such a message."""
        self._wanted = wanted
        self._missing = set(range(len(self._clients)))
        self._done.clear()

    async def all_have(self) -> float:
        """The instant at which the last of them had it.

        Raises:
            TimeoutError: somebody did not get it.
        """
        async with asyncio.timeout(WAIT_S):
            await self._done.wait()
        return self._at

    def close(self) -> None:
        loop = asyncio.get_running_loop()
        for client in self._clients:
            loop.remove_reader(cast("socket.socket", client.socket()))
            client.disconnect()

    def _client(self, port: int, number: int) -> Client:
        client = Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda *_: self._connected(client)
        client.on_subscribe = lambda *_: self._one_more()
        client.on_message = lambda _client, _data, message: self._heard(number, message)
        client.connect("127.0.0.1", port, KEEPALIVE_S)
        sock = cast("socket.socket", client.socket())
        sock.setsockopt(*NO_DELAY)
        asyncio.get_running_loop().add_reader(sock, _pump, client)
        _pump(client)
        return client

    def _connected(self, client: Client) -> None:
        client.subscribe(self._topic, 1)

    def _one_more(self) -> None:
        self._subscribed += 1

    def _heard(self, number: int, message: MQTTMessage) -> None:
        if number in self._missing and self._wanted(bytes(message.payload)):
            self._missing.discard(number)
            if not self._missing:
                self._at = perf_counter()
                self._done.set()


@contextmanager
def listeners(port: int, topic: str, count: int) -> Iterator[Listeners]:
    """Subscribers while inside; wait for ``subscribed`` first."""
    them = Listeners(port, topic, count)
    try:
        yield them
    finally:
        them.close()


async def bare_fanout(port: int, count: int, messages: int, body: bytes) -> Figures:
    """Publish one at a time with the product's client; each takes until the last subscriber has it."""
    durations: list[float] = []
    publisher = aiomqtt.Client("127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=[NO_DELAY])
    async with publisher:
        with listeners(port, TOPIC, count) as them:
            await them.subscribed()
            for _ in range(messages):
                await asyncio.sleep(PAUSE_S)
                them.look_for(lambda _body: True)
                before = perf_counter()
                publishing = asyncio.ensure_future(publisher.publish(TOPIC, body, qos=1))
                durations.append(await them.all_have() - before)
                await publishing
    return figures(durations, sum(durations))


def _pump(client: Client) -> None:
    client.loop_read()
    while client.want_write():
        client.loop_write()
