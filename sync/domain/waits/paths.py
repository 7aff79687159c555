"""One random future of a scene: counters fall free, take the smallest rank they may serve, and are busy again.

The choice is that of ``sync.domain.ordering``, on lines that are sorted once: ranks are fixed, so a counter compares the
heads of its lines and nobody scans the room. Besides those who wait there come: people of appointments, people with a head
start, and those who return after a missed call. Others who come later stand behind everybody and are left out.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from math import log

from sync.domain.waits.scene import Coming, Desk, Entry, Scene
from sync.domain.waits.tables import Draw, rest

HORIZON_S = 8 * 3600.0
_NOBODY = Entry(1e12, 0, -1, 0)


class Path:
    """Runs one future. ``starts``: seconds until the call of each ticket and ghost, by ``who``; ``HORIZON_S``: not seen.

    Args:
        durations: of each visit by ``who``, instead of drawn ones: what a test of the choice knows.
    """

    def __init__(self, scene: Scene, draw: Draw, durations: dict[int, float] | None = None) -> None:
        self.scene, self.draw = scene, draw
        self.durations = durations
        count = len(scene.tickets) + len(scene.services)
        self.starts = [HORIZON_S] * count
        self.heads = [0] * scene.lines
        self.late: list[list[Entry]] = [[] for _ in range(scene.lines)]
        """People who joined a line after the scene was made; heaps."""
        self.coming = self._coming()
        self.taken_early: set[int] = set()
        self.idle: list[int] = []
        self.left = count
        self.pauses = self._pauses()

    def run(self) -> list[float]:
        scene, coming, late = self.scene, self.coming, self.late
        free = [(self._free_in(desk), n) for n, desk in enumerate(scene.desks)]
        heapify(free)
        while free and self.left > 0:
            now_s, n = heappop(free)
            if now_s >= HORIZON_S:
                break
            while coming and coming[0][0] <= now_s:
                one = heappop(coming)
                if one.entry.who not in self.taken_early:
                    heappush(late[one.line], one.entry)
            if now_s >= self.pauses[n]:
                self.pauses[n] = HORIZON_S
                heappush(free, (now_s + scene.model.pause_s, n))
                continue
            desk = scene.desks[n]
            entry = self._take(desk, now_s)
            if entry is None:
                wake_s = self._wake(desk, now_s)
                if wake_s is None:
                    self.idle.append(n)
                else:
                    heappush(free, (wake_s, n))
                continue
            busy_s = self._busy(entry, now_s)
            heappush(free, (now_s + busy_s, n))
            if self.idle and coming:
                for other in self.idle:
                    heappush(free, (max(now_s, coming[0][0]), other))
                self.idle = []
        return self.starts

    def _take(self, desk: Desk, now_s: float) -> Entry | None:
        """The choice of a counter, by the three steps of the rule."""
        ready, heads, late = self.scene.ready, self.heads, self.late
        best, best_line = _NOBODY, -1
        for line in desk.primary:
            base, place = ready[line], heads[line]
            if place < len(base) and base[place] < best:
                best, best_line = base[place], line
            if late[line] and late[line][0] < best:
                best, best_line = late[line][0], line
        unripe, unripe_line = _NOBODY, -1
        ripe_before_s = now_s - self.scene.threshold_s
        for line in desk.secondary:
            base, place = ready[line], heads[line]
            head = base[place] if place < len(base) else _NOBODY
            if late[line] and late[line][0] < head:
                head = late[line][0]
            if head.due_s <= ripe_before_s:
                if head < best:
                    best, best_line = head, line
            elif head < unripe:
                unripe, unripe_line = head, line
        if best_line < 0 and self.scene.idle_takes_secondary:
            best, best_line = unripe, unripe_line
        if best_line < 0:
            return self._take_early(desk, now_s)
        place = heads[best_line]
        base = ready[best_line]
        if place < len(base) and base[place] is best:
            heads[best_line] = place + 1
        else:
            heappop(late[best_line])
        return best

    def _take_early(self, desk: Desk, now_s: float) -> Entry | None:
        ripe_before_s = now_s - self.scene.threshold_s
        best: Entry | None = None
        for one in self.scene.early:
            if one.at_s <= now_s or one.entry.who in self.taken_early:
                continue
            mine = one.line in desk.primary or (one.line in desk.secondary and one.entry.due_s <= ripe_before_s)
            if mine and (best is None or one.entry < best):
                best = one.entry
        if best is not None:
            self.taken_early.add(best.who)
        return best

    def _busy(self, entry: Entry, now_s: float) -> float:
        """How long the counter has no time for others; a ghost costs none."""
        scene, model = self.scene, self.scene.model
        if entry.who >= 0:
            self.starts[entry.who] = now_s
            self.left -= 1
            if entry.who >= len(scene.tickets):
                return 0.0
        if self.durations is not None:
            return self.durations[entry.who]
        if self.draw() * 1000 < model.miss_permille:
            self._miss(entry, now_s + model.miss_s)
            return float(model.miss_s + model.between_s)
        table = scene.tables[entry.service]
        return model.walk_up_s + table[int(self.draw() * len(table))] + model.between_s

    def _miss(self, entry: Entry, at_s: float) -> None:
        if self.draw() * 1000 >= self.scene.model.return_permille:
            return
        back_s = at_s + 2 * self.scene.model.return_s * self.draw()
        due_s = entry.due_s if self.scene.keeps_place else max(entry.due_s, back_s)
        heappush(self.coming, Coming(back_s, entry.service, Entry(due_s, entry.order, -1, entry.service)))

    def _wake(self, desk: Desk, now_s: float) -> float | None:
        """When a counter without anybody looks again: somebody comes, or a secondary ticket gets its own."""
        wakes = [self.coming[0][0]] if self.coming else []
        if not self.scene.idle_takes_secondary:
            for line in desk.secondary:
                heads = [*self.scene.ready[line][self.heads[line] :][:1], *self.late[line][:1]]
                wakes += [head.due_s + self.scene.threshold_s for head in heads]
        for one in (
            self.scene.early
        ):  # who came early to a secondary service is this counter's, too, once the place has got old
            ripens_s = one.entry.due_s + self.scene.threshold_s
            if one.line in desk.secondary and now_s < ripens_s < one.at_s and one.entry.who not in self.taken_early:
                wakes.append(ripens_s)
        return max(now_s + 0.001, min(wakes)) if wakes else None

    def _pauses(self) -> list[float]:
        """When each counter is left for a while; ``HORIZON_S``: not on this path."""
        per_s = self.scene.model.pause_per_1000_h / 3.6e6
        if not per_s or self.durations is not None:
            return [HORIZON_S] * len(self.scene.desks)
        return [-log(1 - self.draw()) / per_s if desk.fresh else HORIZON_S for desk in self.scene.desks]

    def _free_in(self, desk: Desk) -> float:
        model, draw = self.scene.model, self.draw
        if self.durations is not None:
            return HORIZON_S if desk.state == "away" else 0.0
        if desk.state == "idle":
            return 0.0
        if desk.state == "away":
            comes_back = draw() * 1000 < model.pause_back_permille
            return max(60.0 * draw(), model.pause_s - desk.elapsed_s) if comes_back else HORIZON_S
        if desk.state == "serving":
            return rest(self.scene.tables[desk.service], desk.elapsed_s, draw) + model.between_s
        if draw() * 1000 < model.miss_permille or desk.elapsed_s > 3 * model.walk_up_s + model.miss_s:
            return max(5.0, model.miss_s - desk.elapsed_s) + model.between_s
        table = self.scene.tables[desk.service]
        walk_s = max(5.0, model.walk_up_s - desk.elapsed_s)
        return walk_s + table[int(draw() * len(table))] + model.between_s

    def _coming(self) -> list[Coming]:
        """Everybody who joins a line later on this path, as a heap."""
        scene, draw = self.scene, self.draw
        coming = list(scene.early)
        coming += (b.cases[int(draw() * len(b.cases))] for b in scene.bookings if draw() < b.chance)
        for who in scene.head_started:
            at_s = -log(1 - draw()) / who.per_s
            while at_s < 2 * who.head_start_s:
                coming.append(Coming(at_s, who.line, Entry(at_s - who.head_start_s, 1 << 30, -1, who.line)))
                at_s -= log(1 - draw()) / who.per_s
        for missed in scene.missed:
            span_s = 2.0 * scene.model.return_s
            if missed.elapsed_s < span_s and draw() * 1000 < scene.model.return_permille:
                back_s = (span_s - missed.elapsed_s) * draw()
                entry = missed.entry if scene.keeps_place else missed.entry._replace(due_s=back_s)
                coming.append(Coming(back_s, missed.line, entry))
        heapify(coming)
        return coming
