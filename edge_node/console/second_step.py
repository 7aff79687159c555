"""The second step of signing in: a code, after a right password or account. What was used is kept on the disk, so no
code counts twice.

Between the steps the browser holds a random word that stands for what was right, for a few minutes.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple

from edge_node.queue.journal import written
from edge_node.writer import Writer
from sync.domain.second_factor import is_recovery, plain, recovery_hash, step_of
from sync.io.sql import load
from sync.messages.feed import SecondFactor

SQL = load("edge_node.console", "second_step.sql")
PENDING_S = 300
MAX_PENDING = 1000


FirstProof = Literal["password", "account"]
"""What somebody proved who they are with, before the code."""


class Passed(NamedTuple):
    """Whose password or account was right, and until when the code may come (monotonic seconds)."""

    staff_id: str
    by: FirstProof
    until_s: float


class SecondStep:
    """Asks for codes and accepts each once.

    Args:
        now: the time that code generators go by, as well as it is known here.
    """

    def __init__(self, writer: Writer, now: Callable[[], datetime]) -> None:
        self._writer = writer
        self._now = now
        self._steps: dict[str, int] = {}
        self._used: set[bytes] = set()
        self._pending: OrderedDict[str, Passed] = OrderedDict()

    async def load(self) -> None:
        def read(connection: sqlite3.Connection) -> tuple[dict[str, int], set[bytes]]:
            steps = dict(connection.execute(SQL.steps).fetchall())
            return steps, {row[0] for row in connection.execute(SQL.used_codes)}

        self._steps, self._used = await self._writer.run(read)

    def begin(self, staff_id: str, by: FirstProof, now_s: float) -> str:
        """The word that stands for what was right of somebody."""
        word = secrets.token_urlsafe(24)
        self._pending[word] = Passed(staff_id, by, now_s + PENDING_S)
        while len(self._pending) > MAX_PENDING:
            self._pending.popitem(last=False)
        return word

    def pending(self, word: str, now_s: float) -> Passed | None:
        """What a word stands for; none when it stands for nobody, or no longer."""
        passed = self._pending.get(word)
        return passed if passed is not None and passed.until_s > now_s else None

    def end(self, word: str) -> None:
        self._pending.pop(word, None)

    async def accept(self, staff_id: str, factor: SecondFactor, typed: str) -> bool:
        """Whether a code is right and was not used before; from now on it is used."""
        code = plain(typed)
        step = step_of(factor.secret, code, self._now(), self._steps.get(staff_id, -1))
        if step is not None:
            self._steps[staff_id] = step  # before the disk has it: a second try meanwhile finds it used
            await self._execute(SQL.put_step, {"staff_id": staff_id, "step": step})
            return True
        used = recovery_hash(code)
        if not is_recovery(factor, code) or used in self._used:
            return False
        self._used.add(used)
        await self._execute(SQL.put_used_code, {"code_hash": used, "staff_id": staff_id, "at": written(self._now())})
        return True

    async def _execute(self, statement: str, row: dict[str, object]) -> None:
        await self._writer.run(lambda connection: connection.execute(statement, row).rowcount)
