"""A dead node is replaced: the open tickets go along, the old one is fenced, and a restored central learns of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from central.__main__ import main
from central.audit import Attested
from central.exchange.activations import activate, trusts
from central.exchange.nodes import revoke
from central.exchange.replacement import Replacement, replace
from sync.messages import codec
from sync.messages.facts import DayOpened, TicketFinished, TicketIssued
from sync.messages.feed import GLOBAL, NodeKey, NumberFloor, TicketClosed, TicketGrant, office_stream
from sync.messages.policy import Policy
from sync.messages.values import GENESIS
from sync.messages.wire import Activation, HelloReply, UpReply
from sync.protocol.uplink import chain_batch
from tests.integration.exchange.client import NodeClient
from tests.kit.central_server import CentralServer
from tests.kit.facts import MORNING, record_of, ticket_issued, uuid_of
from tests.kit.retention import carried_out

pytestmark = pytest.mark.postgres

WHO = Attested(actor="ana", at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC), statement="the old box is in my hands")
DAY = date(2026, 3, 2)


def issued(number: int) -> TicketIssued:
    return ticket_issued(
        uuid_of(number),
        f"P{number}",
        due_at=MORNING + timedelta(minutes=number),
        follow_hash=number.to_bytes(32, "big"),
    )


FACTS = [
    DayOpened(service_date=DAY, policy_version=1, policy=Policy()),
    issued(1),
    issued(2),
    issued(3),
    TicketFinished(ticket_id=uuid_of(1), session=uuid_of(90)),
]
RECORDS = [record_of(fact, seq) for seq, fact in enumerate(FACTS, 1)]


async def replaced_by(central: CentralServer, node: NodeClient) -> Replacement:
    async with central.central.pool.acquire() as connection:
        answer = await replace(
            connection, central.central.keys, WHO, office="centro", node=node.node, public_key=node.public_key
        )
    assert isinstance(answer, Replacement)
    node.activation = answer.activation
    return answer


async def entities(central: CentralServer, stream: str, kind: str) -> list[bytes]:
    rows = await central.central.pool.fetch(
        "SELECT body FROM feed_entity WHERE stream = $1 AND kind = $2 ORDER BY entity_id", stream, kind
    )
    return [row["body"] for row in rows]


@pytest.fixture
def successor(central: CentralServer) -> NodeClient:
    node = NodeClient(central.url, "centro", epoch=2)
    node.node = "edge-centro-2"
    return node


async def test_the_new_node_gets_the_open_tickets_and_the_floors(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    await node.send("up", node.up(*RECORDS))
    answer = await replaced_by(central, successor)

    assert answer.replaced is not None
    assert (answer.replaced.restored, answer.replaced.floors) == (2, {"P": 23})
    grants = [codec.decode(b, TicketGrant) for b in await entities(central, office_stream("centro"), "ticket_grant")]
    assert [(one.id, one.tenure, one.from_office, one.series, one.number) for one in grants] == [
        (uuid_of(2), 2, "centro", "P", 2),
        (uuid_of(3), 2, "centro", "P", 3),
    ]
    [floor] = await entities(central, office_stream("centro"), "number_floor")
    assert codec.decode(floor, NumberFloor) == NumberFloor(
        service_date=DAY, epoch=2, floors={"P": 23}, heard={"P": 3}, runs={"P": ((1, 3),)}
    )
    [key] = await entities(central, GLOBAL, "node_key")
    assert codec.decode(key, NodeKey) == NodeKey(office="centro", epoch=2, public_key=successor.public_key)
    row = await central.central.pool.fetchrow("SELECT * FROM audit")
    assert (row["actor"], row["act"], row["subject"], row["attested"]) == (
        "ana",
        "node.replaced",
        "centro",
        "the old box is in my hands",
    )
    hello = codec.decode((await successor.send("hello", successor.hello())).content, HelloReply)
    assert (hello.acked_seq, hello.fenced_by) == (0, 0)
    await successor.http.aclose()


async def test_what_the_old_node_still_tells_is_recorded_and_moves_little(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    await node.send("up", node.up(*RECORDS[:4]))
    await replaced_by(central, successor)
    prev_hash = chain_batch(GENESIS, RECORDS[:4])[-1].hash
    late = node.up(RECORDS[4], first_seq=5, prev_hash=prev_hash)
    reply = codec.decode((await node.send("up", late)).content, UpReply)

    assert (reply.acked_seq, reply.fenced_by) == (5, 2)
    assert await central.central.pool.fetchval("SELECT count(*) FROM fact WHERE epoch = 1") == 5
    [closed] = await entities(central, office_stream("centro"), "ticket_closed")
    assert codec.decode(closed, TicketClosed).reason == "served_before"
    again = codec.decode((await node.send("up", late)).content, UpReply)
    assert again.acked_seq == 5
    await successor.http.aclose()


@pytest.mark.parametrize(
    "office, name, outcome",
    [("centro", "edge-centro", "id_taken"), ("nowhere", "edge-9", "office_unknown"), ("real", "edge-9", "no_node")],
)
async def test_what_cannot_be_replaced_is_said_and_changes_nothing(
    central: CentralServer, node: NodeClient, office: str, name: str, outcome: str
) -> None:
    async with central.central.pool.acquire() as connection:
        answer = await replace(connection, central.central.keys, WHO, office=office, node=name, public_key=bytes(32))
    assert answer == outcome
    assert await central.central.pool.fetchval("SELECT max(epoch) FROM office_authority") == 1
    assert await central.central.pool.fetchval("SELECT count(*) FROM audit") == 0


async def test_a_restored_central_takes_its_own_word_for_a_node_it_forgot(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    successor.activation = activate(
        central.central.keys, office="centro", node=successor.node, epoch=2, public_key=successor.public_key
    )
    facts = [record_of(FACTS[0], 1, epoch=2)]
    refused = await successor.send("up", successor.up(*facts))
    assert (refused.status_code, refused.json()["code"]) == (401, "node_unknown"), "only a hello shows an activation"

    hello = codec.decode((await successor.send("hello", successor.hello())).content, HelloReply)
    assert (hello.acked_seq, hello.fenced_by) == (0, 0)
    reply = codec.decode((await successor.send("up", successor.up(*facts))).content, UpReply)
    assert reply.acked_seq == 1
    hello = codec.decode((await node.send("hello", node.hello())).content, HelloReply)
    assert hello.fenced_by == 2
    [key] = await entities(central, GLOBAL, "node_key")
    assert codec.decode(key, NodeKey).epoch == 2
    await successor.http.aclose()


async def test_a_central_restored_to_before_the_first_node_takes_it_too(central: CentralServer) -> None:
    async with NodeClient(central.url, "real") as first:
        first.activation = activate(
            central.central.keys, office="real", node=first.node, epoch=1, public_key=first.public_key
        )
        assert (await first.send("hello", first.hello())).status_code == 200
        fact = record_of(FACTS[0], 1, office="real")
        assert codec.decode((await first.send("up", first.up(fact))).content, UpReply).acked_seq == 1


Change = dict[str, Any]


@pytest.mark.parametrize(
    "change",
    [
        {"signature": bytes(64)},
        {"signature": b"x"},
        {"epoch": 3},
        {"node": "edge-x"},
        {"office": "real"},
        {"public_key": bytes(32)},
    ],
)
async def test_a_wrong_activation_opens_nothing(central: CentralServer, successor: NodeClient, change: Change) -> None:
    good = activate(
        central.central.keys, office="centro", node=successor.node, epoch=2, public_key=successor.public_key
    )
    successor.activation = msgspec.structs.replace(good, **change)
    response = await successor.send("hello", successor.hello())
    assert (response.status_code, response.json()["code"]) == (401, "node_unknown")
    assert await central.central.pool.fetchval("SELECT count(*) FROM node") == 0
    await successor.http.aclose()


async def test_an_activation_of_the_present_epoch_or_a_huge_hello_opens_nothing(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    rival = NodeClient(central.url, "centro", epoch=1)
    rival.node = "edge-rival"
    rival.activation = activate(
        central.central.keys, office="centro", node="edge-rival", epoch=1, public_key=rival.public_key
    )
    response = await rival.send("hello", rival.hello())
    assert (response.status_code, response.json()["code"]) == (401, "node_unknown")
    successor.activation = activate(
        central.central.keys, office="centro", node=successor.node, epoch=2, public_key=successor.public_key
    )
    response = await successor.send("hello", successor.hello(schema="x" * 70_000))
    assert (response.status_code, response.json()["code"]) == (401, "node_unknown")
    await rival.http.aclose()
    await successor.http.aclose()


async def test_an_activation_is_about_everything_it_says(central: CentralServer, successor: NodeClient) -> None:
    keys = central.central.keys
    good = activate(keys, office="centro", node="edge-2", epoch=2, public_key=successor.public_key)
    assert trusts(keys, good)
    changes: list[Change] = [{"office": "real"}, {"node": "edge-3"}, {"epoch": 3}, {"public_key": bytes(32)}]
    assert not any(trusts(keys, msgspec.structs.replace(good, **change)) for change in changes)


async def test_the_command_writes_the_activation(
    central: CentralServer, node: NodeClient, successor: NodeClient, tmp_path: Any
) -> None:
    await node.send("up", node.up(*RECORDS))
    key = tmp_path / "node.pub.pem"
    key.write_bytes(successor.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    config = tmp_path / "central.toml"
    config.write_text(
        f'[database]\ndsn = "{central.central.settings.database.dsn}"\n[keys]\nfolder = "{tmp_path / "keys"}"\n'
    )
    arguments = ["replace-node", "centro", "--node", successor.node, "--public-key", str(key), "--config", str(config)]
    arguments += ["--activation", str(tmp_path / "activation.json"), "--attest", "burnt", "--by", "ana"]
    result = await run(arguments)

    assert result.exit_code == 0, result.output
    assert "epoch 2" in result.output
    assert "handed over: 2" in result.output
    activation = codec.decode((tmp_path / "activation.json").read_bytes(), Activation)
    assert trusts(central.central.keys, activation)
    first = (tmp_path / "activation.json").read_bytes()
    (tmp_path / "activation.json").unlink()  # lost on the way to the box
    again = await run(arguments)
    assert again.exit_code == 0, again.output
    assert "its activation is issued again" in again.output
    assert (tmp_path / "activation.json").read_bytes() == first
    await successor.http.aclose()


async def test_an_activation_is_issued_again_to_the_present_node_and_moves_nothing(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    await node.send("up", node.up(*RECORDS))
    first = await replaced_by(central, successor)
    heads = await central.central.pool.fetch("SELECT stream, head FROM stream_head ORDER BY stream")
    again = await replaced_by(central, successor)
    assert (again.activation, again.replaced) == (first.activation, None)
    assert await central.central.pool.fetch("SELECT stream, head FROM stream_head ORDER BY stream") == heads
    assert await central.central.pool.fetchval("SELECT count(*) FROM node") == 2
    acts = await central.central.pool.fetch("SELECT act FROM audit ORDER BY audit_id")
    assert [row["act"] for row in acts] == ["node.replaced", "node.activation_issued"]
    assert (await successor.send("hello", successor.hello())).status_code == 200
    await successor.http.aclose()


async def test_an_activation_is_not_issued_again_for_another_key_a_fenced_node_or_a_revoked_one(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    await replaced_by(central, successor)
    third = NodeClient(central.url, "centro", epoch=3)
    third.node = "edge-centro-3"

    async def asked(name: str, key: bytes) -> Any:
        async with central.central.pool.acquire() as connection:
            return await replace(connection, central.central.keys, WHO, office="centro", node=name, public_key=key)

    assert await asked(successor.node, third.public_key) == "id_taken"
    async with central.central.pool.acquire() as connection:
        await revoke(connection, node_id=successor.node, at=WHO.at)
    assert await asked(successor.node, successor.public_key) == "node_revoked"
    await replaced_by(central, third)
    assert await asked(successor.node, successor.public_key) == "id_taken"
    assert await central.central.pool.fetchval("SELECT max(epoch) FROM office_authority WHERE office = 'centro'") == 3
    await successor.http.aclose()
    await third.http.aclose()


async def run(arguments: list[str]) -> Any:
    """A command has its own event loop, so it gets a thread of its own."""
    import asyncio

    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


async def test_what_belongs_to_a_day_leaves_the_stream_when_it_is_over(
    central: CentralServer, node: NodeClient, successor: NodeClient
) -> None:
    await node.send("up", node.up(*RECORDS))
    await replaced_by(central, successor)
    stream = office_stream("centro")
    pool, settings = central.central.pool, central.central.settings

    async def forgotten(days: int) -> dict[str, int]:
        done = await carried_out(pool, settings, MORNING + timedelta(days=days))
        return {one.rule.kind: one.gone for one in done}

    assert (await forgotten(2))["streams"] == 0
    assert (await forgotten(3))["streams"] == 3
    assert (await forgotten(3))["streams"] == 0
    assert await pool.fetchval("SELECT count(*) FROM ticket_token") == 2
    assert (await forgotten(30))["tokens"] == 2
    assert await pool.fetchval("SELECT count(*) FROM ticket_token") == 0
    assert await entities(central, stream, "ticket_grant") + await entities(central, stream, "number_floor") == []
    await successor.http.aclose()
