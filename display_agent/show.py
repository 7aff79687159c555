"""The display at work: boards in, views and sounds out, proofs back. Holds no rule of its own.

Every input (a board, a report of the page, a tick) ends in `refresh`: the view is computed anew, sent when it changed, then the
next sound is looked for. The tick also sends the page its heartbeat, so that a page hears it when this process hangs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import structlog

from display_agent.announce import Announcer
from display_agent.board import BoardKeeper, View
from display_agent.keys import Keys
from display_agent.link import EdgeLink
from display_agent.phrases import KeyOf, PageView, Phrases
from display_agent.proof import ProofKeeper, SoundState
from display_agent.spool import Spool
from display_agent.streams import Event, Streams
from display_agent.voice import Voice
from sync.io.clock import Clock, truncate
from sync.messages.codec import encode
from sync.messages.topics import Board, DeviceConfig, Epoch

TICK_S = 0.25
BEAT_EVERY = 8  # two seconds
FORGET_EVERY = 4 * 3600  # an hour
PhrasesFor = Callable[[DeviceConfig, KeyOf], Phrases]

log = structlog.get_logger(__name__)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """How this display is, for people who run it and for tests."""

    view: PageView
    zone: str
    epoch: int
    connected: bool
    pages: int
    pending_acks: int
    sounded: int
    refused: dict[str, int]


class Show:
    """Everything that a display knows while it runs. Made by `start_show`."""

    def __init__(
        self,
        link: EdgeLink,
        spool: Spool,
        clock: Clock,
        *,
        config: DeviceConfig,
        phrases_for: PhrasesFor,
        keys: Keys,
        keeper: BoardKeeper,
        announcer: Announcer,
        proofs: ProofKeeper,
    ) -> None:
        self._link = link
        self._spool = spool
        self._clock = clock
        self.config = config
        self._phrases_for = phrases_for
        self.voice = Voice()
        self._keys = keys
        self._keeper = keeper
        self._announcer = announcer
        self._proofs = proofs
        self._phrases = phrases_for(config, keys.key_of)
        self._view = keeper.view(clock.monotonic_ns())
        self.page_view = self._phrases.page_view(self._view)
        self.streams = Streams(self._greet, announcer.finish)
        self._sounded = 0
        self._kept_epoch = keeper.epoch

    async def follow_edge(self) -> None:
        """Take what the edge says, for ever."""
        async for reading, message in self._link.readings():
            match reading:
                case Board():
                    self._take_board(reading, message.topic, retained=message.retained)
                case Epoch():
                    await self._take_epoch(reading.epoch)
                case DeviceConfig():
                    await self._take_config(reading)
            await self.refresh()

    async def keep_time(self) -> None:
        """Let views grow old, and beat; for ever."""
        ticks = 0
        while True:
            await asyncio.sleep(TICK_S)
            ticks += 1
            await self.refresh()
            if ticks % BEAT_EVERY == 0:
                self.streams.send(Event("beat", "{}"))
            if ticks % FORGET_EVERY == 0:
                await self._spool.forget()

    async def painted(self, keys: list[str]) -> None:
        """The page has these announcements on the glass."""
        now_ns = self._clock.monotonic_ns()
        audible = self._keeper.audible(now_ns)
        shown_at = self._clock.now() if audible is None else audible.now
        to_hear = audible.marks if audible is not None and self.config.chime else frozenset()
        for mark in filter(None, map(self._keys.mark_of, keys)):
            self._proofs.paint(mark, truncate(shown_at), now_ns, sound_expected=mark in to_hear)
        await self._prove()

    async def heard(self, key: str, state: SoundState) -> None:
        """The page plays a sound, has played it, or could not."""
        mark = self._keys.mark_of(key)
        if mark is None:
            return
        if state != "playing":
            self._announcer.finish()
        if state == "failed":
            log.warning("sound.failed", ticket_id=mark.ticket_id, recalls=mark.recalls)
        self._proofs.hear(mark, state)
        await self.refresh()

    async def refresh(self) -> None:
        """Send what changed; sound what is next; prove what is complete."""
        view = self._keeper.view(self._clock.monotonic_ns())
        if view != self._view:
            self._tell_state(view)
            self._view = view
            self._send_view()
        await self._sound()
        await self._prove()

    def operation(self) -> Operation:
        return Operation(
            view=self.page_view,
            zone=self.config.zone,
            epoch=self._keeper.epoch,
            connected=self._link.connected,
            pages=len(self.streams),
            pending_acks=self._link.pending_acks,
            sounded=self._sounded,
            refused=dict(self._link.refused),
        )

    def _greet(self) -> list[Event]:
        return [_view_event(self.page_view)]

    def _send_view(self) -> None:
        self.page_view = self._phrases.page_view(self._view)
        self.streams.send(_view_event(self.page_view))

    def _take_board(self, board: Board, topic: str, *, retained: bool) -> None:
        if board.zone != self.config.zone:
            return
        outcome = self._keeper.receive(board, retained=retained, now_ns=self._clock.monotonic_ns())
        if outcome != "taken":
            self._link.refuse(outcome, topic)

    async def _take_epoch(self, epoch: int) -> None:
        self._keeper.raise_epoch(epoch, self._clock.monotonic_ns())
        if self._keeper.epoch > self._kept_epoch:
            self._kept_epoch = self._keeper.epoch
            log.info("epoch.raised", epoch=self._kept_epoch)
            await self._spool.keep("epoch", encode(self._kept_epoch))

    async def _take_config(self, config: DeviceConfig) -> None:
        if config == self.config:
            return
        zone_changed = config.zone != self.config.zone
        self.config = config
        self._phrases = self._phrases_for(config, self._keys.key_of)
        if zone_changed:
            self._keeper = BoardKeeper(self._clock.monotonic_ns(), self._keeper.epoch)
        self._view = self._keeper.view(self._clock.monotonic_ns())
        self._send_view()
        await self._spool.keep("config", encode(config))

    async def _sound(self) -> None:
        if not self.config.chime or len(self.streams) == 0:
            return
        now_ns = self._clock.monotonic_ns()
        announcement = self._announcer.take(self._keeper.audible(now_ns), self.config.second_language, now_ns)
        if announcement is None:
            return
        await self._spool.mark_sounded(announcement.mark)
        self._sounded += 1
        sound = {"key": self._keys.key_of(announcement.mark), "clips": self.voice.names(announcement)}
        self.streams.send_to_speaker(Event("sound", encode(sound).decode()))

    async def _prove(self) -> None:
        for proof in self._proofs.take(self._clock.monotonic_ns()):
            await self._link.prove(proof)

    def _tell_state(self, view: View) -> None:
        if view.state != self._view.state:
            log.info("screen.state", state=view.state, before=self._view.state)


async def start_show(
    link: EdgeLink, spool: Spool, clock: Clock, *, first_config: DeviceConfig, phrases_for: PhrasesFor, start: str
) -> Show:
    """A display with all that it remembers.

    Args:
        first_config: used until the edge has sent one for the first time.
        start: names this start of the process in the keys of announcements.
    """
    remembered = await spool.remembered()
    return Show(
        link,
        spool,
        clock,
        config=await spool.kept("config", DeviceConfig) or first_config,
        phrases_for=phrases_for,
        keys=Keys(start),
        keeper=BoardKeeper(clock.monotonic_ns(), await spool.kept("epoch", int) or 0),
        announcer=Announcer(remembered.sounded),
        proofs=ProofKeeper(remembered.proven),
    )


def _view_event(view: PageView) -> Event:
    return Event("view", encode(view).decode())
