"""What the console's banner is told of the link."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from edge_node.uplink.link import Link, LinkState
from sync.protocol.hello import Greeted
from sync.protocol.store import Position

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)


def greeted(acked: int = 0, proto: int = 1) -> Greeted:
    return Greeted(
        proto=proto,
        gen="g",
        server_at=NOW,
        durability="no_replica",
        acked=Position(acked, bytes(32)),
        features=(),
    )


def test_a_link_goes_up_and_down_and_says_since_when() -> None:
    told: list[LinkState] = []
    link = Link(told.append, NOW)
    assert (link.state.connected, link.state.lost_at) == (False, NOW)

    link.committed(7)
    link.greeted(greeted(acked=5), 1500, LATER, 0)
    assert link.connected.is_set()
    assert not link.lost.is_set()
    assert (link.state.lost_at, link.state.pending_facts, link.state.clock_offset_ms) == (None, 2, 1500)

    link.lose(LATER)
    link.lose(LATER + timedelta(hours=1))  # already lost: since then
    assert link.lost.is_set()
    assert not link.connected.is_set()
    assert (link.state.lost_at, link.state.last_contact_at) == (LATER, LATER)
    assert [state.connected for state in told] == [False, True, False]


def test_pending_facts_are_what_central_has_not_acknowledged() -> None:
    link = Link(lambda state: None, NOW)
    link.committed(10)
    link.acked(4)
    assert link.state.pending_facts == 6
    link.acked(2)  # central was restored
    assert (link.state.acked_seq, link.state.pending_facts) == (2, 8)
    link.committed(9)  # told late: the journal does not shrink
    assert link.state.pending_facts == 8


def test_a_contact_alone_is_not_told_to_everybody() -> None:
    told: list[LinkState] = []
    link = Link(told.append, NOW)
    link.heard(LATER, 0)
    assert told == []
    assert link.state.last_contact_at == LATER


def test_how_long_central_is_quiet_is_asked_of_no_wall_clock() -> None:
    link = Link(lambda state: None, NOW)
    assert link.quiet_s(1_000_000_000) == math.inf
    link.greeted(greeted(), 0, NOW, 2_000_000_000)
    assert link.quiet_s(5_000_000_000) == 3
    link.heard(NOW - timedelta(hours=1), 6_000_000_000)  # the wall clock was set back
    assert link.quiet_s(7_500_000_000) == 1.5


def test_an_old_build_is_told_so() -> None:
    link = Link(lambda state: None, NOW)
    link.greeted(greeted(proto=0), 0, NOW, 0)
    assert link.state.too_old
    link.halt("fork")
    assert link.state.halted == "fork"
