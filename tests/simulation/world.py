"""One run: three offices and central, a script of steps under a swarm of faults, then heal, then the final checks."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime
from functools import partial

import msgspec

from sync.domain.office_day import OfficeDay
from sync.domain.witness import Seen, is_rolled_back
from sync.messages.facts import TicketReleased
from sync.messages.feed import GLOBAL, office_stream
from sync.messages.wire import Activation, UpRequest
from sync.protocol import replacement
from tests.kit.lossy_link import Direction, LossyLink
from tests.simulation.central import CentralNode, activate
from tests.simulation.clockwork import Clockwork, pick
from tests.simulation.clones import Clones, copy_disk
from tests.simulation.decoded import opened
from tests.simulation.display import Display
from tests.simulation.edge_store import WatchedEdgeStore
from tests.simulation.exchange import Exchange
from tests.simulation.invariants import CONVERGED_WITHIN_MS, Watcher, disagreements, final_checks
from tests.simulation.kiosk import LOOK_AGAIN_MS, SimKiosk
from tests.simulation.kiosk_desk import KIOSKS
from tests.simulation.ledger import Ledger, Violated
from tests.simulation.machines import Machines
from tests.simulation.office import OfficeNode
from tests.simulation.people import OFFICES, SUPERVISOR, CarriedSlip, People
from tests.simulation.stories import CentralStory
from tests.simulation.swarm import Chances, Scenario, Swarm, draw

MEAN_STEP_MS = 2_000
IN_A_STEP = (
    *(
        "edge_crash_before_commit",
        "edge_crash_after_commit",
        "central_crash_before_commit",
        "central_crash_after_commit",
    ),
    *("partition_full", "partition_one_way", "prune", "clock_step", "replace_node", "edge_rollback", "clone_disk"),
    *("back_up", "central_restore", "reissue"),
)
"""Faults that are drawn at each step; ``machines`` draws others."""
FOUND_WITHIN_MS = 300_000


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
    store_type = WatchedEdgeStore
    watcher_type = Watcher
    kiosk_type = SimKiosk

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.clockwork = Clockwork(scenario.seed)
        self.counted: Counter[str] = Counter()
        self.ledger = Ledger(lambda: self.clockwork.now_ms)
        self.watcher = self.watcher_type(self.ledger, self.counted)
        self._rng = self.clockwork.fork("script")
        self.swarm: Swarm = draw(self.clockwork.fork("swarm"), scenario.without)
        self._chances = Chances(self._rng, self.swarm.of(IN_A_STEP))
        self.machines = Machines(self.clockwork, self.swarm, self.counted)
        self.central = self.central_type(self.clockwork, self.ledger, OFFICES, self.counted)
        self.story = CentralStory(self.clockwork.fork("bookings"), OFFICES)
        self._slips: dict[str, deque[CarriedSlip]] = {office: deque() for office in OFFICES}
        self._witness: dict[str, Seen] = dict.fromkeys(OFFICES, (1, 0))
        """The highest (epoch, seq) that the devices of each office have seen."""
        self._printed: dict[str, dict[str, int]] = {office: {} for office in OFFICES}
        """The highest number by series that the kiosks of each office have printed."""
        self._looked_at: dict[str, tuple[OfficeDay, int]] = {}
        """How far each office's day was looked at for that."""
        self._replacing: set[str] = set()
        self._is_healed = False
        self.old: list[OfficeNode] = []
        """Nodes that were replaced and may still be alive somewhere."""
        self.nodes = {office: self._node(activate(office, 1)) for office in OFFICES}
        self.clones = Clones(self.clockwork.fork("clones"), self.ledger, self.central.store, self._twin)
        self.displays = {office: self._display(office) for office in OFFICES}
        self._kiosk_rng = self.clockwork.fork("kiosks")
        self._kiosk_rates = (self.swarm.rate("kiosk_cut"), self.swarm.rate("kiosk_restart"))
        self.kiosks = [self._kiosk(office, device) for office in OFFICES for device in KIOSKS]

    def _kiosk(self, office: str, device: str) -> SimKiosk:
        kiosk = self.kiosk_type(
            office=office,
            device=device,
            clockwork=self.clockwork,
            node=lambda: self.nodes[office],
            lost=self.swarm.rate("drop") / 2,
            ledger=self.ledger,
            counted=self.counted,
        )
        kiosk.note_heard = self._note_place
        kiosk.note_printed = partial(self._note_printed, office)
        return kiosk

    def _note_place(self, node: OfficeNode) -> None:
        """A device has seen how far its node's journal goes."""
        own = (node.epoch, node.store.written(node.epoch))
        self._witness[node.office] = max(self._witness[node.office], own)

    def _twin(self, node: OfficeNode) -> OfficeNode:
        """A second node over a copy of a node's disk."""
        store = self.store_type(node.office, node.epoch, self.ledger, self.central.store)
        copy_disk(node.store, store)
        return self._node(activate(node.office, node.epoch), store, node.wall.latest())

    def _node(
        self, activation: Activation, cloned: WatchedEdgeStore | None = None, shown_at: datetime | None = None
    ) -> OfficeNode:
        office = activation.office
        of_link = f"link/{office}/{activation.epoch}" + ("/clone" if cloned is not None else "")
        link = LossyLink(self.clockwork.fork(of_link), self.swarm.link(), self.counted)
        skews = (0, 0, 0, 40_000, -90_000, 600_000) if "wrong_clocks" in self.swarm.rates else (0,)
        skew_ms = self._rng.choice(skews)
        self.counted["wrong_clocks"] += skew_ms != 0
        node = self.office_type(
            activation=activation,
            clockwork=self.clockwork,
            store=cloned or self.store_type(office, activation.epoch, self.ledger, self.central.store),
            link=link,
            people=self._people(office, activation.epoch),
            watch=self.watcher,
            counted=self.counted,
            skew_ms=skew_ms,
            drift_ppm=self.machines.drift_ppm(),
            lacks=self.machines.lacks() if not self._is_healed else frozenset(),
            shown_at=shown_at,
        )
        node.cut_rate = self.swarm.rate("cut_snapshot")
        node.send = partial(self._to_central, node)
        node.note_sent = self._note_sent
        if self._is_healed:
            link.heal()
            node.heal()
        return node

    def _display(self, office: str) -> Display:
        """A display hears its node over the office's own network: late by two seconds at most, else lost and told again."""
        faults = msgspec.structs.replace(self.swarm.link(), delay=0.0)
        link = LossyLink(self.clockwork.fork(f"lan/{office}"), faults, Counter())
        return Display(office, self.clockwork, self.clockwork.fork(f"display/{office}"), link, self.counted)

    def _people(self, office: str, epoch: int) -> People:
        rng = self.clockwork.fork(f"people/{office}/{epoch}")
        return People(office=office, rng=rng, new_id=self.clockwork.new_id, slips=self._slips, counted=self.counted)

    # messages

    def _to_central(self, node: OfficeNode, kind: str, body: bytes) -> None:
        self._carry(node, "up", kind, body)

    def _carry(self, node: OfficeNode, direction: Direction, kind: str, body: bytes) -> None:
        arrivals = node.link.carry(direction)
        self.counted["bytes"] += len(body) * len(arrivals)
        for delay_ms in arrivals:
            self.clockwork.after(delay_ms, partial(self._arrive, node, direction, kind, body))

    def _arrive(self, node: OfficeNode, direction: Direction, kind: str, body: bytes) -> None:
        self.clockwork.trace(f"{node.key} {'->' if direction == 'up' else '<-'} central {kind} {len(body)}")
        if direction == "down":
            node.receive(kind, body)
        else:
            self.central.handle(kind, body, partial(self._carry, node, "down"))

    def _note_sent(self, node: Exchange, request: UpRequest) -> None:
        """How wrong the age of each release in a batch may be, for I-11."""
        known = node.central_clock
        for record in request.facts if known is not None else ():
            if record.header.type == TicketReleased.TYPE and known is not None:
                fact = opened(record)
                assert isinstance(fact, TicketReleased)
                error_ms = known.error_at(node.wall.mono_ns()) // 1_000_000 + 1
                key = (fact.ticket_id, fact.tenure)
                self.ledger.release_errors_ms[key] = max(error_ms, self.ledger.release_errors_ms.get(key, 0))

    # the script

    def run(self) -> Outcome:
        """Run to the end. A broken invariant ends the run and is part of the outcome."""
        try:
            for _ in range(self.scenario.steps):
                self.clockwork.run_until(self.clockwork.now_ms + int(self._rng.expovariate(1 / MEAN_STEP_MS)))
                self._faults()
                self._step()
                self._kiosk_step()
            converged_ms = self._heal_and_converge()
        except Violated as violated:
            self.clockwork.trace(str(violated))
            return self._outcome(None, violated)
        return self._outcome(converged_ms, None)

    def _step(self) -> None:
        chance = self._rng.random()
        if chance < 0.7:
            self._act(self.nodes[pick(self._rng, OFFICES)])
        elif chance < 0.74 and self.old:
            node = self._rng.choice(self.old)
            node.act()
            self.displays[node.office].told_by(node)
        elif chance < 0.84:
            self.central.book()
        elif chance < 0.87:
            self.central.cancel()
        elif chance < 0.9:
            self.central.lend()
        elif chance < 0.91:
            self.central.recall()
        else:
            rows = self.story.changes()
            self.counted["rows"] += len(rows)
            lose = self._rng.random() < 4 * self.swarm.rate("failover")
            self.central.write_rows(rows, self._rng.randint(100, 3_000) if lose else 0)

    def _kiosk_step(self) -> None:
        kiosk = pick(self._kiosk_rng, self.kiosks)
        cut, anew = self._kiosk_rates
        if self._kiosk_rng.random() < cut:
            self.counted["kiosk_cut"] += 1
            kiosk.cut_until_ms = self.clockwork.now_ms + self._kiosk_rng.choice((2_000, 15_000, 60_000))
        if self._kiosk_rng.random() < anew:
            self.counted["kiosk_restart"] += 1
            kiosk.restart()
        kiosk.live()
        self._witnessed(self.nodes[kiosk.office])

    def _act(self, node: OfficeNode) -> None:
        node.act()
        self._witnessed(node)
        display = self.displays[node.office]
        display.told_by(node)
        display.look()

    def _witnessed(self, node: OfficeNode) -> None:
        """What its devices have seen of a node."""
        day = node.queue.day
        told_label = node.up and self.ledger.note_labels(node.key, day)
        if node.up and (told_label or self._rng.random() < 0.7):  # a device has heard from its node
            self._note_place(node)
        if self._looked_at.get(node.office) != (day, day.seq):
            self._looked_at[node.office] = (day, day.seq)
            for series, number in day.last_numbers.items():
                self._note_printed(node.office, series, number)

    def _note_printed(self, office: str, series: str, number: int) -> None:
        printed = self._printed[office]
        printed[series] = max(number, printed.get(series, 0))

    # faults

    def _faults(self) -> None:
        office = pick(self._rng, OFFICES)
        self.displays[office].may_start_anew()
        self.clones.act()
        for fault in self._chances.happening():
            self._harm(fault, office)
        self.machines.hurt(self.nodes[office], self.central)

    def _harm(self, fault: str, office: str) -> None:
        node = self.nodes[office]
        match fault:
            case "edge_crash_before_commit":
                node.store.crash_next = "before_commit"
            case "edge_crash_after_commit":
                node.store.crash_next = "after_commit"
            case "central_crash_before_commit":
                self.central.store.crash_next = "before_commit"
            case "central_crash_after_commit":
                self.central.store.crash_next = "after_commit"
            case "partition_full":
                self._partition(node, frozenset({"up", "down"}), fault)
            case "partition_one_way":
                self._partition(node, frozenset({self._rng.choice(("up", "down"))}), fault)
            case "prune":
                stream = self._rng.choice((GLOBAL, office_stream(office)))
                self.central.prune(stream, self._rng.randint(0, 3))
            case _:
                self._harm_seldom(fault, node)

    def _harm_seldom(self, fault: str, node: OfficeNode) -> None:
        match fault:
            case "clock_step":
                self.counted["clock_step"] += 1
                node.wall.skew_ms += self._rng.choice((-3_600_000, -60_000, -3_000, 3_000, 60_000, 3_600_000))
            case "replace_node":
                self._replace(node.office, alive=self._rng.random() < 0.5)
            case "edge_rollback":
                self._roll_back(node.office)
            case "clone_disk" if self.clones.clone(node):
                self.counted["clone_disk"] += 1
                self.clockwork.after(60_000, lambda: self._replace_copy(node))
            case "back_up":
                self.central.back_up()
            case "central_restore" if not self.ledger.is_restored:
                self._restore_central()
            case "reissue":
                self.central.send_elsewhere(node.office)
            case _:
                pass

    def _replace(self, office: str, *, alive: bool) -> None:
        """A new node takes an office over. The old one's disk is lost, or it lives on somewhere without its devices."""
        gone = self.nodes[office]
        fresh = activate(office, gone.epoch + 1)
        if office not in self._replacing and self.central.up:
            self._replacing.add(office)
            self.central.replace(fresh, gone.wall.skew_ms)
            self._finish_replacing(fresh, alive=alive)

    def _finish_replacing(self, fresh: Activation, *, alive: bool) -> None:
        """A person sees at central whether it is done, and done for good; only then the new node is switched on."""
        office, gone = fresh.office, self.nodes[fresh.office]
        if not self.central.is_settled:
            self.clockwork.after(2_000, lambda: self._finish_replacing(fresh, alive=alive))
            return
        self._replacing.discard(office)
        if self.central.store.authorities[office].epoch != fresh.epoch:
            return
        self.counted["replace_node"] += 1
        self.clockwork.trace(f"{office} is replaced, the old node is {'alive' if alive else 'lost'}")
        if alive:
            self.old.append(gone)
            if gone.is_copy:  # central may have the other's journal of this life
                self.ledger.note_disk_lost(gone.key, gone.store, self.central.store)
            self.ledger.note_memory_lost(office, self.central.store)
        else:
            self._bury(gone)
        node = self._node(fresh)
        node.kiosk_floors = {s: min(999, n + replacement.FLOOR_GAP) for s, n in self._printed[office].items()}
        node.refresh()
        self.nodes[office] = node
        self._witness[office] = (fresh.epoch, 0)

    def _bury(self, node: OfficeNode) -> None:
        self.ledger.note_disk_lost(node.key, node.store, self.central.store)
        node.crash()
        node.buried = True
        if self.central.up:
            self.central.reclaim(node.office, frozenset({node.epoch}))

    def _roll_back(self, office: str) -> None:
        """A node's database is put back from an old image. Its devices have seen more, or central has."""
        node = self.nodes[office]
        end = node.store.written(node.epoch)
        if node.is_copy or not node.up or end < 10:
            return
        self.counted["edge_rollback"] += 1
        self.ledger.note_disk_lost(node.key, node.store, self.central.store)
        self.ledger.copies.add(node.key)
        put_back_to = self._rng.randint(end // 2, end - 1)
        node.put_back(put_back_to)
        node.rolled_back = is_rolled_back((node.epoch, node.store.written(node.epoch)), self._witness[office])
        self.counted["rollbacks_seen_by_witness"] += node.rolled_back
        node.crash()
        self.clockwork.after(60_000, lambda: self._replace_copy(node))

    def _replace_copy(self, node: OfficeNode) -> None:
        """A person gives the office a new node once the copy was found."""
        if self.nodes[node.office] is not node:
            return
        if not self.central.up or not node.rolled_back:
            self.clockwork.after(10_000, lambda: self._replace_copy(node))
            return
        self._replace(node.office, alive=False)
        if self.nodes[node.office] is node:
            self.clockwork.after(10_000, lambda: self._replace_copy(node))

    def _restore_central(self) -> None:
        known = {office: node.known_appointments() for office, node in self.nodes.items()}
        sold = {sale for node in (*self.nodes.values(), *self.old) for sale in node.sales()}
        self.central.restore(known, sold)

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

    # the end

    def _heal_and_converge(self) -> int:
        """End all faults, and run until everything agrees. Returns how long that took in milliseconds."""
        self.clockwork.trace("heal")
        self._is_healed = True
        self.clones.switch_off()
        self.central.heal()
        for node in (*self.nodes.values(), *self.old):
            node.link.heal()
            node.heal()
        for kiosk in self.kiosks:
            kiosk.heal()
        self._confirm_dates()
        self._replace_copies()
        healed_at_ms = self.clockwork.now_ms
        while next(self._left(), None) or self._settled():
            if not self.clockwork.is_idle():
                self.clockwork.step()
            if self.clockwork.is_idle() or self.clockwork.now_ms > healed_at_ms + CONVERGED_WITHIN_MS:
                raise Violated("I-19", "unconverged", "; ".join(self._left()) or "offices go on writing")
        self.ledger.is_restored = False
        final_checks(self.nodes, self.old, self.central.store, self.ledger)
        return self.clockwork.now_ms - healed_at_ms

    def _confirm_dates(self) -> None:
        """The heal includes a person, too, where a right clock is doubted, since it lies behind what it wrote when it was wrong."""
        for node in self.nodes.values():
            node.confirm_date(SUPERVISOR)
        self.clockwork.after(LOOK_AGAIN_MS, self._confirm_dates)

    def _left(self) -> Iterator[str]:
        """What does not agree yet, as far as one wants to know. Old nodes that live must have told everything, too."""
        yield from disagreements(self.nodes, self.central.store)
        yield from (f"{node.key}: does not run yet" for node in self.nodes.values() if not node.up)
        yield from (each for kiosk in self.kiosks if (each := kiosk.left))
        for node in self.old:
            known = len(self.central.store.log.get(node.key, []))
            if known != node.store.written(node.epoch) and not node.is_copy:
                yield f"{node.key}: has more to tell"

    def _settled(self) -> bool:
        """Whether something was still to be done about rights that have come down; nodes look every few seconds."""
        done = False
        for node in self.nodes.values():
            before = node.store.end(node.epoch)
            node.settle()
            done |= node.store.end(node.epoch) != before
        return done

    def _replace_copies(self) -> None:
        """The heal includes a person: an office whose database is an old copy gets a new node."""
        until_ms = self.clockwork.now_ms + FOUND_WITHIN_MS
        while copies := [node.key for node in self.nodes.values() if self._is_unsettled(node)]:
            if self.clockwork.now_ms > until_ms:
                raise Violated("I-17", "rollback_missed", f"{copies} were never found")
            self.clockwork.run_until(self.clockwork.now_ms + 1_000)

    def _is_unsettled(self, node: OfficeNode) -> bool:
        """Whether an office still waits for its next node. A copy that nobody has ever seen more of is none."""
        log, journal = self.central.store.log.get(node.key, []), node.store.journal.get(node.epoch, [])
        if node.is_copy and not node.rolled_back and log == journal[: len(log)]:
            node.is_copy = False
        return node.is_copy or node.office in self._replacing

    def _outcome(self, converged_ms: int | None, violated: Violated | None) -> Outcome:
        return Outcome(
            scenario=self.scenario,
            suffered=tuple(self.swarm.rates),
            trace_hash=self.clockwork.trace_hash(),
            virtual_ms=self.clockwork.now_ms,
            happened=self.clockwork.happened,
            counted=dict(self.counted | {"unacked_lost_with_disks": self.ledger.lost_unacked}),
            converged_ms=converged_ms,
            violated=str(violated) if violated is not None else None,
            kind=violated.kind if violated is not None else None,
            story=tuple(self.clockwork.tail) if violated is not None else (),
        )
