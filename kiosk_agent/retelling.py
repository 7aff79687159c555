"""What a kiosk tells the next node of its office: today's tickets that it has printed, whoever gave them.

The node before may have died with tickets that it had told nobody; their paper came out here. The next one takes what neither
it nor central knows, and says yes to the rest. Told once per epoch, from the spool, so that a restart in between begins again.

Today's is what is so by the slip's own date, or came today by this kiosk's clock: the node that died may have opened a wrong day.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import msgspec
import structlog

from kiosk_agent.link import EdgeLink
from kiosk_agent.spool import Spool
from kiosk_agent.telling import FIRST_PAUSE_S, Teller
from sync.domain.service_day import service_date
from sync.io.clock import Clock
from sync.io.ids import new_id
from sync.messages.topics import FOLLOW_CODE_BYTES, KioskReply, KioskTellPrinted, Slip

log = structlog.get_logger(__name__)


class Retelling:
    """One kiosk's tellings after its office got another node."""

    def __init__(self, spool: Spool, clock: Clock, device: str) -> None:
        self._spool = spool
        self._clock = clock
        self._device = device
        self._teller = Teller()
        self._epoch = 0
        self._wake = asyncio.Event()

    def epoch(self, epoch: int) -> None:
        """The epoch that the office is in, as far as this kiosk has heard."""
        if epoch > self._epoch:
            self._epoch = epoch
            self._wake.set()

    def tell_now(self) -> None:
        self._teller.now()

    def replied(self, reply: KioskReply) -> bool:
        """Take the answer to a telling; whether it was one."""
        return self._teller.replied(reply)

    async def run(self, link: EdgeLink, zone: Callable[[], ZoneInfo]) -> None:
        """Tell every new node, for ever."""
        while True:
            self._wake.clear()
            epoch = self._epoch
            try:
                if epoch > int(await self._spool.kept("retold") or 0):
                    await self._retell(link, zone())
                    await self._spool.keep("retold", str(epoch).encode())
            except Exception:
                log.exception("printed.telling_failed")
                await asyncio.sleep(FIRST_PAUSE_S)
                continue
            await self._wake.wait()

    async def _retell(self, link: EdgeLink, zone: ZoneInfo) -> None:
        today = service_date(self._clock.now(), zone)
        for slip, added_at in await self._spool.printed_since(datetime.combine(today, time(), zone)):
            if today not in (service_date(slip.issued_at, zone), service_date(added_at, zone)):
                continue
            told = tale_of(slip, self._device, today)
            if told is None:
                continue
            reply = await self._teller.tell(told.request_id, partial(self._ask, link, told, added_at))
            log.info("printed.told", ticket_id=told.ticket_id, refused=reply.refusal.code if reply.refusal else None)

    async def _ask(self, link: EdgeLink, told: KioskTellPrinted, added_at: datetime) -> None:
        elapsed_ms = max(0, (self._clock.now() - added_at) // timedelta(milliseconds=1))
        await link.ask(msgspec.structs.replace(told, elapsed_ms=elapsed_ms))


def tale_of(slip: Slip, device: str, today: date) -> KioskTellPrinted | None:
    """What the edge is to be told of a slip of today; none of one from a build that did not say what it is for."""
    if slip.service is None:
        return None
    return KioskTellPrinted(
        request_id=new_id(),
        ticket_id=slip.ticket_id,
        device=device,
        service=slip.service,
        service_date=today,
        series=slip.label[0],
        number=int(slip.label[1:]),
        elapsed_ms=0,
        follow_code=code_of(slip.follow_url),
        appointment_id=slip.appointment_id,
        language=slip.language,
    )


def code_of(follow_url: str) -> bytes | None:
    """The code that a progress page's address ends in."""
    text = follow_url.rpartition("/t/")[2]
    try:
        code = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (NotBase64, ValueError):
        return None
    return code if len(code) == FOLLOW_CODE_BYTES else None
