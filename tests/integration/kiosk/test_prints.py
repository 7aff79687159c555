"""A slip that cannot be laid out is an outcome like any other."""

import pytest

from kiosk_agent.machine import events as e
from kiosk_agent.machine import screens as s
from kiosk_agent.printing import slips
from kiosk_agent.ticket import PaperOp, layout
from sync.messages.topics import PrintFailedAck
from tests.integration.kiosk.office import Office, running_kiosk, until

pytestmark = pytest.mark.broker


async def test_a_slip_that_cannot_be_laid_out_is_reported_and_the_next_one_prints(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:

    def broken_once(*said: object, **how: object) -> tuple[PaperOp, ...]:
        monkeypatch.setattr(slips, "layout", layout)
        raise ValueError("no such letter")

    monkeypatch.setattr(slips, "layout", broken_once)
    async with running_kiosk(office.settings()) as kiosk:
        request_id = await kiosk.take_ticket()
        await until(lambda: isinstance(kiosk.screen, s.Ticket) and kiosk.screen.paper == "error")
        await until(lambda: office.edge.acks)
        await kiosk.agent.handle(e.StartOver())
        await kiosk.take_ticket()
        ticket = await office.printer.ticket(1, timeout_s=5)
    ack = office.edge.acks[0]
    assert isinstance(ack, PrintFailedAck)
    assert (ack.ticket_id, ack.reason) == (request_id, "error")
    assert ticket.lines[1] == "K13"
