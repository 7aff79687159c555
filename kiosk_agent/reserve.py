"""The kiosk's reserve at work: what may be given now, and the telling of what was given until the edge has taken it.

A block is the office's word, kept with its config; the numbers that have left this kiosk are in the spool, written with each
ticket. So a restart, an old config or a block that comes twice give no number twice. Tickets are told one after the other in
the order in which they were given, each until a reply names it: a refusal that may pass is asked again, any other is kept
for the staff to see. What nobody took in two days is dropped with everything else of that age.
"""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
import structlog

from kiosk_agent.link import EdgeLink
from kiosk_agent.machine import Offer
from kiosk_agent.machine.screens import Stands
from kiosk_agent.spool import Seen, Spool, Taken
from kiosk_agent.telling import FIRST_PAUSE_S, Teller
from sync.domain.reserve import next_reserved
from sync.domain.service_day import service_date
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.messages.codec import decode, encode
from sync.messages.facts import ReserveGranted
from sync.messages.topics import (
    FOLLOW_CODE_BYTES,
    DeviceConfig,
    HeldNumbers,
    KioskReply,
    KioskTellReserved,
    ReserveBlock,
    Slip,
)

SHOW_REFUSED = timedelta(hours=24)

log = structlog.get_logger(__name__)


class Reserve:
    """One kiosk's reserve.

    Attributes:
        numbers: what the edge is told with the status.
    """

    def __init__(self, spool: Spool, clock: Clock, device: str) -> None:
        self._spool = spool
        self._clock = clock
        self._device = device
        self._config: DeviceConfig | None = None
        self._block: ReserveBlock | None = None
        """The last that was granted; it stays known when the office's day is closed."""
        self._zone: ZoneInfo | None = None
        self._wake = asyncio.Event()
        self._teller = Teller()
        self.numbers = HeldNumbers()

    async def load(self) -> None:
        """Take up what an earlier run held."""
        kept = await self._spool.kept("block")
        self._block = decode(kept, ReserveBlock) if kept is not None else None

    async def configured(self, config: DeviceConfig, zone: ZoneInfo) -> None:
        """The office has said what it wants shown, and what may be given."""
        self._config, self._zone = config, zone
        if config.reserve is not None and config.reserve != self._block:
            self._block = config.reserve
            await self._spool.keep("block", encode(config.reserve))
        await self.count()

    async def count(self) -> None:
        """Read from the spool what the edge is to know of the numbers here."""
        if self._zone is None:
            return
        now, block = self._clock.now(), self._block
        today = service_date(now, self._zone)
        mine = block if block is not None and block.service_date == today else None
        self.numbers = HeldNumbers(
            service_date=today,
            series=mine.series if mine else None,
            last=mine.last if mine else 0,
            highest=await self._spool.seen_numbers(today),
            untold=len(await self._spool.untold()),
            refused=await self._spool.refused_labels(now - SHOW_REFUSED),
        )

    @property
    def has_numbers(self) -> bool:
        """Whether a ticket could be given by itself, were the edge gone."""
        return self._next() is not None

    def stands(self) -> Stands:
        """What could be given now."""
        config = self._config
        if config is None or config.reserve is None or self._zone is None:
            return "none"
        if config.reserve.service_date != service_date(self._clock.now(), self._zone):
            return "other_day"
        return "ready" if self.has_numbers else "used_up"

    def offer(self) -> Offer | None:
        """The next ticket, if there may be one."""
        number, config = self._next(), self._config
        if number is None or config is None or config.reserve is None:
            return None
        tiles = [tile for tile in config.services if tile.walk_in]
        return Offer(
            telling_id=new_id(),
            service_date=config.reserve.service_date,
            series=config.reserve.series,
            number=number,
            follow_code=secrets.token_bytes(FOLLOW_CODE_BYTES),
            issued_at=self._clock.now(),
            office_name=config.office_name,
            names={tile.id: tile.names for tile in tiles},
            zones={tile.id: tile.zone or config.zone for tile in tiles},
            public_url=config.public_url,
        )

    def taken(self, told: KioskTellReserved) -> Taken:
        """A ticket given now."""
        return Taken(told, self._clock.now(), self._clock.boot_id, self._clock.monotonic_ns())

    def seen(self, slip: Slip) -> tuple[Seen, ...]:
        """The number of a slip that leaves this kiosk: of the slip's day, and of this kiosk's if a clock is wrong."""
        zone = self._zone or ZoneInfo("UTC")
        days = {service_date(slip.issued_at, zone), service_date(self._clock.now(), zone)}
        return tuple(Seen(day, slip.label[0], int(slip.label[1:])) for day in sorted(days))

    def tell_now(self) -> None:
        """There is something to tell, or the edge may hear again."""
        self._wake.set()
        self._teller.now()

    async def replied(self, reply: KioskReply) -> bool:
        """Take the answer to a telling; whether it was one."""
        if self._teller.replied(reply):
            return True
        return any(taken.told.request_id == reply.request_id for taken in await self._spool.untold())

    async def run(self, link: EdgeLink) -> None:
        """Tell what was given, for ever."""
        while True:
            self._wake.clear()
            try:
                while untold := await self._spool.untold():  # anew each time: more may have been given meanwhile
                    await self._tell(untold[0], link)
            except Exception:
                log.exception("reserve.telling_failed")
                await asyncio.sleep(FIRST_PAUSE_S)
                continue
            await self._wake.wait()

    async def _tell(self, taken: Taken, link: EdgeLink) -> None:
        async def ask() -> None:
            await link.ask(msgspec.structs.replace(taken.told, elapsed_ms=elapsed_ms(taken, self._clock)))

        reply = await self._teller.tell(taken.told.request_id, ask)
        await self._spool.settle_taken(reply.request_id, "told" if reply.refusal is None else "refused")
        log.info("reserve.told", request_id=reply.request_id, refused=reply.refusal.code if reply.refusal else None)
        await self.count()
        link.acks_changed()  # what waits to be said about this ticket may be said now
        await link.tell_status()

    def _next(self) -> int | None:
        config = self._config
        block = config.reserve if config is not None else None
        if block is None or self._zone is None or block.service_date != self.numbers.service_date:
            return None
        granted = ReserveGranted(
            device=self._device,
            service_date=block.service_date,
            series=block.series,
            first=block.first,
            last=block.last,
        )
        return next_reserved(
            granted, self.numbers.highest.get(block.series, 0), service_date(self._clock.now(), self._zone)
        )


def elapsed_ms(taken: Taken, clock: Clock) -> int:
    """How long ago a ticket was given: by the monotonic clock, or by the wall clock when the machine was started since."""
    if taken.boot_id == clock.boot_id and clock.boot_id != "unknown":
        return max(0, clock.monotonic_ns() - taken.mono_ns) // 1_000_000
    return max(0, (clock.now() - taken.taken_at) // timedelta(milliseconds=1))
