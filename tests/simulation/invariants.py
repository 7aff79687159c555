"""What must be true: the protocol's twenty-five invariants (sync.md 3) and where each is checked.

Three kinds of checks: at each commit (``Ledger``, ``WatchedEdgeStore``, ``WatchedCentralStore``), at each decision of a queue
(``Watcher`` below, on the state before it is folded), and over the whole world after the heal (``final_checks``).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sync.domain.office_day import OfficeDay
from sync.domain.ordering import passed_over_bound
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.commands import Accept, AnyCommand
from sync.messages.envelope import open_fact
from sync.messages.facts import Fact, TicketAbandoned, TicketAccepted, TicketCalled, TicketFinished, TicketIssued
from sync.messages.feed import TicketClosed, office_stream
from sync.protocol.store import Position
from sync.protocol.streams import streams_of
from tests.kit.memory_central import MemoryCentralStore
from tests.simulation.ledger import Ledger, Violated
from tests.simulation.office import OfficeNode
from tests.simulation.queue import Queue
from tests.simulation.seats import check_account
from tests.simulation.steps import StepsWatch

CONVERGED_WITHIN_MS = 60_000
CLOCK_TOLERANCE_MS = 3_000
"""Steps of two seconds are not written down, and a machine's clocks may drift."""
CANARIES = ("Fátima", "12345678Z", "fatima@example.org")
"""Personal data that exist in the simulated world and must be in no fact, label or trace."""

INVARIANTS = {
    "I-1": "Ledger.check_told, final_checks: an acknowledged fact is in the raw log once, with its hash",
    "I-2": "final_checks: every committed fact of a disk that lives is at central; lost ones are counted",
    "I-3": "Ledger.check_raw_logs: 1..n without gap, chain intact",
    "I-4": "Ledger.check_prefix: an edge's entities are the prefix up to its cursor",
    "I-5": "Ledger._promise at each promise, SeatWatch at each commit, check_promises: no seat is promised twice",
    "I-6": "SeatWatch at each commit: sold, lent and held within the capacity, each seat its holder's",
    "I-7": "seats.check_account at each commit: granted = sold + returned + lapsed + outstanding",
    "I-8": "Ledger._note_sale: a lease sells in its own epoch only",
    "I-9": "Ledger._note_accepted, Watcher._check_caller: a tenure is granted and called at one office; check_holders",
    "I-10": "check_holders after the heal: every live ticket is callable at exactly one office",
    "I-11": "Watcher._check_credit, _check_waiting, _check_clock: what was waited counts, whatever clocks are set to or others say; so does "
    "what is still to do: StepsWatch",
    "I-12": "Watcher._check_order: calls follow (due_at, issue sequence)",
    "I-13": "Watcher._check_order: the bound of the closed list",
    "I-14": "Ledger.note_labels, Ledger.note_paper: no label twice in a day and office",
    "I-15": "Ledger._note_fact, Ledger.note_paper, check_papers: a request is one ticket, and paper has one after the heal",
    "I-16": "WatchedEdgeStore.commit_act, effects.take_effect: a node that was replaced moves nothing",
    "I-17": "Ledger.note_labels, World._replace_copies: a rolled-back node does nothing once a witness was heard, and is found",
    "I-18": "SeatWatch at each commit, check_promises: what was cancelled does not come back",
    "I-19": "disagreements: everything agrees within 60 s; CentralNode._down: no long-poll sleeps through news",
    "I-20": "OfficeNode._check_answer: what people do all day is answered, whatever the link; how fast: tests/fault/processes",
    "I-21": "final_checks: poison is parked and delays nobody",
    "I-22": "Display: no board below one that was shown, no call lit or sounded after its 30 s, none sounded twice",
    "I-23": "check_personal_data: no canary in the raw logs; all that a real city says and writes: …/demo/test_canaries",
    "I-24": "as I-16 for nodes that were replaced; others have no effect to simulate: REVOKED",
    "I-25": "Ledger._check_named: every fact names who, where, and the request that made it unless the node acts by itself",
}
REVOKED = {
    "node": "tests/integration/exchange/test_requests.py::test_a_revoked_node_is_out_at_once",
    "staff": "tests/integration/edge/test_queue_days.py::test_news_from_central_counts_from_the_next_command_on",
    "device": "tests/integration/edge/test_lan.py::test_bad_messages_are_refused_and_counted",
}
"""I-24 beside the simulator, which has neither signatures nor sign-ins: the tests that hold it. A device is known by the node's
settings; one that they do not name any more is refused like one that they never named."""


