"""What happened to an office's folder while its node worked: file events, and between them what was promised to whom."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast
from unittest.mock import patch

from edge_node.authority import anchor as anchor_module
from edge_node.authority.rules import Anchor
from edge_node.database import open_writer
from edge_node.queue.journal import Entry, PendingPrint
from edge_node.queue.state import OfficeState
from sync.domain.office_day import OfficeDay
from tests.fault.power import rules
from tests.fault.power.sqlite_files import watched

Synchronous = Literal["FULL", "NORMAL", "OFF"]
NOT_RECORDED = ("-shm", "lock", "ballast")
"""Names end so of files whose content nobody needs after a cut."""
DERIVED = ("lines",)
"""Of an office day: follows from the tickets and has no text of its own."""


class Commit(NamedTuple):
    """A transaction that changed something and whose COMMIT has come back, behind ``place`` events.

    ``content`` is the fingerprint of everything in the database.
    """

    place: int
    content: str


class Answer(NamedTuple):
    """Somebody was told that their command is done, behind ``place`` events."""

    place: int
    request_id: str
    body: bytes
    label: str | None


class Recorder:
    """Watches a folder. What is in it already counts as being on the disk for long."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        kept = [file for file in folder.iterdir() if file.is_file() and not file.name.endswith(NOT_RECORDED)]
        self.base = {file.name: file.read_bytes() for file in sorted(kept)}
        self.events: list[rules.Event] = []
        self.commits: list[Commit] = []
        self.answers: list[Answer] = []
        self.days: dict[int, str] = {}
        """Fingerprint of the queue as the living node had it, by the journal's last seq."""
        self.inodes = len(self.base)
        self._names = {name: inode for inode, name in enumerate(sorted(self.base))}

    def opened(self, name: str, *, created: bool) -> int:
        if created or name not in self._names:
            self._names[name] = self.inodes
            self.inodes += 1
            self.events.append(rules.Create(name, self._names[name]))
        return self._names[name]

    def fitting(self, inode: int, offset: int, length: int) -> int:
        return length

    def wrote(self, inode: int, offset: int, data: bytes) -> None:
        self.events.append(rules.Write(inode, offset, data))

    def truncated(self, inode: int, size: int) -> None:
        self.events.append(rules.Truncate(inode, size))

    def synced(self, inode: int) -> None:
        self.events.append(rules.Sync(inode))

    def deleted(self, name: str) -> None:
        self._names.pop(name, None)
        self.events.append(rules.Delete(name))

    def folder_synced(self) -> None:
        self.events.append(rules.SyncFolder())

    def replaced(self, name: str, content: bytes) -> None:
        """A file was written beside, synced, and renamed into place."""
        inode, fresh = self.inodes, f"{name}.new"
        self.inodes += 1
        self.events += (
            rules.Create(fresh, inode),
            rules.Write(inode, 0, content),
            rules.Sync(inode),
            rules.Rename(fresh, name),
        )

    def answered(self, request_id: str, body: bytes, label: str | None) -> None:
        self.answers.append(Answer(len(self.events), request_id, body, label))

    def committed_work(self, connection: sqlite3.Connection) -> None:
        self.commits.append(Commit(len(self.events), content_of(connection)))

    def opener(self, synchronous: Synchronous) -> Callable[[Path], sqlite3.Connection]:
        """Opens the writer as production does, and tells of its commits. Only a setting that is not FULL is put over it."""

        def open_observed(file: Path) -> sqlite3.Connection:
            connection = open_writer(file)
            if synchronous != "FULL":
                connection.execute(f"PRAGMA synchronous = {synchronous}")
            return cast("sqlite3.Connection", _Observed(connection, self.committed_work))

        return open_observed


class LiveDay:
    """Listens to the dispatcher: writes down the queue behind each commit."""

    def __init__(self, recorder: Recorder, state: OfficeState) -> None:
        self._recorder = recorder
        self._state = state

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        self._recorder.days[entries[-1].header.seq] = day_of(self._state.day)

    def restored(self) -> None:
        """Nothing is new."""


class _Observed:
    """A connection that tells when a COMMIT that changed something has come back."""

    def __init__(self, connection: sqlite3.Connection, tell: Callable[[sqlite3.Connection], None]) -> None:
        self._connection = connection
        self._tell = tell
        self._changes = connection.total_changes

    def execute(self, statement: str, *parameters: Any) -> sqlite3.Cursor:
        cursor = self._connection.execute(statement, *parameters)
        if statement == "COMMIT" and self._connection.total_changes != self._changes:
            self._changes = self._connection.total_changes
            self._tell(self._connection)
        return cursor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def recorded(recorder: Recorder) -> Iterator[None]:
    """Record what SQLite and the anchor do to the recorder's folder.

    The anchor's file is not SQLite's, so its four steps are told as ``write_anchor`` has them. It is written much sooner behind
    a commit than in production: an anchor that comes to the disk before its commit would be found.
    """
    write_anchor = anchor_module.write_anchor

    def write(file: Path, newest: Anchor) -> None:
        write_anchor(file, newest)
        recorder.replaced(file.name, file.read_bytes())

    with (
        patch.object(anchor_module, "write_anchor", write),
        patch.object(anchor_module, "EVERY_S", 0.01),
        watched(recorder.folder, recorder),
    ):
        yield


def content_of(connection: sqlite3.Connection) -> str:
    """Fingerprint of all rows of all tables."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    digest = hashlib.blake2b(digest_size=16)
    for table in tables:
        rows = sorted(map(repr, map(tuple, connection.execute(f'SELECT * FROM "{table}"'))))
        digest.update(f"{table} {len(rows)}\n".encode() + "\n".join(rows).encode())
    return digest.hexdigest()


def day_of(day: OfficeDay) -> str:
    """Fingerprint of a queue: everything that decisions read."""
    told = {name: value for name, value in sorted(vars(day).items()) if name.strip("_") not in DERIVED}
    return hashlib.blake2b(repr(told).encode(), digest_size=16).hexdigest()
