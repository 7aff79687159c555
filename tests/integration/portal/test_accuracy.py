"""How announced waits ended, from the tickets of real offices to the page: shares, samples, and where there is too little."""

from __future__ import annotations

from typing import Any

import pytest

from central.insight.accuracy import ENOUGH, Line, Shares, lines, shares
from sync.domain.waits.fit import Held
from sync.messages import commands as c
from sync.messages.facts import Expected
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.office import Office
from tests.kit.office import follow_hash, new_id

TOLD = Expected(wait_s=(60, 120, 300, 450, 480, 560, 700), level=80, seq=3)
"""Read as "5 to 10 min"."""
PAGE = "/previsiones"


def serve(office: Office, session: str, minutes: int, service: str = "padron") -> None:
    """A walk-in who was told 5 to 10 minutes is called after some."""
    take = c.TakeTicket(request_id=new_id(), service=service, follow_hash=follow_hash(new_id()))
    office.queue.do(take, office.clock.now(), c.CITIZEN, expected={service: TOLD})
    office.clock.advance(minutes=minutes)
    ticket = office.call(session)
    assert ticket is not None
    target: dict[str, Any] = {"session": session, "ticket_id": ticket}
    office.act(c.Start(request_id=new_id(), **target))
    office.act(c.Finish(request_id=new_id(), **target))


async def test_shares_of_the_waits_that_were_announced_with_their_sample(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    async with portal.office() as office, portal.citizen() as citizen:
        session = office.open("1")
        for minutes in (*[7] * 12, *[2] * 4, *[12] * 3, 25):
            serve(office, session, minutes)
        serve(office, session, 7, "viaje")
        await office.send()
        await sign_in(citizen)
        page = await citizen.open(PAGE)
        assert "De esta oficina todavía no se ha contado ningún día" in page.words, "today is left out"
        assert "Padrón Últimos 7 días 0 No hay datos bastantes" in page.words
        portal.clock.advance(days=1)
        assert await portal.server._app.state.portal.reports.look() == 1
        await sign_in(citizen)
        page = await citizen.open(PAGE)
        assert "Padrón Últimos 7 días 20 60 % 20 % 20 % 5 % Últimos 28 días 20 60 % 20 % 20 % 5 %" in page.words
        assert "Viaje Últimos 7 días 1 No hay datos bastantes" in page.words
        assert "Todos los trámites Últimos 7 días 21 62 %" in page.words, "the office together comes first"
        assert "Último recuento de esta oficina: 24/11/2026" in page.words
        english = await citizen.open(f"{PAGE}?lang=en")
        assert "Register Last 7 days 20 60 % 20 % 20 % 5 %" in english.words
        assert "Travel Last 7 days 1 There is not enough data" in english.words

        portal.clock.advance(days=10)
        await sign_in(citizen)
        page = await citizen.open(f"{PAGE}?lang=es")
        assert "Padrón Últimos 7 días 0 No hay datos bastantes" in page.words
        assert "Últimos 28 días 20 60 %" in page.words


async def test_the_page_is_for_the_offices_one_manages(portal: Bed) -> None:
    async with portal.citizen() as own, portal.citizen() as admin:
        await sign_in(own)
        page = await own.open(PAGE)
        assert "Centro, por trámite" in page.words
        assert "Real" not in page.words
        await own.open(f"{PAGE}?oficina=real")
        assert own.reply.status_code == 403
        await sign_in(admin, staff_id="alonso")
        page = await admin.open(f"{PAGE}?oficina=real")
        assert "Real, por trámite" in page.words
        assert "Centro Últimos 7 días" in page.words
        await admin.open(f"{PAGE}?oficina=nowhere")
        assert admin.reply.status_code == 404


@pytest.mark.parametrize("count", [1, ENOUGH - 1, ENOUGH])
def test_a_share_needs_enough_waits(count: int) -> None:
    found = shares(Held(count=count, inside=count), 7)
    assert (found.inside == 100) is (count >= ENOUGH)
    assert found.count == count


def test_shares_are_a_hundred_together() -> None:
    found = shares(Held(count=200, before=67, inside=66, after=67, far_after=1), 28)
    assert found == Shares(days=28, count=200, before=34, inside=32, after=34, far_after=0)
    assert lines({}, {}, {"a": "A"}) == [Line(id="a", name="A", spans=(shares(Held(), 7), shares(Held(), 28)))]
