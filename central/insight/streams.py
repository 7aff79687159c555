"""Live pages of central: one stream of server-sent events that says the whole of what a page shows whenever it changes.

Nothing has to be remembered for a browser that was away: every event is full, its id is the hash of what it says, and a page
that comes back with the id of what it already shows gets only a sign of life. The events are those of `ui/static/js/live.js`.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.response import Stream

from central.exchange.wakes import Wakes, wait_any

BEAT_S = 5.0
"""A page hears from us this often, and so learns within these seconds that an office has fallen silent."""
GATHER_S = 0.05
"""What happens together is told together: a call is two facts."""
RETRY = b"retry: 1000\n\n"
BYE = b"event: bye\ndata: {}\n\n"
HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no", "x-robots-tag": "noindex"}


class Fragment(msgspec.Struct, frozen=True):
    """New content of the element with this id, as the server rendered it."""

    id: str
    html: str


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """All live parts of a page at a moment.

    Args:
        at: the time of the data as people read it.
        title: of the document, when it changes with the data.
        state: attributes of the live part (`data-…`).
    """

    items: tuple[Fragment, ...]
    at: str
    title: str | None = None
    state: Mapping[str, str] = {}

    @property
    def id(self) -> str:
        """Stands for what the frame says, not for when."""
        said = msgspec.json.encode((self.items, self.title, self.state))
        return hashlib.sha256(said).hexdigest()[:16]


Make = Callable[[], Awaitable[Frame]]


async def never() -> bool:
    """A page that follows the same keys as long as it is open."""
    return False


async def follow(
    make: Make,
    changes: Wakes,
    keys: Iterable[str],
    stopping: asyncio.Event,
    seen: str | None,
    *,
    has_left: Callable[[], Awaitable[bool]] = never,
    gather_s: float = GATHER_S,
) -> AsyncGenerator[bytes, None]:
    """The bytes of a stream: a frame whenever it says something else, else a beat, a goodbye when the process stops.

    Args:
        keys: offices whose changes concern the page.
        seen: id of the frame that the page shows already.
        has_left: whether the page should follow other keys by now: the stream ends, and the browser comes back for them.
        gather_s: what happens within this time is told together.
    """
    yield RETRY
    with changes.watch(keys) as news:
        while not stopping.is_set():
            news.clear()
            frame = await make()
            yield _event("beat", {"at": frame.at}) if frame.id == seen else _events(frame)
            seen = frame.id
            if await has_left():
                return
            await wait_any(news, stopping, timeout_s=BEAT_S)
            if news.is_set():
                await asyncio.sleep(gather_s)
    yield BYE


def stream_of(
    request: Request[Any, Any, Any],
    make: Make,
    changes: Wakes,
    keys: Iterable[str],
    stopping: asyncio.Event,
    *,
    has_left: Callable[[], Awaitable[bool]] = never,
    gather_s: float = GATHER_S,
) -> Stream:
    """The response that follows a page."""
    seen = request.query_params.get("last_event_id") or request.headers.get("last-event-id")
    return Stream(
        follow(make, changes, keys, stopping, seen, has_left=has_left, gather_s=gather_s),
        media_type="text/event-stream",
        headers=HEADERS,
    )


def poll_of(frame: Frame) -> Response[bytes]:
    """The same for a page that cannot have the stream."""
    body = {"items": frame.items, "at": frame.at} | ({"title": frame.title} if frame.title else {})
    return Response(msgspec.json.encode(body), media_type="application/json", headers=HEADERS)


def _events(frame: Frame) -> bytes:
    body: dict[str, Any] = {"items": frame.items, "at": frame.at}
    if frame.title:
        body["title"] = frame.title
    state = _event("state", dict(frame.state)) if frame.state else b""
    return state + _event("fragment", body, frame.id)


def _event(name: str, body: Mapping[str, Any], event_id: str = "") -> bytes:
    position = f"id: {event_id}\n" if event_id else ""
    return f"{position}event: {name}\ndata: ".encode("ascii") + msgspec.json.encode(body) + b"\n\n"
