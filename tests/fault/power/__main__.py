"""``python -m tests.fault.power``: cuts the power under an edge node, and fills its disk; the last line is one JSON object.

The edge's own code works on real files through the interpreter's own SQLite while every file operation is recorded. Each trial
cuts the recording at some place, leaves of what no fsync covers what a disk may leave, boots the node from that and judges.
With the production setting (``synchronous=FULL``) nothing acknowledged may be lost and nothing damaged; NORMAL and OFF are there
to show that this can be seen. Exit 1 if production lost or damaged anything, did not go on after a full disk, or if a weaker
setting looked as good.

A seed fixes the office's work and the cuts' dice; threads and ids differ from run to run, so figures do so a little.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from tests.fault.power import cuts, no_room
from tests.fault.power.recording import Synchronous
from tests.fault.power.workload import light_passwords

STEPS = 200
"""Of work in a recording: long enough for SQLite to checkpoint and begin its log anew several times."""
PER_RECORDING = 50
TELL_EVERY_S = 5.0
CUT_FIGURES = ("trials", "acked_commits", "lost", "lost_answers", "trials_with_loss", "corrupt", "noticed")
FULL_FIGURES = (
    *("trials", "hit", "acked_commits", "lost", "lost_answers", "corrupt"),
    *("refused", "answered_while_full", "unclear", "stuck"),
)
SETTINGS: tuple[Synchronous, ...] = ("FULL", "NORMAL", "OFF")


class Progress:
    """Says now and then how far a kind of trial is."""

    def __init__(self, what: str, trials: int) -> None:
        self._what, self._trials, self._done = what, trials, 0
        self._told_s = time.monotonic()

    def one(self, problems: Iterable[str]) -> None:
        self._done += 1
        for problem in problems:
            tell(f"  ! {self._what} trial {self._done - 1}: {problem.splitlines()[0]}")
        if time.monotonic() - self._told_s >= TELL_EVERY_S or self._done == self._trials:
            self._told_s = time.monotonic()
            tell(f"  {self._what}: {self._done} of {self._trials}")


def tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


async def cut_power(
    trials: int, seed: int, synchronous: Synchronous, *, steps: int = STEPS, keep: Path | None = None
) -> dict[str, Any]:
    """Figures of a setting. Commits are counted in ``acked_commits`` and ``lost``, answers in ``lost_answers``, trials in the
    rest: ``corrupt`` ones, and those in which the node itself ``noticed`` that its journal was too short.
    """
    line = dict.fromkeys(CUT_FIGURES, 0)
    progress = Progress(f"synchronous={synchronous}", trials)
    async for trial in cuts.try_cuts(
        trials, seed, synchronous=synchronous, steps=steps, per_recording=PER_RECORDING, keep=keep
    ):
        found = trial.finding
        line["trials"] += 1
        line["acked_commits"] += trial.acked
        line["lost"] += found.lost
        line["lost_answers"] += found.lost_answers
        line["trials_with_loss"] += bool(found.lost or found.lost_answers)
        line["corrupt"] += bool(found.corrupt)
        line["noticed"] += found.noticed
        loss = [f"{found.lost} of {trial.acked} commits lost at event {trial.cut}"] if found.lost else []
        progress.one([*found.corrupt, *loss] if synchronous == "FULL" else [])
    return line


async def fill_disk(trials: int, seed: int) -> dict[str, Any]:
    """Figures of full disks. Commits are counted in ``acked_commits`` and ``lost``, answers in ``lost_answers``, ``refused`` and
    ``answered_while_full``, trials in the rest: ``hit`` ones in which the disk was full at some write, ``unclear`` ones in which
    something else came than an answer, ``stuck`` ones that did not go on with room.
    """
    line = dict.fromkeys(FULL_FIGURES, 0)
    progress = Progress("disk full", trials)
    async for trial in no_room.try_full_disks(trials, seed):
        found = trial.finding
        line["trials"] += 1
        line["hit"] += trial.hit
        line["acked_commits"] += trial.acked
        line["lost"] += found.lost
        line["lost_answers"] += found.lost_answers
        line["corrupt"] += bool(found.corrupt)
        line["refused"] += trial.refused
        line["answered_while_full"] += trial.answered_while_full
        line["unclear"] += bool(trial.unclear)
        line["stuck"] += bool(trial.stuck)
        progress.one([*trial.unclear, *trial.stuck, *found.corrupt])
    return line


def failures(line: dict[str, Any]) -> list[str]:
    """What in the figures must not be; empty: all is well."""
    wrong = [
        f"{part}.{name} is {line[part][name]}"
        for part, names in (
            ("full", ("lost", "lost_answers", "corrupt", "noticed")),
            ("disk_full", ("lost", "lost_answers", "corrupt", "unclear", "stuck")),
        )
        for name in names
        if line[part][name]
    ]
    if not line["disk_full"]["answered_while_full"]:
        wrong.append("on a full disk nobody was served out of the ballast")
    if not line["normal"]["lost"]:
        wrong.append("synchronous=NORMAL lost nothing: these trials prove nothing")
    if not line["off"]["corrupt"]:
        wrong.append("synchronous=OFF damaged nothing: these trials prove nothing")
    return wrong


async def run(options: argparse.Namespace) -> dict[str, Any]:
    with light_passwords():
        parts = {
            setting.lower(): await cut_power(options.trials, options.seed, setting, keep=options.keep)
            for setting in SETTINGS
        }
        parts["disk_full"] = await fill_disk(options.trials, options.seed)
    production = {name: parts["full"][name] for name in ("trials", "acked_commits", "lost", "corrupt")}
    return {**production, "seed": options.seed, **parts}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fault.power",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Example: python -m tests.fault.power --trials 500 --seed 7 --keep /tmp/bad",
    )
    parser.add_argument("--trials", type=int, default=100, help="of each kind (default 100: about a minute)")
    parser.add_argument("--seed", type=int, default=1, help="of the office's work and of the cuts")
    parser.add_argument(
        "--keep", type=Path, help="a folder for the data folders of trials that lost or damaged something"
    )
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
    )  # nodes tell of each fault
    line = asyncio.run(run(options))
    wrong = failures(line)
    for problem in wrong:
        tell(f"  ! {problem}")
    print(json.dumps(line))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
