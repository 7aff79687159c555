"""The link against a real broker: order, wills, retained state, restarts, and never waiting while offline."""

import asyncio
import time
from collections.abc import Callable

import pytest

from sync.io.mqtt import MqttLink, MqttMessage, MqttSettings, Will

from .conftest import Mosquitto, free_port

pytestmark = pytest.mark.broker


def settings(port: int, client_id: str = "test") -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=port, client_id=client_id, keepalive_s=2, timeout_s=2)


def no_jitter() -> float:
    return 0.0


async def next_message(link: MqttLink) -> MqttMessage:
    async with asyncio.timeout(5):
        return await anext(link.messages())


async def until(condition: Callable[[], bool], within_s: float = 8) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for lives in another process
            await asyncio.sleep(0.01)


async def test_messages_come_in_order_with_their_topic(mosquitto: Mosquitto) -> None:
    async with (
        MqttLink(settings(mosquitto.port, "reader"), ["o/+/epoch"], jitter=no_jitter) as reader,
        MqttLink(settings(mosquitto.port, "writer"), [], jitter=no_jitter) as writer,
    ):
        await reader.wait_connected()
        await writer.wait_connected()
        for n in range(50):
            assert await writer.publish("o/centro/epoch", str(n).encode())
        got = [await next_message(reader) for _ in range(50)]
    assert got == [MqttMessage("o/centro/epoch", str(n).encode()) for n in range(50)]


async def test_a_retained_message_reaches_a_later_subscriber_marked_as_retained(mosquitto: Mosquitto) -> None:
    async with MqttLink(settings(mosquitto.port, "writer"), [], jitter=no_jitter) as writer:
        await writer.wait_connected()
        assert await writer.publish("state", b"full", retain=True)
    async with MqttLink(settings(mosquitto.port, "reader"), ["state"], jitter=no_jitter) as reader:
        assert await next_message(reader) == MqttMessage("state", b"full", retained=True)


async def test_offline_publish_says_so_at_once() -> None:
    async with MqttLink(settings(free_port()), [], jitter=no_jitter) as link:
        await asyncio.sleep(0.1)
        started = time.monotonic()
        assert not await link.publish("t", b"x")
        assert time.monotonic() - started < 0.05
        assert not link.connected


async def test_a_restarted_broker_gets_subscriptions_and_greeting_again(mosquitto: Mosquitto) -> None:
    lost: list[bool] = []

    async def greet() -> None:
        assert await link.publish("status", b"here", retain=True)

    async with MqttLink(
        settings(mosquitto.port),
        ["status"],
        jitter=no_jitter,
        on_connect=greet,
        on_disconnect=lambda: lost.append(True),
    ) as link:
        assert (await next_message(link)).payload == b"here"
        mosquitto.stop()
        await until(lambda: not link.connected)
        assert lost == [True]
        assert not await link.publish("status", b"nobody hears")
        mosquitto.start()
        assert await next_message(link) == MqttMessage("status", b"here")
        assert link.sessions == 2


async def test_a_publish_in_flight_ends_with_the_session_not_with_its_time_limit(mosquitto: Mosquitto) -> None:
    slow = MqttSettings(host="127.0.0.1", port=mosquitto.port, client_id="slow", timeout_s=30)
    async with MqttLink(slow, [], jitter=no_jitter) as link:
        await link.wait_connected()
        mosquitto.pause()
        publishing = asyncio.create_task(link.publish("t", b"x"))
        await asyncio.sleep(0.1)
        assert not publishing.done()
        mosquitto.kill()
        async with asyncio.timeout(2):
            assert not await publishing


async def test_a_silent_broker_is_noticed_by_the_keepalive(mosquitto: Mosquitto) -> None:
    async with MqttLink(settings(mosquitto.port), [], jitter=no_jitter) as link:
        await link.wait_connected()
        mosquitto.pause()
        started = time.monotonic()
        await until(lambda: not link.connected, within_s=10)
        assert time.monotonic() - started < 7  # twice the keepalive of 2 s, and the second of aiomqtt's tick
        mosquitto.kill()


async def test_the_will_is_said_by_the_broker_on_a_crash_and_by_us_on_a_clean_stop(mosquitto: Mosquitto) -> None:
    will = Will(topic="status", payload=b"offline")
    async with MqttLink(settings(mosquitto.port, "watcher"), ["status"], jitter=no_jitter) as watcher:
        await watcher.wait_connected()
        async with MqttLink(settings(mosquitto.port, "device"), [], jitter=no_jitter, will=will) as device:
            await device.wait_connected()
            assert await device.publish("status", b"online", retain=True)
        assert [(await next_message(watcher)).payload for _ in range(2)] == [b"online", b"offline"]

        async with MqttLink(settings(mosquitto.port, "device"), [], jitter=no_jitter, will=will) as first:
            await first.wait_connected()
            # The same client id again: the broker ends the first session without a goodbye (MQTT 5, 3.1.4-3).
            async with MqttLink(settings(mosquitto.port, "device"), [], jitter=no_jitter):
                assert (await next_message(watcher)).payload == b"offline"


async def test_leaving_is_quick_whether_up_or_down(mosquitto: Mosquitto) -> None:
    for port in (mosquitto.port, free_port()):
        async with MqttLink(settings(port), ["#"], jitter=no_jitter):
            await asyncio.sleep(0.3)
            started = time.monotonic()
        assert time.monotonic() - started < 0.5


async def test_a_silent_broker_does_not_hold_up_a_stop(mosquitto: Mosquitto) -> None:
    patient = MqttSettings(host="127.0.0.1", port=mosquitto.port, client_id="patient", timeout_s=30)
    async with MqttLink(patient, [], jitter=no_jitter, will=Will(topic="status", payload=b"offline")) as link:
        await link.wait_connected()
        mosquitto.pause()
        started = time.monotonic()
    assert time.monotonic() - started < 2
    mosquitto.kill()


async def test_a_greeting_that_fails_does_not_end_the_link(mosquitto: Mosquitto) -> None:
    async def greet() -> None:
        if link.sessions == 1:
            raise RuntimeError("a fault of the owner")

    async with MqttLink(settings(mosquitto.port), [], jitter=no_jitter, on_connect=greet) as link:
        await until(lambda: link.sessions == 2 and link.connected)
        assert await link.publish("t", b"x")


async def test_all_publishes_in_flight_end_with_the_session(mosquitto: Mosquitto) -> None:
    slow = MqttSettings(host="127.0.0.1", port=mosquitto.port, client_id="slow", timeout_s=30)
    async with MqttLink(slow, [], jitter=no_jitter) as link:
        await link.wait_connected()
        mosquitto.pause()
        publishing = [asyncio.create_task(link.publish("t", b"x")) for _ in range(10)]
        publishing[0].cancel()  # who gives up takes nobody along
        await asyncio.sleep(0.1)
        mosquitto.kill()
        async with asyncio.timeout(2):
            results = await asyncio.gather(*publishing, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [False] * 9


async def test_a_reader_that_falls_behind_loses_the_newest_and_it_is_counted(
    mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.io.mqtt.QUEUE_MAX", 3)
    async with MqttLink(settings(mosquitto.port), ["t"], jitter=no_jitter) as link:
        await link.wait_connected()
        for number in range(5):
            assert await link.publish("t", b"%d" % number)
        await until(lambda: link.dropped == 2)
        assert [(await next_message(link)).payload for _ in range(3)] == [b"0", b"1", b"2"]
        assert await link.publish("t", b"5")
        assert (await next_message(link)).payload == b"5"
