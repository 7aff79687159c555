"""Trials of power cuts: one recording of an office at work, many cuts of it."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import msgspec

from edge_node.database import open_writer
from edge_node.node import EdgeNode, running
from edge_node.settings import Data
from tests.fault.power.recording import LiveDay, Recorder, Synchronous, day_of, recorded
from tests.fault.power.rules import after_cut, choose_cut, choose_fates
from tests.fault.power.verdict import Finding, Promise, examine
from tests.fault.power.workload import Shift
from tests.kit.clock import ManualClock
from tests.kit.edge import prepare, settings

AGAIN = 0.2
"""Share of trials in which power fails a second time, while the node recovers from the first cut."""
SHM_BYTES = 32768


class Recording(NamedTuple):
    """A recorder whose node has ended, and when that was."""

    recorder: Recorder
    ended_at: datetime

    def promise(self, cut: int) -> Promise:
        """What was promised before so many events."""
        told = self.recorder
        return Promise(
            commits=told.commits,
            acked=sum(each.place <= cut for each in told.commits),
            answers=[each for each in told.answers if each.place <= cut],
            days=told.days,
            now=self.ended_at,
        )


class Trial(NamedTuple):
    """One cut and what was found. ``recording`` and ``number`` with the seed make it again, as far as time allows."""

    recording: int
    number: int
    cut: int
    acked: int
    finding: Finding


@asynccontextmanager
async def working(
    recorder: Recorder, clock: ManualClock, synchronous: Synchronous = "FULL", ballast_mib: int = 0
) -> AsyncIterator[EdgeNode]:
    """A node in the recorder's folder, opened as production opens it, whose queue is written down behind each commit."""
    told = msgspec.structs.replace(
        settings(recorder.folder), data=Data(folder=recorder.folder, ballast_mib=ballast_mib)
    )
    async with running(told, clock, opener=recorder.opener(synchronous)) as node:
        state = node.dispatcher.state
        recorder.days[state.tail.seq] = day_of(state.day)  # of what it wrote before anybody could listen
        node.dispatcher.listen(LiveDay(recorder, state))
        yield node


async def record(folder: Path, seed: str, synchronous: Synchronous, steps: int) -> Recording:
    """Let an office be set up, work, stop, start again and work on, until it stops again."""
    recorder, clock, rng = Recorder(folder), ManualClock(), random.Random(seed)
    with recorded(recorder):
        prepare(folder)
        with closing(open_writer(folder / "edge.db")) as connection:
            recorder.committed_work(connection)  # whoever set the office up was told so
        for part in (steps * 2 // 3, steps // 3):
            async with working(recorder, clock, synchronous) as node:
                shift = Shift(node, clock, rng, recorder.answered)
                await shift.begin()
                for _ in range(part):
                    await shift.step()
    return Recording(recorder, clock.now())


async def try_cut(recording: Recording, rng: random.Random, folder: Path) -> tuple[int, Promise, Finding]:
    """Cut the power once, or once more while the node recovers; gives the cut, the promise and what was found.

    ``folder`` is new; what each cut left is in ``first-cut`` and ``second-cut``, as it was before anybody opened it.
    """
    told = recording.recorder
    cut = choose_cut(told.events, [each.place for each in told.commits], rng.random)
    first, promise = folder / "first", recording.promise(cut)
    _lay_out(first, told, cut, rng)
    if rng.random() >= AGAIN:
        return cut, promise, await examine(first, promise)
    recovering = Recorder(first)
    try:
        with recorded(recovering):
            async with working(recovering, ManualClock(promise.now, boot_id="boot-1b")):
                pass
    except Exception as error:
        return cut, promise, Finding(corrupt=(f"does not boot: {error}",))
    second = folder / "second"
    _lay_out(second, recovering, rng.randrange(len(recovering.events) + 1), rng)
    # The recovery's own commits may be there or not; nothing of them was told to anybody.
    then = promise._replace(commits=[*promise.commits, *recovering.commits], days={**promise.days, **recovering.days})
    return cut, promise, await examine(second, then)


async def try_cuts(
    trials: int, seed: int, *, synchronous: Synchronous, steps: int, per_recording: int, keep: Path | None
) -> AsyncIterator[Trial]:
    """Record, cut, judge, over and over.

    Args:
        steps: of work in a recording.
        per_recording: cuts of a recording before another one is made.
        keep: an existing folder for the data folders of trials that lost or damaged something.
    """
    for first in range(0, trials, per_recording):
        nth = first // per_recording
        with tempfile.TemporaryDirectory(prefix="power-") as name:
            office = Path(name) / "office"
            office.mkdir()
            recording = await record(office, f"{seed}/{synchronous}/{nth}", synchronous, steps)
            for number in range(first, min(first + per_recording, trials)):
                rng = random.Random(f"{seed}/{synchronous}/{nth}/{number}")
                folder = Path(name) / str(number)
                cut, promise, finding = await try_cut(recording, rng, folder)
                if keep is not None and (finding.lost or finding.corrupt):
                    shutil.move(folder, keep / f"{synchronous}-{number}")
                yield Trial(nth, number, cut, promise.acked, finding)


def _lay_out(folder: Path, told: Recorder, cut: int, rng: random.Random) -> None:
    """Write what the cut left."""
    folder.mkdir(parents=True)
    events = told.events[:cut]
    for name, content in after_cut(told.base, events, choose_fates(events, rng.random)).items():
        (folder / name).write_bytes(content)
    if rng.random() < 0.5:  # nobody syncs the readers' shared memory: it may hold anything
        (folder / "edge.db-shm").write_bytes(rng.randbytes(SHM_BYTES))
    shutil.copytree(folder, folder.with_name(f"{folder.name}-cut"))
