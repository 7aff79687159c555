"""Central's part in moving tickets: route what was given up, note who accepted, void what must not live twice.

Theory
    A token per moved ticket: (tenure, office, accepted). The largest tenure wins; what is below it is recorded in the raw log
    and moves nothing. Tenures are made at two places only: one more than what was given up (by ``ticket.released``, here and on
    a slip alike, so both name the same holder), and one more than the largest known (by a person who sends an undeliverable
    ticket elsewhere, or who replaces a node).

        released h   no token, token < h, or held  -> token (larger of both + 1, to, in transit), grant to it
                     by the sender as h
                     else                          -> stale: recorded only
        wanted back  token = h + 1, not accepted   -> token (h + 2, the sender, in transit), the other copy is voided
          of h       else                          -> nothing: somebody holds it, or it went on
        issued       token elsewhere               -> stale: this office's copy is voided
                     no token, and central waits   -> token (1, office, accepted): should it have moved, an acceptance that
                     for offices after a restore      is told later voids this copy
        accepted t   token < t                     -> token (t, office, accepted); a slip was faster than its release
                     token = t, same office        -> accepted
                     token = t, another office     -> a slip of a node that was replaced meanwhile: who accepted keeps the
                                                      person, the other copy is voided; a restored copy never takes over
                     token > t, by slip, and the   -> the same: the person carries the slip, the other copy is only a
                     token was restored            restored one and nobody stands before it
                     token > t                     -> stale: this office's copy is voided
    So facts may come in any order, twice, or again after central was restored from a backup, and the same holder results.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

import msgspec

from sync.domain.handover import card_of
from sync.domain.office_day import OfficeDay
from sync.messages import codec
from sync.messages.desk_facts import TicketWantedBack
from sync.messages.facts import TicketAccepted, TicketIssued, TicketReleased
from sync.messages.feed import TicketClosed, TicketGrant, TicketTaken, office_stream
from sync.protocol.rights import Conflict, Origin, RightsTx, TicketToken


async def on_released(tx: RightsTx, origin: Origin, fact: TicketReleased) -> None:
    """Route a ticket that an office with authority gave up."""
    token = await tx.token(fact.ticket_id)
    known = token.tenure if token is not None else 0
    if fact.tenure <= known and not _is_held(token, origin.office, fact.tenure):
        return
    grant = await _grant(tx, origin, fact, max(fact.tenure, known) + 1)
    if await tx.has_office(fact.to_office):
        grant = msgspec.structs.replace(grant, service_date=await _day_of(tx, origin, fact))
        await _give(tx, grant, fact.to_office, leaving=origin.office)
        return
    await _give(tx, grant, origin.office, leaving=None)
    await tx.note_conflict(
        Conflict(
            key=f"undeliverable:{fact.ticket_id}:{grant.tenure}",
            kind="ticket_undeliverable",
            office=origin.office,
            subject_id=fact.ticket_id,
            suggestion="send_elsewhere",
            detail={"to_office": fact.to_office},
        )
    )


async def on_issued(tx: RightsTx, origin: Origin, fact: TicketIssued) -> None:
    """End the copy of a ticket that lives elsewhere. Its office had sent it on, and a later life of its node, which nobody could
    tell since central was restored in between, took it in again from the paper that a kiosk had printed. While central still
    learns who has what, it notes who issued a ticket, so that the copy ends when the office that has the person tells of it.
    """
    token = await tx.token(fact.ticket_id)
    if token is not None and token.office != origin.office:
        await _close(tx, origin.office, _closed(token, "superseded"))
    elif token is None and await tx.is_recovering():
        await tx.set_token(
            TicketToken(
                ticket_id=fact.ticket_id,
                tenure=1,
                office=origin.office,
                accepted=True,
                service_date=origin.happened_at.date(),  # how long it is kept, nothing else
            )
        )


async def on_accepted(tx: RightsTx, origin: Origin, fact: TicketAccepted) -> None:
    """Note who holds a ticket now."""
    token = await tx.token(fact.ticket_id)
    if token is None or fact.tenure > token.tenure:
        await tx.set_token(_accepted(origin, fact))
        await _tell_sender(tx, origin, fact)
        if token is not None and token.office != origin.office:
            await _void(tx, token)
        return
    if token.office != origin.office:
        if _takes_over(fact, token):
            await _note_twice(tx, token, origin)
            kept = msgspec.structs.replace(_accepted(origin, fact), tenure=token.tenure, held_as=fact.tenure)
            await tx.set_token(kept)
            await _void(tx, token)
        else:
            await _close(tx, origin.office, _closed(_accepted(origin, fact), "superseded"))
        return
    if fact.tenure == token.tenure and not token.accepted:
        await tx.set_token(msgspec.structs.replace(token, accepted=True))
        await _tell_sender(tx, origin, fact)
        await _withdraw(tx, origin.office, fact.ticket_id, fact.tenure)


def _takes_over(fact: TicketAccepted, token: TicketToken) -> bool:
    """Whether who accepted keeps the person whom the token gives to another office. A copy that was only restored has nobody
    standing before it.
    """
    if fact.tenure == token.tenure:
        return not (fact.via == "restored" and token.accepted)
    return fact.via == "slip" and _is_restored(token)


async def on_wanted_back(tx: RightsTx, origin: Origin, fact: TicketWantedBack) -> None:
    """Give a ticket back to the office that let it go, as long as nobody has accepted it. The grant comes from that office
    itself, as after a replacement: who shows the slip of the tenure before wins against it, for there the person is.
    """
    token = await tx.token(fact.ticket_id)
    if token is None or token.accepted or token.grant is None or token.grant.from_office != origin.office:
        return
    if token.tenure == fact.tenure + 1 and token.office != origin.office:
        await send_elsewhere(tx, fact.ticket_id, origin.office, fact.service_date)


async def send_elsewhere(tx: RightsTx, ticket_id: str, to_office: str, service_date: date | None = None) -> bool:
    """A person sends a ticket in transit to another office than the one that does not answer. False: it is not in transit.

    Args:
        service_date: what that office calls the day, where the ticket comes back to it; none: see ``_day_elsewhere``.

    The office that was meant is told, when it is back, that its copy is void; should it have called the person meanwhile,
    that call finds nobody.
    """
    token = await tx.token(ticket_id)
    if token is None or token.accepted or token.grant is None or not await tx.has_office(to_office):
        return False
    grant = msgspec.structs.replace(
        token.grant,
        tenure=token.tenure + 1,
        service_date=service_date or await _day_elsewhere(tx, token.grant, to_office),
        series=None,
        number=None,
    )
    await _void(tx, token)
    await tx.set_token(_token(grant, to_office))
    await _put_grant(tx, to_office, grant)
    return True


async def restore_open(
    tx: RightsTx, origin: Origin, day: OfficeDay, clock_ahead_ms: int = 0, today: date | None = None
) -> int:
    """Give a replaced node's open tickets to its successor, each with its place and label; how many there were.

    A day that the dead node dated ahead of ``today`` is today's: its people stand there now, and its successor opens no other.

    Args:
        origin: the office, and the instant (central's clock) at which the day is taken over.
        day: folded from the raw log of the epoch that has ended.
        clock_ahead_ms: the dead node's clock minus central's, as last known.
        today: the office's service date by central's clock; none: whatever the dead node called it.
    """
    if day.service_date is None or not day.is_open:
        return 0
    service_date = min(day.service_date, today or day.service_date)
    at = origin.happened_at + timedelta(milliseconds=clock_ahead_ms)
    restored = 0
    for ticket in sorted(day.tickets.values(), key=lambda ticket: ticket.rank):
        token = await tx.token(ticket.ticket_id)
        if not ticket.is_open or not _is_held(token, day.office, ticket.tenure):
            continue
        grant = TicketGrant(
            id=ticket.ticket_id,
            tenure=(token.tenure if token is not None else ticket.tenure) + 1,
            from_office=day.office,
            service_date=service_date,
            released_at=origin.happened_at,
            card=card_of(ticket, ticket.service, at),
            series=ticket.series,
            number=ticket.number,
        )
        await tx.set_token(_token(await _with_person(tx, grant), day.office))
        await _put_grant(tx, day.office, grant)
        restored += 1
    return restored


async def forward_end(tx: RightsTx, ticket_id: str) -> None:
    """A node without authority had finished a ticket before it was replaced: whoever holds it now should not call it again."""
    token = await tx.token(ticket_id)
    if token is not None:
        await tx.set_token(msgspec.structs.replace(token, accepted=True, grant=None))
        await _close(tx, token.office, _closed(token, "served_before"))
        await _withdraw(tx, token.office, ticket_id, token.tenure)


async def forget_day(tx: RightsTx, tokens: Iterable[TicketToken]) -> None:
    """Take off the streams what belongs to a day that is over: grants that nobody accepted, and voids."""
    for token in sorted(tokens, key=lambda token: (token.office, token.ticket_id)):
        await _withdraw(tx, token.office, token.ticket_id, token.tenure)


def _is_held(token: TicketToken | None, office: str, tenure: int) -> bool:
    """Whether an office's ticket is the one that counts; a ticket that never moved has no token."""
    return token is None or (token.office == office and tenure in (token.tenure, token.held_as))


async def _day_of(tx: RightsTx, origin: Origin, fact: TicketReleased) -> date:
    """The service day of who is sent on: what the sender calls it, but never later than it was by central's clock when the ticket
    was given up. Its age on one monotonic clock tells when that was, so what is told after its day is over stays of its day; a
    fact that only a wall clock dates keeps its date. An earlier date stands as well: a machine that slept takes its facts for
    younger than they are.
    """
    if not origin.by_age:
        return fact.service_date
    return min(fact.service_date, await tx.service_date(origin.office, origin.happened_at))


async def _day_elsewhere(tx: RightsTx, grant: TicketGrant, to_office: str) -> date:
    """The service day of who is sent to another office than was meant: as at the first sending, never later than it was by
    central's clock when the ticket was given up; a grant that came back to its sender may bear a later one. The sender keeps
    what it calls the day, for it is in it. A wall clock has its say here too: the conflict is over with this, and nobody would
    hear that no office takes the person.
    """
    if to_office == grant.from_office:
        return grant.service_date
    return min(grant.service_date, await tx.service_date(grant.from_office, grant.released_at))


async def _grant(tx: RightsTx, origin: Origin, fact: TicketReleased, tenure: int) -> TicketGrant:
    grant = TicketGrant(
        id=fact.ticket_id,
        tenure=tenure,
        from_office=origin.office,
        service_date=fact.service_date,
        released_at=origin.happened_at,
        card=fact.card,
        travel_min=fact.travel_min,
    )
    return await _with_person(tx, grant)


async def _with_person(tx: RightsTx, grant: TicketGrant) -> TicketGrant:
    if grant.card.appointment_id is None:
        return grant
    name, language, needs = await tx.person_of(grant.card.appointment_id)
    return msgspec.structs.replace(grant, display_name=name, language=language, needs=needs)


def _token(grant: TicketGrant, office: str) -> TicketToken:
    return TicketToken(
        ticket_id=grant.id,
        tenure=grant.tenure,
        office=office,
        accepted=False,
        service_date=grant.service_date,
        grant=grant,
    )


async def _give(tx: RightsTx, grant: TicketGrant, office: str, leaving: str | None) -> None:
    """Make an office the next holder; the one that it leaves forgets an earlier grant that it had not accepted yet."""
    if leaving is not None and leaving != office:
        await _withdraw(tx, leaving, grant.id, grant.tenure)
    await tx.set_token(_token(grant, office))
    await _put_grant(tx, office, grant)


def _is_restored(token: TicketToken) -> bool:
    """Whether a ticket's holder got it back by the replacement of its own node, and not from another office."""
    return token.grant is not None and token.grant.from_office == token.office


def _accepted(origin: Origin, fact: TicketAccepted) -> TicketToken:
    return TicketToken(
        ticket_id=fact.ticket_id,
        tenure=fact.tenure,
        office=origin.office,
        accepted=True,
        service_date=fact.service_date,
    )


async def _void(tx: RightsTx, token: TicketToken) -> None:
    """Tell an office that its copy of a ticket lives on elsewhere, whether it has accepted it or not."""
    await _close(tx, token.office, _closed(token, "superseded"))
    await _withdraw(tx, token.office, token.ticket_id, token.tenure)


async def _tell_sender(tx: RightsTx, origin: Origin, fact: TicketAccepted) -> None:
    """Tell the office that gave a ticket up who has it now; one that got its own back knows."""
    if fact.from_office == origin.office:
        return
    taken = TicketTaken(id=fact.ticket_id, tenure=fact.tenure, service_date=fact.service_date, office=origin.office)
    await tx.emit_at_end(
        office_stream(fact.from_office),
        kind=TicketTaken.KIND,
        entity_id=taken.id,
        version=taken.tenure,
        op="put",
        body=codec.encode(taken),
    )


def _closed(token: TicketToken, reason: Literal["superseded", "served_before"]) -> TicketClosed:
    return TicketClosed(id=token.ticket_id, tenure=token.tenure, service_date=token.service_date, reason=reason)


async def _note_twice(tx: RightsTx, token: TicketToken, origin: Origin) -> None:
    await tx.note_conflict(
        Conflict(
            key=f"held_twice:{token.ticket_id}:{token.tenure}",
            kind="ticket_held_twice",
            office=origin.office,
            subject_id=token.ticket_id,
            suggestion="none_needed",
            detail={"other_office": token.office, "tenure": token.tenure},
        )
    )


async def _put_grant(tx: RightsTx, office: str, grant: TicketGrant) -> None:
    await tx.emit_at_end(
        office_stream(office),
        kind=TicketGrant.KIND,
        entity_id=grant.id,
        version=grant.tenure,
        op="put",
        body=codec.encode(grant),
    )


async def _withdraw(tx: RightsTx, office: str, ticket_id: str, tenure: int) -> None:
    await tx.emit_at_end(
        office_stream(office), kind=TicketGrant.KIND, entity_id=ticket_id, version=tenure, op="del", body=b"{}"
    )


async def _close(tx: RightsTx, office: str, closed: TicketClosed) -> None:
    await tx.emit_at_end(
        office_stream(office),
        kind=TicketClosed.KIND,
        entity_id=closed.id,
        version=closed.tenure,
        op="put",
        body=codec.encode(closed),
    )
