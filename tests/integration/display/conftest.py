"""A display with its real neighbours: a broker, something that speaks like an edge, the agent's process, a browser."""

import asyncio
import contextlib
import random
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest_asyncio
from playwright.async_api import Browser, Page

from provisioning.launchers.broker import Broker
from provisioning.launchers.ports import free_port
from sync.io.ids import new_id
from sync.io.mqtt import MqttLink, MqttMessage, MqttSettings
from sync.messages.codec import decode, encode
from sync.messages.topics import (
    BOARD_BEAT_S,
    AckReply,
    Board,
    BoardCall,
    DeviceConfig,
    DeviceStatus,
    Epoch,
    ShownAck,
    WaitRange,
    board_topic,
    device_topic,
    epoch_topic,
)
from tests.kit.browser import chromium

OFFICE, DEVICE, ZONE = "real", "display-1", "b"
START_S = 60  # a process may have to share a busy machine with a whole city


def now() -> datetime:
    at = datetime.now(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


async def until(condition: Callable[[], bool], within_s: float = 8) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - what is waited for lives in another process
            await asyncio.sleep(0.01)


class Edge:
    """What an office's edge node says to its screens, and what it hears from them."""

    def __init__(self, port: int) -> None:
        self.acks: list[ShownAck] = []
        self.statuses: list[DeviceStatus] = []
        self.answers_acks = True
        self.beats = False
        """Whether the board is sent again every three seconds, as an edge does."""
        self.epoch, self.seq, self.beat = 1, 0, 0
        self.calls: list[BoardCall] = []
        self.recent: list[BoardCall] = []
        self.waiting = 9
        self.open = True
        self._link = MqttLink(
            MqttSettings(port=port, client_id="edge"),
            [device_topic(OFFICE, "+", "ack"), device_topic(OFFICE, "+", "status")],
            jitter=random.random,
        )

    async def run(self, started: asyncio.Event) -> None:
        async with self._link:
            await self._link.wait_connected()
            started.set()
            beating = asyncio.create_task(self._beat())
            try:
                async for message in self._link.messages():
                    await self._hear(message)
            finally:
                beating.cancel()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BOARD_BEAT_S)
            if self.beats and self._link.connected:
                with contextlib.suppress(AssertionError):  # lost in the same moment: the next beat says it again
                    await self.say_board()

    async def _hear(self, message: MqttMessage) -> None:
        if message.topic.endswith("/status"):
            self.statuses.append(decode(message.payload, DeviceStatus))
            return
        ack = decode(message.payload, ShownAck)
        self.acks.append(ack)
        if self.answers_acks:  # not `send`: a broker that is being stopped must not end this edge; the ack comes again
            await self._link.publish(device_topic(OFFICE, DEVICE, "resp"), encode(AckReply(ack_id=ack.ack_id)))

    async def send(self, topic: str, payload: bytes, *, retain: bool = False) -> None:
        assert await self._link.publish(topic, payload, retain=retain)

    async def begin_anew(self) -> None:
        """A new life of the office: nobody called yet."""
        self.calls, self.recent, self.seq, self.beat = [], [], 0, 0
        self.waiting, self.open, self.answers_acks, self.beats = 9, True, True, True
        await self.say_config()
        await self.say_epoch(self.epoch + 1)
        await self.say_board()
        self.acks.clear()

    def acks_of(self, call: BoardCall) -> list[ShownAck]:
        """What came about one announcement; late ones of other days are not asked for."""
        return [ack for ack in self.acks if (ack.ticket_id, ack.announcement) == (call.ticket_id, call.announcement)]

    async def reconnected(self) -> None:
        await self._link.wait_connected()

    async def say_config(self, **changes: Any) -> None:
        values = {
            "office": OFFICE,
            "office_name": "Real",
            "device": DEVICE,
            "zone": ZONE,
            "time_zone": "Africa/Ceuta",
            **changes,
        }
        await self.send(device_topic(OFFICE, DEVICE, "config"), encode(DeviceConfig(**values)), retain=True)

    async def say_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        body = encode(Epoch(office=OFFICE, epoch=epoch, seq=self.seq))
        await self.send(epoch_topic(OFFICE), body, retain=True)

    def board(self, **changes: Any) -> Board:
        values = {
            "office": OFFICE,
            "zone": ZONE,
            "epoch": self.epoch,
            "seq": self.seq,
            "beat": self.beat,
            "at": now(),
            "calls": tuple(self.calls),
            "recent": tuple(self.recent),
            "waiting": self.waiting,
            "wait": WaitRange(low_min=10, high_min=20),
            "open": self.open,
            **changes,
        }
        return Board(**values)

    async def say_board(self, **changes: Any) -> None:
        self.beat += 1
        await self.send(board_topic(OFFICE, ZONE), encode(self.board(**changes)), retain=True)

    def make_call(self, label: str, counter: str = "4", *, age_s: float = 0) -> BoardCall:
        return BoardCall(
            ticket_id=new_id(),
            label=label,
            counter=counter,
            called_at=now() - timedelta(seconds=age_s),
            announcement=f"{self.epoch}.{self.seq}",
        )

    async def call(self, label: str, counter: str = "4", *, age_s: float = 0) -> BoardCall:
        """Call a ticket and tell the screens."""
        self.seq += 1
        made = self.make_call(label, counter, age_s=age_s)
        self.calls.insert(0, made)
        await self.say_board()
        return made

    async def recall(self, call: BoardCall) -> BoardCall:
        self.seq += 1
        again = BoardCall(
            ticket_id=call.ticket_id,
            label=call.label,
            counter=call.counter,
            called_at=now(),
            recalls=call.recalls + 1,
            announcement=f"{self.epoch}.{self.seq}",
        )
        self.calls[self.calls.index(call)] = again
        await self.say_board()
        return again


