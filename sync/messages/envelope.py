"""The envelope of a fact and its place in the journal's hash chain.

``hash = SHA-256(previous hash || header || body)``; the header is the encoded list of its fields, the body the bytes
that were encoded once when the fact was written. A row of the journal is therefore the same bytes at the edge and at
central.
"""

from __future__ import annotations

import hashlib

import msgspec

from sync.messages import codec
from sync.messages.fact_types import FACTS
from sync.messages.facts import Fact, UnknownFact
from sync.messages.values import Instant, Seq, Slug, Uuid


class FactHeader(msgspec.Struct, frozen=True, array_like=True):
    """Who, where and when of a fact, in the order in which it is hashed.

    Args:
        epoch: life of the office's node; grows by one with each replacement.
        seq: dense position within (office, epoch), from 1.
        request_id: the command that made the fact; none for the node's own acts.
        actor_id: a staff id, ``citizen`` or ``system``.
        device_id: the device or console the act came from.
        occurred_at: office clock (``sync.domain.clock``).
        boot_id: changes with each boot of the machine; ``mono_ns`` compares only within one.
        mono_ns: monotonic nanoseconds since that boot.
    """

    office: Slug
    epoch: int
    seq: Seq
    type: str
    v: int
    request_id: Uuid | None
    actor_id: str
    device_id: str
    occurred_at: Instant
    boot_id: str
    mono_ns: int


class FactRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a journal as it is stored and sent: the header and the body's bytes."""

    header: FactHeader
    body: msgspec.Raw

    @property
    def seq(self) -> int:
        return self.header.seq


def seal(header: FactHeader, fact: Fact) -> FactRecord:
    """Encode a fact's body, once and for all. ``header.type`` and ``header.v`` must be the fact's own."""
    if (header.type, header.v) != (fact.TYPE, fact.V):
        raise ValueError(f"header is for {header.type} v{header.v}, fact is {fact.TYPE} v{fact.V}")
    return FactRecord(header=header, body=msgspec.Raw(codec.encode(fact)))


def chain(previous: bytes, record: FactRecord) -> bytes:
    """The hash of a record that follows ``previous`` (32 bytes)."""
    digest = hashlib.sha256(previous)
    digest.update(codec.encode(record.header))
    digest.update(bytes(record.body))
    return digest.digest()


def open_fact(record: FactRecord) -> Fact:
    """Decode the body of a record; what this build does not know comes back as ``UnknownFact``.

    Raises:
        MalformedMessage: a known type whose body does not fit its shape (a poison fact: park it).
    """
    shape = FACTS.get(record.header.type)
    if shape is None or record.header.v > shape.V:
        return UnknownFact(type=record.header.type, v=record.header.v)
    return codec.decode(bytes(record.body), shape)
