"""Makes the copies and the nightly check while the node works."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from edge_node.copies import rules
from edge_node.copies.files import check, condemn, latest_copy, make_copy
from edge_node.database import DatabaseDamaged
from edge_node.metrics import Metrics
from edge_node.settings import Settings

LOOK_EVERY_S = 60.0
log = structlog.get_logger()


class CopyKeeper:
    """Keeps copies.

    Args:
        now: the office clock.
        give_up: stops this process: its database is damaged, and a node that goes on with it may call wrong people. Kiosks go on
            with numbers of their own until the node is replaced.
    """

    def __init__(
        self, settings: Settings, metrics: Metrics, now: Callable[[], datetime], give_up: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._now = now
        self._give_up = give_up
        self._checked_at = now()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Do what is due."""
        if rules.check_due(self._checked_at, self._now(), self._settings.zone):
            await self._check()
        if self._settings.copies.folder is not None:
            await self._copy()

    async def _check(self) -> None:
        try:
            await asyncio.to_thread(check, self._settings.database_file)
        except DatabaseDamaged as found:
            log.critical("database.damaged", found=str(found))
            await asyncio.to_thread(condemn, self._settings.data.folder, str(found))
            self._give_up()
        except sqlite3.Error as error:
            log.warning("database.not_checked", error=str(error))
            return
        self._checked_at = self._now()

    async def _copy(self) -> None:
        copies, now = self._settings.copies, self._now()
        folder = copies.folder
        if folder is None:
            return
        latest = await asyncio.to_thread(latest_copy, folder, now)
        if rules.copy_due(latest, timedelta(minutes=copies.every_min), now):
            try:
                await asyncio.to_thread(make_copy, self._settings.database_file, folder, now, copies.keep)
            except (DatabaseDamaged, OSError, sqlite3.Error) as error:
                log.error("copy.not_made", folder=str(folder), error=str(error))  # noqa: TRY400
            else:
                log.info("copy.made", name=rules.name_of(now))
                latest = now
        self._metrics.copy_age_s.set((now - latest).total_seconds() if latest else float("inf"))
