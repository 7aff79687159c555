"""A kiosk remembers how far its edge's journal went, and says so at once when the edge has less."""

import pytest

from tests.integration.kiosk.office import Office, running_kiosk, until

pytestmark = pytest.mark.broker


async def test_an_edge_that_was_put_back_is_told_once(office: Office) -> None:
    async with running_kiosk(office.settings()) as kiosk:
        await kiosk.ready()
        office.edge.seq = 500
        await office.edge.send_board()
        await until(lambda: kiosk.agent.link._seen >= (1, 501))
        known = len(office.edge.statuses)
        office.edge.seq = 90
        await office.edge.send_board()
        await until(lambda: len(office.edge.statuses) > known)
        assert office.edge.statuses[-1].seen >= (1, 501)
        told = len(office.edge.statuses)
        for _ in range(3):
            await office.edge.send_board()
        await until(lambda: kiosk.agent.link.connected)
        assert len(office.edge.statuses) == told, "once is enough: the broker keeps it"
