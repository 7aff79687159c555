"""One run: the load generator beside running nodes, their memory meanwhile, the journals afterwards."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

from provisioning.launchers.process import Child, StartFailed
from tests.bench.console.figures import figures_of
from tests.bench.console.judge import judge, read_journal
from tests.bench.console.nodes import Node, office_rows, one_node, todays_appointments
from tests.bench.console.plan import Booking, Json, Office, Plan, read_recorded, write
from tests.kit.edge import OFFICE

SPREAD_S = 12 * 60
"""People with an appointment come up to so many seconds of the office's clock before or after it."""
GIVES_UP_S = 600.0
Tell = Callable[[str], None]


def office_run(folder: Path, *, counters: int, bookings: int, seconds: float, rate: float, tell: Tell) -> Json:
    """Part one: a peak day of one office at ``rate``."""
    warm_up_s = min(5.0, seconds / 4)
    appointments = todays_appointments(bookings, timedelta(seconds=(seconds + warm_up_s) * rate))
    rows = office_rows(OFFICE, counters, appointments)
    with one_node(folder, rate, rows) as node:
        comes = tuple(
            Booking(row.id, max(0.0, (n / max(bookings, 1) * (seconds + warm_up_s)) + _early(n) / rate))
            for n, row in enumerate(appointments)
        )
        office = Office(office=OFFICE, port=node.port, counters=counters, bookings=comes)
        plan = Plan(offices=(office,), seconds=seconds, warm_up_s=warm_up_s, rate=rate)
        return run(folder, plan, [node], tell)


def run(folder: Path, plan: Plan, nodes: Sequence[Node], tell: Tell) -> Json:
    """Let the load work at running nodes, then stop them and judge.

    Raises:
        StartFailed: the generator gave up.
    """
    told, recorded = folder / "plan.json", folder / "recorded.json"
    write(told, plan)
    command: list[str | Path] = [sys.executable, "-m", "tests.bench.console.load", told, recorded]
    load = Child("load", command, log=folder / "load.log", dies_with_us=True)
    memory: dict[str, float] = {}
    try:
        load.launch()
        end = time.monotonic() + plan.seconds + plan.warm_up_s + GIVES_UP_S
        while load.is_running and time.monotonic() < end:
            time.sleep(1)
            for node in nodes:
                memory[node.office] = max(memory.get(node.office, 0.0), node.memory_mb)
    finally:
        load.stop()
    if load.exit_code != 0:
        raise StartFailed("the load generator", f"exited {load.exit_code}", load.log)
    for node in nodes:
        node.child.ask_to_stop()
    for node in nodes:
        node.child.wait_stopped()
        tell(f"{node.office}: {memory.get(node.office)} MB")
    verdicts = {node.office: judge(read_journal(node.folder / "edge.db")) for node in nodes}
    for fault in [fault for verdict in verdicts.values() for fault in verdict.faults][:20]:
        tell(f"WRONG {fault}")
    return figures_of(plan, read_recorded(recorded), verdicts, memory)


def _early(number: int) -> float:
    """How much later than their time somebody comes, in seconds of the office's clock; most come a little early."""
    return ((number * 7919) % 1000 / 1000 - 0.7) * SPREAD_S
