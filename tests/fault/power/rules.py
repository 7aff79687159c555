"""What a power cut may leave of what was written to a folder. Pure.

A file is kept twice: as programs see it (the page cache) and as the disk has it. A write changes the first; each sector of it
then reaches the disk at once or not at all, and what a sector brings along is the cache's content of that moment. So a sector
holds one of its versions, sectors are torn apart and overtake each other, and an older version never beats a newer one that
has arrived. fsync makes both sides equal. Names (created, deleted, renamed) are the folder's content and go the same way, with
the folder's own fsync. A truncation that did not arrive holds back what was written to the file after it: those blocks hang on
metadata that is not there.

SQLite rests on one promise more (its "powersafe overwrite"): a write does not harm bytes outside it, so a sector is never
rubbish. Disks that break it are not modelled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

SECTOR: Final = 512
"""Bytes that reach a disk together."""


class Write(NamedTuple):
    """Bytes into a file; ``inode`` numbers files, whatever they are called."""

    inode: int
    offset: int
    data: bytes


class Truncate(NamedTuple):
    """A file is cut to ``size`` bytes."""

    inode: int
    size: int


class Sync(NamedTuple):
    """fsync of a file has come back."""

    inode: int


class Create(NamedTuple):
    """A new, empty file."""

    name: str
    inode: int


class Delete(NamedTuple):
    """A name is gone; the file may still be open."""

    name: str


class Rename(NamedTuple):
    """A file takes the place of another one."""

    name: str
    to: str


class SyncFolder(NamedTuple):
    """fsync of the folder: its names are on the disk."""


Event = Write | Truncate | Sync | Create | Delete | Rename | SyncFolder


class Fate(NamedTuple):
    """What became of an event that no fsync covers.

    Args:
        sectors: for each sector of a write whether it arrived; for anything else one value.
        grown: the file has its new length also where the content did not arrive (zeros stand there).
    """

    sectors: tuple[bool, ...]
    grown: bool = False


class Weather(NamedTuple):
    """How hard a cut hits one file, or the folder's names. Shares from 0 to 1.

    Args:
        kept: of the events, how many arrive.
        torn: of the writes, how many are judged sector by sector instead of as a whole.
        upto: nothing behind this share of the events arrives: with ``kept`` 1, a clean cut in time.
    """

    kept: float
    torn: float
    upto: float = 1.0


WEATHERS: Final = (
    Weather(kept=0.0, torn=0.0),
    Weather(kept=1.0, torn=0.0),
    Weather(kept=0.5, torn=0.1),
    Weather(kept=0.9, torn=0.3),
    Weather(kept=0.1, torn=0.1),
    Weather(kept=1.0, torn=0.0, upto=0.5),
    Weather(kept=0.9, torn=0.1, upto=0.8),
)
GROWN: Final = 0.25
FOLDER: Final = -1
"""Stands for the folder where an inode would stand."""
Draw = Callable[[], float]
"""The next random number in [0, 1)."""


def exposed(events: Sequence[Event]) -> list[int]:
    """Which events no fsync covers: places in ``events``, in order."""
    safe: set[int] = set()
    open_to_loss: list[int] = []
    for place in range(len(events) - 1, -1, -1):
        event = events[place]
        if isinstance(event, (Sync, SyncFolder)):
            safe.add(where(event))
        elif where(event) not in safe:
            open_to_loss.append(place)
    return open_to_loss[::-1]


def where(event: Event) -> int:
    """The file that an event changes, or ``FOLDER``."""
    return event.inode if isinstance(event, (Write, Truncate, Sync)) else FOLDER


def choose_fates(events: Sequence[Event], draw: Draw) -> dict[int, Fate]:
    """Decide what a cut behind the last event leaves of those that no fsync covers, by their place.

    Each file, and the folder, has a weather of its own: one may be whole where another has lost everything.
    """
    by_place: dict[int, list[int]] = {}
    for place in exposed(events):
        by_place.setdefault(where(events[place]), []).append(place)
    fates: dict[int, Fate] = {}
    for places in by_place.values():
        weather = WEATHERS[int(draw() * len(WEATHERS))]
        last = weather.upto * len(places)
        for nth, place in enumerate(places):
            fates[place] = _fate(events[place], weather, draw) if nth < last else _lost(events[place])
    return fates


def after_cut(base: Mapping[str, bytes], events: Sequence[Event], fates: Mapping[int, Fate]) -> dict[str, bytes]:
    """The folder as it is found when power is back: content by name.

    Args:
        base: the folder before the first event, all of it on the disk; its files are inodes 0, 1, … in order of name.
        fates: of the events that did not wholly arrive, by their place in ``events``.
    """
    names = Names({name: inode for inode, name in enumerate(sorted(base))})
    files = {inode: File(base[name]) for inode, name in enumerate(sorted(base))}
    for place, event in enumerate(events):
        fate = fates.get(place)
        match event:
            case Write():
                files[event.inode].write(event, fate)
            case Truncate():
                files[event.inode].truncate(event.size, arrives=fate is None or fate.sectors[0])
            case Sync():
                files[event.inode].sync()
            case Create() | Delete() | Rename() | SyncFolder():
                if isinstance(event, Create):
                    files[event.inode] = File(b"")
                names.apply(event, arrives=fate is None or fate.sectors[0])
    return {name: bytes(files[inode].disk) for name, inode in names.disk.items()}


def sectors_of(event: Write) -> range:
    """Numbers of the sectors that a write touches."""
    return range(event.offset // SECTOR, -(-(event.offset + len(event.data)) // SECTOR))


class File:
    """One file, as programs see it and as the disk has it."""

    def __init__(self, content: bytes) -> None:
        self._cache = bytearray(content)
        self.disk = bytearray(content)
        self._held_back = False

    def write(self, event: Write, fate: Fate | None) -> None:
        """Change the cache; let those sectors reach the disk that ``fate`` says (none: all)."""
        end = event.offset + len(event.data)
        _grow(self._cache, end)
        self._cache[event.offset : end] = event.data
        if fate is None:  # covered by an fsync: up to it both sides are equal, so the bytes alone do
            _grow(self.disk, end)
            self.disk[event.offset : end] = event.data
            return
        if self._held_back:
            return
        for nth, sector in enumerate(sectors_of(event)):
            if fate.sectors[nth]:
                self._arrive(sector)
        if fate.grown:
            _grow(self.disk, end)

    def truncate(self, size: int, *, arrives: bool) -> None:
        """Cut the cache; the disk too, unless that was lost."""
        shrinks = size < len(self._cache)
        del self._cache[size:]
        if shrinks and not arrives:
            self._held_back = True
        elif not self._held_back:
            del self.disk[size:]

    def sync(self) -> None:
        """Both sides are equal."""
        self.disk[:] = self._cache
        self._held_back = False

    def _arrive(self, sector: int) -> None:
        start = sector * SECTOR
        content = self._cache[start : start + SECTOR]
        _grow(self.disk, start + len(content))
        self.disk[start : start + len(content)] = content


class Names:
    """The names in a folder, as programs see them and as the disk has them; the value is the file's inode."""

    def __init__(self, names: Mapping[str, int]) -> None:
        self._cache = dict(names)
        self.disk = dict(names)

    def apply(self, event: Create | Delete | Rename | SyncFolder, *, arrives: bool) -> None:
        """Change the names; each name's present meaning reaches the disk when ``arrives``."""
        touched: tuple[str, ...] = ()
        match event:
            case Create():
                self._cache[event.name] = event.inode
                touched = (event.name,)
            case Delete():
                self._cache.pop(event.name, None)
                touched = (event.name,)
            case Rename():
                self._cache[event.to] = self._cache.pop(event.name)
                touched = (event.name, event.to)
            case SyncFolder():
                touched = tuple(self._cache.keys() | self.disk.keys())
        for name in touched if arrives else ():
            if name in self._cache:
                self.disk[name] = self._cache[name]
            else:
                self.disk.pop(name, None)


