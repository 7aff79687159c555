"""A store in memory: transactional, never suspending, with crashes on order.

Every write notes how to undo it. A transaction that raises runs its notes backwards.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, Literal, TypeVar

from sync.messages.wire import SnapshotRow

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")
EntityKey = tuple[str, str, str]
_ABSENT, _GREW = object(), object()
CrashPoint = Literal["before_commit", "after_commit"]
CommitFault = Literal["no_room", "io_error", "io_error_late", "aborted"]
"""How a commit may fail while its process lives on; after ``io_error_late`` it is durable, and nobody was told."""


class Crashed(Exception):
    """The process died here. What the step would have returned is lost."""


class CommitFailed(Exception):
    """The database did not say that the commit was done."""


class AlreadyThere(Exception):
    """A row with this primary key exists."""


class ProjectionFailed(Exception):
    """A projector could not take a fact."""


class UndoLog:
    """Writes to dictionaries and lists, each with its way back."""

    def __init__(self) -> None:
        self._steps: list[tuple[Any, Any, Any]] = []
        """Table, key and what was there; for a list that grew ``_GREW``."""
        self._written: dict[int, dict[Any, None]] = {}

    def keys_of(self, table: Mapping[K, object]) -> Collection[K]:
        """The keys of a dictionary that were written or dropped, each once, also those whose write was undone since."""
        return self._written.get(id(table), ())

    @property
    def is_blank(self) -> bool:
        """Whether nothing was ever noted: its transaction has only read."""
        return not self._steps and not self._written

    def __len__(self) -> int:
        return len(self._steps)

    def put(self, table: dict[K, V], key: K, value: V) -> None:
        self._steps.append((table, key, table.get(key, _ABSENT)))
        self._written.setdefault(id(table), {})[key] = None
        table[key] = value

    def drop(self, table: dict[K, V], key: K) -> None:
        if key in table:
            self._steps.append((table, key, table.pop(key)))
            self._written.setdefault(id(table), {})[key] = None

    def add(self, rows: list[V], row: V) -> None:
        rows.append(row)
        self._steps.append((rows, None, _GREW))

    def roll_back(self, to: int = 0) -> None:
        while len(self._steps) > to:
            table, key, before = self._steps.pop()
            if before is _GREW:
                table.pop()
            elif before is _ABSENT:
                del table[key]
            else:
                table[key] = before


class MemoryStore:
    """Transactions one at a time. ``crash_next`` makes the next commit die before or after it happens, ``fail_next`` makes it fail."""

    def __init__(self) -> None:
        self.crash_next: CrashPoint | None = None
        self.fail_next: CommitFault | None = None
        self.undo = UndoLog()
        self._open = False

    def begin(self) -> UndoLog:
        assert not self._open, "a step holds one transaction at a time"
        self._open = True
        if not self.undo.is_blank:
            self.undo = UndoLog()
        return self.undo

    def abort(self) -> None:
        self._open = False
        self.undo.roll_back()

    def commit(self) -> None:
        crash, self.crash_next = self.crash_next, None
        fault, self.fail_next = self.fail_next, None
        if crash is None and fault is None and not len(self.undo):
            self._open = False
            return
        if crash == "before_commit":
            self.abort()
            raise Crashed(crash)
        if fault not in (None, "io_error_late"):
            self.abort()
            raise CommitFailed(fault)
        self._open = False
        self.on_commit(self.undo)
        if crash == "after_commit":
            raise Crashed(crash)
        if fault is not None:
            raise CommitFailed(fault)

    def on_commit(self, undo: UndoLog) -> None:
        """A place for what happens with each commit."""


class Transaction(Generic[T]):
    """``async with``: commits at the end of its block, undoes everything when that raises.

    Args:
        before_commit: what is still to be written at the end.
    """

    def __init__(self, store: MemoryStore, tx: T, before_commit: Callable[[], None] | None = None) -> None:
        self._store = store
        self._tx = tx
        self._before_commit = before_commit

    async def __aenter__(self) -> T:
        return self._tx

    async def __aexit__(self, kind: object, error: object, trace: object) -> None:
        if kind is not None:
            self._store.abort()
            return
        try:
            if self._before_commit is not None:
                self._before_commit()
        except BaseException:
            self._store.abort()
            raise
        self._store.commit()


def key_of(row: SnapshotRow) -> EntityKey:
    return (row.stream, row.kind, row.entity_id)


def count_by_kind(rows: Mapping[EntityKey, SnapshotRow]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for _, kind, _ in rows:
        counts[kind] = counts.get(kind, 0) + 1
    return counts
