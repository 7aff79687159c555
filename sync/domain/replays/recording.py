"""What a past day brings to a replay: who came and when, who worked and when, how long each visit took.

Calls are not in it: they are what a replay decides. Ties at one instant go by the place that the fact had in the journal.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from statistics import median_low
from typing import Literal

import msgspec

from sync.messages import facts as f
from sync.messages.desk_facts import CounterServicesChanged, TicketUndone
from sync.messages.envelope import FactHeader
from sync.messages.policy import Policy

Journal = Iterable[tuple[FactHeader, f.Fact]]
End = Literal["finished", "missed", "transferred", "parked"]
PLAIN_VISIT = timedelta(minutes=5)


class Stretch(msgspec.Struct, kw_only=True):
    """One call of a ticket: how long it held a counter, how it ended, and when the person came back after that.

    Args:
        lasted: from the call; none: it had no end that day.
        seq: of the fact that ended it; ``back_seq``: of the one that brought the ticket back.
    """

    service: str
    lasted: timedelta | None = None
    end: End = "finished"
    seq: int = 0
    to_service: str = ""
    to_counter: str | None = None
    back_after: timedelta | None = None
    back_seq: int = 0


class Call(msgspec.Struct, frozen=True):
    """A call as it was made."""

    at: datetime
    seq: int
    session: str
    ticket_id: str
    chosen: bool


class Recording(msgspec.Struct, kw_only=True):
    """A past day.

    Args:
        acts: what happened whoever was called: people coming, leaving, parked while they waited; counters opened and closed.
        stretches: by ticket, in the order of its calls.
        chosen: calls out of order, which a clerk gave a reason for.
    """

    policy: Policy
    acts: list[tuple[FactHeader, f.Fact]] = []
    stretches: dict[str, list[Stretch]] = {}
    calls: list[Call] = []

    @property
    def chosen(self) -> int:
        return sum(call.chosen for call in self.calls)

    def stretch(self, ticket_id: str, service: str, number: int) -> Stretch:
        """How a ticket's call goes; like the median of its service where the day does not say."""
        own = self.stretches.get(ticket_id, [])
        if number < len(own):
            return own[number]
        known = [
            s.lasted for each in self.stretches.values() for s in each if s.service == service and s.lasted is not None
        ]
        return Stretch(service=service, lasted=median_low(known) if known else PLAIN_VISIT)


_ACTS = (
    f.CounterOpened,
    f.CounterClosed,
    CounterServicesChanged,
    f.TicketIssued,
    f.TicketAccepted,
    f.TicketReassigned,
    f.TicketReleased,
)


def record(journal: Journal) -> Recording | None:
    """A day's recording from its facts in journal order; none when its beginning is not among them."""
    reader = _Reader()
    for header, fact in journal:
        reader.read(header, fact)
    return reader.recording


class _Reader:
    def __init__(self) -> None:
        self.recording: Recording | None = None
        self.service: dict[str, str] = {}
        self.open: dict[str, tuple[datetime, Stretch]] = {}
        """Tickets at a counter: since when, and the stretch that is not over."""
        self.away: dict[str, tuple[datetime, Stretch]] = {}
        """Tickets that a stretch ended for and that may come back."""

    def read(self, header: FactHeader, fact: f.Fact) -> None:
        if isinstance(fact, f.DayOpened):
            self.recording = Recording(policy=fact.policy)
        elif self.recording is None or isinstance(fact, f.DayClosed):
            return
        elif isinstance(fact, f.TicketCalled):
            self._called(self.recording, header, fact)
        elif ticket_id := getattr(fact, "ticket_id", ""):
            self._of_ticket(self.recording, header, fact, ticket_id)
        elif isinstance(fact, _ACTS):
            self.recording.acts.append((header, fact))

    def _called(self, recording: Recording, header: FactHeader, fact: f.TicketCalled) -> None:
        at = header.occurred_at
        recording.calls.append(Call(at, header.seq, fact.session, fact.ticket_id, fact.how == "chosen"))
        stretch = Stretch(service=self.service.get(fact.ticket_id, ""))
        recording.stretches.setdefault(fact.ticket_id, []).append(stretch)
        self.open[fact.ticket_id] = at, stretch
        self.away.pop(fact.ticket_id, None)

    def _of_ticket(self, recording: Recording, header: FactHeader, fact: f.Fact, ticket_id: str) -> None:
        match fact:
            case f.TicketIssued() | f.TicketAccepted():
                self.service[ticket_id] = fact.service
                recording.acts.append((header, fact))
            case f.TicketFinished():
                self._end(header, ticket_id, "finished")
            case f.TicketNoShow():
                self._end(header, ticket_id, "missed")
            case f.TicketTransferred():
                stretch = self._end(header, ticket_id, "transferred")
                self.service[ticket_id] = fact.service
                if stretch is not None:
                    stretch.to_service, stretch.to_counter = fact.service, fact.counter
            case f.TicketParked() if ticket_id in self.open:
                self._end(header, ticket_id, "parked")
            case f.TicketReinstated() | f.TicketResumed() if ticket_id in self.away:
                since, stretch = self.away.pop(ticket_id)
                stretch.back_after, stretch.back_seq = header.occurred_at - since, header.seq
            case f.TicketParked() | f.TicketResumed():
                recording.acts.append((header, fact))
            case f.TicketAbandoned() if fact.reason != "day_end" and ticket_id not in self.open:
                recording.acts.append((header, fact))
            case TicketUndone() if fact.undone == f.TicketAbandoned.TYPE:
                recording.acts = [act for act in recording.acts if not _is_end_of(act[1], ticket_id)]
            case _ if isinstance(fact, _ACTS):
                recording.acts.append((header, fact))
            case _:
                pass

    def _end(self, header: FactHeader, ticket_id: str, end: End) -> Stretch | None:
        since, stretch = self.open.pop(ticket_id, (None, None))
        if since is None or stretch is None:
            return None
        stretch.lasted, stretch.end, stretch.seq = header.occurred_at - since, end, header.seq
        if end in ("missed", "parked"):
            self.away[ticket_id] = header.occurred_at, stretch
        return stretch


def _is_end_of(fact: f.Fact, ticket_id: str) -> bool:
    return isinstance(fact, f.TicketAbandoned) and fact.ticket_id == ticket_id
