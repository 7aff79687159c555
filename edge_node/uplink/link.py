"""Whether central can be heard, for the loops and for the console's banner. Being connected is a state, not an error."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from datetime import datetime

import msgspec

from sync.messages.values import Instant
from sync.messages.wire import Durability
from sync.protocol.hello import Greeted
from sync.protocol.uplink import HaltReason


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """What people at the office may want to know of the link.

    Args:
        last_contact_at: when central was last heard (own clock); none: not since this start.
        lost_at: since when it is not heard; none while connected.
        pending_facts: facts that central has not acknowledged.
        acked_seq: central has every fact up to this one.
        halted: nothing is sent any more until a person acts.
        forked_at: how far central's log goes that parts from this journal, when it was halted for that.
        durability: what an acknowledgement means.
        clock_offset_ms: central's clock minus ours.
        fenced_by: the later epoch that holds this office; 0 while this node has authority.
        report_due: central was restored and waits for this office's report.
        too_old: central speaks no version that this build knows; facts still go up.
        cursors: the last row of each stream that this office has.
    """

    connected: bool = False
    last_contact_at: Instant | None = None
    lost_at: Instant | None = None
    pending_facts: int = 0
    acked_seq: int = 0
    halted: HaltReason | None = None
    forked_at: int = 0
    durability: Durability = "no_replica"
    clock_offset_ms: int = 0
    fenced_by: int = 0
    report_due: bool = False
    too_old: bool = False
    cursors: Mapping[str, int] = msgspec.field(default_factory=dict)


class Link:
    """The state of the link, and the two events that the loops wait for.

    Args:
        on_change: gets every new state but mere contacts.
    """

    def __init__(self, on_change: Callable[[LinkState], None], started_at: datetime) -> None:
        self._on_change = on_change
        self._journal_seq = 0
        self._heard_ns: int | None = None
        self.state = LinkState(lost_at=started_at)
        self.connected = asyncio.Event()
        self.lost = asyncio.Event()
        self.lost.set()

    def greeted(self, greeted: Greeted, offset_ms: int, now: datetime, now_ns: int) -> None:
        """Hello was answered: the loops may go."""
        self._heard_ns = now_ns
        self.lost.clear()
        self.connected.set()
        self._become(
            connected=True,
            last_contact_at=now,
            lost_at=None,
            durability=greeted.durability,
            clock_offset_ms=offset_ms,
            too_old=greeted.proto == 0,
            fenced_by=max(greeted.fenced_by, self.state.fenced_by),
            report_due=greeted.report_due,
            **self._acked(greeted.acked.seq),
        )

    def heard(self, now: datetime, now_ns: int) -> None:
        """Central answered something, at this time of the wall clock and of the monotonic one."""
        self._heard_ns = now_ns
        self.state = msgspec.structs.replace(self.state, last_contact_at=now)

    def quiet_s(self, now_ns: int) -> float:
        """How long central has said nothing, in seconds; whatever the wall clock did meanwhile."""
        return math.inf if self._heard_ns is None else (now_ns - self._heard_ns) / 1e9

    def lose(self, now: datetime) -> None:
        """Central did not answer: the loops wait for the next hello."""
        self.connected.clear()
        self.lost.set()
        self._become(connected=False, lost_at=self.state.lost_at or now)

    def committed(self, seq: int) -> None:
        """The journal of this epoch now ends at ``seq``."""
        self._journal_seq = max(self._journal_seq, seq)
        self._become(**self._acked(self.state.acked_seq))

    def acked(self, seq: int) -> None:
        """Central has acknowledged up to ``seq``; less than before when it was restored."""
        self._become(**self._acked(seq))

    def follows(self, cursors: Mapping[str, int]) -> None:
        """The office has the rows up to here, by stream."""
        self._become(cursors=cursors)

    def fence(self, epoch: int) -> None:
        """A later epoch holds the office."""
        self._become(fenced_by=max(epoch, self.state.fenced_by))

    def owe_report(self, due: bool) -> None:
        """Whether central waits for this office's report."""
        self._become(report_due=due)

    def halt(self, reason: HaltReason, central_seq: int | None = None) -> None:
        """The uplink has stopped for a person to act; ``central_seq``: where central's log, which is not ours, ends."""
        self._become(halted=reason, forked_at=self.state.acked_seq if central_seq is None else central_seq)

    def _acked(self, seq: int) -> dict[str, int]:
        return {"acked_seq": seq, "pending_facts": max(0, self._journal_seq - seq)}

    def _become(self, **changes: object) -> None:
        before = self.state
        self.state = msgspec.structs.replace(before, **changes)
        if self.state != before:
            self._on_change(self.state)