def _fate(event: Event, weather: Weather, draw: Draw) -> Fate:
    count = len(sectors_of(event)) if isinstance(event, Write) else 1
    if count > 1 and draw() < weather.torn:
        return Fate(tuple(draw() < 0.5 for _ in range(count)), grown=draw() < GROWN)
    return Fate((draw() < weather.kept,) * count, grown=draw() < GROWN)


def _lost(event: Event) -> Fate:
    return Fate((False,) * (len(sectors_of(event)) if isinstance(event, Write) else 1))


def _grow(content: bytearray, size: int) -> None:
    if len(content) < size:
        content.extend(bytes(size - len(content)))


def choose_cut(events: Sequence[Event], acked_at: Sequence[int], draw: Draw) -> int:
    """Where the power goes: behind how many events.

    A third right behind an acknowledgement, where most is to lose; a third beside what is not a write (a sync, a truncation, a
    name), where order matters; a third anywhere.

    Args:
        acked_at: places behind which a commit was acknowledged.
    """
    kind = draw()
    if kind < 1 / 3 and acked_at:
        return acked_at[int(draw() * len(acked_at))]
    turns = [place for place, event in enumerate(events) if not isinstance(event, Write)]
    if kind < 2 / 3 and turns:
        return min(len(events), turns[int(draw() * len(turns))] + int(draw() * 3))
    return int(draw() * (len(events) + 1))
