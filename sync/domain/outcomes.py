"""What a decision can be. Expected outcomes are values, never exceptions."""

from __future__ import annotations

import msgspec

from sync.messages.facts import Fact
from sync.messages.refusals import Refusal, RefusalCode


class Accepted(msgspec.Struct, frozen=True):
    """Commit these facts, in this order. None at all: it was already so."""

    facts: tuple[Fact, ...]


class Unchanged(msgspec.Struct, frozen=True):
    """The sender decided on an old view: nothing happens, the reply is the present state."""


Decision = Accepted | Refusal | Unchanged


def refuse(
    code: RefusalCode,
    ticket_id: str | None = None,
    office: str | None = None,
    service_date: str | None = None,
    wait_s: int | None = None,
) -> Refusal:
    """A refusal with the fields its code has."""
    return Refusal(code=code, ticket_id=ticket_id, office=office, service_date=service_date, wait_s=wait_s)
