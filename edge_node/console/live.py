"""Live news for open pages: one event per change, over server-sent events.

An event's id is ``{epoch}-{seq}`` of its fact, so that a browser that was away asks for what it missed (``Last-Event-ID``).
What can no longer be told one by one is told as ``reset``: read the queue again. News that is in no journal (``devices``,
``link``, ``agenda``, ``waits``) has no id. An event is encoded once for all streams; a stream that does not keep up is told
``reset`` instead of what it missed. ``beat`` is a sign of life, ``bye`` the end: come back by yourself.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Any

import msgspec

from edge_node.metrics import Metrics
from edge_node.queue.journal import Entry, PendingPrint
from edge_node.queue.state import OfficeState
from sync.io.waiting import set_within
from sync.messages import codec

REMEMBERED = 1000
STREAM_MAX = 200
BEAT_S = 8
HELLO = b"retry: 1000\n\n"


class News(msgspec.Struct, frozen=True):
    """One event: a fact's type, or what the node itself tells; ``sse`` is all of it as it goes over the wire."""

    event: str
    body: dict[str, Any]
    sse: bytes


def news(event: str, body: dict[str, Any], event_id: str | None = None) -> News:
    """An event, encoded."""
    position = f"id: {event_id}\n" if event_id else ""
    return News(event, body, f"{position}event: {event}\ndata: ".encode("ascii") + codec.encode(body) + b"\n\n")


TOLD = ("ticket_id", "session", "counter", "from_session", "from_counter", "support_id", "urgency")
"""Fields of facts that news carry, where a fact has them."""
BEAT = news("beat", {})
BYE = news("bye", {})


class Live:
    """All live streams of this node."""

    def __init__(self, state: Callable[[], OfficeState], metrics: Metrics) -> None:
        self._state = state
        self._metrics = metrics
        self._recent: deque[Entry] = deque(maxlen=REMEMBERED)
        self._streams: set[_Stream] = set()
        self._closed = False

    def committed(self, entries: Sequence[Entry], _prints: Sequence[PendingPrint]) -> None:
        self._recent.extend(entries)
        if self._streams:
            for each in entries:
                self._send(self._news_of(each))

    def restored(self) -> None:
        self._recent.clear()
        self._send(self._reset())

    def tell(self, event: str, body: dict[str, Any]) -> None:
        """News that stands in no journal."""
        if self._streams:
            self._send(news(event, body))

    def close(self) -> None:
        """End every stream, now and from now on."""
        self._closed = True
        for stream in self._streams:
            stream.end()

    async def follow(self, last_event_id: str | None = None) -> AsyncGenerator[tuple[News, ...], None]:
        """What was missed since ``last_event_id``, then the news as it comes; an empty tuple is a sign of life.

        A follower that names no position is told ``reset`` with the present one. Ends when the node stops.
        """
        stream = _Stream(self._reset)
        self._streams.add(stream)
        self._metrics.sse_streams.set(len(self._streams))
        try:
            yield tuple(self._missed(last_event_id))
            while not self._closed:
                fresh = await stream.next()
                if fresh is None:
                    return
                yield fresh
        finally:
            self._streams.discard(stream)
            self._metrics.sse_streams.set(len(self._streams))

    async def stream(self, last_event_id: str | None) -> AsyncGenerator[bytes, None]:
        """The same as the bytes of one stream of server-sent events."""
        yield HELLO
        async for fresh in self.follow(last_event_id):
            yield b"".join(each.sse for each in fresh) or BEAT.sse
        yield BYE.sse

    def _send(self, fresh: News) -> None:
        for stream in self._streams:
            stream.put(fresh)

    def _missed(self, last_event_id: str | None) -> list[News]:
        tail = self._state().tail
        epoch, _, seq = (last_event_id or "").partition("-")
        if not seq.isdecimal() or epoch != str(tail.epoch) or int(seq) > tail.seq:
            return [self._reset()]
        behind = tail.seq - int(seq)
        if behind > len(self._recent):
            return [self._reset()]
        return [self._news_of(each) for each in list(self._recent)[len(self._recent) - behind :]]

    def _reset(self) -> News:
        tail = self._state().tail
        return news("reset", {"seq": tail.seq}, f"{tail.epoch}-{tail.seq}")

    def _news_of(self, each: Entry) -> News:
        header, fact = each.header, each.fact
        body: dict[str, Any] = {"seq": header.seq, "at": header.occurred_at, "actor_id": header.actor_id}
        for name in TOLD:
            if (value := getattr(fact, name, None)) is not None:
                body[name] = value
        if ticket := self._state().day.tickets.get(body.get("ticket_id", "")):
            body |= {"label": ticket.label, "state": ticket.state, "service": ticket.service}
        return news(header.type, body, f"{header.epoch}-{header.seq}")


class _Stream:
    """One open stream's events on their way; bounded."""

    def __init__(self, reset: Callable[[], News]) -> None:
        self._reset = reset
        self._events: list[News] = []
        self._wake = asyncio.Event()
        self._ended = False

    def put(self, fresh: News) -> None:
        if len(self._events) >= STREAM_MAX:
            self._events.clear()
            fresh = self._reset()
        self._events.append(fresh)
        self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    async def next(self) -> tuple[News, ...] | None:
        """What has come since the last time; nothing when nothing has for a while; None at the end."""
        if not await set_within(self._wake, BEAT_S):
            return ()
        if self._ended:
            return None
        self._wake.clear()
        fresh = tuple(self._events)
        self._events.clear()
        return fresh
