"""Keeps a loop going: restarts it when it fails, and when it makes no progress although it could."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

log = structlog.get_logger(__name__)

CHECK_S: Final = 5.0
RESTART_S: Final = 1.0


class Stall:
    """Whether work has been due for too long without progress.

    Args:
        limit_s: seconds for which work may be due without progress.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._mark: object = None
        self._since_s: float | None = None

    def is_stalled(self, *, due: bool, progress: object, now_s: float) -> bool:
        """Look again. ``progress`` is any value that changes with progress; ``now_s`` is monotonic seconds."""
        if not due or progress != self._mark or self._since_s is None:
            self._mark, self._since_s = progress, (now_s if due else None)
            return False
        return now_s - self._since_s > self._limit_s


async def keep_going(
    name: str,
    run: Callable[[], Coroutine[Any, Any, None]],
    is_stalled: Callable[[], bool],
    *,
    on_restart: Callable[[], None],
    check_s: float = CHECK_S,
    restart_s: float = RESTART_S,
) -> None:
    """Run a loop until it ends by itself; begin anew when it raises, or when ``is_stalled`` says so at a check."""
    while True:
        task = asyncio.create_task(run(), name=f"uplink-{name}")
        try:
            while not task.done() and not is_stalled():
                await asyncio.wait([task], timeout=check_s)
            if task.done() and task.exception() is None:
                return
            _alarm(name, task)
            on_restart()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.sleep(restart_s)


def _alarm(name: str, task: asyncio.Task[None]) -> None:
    if task.done():
        log.error("loop.failed", loop=name, exc_info=task.exception())
    else:
        log.error("loop.stalled", loop=name)