class Watcher:
    """Judges each decision of a queue by the state that it was made on."""

    def __init__(self, ledger: Ledger, counted: Counter[str]) -> None:
        self._ledger = ledger
        self._counted = counted
        self._came: dict[str, tuple[Queue, int]] = {}
        """When walk-ins came, and the process that they came to."""
        self._called: defaultdict[tuple[str, int], set[str]] = defaultdict(set)
        self._steps = StepsWatch(counted)

    def __call__(self, queue: Queue, command: AnyCommand | None, facts: tuple[Fact, ...]) -> None:
        self._check_clock(queue)
        for fact in facts:
            self._steps(queue, fact)
            if isinstance(fact, TicketIssued) and fact.origin == "walk_in":
                ago_ms = (queue.now() - fact.arrived_at) // timedelta(milliseconds=1)
                self._came[fact.ticket_id] = (queue, self._ledger.now_ms() - ago_ms)
            if isinstance(fact, TicketCalled):
                self._check_caller(queue, fact)
                self._check_waiting(queue, fact)
                if fact.how == "next":
                    self._check_order(queue, fact)
            elif isinstance(fact, TicketAccepted) and isinstance(command, Accept) and fact.via == "grant":
                self._check_credit(queue, fact, command.card.waited_ms)

    def _check_clock(self, queue: Queue) -> None:
        """I-11: nothing that others say pushes an office's clock beyond what its own machine has ever shown."""
        if queue.now() > queue.wall.latest():
            detail = f"{queue.office}: it is {queue.now()}, its machine says {queue.wall.latest()} at most"
            raise Violated("I-11", "clock_pushed", detail)

    def _check_caller(self, queue: Queue, fact: TicketCalled) -> None:
        """I-9: under one tenure a ticket is called at one office, but where a person, a slip or an image made a second copy."""
        ticket, ledger = queue.day.tickets[fact.ticket_id], self._ledger
        held = (ticket.ticket_id, ticket.tenure)
        if (queue.office, queue.epoch) in ledger.copies or held[0] in ledger.reissued or held in ledger.slipped:
            return
        offices = self._called[held]
        offices.add(queue.office)
        if len(offices) > 1 and not ledger.is_restored:
            raise Violated("I-9", "double_holders", f"{held} is called at {sorted(offices)}")

    def _check_waiting(self, queue: Queue, fact: TicketCalled) -> None:
        """I-11 within one office: whatever its clock is set to while it runs, who waits has waited as long as by a good watch."""
        came_to, came_ms = self._came.get(fact.ticket_id, (None, 0))
        ticket = queue.day.tickets[fact.ticket_id]
        if came_to is not queue or ticket.tenure > 1:
            return
        counted_ms = (queue.now() - ticket.arrived_at) // timedelta(milliseconds=1)
        true_ms = self._ledger.now_ms() - came_ms
        self._counted["waits_checked"] += 1
        if abs(counted_ms - true_ms) > CLOCK_TOLERANCE_MS:
            detail = f"{queue.office}: {fact.ticket_id} has waited {true_ms} ms, and counts {counted_ms}"
            raise Violated("I-11", "credit_lost", detail)

    def _check_order(self, queue: Queue, fact: TicketCalled) -> None:
        """I-12 and I-13, restated: nobody whom this counter may serve now, and whose turn is earlier, is passed over."""
        day, now = queue.day, queue.now()
        session, chosen = day.sessions[fact.session], day.tickets[fact.ticket_id]
        first = expected_next(day, session, now)
        if first is not chosen:
            raise Violated("I-12", "order_violations", f"{queue.office}: {chosen.label} before {first and first.label}")
        if (other := passed_over_bound(day, session, chosen, now)) is not None:
            raise Violated("I-13", "order_violations", f"{queue.office}: {other.label} waits beyond the bound")
        self._counted["calls"] += 1

    def _check_credit(self, queue: Queue, fact: TicketAccepted, waited_ms: int) -> None:
        """I-11, where both ends know central's clock: what counted there counts here, and the way between."""
        released_ms = self._ledger.releases[fact.ticket_id, fact.tenure - 1].get(waited_ms)
        told_error_ms = self._ledger.release_errors_ms.get((fact.ticket_id, fact.tenure - 1))
        is_known = queue.clock_error_ms and fact.ticket_id not in self._ledger.reissued
        if released_ms is None or told_error_ms is None or not is_known:
            return
        here_ms = (queue.now() - fact.due_at) // timedelta(milliseconds=1)
        owed_ms = waited_ms + self._ledger.now_ms() - released_ms
        allowed_ms = 1000 + told_error_ms + queue.clock_error_ms
        self._counted["credits_checked"] += 1
        if abs(here_ms - owed_ms) > allowed_ms:
            raise Violated(
                "I-11",
                "credit_lost",
                f"{queue.office}: {fact.ticket_id} has {here_ms} ms, is owed {owed_ms} ms, give or take {allowed_ms}",
            )


