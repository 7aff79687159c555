"""What the work screen shows beside the queue's own verbs: leaving the counter for a while or for today, sending somebody to
another office, what supervisors tell.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from edge_node.console.bar_view import CLOSE_REASONS, PAUSE_REASONS, Bar, BroadcastView, view_broadcasts, waiting_texts
from edge_node.console.sending_view import Sending
from edge_node.node import EdgeNode
from ui.catalog import Words

PANELS: Final = ("pause", "close", "office", "sent")
TRAVEL_MIN: Final = (0, 10, 15, 20, 30)


async def panel_values(
    node: EdgeNode, bar: Bar, sending: Sending, *, panel: str, ticket: str, refresh_s: int, words: Words
) -> dict[str, Any]:
    """The values of these panels and of the desk bar.

    Args:
        refresh_s: when the page is made anew by itself; sooner, if a line of the supervisors ends before.
    """
    standing = view_broadcasts(node.dispatcher.state, node.broadcasts.standing())
    return {
        "bar": bar,
        "alone": waiting_texts(bar.alone, words),
        "broadcasts": standing,
        "refresh_s": ends_in_s(standing, node.dispatcher.state.now(), refresh_s),
        "counter_panels": PANELS,
        "pause_options": [(reason, words.text(f"console.pause.reason.{reason}")) for reason in PAUSE_REASONS],
        "close_options": [(reason, words.text(f"console.close.reason.{reason}")) for reason in CLOSE_REASONS],
        "travel_options": [(str(n), words.text("console.minutes", n=n)) for n in TRAVEL_MIN],
        "sending": sending,
        "is_cut": node.link is not None and not node.link.connected,
        "handover_slip": await node.desk.slip_of_sent(ticket) if panel == "sent" and ticket else None,
    }


def ends_in_s(standing: tuple[BroadcastView, ...], now: datetime, refresh_s: int) -> int:
    """Seconds until the first line ends, if that is before the page is made anew anyway."""
    ends = [int((each.until_at - now).total_seconds()) + 1 for each in standing]
    return min([refresh_s, *(max(1, end) for end in ends)])
