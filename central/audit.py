"""The record of what people did at central that no machine may do by itself: replace a node, take a lease back, open again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from sync.io.ids import new_id
from sync.io.sql import load
from sync.messages import codec

_queries = load("central", "audit.sql")


class Attested(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, when, and what they say they have made sure of (empty where nothing has to be attested)."""

    actor: str
    at: datetime
    statement: str = ""


async def note(
    connection: Any, who: Attested, act: str, subject: str, *, office: str | None, **detail: str | int
) -> None:
    """Write an act down, in the transaction that does it.

    Args:
        office: that the act is about or done at, whose managers read it; none: it is the city's.
    """
    await connection.execute(
        _queries.note, new_id(), who.at, who.actor, act, subject, who.statement, codec.encode(detail), office
    )


async def note_once(
    connection: Any, act_id: str, who: Attested, act: str, subject: str, *, office: str | None, **detail: str | int
) -> None:
    """Write an act down under its own id: told again, it stands once. Else as `note`."""
    await connection.execute(
        _queries.note_once, act_id, who.at, who.actor, act, subject, who.statement, codec.encode(detail), office
    )
