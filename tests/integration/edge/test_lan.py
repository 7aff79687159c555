"""The edge on its LAN, through a real broker: kiosks, displays, bad messages."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiomqtt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge_node.lan.link import Lan
from edge_node.node import EdgeNode
from edge_node.queue.outcomes import Done
from provisioning.launchers.broker import Broker
from sync.io.ids import new_id
from sync.io.mqtt import MqttMessage
from sync.messages import commands as c
from sync.messages import feed as f
from sync.messages import topics as t
from tests.integration.kiosk.office import until
from tests.kit.clock import ManualClock
from tests.kit.edge import OFFICE, appointment, edge, entities, feed, soon, token_text

pytestmark = pytest.mark.broker
SIGNER = Ed25519PrivateKey.generate()
CLERK = c.Actor(actor_id="clerk-1", device_id="console-1")
QR_KEY = f.QrKey(kid="k1", public_key=SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


class Device:
    """A device of the office that hears everything meant for it."""

    def __init__(self, client: aiomqtt.Client, device: str) -> None:
        self._client = client
        self.device = device
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self._new = asyncio.Condition()

    async def listen(self) -> None:
        async for message in self._client.messages:
            assert isinstance(message.payload, bytes)
            self.heard.append((message.topic.value, msgspec.json.decode(message.payload)))
            async with self._new:
                self._new.notify_all()

    async def say(self, leaf: Any, body: Any, *, as_device: str | None = None) -> None:
        payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
        await self._client.publish(t.device_topic(OFFICE, as_device or self.device, leaf), payload, qos=1)

    async def until(self, wanted: Callable[[str, dict[str, Any]], bool]) -> dict[str, Any]:
        """The first message that is wanted, heard already or soon."""
        seen = 0
        async with asyncio.timeout(5), self._new:
            while True:
                for topic, body in self.heard[seen:]:
                    if wanted(topic, body):
                        return body
                seen = len(self.heard)
                await self._new.wait()

    async def ask(self, message: t.Tagged) -> dict[str, Any]:
        await self.say("cmd", message)
        request_id = message.request_id  # type: ignore[attr-defined]
        return await self.until(lambda _, body: body.get("request_id") == request_id)

    async def take(self, service: str = "padron", **fields: Any) -> dict[str, Any]:
        return await self.ask(t.KioskTakeTicket(request_id=new_id(), device=self.device, service=service, **fields))

    async def arrive(self, **code: Any) -> dict[str, Any]:
        return await self.ask(t.KioskCheckIn(request_id=new_id(), device=self.device, **code))


@contextlib.asynccontextmanager
async def device(broker: Broker, name: str) -> AsyncIterator[Device]:
    async with aiomqtt.Client(broker.host, broker.port, identifier=name, protocol=aiomqtt.ProtocolVersion.V5) as client:
        await client.subscribe([(t.device_topic(OFFICE, name, "resp"), 1), (t.device_topic(OFFICE, name, "config"), 1)])
        await client.subscribe([(t.board_topic(OFFICE, "a"), 1), (t.epoch_topic(OFFICE), 1)])
        there = Device(client, name)
        listening = asyncio.create_task(there.listen())
        yield there
        listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listening


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, broker: Broker, clock: ManualClock) -> AsyncIterator[EdgeNode]:
    async with edge(tmp_path / "edge", clock, rows=[*entities(), QR_KEY], broker_port=broker.port) as running:
        assert running.lan is not None
        await asyncio.wait_for(running.lan._link.wait_connected(), 5)
        yield running


@pytest.fixture
async def kiosk(node: EdgeNode, broker: Broker) -> AsyncIterator[Device]:
    async with device(broker, "kiosk-1") as there:
        yield there


@pytest.fixture
async def display(node: EdgeNode, broker: Broker) -> AsyncIterator[Device]:
    async with device(broker, "display-1") as there:
        yield there


def facts(node: EdgeNode) -> list[str]:
    return [each.header.type for each in node.live._recent]


async def call_next(node: EdgeNode) -> str:
    opened = await node.dispatcher.submit(c.OpenCounter(request_id=new_id(), counter="1"), CLERK)
    assert isinstance(opened, Done)
    assert opened.reply.session is not None
    session = opened.reply.session.session
    called = await node.dispatcher.submit(c.CallNext(request_id=new_id(), session=session), CLERK)
    assert isinstance(called, Done)
    assert called.reply.ticket is not None
    return called.reply.ticket.ticket_id


async def test_a_kiosk_takes_a_ticket_and_says_that_it_printed_it(node: EdgeNode, kiosk: Device) -> None:
    reply = await kiosk.take(language="ar")
    slip = reply["slip"]
    assert (slip["label"], slip["language"], slip["people_ahead"]) == ("A1", "ar", 0)
    ack = t.PrintedAck(ack_id=new_id(), device="kiosk-1", ticket_id=slip["ticket_id"])
    for _ in range(2):  # the first answer got lost
        await kiosk.say("ack", ack)
        await kiosk.until(lambda _, body: body.get("ack_id") == ack.ack_id)
        kiosk.heard.clear()
    assert facts(node).count("ticket.printed") == 1
    assert node.dispatcher.state.day.tickets[slip["ticket_id"]].print_state == "printed"


async def test_a_resent_command_gets_the_same_ticket(node: EdgeNode, kiosk: Device) -> None:
    wish = t.KioskTakeTicket(request_id=new_id(), device="kiosk-1", service="padron")
    first = await kiosk.ask(wish)
    kiosk.heard.clear()
    assert await kiosk.ask(wish) == first
    assert facts(node).count("ticket.issued") == 1


async def test_a_printer_without_paper_is_a_fact(node: EdgeNode, kiosk: Device) -> None:
    slip = (await kiosk.take())["slip"]
    ack = t.PrintFailedAck(ack_id=new_id(), device="kiosk-1", ticket_id=slip["ticket_id"], reason="no_paper")
    await kiosk.say("ack", ack)
    await kiosk.until(lambda _, body: body.get("ack_id") == ack.ack_id)
    assert node.dispatcher.state.day.tickets[slip["ticket_id"]].print_state == "failed"


async def test_a_call_is_on_the_board_and_the_display_says_that_it_showed_it(
    node: EdgeNode, kiosk: Device, display: Device, clock: ManualClock
) -> None:
    await kiosk.take()
    ticket_id = await call_next(node)
    board = await display.until(lambda topic, body: topic.endswith("/board") and bool(body["calls"]))
    assert [(call["label"], call["counter"]) for call in board["calls"]] == [("A1", "1")]
    assert board["seq"] == node.dispatcher.state.tail.seq
    ack = t.ShownAck(
        ack_id=new_id(), device="display-1", ticket_id=ticket_id, recalls=0, shown_at=clock.now(), sounded=True
    )
    await display.say("ack", ack)
    await display.until(lambda _, body: body.get("ack_id") == ack.ack_id)
    assert node.dispatcher.state.day.tickets[ticket_id].shown_at == clock.now()


async def test_whoever_comes_later_finds_board_epoch_and_config(node: EdgeNode, display: Device) -> None:
    board = await display.until(lambda topic, _: topic.endswith("/board"))
    later = await display.until(
        lambda topic, body: topic.endswith("/board") and (body["seq"], body["beat"]) > (board["seq"], board["beat"])
    )
    assert later["epoch"] == 1
    assert (await display.until(lambda topic, _: topic.endswith("/epoch")))["epoch"] == 1
    config = await display.until(lambda topic, _: topic.endswith("/config"))
    assert [service["id"] for service in config["services"]] == ["padron", "registro", "certificados"]
    assert config["public_url"] == "https://citas.example"


async def test_a_changed_catalogue_is_told_to_devices(node: EdgeNode, kiosk: Device) -> None:
    first = await kiosk.until(lambda topic, _: topic.endswith("/config"))
    office = msgspec.structs.replace(node.dispatcher.state.configuration.catalogue.office, services=("padron",))
    await feed(node, office)
    changed = await kiosk.until(lambda topic, body: topic.endswith("/config") and body["version"] > first["version"])
    assert [service["id"] for service in changed["services"]] == ["padron"]


async def test_the_console_prints_on_the_chosen_kiosk_until_it_is_acknowledged(
    node: EdgeNode, kiosk: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_node.lan.prints.RESEND_S", 0.1)
    from edge_node.console.commands import GiveTicket
    from edge_node.console.staff_sessions import Member

    member = Member(staff_id="clerk-1", display_name="", roles=("clerk",), console="console-1")
    given = await node.staff_desk.give_ticket(
        GiveTicket(request_id=new_id(), service="padron", print_on="kiosk-1"), member
    )
    assert isinstance(given, Done)
    job = await kiosk.until(lambda _, body: body.get("type") == "print")
    assert job["job_id"] == given.reply.print_job_id
    kiosk.heard.clear()
    assert (await kiosk.until(lambda _, body: body.get("type") == "print")) == job
    ack = t.PrintedAck(ack_id=new_id(), device="kiosk-1", ticket_id=job["slip"]["ticket_id"])
    await kiosk.say("ack", ack)
    await kiosk.until(lambda _, body: body.get("ack_id") == ack.ack_id)
    kiosk.heard.clear()
    await asyncio.sleep(0.5)
    assert [body for _, body in kiosk.heard if body.get("type") == "print"] == []
    assert await node.writer.run(lambda db: db.execute("SELECT count(*) FROM print_job").fetchone()[0]) == 0


async def test_an_ack_that_was_late_leaves_the_print_that_was_asked_for_since(
    node: EdgeNode, kiosk: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_node.lan.prints.RESEND_S", 0.1)
    slip = (await kiosk.take())["slip"]
    job = await node.desk.print_again(slip["ticket_id"], "kiosk-1", "es")
    assert isinstance(job, t.PrintJob)
    ack = t.PrintFailedAck(
        ack_id=new_id(), device="kiosk-1", ticket_id=slip["ticket_id"], reason="no_paper", job_id=new_id()
    )
    await kiosk.say("ack", ack)
    await kiosk.until(lambda _, body: body.get("ack_id") == ack.ack_id)
    kiosk.heard.clear()
    sent = await kiosk.until(lambda _, body: body.get("type") == "print")
    assert sent["job_id"] == job.job_id


async def test_check_in_by_scan_again_and_reprint(node: EdgeNode, kiosk: Device, clock: ManualClock) -> None:
    row = appointment(soon(clock.now()))
    await feed(node, row)
    scanned = token_text(row, SIGNER.sign)
    slip = (await kiosk.arrive(scanned=scanned))["slip"]
    assert (slip["label"], slip["band"], slip["to_verify"]) == ("A1", "early", False)
    again = await kiosk.arrive(scanned=scanned)
    assert again["refusal"]["code"] == "already_checked_in"
    assert again["slip"]["label"] == "A1"
    reprint = await kiosk.ask(t.KioskReprint(request_id=new_id(), device="kiosk-1", ticket_id=slip["ticket_id"]))
    assert reprint["slip"]["follow_url"] == slip["follow_url"]
    assert facts(node).count("ticket.issued") == 1


@pytest.mark.parametrize("end, visit", [(c.Finish, "finished"), (c.NoShow, "missed")])
async def test_an_appointment_after_its_visit_is_not_in_the_list(
    node: EdgeNode, kiosk: Device, clock: ManualClock, end: type[c.Finish | c.NoShow], visit: str
) -> None:
    row = appointment(soon(clock.now(), 0))
    await feed(node, row)
    scanned = token_text(row, SIGNER.sign)
    ticket_id = (await kiosk.arrive(scanned=scanned))["slip"]["ticket_id"]
    assert await call_next(node) == ticket_id
    called: Any = {"session": node.dispatcher.state.day.tickets[ticket_id].session, "ticket_id": ticket_id}
    if end is c.Finish:
        assert isinstance(await node.dispatcher.submit(c.Start(request_id=new_id(), **called), CLERK), Done)
    calling = await kiosk.arrive(scanned=scanned)
    assert (calling["slip"]["ticket_id"], calling.get("visit", "open")) == (ticket_id, "open")
    assert (calling["counter"], calling["is_served"]) == ("1", end is c.Finish)
    assert isinstance(await node.dispatcher.submit(end(request_id=new_id(), **called), CLERK), Done)
    again = await kiosk.arrive(scanned=scanned)
    assert (again["refusal"]["code"], again["visit"]) == ("already_checked_in", visit)
    assert again["slip"] is None


async def test_a_slip_is_in_the_bookings_language_unless_another_was_chosen(
    node: EdgeNode, kiosk: Device, clock: ManualClock
) -> None:
    rows = [appointment(soon(clock.now()), language="ar") for _ in range(4)]
    await feed(node, *rows)
    scanned = [token_text(row, SIGNER.sign) for row in rows]
    told = [
        await kiosk.arrive(scanned=scanned[0], language="es", language_chosen=False),
        await kiosk.arrive(scanned=scanned[1], language="fr", language_chosen=True),
        await kiosk.arrive(scanned=scanned[2], language="fr"),  # a kiosk that does not say whether it was chosen
        await kiosk.arrive(scanned=scanned[0], language="es", language_chosen=False),
        await kiosk.arrive(locator=rows[3].locator, language="es", language_chosen=False),
    ]
    assert [reply["slip"]["language"] for reply in told] == ["ar", "fr", "fr", "ar", "ar"]
    assert told[3]["refusal"]["code"] == "already_checked_in"
    ticket_id = told[3]["slip"]["ticket_id"]
    reprint = await kiosk.ask(t.KioskReprint(request_id=new_id(), device="kiosk-1", ticket_id=ticket_id))
    assert reprint["slip"]["language"] == "ar"
    stranger = appointment(soon(clock.now()), language="ar")  # not told of by central yet
    unknown = await kiosk.arrive(scanned=token_text(stranger, SIGNER.sign), language="fr", language_chosen=False)
    assert (unknown["slip"]["language"], unknown["slip"]["to_verify"]) == ("fr", True)


async def test_a_resent_check_in_gets_its_ticket_even_if_the_booking_was_cancelled_since(
    node: EdgeNode, kiosk: Device
) -> None:
    await feed(node, KNOWN)
    arrival = t.KioskCheckIn(request_id=new_id(), device="kiosk-1", scanned=token_text(KNOWN, SIGNER.sign))
    first = await kiosk.ask(arrival)
    assert first["slip"]["label"] == "A1"
    await feed(node, msgspec.structs.replace(KNOWN, status="cancelled", version=2))
    kiosk.heard.clear()
    assert await kiosk.ask(arrival) == first


def change(row: f.Appointment, **changes: Any) -> Callable[[], str]:
    return lambda: token_text(row, SIGNER.sign, **changes)


MONDAY = ManualClock().now()
KNOWN = appointment(soon(MONDAY))
UNKNOWN = appointment(soon(MONDAY), locator="MNPQRT")
BAD_CODES: list[tuple[str, dict[str, Callable[[], str]], str | None]] = [
    ("an unknown one with a good signature", {"scanned": change(UNKNOWN)}, None),
    ("a newer version than the row", {"scanned": change(KNOWN, version=2)}, None),
    ("not a code of ours", {"scanned": lambda: "https://example.com/"}, "malformed"),
    ("garbage", {"scanned": lambda: "\x00\x1b[2J<script>"}, "malformed"),
    ("a version of the future", {"scanned": lambda: "V2.AAAA.BBBB"}, "unsupported_version"),
    (
        "a foreign signature",
        {"scanned": lambda: token_text(UNKNOWN, Ed25519PrivateKey.generate().sign)},
        "bad_signature",
    ),
    ("an unknown key", {"scanned": change(UNKNOWN, kid="k9")}, "bad_signature"),
    ("another office", {"scanned": change(UNKNOWN, office_id="real")}, "wrong_office"),
    ("tomorrow", {"scanned": change(UNKNOWN, slot_start_min=int(MONDAY.timestamp() // 60) + 1440)}, "wrong_day"),
    ("a locator nobody has", {"locator": lambda: "777-777"}, "booking_unknown"),
    ("not even a locator", {"locator": lambda: "hello"}, "booking_unknown"),
]


@pytest.mark.parametrize("code, refusal", [pytest.param(code, r, id=name) for name, code, r in BAD_CODES])
async def test_codes_at_the_kiosk(
    node: EdgeNode, kiosk: Device, code: dict[str, Callable[[], str]], refusal: str | None
) -> None:
    await feed(node, KNOWN)
    reply = await kiosk.arrive(**{way: make() for way, make in code.items()})
    if refusal is None:
        assert reply["slip"]["to_verify"]
        return
    assert reply["refusal"]["code"] == refusal
    assert "ticket.issued" not in facts(node)
    assert f'ventanilla_refused_total{{code="{refusal}"}} 1.0'.encode() in node.metrics.text()


@pytest.mark.parametrize("status", ["cancelled", "moved"])
async def test_a_row_that_was_cancelled_or_moved_wins_over_its_token(
    node: EdgeNode, kiosk: Device, status: f.AppointmentStatus
) -> None:
    await feed(node, msgspec.structs.replace(KNOWN, status=status, version=2))
    assert (await kiosk.arrive(scanned=token_text(KNOWN, SIGNER.sign)))["refusal"]["code"] == status


async def test_guessing_locators_ends_in_help_and_an_alarm_never_in_a_blocked_kiosk(
    node: EdgeNode, kiosk: Device
) -> None:
    await feed(node, KNOWN)
    answers = [(await kiosk.arrive(locator="777777"))["refusal"]["code"] for _ in range(20)]
    assert answers == ["booking_unknown"] * 5 + ["ask_for_help"] * 15
    assert b"guessing_alarms_total{" not in node.metrics.text()
    for _ in range(10):
        await kiosk.arrive(locator="777777")
    assert b'ventanilla_locator_guessing_alarms_total{device="kiosk-1"} 1.0' in node.metrics.text()
    assert (await kiosk.arrive(locator=KNOWN.locator))["slip"]["label"] == "A1"
    assert (await kiosk.arrive(locator="777777"))["refusal"]["code"] == "booking_unknown"


BAD_MESSAGES: list[tuple[str, str, str, object, str]] = [
    ("garbage", "kiosk-1", "cmd", b"\x00\xff{{{", "malformed"),
    ("not text", "kiosk-1", "cmd", bytes(range(256)), "malformed"),
    ("deep", "kiosk-1", "cmd", b"[" * 100_000, "malformed"),
    ("unknown type", "kiosk-1", "cmd", {"v": 1, "type": "explode"}, "malformed"),
    ("wrong types", "kiosk-1", "cmd", {"v": 1, "type": "take_ticket", "request_id": 1, "device": "kiosk-1"}, "malformed"),
    (
        "another version",
        "kiosk-1",
        "cmd",
        {"v": 2, "type": "take_ticket", "request_id": new_id(), "device": "kiosk-1", "service": "padron"},
        "unsupported_version",
    ),
    (
        "in another's name",
        "kiosk-1",
        "cmd",
        {"v": 1, "type": "take_ticket", "request_id": new_id(), "device": "kiosk-2", "service": "padron"},
        "forbidden",
    ),
    (
        "an unknown device",
        "kiosk-9",
        "cmd",
        {"v": 1, "type": "take_ticket", "request_id": new_id(), "device": "kiosk-9", "service": "padron"},
        "forbidden",
    ),
    (
        "a display that wants a ticket",
        "display-1",
        "cmd",
        {"v": 1, "type": "take_ticket", "request_id": new_id(), "device": "display-1", "service": "padron"},
        "forbidden",
    ),
    (
        "a kiosk that says it showed a call",
        "kiosk-1",
        "ack",
        {"v": 1, "type": "shown", "ack_id": new_id(), "device": "kiosk-1", "ticket_id": new_id(), "recalls": 0,
         "shown_at": "2026-11-23T08:00:00Z", "sounded": True},
        "forbidden",
    ),
    ("a status of another kind", "kiosk-1", "status", {"v": 1, "device": "kiosk-1", "kind": "display", "online": True}, "forbidden"),
    ("an ack of nothing", "kiosk-1", "ack", b"{}", "malformed"),
]  # fmt: skip


@pytest.mark.parametrize("name, leaf, body, code", [pytest.param(*rest, id=label) for label, *rest in BAD_MESSAGES])
async def test_bad_messages_are_refused_and_counted(
    node: EdgeNode, kiosk: Device, *, name: str, leaf: str, body: object, code: str
) -> None:
    before = node.dispatcher.state.tail.seq
    await kiosk.say(leaf, body, as_device=name)
    assert (await kiosk.take())["slip"]["label"] == "A1"  # it still works
    assert f'ventanilla_refused_total{{code="{code}"}} 1.0'.encode() in node.metrics.text()
    assert node.dispatcher.state.tail.seq == before + len(["day.opened", "ticket.issued"]) - (before > 2)


async def test_an_ack_of_a_ticket_that_nobody_knows_is_not_asked_for_again(node: EdgeNode, kiosk: Device) -> None:
    ack = t.PrintedAck(ack_id=new_id(), device="kiosk-1", ticket_id=new_id())
    await kiosk.say("ack", ack)
    await kiosk.until(lambda _, body: body.get("ack_id") == ack.ack_id)


async def test_devices_and_their_absence_are_known(node: EdgeNode, kiosk: Device) -> None:
    await kiosk.say("status", t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True, printer="near_end"))
    await kiosk.take()
    view = await node.view_queue()
    assert [(d.device, d.online, d.printer) for d in view.devices] == [
        ("display-1", False, "none"), ("kiosk-1", True, "near_end"), ("kiosk-2", False, "none"),
    ]  # fmt: skip
    assert b'ventanilla_devices_online{kind="kiosk"} 1.0' in node.metrics.text()


class CutLink:
    """A link that is lost right behind its first message, and the next time only says so much."""

    def __init__(self, message: MqttMessage) -> None:
        self._message = message
        self._lost = False

    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *_error: object) -> None: ...

    async def messages(self) -> AsyncIterator[MqttMessage]:
        yield self._message
        if not self._lost:
            self._lost = True
            raise ConnectionError
        await asyncio.Event().wait()


async def test_a_message_that_was_never_begun_keeps_no_place(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge_node.lan.link.MAX_AT_ONCE", 1)
    async with edge(tmp_path / "edge", clock, rows=entities()) as node:
        lan = Lan(node.settings.broker, node.dispatcher, node.desk, node.devices, node.writer)
        status = t.DeviceStatus(device="kiosk-1", kind="kiosk", online=True)
        topic = t.device_topic(OFFICE, "kiosk-1", "status")
        monkeypatch.setattr(lan, "_link", CutLink(MqttMessage(topic, msgspec.json.encode(status), retained=False)))
        with pytest.raises(ExceptionGroup):
            await lan.run()
        assert not node.devices.all()[1].online
        again = asyncio.create_task(lan.run())
        await until(lambda: node.devices.all()[1].online)
        again.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await again
