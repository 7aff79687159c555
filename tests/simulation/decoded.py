"""What stands in a journal or came down, decoded once: all processes over one disk, and the ledger, read the same bytes."""

from __future__ import annotations

from sync.messages import codec
from sync.messages.codec import MalformedMessage
from sync.messages.envelope import FactRecord, open_fact
from sync.messages.facts import Fact
from sync.messages.feed import ENTITIES, Entity
from sync.messages.wire import SnapshotRow

MOST = 4096
_facts: dict[tuple[str, int, bytes], Fact | None] = {}
_entities: dict[tuple[str, bytes], Entity] = {}


def opened(record: FactRecord) -> Fact | None:
    """The fact of a record, as ``open_fact`` reads it; none when its body does not fit."""
    key = (record.header.type, record.header.v, bytes(record.body))
    if key not in _facts:
        if len(_facts) >= MOST:
            _facts.clear()
        try:
            _facts[key] = open_fact(record)
        except MalformedMessage:
            _facts[key] = None
    return _facts[key]


def entity(row: SnapshotRow) -> Entity:
    """The entity of a row of a kind that is known."""
    key = (row.kind, bytes(row.body))
    if key not in _entities:
        if len(_entities) >= MOST:
            _entities.clear()
        _entities[key] = codec.decode(bytes(row.body), ENTITIES[row.kind])
    return _entities[key]
