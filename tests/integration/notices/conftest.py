"""Notices need a booking to tell of."""

from tests.integration.booking.conftest import bed

__all__ = ["bed"]
