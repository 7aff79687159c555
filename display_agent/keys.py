"""Short names for announcements, so that no ticket's id reaches the browser. Good for one start of the process."""

from __future__ import annotations

from display_agent.board import CallMark

KEYS_MAX = 500


class Keys:
    """Names marks and finds them again; the oldest are forgotten.

    Args:
        start: names this start of the process, so that a page from before it cannot mean another call.
    """

    def __init__(self, start: str) -> None:
        self._start = start
        self._by_mark: dict[CallMark, str] = {}
        self._by_key: dict[str, CallMark] = {}
        self._count = 0

    def key_of(self, mark: CallMark) -> str:
        """The mark's name, made when it has none."""
        key = self._by_mark.get(mark)
        if key is None:
            self._count += 1
            key = f"{self._start}.{self._count}"
            self._by_mark[mark], self._by_key[key] = key, mark
            if len(self._by_mark) > KEYS_MAX:
                del self._by_key[self._by_mark.pop(next(iter(self._by_mark)))]
        return key

    def mark_of(self, key: str) -> CallMark | None:
        """The mark with this name; none for a name from another start."""
        return self._by_key.get(key)
