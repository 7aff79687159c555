"""Where staff changed the order of a day by hand: calls out of order, skips, priority, tickets sent to the front or the end.

A fold over the day's facts. Who was passed over comes from the same rule that chose at the counter, on the day as it stood at
that moment; names and reasons about persons are in no fact, and so in no override.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

import msgspec

from sync.domain.lines import Rank
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import in_order, passed_over
from sync.domain.ticket import Ticket
from sync.messages import facts as f
from sync.messages.desk_facts import TicketPriorityChanged, TicketSkipped, TicketUndone
from sync.messages.envelope import FactHeader
from sync.messages.policy import GENERAL

Kind = Literal["call", "skip", "priority", "front", "end"]
LABELS_KEPT = 20
"""Of who was passed over: as many as a person reads; the number stands beside them."""

Journal = Iterable[tuple[FactHeader, f.Fact]]


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """The order of an office was changed by hand.

    Args:
        seq: of the fact, within its epoch.
        reason: its code: of the call or skip; for a priority, how staff came to know of it; empty: none was asked for.
        counter: where its clerk worked; empty: at none.
        actor_id: who of the office's staff.
        priority_class: the class that was given.
        passed: how many people who waited were passed over; for a skip the one who was skipped.
        passed_labels: the first of them, in order.
        is_undone: it was taken back at once.
    """

    seq: int
    at: datetime
    kind: Kind
    ticket_id: str
    label: str
    service: str
    reason: str
    counter: str
    actor_id: str
    priority_class: str = ""
    passed: int = 0
    passed_labels: tuple[str, ...] = ()
    is_undone: bool = False


def overrides(journal: Journal) -> list[Override]:
    """What staff changed on one day, from its facts in journal order; oldest first."""
    watch = _Watch()
    for header, fact in journal:
        watch.see(header, fact)
    return watch.found


class _Watch:
    def __init__(self) -> None:
        self.day = OfficeDay("")
        self.found: list[Override] = []
        self.acts: dict[tuple[str, str], list[int]] = {}
        """Places in `found` by request and ticket."""

    def see(self, header: FactHeader, fact: f.Fact) -> None:
        if isinstance(fact, TicketUndone):
            self._undone(fact)
        ticket = self.day.tickets.get(getattr(fact, "ticket_id", ""))
        before = self._before(header, fact, ticket) if ticket is not None else None
        old_rank = ticket.rank if ticket is not None else None
        self.day.apply(header, fact)
        if before is not None:
            self._note(header, before)
        match fact:
            case f.TicketIssued(priority_class=given, basis=str(basis)) if given != GENERAL:
                self._priority(header, fact.ticket_id, given, basis, old_rank)
            case TicketPriorityChanged() if ticket is not None:
                self._priority(header, fact.ticket_id, fact.priority_class, fact.basis, old_rank)
            case _:
                pass

    def _before(self, header: FactHeader, fact: f.Fact, ticket: Ticket) -> Override | None:
        """What is judged on the day as it stood when staff decided."""
        match fact:
            case f.TicketCalled(how="chosen"):
                session = self.day.sessions.get(fact.session)
                passed = passed_over(self.day, session, ticket.rank, header.occurred_at) if session else []
                return self._of(
                    header,
                    "call",
                    ticket,
                    reason=fact.reason,
                    counter=fact.counter,
                    passed=passed,
                    count=fact.why.ahead_now,
                )
            case TicketSkipped():
                return self._of(header, "skip", ticket, reason=fact.reason, counter=fact.counter, passed=[ticket])
            case f.TicketTransferred(order="next" | "end"):
                kind: Kind = "front" if fact.order == "next" else "end"
                return self._of(header, kind, ticket, reason=fact.reason, counter=self._counter_of(header.actor_id))
            case _:
                return None

    def _priority(self, header: FactHeader, ticket_id: str, given: str, basis: str, old_rank: Rank | None) -> None:
        """Who now waits behind the ticket and did not before, of those who wait for the same."""
        ticket = self.day.tickets.get(ticket_id)
        if ticket is None:
            return
        passed = [
            other
            for other in self.day.waiting.values()
            if other is not ticket
            and other.service == ticket.service
            and other.rank > ticket.rank
            and (old_rank is None or other.rank < old_rank)
        ]
        at = self._counter_of(header.actor_id)
        made = self._of(header, "priority", ticket, reason=basis, counter=at, passed=in_order(passed))
        self._note(header, msgspec.structs.replace(made, priority_class=given))

    def _of(
        self,
        header: FactHeader,
        kind: Kind,
        ticket: Ticket,
        *,
        reason: str | None = None,
        counter: str,
        passed: list[Ticket] | None = None,
        count: int | None = None,
    ) -> Override:
        return Override(
            seq=header.seq,
            at=header.occurred_at,
            kind=kind,
            ticket_id=ticket.ticket_id,
            label=ticket.label,
            service=ticket.service,
            reason=reason or "",
            counter=counter,
            actor_id=header.actor_id,
            passed=len(passed or ()) if count is None else count,
            passed_labels=tuple(other.label for other in (passed or ())[:LABELS_KEPT]),
        )

    def _counter_of(self, actor_id: str) -> str:
        return next((s.counter for s in self.day.sessions.values() if s.staff_id == actor_id), "")

    def _note(self, header: FactHeader, override: Override) -> None:
        self.acts.setdefault((header.request_id or "", override.ticket_id), []).append(len(self.found))
        self.found.append(override)

    def _undone(self, fact: TicketUndone) -> None:
        for place in self.acts.get((fact.act, fact.ticket_id), ()):
            self.found[place] = msgspec.structs.replace(self.found[place], is_undone=True)
