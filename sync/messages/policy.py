"""The queue policy of an office: versioned data, effective from a day. The rule that reads it stands in
``sync.domain``.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from sync.messages.values import Slug

Minutes = Annotated[int, msgspec.Meta(ge=0, le=24 * 60)]
Limit = Annotated[int, msgspec.Meta(ge=1, le=24 * 60)]
"""Minutes after which somebody is told; not at once, which would say nothing."""

GENERAL = "general"
"""The priority class without a head start."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The parameters of the queue order. Names in brackets are those of the queue study.

    Args:
        appointment_head_start_min: how much earlier than its slot an appointment's waiting counts (H).
        class_head_start_min: head start by priority class (h); an absent class has none.
        early_margin_min: an appointment may be called this long before its slot (E).
        grace_min: an arrival this late still counts as punctual (G).
        late_limit_min: an arrival this late still counts from its slot (L).
        secondary_threshold_min: a secondary service counts as a counter's own this long after ``due_at`` (x).
        idle_takes_secondary: a counter with nobody else takes a secondary service at once.
        reinstate: what a missed call costs: keep ``due_at`` (once, within ``reinstate_within_min``), go behind the next
            two of the same service, or count from now.
        recall_limit: how many times a call may be repeated.
        recall_gap_s: least seconds between two calls of the same ticket.
        park_limit_min: a parked ticket without a reminder is told to its clerk after so long.
        park_escalate_min: so long after its clerk the supervisors are told of it.
        pause_limit_min: a counter on pause for so long is told to supervisors.
    """

    version: int = 1
    appointment_head_start_min: Minutes = 45
    class_head_start_min: dict[Slug, Minutes] = msgspec.field(default_factory=lambda: {"reduced_mobility": 30})
    early_margin_min: Minutes = 5
    grace_min: Minutes = 10
    late_limit_min: Minutes = 30
    secondary_threshold_min: Minutes = 5
    idle_takes_secondary: bool = True
    reinstate: Literal["keep", "behind_two", "now"] = "keep"
    reinstate_within_min: Minutes = 15
    recall_limit: Annotated[int, msgspec.Meta(ge=0, le=20)] = 3
    recall_gap_s: Annotated[int, msgspec.Meta(ge=0, le=600)] = 20
    park_limit_min: Limit = 20
    park_escalate_min: Minutes = 5
    pause_limit_min: Limit = 30
