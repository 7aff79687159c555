"""Folds facts of the raw log into an office's day, the way its own edge does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import structlog

from sync.domain.office_day import OfficeDay
from sync.messages.codec import MalformedMessage
from sync.messages.envelope import FactHeader, FactRecord, open_fact
from sync.messages.facts import Fact, UnknownFact

log = structlog.get_logger(__name__)


def fold(day: OfficeDay, records: Sequence[FactRecord]) -> None:
    """Fold what the day has not seen. A fact that the fold cannot take moves the position only."""
    for record in records:
        if (record.header.epoch, record.seq) <= (day.epoch, day.seq):
            continue
        try:
            day.apply(record.header, opened_fact(record))
        except Exception:
            log.exception("fact.fold_failed", **position(record.header))


def record_of(row: Any) -> FactRecord:
    """A row of the raw log as it came: header and body's bytes."""
    *header, body = row
    return FactRecord(header=FactHeader(*header), body=msgspec.Raw(body))


def position(header: FactHeader) -> dict[str, Any]:
    """The place of a fact, as fields of a log line."""
    return {"office": header.office, "epoch": header.epoch, "seq": header.seq, "type": header.type}


def opened_fact(record: FactRecord) -> Fact:
    """A fact that does not fit its shape was parked; here it only moves the position."""
    try:
        return open_fact(record)
    except MalformedMessage:
        return UnknownFact(type=record.header.type, v=record.header.v)
