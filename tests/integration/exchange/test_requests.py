"""Who may ask, and what a body may be: every wrong one is one row with its status, code and metric."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from central.__main__ import main
from central.exchange import nodes
from central.requests import REFUSED
from sync.messages import codec
from sync.messages.values import GENESIS
from sync.messages.wire import DownReply, HelloReply, ReportReply, UpRefusal, UpReply
from tests.integration.exchange.client import NodeClient
from tests.kit.central_server import CentralServer
from tests.kit.facts import printed_run

pytestmark = pytest.mark.postgres


def count(code: str) -> float:
    return float(REFUSED.labels(code)._value.get())


def messages(node: NodeClient, **changes: Any) -> dict[str, msgspec.Struct]:
    gen = "00000000-0000-4000-8000-000000000001"
    return {
        "hello": node.hello(**changes),
        "up": node.up(*printed_run(1, 1, office=changes.get("office", node.office)), **changes),
        "down": node.down(gen, **changes),
        "snapshot": node.snapshot(**changes),
        "people": node.person(**changes),
        "report": node.report(**changes),
    }


Token = Callable[[NodeClient, bytes], str]


def with_key(node: NodeClient, body: bytes) -> str:
    good = jwt.decode(node.token(body), options={"verify_signature": False})
    return jwt.encode(good, Ed25519PrivateKey.generate(), algorithm="EdDSA")


def without_signature(node: NodeClient, body: bytes) -> str:
    good = jwt.decode(node.token(body), options={"verify_signature": False})
    return jwt.encode(good, "", algorithm="none")


def with_shared_secret(node: NodeClient, body: bytes) -> str:
    """The public key as an HMAC secret: the classic confusion of algorithms."""
    good = jwt.decode(node.token(body), options={"verify_signature": False})
    return jwt.encode(good, node.public_key, algorithm="HS256")


WRONG: list[tuple[str, Token, str]] = [
    ("not a token", lambda node, body: "abc.def", "token_malformed"),
    ("no signature", without_signature, "token_malformed"),
    ("HMAC with the public key", with_shared_secret, "token_malformed"),
    ("another key", with_key, "bad_signature"),
    ("another body", lambda node, body: node.token(body + b" "), "wrong_body"),
    ("expired", lambda node, body: node.token(body, ahead_s=-61), "token_expired"),
    ("of the future", lambda node, body: node.token(body, ahead_s=35), "token_not_yet"),
    ("unknown node", lambda node, body: node.token(body, node_id="edge-nobody"), "node_unknown"),
    ("another office", lambda node, body: node.token(body, office="real"), "node_unknown"),
    ("another epoch", lambda node, body: node.token(body, epoch=2), "node_unknown"),
    ("an epoch beyond all", lambda node, body: node.token(body, epoch=10**30), "node_unknown"),
]


@pytest.mark.parametrize("token, code", [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
async def test_a_wrong_token_opens_nothing(central: CentralServer, node: NodeClient, token: Token, code: str) -> None:
    for path, message in messages(node).items():
        body = codec.encode(message)
        before = count(code)
        response = await node.post(path, body, token=token(node, body))

        assert response.status_code == 401, path
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["code"] == code
        server_time = datetime.fromisoformat(response.json()["server_time"])
        assert abs(datetime.now(UTC) - server_time) < timedelta(seconds=5)
        assert count(code) == before + 1
    assert await central.central.pool.fetchval("SELECT count(*) FROM fact") == 0


async def test_without_a_token_nothing_is_read(node: NodeClient, central: CentralServer) -> None:
    response = await node.http.post("/sync/v1/up", content=b"{}")
    assert (response.status_code, response.json()["code"]) == (401, "token_missing")
    response = await node.http.post("/sync/v1/up", content=b"{}", headers={"authorization": "Basic eDp5"})
    assert (response.status_code, response.json()["code"]) == (401, "token_missing")


async def test_a_revoked_node_is_out_at_once(central: CentralServer, node: NodeClient) -> None:
    """I-24 for nodes."""
    assert (await node.send("hello", node.hello())).status_code == 200
    async with central.central.pool.acquire() as connection:
        assert await nodes.revoke(connection, node_id=node.node, at=datetime.now(UTC))
        assert not await nodes.revoke(connection, node_id="nobody", at=datetime.now(UTC))
        assert await nodes.revoke(connection, node_id=node.node, at=datetime.now(UTC)), "safe to repeat"
        assert await nodes.announce(connection) == 0
        told = await connection.fetch("SELECT op FROM feed WHERE kind = 'node_key' ORDER BY seq")
        assert [row["op"] for row in told] == ["put", "del"], "slips that it signs are worth nothing any more"
    response = await node.send("hello", node.hello())
    assert (response.status_code, response.json()["code"]) == (401, "node_revoked")


async def test_no_office_can_speak_or_read_for_another(central: CentralServer) -> None:
    offices = ("centro", "real", "victoria")
    for own in offices:
        async with NodeClient(central.url, own) as node:
            await node.enrol(central.central.pool)
            for other in offices:
                for path, message in messages(node, office=other).items():
                    response = await node.send(path, message)
                    if own == other:
                        assert response.status_code in (200, 410), (own, other, path)
                    else:
                        assert (response.status_code, response.json()["code"]) == (403, "wrong_office")
    rows = await central.central.pool.fetch("SELECT office, count(*) FROM fact GROUP BY office ORDER BY office")
    assert [tuple(row) for row in rows] == [(office, 1) for office in sorted(offices)]


@pytest.mark.parametrize("changes", [{"node": "edge-other"}, {"epoch": 2}])
async def test_a_message_is_about_the_node_that_signed_it(node: NodeClient, changes: dict[str, Any]) -> None:
    response = await node.send("hello", node.hello(**changes))
    assert (response.status_code, response.json()["code"]) == (403, "wrong_office")


BODIES: list[tuple[str, bytes, str, int, str]] = [
    ("10 MB", b"0" * 10_000_000, "", 413, "too_large"),
    ("10 MB of gzip", gzip.compress(b"0" * 10_000_000), "gzip", 413, "body_too_large"),
    ("a gzip bomb", gzip.compress(b"0" * 1_000_000_000, 9), "gzip", 413, "body_too_large"),
    ("truncated gzip", gzip.compress(b'{"office":"centro"}')[:-6], "gzip", 400, "body_truncated"),
    ("no gzip", b'{"office":"centro"}', "gzip", 400, "body_encoding"),
    ("unknown encoding", b"{}", "br", 400, "body_encoding"),
    ("empty", b"", "", 400, "malformed"),
    ("no JSON", b"\x00\xff{", "", 400, "malformed"),
    ("an array", b"[]", "", 400, "malformed"),
    ("wrong types", b'{"office":7}', "", 400, "malformed"),
    ("very deep", b"[" * 100_000, "", 400, "malformed"),
    ("nothing in it", b"{}", "", 400, "malformed"),
]


@pytest.mark.parametrize("row", [row[1:] for row in BODIES], ids=[row[0] for row in BODIES])
async def test_a_bad_body_is_refused(node: NodeClient, row: tuple[bytes, str, int, str]) -> None:
    body, encoding, status, code = row
    headers = {"content_encoding": encoding} if encoding else {}
    for path in ("hello", "up", "down", "snapshot", "people", "report"):
        response = await node.post(path, body, **headers)
        assert (response.status_code, response.json()["code"]) == (status, code), path


def changed(message: msgspec.Struct, **fields: Any) -> bytes:
    return json.dumps(json.loads(codec.encode(message)) | fields).encode()


@pytest.mark.parametrize(
    "header",
    [
        {10: 10**30},  # more nanoseconds than any column holds
        {4: 2**40},
        {7: "kiosk\x00"},
        {9: "boot\x00"},
    ],
)
async def test_facts_that_no_column_holds_are_refused_for_good(
    central: CentralServer, node: NodeClient, header: dict[int, Any]
) -> None:
    message = node.up(*printed_run(1, 1))
    facts = json.loads(codec.encode(message))["facts"]
    for index, value in header.items():
        facts[0]["header"][index] = value
    response = await node.post("up", changed(message, facts=facts))

    assert response.status_code == 409
    assert codec.decode(response.content, UpRefusal).code == "malformed"
    assert await central.central.pool.fetchval("SELECT count(*) FROM fact") == 0


async def test_a_batch_is_taken_once_however_often_it_comes(central: CentralServer, node: NodeClient) -> None:
    batch = node.up(*printed_run(1, 3))
    replies = [codec.decode((await node.send("up", batch)).content, UpReply) for _ in range(3)]

    assert [reply.acked_seq for reply in replies] == [3, 3, 3]
    assert await central.central.pool.fetchval("SELECT count(*) FROM fact") == 3


async def test_a_long_backlog_is_asked_to_wait(central: CentralServer, node: NodeClient) -> None:
    facts, previous, replies = printed_run(1, 2000), GENESIS, []
    for first in range(0, 2000, 500):
        batch = facts[first : first + 500]
        answer = await node.send("up", node.up(*batch, first_seq=first + 1, prev_hash=previous))
        replies.append(codec.decode(answer.content, UpReply))
        previous = replies[-1].acked_hash
    waits = [(reply.retry_after_s > 0, reply.max_batch < 500) for reply in replies]
    assert (waits[0], waits[-1]) == ((False, False), (True, True))
    assert replies[-1].acked_seq == 2000, "what is here is taken"


async def test_a_gap_and_a_fork_are_told_with_where_to_go_on(node: NodeClient) -> None:
    await node.send("up", node.up(*printed_run(1, 2)))
    gap = await node.send("up", node.up(*printed_run(9, 9), first_seq=9))
    fork = await node.send("up", node.up(*printed_run(1, 3, salt=1)))

    assert gap.status_code == fork.status_code == 409
    assert (codec.decode(gap.content, UpRefusal).code, gap.json()["expected_seq"]) == ("gap", 3)
    assert codec.decode(fork.content, UpRefusal).code == "fork"


async def test_a_replaced_node_is_fenced(central: CentralServer, node: NodeClient) -> None:
    async with NodeClient(central.url, "centro", epoch=2) as newer:
        newer.node = "edge-centro-2"
        await newer.enrol(central.central.pool)
        assert (await newer.send("up", newer.up(*printed_run(1, 1, epoch=2)))).status_code == 200
        reply = codec.decode((await node.send("up", node.up(*printed_run(1, 1)))).content, UpReply)
        assert (reply.acked_seq, reply.fenced_by) == (1, 2), "what it did is recorded, and it hears that it is fenced"
        gen = str(await central.central.pool.fetchval("SELECT gen FROM central_life"))
        for untold in (0, 1):
            down = await node.send("down", node.down(gen, epoch=untold))
            assert codec.decode(down.content, DownReply).fenced_by == 2
        snapshot = await node.send("snapshot", node.snapshot())
        assert (snapshot.status_code, snapshot.json()["code"], snapshot.json()["epoch"]) == (409, "fenced", 2)
        hello = codec.decode((await node.send("hello", node.hello())).content, HelloReply)
        assert (hello.fenced_by, hello.acked_seq) == (2, 1)
        assert (await newer.send("snapshot", newer.snapshot())).status_code == 200


async def test_hello_says_who_and_when_and_how_durable(central: CentralServer, node: NodeClient) -> None:
    await node.send("up", node.up(*printed_run(1, 4)))
    hello = node.hello(clock_at=datetime.now(UTC) - timedelta(hours=1), disk_free_bytes=2**62)
    reply = codec.decode((await node.send("hello", hello)).content, HelloReply)

    assert (reply.request_id, reply.proto, reply.acked_seq) == (hello.request_id, 1, 4)
    assert reply.durability == "no_replica"
    link = await central.central.pool.fetchrow("SELECT * FROM office_link WHERE office = 'centro'")
    assert link["clock_offset_ms"] == pytest.approx(-3_600_000, abs=5000)
    response = await node.send("hello", node.hello(disk_free_bytes=2**70))
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


REGISTRATIONS: list[tuple[str, str, int, bool, str]] = [
    ("edge-centro", "centro", 1, True, "unchanged"),
    ("edge-centro", "centro", 1, False, "id_taken"),
    ("edge-centro", "real", 1, True, "id_taken"),
    ("edge-2", "centro", 1, False, "epoch_taken"),
    ("edge-2", "nowhere", 1, False, "office_unknown"),
    ("edge-2", "centro", 2, False, "registered"),
]


@pytest.mark.parametrize("row", REGISTRATIONS)
async def test_registering_a_node(
    central: CentralServer, node: NodeClient, row: tuple[str, str, int, bool, str]
) -> None:
    node_id, office, epoch, same_key, outcome = row
    key = node.public_key if same_key else bytes(32)
    async with central.central.pool.acquire() as connection:
        said = await nodes.register(connection, node_id=node_id, office=office, epoch=epoch, public_key=key)
        present = await connection.fetchval("SELECT epoch FROM office_authority WHERE office = 'centro'")

    assert said == outcome
    assert present == (2 if outcome == "registered" else 1)


async def test_a_report_opens_a_restored_central(central: CentralServer, node: NodeClient) -> None:
    pool = central.central.pool
    assert await on_command(central, "restored", "--attest", "all is stopped") == "a new life begins; awaited: centro"
    hello = codec.decode((await node.send("hello", node.hello())).content, HelloReply)
    down = codec.decode((await node.send("down", node.down(hello.gen))).content, DownReply)
    assert hello.report_due
    assert down.report_due
    old = codec.decode((await node.send("report", node.report())).content, ReportReply)
    assert (old.taken, old.gen) == (False, hello.gen)
    reply = codec.decode((await node.send("report", node.report(gen=hello.gen))).content, ReportReply)
    assert reply.taken
    assert await pool.fetchval("SELECT awaited = '{}' FROM central_life")
    assert "nobody waits for centro" in await on_command(central, "skip-office", "centro", "--attest", "x")


async def on_command(central: CentralServer, *arguments: str) -> str:
    """What a command says; it has its own event loop, so it gets a thread of its own."""
    environment = {"VENTANILLA_DATABASE__DSN": central.central.settings.database.dsn}
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)
    lines = str(result.output).splitlines()  # the server beside it logs to the same place
    return "\n".join(line for line in lines if not line.startswith("{")).strip()
