"""The invariant of theorem 1 at every call that any test makes in this process: nobody is passed over beyond the bound."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest.mock import patch

from sync.domain import calls
from sync.domain.due import bound
from sync.domain.office_day import OfficeDay
from sync.domain.ordering import Choice, next_for, passed_over_bound
from sync.domain.ticket import CounterSession


@contextmanager
def every_call_checked() -> Iterator[list[str]]:
    """While it is entered, calls that break the invariant are collected."""
    broken: list[str] = []

    def checked(day: OfficeDay, session: CounterSession, now: datetime) -> Choice | None:
        choice = next_for(day, session, now)
        # A rank that an earlier policy of the day gave obeys that policy's bound.
        if choice is not None and choice.ticket.arrived_at - choice.ticket.due_at <= bound(day.policy):
            passed = passed_over_bound(day, session, choice.ticket, now)
            if passed is not None:
                broken.append(f"{passed.label} was passed over by {choice.ticket.label} at {now}")
        return choice

    with patch.object(calls, "next_for", checked):
        yield broken
