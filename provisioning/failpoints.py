"""Named points of the code at which a test lets a process die, as a power cut at just that moment would.

    await self._writer.run(batch.write)
    failpoint("edge.committed")  # durable, and nobody has heard of it

``VENTANILLA_FAILPOINT=edge.committed:37`` kills the process (SIGKILL, no clean-up) when it comes to that point for the 37th time.
Without the variable ``failpoint`` is an empty function, chosen once at import. A production node refuses to start with it.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Callable, Mapping
from typing import Final

from provisioning.settings import SettingsError

VARIABLE: Final = "VENTANILLA_FAILPOINT"

POINTS: Final = {
    "edge.decided": "the queue has decided a batch; nothing of it is on the disk",
    "edge.committed": "a batch is durable; no screen, page or sender has heard of it",
    "edge.published": "boards and live pages were told; who asked has no reply",
    "edge.rows_put": "rows of the feed are written, their cursor is not",
    "edge.rows_committed": "rows and cursor are durable; the queue does not decide with them yet",
    "edge.snapshot_swapped": "a snapshot has replaced all entities; its cursors are not written",
    "edge.ack_received": "central has acknowledged facts; the edge has not written that down",
    "central.uncommitted": "facts, projections and rows are written; COMMIT is not sent",
    "central.committed": "the transaction is durable; whoever waits for it does not know",
    "central.facts_taken": "facts are committed and folded; the edge has no acknowledgement",
    "central.rows_read": "rows for an office were read; they are not sent",
    "central.booked": "an appointment is booked; the citizen has no reply",
}
"""Every point there is. A name that is not here cannot be armed, and a test holds the code to it."""


def armed(env: Mapping[str, str], die: Callable[[], None]) -> Callable[[str], None]:
    """What ``failpoint`` does in a process with this environment.

    Raises:
        SettingsError: the variable names no point, or no number of passages.
    """
    wanted = env.get(VARIABLE)
    if not wanted:
        return _nothing
    name, _, times = wanted.partition(":")
    if name not in POINTS:
        raise SettingsError(VARIABLE, "", f"there is no point {name}")
    if times and not (times.isdecimal() and int(times)):
        raise SettingsError(VARIABLE, "", f"{times} is no number of passages")
    last, passages = int(times or 1), itertools.count(1)

    def passed(point: str) -> None:
        if point == name and next(passages) == last:
            die()

    return passed


def require_none(env: Mapping[str, str]) -> None:
    """Refuse to go on when a point is armed: nothing that serves people may die on purpose.

    Raises:
        SettingsError: one is.
    """
    if env.get(VARIABLE):
        raise SettingsError(VARIABLE, "", "is for tests only; set production = false or remove it")


def _nothing(_point: str) -> None:
    """No point is armed."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


failpoint: Final = armed(os.environ, _die)
