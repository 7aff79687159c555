"""Snapshots as files, so that a slow line can go on where it was cut: one file per office, the one it asked for last.

A snapshot's id is its request's, and its proof covers the id; so asking again with the same id is asking for the same bytes. The
entity tag is their SHA-256. Files live as long as the process, in a folder of its own, and at most ``MOST`` of them.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import re
import shutil
import tempfile
from collections import OrderedDict, defaultdict
from pathlib import Path
from typing import IO

import msgspec
import structlog

from central.exchange import metrics
from sync.messages.wire import SnapshotRequest
from sync.protocol.snapshot import write_snapshot
from sync.protocol.store import CentralStore

log = structlog.get_logger(__name__)

MOST = 64
AT_ONCE = 4
"""How many snapshots are made at once."""

_FROM = re.compile(r"bytes=(\d{1,15})-")


class SnapshotFile(msgspec.Struct, frozen=True, kw_only=True):
    """A whole snapshot, packed."""

    request_id: str
    path: Path
    etag: str
    size: int

    def open(self, start: int) -> IO[bytes]:
        """Its bytes from ``start`` on; they can be read to the end also when a newer snapshot has taken the file's place."""
        file = self.path.open("rb")
        file.seek(start)
        return file


class SnapshotFiles:
    """Makes and keeps them."""

    def __init__(self, store: CentralStore) -> None:
        self._store = store
        self._folder = Path(tempfile.mkdtemp(prefix="ventanilla-snapshots-"))
        self._files: OrderedDict[str, SnapshotFile] = OrderedDict()
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._at_once = asyncio.Semaphore(AT_ONCE)

    async def get(self, request: SnapshotRequest) -> SnapshotFile:
        """The snapshot of this request; made now unless it is there."""
        async with self._making[request.office]:
            known = self._files.get(request.office)
            if known is None or known.request_id != request.request_id:
                async with self._at_once:
                    known = await self._make(request)
                self._keep(request.office, known)
        return known

    def close(self) -> None:
        """Delete all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _make(self, request: SnapshotRequest) -> SnapshotFile:
        path = self._folder / f"{request.office}-{request.request_id}.ndjson.gz"
        try:
            with path.open("wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
                manifest = await write_snapshot(self._store, request, packed.write)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        with path.open("rb") as whole:
            digest = hashlib.file_digest(whole, "sha256").hexdigest()
        made = SnapshotFile(request_id=request.request_id, path=path, etag=f'"{digest}"', size=path.stat().st_size)
        metrics.SNAPSHOTS.labels(request.office).inc()
        log.info("snapshot.made", office=request.office, entities=sum(manifest.counts.values()), bytes=made.size)
        return made

    def _keep(self, office: str, made: SnapshotFile) -> None:
        if (before := self._files.pop(office, None)) is not None:
            before.path.unlink(missing_ok=True)
        self._files[office] = made
        while len(self._files) > MOST:
            _, oldest = self._files.popitem(last=False)
            oldest.path.unlink(missing_ok=True)


def start_of(asked: str | None, condition: str | None, file: SnapshotFile) -> int | None:
    """Where an answer begins: 0 is all of it, None is behind its end (416). A part of other bytes is never continued.

    Args:
        asked: the ``Range`` header; only "from here to the end" is understood, anything else is all of it.
        condition: the ``If-Range`` header.

    Source: RFC 9110, 14.2 and 13.1.5.
    """
    found = _FROM.fullmatch(asked.strip()) if asked else None
    if found is None or condition != file.etag:
        return 0
    start = int(found.group(1))
    return start if start < file.size else None
