"""Changes of the order by hand: from the acts of an office, over its facts, to the page of a day and the sums of a month."""

from __future__ import annotations

from datetime import timedelta

from central.insight.day_reports import DAYS
from sync.messages import commands as c
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.office import Office
from tests.kit.office import follow_hash, new_id
from tests.kit.retention import carried_out

PAGE = "/cambios-de-orden?oficina=centro"


def change_the_order(office: Office, session: str) -> None:
    """P1 is skipped, P3 called before P1 and P2, somebody gets priority by hand: N1 before nobody."""
    for _ in range(3):
        office.take("padron")
    first, _, third = office.queue.day.tickets
    office.act(c.Skip(request_id=new_id(), session=session, ticket_id=first, reason="away"))
    office.act(c.CallTicket(request_id=new_id(), session=session, ticket_id=third, reason="short"))
    given = c.TakeTicket(
        request_id=new_id(),
        service="informacion",
        priority_class="reduced_mobility",
        basis="seen",
        follow_hash=follow_hash(new_id()),
    )
    office.act(given, actor="bea")


def end_visit(office: Office, session: str) -> None:
    ticket = office.queue.day.sessions[session].last_ticket_id
    assert ticket is not None
    office.act(c.NoShow(request_id=new_id(), session=session, ticket_id=ticket))


async def test_todays_changes_stand_with_reason_counter_and_who_was_passed_over(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        assert "Ese día nadie cambió el orden" in (await citizen.open(PAGE)).words
        change_the_order(office, office.open("1"))
        await office.send()
        page = await citizen.open(PAGE)
        assert "10:00 Omisión P1 Padrón Ha salido un momento 1 ana" in page.words
        assert "10:00 Llamada fuera de orden P3 Padrón Gestión muy breve 2 personas: P1, P2 1 ana" in page.words
        assert "Atención: preferente N1 Información Se ve nadie bea" in page.words
        assert "Llamada fuera de orden Gestión muy breve 1 1" in page.words, "sums: that day, and all days"
        assert "lun 23 nov 1 1 1 0 0" in page.words, "by day and kind"
        english = await citizen.open(f"{PAGE}&lang=en")
        assert "Call out of order P3 Register Very short matter 2 people: P1, P2" in english.words


async def test_past_days_are_counted_once_they_are_over_and_again_when_facts_come_late(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    reports, pool = portal.server._app.state.portal.reports, portal.server.central.pool
    async with portal.office() as office, portal.citizen() as citizen:
        session = office.open("1")
        change_the_order(office, session)
        await office.send()
        assert await reports.look() == 0, "today is not over"
        end_visit(office, session)
        second = next(t for t in office.queue.day.waiting.values() if t.label == "P2")
        after = office.queue.day.sessions[session].last_call
        call = c.CallTicket(
            request_id=new_id(), session=session, ticket_id=second.ticket_id, reason="distress", after=after
        )
        office.act(call)
        portal.clock.advance(days=1)
        assert await reports.look() == 1
        assert await portal.count("day_override") == 3
        assert await reports.look() == 0, "it is counted"

        await sign_in(citizen)
        await office.send()  # the office was cut yesterday, and tells only now
        page = await citizen.open(f"{PAGE}&dia=2026-11-23")
        assert "Malestar o urgencia 2 personas: N1, P1 1 ana" in page.words, "the page knows before the next count"
        assert await reports.look() == 1
        assert await portal.count("day_override") == 4
        page = await citizen.open(f"{PAGE}&dia=2026-11-23")
        assert "Malestar o urgencia 2 personas: N1, P1 1 ana" in page.words
        assert "Llamada fuera de orden Malestar o urgencia 1 1" in page.words
        assert "Ese día nadie cambió el orden" in (await citizen.open(PAGE)).words
        await pool.execute("UPDATE day_report SET rules = 0")
        assert await reports.look() == 1, "a build that counts otherwise counts again"
        assert await portal.count("day_override") == 4

        portal.clock.advance(days=DAYS + 10)
        assert await reports.look() == 0
        assert await carried_out(pool, portal.server.central.settings, portal.clock.now())
        for table in ("day_override", "day_held", "day_report"):
            assert await portal.count(table) == 0, "who did what is not kept longer than the report reaches"


async def test_what_was_undone_at_once_is_shown_and_in_no_sum(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        await sign_in(citizen)
        session = office.open("1")
        office.take("padron")
        office.take("padron")
        _, second = office.queue.day.tickets
        act = new_id()
        office.act(c.CallTicket(request_id=act, session=session, ticket_id=second, reason="short"))
        office.act(c.Undo(request_id=new_id(), session=session, act=act))
        await office.send()
        page = await citizen.open(PAGE)
        assert "Llamada fuera de orden Deshecho P2" in page.words
        assert "En los últimos 31 días nadie cambió el orden" in page.words


async def test_days_outside_of_the_report_and_other_offices_are_not_shown(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.citizen() as citizen:
        await sign_in(citizen)
        today = portal.clock.now().date()
        for odd in (today - timedelta(days=DAYS), today + timedelta(days=1), "0001-01-01", "x"):
            assert "Centro, lunes 23 de noviembre" in (await citizen.open(f"{PAGE}&dia={odd}")).words
        for office in ("real", "nowhere"):
            await citizen.open(f"/cambios-de-orden?oficina={office}")
            assert citizen.reply.status_code == 403
        await citizen.open("/cambios-de-orden")
        assert citizen.reply.status_code == 200
