"""The waiting tickets of each service by rank, so that a place in a long queue costs no walk through it.

An index of ``OfficeDay.waiting``, nothing more: it decides no order. ``OfficeDay`` puts and drops tickets as it folds.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from datetime import datetime

import msgspec

from sync.domain.ticket import Ticket

Rank = tuple[datetime, tuple[int, int]]


class Lines(msgspec.Struct):
    """One sorted line of ranks per service.

    Args:
        marked: waiting tickets that wait for one counter, person or zone; they stand in their service's line too.
    """

    by_service: dict[str, list[Rank]] = {}
    marked: dict[str, Ticket] = {}
    standing: dict[str, tuple[str, Rank]] = {}

    def keep(self, ticket: Ticket) -> None:
        """Put a ticket where it belongs now; out of every line unless it waits."""
        place = (ticket.service, ticket.rank) if ticket.state == "waiting" else None
        if self.standing.get(ticket.ticket_id) != place:
            self._leave(ticket.ticket_id)
            if place is not None:
                insort(self.by_service.setdefault(ticket.service, []), ticket.rank)
                self.standing[ticket.ticket_id] = place
        if place is not None and ticket.is_marked:
            self.marked[ticket.ticket_id] = ticket
        else:
            self.marked.pop(ticket.ticket_id, None)

    def before(self, services: Iterable[str], rank: Rank) -> int:
        """How many tickets of these services have a smaller rank."""
        return sum(bisect_left(self.by_service.get(service, ()), rank) for service in services)

    def _leave(self, ticket_id: str) -> None:
        left = self.standing.pop(ticket_id, None)
        if left is not None:
            service, rank = left
            line = self.by_service[service]
            del line[bisect_left(line, rank)]
