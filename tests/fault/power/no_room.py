"""Trials of a disk that is full at some write: the office is told so, nothing that was answered is lost, and it goes on."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from edge_node.node import EdgeNode
from edge_node.queue.dispatcher import StateUnknown
from edge_node.writer import WriteFailed
from tests.fault.power.cuts import working
from tests.fault.power.recording import Recorder, recorded
from tests.fault.power.verdict import Finding, Promise, examine
from tests.fault.power.workload import FOR_WANT_OF_ROOM, Shift
from tests.kit.clock import ManualClock
from tests.kit.edge import prepare

GIB: Final = 1024**3
PAGE: Final = 4096
STEPS: Final = 24
WRITES: Final = 500
"""About what a boot and so many steps write."""
LEFT_FULL: Final = 8
"""Steps at most that the disk stays full."""
WITHIN_S: Final = 30.0
REFUSED_TO_START = (WriteFailed, sqlite3.OperationalError, StateUnknown)


class TightDisk(Recorder):
    """A disk that has room for what is on it, and little more, from some write on until there is room again.

    As ENOSPC does, it hurts only writes that make a file longer; the last one is cut short.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.full = False
        self._capacity = 0
        self._until_full = 0
        self._spare = 0
        self._sizes: Counter[int] = Counter()
        self._inode_of: dict[str, int] = {}

    def fills_up(self, after_writes: int, spare: int) -> None:
        """Be full after so many more writes, but for ``spare`` bytes."""
        self._until_full, self._spare = after_writes, spare

    def has_room(self) -> None:
        """Somebody has made room."""
        self.full, self._until_full = False, 0

    def usage(self) -> tuple[int, int]:
        """(total, free) bytes as the node's own watch over the disk reads them."""
        return 32 * GIB, max(0, self._capacity - self._used()) if self.full else 16 * GIB

    def opened(self, name: str, *, created: bool) -> int:
        self._inode_of[name] = super().opened(name, created=created)
        return self._inode_of[name]

    def fitting(self, inode: int, offset: int, length: int) -> int:
        if self._until_full:
            self._until_full -= 1
            if not self._until_full:
                self.full, self._capacity = True, self._used() + self._spare
        longer = offset + length - max(offset, self._sizes[inode])
        if not self.full or longer <= 0:
            return length
        return max(0, length - max(0, longer - max(0, self._capacity - self._used())))

    def wrote(self, inode: int, offset: int, data: bytes) -> None:
        self._sizes[inode] = max(self._sizes[inode], offset + len(data))
        super().wrote(inode, offset, data)

    def truncated(self, inode: int, size: int) -> None:
        self._sizes[inode] = min(self._sizes[inode], size)
        super().truncated(inode, size)

    def deleted(self, name: str) -> None:
        self._sizes.pop(self._inode_of.pop(name, -1), None)
        super().deleted(name)

    def _used(self) -> int:
        ballast = self.folder / "ballast"
        return self._sizes.total() + (ballast.stat().st_size if ballast.exists() else 0)


class Trial(NamedTuple):
    """One full disk.

    Args:
        acked: commits that were acknowledged.
        hit: the disk was full at some write; else the trial ended before.
        refused: answers "come again" and "the disk is full", and starts that were refused.
        answered_while_full: commands carried out all the same.
        unclear: what came instead of an answer.
        stuck: what did not work although there was room again.
    """

    number: int
    acked: int
    hit: bool
    refused: int
    answered_while_full: int
    unclear: tuple[str, ...]
    stuck: tuple[str, ...]
    finding: Finding


class _Story:
    """One trial while it runs."""

    def __init__(self, tight: TightDisk, clock: ManualClock, rng: random.Random) -> None:
        self.tight = tight
        self.clock = clock
        self.rng = rng
        self.hit = False
        self.refused = self.answered_while_full = 0
        self.stuck: list[str] = []

    async def run(self, ballast_mib: int) -> None:
        """Start the node until it starts, let it work while the disk fills up, and see that it goes on."""
        for _ in range(2):
            try:
                async with working(self.tight, self.clock, ballast_mib=ballast_mib) as node:
                    await self._work(node)
                    return
            except REFUSED_TO_START:
                if not self.tight.full:
                    raise
                self.hit, self.refused = True, self.refused + 1
                self.tight.has_room()

    async def _work(self, node: EdgeNode) -> None:
        node.disk._usage = self.tight.usage
        shift = Shift(node, self.clock, self.rng, self._told)
        await shift.begin()
        patience = self.rng.randint(1, LEFT_FULL)
        for _ in range(STEPS):
            await shift.step()
            if self.tight.full:
                await shift.serve()  # clerks go on, out of the ballast if there is some
                patience -= 1
            if not patience:
                break
        self.hit = self.hit or self.tight.full
        self.refused += sum(count for code, count in shift.refused.items() if code in FOR_WANT_OF_ROOM)
        self.tight.has_room()
        await node.disk.look()
        for _ in range(3):  # "come again in a second": so they do
            for request_id, ask in list(shift.owed.items()):
                await shift.ask(request_id, ask)
        if shift.owed:
            self.stuck.append(f"{len(shift.owed)} requests are still refused")
        for _ in range(3):
            await shift.step()

    def _told(self, request_id: str, body: bytes, label: str | None) -> None:
        self.answered_while_full += self.tight.full
        self.tight.answered(request_id, body, label)


async def try_full_disks(trials: int, seed: int) -> AsyncIterator[Trial]:
    """Fill disks, over and over; every second office has ballast to give up."""
    for number in range(trials):
        with tempfile.TemporaryDirectory(prefix="full-") as name:
            yield await _try(Path(name), number, random.Random(f"{seed}/full/{number}"))


async def _try(folder: Path, number: int, rng: random.Random) -> Trial:
    tight, clock = TightDisk(folder), ManualClock()
    story = _Story(tight, clock, rng)
    unclear: list[str] = []
    with recorded(tight):
        prepare(folder)
        tight.fills_up(rng.randint(1, WRITES), rng.randrange(3 * PAGE))
        try:
            async with asyncio.timeout(WITHIN_S):
                await story.run(ballast_mib=number % 2)
        except TimeoutError:
            story.stuck.append(f"no end within {WITHIN_S:.0f} s")
        except Exception as error:
            unclear.append(f"{type(error).__name__}: {error}")
    finding = await examine(folder, _promise(tight, clock.now()))
    return Trial(
        number,
        len(tight.commits),
        story.hit,
        story.refused,
        story.answered_while_full,
        tuple(unclear),
        tuple(story.stuck),
        finding,
    )


def _promise(told: Recorder, now: datetime) -> Promise:
    return Promise(told.commits, len(told.commits), told.answers, told.days, now)
