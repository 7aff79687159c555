"""How big the small window is, in CSS pixels."""

from __future__ import annotations

from typing import Final, NamedTuple


class Size(NamedTuple):
    width: int
    height: int


FITS: Final = Size(360, 270)
"""From this size on every state of a visit is seen whole; in a smaller window it scrolls, down to 320 (WCAG 2.2, 1.4.10)."""
OPENS: Final = Size(380, 330)
"""As it opens: with room for a longer service's name and for what browsers add to a window."""
