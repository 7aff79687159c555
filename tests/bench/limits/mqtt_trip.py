"""The least that one message costs: a QoS 1 publish until another client has it, one at a time, TCP_NODELAY on both ends.

Twice: with aiomqtt as `sync.io.mqtt` uses it, both ends on one event loop; and with paho's own threads, which is the fastest
that Python does here and what goal G8 was set by. Trips one after the other find everything warm; with a pause before each,
as calls come, the same trip costs two to three times as much.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from time import perf_counter
from typing import cast

import aiomqtt
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from sync.io.mqtt import NO_DELAY
from tests.bench.limits.figures import Figures, figures

TOPIC = "limit/trip"
BODY = b"x" * 200
WAIT_S = 10


async def aiomqtt_trip(port: int, seconds: float, pause_s: float = 0.0) -> Figures:
    """As the product's own client does it; with a pause before each trip."""
    durations: list[float] = []
    async with AsyncExitStack() as stack:
        sender, receiver = [await stack.enter_async_context(_client(port)) for _ in range(2)]
        await receiver.subscribe(TOPIC, qos=1)
        arrivals: AsyncIterator[object] = aiter(receiver.messages)
        started = perf_counter()
        while perf_counter() - started < seconds:
            await asyncio.sleep(pause_s)
            before = perf_counter()
            publishing = asyncio.ensure_future(sender.publish(TOPIC, BODY, qos=1))
            await asyncio.wait_for(anext(arrivals), WAIT_S)
            durations.append(perf_counter() - before)
            await publishing
        elapsed_s = perf_counter() - started
    return figures(durations, elapsed_s)


def paho_trip(port: int, seconds: float, pause_s: float = 0.0) -> Figures:
    """With paho's network loop in a thread of each client; with a pause before each trip."""
    sender, receiver = _threaded(port), _threaded(port)
    arrived, subscribed = threading.Event(), threading.Event()
    receiver.on_message = lambda *_: arrived.set()
    receiver.on_subscribe = lambda *_: subscribed.set()
    receiver.subscribe(TOPIC, 1)
    durations: list[float] = []
    try:
        _within(subscribed)
        started = perf_counter()
        while perf_counter() - started < seconds:
            arrived.clear()
            time.sleep(pause_s)
            before = perf_counter()
            sender.publish(TOPIC, BODY, 1)
            _within(arrived)
            durations.append(perf_counter() - before)
        elapsed_s = perf_counter() - started
    finally:
        for client in (sender, receiver):
            client.disconnect()
            client.loop_stop()
    return figures(durations, elapsed_s)


def _client(port: int) -> aiomqtt.Client:
    return aiomqtt.Client(
        "127.0.0.1", port, protocol=aiomqtt.ProtocolVersion.V5, clean_start=True, socket_options=[NO_DELAY]
    )


def _threaded(port: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2)
    connected = threading.Event()
    client.on_connect = lambda *_: connected.set()
    client.on_socket_open = lambda _client, _data, sock: cast("socket.socket", sock).setsockopt(*NO_DELAY)
    client.connect("127.0.0.1", port)
    client.loop_start()
    _within(connected)
    return client


def _within(event: threading.Event) -> None:
    if not event.wait(WAIT_S):
        raise TimeoutError("the broker did not answer")
