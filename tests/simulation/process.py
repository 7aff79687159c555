"""A process in virtual time: what it wanted to do later dies with it, and waits while it is stopped."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.clockwork import Clockwork


class Process:
    """What central and a node have in common. ``up`` means that it runs now."""

    def __init__(self, clockwork: Clockwork, name: str) -> None:
        self._clockwork = clockwork
        self._name = name
        self._life = 0
        self._paused = False
        self._late: list[Callable[[], None]] = []
        self.up = False

    def _begin(self) -> None:
        """A new process."""
        self._life += 1
        self.up, self._paused = True, False

    def _end(self) -> None:
        """The process is gone, with all that it wanted to do."""
        self._clockwork.trace(f"{self._name} crashes")
        self._life += 1
        self.up = self._paused = False
        self._late.clear()

    def pause(self, lasts_ms: int) -> None:
        """Stop it where it is, as SIGSTOP does: it goes on with all that came and became due meanwhile."""
        if not self.up:
            return
        self._clockwork.trace(f"{self._name} is stopped for {lasts_ms} ms")
        self.up, self._paused, life = False, True, self._life
        self._clockwork.after(lasts_ms, lambda: self.go_on() if life == self._life else None)

    def go_on(self) -> None:
        """Let a stopped process run again."""
        if not self._paused:
            return
        self._clockwork.trace(f"{self._name} goes on")
        self.up, self._paused = True, False
        late, self._late = self._late, []
        for action in late:
            action()

    def _is_held(self, action: Callable[[], None]) -> bool:
        """Whether the process is stopped: then it does this when it goes on."""
        if self._paused:
            self._late.append(action)
        return self._paused

    def _soon(self, delay_ms: float, action: Callable[[], None]) -> None:
        """Do something later, if this process lives then."""
        life = self._life

        def due() -> None:
            if life != self._life:
                return
            if self._paused:
                self._late.append(due)
            else:
                action()

        self._clockwork.after(delay_ms, due)
