"""Booking on a real Postgres of both versions, with a clock that stands still."""

from tests.integration.booking.conftest import bed

__all__ = ["bed"]
