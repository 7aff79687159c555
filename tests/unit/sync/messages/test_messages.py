"""The shapes on the wire: what is refused, what is tolerated, what is kept as it is."""

from __future__ import annotations

import msgspec
import pytest

from sync.messages import codec, commands, facts, topics
from sync.messages.envelope import FactHeader, FactRecord, chain, open_fact, seal
from sync.messages.fact_types import FACTS
from sync.messages.node_facts import ClockStepped
from sync.messages.values import GENESIS
from sync.messages.wire import HelloRequest
from tests.kit.office import at, new_id


def header(of: type[facts.Fact], seq: int = 1) -> FactHeader:
    return FactHeader("centro", 1, seq, of.TYPE, of.V, None, "ana", "console", at("09:00"), "boot-1", 5)


def test_a_fact_survives_the_wire_byte_for_byte() -> None:
    record = seal(header(ClockStepped), ClockStepped(delta_ms=-3))
    back = codec.decode(codec.encode(record), FactRecord)
    assert chain(GENESIS, back) == chain(GENESIS, record)
    assert open_fact(back) == ClockStepped(delta_ms=-3)


def test_every_fact_has_its_own_tag() -> None:
    assert len(FACTS) == 45
    assert all(tag == fact.TYPE and tag.count(".") == 1 for tag, fact in FACTS.items())


@pytest.mark.parametrize("tag, version", [("ticket.teleported", 1), ("clock.stepped", 2)])
def test_an_unknown_fact_is_kept_opaque(tag: str, version: int) -> None:
    known = header(ClockStepped)
    news = msgspec.structs.replace(known, type=tag, v=version)
    opened = open_fact(FactRecord(header=news, body=msgspec.Raw(b'{"who":"knows"}')))
    assert opened == facts.UnknownFact(type=tag, v=version)


def test_a_poison_fact_says_so() -> None:
    record = FactRecord(header=header(ClockStepped), body=msgspec.Raw(b'{"delta_ms":"a lot"}'))
    with pytest.raises(codec.MalformedMessage):
        open_fact(record)


@pytest.mark.parametrize(
    "body",
    [
        b'{"request_id": "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa", "service": "a", "Juan": 1}',
        b'{"request_id": "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa", "service": "a", "x ` - at Juan": 1}',
        b'{"request_id": "0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa", "service": "a", "language": "Juan \' or \\" Juan"}',
        b'{"type": "Juan"}',
        b'{"request_id": "Juan\xff"}',
    ],
)
def test_what_is_wrong_with_a_body_is_told_without_its_content(body: bytes) -> None:
    with pytest.raises(codec.MalformedMessage) as told:
        codec.decode(body, commands.TakeTicket)
    assert told.value.detail
    assert "Juan" not in f"{told.value.detail} {told.value} {told.value.__cause__}"


def test_a_new_field_of_a_fact_is_tolerated() -> None:
    record = FactRecord(header=header(ClockStepped), body=msgspec.Raw(b'{"delta_ms":1,"cause":"ntp"}'))
    assert open_fact(record) == ClockStepped(delta_ms=1)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'{"type":"call_next"}',
        b'{"type":"dance","request_id":"00000000-0000-7000-8000-000000000001"}',
        b'{"type":"call_next","request_id":"not-a-uuid","session":"00000000-0000-7000-8000-000000000001"}',
        b'{"type":"close_day","request_id":"00000000-0000-7000-8000-000000000001","force":true}',
        b"[" * 100_000,
        b'\xff\xfe{"type":"close_day"}',
    ],
)
def test_bad_commands_are_malformed(body: bytes) -> None:
    with pytest.raises(codec.MalformedMessage):
        codec.decode(body, commands.AnyCommand)  # type: ignore[arg-type]


def test_devices_tolerate_new_fields() -> None:
    body = b'{"v":1,"office":"centro","epoch":3,"seq":9,"signature":"later"}'
    assert codec.decode(body, topics.Epoch) == topics.Epoch(office="centro", epoch=3, seq=9)


def test_seal_refuses_a_header_of_another_fact() -> None:
    with pytest.raises(ValueError, match=r"header is for day\.closed"):
        seal(header(facts.DayClosed), ClockStepped(delta_ms=1))


def test_ids_in_messages_are_canonical() -> None:
    with pytest.raises(codec.MalformedMessage):
        codec.decode(
            codec.encode({"type": "resume", "request_id": new_id().upper(), "ticket_id": "x"}), commands.Resume
        )


def test_a_hello_of_a_node_that_tells_no_standing_says_nothing_against_it() -> None:
    """As a node of the version before sends it."""
    body = (
        b'{"request_id":"0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaaa","office":"centro","node":"edge-centro","epoch":1,'
        b'"incarnation":"0199aaaa-aaaa-7aaa-8aaa-aaaaaaaaaaab","proto_min":1,"proto_max":1,"fact_versions":{},'
        b'"schema":"0001","sqlite_version":"3.40.1","clock_at":"2026-11-24T09:00:00Z","disk_free_bytes":1,"last_seq":0,'
        b'"last_hash":"' + codec.encode(GENESIS).strip(b'"') + b'","cursors":[]}'
    )
    assert codec.decode(body, HelloRequest).rolled_back is False
