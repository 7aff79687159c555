"""The broker launcher against mosquitto and rumqttd."""

import socket
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from provisioning.launchers.broker import MAX_PACKET_BYTES, Broker, BrokerNotFound, Program, available
from provisioning.launchers.ports import PortTaken
from tests.kit.services import require

pytestmark = pytest.mark.broker


@pytest.fixture(params=["mosquitto", "rumqttd"])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Broker]:
    program: Program = request.param
    require(program in available(), f"{program} is not installed")
    broker = Broker(tmp_path / "broker", program=program).start()
    yield broker
    broker.stop()


async def echo(broker: Broker, payload: bytes) -> aiomqtt.Message:
    """Publish and receive one QoS 1 message over two MQTT 5 connections."""
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with (
        aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=nodelay) as one,
        aiomqtt.Client(broker.host, broker.port, protocol=aiomqtt.ProtocolVersion.V5, socket_options=nodelay) as two,
    ):
        await one.subscribe("o/centro/d/+/cmd", qos=1)
        await two.publish("o/centro/d/kiosk-1/cmd", payload, qos=1)
        return await anext(aiter(one.messages))


async def test_it_passes_messages_again_after_kill_9_and_restart(broker: Broker) -> None:
    assert (await echo(broker, b"first")).payload == b"first"
    before = broker.pid
    broker.kill()
    assert not broker.is_running
    broker.start()
    assert broker.pid not in {None, before}
    assert (await echo(broker, b"second")).payload == b"second"
    broker.stop()
    with pytest.raises(aiomqtt.MqttError):
        await echo(broker, b"third")


async def test_a_payload_close_to_the_limit_gets_through(broker: Broker) -> None:
    payload = bytes(MAX_PACKET_BYTES - 1024)
    assert (await echo(broker, payload)).payload == payload


def test_a_taken_port_is_named(broker: Broker, tmp_path: Path) -> None:
    with pytest.raises(PortTaken, match=f"Port {broker.port} .*MQTT broker"):
        Broker(tmp_path / "other", port=broker.port, program=broker.program).start()


def test_without_any_broker_it_says_how_to_get_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provisioning.launchers.broker.available", lambda: iter(()))
    with pytest.raises(BrokerNotFound, match="mosquitto"):
        Broker(tmp_path)
