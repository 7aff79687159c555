"""The simulator's command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.simulation.mutants import all_mutants, hunt
from tests.simulation.runs import Summary, minimal, run, share_out
from tests.simulation.swarm import Scenario
from tests.simulation.world import Outcome

SEEDS = 200
SEEDS_OF_A_HUNT = 1000
SHOWN_FAILURES = 3
STORY_LINES = 30

stderr = Console(stderr=True, highlight=False)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run seeds or hunt mutants; the last line of stdout is JSON. Returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.only or ()) - set(all_mutants()))
    if unknown:
        parser.error(f"no mutant is called {', '.join(unknown)}; there are: {', '.join(sorted(all_mutants()))}")
    seeds = range(options.start, options.start + (options.seeds or (SEEDS_OF_A_HUNT if options.mutants else SEEDS)))
    if options.mutants:
        return hunt_mutants(options.only or sorted(all_mutants()), seeds, options.jobs)
    return run_seeds(seeds, options)


def run_seeds(seeds: range, options: argparse.Namespace) -> int:
    """Run the production code on every seed; 1 when an invariant broke."""
    summary = Summary()
    scenarios = [Scenario(seed=seed, steps=options.steps) for seed in seeds]
    with _progress() as progress:
        task = progress.add_task("seeds", total=len(seeds))
        for outcome in share_out(run, scenarios, options.jobs):
            summary.add(outcome)
            progress.advance(task)
    for failed in summary.failed[:SHOWN_FAILURES]:
        stderr.print(f"seed {failed.scenario.seed}: {failed.violated}", style="bold red", markup=False)
        tell(minimal(failed))
    stderr.print(verdict(summary.seeds, [one.scenario.seed for one in summary.failed]), markup=False, soft_wrap=True)
    print(json.dumps(summary.figures(options.jobs)))
    return 1 if summary.failed else 0


def verdict(seeds: int, failed: Sequence[int]) -> str:
    """What a run means, for who watches it; figures follow for programs."""
    if not failed:
        return f"{seeds} {'seed' if seeds == 1 else 'seeds'}, every invariant kept."
    named = ", ".join(map(str, failed))
    return (
        f"{len(failed)} of {seeds} seeds broke an invariant: {named}. See one again: make sim SEEDS=1 START={failed[0]}"
    )


def hunt_mutants(names: Sequence[str], seeds: range, jobs: int) -> int:
    """Plant each bug and run seeds until one finds it; 1 when one survives."""
    found: dict[str, Outcome | None] = {}
    with _progress() as progress:
        task = progress.add_task("mutants", total=len(names))
        for name, outcome in zip(names, share_out(partial(hunt, seeds=seeds), names, jobs), strict=True):
            found[name] = outcome
            progress.advance(task)
    print(
        json.dumps(
            {
                "mutants": len(found),
                "killed": sum(outcome is not None for outcome in found.values()),
                "first_killing_seed": {
                    name: outcome.scenario.seed if outcome else None for name, outcome in found.items()
                },
                "killed_by": {name: outcome.violated if outcome else None for name, outcome in found.items()},
            }
        )
    )
    return 0 if all(found.values()) else 1


def tell(failed: Outcome) -> None:
    """Print how to see a failure again, and the end of its story."""
    scenario = failed.scenario
    stderr.print(f"seed {scenario.seed}, made small: {failed.violated}", style="bold red", markup=False)
    stderr.print(f"smallest found: {scenario.steps} steps under {', '.join(failed.suffered) or 'no fault at all'}")
    for line in failed.story[-STORY_LINES:]:
        stderr.print(f"  {line}", markup=False)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=stderr
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Run the sync protocol's own code in virtual time under faults, and check its invariants.",
        epilog="example: python -m tests.simulation --seeds 200 --start 1",
    )
    parser.add_argument(
        "--seeds", type=int, help=f"how many seeds (default {SEEDS}; mutants: at most so many each, {SEEDS_OF_A_HUNT})"
    )
    parser.add_argument("--start", type=int, default=1, help="the first seed")
    parser.add_argument("--steps", type=int, default=250, help="steps of a run before the faults end")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--mutants", action="store_true", help="plant bugs and see that each is found")
    parser.add_argument(
        "--only", nargs="*", metavar="NAME", help="only these mutants; an unknown name lists all of them"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
