"""The model of waiting from an office's own facts, and how the waits it told held."""

from datetime import timedelta
from typing import Any

from central.insight.outlooks import queries
from central.insight.wait_models import WaitModels, told_waits
from sync.messages import codec
from sync.messages import commands as c
from sync.messages.facts import Expected
from sync.messages.feed import WaitModel, office_stream
from tests.integration.portal.conftest import Bed
from tests.integration.portal.office import Office
from tests.kit.office import follow_hash, new_id

TOLD = Expected(wait_s=(60, 120, 300, 400, 500, 600, 700), level=80, seq=3)


def serve(office: Office, session: str, minutes: int) -> None:
    """One walk-in who was told a wait, waits two minutes, and takes some."""
    take = c.TakeTicket(request_id=new_id(), service="padron", follow_hash=follow_hash(new_id()))
    office.queue.do(take, office.clock.now(), c.CITIZEN, expected={"padron": TOLD})
    office.clock.advance(minutes=2)
    ticket = office.call(session)
    assert ticket is not None
    target: dict[str, Any] = {"session": session, "ticket_id": ticket}
    office.act(c.Start(request_id=new_id(), **target))
    office.clock.advance(minutes=minutes)
    office.act(c.Finish(request_id=new_id(), **target))


async def test_yesterday_makes_the_model_once_a_week_and_the_office_is_told(portal: Bed) -> None:
    portal.clock.advance(hours=2)
    models = WaitModels(portal.server.central, portal.booking.catalogue)
    pool = portal.server.central.pool
    async with portal.office() as office:
        session = office.open("1")
        for minutes in (4, 6, 8):
            serve(office, session, minutes)
        await office.send()
        assert await models.look() == 0, "today is not over"
        portal.clock.advance(days=1)
        assert await models.look() == 1
        body = await pool.fetchval(queries.wait_model, office_stream("centro"), WaitModel.KIND)
        model = codec.decode(bytes(body), WaitModel)
        assert (model.services["padron"].visits, model.services["padron"].mean_s) == (3, 360)
        assert await models.look() == 0, "it is new"
        record = (await portal.booking.catalogue.current()).offices["centro"]
        async with pool.acquire() as connection:
            told = await told_waits(connection, record, portal.clock.now(), timedelta(days=7))
        assert [(one.expected, one.wait_s) for one in told] == [(TOLD, 120.0)] * 3
        portal.clock.advance(days=7)
        assert await models.look() == 1
