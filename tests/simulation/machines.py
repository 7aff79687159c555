"""Faults of machines and calendars: processes that stop and go on, disks that refuse, tasks that are cancelled, clocks that
drift, jump by years or meet an odd day, links that flap, builds that are older than central's.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from sync.messages.feed import Lease, TicketClosed, TicketGrant
from tests.kit.facts import MORNING
from tests.kit.memory import CommitFault
from tests.simulation.central import CentralNode
from tests.simulation.clockwork import Clockwork
from tests.simulation.office import OfficeNode
from tests.simulation.swarm import Chances, Swarm

TEN_YEARS_MS = 3652 * 86_400_000
DST_DAYS = (datetime(2026, 10, 25, 0, 56, tzinfo=UTC), datetime(2026, 3, 29, 0, 56, tzinfo=UTC))
"""Four minutes before the city's clocks change. A run is one service day; its turn is tested in tests/integration/edge/test_queue_days.py."""
LEAP_DAYS = (datetime(2028, 2, 29, 8, 0, tzinfo=UTC),)
OLDER_BUILDS = (frozenset({Lease.KIND}), frozenset({TicketGrant.KIND, TicketClosed.KIND}))
"""What a build does not know: leases, or handovers."""
IN_A_STEP = (
    *("pause_edge", "pause_central", "edge_io_error", "edge_no_room", "central_abort", "cancelled_step"),
    *("cancelled_request", "clock_step_years", "flapping", "outdated"),
)
IO_ERRORS: tuple[CommitFault, ...] = ("io_error", "io_error_late")
UPGRADED = 0.03
"""How often, per step, an office of an older build is upgraded."""


class Machines:
    """Draws these faults, by chance of their own, and does them.

    Args:
        clockwork: of the run; its first day is chosen here.
    """

    def __init__(self, clockwork: Clockwork, swarm: Swarm, counted: Counter[str]) -> None:
        self._clockwork = clockwork
        self._rng = clockwork.fork("machines")
        self._swarm = swarm
        self._counted = counted
        self._chances = Chances(self._rng, swarm.of(IN_A_STEP))
        clockwork.began_at = self._first_day()

    def _first_day(self) -> datetime:
        steps_by_hours = self._swarm.rate("clock_step") > 0  # which could turn the service day of such a night
        for fault, days in (("dst_day", DST_DAYS), ("leap_day", LEAP_DAYS)):
            if self._happens(fault) and not (fault == "dst_day" and steps_by_hours):
                self._counted[fault] += 1
                return self._rng.choice(days)
        return MORNING

    def drift_ppm(self) -> int:
        """How fast the clocks of a new machine run."""
        drift_ppm = self._rng.choice((-500, -200, 200, 500)) if self._swarm.rate("clock_drift") else 0
        self._counted["clock_drift"] += drift_ppm != 0
        return drift_ppm

    def lacks(self) -> frozenset[str]:
        """The kinds of rows that a new node's build does not know."""
        if not self._happens("older_build"):
            return frozenset()
        self._counted["older_build"] += 1
        return self._rng.choice(OLDER_BUILDS)

    def hurt(self, node: OfficeNode, central: CentralNode) -> None:
        """Do what chance wants in this step."""
        for fault in self._chances.happening():
            self._hurt(fault, node, central)
        if (node.lacks or node.is_outdated) and self._rng.random() < UPGRADED:
            node.upgrade()

    def _hurt(self, fault: str, node: OfficeNode, central: CentralNode) -> None:
        """Tasks that are cancelled: at the edge a step runs on the writer's thread to its end and only who waits for it is cancelled;
        at central the step itself is, at any of its awaits. Both are counted when they are.
        """
        match fault:
            case "pause_edge" if node.up:
                node.pause(self._rng.choice((5_000, 60_000, 300_000)))
            case "pause_central" if central.up:
                central.pause(self._rng.choice((5_000, 30_000, 120_000)))
            case "edge_io_error":
                node.store.fail_next = self._rng.choice(IO_ERRORS)
            case "edge_no_room":
                node.store.fail_next = "no_room"
                self._clockwork.after(self._rng.choice((10_000, 60_000)), node.room_again)
            case "central_abort":
                central.store.fail_next = "aborted"
            case "cancelled_step":
                node.cancel_next = True
                return
            case "cancelled_request":
                central.store.cancel_in = self._rng.randint(0, 12)
                return
            case "clock_step_years":
                self._step_by_years(node)
            case "flapping" if not node.link.blocked:
                self._flap(node, self._rng.randint(3, 20))
            case "outdated" if node.up:
                node.is_outdated = True
                node.crash()
            case _:
                return
        self._counted[fault] += 1

    def _step_by_years(self, node: OfficeNode) -> None:
        """A clock is set ten years off, and put right again a while later: nobody looks at such a date for long."""
        step_ms = self._rng.choice((-TEN_YEARS_MS, TEN_YEARS_MS))
        node.wall.skew_ms += step_ms
        node.years_off_ms += step_ms
        self._clockwork.after(self._rng.randint(5_000, 300_000), node.put_years_right)

    def _flap(self, node: OfficeNode, times: int) -> None:
        """The link goes and comes every second or so."""
        node.link.blocked = frozenset() if node.link.blocked else frozenset({"up", "down"})
        if times:
            self._clockwork.after(self._rng.randint(200, 2_500), lambda: self._flap(node, times - 1))
        else:
            node.link.blocked = frozenset()

    def _happens(self, fault: str) -> bool:
        rate = self._swarm.rates.get(fault)
        return rate is not None and self._rng.random() < rate
