"""Selling an appointment out of lent seats, at the desk of an office that cannot ask central."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated

import msgspec

from edge_node.leases.rules import locator_of
from edge_node.queue.asked import asked as content_of
from edge_node.queue.dispatcher import Dispatcher
from edge_node.queue.outcomes import Answer, Extras
from edge_node.queue.state import OfficeState
from sync.domain.leases import starts
from sync.domain.outcomes import refuse
from sync.messages.commands import Actor, SellLease
from sync.messages.people import DocumentKind, PersonRequest
from sync.messages.refusals import Refusal
from sync.messages.values import Instant, Language, Slug, Uuid, require_plausible


class SellHere(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An appointment for a person at the desk; its id will be the request_id."""

    request_id: Uuid
    service: Slug
    slot_start_at: Instant
    full_name: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    document_kind: DocumentKind
    document: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    email: Annotated[str, msgspec.Meta(max_length=254)] | None = None
    phone: Annotated[str, msgspec.Meta(max_length=20)] | None = None
    language: Language = "es"
    needs: Annotated[tuple[Slug, ...], msgspec.Meta(max_length=8)] = ()

    def __post_init__(self) -> None:
        require_plausible(self.slot_start_at)


class LentStarts(msgspec.Struct, frozen=True, kw_only=True):
    """When an appointment of a service could be sold here; ``may_sell`` is false while central can be asked."""

    service: str
    may_sell: bool
    starts: tuple[datetime, ...]


class Sales:
    """Sells out of leases.

    Args:
        central_reachable: whether central is heard at the moment: then it is the one to ask.
    """

    def __init__(self, dispatcher: Dispatcher, central_reachable: Callable[[], bool]) -> None:
        self._dispatcher = dispatcher
        self._central_reachable = central_reachable

    async def sell(self, asked: SellHere, actor: Actor) -> Answer:
        """Sell one appointment. A repeated request gets its sale, whatever became of the link since."""
        content = content_of(actor, "sell_lease", asked)
        if (answer := await self._dispatcher.answered(asked.request_id, content)) is not None:
            return answer
        if self._central_reachable():
            return self._refused(refuse("central_reachable"))
        command = await self._dispatcher.read(lambda state: _command(state, asked))
        if isinstance(command, Refusal):
            return self._refused(command)
        extras = Extras(buyer=_buyer(asked, self._dispatcher.state.office))
        return await self._dispatcher.submit(command, actor, extras, asked=content)

    async def lent(self, service: str) -> LentStarts:
        """What could be sold of a service."""

        def look(state: OfficeState) -> tuple[datetime, ...]:
            offered = state.configuration.catalogue.services.get(service)
            return tuple(starts(state.rights, service, offered.duration_min, state.now())) if offered else ()

        found = await self._dispatcher.read(look)
        return LentStarts(service=service, may_sell=not self._central_reachable(), starts=found)

    def _refused(self, refusal: Refusal) -> Refusal:
        self._dispatcher.metrics.refused.labels(refusal.code).inc()
        return refusal


def _command(state: OfficeState, asked: SellHere) -> SellLease | Refusal:
    service = state.configuration.catalogue.services.get(asked.service)
    if service is None:
        return refuse("service_unknown")
    return SellLease(
        request_id=asked.request_id,
        service=asked.service,
        slot_start_at=asked.slot_start_at,
        duration_min=service.duration_min,
        locator=locator_of(_random(), state.agenda.by_locator),
    )


def _random() -> Iterator[int]:
    while True:
        yield from secrets.token_bytes(16)


def _buyer(asked: SellHere, office: str) -> PersonRequest:
    return PersonRequest(
        request_id=asked.request_id,
        office=office,
        appointment_id=asked.request_id,
        full_name=asked.full_name,
        document_kind=asked.document_kind,
        document=asked.document,
        email=asked.email,
        phone=asked.phone,
        language=asked.language,
        needs=asked.needs,
    )
