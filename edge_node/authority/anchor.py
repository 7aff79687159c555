"""The anchor's file: read at boot, written at most every second behind commits, whole or not at all."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from edge_node.authority.rules import Anchor, raised
from edge_node.queue.journal import Entry, PendingPrint
from sync.domain.witness import Seen
from sync.io.waiting import set_within
from sync.messages import codec
from sync.messages.codec import MalformedMessage

EVERY_S = 1.0
log = structlog.get_logger()


class AnchorFile:
    """Keeps the anchor of a node that runs.

    Args:
        known: as it was read at boot.
        offset: how far central's clock is from the wall clock, as known now.
    """

    def __init__(self, file: Path, known: Anchor | None, offset: Callable[[], timedelta]) -> None:
        self._file = file
        self._anchor = known
        self._offset = offset
        self._written = known
        self._writing = threading.Lock()
        self._changed = asyncio.Event()

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        """These facts are durable."""
        last = entries[-1]
        self._raise(Anchor(epoch=last.header.epoch, seq=last.header.seq, hash=last.hash))

    def restored(self) -> None:
        """The journal is read anew; its next commit tells."""

    def witnessed(self, seen: Seen) -> None:
        """Somebody saw more than the journal has: a restart must not forget it."""
        self._raise(Anchor(epoch=seen[0], seq=seen[1]))

    async def run(self) -> None:
        """Write what changed, until cancelled, and once more then."""
        try:
            while True:
                await set_within(self._changed, None)
                self._changed.clear()
                await asyncio.to_thread(self._save)
                await asyncio.sleep(EVERY_S)
        finally:
            self._save()

    def _raise(self, fresh: Anchor) -> None:
        offset_ms = self._offset() // timedelta(milliseconds=1)
        kept = raised(
            self._anchor, Anchor(epoch=fresh.epoch, seq=fresh.seq, hash=fresh.hash, central_offset_ms=offset_ms)
        )
        if kept != self._anchor:
            self._anchor = kept
            self._changed.set()

    def _save(self) -> None:
        """Write the newest. At the end an earlier write may still be under way in its thread."""
        try:
            with self._writing:
                newest = self._anchor  # read once: it may move on while it is written
                if newest is not None and newest != self._written:
                    write_anchor(self._file, newest)
                    self._written = newest
        except OSError as error:  # an older anchor is a weaker witness, never a wrong one
            log.warning("anchor.not_written", error=str(error))


def read_anchor(file: Path) -> Anchor | None:
    """The anchor; none where there is none, or none that can be read."""
    try:
        return codec.decode(file.read_bytes(), Anchor)
    except FileNotFoundError:
        return None
    except (OSError, MalformedMessage) as error:
        log.warning("anchor.not_read", error=str(error))
        return None


def write_anchor(file: Path, anchor: Anchor) -> None:
    """Replace the file, so that a power cut leaves the old one or the new one."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as out:
        out.write(codec.encode(anchor))
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