class Display:
    """The agent's process."""

    def __init__(self, folder: Path, broker_port: int) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "display.log"
        self._config = folder / "display.toml"
        self._config.write_text(
            f"""
spool = "{folder / "spool" / "display.db"}"
strict_texts = true
[device]
office = "{OFFICE}"
id = "{DEVICE}"
[broker]
port = {broker_port}
keepalive_s = 2
[http]
port = {self.port}
"""
        )
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        command = [sys.executable, "-W", "error", "-m", "display_agent", "run", "--config", str(self._config)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stderr=log)  # noqa: ASYNC220
        await until(self._answers, START_S)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/health/live").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """One request; blocks, which is what a test that waits wants."""
        return httpx.request(method, self.url + path, **request)

    def state(self) -> dict[str, Any]:
        reply = self.ask("GET", "/state")
        assert reply.status_code == 200
        return dict(reply.json())

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self, timeout_s: float) -> int:
        assert self._process is not None
        return self._process.wait(timeout_s)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.wait(10)


@asynccontextmanager
async def running_edge(broker: Broker) -> AsyncIterator[Edge]:
    """An edge that has said its config and epoch."""
    speaking, started = Edge(broker.port), asyncio.Event()
    running = asyncio.create_task(speaking.run(started))
    await asyncio.wait_for(started.wait(), 5)
    await speaking.say_config()
    await speaking.say_epoch(1)
    yield speaking
    running.cancel()
    await asyncio.wait({running})


@asynccontextmanager
async def running_display(folder: Path, broker: Broker) -> AsyncIterator[Display]:
    """A display that has heard the edge's config."""
    display = Display(folder, broker.port)
    try:
        await display.start()
        await until(lambda: display.state()["zone"] == ZONE, START_S)
        yield display
    finally:
        display.stop()


@asynccontextmanager
async def open_page(browser: Browser, display: Display) -> AsyncIterator[Page]:
    """The display's page, its live stream open. Without motion: drawing it is dear without a graphics card."""
    page = await browser.new_page(viewport={"width": 1920, "height": 1080}, reduced_motion="reduce")
    try:
        await page.goto(display.url)
        await until(lambda: display.state()["pages"] >= 1)
        yield page
    finally:
        await page.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium("--autoplay-policy=no-user-gesture-required") as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def edge(broker: Broker) -> AsyncIterator[Edge]:
    async with running_edge(broker) as speaking:
        yield speaking


@pytest_asyncio.fixture(loop_scope="module")
async def display(tmp_path: Path, broker: Broker, edge: Edge) -> AsyncIterator[Display]:
    async with running_display(tmp_path, broker) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, display: Display) -> AsyncIterator[Page]:
    async with open_page(browser, display) as opened:
        yield opened
