"""What a node finds in its folder when power is back, held against what was promised."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_node.database import open_writer, quick_check
from edge_node.migrations import migrate
from edge_node.node import running
from edge_node.queue.boot import identify, load_state
from edge_node.queue.desk import Wish
from edge_node.queue.journal import SQL, find_replies
from edge_node.queue.outcomes import Done
from edge_node.settings import Settings
from edge_node.writer import Writer
from sync.io.ids import new_id
from sync.messages.envelope import FactHeader, FactRecord, chain
from sync.messages.values import GENESIS
from tests.fault.power.recording import Answer, Commit, content_of, day_of
from tests.fault.power.workload import KIOSK
from tests.kit.clock import ManualClock
from tests.kit.edge import SERVICES, settings

EPOCH = 1
ALL = {"epoch": EPOCH, "seq": 1}
ACTED_TWICE = "SELECT request_id FROM fact WHERE type = 'ticket.issued' GROUP BY request_id HAVING count(*) > 1"
WITHIN_S = 60.0


class Promise(NamedTuple):
    """What was known outside when the power went.

    Args:
        commits: acknowledged ones and those behind the cut, in order; what is on the disk must be the content of one of them.
        acked: how many of them were acknowledged.
        answers: told to people before the cut.
        days: fingerprints of the queue by the journal's last seq.
        now: the office's time, to go on from.
    """

    commits: Sequence[Commit]
    acked: int
    answers: Sequence[Answer]
    days: Mapping[int, str]
    now: datetime


class Finding(NamedTuple):
    """What became of a promise.

    Args:
        lost: acknowledged commits that are not there.
        lost_answers: answers that were given and are not there.
        corrupt: what is wrong with what is there; empty: nothing.
        noticed: the node itself found out that its journal is too short (its anchor has seen more) and refuses to act.
    """

    lost: int = 0
    lost_answers: int = 0
    corrupt: tuple[str, ...] = ()
    noticed: bool = False


async def examine(folder: Path, promise: Promise) -> Finding:
    """Boot from a folder as production does, and judge. The folder is written to.

    Whatever is raised on the way is a finding: a damaged file may surface as any error.
    """
    node_settings = settings(folder)
    file = node_settings.database_file
    try:
        migrate(file)
        quick_check(file)
        with closing(open_writer(file)) as connection:
            corrupt = _unsound(connection)
            content = content_of(connection)
            missing = _missing(connection, promise.answers)
    except Exception as error:
        return Finding(corrupt=(f"cannot be opened: {error}",))
    lost, half = held_against(promise, content)
    if half:
        corrupt.append("the content is that of no commit")
    try:
        async with asyncio.timeout(WITHIN_S):
            corrupt += await _replayed(node_settings, promise)
            noticed, stuck = await _goes_on(node_settings, promise)
    except Exception as error:
        return Finding(lost, missing, (*corrupt, f"does not boot: {error!r}"))
    wrong = corrupt if lost or missing else [*corrupt, *stuck]  # who has forgotten a number gives it again
    return Finding(lost, missing, tuple(wrong), noticed)


def held_against(promise: Promise, content: str) -> tuple[int, bool]:
    """(acknowledged commits that are lost, whether the content is that of no commit at all).

    Nothing acknowledged yet: the database was being made, and its content is nobody's promise.
    """
    there = max((nth for nth, commit in enumerate(promise.commits, 1) if commit.content == content), default=0)
    if there:
        return max(0, promise.acked - there), False
    return 0, promise.acked > 0


def _unsound(connection: sqlite3.Connection) -> list[str]:
    """SQLite's whole check, and the chain of all facts from the first one."""
    said = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    wrong = [] if said == ["ok"] else [f"integrity_check: {said[0]}"]
    broken = [row[0] for row in connection.execute("PRAGMA foreign_key_check")]
    if broken:
        wrong.append(f"foreign_key_check: {broken[0]}")
    return wrong + _chain_faults(connection)


def _chain_faults(connection: sqlite3.Connection) -> list[str]:
    """Dense from 1 on, each fact hashed onto the one before it, no request acted twice. A boot reads the last day only."""
    link = GENESIS
    for nth, (seq, office, *rest, body, stored) in enumerate(connection.execute(SQL.facts_from, ALL), 1):
        if seq != nth:
            return [f"the journal is not dense at {nth}"]
        header = msgspec.convert([office, EPOCH, seq, *rest], FactHeader)
        record = FactRecord(header=header, body=msgspec.Raw(body))
        link = chain(link, record)
        if link != stored:
            return [f"the chain does not hold at {seq}"]
    twice = connection.execute(ACTED_TWICE).fetchall()
    return [f"{len(twice)} requests acted twice"] if twice else []


def _missing(connection: sqlite3.Connection, answers: Sequence[Answer]) -> int:
    found = find_replies(connection, [each.request_id for each in answers])
    stored = {request_id: reply.body for request_id, reply in found.items()}
    return sum(stored.get(each.request_id) != each.body for each in answers)


async def _replayed(node_settings: Settings, promise: Promise) -> list[str]:
    """The queue as the replay makes it is the one that the living node had at that place of the journal."""
    writer = Writer(node_settings.database_file)
    writer.start()
    try:
        identity = await identify(writer, node_settings.office)
        state = await load_state(writer, identity, node_settings.office, ManualClock(promise.now))
    finally:
        await writer.close()
    live = promise.days.get(state.tail.seq)
    if live is None:  # a tail that the living node never told of: only before its first commit
        return ["the journal ends where no commit ended"] if state.tail.seq and promise.acked else []
    return [] if live == day_of(state.day) else ["the replayed queue is not the one that was"]


async def _goes_on(node_settings: Settings, promise: Promise) -> tuple[bool, list[str]]:
    """(the node refuses for want of authority, what is wrong when it works): it boots and gives a number nobody has."""
    async with running(node_settings, ManualClock(promise.now, boot_id="boot-2")) as node:
        if not node.dispatcher.state.has_authority:
            return True, []
        answer = await node.desk.take_ticket(new_id(), SERVICES[0], KIOSK, Wish())
    if not isinstance(answer, Done) or answer.reply.slip is None:
        # A cut while the office is being set up leaves part of its rows; central sends them again.
        return False, [f"gives no ticket: {answer}"] if promise.acked else []
    given = {each.label for each in promise.answers}
    return False, ["gives a number twice"] if answer.reply.slip.label in given else []
