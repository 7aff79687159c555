"""A kiosk in the simulator: the production's screen machine and rules of numbers, a spool that survives its restarts, and a LAN that
loses messages or is cut.

A person takes a ticket. The kiosk asks its node three times, a second apart; then, or at once when the node was silent for ten
seconds, it gives a number of its own under the same request, and tells the node when it can. A node of a later epoch is told of all
paper that came out here today. What is judged: no label on two papers, one paper for a request, and after the heal every paper has
its ticket in the queue (``Ledger``, ``check_papers``).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from datetime import date, datetime, timedelta
from random import Random

import msgspec

from kiosk_agent import machine
from kiosk_agent.machine import Give, Kiosk, Offer, Print, Send
from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.telling import NOT_NOW
from sync.domain.reserve import next_reserved
from sync.domain.service_day import ends_at, service_date, starts_at
from sync.messages import topics as t
from sync.messages.facts import ReserveGranted
from tests.simulation import kiosk_desk
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Ledger, Paper
from tests.simulation.office import OfficeNode
from tests.simulation.people import SERVICES
from tests.simulation.queue import ZONE

ATTEMPTS, ATTEMPT_MS = 3, 1_000
WANTED = 0.12
"""How often somebody stands at a kiosk that is looked at."""
LOOK_AGAIN_MS = 2_000


class SimKiosk:
    """One kiosk of an office.

    Args:
        node: the office's present node.
        lost: how often a message of the LAN is lost.
    """

    def __init__(
        self,
        *,
        office: str,
        device: str,
        clockwork: Clockwork,
        node: Callable[[], OfficeNode],
        lost: float,
        ledger: Ledger,
        counted: Counter[str],
    ) -> None:
        self.office = office
        self.device = device
        self.lost = lost
        self.cut_until_ms = 0
        self._node = node
        self._clockwork = clockwork
        self._rng: Random = clockwork.fork(f"kiosk/{office}/{device}")
        self._ledger = ledger
        self._counted = counted
        self.note_heard: Callable[[OfficeNode], None] = lambda node: None
        """Called when it has heard its node: it has seen the place that boards name, which go out before any answer."""
        self.note_printed: Callable[[str, int], None] = lambda series, number: None
        """Called with each label on paper: a new node asks all kiosks before it gives any."""
        self._life = 0
        self._said: t.HeldNumbers | None = None
        """What it says of its numbers, until that changes."""
        self._day = (self._now, self._now, date.min)
        """From when until when it is which service day, as far as it was asked."""
        self._silent_since_ms: int | None = 0
        # the spool: what survives a restart
        self._open: t.KioskTakeTicket | None = None
        self._block: ReserveGranted | None = None
        self._seen: dict[str, int] = {}
        self._untold: deque[tuple[t.KioskTellReserved, datetime]] = deque()
        self._papers: list[tuple[t.Slip, datetime]] = []
        self._epoch = 1
        self._retelling: deque[tuple[t.KioskTellPrinted, datetime]] = deque()
        self.screen = self._fresh()

    def _fresh(self) -> Kiosk:
        return Kiosk(services=SERVICES, languages=("es",))

    # life

    def live(self) -> None:
        """A moment of its day: what it hears, what it has to tell, and perhaps somebody who wants a ticket."""
        self._listen()
        self.tell()
        if self._rng.random() < WANTED:
            self._somebody_comes()

    def restart(self) -> None:
        """The kiosk's process starts anew from its spool, and goes on with the request of who stands there."""
        self._life += 1
        self.screen, self._silent_since_ms = self._fresh(), self._clockwork.now_ms
        if self._open is not None:
            self.screen = machine.resume(self.screen, self._open, now_s=self._now_s).kiosk
            self._attempt(self._open, ATTEMPTS)

    def heal(self) -> None:
        """The LAN loses nothing any more; what is left to tell is told."""
        self.lost, self.cut_until_ms = 0.0, 0
        self._look()

    def _look(self) -> None:
        self._listen()
        self.tell()
        self._clockwork.after(LOOK_AGAIN_MS, self._look)

    @property
    def left(self) -> str:
        """What it has not told yet; empty when all is told."""
        if self._node().epoch > self._epoch:
            return f"{self.office} {self.device}: has not heard of its node"
        count = len(self._untold) + len(self._retelling) + (self._open is not None)
        return f"{self.office} {self.device}: {count} to tell" if count else ""

    # what it hears

    def _reaches(self) -> bool:
        return self._clockwork.now_ms >= self.cut_until_ms

    def _listen(self) -> None:
        """Board, epoch and config are retained and said again, so one look stands for many; then the status goes out."""
        node = self._node()
        if not (self._reaches() and node.speaks and node.epoch >= self._epoch):
            self._silence()
            return
        self._silent_since_ms = None
        self.note_heard(node)
        self._stands(heard=True, reserve="none")
        if node.epoch > self._epoch:
            self._epoch = node.epoch
            self._begin_retelling()
        if self._rng.random() >= self.lost:
            node.do_here(lambda: kiosk_desk.hear_status(node, self.device, self._held()))
        if self._rng.random() >= self.lost and (block := kiosk_desk.block_of(node, self.device)) is not None:
            self._block = block

    def _silence(self) -> None:
        now_ms = self._clockwork.now_ms
        if self._silent_since_ms is None:
            self._silent_since_ms = self._node().silent_since_ms if not self._node().speaks else now_ms
        if now_ms - self._silent_since_ms >= t.BOARD_STALE_S * 1000:
            self._stands(heard=False, reserve="ready" if self._next() is not None else "used_up")

    def _stands(self, *, heard: bool, reserve: s.Stands) -> None:
        """Tell the screen what has changed."""
        if heard != self.screen.edge_heard:
            self._show(e.EdgeHeard(heard))
        if reserve != self.screen.reserve:
            self._show(e.ReserveStands(reserve))

    def _held(self) -> t.HeldNumbers:
        block, today, untold = self._block, self._today, len(self._untold)
        series, last = (block.series, block.last) if block is not None else (None, 0)
        said = self._said
        if said is None or (said.service_date, said.series, said.last, said.untold) != (today, series, last, untold):
            highest = dict(sorted(self._seen.items()))
            said = t.HeldNumbers(service_date=today, series=series, last=last, highest=highest, untold=untold)
            self._said = said
        return said

    # tickets

    def _somebody_comes(self) -> None:
        if isinstance(self.screen.screen, s.Asking):
            return
        self._show(e.StartOver())
        self._show(e.WithoutAppointment())
        self._show(e.ChooseService(self._rng.choice(SERVICES)))
        self._show(e.TakeTicket(self._clockwork.new_id(), self._offer()))

    def _show(self, event: e.Event) -> None:
        """One event of the screen's machine: keep what it gives, then do it."""
        after = machine.step(self.screen, event, now_s=self._now_s, device=self.device)
        self.screen = after.kiosk
        for effect in after.effects:
            if isinstance(effect, Send):
                assert isinstance(effect.command, t.KioskTakeTicket)
                self._open = effect.command
                self._attempt(effect.command, ATTEMPTS)
            elif isinstance(effect, Give):
                self._counted["reserve_given"] += 1
                self._untold.append((effect.told, self._now))
                self._print(effect.slip)
            elif isinstance(effect, Print):
                self._print(effect.slip)

    def _print(self, slip: t.Slip) -> None:
        self._papers.append((slip, self._now))
        series, number = slip.label[0], int(slip.label[1:])
        self._seen[series] = max(number, self._seen.get(series, 0))
        self._said = None
        self.note_printed(series, number)
        self._counted["kiosk_papers"] += 1
        self._clockwork.trace(f"{self.office} {self.device} prints {slip.label}")
        self._ledger.note_paper(
            Paper(office=self.office, service_date=self._today, label=slip.label, ticket_id=slip.ticket_id)
        )

    def _attempt(self, command: t.KioskTakeTicket, left: int) -> None:
        life = self._life
        if left == 0:
            self._open = None
            self._show(e.NoReply(command.request_id, command, self._offer()))
            return
        reply = self._ask(command)
        if reply is not None and not (reply.refusal is not None and reply.refusal.code == "retry"):
            self._open = None
            self._show(e.Replied(reply, "ticket"))
            return
        self._clockwork.after(ATTEMPT_MS, lambda: self._attempt(command, left - 1) if life == self._life else None)

    def _next(self) -> int | None:
        block = self._block
        return next_reserved(block, self._seen.get(block.series, 0), self._today) if block is not None else None

    def _offer(self) -> Offer | None:
        number, block = self._next(), self._block
        if number is None or block is None:
            return None
        return Offer(
            telling_id=self._clockwork.new_id(),
            service_date=block.service_date,
            series=block.series,
            number=number,
            follow_code=bytes(t.FOLLOW_CODE_BYTES),
            issued_at=self._now,
            office_name="",
            names={service: {"es": service} for service in SERVICES},
            zones=dict.fromkeys(SERVICES, "a"),
            public_url="",
        )

    # what it tells

    def tell(self) -> None:
        """One after the other, each until it is answered for good."""
        for queue in (self._untold, self._retelling):
            while queue:
                told, at = queue[0]
                reply = self._ask(msgspec.structs.replace(told, elapsed_ms=kiosk_desk.since(at, self._now)))
                if reply is None or (reply.refusal is not None and reply.refusal.code in NOT_NOW):
                    break
                queue.popleft()
                self._counted["kiosk_told"] += 1
                if reply.refusal is not None:
                    self._ledger.note_refused(self.office, f"{told.series}{told.number}", reply.refusal.code)

    def _begin_retelling(self) -> None:
        """A new node is told, from the start, of all paper that came out here."""
        self._retelling = deque(
            (
                t.KioskTellPrinted(
                    request_id=self._clockwork.new_id(),
                    ticket_id=slip.ticket_id,
                    device=self.device,
                    service=slip.service or SERVICES[0],
                    service_date=self._today,
                    series=slip.label[0],
                    number=int(slip.label[1:]),
                    elapsed_ms=0,
                ),
                at,
            )
            for slip, at in self._papers
        )

    def _ask(self, message: kiosk_desk.Asked) -> t.KioskReply | None:
        """The reply, if question and answer come through; a question may come twice."""
        node = self._node()
        if not (self._reaches() and node.speaks) or node.epoch < self._epoch or self._rng.random() < self.lost:
            return None
        reply = node.do_here(lambda: kiosk_desk.answer(node, message))
        if self._rng.random() < self.lost and self._node().speaks:
            node.do_here(lambda: kiosk_desk.answer(node, message))
        if reply is None or self._rng.random() < self.lost:
            return None
        self.note_heard(node)
        return reply

    # time

    @property
    def _now(self) -> datetime:
        return self._clockwork.began_at + timedelta(milliseconds=self._clockwork.now_ms)

    @property
    def _now_s(self) -> float:
        return self._clockwork.now_ms / 1000

    @property
    def _today(self) -> date:
        now = self._now
        if not self._day[0] <= now < self._day[1]:
            today = service_date(now, ZONE)
            self._day = (starts_at(today, ZONE), ends_at(today, ZONE), today)
        return self._day[2]
