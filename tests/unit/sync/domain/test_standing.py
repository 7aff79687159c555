"""Whether a node may act for its office, and what a supervisor may answer for."""

from __future__ import annotations

from sync.domain.outcomes import Accepted, refuse
from sync.domain.standing import Standing, break_glass
from sync.messages.commands import Actor
from sync.messages.node_facts import NodeBreakGlass

BOSS = Actor(actor_id="boss", device_id="console-1", supervisor=True)
CLERK = Actor(actor_id="ana", device_id="console-1")
SOUND = Standing(epoch=2)


def test_a_later_epoch_takes_authority_and_an_earlier_one_does_not() -> None:
    assert SOUND.has_authority
    assert SOUND.fenced(2).has_authority
    assert not SOUND.fenced(3).has_authority
    assert not SOUND.fenced(3).fenced(1).has_authority, "the highest stays"


def test_a_witness_takes_authority_and_a_supervisor_gives_it_back() -> None:
    doubted = SOUND.contradicted((2, 40)).contradicted((2, 30))
    assert doubted.is_rolled_back
    assert break_glass(doubted, CLERK) == refuse("forbidden")
    fact = NodeBreakGlass(seen_epoch=2, seen_seq=40)
    assert break_glass(doubted, BOSS) == Accepted((fact,))
    vouched = doubted.vouched(fact)
    assert vouched.has_authority
    assert vouched.contradicted((2, 40)).has_authority
    assert not vouched.contradicted((2, 41)).has_authority, "another witness is another question"


def test_nobody_breaks_the_glass_of_a_node_that_was_replaced_or_is_sound() -> None:
    assert break_glass(SOUND.fenced(3).contradicted((2, 9)), BOSS) == refuse("no_authority")
    assert break_glass(SOUND, BOSS) == Accepted(())
