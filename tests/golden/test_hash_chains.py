"""The hash chains as fixed bytes: both ends, both databases and every later build must agree on them for ever."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sync.messages import codec
from sync.messages.envelope import FactHeader, FactRecord, chain, open_fact, seal
from sync.messages.facts import UnknownFact
from sync.messages.feed import ENTITIES, FeedRow, chain_row, row_bytes
from sync.messages.values import GENESIS

HERE = Path(__file__).parent


def rows_of(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((HERE / name).read_text(encoding="utf-8"))["rows"]
    return rows


GROWN = {"ticket.transferred": {"reason", "outcome", "services"}}
FACTS = rows_of("fact_hash.json")
FEED = rows_of("feed_hash.json")


def test_genesis_is_32_zero_bytes() -> None:
    assert GENESIS == b"\0" * 32
    assert FACTS[0]["previous_hex"] == FEED[0]["previous_hex"] == "00" * 32


@pytest.mark.parametrize("row", FACTS, ids=lambda row: row["hash_hex"][:8])
def test_a_fact_hashes_to_its_vector(row: dict[str, Any]) -> None:
    header = codec.decode(row["header"], FactHeader)
    record = FactRecord(header=header, body=msgspec.Raw(row["body"].encode()))
    assert chain(bytes.fromhex(row["previous_hex"]), record).hex() == row["hash_hex"]


@pytest.mark.parametrize("row", FACTS, ids=lambda row: row["hash_hex"][:8])
def test_sealing_the_same_fact_again_gives_the_same_bytes(row: dict[str, Any]) -> None:
    """But for fields that its type has got since; nobody seals a fact again that somebody has told."""
    header = codec.decode(row["header"], FactHeader)
    fact = open_fact(FactRecord(header=header, body=msgspec.Raw(row["body"].encode())))
    assert not isinstance(fact, UnknownFact)
    again = seal(header, fact)
    grown = json.loads(bytes(again.body)).keys() - json.loads(row["body"]).keys()
    as_it_was = {name: value for name, value in json.loads(bytes(again.body)).items() if name not in grown}
    body = json.dumps(as_it_was, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert (codec.encode(again.header), body) == (row["header"].encode(), row["body"])
    assert grown <= GROWN.get(again.header.type, set())


@pytest.mark.parametrize("row", FEED, ids=lambda row: row["hash_hex"][:8])
def test_a_feed_row_hashes_to_its_vector(row: dict[str, Any]) -> None:
    body = row["body"].encode()
    fields = {name: row[name] for name in ("seq", "kind", "entity_id", "version", "op")}
    assert row_bytes(row["kind"], row["entity_id"], row["version"], row["op"], body) == row["head"].encode() + body
    assert (
        chain_row(bytes.fromhex(row["previous_hex"]), FeedRow(**fields, body=msgspec.Raw(body))).hex()
        == row["hash_hex"]
    )


def test_encoding_the_same_entity_again_gives_the_same_bytes() -> None:
    put = FEED[0]
    assert codec.encode(codec.decode(put["body"], ENTITIES[put["kind"]])) == put["body"].encode()


@pytest.mark.parametrize("rows", [FACTS, FEED], ids=["facts", "feed"])
def test_the_vectors_are_one_chain_by_plain_sha256(rows: list[dict[str, Any]]) -> None:
    previous = bytes(32)
    for row in rows:
        assert row["previous_hex"] == previous.hex()
        previous = hashlib.sha256(
            previous + (row.get("header") or row["head"]).encode() + row["body"].encode()
        ).digest()
        assert row["hash_hex"] == previous.hex()
