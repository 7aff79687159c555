"""Open pages hear of the link when they show something else of it."""

from __future__ import annotations

from edge_node.console.link_news import shown_of
from edge_node.uplink.link import LinkState


def test_a_fact_that_goes_up_at_once_is_no_news() -> None:
    idle = LinkState(connected=True, acked_seq=7)
    assert shown_of(LinkState(connected=True, pending_facts=1, acked_seq=7)) == shown_of(idle)
    assert shown_of(LinkState(connected=True, acked_seq=8)) == shown_of(idle)


def test_each_fact_is_news_while_pages_say_how_many_wait() -> None:
    assert shown_of(LinkState(pending_facts=1)) != shown_of(LinkState(pending_facts=2))


def test_what_stops_the_link_is_news() -> None:
    running = LinkState(connected=True)
    others = [None, LinkState(), LinkState(connected=True, fenced_by=2), LinkState(connected=True, halted="fork")]
    assert all(shown_of(other) != shown_of(running) for other in others)
