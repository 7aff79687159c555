"""Calls for support: somebody of staff wants another one to come. They wait until somebody takes care of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from sync.domain.counters import own_session
from sync.domain.deciding import Context
from sync.domain.office_day import OfficeDay
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.domain.ticket import SupportAnswer, SupportCall
from sync.messages import commands as c
from sync.messages.desk_facts import SupportAnswered, SupportAsked
from sync.messages.refusals import Refusal

ANSWER_STANDS = timedelta(minutes=5)
"""So long the one who asked for support reads who comes."""


def ask_support(x: Context, command: c.AskSupport) -> Decision:
    """A call; pressed again while the same one waits, it is the same one."""
    session = own_session(x.day, command.session, x.actor) if command.session is not None else None
    if isinstance(session, Refusal):
        return session
    waiting = {(call.staff_id, call.urgency) for call in x.day.support.values()}
    if (x.actor.actor_id, command.urgency) in waiting:
        return Accepted(())
    asked = SupportAsked(
        support_id=command.request_id,
        urgency=command.urgency,
        session=command.session,
        counter=session.counter if session is not None else None,
    )
    return Accepted((asked,))


def answer_support(x: Context, command: c.AnswerSupport) -> Decision:
    """Anybody of staff may, also who asked."""
    if command.support_id not in x.day.support:
        return refuse("support_over")
    return Accepted((SupportAnswered(support_id=command.support_id),))


def calls(day: OfficeDay) -> tuple[SupportCall, ...]:
    """Calls for support that nobody takes care of yet, the urgent ones first."""
    return tuple(sorted(day.support.values(), key=lambda call: (call.urgency != "panic", call.asked_at)))


def answer_for(day: OfficeDay, staff_id: str, now: datetime) -> SupportAnswer | None:
    """Who comes to somebody that asked for support, for a while."""
    answer = day.support_answers.get(staff_id)
    return answer if answer is not None and now - answer.answered_at < ANSWER_STANDS else None
