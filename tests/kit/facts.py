"""Sealed facts for tests, without an office day behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from sync.messages.envelope import FactHeader, FactRecord, seal
from sync.messages.facts import Fact, TicketAccepted, TicketIssued, TicketPrinted

MORNING = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
BOOT = "boot-1"


def uuid_of(number: int) -> str:
    """A canonical UUID text that stands for a number."""
    text = f"{number:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def header_of(
    fact_type: str,
    v: int,
    seq: int,
    *,
    office: str = "centro",
    epoch: int = 1,
    actor_id: str = "system",
    at: datetime | None = None,
) -> FactHeader:
    """A header of the ``seq``-th fact of an office; one second passes per fact unless ``at`` says otherwise."""
    return FactHeader(
        office=office,
        epoch=epoch,
        seq=seq,
        type=fact_type,
        v=v,
        request_id=None,
        actor_id=actor_id,
        device_id="edge",
        occurred_at=at or MORNING + timedelta(seconds=seq),
        boot_id=BOOT,
        mono_ns=seq * 1_000_000_000,
    )


def record_of(
    fact: Fact,
    seq: int,
    *,
    office: str = "centro",
    epoch: int = 1,
    actor_id: str = "system",
    at: datetime | None = None,
) -> FactRecord:
    """One sealed fact."""
    return seal(header_of(fact.TYPE, fact.V, seq, office=office, epoch=epoch, actor_id=actor_id, at=at), fact)


def raw_record(fact_type: str, v: int, seq: int, body: bytes, *, office: str = "centro", epoch: int = 1) -> FactRecord:
    """A record with any body: of a later build, or poison."""
    return FactRecord(header=header_of(fact_type, v, seq, office=office, epoch=epoch), body=msgspec.Raw(body))


def ticket_issued(ticket_id: str, label: str = "P1", **changes: Any) -> TicketIssued:
    """A walk-in's ticket for ``padron``."""
    whole = TicketIssued(
        ticket_id=ticket_id,
        label=label,
        series=label[0],
        number=int(label[1:]),
        service="padron",
        origin="walk_in",
        arrived_at=MORNING,
        due_at=MORNING,
        callable_at=MORNING,
        follow_hash=bytes(32),
    )
    return msgspec.structs.replace(whole, **changes)


def ticket_accepted(
    ticket_id: str, tenure: int, label: str = "P1", at: datetime = MORNING, **changes: Any
) -> TicketAccepted:
    """The same, granted by another office and taken in."""
    whole = TicketAccepted(
        ticket_id=ticket_id,
        service_date=at.date(),
        tenure=tenure,
        from_office="centro",
        via="grant",
        transit_ms=0,
        label=label,
        series=label[0],
        number=int(label[1:]),
        service="padron",
        origin="walk_in",
        arrived_at=at,
        due_at=at,
        callable_at=at,
        follow_hash=bytes(32),
    )
    return msgspec.structs.replace(whole, **changes)


def printed_run(
    first: int, last: int, *, office: str = "centro", epoch: int = 1, salt: int = 0
) -> Sequence[FactRecord]:
    """A run of small facts that differ by seq and ``salt``: enough where only order and bytes count."""
    return [
        record_of(
            TicketPrinted(ticket_id=uuid_of(salt * 1_000_000 + seq), device="kiosk-1"), seq, office=office, epoch=epoch
        )
        for seq in range(first, last + 1)
    ]
