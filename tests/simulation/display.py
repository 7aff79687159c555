"""An office's display in the simulator: the production's board keeper and announcer, behind a broker and a lossy LAN.

Every node of the office, the replaced ones that live on too, tells the broker what it would show. The broker keeps the last
board; the display may get each one twice, late or never, starts anew now and then, and is checked at every step (I-22).
"""

from __future__ import annotations

from collections import Counter
from random import Random

from display_agent.announce import Announcer
from display_agent.board import BoardKeeper, CallMark, version
from sync.domain.board import board
from sync.messages.topics import CALL_SOUND_MAX_AGE_S, Board, WaitRange
from tests.kit.lossy_link import LossyLink
from tests.simulation.clockwork import Clockwork
from tests.simulation.ledger import Violated
from tests.simulation.office import OfficeNode
from tests.simulation.queue import Queue

MS_NS = 1_000_000
RESTARTS = 0.05
LATEST_MS = 2_100
"""A live board of the LAN's link travels this long at most: so much older a call may really be than the display thinks."""


class Display:
    """One screen of an office."""

    def __init__(self, office: str, clockwork: Clockwork, rng: Random, link: LossyLink, counted: Counter[str]) -> None:
        self._office = office
        self._clockwork = clockwork
        self._rng = rng
        self._link = link
        self._retained: Board | None = None
        self._beats: dict[tuple[int, int], int] = {}
        self._called: dict[tuple[str, str], tuple[object, int]] = {}
        """By which run of a node each announcement was first told, and when by the world's own time."""
        self._counted = counted
        self._sounded: set[CallMark] = set()
        self._shown = (0, 0, 0)
        self._keeper = BoardKeeper(self._now_ns)
        self._announcer = Announcer()

    @property
    def _now_ns(self) -> int:
        return self._clockwork.now_ms * MS_NS

    def told_by(self, node: OfficeNode) -> None:
        """A node tells the broker what there is to show, after an act or as a beat."""
        queue = node.queue
        if not node.up or not queue.has_authority or node.store.fence:
            return
        made = self._board_of(queue)
        for call in (*made.calls, *made.recent):
            key = (call.ticket_id, call.announcement)
            told_by, _at_ms = self._called.setdefault(key, ((queue, queue.run), self._clockwork.now_ms))
            if told_by != (
                queue,
                queue.run,
            ):  # a clock may have been set while nobody ran: how old its calls are nobody knows
                self._called[key] = (None, 0)
        self._retained = made
        for delay_ms in self._link.carry("down"):
            self._clockwork.after(delay_ms, lambda: self._receive(made, retained=False))

    def may_start_anew(self) -> None:
        """Now and then the display's process starts: it remembers the epoch and what it sounded, and gets what the broker keeps."""
        if self._rng.random() >= RESTARTS:
            return
        self._keeper = BoardKeeper(self._now_ns, self._keeper.epoch)
        self._announcer = Announcer(self._sounded)
        if self._retained is not None:
            self._receive(self._retained, retained=True)

    def _board_of(self, queue: Queue) -> Board:
        day = queue.day
        beat = self._beats[day.epoch, day.seq] = self._beats.get((day.epoch, day.seq), -1) + 1
        nothing: dict[str, WaitRange | None] = dict.fromkeys(queue.catalogue.services)
        return board(day, queue.catalogue.office.zones[0], queue.catalogue, queue.now(), beat, waits=nothing)

    def _receive(self, told: Board, *, retained: bool) -> None:
        if self._keeper.receive(told, retained=retained, now_ns=self._now_ns) == "taken":
            if version(told) < self._shown:
                raise Violated("I-22", "stale_display", f"{self._office}: {version(told)} after {self._shown}")
            self._shown = version(told)
            self.look()

    def look(self) -> None:
        """What is lit and what sounds at this moment."""
        view = self._keeper.view(self._now_ns)
        for call in (view.main, *view.rows):
            if call is not None and call.fresh:
                self._check_age(call.mark, "is lit")
        heard = self._announcer.take(self._keeper.audible(self._now_ns), "ar", self._now_ns)
        if heard is None:
            return
        self._check_age(heard.mark, "sounds")
        if heard.mark in self._sounded:
            raise Violated("I-22", "stale_display", f"{self._office}: {heard.mark.announcement} sounds again")
        self._sounded.add(heard.mark)
        if self._rng.random() < 0.7:
            self._announcer.finish()

    def _check_age(self, mark: CallMark, what: str) -> None:
        told_by, at_ms = self._called[mark.ticket_id, mark.announcement]
        if told_by is None:
            return
        self._counted["calls_shown"] += 1
        age_ms = self._clockwork.now_ms - at_ms
        if age_ms > CALL_SOUND_MAX_AGE_S * 1000 + LATEST_MS:
            raise Violated("I-22", "stale_display", f"{self._office}: {mark.announcement} {what} after {age_ms} ms")