def expected_next(day: OfficeDay, session: CounterSession, now: datetime) -> Ticket | None:
    """Who must be called at a counter, told a second time from the published rule."""

    def key(ticket: Ticket) -> tuple[datetime, tuple[int, int]]:
        return ticket.due_at, ticket.issue_seq

    waiting = [t for t in day.tickets.values() if t.state == "waiting"]
    sent_here = [t for t in waiting if t.counter == session.counter]
    anybody = [t for t in waiting if t.counter is None]
    first = [t for t in anybody if t.service in session.primary]
    second = [t for t in anybody if t.service in session.secondary and t not in first]
    ripe = [t for t in second if now >= t.due_at + timedelta(minutes=day.policy.secondary_threshold_min)]
    mine = [*sent_here, *first, *ripe]
    for group in ([t for t in mine if t.callable_at <= now], [t for t in second if t.callable_at <= now], mine):
        if group:
            return min(group, key=key)
    return None


# ------------------------------------------------------------------------------------------------- after the faults end


def disagreements(nodes: Mapping[str, OfficeNode], central: MemoryCentralStore) -> Iterator[str]:
    """I-19: what still differs between the ends, in words, as far as one wants to know; nothing when all agree."""
    for node in nodes.values():
        edge = node.store
        if edge.acks.get(node.epoch, Position()) != edge.end(node.epoch):
            yield f"{node.key}: acked {edge.acks.get(node.epoch, Position()).seq} of {edge.end(node.epoch).seq}"
        for stream in streams_of(node.office):
            cursor, state = edge.places.get(stream), central.states.get(stream)
            if state is not None and (cursor is None or cursor.hash != state.last.hash):
                yield f"{node.key}: {stream} at {cursor.seq if cursor else None} of {state.last.seq}"
    if central.life["awaited"]:
        yield f"central still awaits {sorted(central.life['awaited'])}"


def final_checks(
    nodes: Mapping[str, OfficeNode], old: list[OfficeNode], central: MemoryCentralStore, ledger: Ledger
) -> None:
    """Everything that must be true once all faults are over and all have spoken."""
    for node in (*nodes.values(), *(node for node in old if not node.is_copy)):
        _check_log(node, central)
        ledger.check_told(central, node.key)
    for node in nodes.values():
        live = {key: row for key, row in central.live.items() if key[0] in node.store.places}
        if dict(node.store.entities) != live:
            raise Violated("I-4", "feed_skewed", f"{node.key}: entities differ from central's")
    _check_parked(nodes, old, central)
    check_promises(central, ledger)
    for lease_id in central.leases:
        check_account(central, ledger, lease_id)
    check_holders(nodes, central, ledger)
    check_papers(nodes, ledger)
    check_personal_data(central)


def _check_log(node: OfficeNode, central: MemoryCentralStore) -> None:
    """I-1 and I-2: the raw log is the journal, byte for byte."""
    raw = [(fact.record.header, bytes(fact.record.body)) for fact in central.log.get(node.key, [])]
    ours = [(fact.record.header, bytes(fact.record.body)) for fact in node.store.journal.get(node.epoch, [])]
    if raw != ours:
        raise Violated("I-2", "acked_lost", f"{node.key}: central has {len(raw)} facts, the journal {len(ours)}")


def _check_parked(nodes: Mapping[str, OfficeNode], old: list[OfficeNode], central: MemoryCentralStore) -> None:
    """I-21, and that every other fact took effect once."""
    parked = {(p.record.header.office, p.record.header.epoch, p.record.seq) for p in central.parked}
    if len(parked) != len(central.parked):
        raise Violated("I-21", "unconverged", "a fact is parked twice")
    for key, log in central.log.items():
        seen = sum(isinstance(place, tuple) and place[:2] == key for place in central.projection)
        bad = sum(place[:2] == key for place in parked)
        if seen + bad != len(log):
            raise Violated("I-19", "unconverged", f"{key}: {seen} facts took effect, {bad} parked, of {len(log)}")


