"""Waiting for something with a limit, without losing a cancellation.

Python 3.11's ``asyncio.wait_for`` returns normally when the task that called it is cancelled in the very moment its work is
done: the cancellation is gone, and a loop that was told to stop goes on for ever. ``asyncio.timeout`` has no such moment, so
the product uses that (`ruff` bans the other), and this for events.

Source: CPython gh-86296, gh-96764 (both fixed in 3.12 only).
"""

from __future__ import annotations

import asyncio


async def set_within(event: asyncio.Event, timeout_s: float | None) -> bool:
    """Wait for an event; whether it was set before ``timeout_s`` seconds had passed (None: no limit)."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
