"""What a wrong or hostile device says on the office's LAN, to the edge and to the kiosk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from provisioning.launchers.broker import MAX_PACKET_BYTES
from sync.domain.service_day import service_date
from sync.io.ids import new_id
from sync.messages import topics as t
from tests.integration.bad_input.office import KIOSK, Office, until
from tests.kit.edge import OFFICE

pytestmark = [pytest.mark.broker, pytest.mark.slow, pytest.mark.timeout(120)]

TODAY = service_date(datetime.now(UTC), ZoneInfo("Africa/Ceuta")).isoformat()
TICKET = ("ticket.issued", "ticket.printed")


class Stranger:
    """A client of the broker that may say anything."""

    def __init__(self, port: int) -> None:
        self.gone = threading.Event()
        connected = threading.Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.on_connect = lambda *_: connected.set()
        self._client.on_disconnect = lambda *_: self.gone.set()
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert connected.wait(10)

    def say(self, topic: str, body: Any, *, retain: bool = False) -> None:
        """Until the broker has it."""
        payload = body if isinstance(body, bytes) else msgspec.json.encode(body)
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(10)

    def shout(self, topic: str, size: int) -> None:
        """A message that may be too large for the broker."""
        self._client.publish(topic, b"x" * size, qos=1)

    def leave(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def stranger(office: Office) -> Iterator[Stranger]:
    there = Stranger(office.broker.port)
    yield there
    there.leave()


def wish(**changes: object) -> dict[str, object]:
    """A kiosk's request for a ticket."""
    known = {"v": 1, "type": "take_ticket", "request_id": new_id(), "device": KIOSK, "service": "padron"}
    return {**known, **changes}


def told(**changes: object) -> dict[str, object]:
    """A kiosk's word for a ticket that it gave or printed today."""
    known = {
        "v": 1,
        "request_id": new_id(),
        "ticket_id": new_id(),
        "device": KIOSK,
        "service_date": TODAY,
        "elapsed_ms": 0,
    }
    return {**known, "service": "padron", **changes}


class Said(NamedTuple):
    """A message to the edge, and how its refusal is counted."""

    body: object
    refused: str
    device: str = KIOSK
    leaf: Any = "cmd"


TO_THE_EDGE = {
    "no text": Said(bytes(range(256)), "malformed"),
    "nothing": Said(b"", "malformed"),
    "no JSON": Said(b"{{{", "malformed"),
    "very deep": Said(b"[" * 100_000, "malformed"),
    "as large as the broker lets through": Said(b'"' + b"x" * (MAX_PACKET_BYTES - 200) + b'"', "malformed"),
    "a list": Said([wish()], "malformed"),
    "an unknown type": Said(wish(type="explode"), "malformed"),
    "no type": Said({"v": 1}, "malformed"),
    "a number for an id": Said(wish(request_id=7), "malformed"),
    "a list for a service": Said(wish(service=["padron"]), "malformed"),
    "a language that is none": Said(wish(language="klingon"), "malformed"),
    "a later version": Said(wish(v=2), "unsupported_version"),
    "a version in letters": Said(wish(v="1"), "malformed"),
    "in another's name": Said(wish(device="kiosk-2"), "forbidden"),
    "from a device that nobody knows": Said(wish(device="kiosk-9"), "forbidden", device="kiosk-9"),
    "a display that wants a ticket": Said(wish(device="display-1"), "forbidden", device="display-1"),
    "a service that is not offered": Said(wish(service="oficina"), "service_unknown"),
    "a scan and a locator at once": Said(
        {"v": 1, "type": "check_in", "request_id": new_id(), "device": KIOSK, "scanned": "x", "locator": "x"},
        "malformed",
    ),
    "a reprint of any ticket": Said(
        {"v": 1, "type": "reprint", "request_id": new_id(), "device": KIOSK, "ticket_id": new_id()}, "ticket_unknown"
    ),
    "the last number of a series as printed": Said(told(type="tell_printed", series="A", number=999), "not_reserved"),
    "a number of no series as printed": Said(told(type="tell_printed", series="A", number=1000), "malformed"),
    "a number below all as printed": Said(told(type="tell_printed", series="A", number=-1), "malformed"),
    "a ticket out of no reserve": Said(
        told(type="tell_reserved", series="A", number=1, follow_code="A" * 22 + "=="), "not_reserved"
    ),
    "a status that has seen the last number of a series": Said(
        {
            "v": 1,
            "device": KIOSK,
            "kind": "kiosk",
            "online": True,
            "numbers": {"service_date": TODAY, "highest": {"A": 999}},
        },
        "not_reserved",
        leaf="status",
    ),
    "printed what was never given": Said(
        {"v": 1, "type": "printed", "ack_id": new_id(), "device": KIOSK, "ticket_id": new_id()},
        "ticket_unknown",
        leaf="ack",
    ),
    "a kiosk that is a display": Said(
        {"v": 1, "device": KIOSK, "kind": "display", "online": True}, "forbidden", leaf="status"
    ),
    "a status of a later version": Said(
        {"v": 3, "device": KIOSK, "kind": "kiosk", "online": True}, "unsupported_version", leaf="status"
    ),
}


