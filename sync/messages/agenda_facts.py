"""Facts about the agenda."""

from __future__ import annotations

from typing import ClassVar

from sync.messages.facts import Fact
from sync.messages.values import Slug, Uuid


class AppointmentRevealed(Fact, frozen=True, kw_only=True):
    """The actor of the fact looked at who an appointment is for. Written, and kept as every fact is, before anything is shown.

    Args:
        found_by: ``search`` or ``agenda``: the list that the row stood in.
    """

    TYPE: ClassVar[str] = "appointment.revealed"
    appointment_id: Uuid
    found_by: Slug
