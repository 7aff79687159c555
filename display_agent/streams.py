"""The live streams of the pages that show this display.

Usually there is one. A page that reads too slowly is sent away; it comes back and gets the whole view. Only the page that came
last is given sounds: a room hears each call once, however many browsers look on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import msgspec

MAILBOX_MAX = 64


class Event(msgspec.Struct, frozen=True):
    """A server-sent event: its name and its data as JSON text."""

    name: str
    data: str


class Streams:
    """Hands events to all open pages.

    Args:
        greet: gives the events that a page needs when it comes.
        on_silence: told when the page that is given sounds has gone; nobody will say when the last one ends.
    """

    def __init__(self, greet: Callable[[], list[Event]], on_silence: Callable[[], None]) -> None:
        self._greet = greet
        self._on_silence = on_silence
        self._mailboxes: list[asyncio.Queue[Event | None]] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._mailboxes)

    def send(self, event: Event) -> None:
        """Give an event to every page."""
        for mailbox in list(self._mailboxes):
            self._post(mailbox, event)

    def send_to_speaker(self, event: Event) -> None:
        """Give an event to the page that came last."""
        if self._mailboxes:
            self._post(self._mailboxes[-1], event)

    def close(self) -> None:
        """End all streams, and those that come from now on at once."""
        self._closed = True
        for mailbox in list(self._mailboxes):
            self._dismiss(mailbox)

    async def events(self) -> AsyncIterator[Event]:
        """The stream of one page, from now until it goes or is sent away."""
        mailbox: asyncio.Queue[Event | None] = asyncio.Queue(MAILBOX_MAX + 1)
        if not self._closed:
            self._mailboxes.append(mailbox)
            for event in self._greet():
                mailbox.put_nowait(event)
        else:
            mailbox.put_nowait(None)
        try:
            while (event_or_end := await mailbox.get()) is not None:
                yield event_or_end
        finally:
            if mailbox in self._mailboxes:
                self._leave(mailbox)

    def _post(self, mailbox: asyncio.Queue[Event | None], event: Event) -> None:
        if mailbox.qsize() < MAILBOX_MAX:
            mailbox.put_nowait(event)
        else:
            self._dismiss(mailbox)

    def _dismiss(self, mailbox: asyncio.Queue[Event | None]) -> None:
        self._leave(mailbox)
        mailbox.put_nowait(None)

    def _leave(self, mailbox: asyncio.Queue[Event | None]) -> None:
        spoke = mailbox is self._mailboxes[-1]
        self._mailboxes.remove(mailbox)
        if spoke:
            self._on_silence()
