"""Days beyond those that the office knows by itself: central tells of them, masked; without central the page says so."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from sync.io.ids import new_id
from sync.messages import agenda as m
from tests.integration.agenda.conftest import TUESDAY_9H, Clerk, slip_of
from tests.kit.desk_and_central import DeskAndCentral

pytestmark = pytest.mark.postgres
LATER = TUESDAY_9H + timedelta(days=16)
UNTIL = date(2026, 12, 23)
CUT = "Sin conexión con central. De los días siguientes solo se ven las citas que ha dado esta oficina"


async def asked(desk: DeskAndCentral, **about: Any) -> m.CalendarReply:
    assert desk.node.uplink is not None
    request = m.CalendarRequest(request_id=new_id(), office="centro", staff_id="ana", **about)
    reply = await desk.node.uplink.agenda.calendar(request)
    assert isinstance(reply, m.CalendarReply), reply
    return reply


async def test_a_later_week_has_its_appointments_and_every_week_its_number(desk: DeskAndCentral, clerk: Clerk) -> None:
    appointment_id = slip_of(await clerk.book(LATER))
    page = await clerk.sees("/agenda")
    assert "1–7 dic 0 citas" in page
    assert "8–14 dic 1 cita" in page
    assert "22–23 dic 0 citas" in page, "up to the last day that can be booked"
    page = await clerk.sees(f"/agenda?day={LATER.date()}")
    assert "Jueves 10 de diciembre" in page
    assert "F. M. Viaje Reservada" in page
    assert "Fátima" not in page
    assert appointment_id not in desk.node.dispatcher.state.agenda.by_id, "the office does not know it by itself"
    assert "Cambiar la cita" in await clerk.sees(f"/agenda?day={LATER.date()}&open={appointment_id}")


async def test_a_later_appointment_is_cancelled_and_gone_at_once(desk: DeskAndCentral, clerk: Clerk) -> None:
    appointment_id = slip_of(await clerk.book(LATER))
    assert "F. M." in await clerk.sees(f"/agenda?day={LATER.date()}")
    reply = await clerk.post("/agenda/cancel", {"open": appointment_id, "day": LATER.date().isoformat()})
    assert reply.status_code == 303
    page = await clerk.sees(reply.headers["location"])
    assert "Cita anulada." in page
    assert "No hay citas este día." in page


async def test_cut_off_later_days_say_that_they_are_not_known(desk: DeskAndCentral, clerk: Clerk) -> None:
    await clerk.book(LATER)
    await clerk.sees("/agenda")
    await desk.cut()
    page = await clerk.sees("/agenda")
    assert CUT in page
    assert "8–14 dic 1 cita" not in page
    page = await clerk.sees(f"/agenda?day={LATER.date()}")
    assert CUT in page
    assert "F. M." not in page
    assert "No hay citas" not in page
    assert "8–14 dic" in page, "the weeks are still there to walk through"


async def test_a_day_beyond_the_horizon_says_how_far_one_can_book(clerk: Clerk) -> None:
    assert "Se puede reservar hasta el miércoles 23 de diciembre." in await clerk.sees("/agenda?day=2027-01-15")


async def test_central_counts_within_the_horizon_and_tells_of_its_own_office_only(
    desk: DeskAndCentral, clerk: Clerk
) -> None:
    slip_of(await clerk.book(LATER))
    slip_of(await clerk.book(LATER, office="real", document="00000000T", service="padron"))
    reply = await asked(desk, first=date(2020, 1, 1), day=LATER.date())
    assert reply.until == UNTIL
    assert [(one.service_date, one.booked) for one in reply.days] == [(LATER.date(), 1)]
    assert [(one.office, one.person, one.token) for one in reply.found] == [("centro", None, "")]
    assert not reply.more
    past = await asked(desk, first=date(2026, 11, 23), day=date(2026, 11, 20))
    assert past.found == ()


async def test_a_day_with_more_than_can_be_told_at_once_says_so(
    desk: DeskAndCentral, clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(m, "MAX_OF_DAY", 1)
    slip_of(await clerk.book(LATER))
    slip_of(await clerk.book(LATER + timedelta(hours=1), document="00000000T"))
    assert "Se muestra la primera cita del día." in await clerk.sees(f"/agenda?day={LATER.date()}")
