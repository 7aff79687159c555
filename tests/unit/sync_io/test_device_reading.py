"""What is let in from the LAN, and under which code the rest is counted."""

import pytest

from sync.io.device_reading import Reader, Refused
from sync.io.ids import new_id
from sync.io.mqtt import MqttMessage
from sync.messages.codec import encode
from sync.messages.topics import AckReply, DeviceConfig, Epoch, PrintJob, Slip
from tests.unit.display.boards import after, board, call, ticket_id

READER = Reader("real", "display-1")
BOARD = encode(board(0, call(1, 0)))
CONFIG = DeviceConfig(office="real", office_name="Real", device="display-1", zone="b", time_zone="Africa/Ceuta")
SLIP = Slip(
    ticket_id=ticket_id(1),
    label="K1",
    office_name="Real",
    zone="b",
    service_names={"es": "Padrón"},
    issued_at=after(0),
    language="es",
    people_ahead=0,
    wait=None,
    follow_url="",
)
PRINT = PrintJob(job_id=ticket_id(2), slip=SLIP)


def changed(body: bytes, old: bytes, new: bytes) -> bytes:
    assert old in body
    return body.replace(old, new)


def test_what_the_edge_says_is_read() -> None:
    ack = AckReply(ack_id=new_id())
    assert READER.read(MqttMessage("o/real/zone/b/board", BOARD)) == board(0, call(1, 0))
    assert READER.read(MqttMessage("o/real/epoch", encode(Epoch(office="real", epoch=3, seq=9)))) == Epoch(
        office="real", epoch=3, seq=9
    )
    assert READER.read(MqttMessage("o/real/d/display-1/config", encode(CONFIG))) == CONFIG
    assert READER.read(MqttMessage("o/real/d/display-1/resp", encode(ack))) == ack
    assert READER.read(MqttMessage("o/real/d/display-1/resp", encode(PRINT))) == PRINT


def test_a_later_build_may_add_fields() -> None:
    more = changed(BOARD, b'"beat":0', b'"beat":0,"weather":"levante"')
    assert READER.read(MqttMessage("o/real/zone/b/board", more)) == board(0, call(1, 0))


@pytest.mark.parametrize(
    "topic,payload,code",
    [
        ("o/real/zone/b/board", b"", "malformed"),
        ("o/real/zone/b/board", b"\x00\xff garbage", "malformed"),
        ("o/real/zone/b/board", b"[" * 5000, "malformed"),
        ("o/real/zone/b/board", b"{}", "malformed"),
        ("o/real/zone/b/board", b'{"v":1}', "malformed"),
        ("o/real/zone/b/board", b'{"v":"1"}', "malformed"),
        ("o/real/zone/b/board", BOARD[:-1], "malformed"),
        ("o/real/zone/b/board", changed(BOARD, b'"label":"K1"', b'"label":"<b>"'), "malformed"),
        ("o/real/zone/b/board", changed(BOARD, b'"waiting":9', b'"waiting":"nine"'), "malformed"),
        ("o/real/zone/b/board", changed(BOARD, b'"seq":1', b'"seq":-1'), "malformed"),
        ("o/real/zone/b/board", changed(BOARD, b'"v":1', b'"v":2'), "unsupported_version"),
        ("o/real/zone/b/board", b'{"v":99,"shape":"unknown"}', "unsupported_version"),
        ("o/real/zone/a/board", BOARD, "misplaced"),
        ("o/real/zone/b/board", changed(BOARD, b'"office":"real"', b'"office":"centro"'), "misplaced"),
        ("o/real/epoch", BOARD[:20], "malformed"),
        ("o/real/epoch", encode(Epoch(office="centro", epoch=9, seq=0)), "misplaced"),
        ("o/real/d/display-1/config", changed(encode(CONFIG), b"display-1", b"display-2"), "misplaced"),
        ("o/real/d/display-1/config", changed(encode(CONFIG), b"Africa/Ceuta", b"Africa/Nowhere"), "malformed"),
        (
            "o/real/d/display-1/config",
            changed(encode(CONFIG), b'"second_language":"ar"', b'"second_language":"xx"'),
            "malformed",
        ),
        ("o/real/d/display-1/resp", b'{"v":1,"type":"new_kind"}', "malformed"),
    ],
)
def test_bad_input_is_refused_whole(topic: str, payload: bytes, code: str) -> None:
    assert READER.read(MqttMessage(topic, payload)) == Refused(code)  # type: ignore[arg-type] # a row of the table
