"""What must be true: the protocol's twenty-five invariants (sync.md 3) and where each is checked.

Three kinds of checks: at each commit (``Ledger``, ``WatchedEdgeStore``, ``WatchedCentralStore``), at each decision of a queue
(``Watcher`` below, on the state before it is folded), and over the whole world after the heal (``final_checks``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from sync.domain.office_day import OfficeDay
from sync.domain.ordering import passed_over_bound
from sync.domain.ticket import CounterSession, Ticket
from sync.messages.commands import Accept, AnyCommand
from sync.messages.envelope import open_fact
from sync.messages.facts import Fact, TicketAbandoned, TicketAccepted, TicketCalled, TicketFinished
from sync.messages.feed import office_stream
from sync.protocol.store import Position
from tests.kit.memory_store import MemoryCentralStore
from tests.simulation.ledger import Ledger, Violated
from tests.simulation.office import OfficeNode
from tests.simulation.queue import Queue

CONVERGED_WITHIN_MS = 60_000
CANARIES = ("Fátima", "12345678Z", "fatima@example.org")
"""Personal data that exist in the simulated world and must be in no fact, label or trace."""

INVARIANTS = {
    "I-1": "Ledger.check_told, final_checks: an acknowledged fact is in the raw log once, with its hash",
    "I-2": "final_checks: every committed fact of a disk that lives is at central; lost ones are counted",
    "I-3": "Ledger.check_raw_log: 1..n without gap, chain intact",
    "I-4": "Ledger.check_prefix: an edge's entities are the prefix up to its cursor",
    "I-5": "check_promises: no seat is promised twice",
    "I-6": "check_seats: free + held + booked + leased = capacity",
    "I-7": "check_leases: granted = sold + returned + lapsed + outstanding",
    "I-8": "Ledger._note_sale: a lease sells in its own epoch only",
    "I-9": "check_holders: at most one place where a ticket may be called",
    "I-10": "check_holders after the heal: every live ticket is callable at exactly one office",
    "I-11": "Watcher._check_credit: a handover keeps the waiting",
    "I-12": "Watcher._check_order: calls follow (due_at, issue sequence)",
    "I-13": "Watcher._check_order: the bound of the closed list",
    "I-14": "Ledger.note_labels: no label twice in a day and office",
    "I-15": "Ledger._note_fact: a request made one ticket at a node at most",
    "I-16": "WatchedEdgeStore.commit_act, effects.take_effect: a node that was replaced moves nothing",
    "I-17": "Ledger.note_labels, World._replace_copies: a rolled-back node does nothing once a witness was heard, and is found",
    "I-18": "check_promises: what was cancelled does not come back",
    "I-19": "disagreements: everything agrees within 60 s",
    "I-20": "World: commands at an office without network are answered",
    "I-21": "final_checks: poison is parked and delays nobody",
    "I-22": "Display: no board below one that was shown, no call lit or sounded after its 30 s, none sounded twice",
    "I-23": "check_personal_data: no canary in the raw logs",
    "I-24": "as I-16 for nodes; staff and device rows: tests/integration/edge",
    "I-25": "Ledger._note_fact: every fact names who and where",
}


class Watcher:
    """Judges each decision of a queue by the state that it was made on."""

    def __init__(self, ledger: Ledger, counted: Counter[str]) -> None:
        self._ledger = ledger
        self._counted = counted
        self.now_ms = 0

    def __call__(self, queue: Queue, command: AnyCommand | None, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            if isinstance(fact, TicketCalled) and fact.how == "next":
                self._check_order(queue, fact)
            elif isinstance(fact, TicketAccepted) and isinstance(command, Accept) and fact.via == "grant":
                self._check_credit(queue, fact, command.card.waited_ms)

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
        owed_ms = waited_ms + self.now_ms - released_ms
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


def disagreements(nodes: Mapping[str, OfficeNode], central: MemoryCentralStore) -> list[str]:
    """I-19: what still differs between the ends, in words; empty when all agree."""
    found: list[str] = []
    for office, node in nodes.items():
        edge = node.store
        if edge.acks.get(node.epoch, Position()) != edge.end(node.epoch):
            found.append(f"{node.key}: acked {edge.acks.get(node.epoch, Position()).seq} of {edge.end(node.epoch).seq}")
        for stream, state in central.states.items():
            cursor = edge.places.get(stream)
            if stream in {"global", office_stream(office)} and (cursor is None or cursor.hash != state.last.hash):
                found.append(f"{node.key}: {stream} at {cursor.seq if cursor else None} of {state.last.seq}")
    if central.life["awaited"]:
        found.append(f"central still awaits {sorted(central.life['awaited'])}")
    return found


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
    check_seats(central)
    check_promises(central, ledger)
    check_leases(central, ledger)
    check_holders(nodes, central, ledger)
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


def check_seats(central: MemoryCentralStore) -> None:
    """I-6: every seat of every slot is in one state, and its holder knows it."""
    for ref, seat in central.seats.items():
        if seat.state == "booked":
            booked = central.appointments.get(seat.appointment_id or "")
            if booked is None or ref not in booked.seats:
                raise Violated(
                    "I-6", "seats_miscounted", f"{ref} is booked for {seat.appointment_id}, which has it not"
                )
        elif seat.state == "leased" and seat.lease_id not in central.leases:
            raise Violated("I-6", "seats_miscounted", f"{ref} is lent in no lease")
        elif seat.state == "free" and (seat.appointment_id or seat.lease_id):
            raise Violated("I-6", "seats_miscounted", f"{ref} is free and somebody's")


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
    for conflict in central.conflicts.values():
        if conflict.kind in ("lease_conflict", "seat_gone") and conflict.subject_id not in excused:
            raise Violated("I-5", "oversold", f"a leased seat was sold twice: {conflict.subject_id} {conflict.detail}")


def check_leases(central: MemoryCentralStore, ledger: Ledger) -> None:
    """I-7: every lent seat is sold, given back, reclaimed or outstanding, and in exactly one of them."""
    for lease_id, state in central.leases.items():
        for leased in state.lease.seats:
            seat, place = central.seats[leased.seat], (lease_id, leased.seat)
            outstanding = seat.state == "leased" and seat.lease_id == lease_id
            sold = any(a in central.appointments for a in ledger.sold.get(place, ()))
            returned = place in ledger.returned and not outstanding
            ways = outstanding + sold + (returned and not sold)
            if ways != 1 and not state.reclaimed and state.lease.fence == central.authorities[state.office].epoch:
                raise Violated("I-7", "seats_miscounted", f"{place}: {seat}, sold {sold}, returned {returned}")


def check_holders(nodes: Mapping[str, OfficeNode], central: MemoryCentralStore, ledger: Ledger) -> None:
    """I-9 and I-10: every live ticket is in exactly one office, or in transit to one."""
    places: dict[str, list[str]] = {}
    for office, node in nodes.items():
        for ticket in node.queue.day.tickets.values():
            if ticket.is_open:
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
        day = nodes[token.office].queue.day
        known = day.tickets.get(token.ticket_id)
        if day.is_open and token.ticket_id not in over and (known is None or not known.is_open):
            where = known.state if known is not None else "nowhere"
            raise Violated("I-10", "double_holders", f"{token.ticket_id} is {where} at {token.office}, which holds it")


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
        for fact in log:
            text = bytes(fact.record.body).decode(errors="replace")
            if any(canary in text for canary in CANARIES):
                raise Violated("I-23", "personal_data", f"{key}: {fact.record.header.type} at {fact.record.seq}")
