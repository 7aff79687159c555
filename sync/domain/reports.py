"""What kiosks and displays tell of a ticket."""

from __future__ import annotations

from sync.domain.deciding import Context
from sync.domain.outcomes import Accepted, Decision, refuse
from sync.messages import commands as c
from sync.messages import facts as f


def report_printed(x: Context, command: c.ReportPrinted) -> Decision:
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if ticket.print_state == "printed" and not command.reprint:
        return Accepted(())
    return Accepted((f.TicketPrinted(ticket_id=ticket.ticket_id, device=x.actor.device_id, reprint=command.reprint),))


def report_print_failed(x: Context, command: c.ReportPrintFailed) -> Decision:
    if command.ticket_id not in x.day.tickets:
        return refuse("ticket_unknown")
    failed = f.TicketPrintFailed(ticket_id=command.ticket_id, device=x.actor.device_id, reason=command.reason)
    return Accepted((failed,))


def report_shown(x: Context, command: c.ReportShown) -> Decision:
    ticket = x.day.tickets.get(command.ticket_id)
    if ticket is None:
        return refuse("ticket_unknown")
    if command.announcement and command.announcement != ticket.announcement:
        return Accepted(())  # late, of a call that another has taken the place of
    shown = f.TicketShown(
        ticket_id=ticket.ticket_id,
        display=x.actor.device_id,
        recalls=command.recalls,
        shown_at=command.shown_at,
        sounded=command.sounded,
    )
    return Accepted((shown,))
