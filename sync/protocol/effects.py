"""What a fact does to the rights that move between offices and central; the same on every store.

A node with authority moves what it gives up. One that was replaced has none: what it tells late is recorded, and of it counts
what a citizen was promised or got: a visit that ended, an appointment that was sold, seats that it will not sell any more.
"""

from __future__ import annotations

from sync.messages.desk_facts import TicketWantedBack
from sync.messages.facts import (
    Fact,
    LeaseReturned,
    LeaseSold,
    TicketAccepted,
    TicketFinished,
    TicketIssued,
    TicketReleased,
)
from sync.protocol import handover, lease
from sync.protocol.rights import Origin, RightsTx


async def take_effect(tx: RightsTx, origin: Origin, fact: Fact, *, late: bool) -> None:
    """Move what a fact moves; facts of other kinds move nothing."""
    match fact:
        case LeaseSold():
            await lease.on_sold(tx, origin, fact)
        case LeaseReturned():
            await lease.on_returned(tx, origin, fact)
        case TicketIssued() if not late:
            await handover.on_issued(tx, origin, fact)
        case TicketFinished() if late:
            await handover.forward_end(tx, fact.ticket_id)
        case TicketReleased() if not late:
            await handover.on_released(tx, origin, fact)
        case TicketWantedBack() if not late:
            await handover.on_wanted_back(tx, origin, fact)
        case TicketAccepted() if not late:
            await handover.on_accepted(tx, origin, fact)
        case _:
            pass
