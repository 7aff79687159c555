"""One run: three offices and central, a script of steps under a swarm of faults, then heal, then the final checks."""

from __future__ import annotations

from collections import Counter
from functools import partial

import msgspec

from sync.messages.feed import GLOBAL, office_stream
from tests.kit.lossy_link import Direction, LossyLink
from tests.simulation.central import CentralNode
from tests.simulation.clockwork import Clockwork
from tests.simulation.invariants import CONVERGED_WITHIN_MS, Ledger, Violated, check_effects, disagreements
from tests.simulation.office import OfficeNode, WatchedEdgeStore
from tests.simulation.stories import CentralStory
from tests.simulation.swarm import Scenario, Swarm, draw

OFFICES = ("centro", "real", "victoria")
MEAN_STEP_MS = 3_000


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What one run was. ``story`` is the end of its trace when an invariant broke, ``suffered`` the faults it drew."""

    scenario: Scenario
    suffered: tuple[str, ...]
    trace_hash: str
    virtual_ms: int
    happened: int
    counted: dict[str, int]
    converged_ms: int | None
    violated: str | None = None
    kind: str | None = None
    story: tuple[str, ...] = ()


class World:
    """The parts, wired by lossy links. Mutants replace the node classes."""

    office_type = OfficeNode
    central_type = CentralNode

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clockwork = Clockwork(scenario.seed)
        self.counted: Counter[str] = Counter()
        self.ledger = Ledger()
        self._rng = self.clockwork.fork("script")
        self.swarm: Swarm = draw(self.clockwork.fork("swarm"), scenario.without)
        self.central = self.central_type(self.clockwork, self.ledger, OFFICES, self.counted)
        self.offices = {office: self._office(office) for office in OFFICES}
        self.bookings = CentralStory(self.clockwork.fork("bookings"), OFFICES)

    def _office(self, office: str) -> OfficeNode:
        link = LossyLink(self.clockwork.fork(f"link/{office}"), self.swarm.link(), self.counted)
        store = WatchedEdgeStore(office, self.ledger, self.central.store)
        node = self.office_type(office, self.clockwork, store, link, self.counted)
        node.cut_rate = self.swarm.rate("cut_snapshot")
        node.send = partial(self._to_central, node)
        return node

    # messages

    def _to_central(self, node: OfficeNode, kind: str, body: bytes) -> None:
        self._carry(node, "up", kind, body)

    def _carry(self, node: OfficeNode, direction: Direction, kind: str, body: bytes) -> None:
        arrivals = node.link.carry(direction)
        self.counted["bytes"] += len(body) * len(arrivals)
        for delay_ms in arrivals:
            self.clockwork.after(delay_ms, partial(self._arrive, node, direction, kind, body))

    def _arrive(self, node: OfficeNode, direction: Direction, kind: str, body: bytes) -> None:
        self.clockwork.trace(f"{node.office} {'->' if direction == 'up' else '<-'} central {kind} {len(body)}")
        if direction == "down":
            node.receive(kind, body)
        else:
            self.central.handle(kind, body, partial(self._carry, node, "down"))

    # the script

    def run(self) -> Outcome:
        """Run to the end. A broken invariant ends the run and is part of the outcome."""
        try:
            for _ in range(self.scenario.steps):
                self.clockwork.run_until(self.clockwork.now_ms + int(self._rng.expovariate(1 / MEAN_STEP_MS)))
                self._step()
            converged_ms = self._heal_and_converge()
        except Violated as violated:
            self.clockwork.trace(str(violated))
            return self._outcome(None, violated)
        return self._outcome(converged_ms, None)

    def _step(self) -> None:
        self._faults()
        chance = self._rng.random()
        if chance < 0.6:
            self.offices[self._rng.choice(OFFICES)].write_facts()
        else:
            rows = self.bookings.changes(self.clockwork.now_ms)
            self.counted["rows"] += len(rows)
            lose = self._rng.random() < 4 * self.swarm.rate("failover")
            self.central.write_rows(rows, self._rng.randint(100, 3_000) if lose else 0)

    def _faults(self) -> None:
        office = self.offices[self._rng.choice(OFFICES)]
        for fault in ("before_commit", "after_commit"):
            if self._happens(f"edge_crash_{fault}"):
                office.store.crash_next = "before_commit" if fault == "before_commit" else "after_commit"
            if self._happens(f"central_crash_{fault}"):
                self.central.store.crash_next = "before_commit" if fault == "before_commit" else "after_commit"
        if self._happens("partition_full"):
            self._partition(office, frozenset({"up", "down"}), "partition_full")
        if self._happens("partition_one_way"):
            self._partition(office, frozenset({self._rng.choice(("up", "down"))}), "partition_one_way")
        if self._happens("prune"):
            stream = self._rng.choice((GLOBAL, office_stream(office.office)))
            self.central.prune(stream, self._rng.randint(0, 3))

    def _partition(self, office: OfficeNode, directions: frozenset[Direction], fault: str) -> None:
        if office.link.blocked:
            return
        self.counted[fault] += 1
        self.clockwork.trace(f"{office.office} {fault} {sorted(directions)}")
        office.link.blocked = directions
        lasts_ms = int(self._rng.choice((5_000, 30_000, 180_000)) * self._rng.random())
        self.clockwork.after(lasts_ms, partial(self._rejoin, office))

    def _rejoin(self, office: OfficeNode) -> None:
        self.clockwork.trace(f"{office.office} is reachable again")
        office.link.blocked = frozenset()

    def _happens(self, fault: str) -> bool:
        rate = self.swarm.rate(fault)
        return rate > 0 and self._rng.random() < rate

    # the end

    def _heal_and_converge(self) -> int:
        """End all faults, and run until everything agrees. Returns how long that took in milliseconds."""
        self.clockwork.trace("heal")
        healed_at_ms = self.clockwork.now_ms
        self.central.heal()
        for office in self.offices.values():
            office.link.heal()
            office.heal()
        edges = {name: office.store for name, office in self.offices.items()}
        while left := disagreements(edges, self.central.store):
            if not self.clockwork.is_idle():
                self.clockwork.step()
            if self.clockwork.is_idle() or self.clockwork.now_ms > healed_at_ms + CONVERGED_WITHIN_MS:
                raise Violated("I-19", "unconverged", "; ".join(left))
        check_effects(edges, self.central.store, {name: office.story for name, office in self.offices.items()})
        for name in OFFICES:
            self.ledger.check_told(self.central.store, name)
        return self.clockwork.now_ms - healed_at_ms

    def _outcome(self, converged_ms: int | None, violated: Violated | None) -> Outcome:
        return Outcome(
            scenario=self.scenario,
            suffered=tuple(self.swarm.rates),
            trace_hash=self.clockwork.trace_hash(),
            virtual_ms=self.clockwork.now_ms,
            happened=self.clockwork.happened,
            counted=dict(self.counted),
            converged_ms=converged_ms,
            violated=str(violated) if violated is not None else None,
            kind=violated.kind if violated is not None else None,
            story=tuple(self.clockwork.tail) if violated is not None else (),
        )