@pytest.mark.parametrize("said", [pytest.param(said, id=name) for name, said in TO_THE_EDGE.items()])
def test_a_message_to_the_edge(office: Office, stranger: Stranger, said: Said) -> None:
    evidence = office.evidence()
    stranger.say(t.device_topic(OFFICE, said.device, said.leaf), said.body)
    evidence.becomes((), {said.refused: 1})


TO_THE_KIOSK: dict[str, tuple[str, object]] = {
    "a reply that is no JSON": (t.device_topic(OFFICE, KIOSK, "resp"), b"\xff{"),
    "a reply to nobody": (
        t.device_topic(OFFICE, KIOSK, "resp"),
        {"v": 1, "type": "reply", "request_id": new_id(), "refusal": {"code": "cancelled"}},
    ),
    "a reply of a later version": (t.device_topic(OFFICE, KIOSK, "resp"), {"v": 2, "type": "reply"}),
    "a board of another office": (
        t.board_topic(OFFICE, "a"),
        {"v": 1, "office": "real", "zone": "a", "epoch": 9, "seq": 9, "beat": 0, "at": "2026-01-01T00:00:00Z", "calls": [],
         "recent": [], "waiting": 1},
    ),
    "a board that is a list": (t.board_topic(OFFICE, "a"), [1, 2, 3]),
    "a config for somebody else": (
        t.device_topic(OFFICE, KIOSK, "config"),
        {"v": 1, "office": OFFICE, "office_name": "X", "device": "kiosk-2", "zone": "a", "time_zone": "Africa/Ceuta"},
    ),
    "a config of no time zone": (
        t.device_topic(OFFICE, KIOSK, "config"),
        {"v": 1, "office": OFFICE, "office_name": "X", "device": KIOSK, "zone": "a", "time_zone": "Mars/Olympus"},
    ),
    "an epoch in letters": (t.epoch_topic(OFFICE), {"v": 1, "office": OFFICE, "epoch": "nine", "seq": 1}),
}  # fmt: skip


@pytest.mark.parametrize("topic, body", [pytest.param(*said, id=name) for name, said in TO_THE_KIOSK.items()])
def test_a_message_to_the_kiosk_changes_nothing_that_people_see(
    office: Office, stranger: Stranger, topic: str, body: object
) -> None:
    office.kiosk.begin("ar")
    before, evidence = office.kiosk.screen(), office.evidence()
    stranger.say(topic, body)
    office.kiosk.touch("without", "choose:padron", "take")
    evidence.becomes(TICKET, {})
    office.kiosk.begin("ar")
    assert [word for word in office.kiosk.screen().text if ":" not in word] == [w for w in before.text if ":" not in w]


def test_ten_megabytes_never_pass_the_broker(office: Office, stranger: Stranger) -> None:
    evidence = office.evidence()
    stranger.shout(t.device_topic(OFFICE, KIOSK, "cmd"), 10_000_000)
    assert until(stranger.gone.is_set)
    office.kiosk.begin("es")
    office.kiosk.touch("without", "choose:padron", "take")
    evidence.becomes(TICKET, {})
