"""The most tickets that SQLite can make durable: WAL, synchronous FULL, one writer thread, callers that wait for COMMIT.

One issue is what a ticket costs at least: bump the counter, insert the ticket, insert one row to send. The writer commits
what is queued in one transaction and only then answers; it never waits for more.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from pathlib import Path

from tests.bench.limits.figures import Figures, figures

MAX_BATCH = 256
QUEUES = 8
_SCHEMA = """
CREATE TABLE queue (id INTEGER PRIMARY KEY, next_no INTEGER NOT NULL);
CREATE TABLE ticket (
    id INTEGER PRIMARY KEY, queue_id INTEGER NOT NULL, no INTEGER NOT NULL, state TEXT NOT NULL, issued_at REAL NOT NULL,
    UNIQUE (queue_id, no)
);
CREATE INDEX ticket_wait ON ticket (queue_id, no) WHERE state = 'waiting';
CREATE TABLE outbox (seq INTEGER PRIMARY KEY, topic TEXT NOT NULL, body TEXT NOT NULL);
"""


def solo(folder: Path, seconds: float) -> Figures:
    """One durable issue after the other, with nothing in between."""
    connection = _fresh(folder)
    durations: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < seconds:
        before = time.perf_counter()
        connection.execute("BEGIN IMMEDIATE")
        _issue(connection, 1 + len(durations) % QUEUES)
        connection.execute("COMMIT")
        durations.append(time.perf_counter() - before)
    elapsed_s = time.perf_counter() - started
    connection.close()
    return figures(durations, elapsed_s)


def group(folder: Path, callers: int, seconds: float) -> Figures:
    """``callers`` threads that each wait for their own issue to be durable."""
    connection = _fresh(folder)
    inbox: queue.SimpleQueue[tuple[int, threading.Lock] | None] = queue.SimpleQueue()
    durations: list[float] = []
    stop = threading.Event()

    def call(number: int) -> None:
        answered = threading.Lock()
        answered.acquire()
        mine: list[float] = []
        while not stop.is_set():
            before = time.perf_counter()
            inbox.put((1 + number % QUEUES, answered))
            answered.acquire()
            mine.append(time.perf_counter() - before)
        durations.extend(mine)

    writer = threading.Thread(target=_write, args=(connection, inbox))
    threads = [threading.Thread(target=call, args=(number,)) for number in range(callers)]
    writer.start()
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    stop.wait(seconds)
    stop.set()
    for thread in threads:
        thread.join()
    elapsed_s = time.perf_counter() - started
    inbox.put(None)
    writer.join()
    connection.close()
    return figures(durations, elapsed_s)


def _write(connection: sqlite3.Connection, inbox: queue.SimpleQueue[tuple[int, threading.Lock] | None]) -> None:
    while (first := inbox.get()) is not None:
        batch = [first]
        while len(batch) < MAX_BATCH and not inbox.empty():
            following = inbox.get()
            if following is None:
                inbox.put(None)
                break
            batch.append(following)
        connection.execute("BEGIN IMMEDIATE")
        for number, _ in batch:
            _issue(connection, number)
        connection.execute("COMMIT")
        for _, answered in batch:
            answered.release()


def _fresh(folder: Path) -> sqlite3.Connection:
    for old in folder.glob("limit.db*"):
        old.unlink()
    connection = sqlite3.connect(folder / "limit.db", isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.executescript(_SCHEMA)
    connection.executemany("INSERT INTO queue VALUES (?, 0)", [(n,) for n in range(1, QUEUES + 1)])
    return connection


def _issue(connection: sqlite3.Connection, number: int) -> None:
    bump = "UPDATE queue SET next_no = next_no + 1 WHERE id = ? RETURNING next_no"
    no = connection.execute(bump, (number,)).fetchall()[0][0]
    connection.execute("INSERT INTO ticket (queue_id, no, state, issued_at) VALUES (?, ?, 'waiting', 0)", (number, no))
    body = f'{{"queue": {number}, "no": {no}, "pad": "{"x" * 120}"}}'
    connection.execute("INSERT INTO outbox (topic, body) VALUES ('ticket.issued', ?)", (body,))
