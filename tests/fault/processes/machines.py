"""What happens to an office's machine: its disk has no room, somebody sets its clock.

A small disk is a tmpfs over the node's data folder, which only root may mount. A clock is set through the file that a node of
tests reads it from: nobody sets the clock of a shared machine.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from provisioning.demo.city import City
from tests.fault.processes.ground import Fault, Ground

DISK_MIB = 96
BALLAST_MIB = 8
FULL_S = 4.0
SEEN_S = 6.0
"""A clock that was set is looked at every five seconds."""
LONGEST_STEP = timedelta(minutes=50)
ZONE = ZoneInfo("Africa/Ceuta")


@contextmanager
def small_disks(folders: Iterable[Path]) -> Iterator[bool]:
    """Put a small disk under each folder; whether that was possible."""
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "office-disk", str(folder)]
            if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
                yield False
                return
            stack.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=False)
        yield True


class Machines:
    """Faults of machines.

    Args:
        has_small_disks: the offices' data folders may be filled.
    """

    def __init__(self, ground: Ground, *, has_small_disks: bool) -> None:
        self._on = ground
        self._has_small_disks = has_small_disks

    def of_offices(self) -> dict[str, Fault]:
        disk = {"disk_full": self._fill_disk} if self._has_small_disks else {}
        return {"clock_set": self._set_clock, **disk}

    async def heal(self, office: str) -> None:
        ahead_file(self._on.city, office).unlink(missing_ok=True)

    async def _fill_disk(self, office: str) -> None:
        """No byte is free for some seconds, also not what the node gives up to make room."""
        folder = self._on.city.places.office(office) / "edge"
        fillers: list[Path] = []
        with self._on.touching(office):
            try:
                for turn in range(int(FULL_S / 0.25)):
                    if free := shutil.disk_usage(folder).free:
                        fillers.append(folder / f"filler-{turn}")
                        _fill(fillers[-1], free)
                    await asyncio.sleep(0.25)
            finally:
                for filler in fillers:
                    filler.unlink()

    async def _set_clock(self, office: str) -> None:
        """Set the clock ahead or back, long enough to be noticed; it stays so. Never over midnight: a day that ends is no fault."""
        file, now = ahead_file(self._on.city, office), datetime.now(ZONE)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        back = min(LONGEST_STEP, (now - midnight) / 2)
        ahead = min(LONGEST_STEP, (midnight + timedelta(days=1) - now) / 2)
        with self._on.touching(office):
            step_s = self._on.rng.uniform(-back.total_seconds(), ahead.total_seconds())
            part = file.with_suffix(".part")
            part.write_text(f"{step_s:.3f}", encoding="ascii")
            part.replace(file)
            await asyncio.sleep(SEEN_S)


def ahead_file(city: City, office: str) -> Path:
    """By how much an office's clock is set; beside its data folder, which may be full."""
    return city.places.office(office) / "clock-ahead"


def prepare(city: City) -> None:
    """Restart the running city's edges so that their clocks can be set and their ballast fits a small disk."""
    for office in city.brokers:
        edge = city.children[f"{office}.edge"]
        edge.more_env |= {
            "VENTANILLA_CLOCK__AHEAD_FILE": str(ahead_file(city, office)),
            "VENTANILLA_DATA__BALLAST_MIB": str(BALLAST_MIB),
        }
        edge.restart()


def _fill(file: Path, size: int) -> None:
    """Take so many bytes; somebody else may have been quicker with some of them."""
    with file.open("wb") as filler:
        while size > 0:
            try:
                os.posix_fallocate(filler.fileno(), 0, size)
            except OSError:
                size //= 2
            else:
                return