def check_promises(central: MemoryCentralStore, ledger: Ledger) -> None:
    """I-5 and I-18: everybody who was promised an appointment has one, on a seat of their own; what is cancelled stays so."""
    taken: dict[object, str] = {}
    for appointment_id in ledger.promises:
        booked = central.appointments.get(appointment_id)
        if booked is None or (booked.body.status == "booked" and not booked.seats):
            raise Violated("I-5", "oversold", f"{appointment_id} was promised and is nowhere")
    for appointment_id, booked in central.appointments.items():
        for ref in booked.seats:
            if taken.setdefault(ref, appointment_id) != appointment_id:
                raise Violated("I-5", "oversold", f"{ref} for {appointment_id} and {taken[ref]}")
            if central.seats[ref].appointment_id != appointment_id:
                raise Violated("I-5", "oversold", f"{appointment_id} was promised {ref}, which is {central.seats[ref]}")
        if appointment_id in ledger.cancelled and booked.body.status == "booked":
            raise Violated("I-18", "bookings_revived", appointment_id)
    excused = {c.subject_id for c in central.conflicts.values() if c.kind == "lease_reclaimed_sale"}
    # A restored central knows of no cancellation since its backup, or only by the office's report, after the seat's next sale.
    for conflict in central.conflicts.values():
        is_late_news = ledger.restores > 0 and conflict.detail.get("slot_id") in ledger.given_back
        if conflict.kind in ("lease_conflict", "seat_gone") and conflict.subject_id not in excused and not is_late_news:
            raise Violated("I-5", "oversold", f"a leased seat was sold twice: {conflict.subject_id} {conflict.detail}")


def check_holders(nodes: Mapping[str, OfficeNode], central: MemoryCentralStore, ledger: Ledger) -> None:
    """I-9 and I-10: every live ticket is in exactly one office, or in transit to one.

    A copy that stood at a counter when it was voided is nobody's any more and ends with that call.
    """
    places: dict[str, list[str]] = {}
    for office, node in nodes.items():
        for ticket in node.queue.day.tickets.values():
            if ticket.is_open and not _is_ghost(ticket, office, central):
                places.setdefault(ticket.ticket_id, []).append(office)
    for ticket_id, offices in places.items():
        if len(offices) > 1 and ticket_id not in ledger.reissued:
            at = [(o, nodes[o].queue.day.tickets[ticket_id].tenure) for o in offices]
            raise Violated("I-9", "double_holders", f"{ticket_id} at {at}, token {central.tokens.get(ticket_id)}")
        token = central.tokens.get(ticket_id)
        if token is not None and token.office not in offices and ticket_id not in ledger.reissued:
            raise Violated("I-10", "double_holders", f"{ticket_id} is at {offices}, central thinks at {token.office}")
    over = _ended(central)
    for token in central.tokens.values():
        queue = nodes[token.office].queue
        day, known = queue.day, queue.day.tickets.get(token.ticket_id)
        # Any other ended with its day or begins with it, and an office that must not open its day takes nobody.
        is_todays = day.is_open and token.service_date == day.service_date and not queue.is_doubtful
        if is_todays and token.ticket_id not in over and (known is None or not known.is_open):
            where = known.state if known is not None else "nowhere"
            raise Violated("I-10", "double_holders", f"{token.ticket_id} is {where} at {token.office}, which holds it")


def check_papers(nodes: Mapping[str, OfficeNode], ledger: Ledger) -> None:
    """I-15, the other half: whoever has paper of a kiosk stands in the queue under its label, was served, or was sent on."""
    if ledger.refused_papers:
        raise Violated("I-15", "paper_lost", "; ".join(ledger.refused_papers))
    over = ledger.ended
    sent_on = {ticket_id for ticket_id, _tenure in ledger.releases} | ledger.reissued
    for (office, ticket_id), paper in ledger.papers.items():
        day = nodes[office].queue.day
        ticket = day.tickets.get(ticket_id)
        if day.service_date != paper.service_date or ticket_id in sent_on:
            continue
        if ticket is None and ticket_id not in over:
            raise Violated("I-15", "paper_lost", f"{office}: {paper.label} of {ticket_id} is on paper and in no queue")
        if ticket is not None and ticket.label != paper.label and ticket_id not in over:
            raise Violated("I-15", "paper_lost", f"{office}: {paper.label} is on paper, the queue says {ticket.label}")


def _is_ghost(ticket: Ticket, office: str, central: MemoryCentralStore) -> bool:
    closed = central.live.get((office_stream(office), TicketClosed.KIND, ticket.ticket_id))
    return ticket.state in ("called", "serving") and closed is not None and closed.version >= ticket.tenure


def _ended(central: MemoryCentralStore) -> set[str]:
    """Tickets whose end stands in any raw log."""
    ends = (TicketFinished.TYPE, TicketAbandoned.TYPE)
    ended: set[str] = set()
    for log in central.log.values():
        for each in log:
            if each.record.header.type in ends:
                fact = open_fact(each.record)
                assert isinstance(fact, TicketFinished | TicketAbandoned)
                ended.add(fact.ticket_id)
    return ended


def check_personal_data(central: MemoryCentralStore) -> None:
    """I-23: no canary is in any raw log."""
    for key, log in central.log.items():
        text = b"\n".join(bytes(fact.record.body) for fact in log).decode(errors="replace")
        for canary in CANARIES:
            if canary in text:
                raise Violated("I-23", "personal_data", f"{key}: {text.count(canary)} facts say {canary}")
