"""From when a ticket's waiting counts (``due_at``) and from when it may be called (``callable_at``).

Fixed at check-in. With w = arrival - head start of the priority class, H the appointment head start, h the class's, E
the
early margin, G the grace and L the late limit:

====================  ============================  =========================
arrival               due_at                        callable from
====================  ============================  =========================
walk-in               w                             arrival
lateness <= G         min(slot - max(H, h), w)      max(arrival, slot - E)
G < lateness <= L     min(slot, w)                  arrival
later                 w                             arrival
====================  ============================  =========================

Head starts do not add up, the larger counts. The two ``min`` say that an appointment never ranks below the same person
as a walk-in. Hence for every ticket ``arrival - due_at <= bound``, with bound = max(max(H, all h) + G, L): the
closed-list theorem.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from sync.messages.facts import Band
from sync.messages.policy import Policy


class Due(msgspec.Struct, frozen=True, kw_only=True):
    due_at: datetime
    callable_at: datetime
    band: Band | None = None


def due(arrived_at: datetime, slot_start_at: datetime | None, priority_class: str, policy: Policy) -> Due:
    """Rank an arrival. ``slot_start_at`` is none for a walk-in."""
    class_head_start = timedelta(minutes=policy.class_head_start_min.get(priority_class, 0))
    as_walk_in = arrived_at - class_head_start
    if slot_start_at is None:
        return Due(due_at=as_walk_in, callable_at=arrived_at)
    lateness = arrived_at - slot_start_at
    if lateness <= timedelta(minutes=policy.grace_min):
        head_start = max(timedelta(minutes=policy.appointment_head_start_min), class_head_start)
        callable_at = max(arrived_at, slot_start_at - timedelta(minutes=policy.early_margin_min))
        return Due(
            due_at=min(slot_start_at - head_start, as_walk_in),
            callable_at=callable_at,
            band="early" if callable_at > arrived_at else "punctual",
        )
    if lateness <= timedelta(minutes=policy.late_limit_min):
        return Due(due_at=min(slot_start_at, as_walk_in), callable_at=arrived_at, band="late")
    return Due(due_at=as_walk_in, callable_at=arrived_at, band="too_late")


def bound(policy: Policy) -> timedelta:
    """How long after a ticket's ``due_at`` somebody who arrives may still go before it: never longer than this."""
    largest = max(policy.appointment_head_start_min, *policy.class_head_start_min.values(), 0)
    return timedelta(minutes=max(largest + policy.grace_min, policy.late_limit_min))
