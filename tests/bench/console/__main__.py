"""The console under a peak day: one office, a city, a race for *next*, and the limits beside them.

    python -m tests.bench.console [--quick] [--counters 30] [--nodes 40] [--staff 1000] [--seconds 60] [--part office ...]

Servers are processes as they are deployed; the load generator is a process of its own. Every console is a browser's worth of
HTTP: forms as the page's script sends them and the merged page that comes back, JSON commands, one event stream, and for what
others do the look that follows an event after the script's own 80 ms of calm. Office: a peak day at sixty times its pace.
City: a peak hour at its own pace (``--city-rate`` for faster). Afterwards each office's journal is judged from outside.

Latencies are of one monotonic clock, in milliseconds, on whatever else this machine does: read the ratios g6 to g10, which have
their limits from the same run. The last line is JSON; its plain names are those of the city, or of the only part that was
run. Exit 1 when anybody was called twice, passed over or out of order.
"""

from __future__ import annotations

import logging
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
import structlog

from tests.bench.console import ratios
from tests.bench.console.city import city_run
from tests.bench.console.plan import Json
from tests.bench.console.race import simultaneous_next
from tests.bench.console.runs import office_run
from tests.bench.console.summary import summary

PARTS = ("office", "city", "race", "limits")


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much is done."""

    counters: int
    bookings: int
    nodes: int
    staff: int
    seconds: float
    rounds: int
    presses: int
    effort: ratios.Effort


QUICK = Size(
    counters=3, bookings=6, nodes=2, staff=4, seconds=4, rounds=2, presses=50,
    effort=ratios.Effort(rounds=1, seconds=0.3, acts=4, displays=5, streams=5),
)  # fmt: skip


@click.command(epilog="Example: python -m tests.bench.console --seconds 120 --part office --part race")
@click.option(
    "--quick", is_flag=True, help="Tiny numbers, to see that the bench itself works. Its figures mean nothing."
)
@click.option("--counters", default=30, show_default=True, help="Counters of the one office.")
@click.option("--bookings", default=120, show_default=True, help="Appointments in its agenda.")
@click.option("--rate", default=60.0, show_default=True, help="Its clock's pace.")
@click.option("--nodes", default=40, show_default=True, help="Offices of the city.")
@click.option("--staff", default=1000, show_default=True, help="Consoles of the city, shared out among its offices.")
@click.option("--city-rate", default=1.0, show_default=True, help="The city's clocks' pace.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of office and city, each.")
@click.option("--rounds", default=200, show_default=True, help="Rounds of five hundred simultaneous nexts.")
@click.option("--limit-rounds", default=3, show_default=True, help="Interleaved rounds of the limits.")
@click.option("--part", "parts", multiple=True, type=click.Choice(PARTS), help="Only these; repeatable.")
@click.option("--dir", "folder", type=click.Path(path_type=Path), help="Where the data stands (a disk to measure).")
def main(
    *, quick: bool, rate: float, city_rate: float, parts: tuple[str, ...], folder: Path | None, **numbers: Any
) -> None:
    """Measure the console as clerks have it."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: what was started is stopped on the way out
    limit_rounds = numbers.pop("limit_rounds")
    size = QUICK if quick else Size(presses=500, effort=ratios.Effort(rounds=limit_rounds), **numbers)
    found: dict[str, Json] = {}
    for part in parts or PARTS:
        with tempfile.TemporaryDirectory(dir=folder, prefix="console-") as base:
            tell(f"part: {part}")
            found[part] = _work(part, size, rate, rate if quick else city_rate)(Path(base))
            if part != "limits":
                tell(f"{part}: {msgspec.json.encode(found[part]).decode()}")
    line = summary(found)
    print(msgspec.json.encode(line).decode())
    sys.exit(any(line.get(name) for name in ("double_calls", "skipped", "order_violations")))


def _work(part: str, size: Size, rate: float, city_rate: float) -> Callable[[Path], Json]:
    match part:
        case "office":
            return lambda folder: office_run(
                folder, counters=size.counters, bookings=size.bookings, seconds=size.seconds, rate=rate, tell=tell
            )
        case "city":
            return lambda folder: city_run(
                folder, nodes=size.nodes, staff=size.staff, seconds=size.seconds, rate=city_rate, tell=tell
            )
        case "race":
            return lambda folder: simultaneous_next(folder, rounds=size.rounds, presses=size.presses, tell=tell)
        case _:
            return lambda folder: ratios.measure(folder, size.effort, tell)


def tell(text: str) -> None:
    """Progress, for people."""
    click.echo(f"· {text}", err=True)


if __name__ == "__main__":
    main()
