"""Which office a report is about."""

from __future__ import annotations

from collections.abc import Sequence

from central.offices.catalogue import OfficeRecord
from central.problems import Problem


def chosen(own: Sequence[OfficeRecord], asked: str) -> OfficeRecord | None:
    """Of the offices that somebody manages the one they asked for, or the first; none when they manage none.

    Raises:
        Problem: 404, there is no such office.
    """
    if not asked:
        return next(iter(own), None)
    record = next((one for one in own if one.id == asked), None)
    if record is None:
        raise Problem(404, "not_found")
    return record
