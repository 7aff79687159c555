"""Who is drawn first: what somebody has just done goes before pages that are only brought up to date.

After each fact every open console looks at once. Drawn in the order of asking, the answer to a key would wait behind the looks
of the whole office. So only a few looks are under way at a time; the others wait here, and a form passes them by.
"""

from __future__ import annotations

import asyncio
from typing import Final

LOOKS_AT_ONCE: Final = 2
"""More than one, since a look may wait for the disk; few, since whoever acts waits behind all that are under way."""


def look_turns() -> asyncio.Semaphore:
    """The turns of one process's looks."""
    return asyncio.Semaphore(LOOKS_AT_ONCE)
