"""Which streams an office reads. Nothing else is ever sent to it."""

from __future__ import annotations

from sync.messages.feed import GLOBAL, office_stream


def streams_of(office: str) -> tuple[str, ...]:
    """The streams of an office, sorted: the order in which their heads are locked and read."""
    return (GLOBAL, office_stream(office))
