"""The processes themselves: an emulator and an agent, started and stopped as the demo does."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port

pytestmark = pytest.mark.broker


@asynccontextmanager
async def process(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk_agent", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield running
    finally:
        if running.returncode is None:
            running.send_signal(signal.SIGINT)
        await asyncio.wait_for(running.communicate(), 15)


async def answered(url: str) -> httpx.Response:
    """The first answer of a server that is starting."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                return await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_agent_and_emulators_find_each_other_and_stop_when_told(broker: Broker, tmp_path: Path) -> None:
    http, printer, scanner = free_port(), free_port(), free_port()
    config = tmp_path / "kiosk.toml"
    config.write_text(
        f"""
data = "{tmp_path}/spool"
[device]
office = "real"
id = "kiosk-1"
[broker]
port = {broker.port}
[printer]
kind = "serial"
path = "{tmp_path}/printer.tty"
[scanner]
path = "{tmp_path}/scanner.tty"
[http]
port = {http}
"""
    )
    ptys = ["--pty", f"{tmp_path}/printer.tty", "--folder", f"{tmp_path}/tickets", "--control-port", str(printer)]
    async with (
        process("emulate", "printer", *ptys),
        process("emulate", "scanner", "--link", f"{tmp_path}/scanner.tty", "--control-port", str(scanner)),
    ):
        assert (await answered(f"http://127.0.0.1:{printer}/state")).json()["paper"] == "ok"
        assert (await answered(f"http://127.0.0.1:{scanner}/state")).json()["plugged"] is True
        async with process("run", "--config", str(config)) as agent, httpx.AsyncClient() as client:
            assert (await answered(f"http://127.0.0.1:{http}/health/live")).status_code == 200
            async with asyncio.timeout(60):
                while True:
                    ready = (await client.get(f"http://127.0.0.1:{http}/health/ready")).json()
                    if (ready["printer"], ready["scanner"], ready["broker"]) == ("ok", "ok", True):
                        break
                    await asyncio.sleep(0.05)
            answer = await client.post(f"http://127.0.0.1:{printer}/state", json={"paper": "out"})
            assert answer.json()["paper"] == "out"
            assert (await client.post(f"http://127.0.0.1:{printer}/state", json={"paper": "wet"})).status_code == 400
            assert (await client.post(f"http://127.0.0.1:{scanner}/scan", json={"text": "V1.x"})).status_code == 202
            assert (await client.get(f"http://127.0.0.1:{printer}/tickets")).json() == []
            assert (await client.get(f"http://127.0.0.1:{printer}/tickets/1.png")).status_code == 404
            second = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "kiosk_agent",
                "run",
                "--config",
                str(config),
                stderr=asyncio.subprocess.PIPE,
                env={**os.environ, "VENTANILLA_HTTP__PORT": "0"},
            )
            _, said = await asyncio.wait_for(second.communicate(), 60)
            assert (second.returncode, b"spool" in said) == (1, True)
            agent.send_signal(signal.SIGTERM)
            await asyncio.wait_for(agent.wait(), 10)
        assert agent.returncode == 0


@pytest.mark.parametrize(
    "toml, said",
    [
        ('[device]\noffice = "real"\nid = "k"\nsize = 3\n', "device.size"),
        ('[device]\noffice = "REAL"\nid = "k"\n', "device.office"),
        ('[device]\noffice = "real"\nid = "k"\n[printer]\nbaud = 12\n', "printer.baud"),
    ],
)
async def test_a_wrong_setting_is_named(tmp_path: Path, toml: str, said: str) -> None:
    config = tmp_path / "kiosk.toml"
    config.write_text(toml)
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk_agent", "run", "--config", str(config), stderr=asyncio.subprocess.PIPE
    )
    _, error = await running.communicate()
    assert running.returncode == 1
    assert said in error.decode()


@pytest.mark.parametrize("arguments", [[], ["run"], ["emulate", "printer"], ["emulate", "scanner"]])
async def test_every_command_helps_with_an_example(arguments: list[str]) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "kiosk_agent", *arguments, "--help", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await running.communicate()
    assert running.returncode == 0
    assert "Example: python -m kiosk_agent" in said.decode()
