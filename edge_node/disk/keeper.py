"""Looks at the disk now and then, and does what its level asks for."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import structlog

from edge_node.disk.ballast import Ballast
from edge_node.disk.rules import Level, level_of
from edge_node.disk.store import prune
from edge_node.queue.dispatcher import Dispatcher
from edge_node.settings import Settings
from edge_node.writer import WriteFailed, Writer
from sync.io.waiting import set_within

LOOK_EVERY_S = 15.0
MIB = 1024 * 1024
Usage = Callable[[], tuple[int, int]]
"""(total, free) bytes of the disk."""
log = structlog.get_logger()


class DiskKeeper:
    """Watches the disk of the data folder.

    Args:
        on_change: called when the level has changed.
    """

    def __init__(
        self,
        settings: Settings,
        dispatcher: Dispatcher,
        writer: Writer,
        on_change: Callable[[], None],
        usage: Usage | None = None,
    ) -> None:
        folder = settings.data.folder
        self._ballast = Ballast(folder / "ballast", settings.data.ballast_mib * MIB)
        self._usage = usage or (lambda: usage_of(folder))
        self._dispatcher = dispatcher
        self._writer = writer
        self._on_change = on_change
        self._wake = asyncio.Event()
        self.level: Level = "fine"
        self.free_ratio = 1.0
        dispatcher.on_no_room = self._no_room

    async def run(self) -> None:
        """Look for ever; at once when SQLite found no room."""
        while True:
            self._wake.clear()
            await self.look()
            await set_within(self._wake, LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once."""
        total, free = self._usage()
        free = max(0, free - self._ballast.missing_bytes)
        self.free_ratio = free / total if total else 0.0
        self._become(level_of(total, free, self.level))
        if self.level == "full":
            self._ballast.give_up()
        else:
            await asyncio.to_thread(self._ballast.take)
        if self.level != "fine":
            await self._prune()

    def _no_room(self) -> None:
        """SQLite has said so, whatever the disk's own figures are."""
        self._ballast.give_up()
        self._become("full")

    def _become(self, level: Level) -> None:
        if level == self.level:
            return
        tell = log.error if level == "full" else log.warning
        tell("disk.level", now=level, before=self.level, free_ratio=round(self.free_ratio, 3))
        self.level = level
        self._dispatcher.state.disk_full = level == "full"
        self._on_change()

    async def _prune(self) -> None:
        epoch, now, gone = self._dispatcher.state.tail.epoch, self._dispatcher.state.now(), 0
        try:
            while went := await self._writer.run(lambda connection: prune(connection, epoch, now)):
                gone += went
        except WriteFailed as error:
            log.warning("disk.not_pruned", error=str(error))
        if gone:
            log.info("disk.pruned", facts=gone)


def usage_of(folder: Path) -> tuple[int, int]:
    """(total, free) bytes of the disk that a folder is on."""
    usage = shutil.disk_usage(folder)
    return usage.total, usage.free
