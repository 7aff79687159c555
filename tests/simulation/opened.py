"""Facts of a journal, decoded once: the ledger and the queues of all processes over one disk read the same bytes."""

from __future__ import annotations

from sync.messages.codec import MalformedMessage
from sync.messages.envelope import FactRecord, open_fact
from sync.messages.facts import Fact

MOST = 4096
_known: dict[tuple[str, int, bytes], Fact | None] = {}


def opened(record: FactRecord) -> Fact | None:
    """The fact of a record, as ``open_fact`` reads it; none when its body does not fit."""
    key = (record.header.type, record.header.v, bytes(record.body))
    if key in _known:
        return _known[key]
    if len(_known) >= MOST:
        _known.clear()
    try:
        _known[key] = open_fact(record)
    except MalformedMessage:
        _known[key] = None
    return _known[key]
