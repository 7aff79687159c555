"""A display remembers how far its edge's journal went, and says so at once when the edge has less."""

import pytest

from .conftest import Display, Edge, until

pytestmark = [pytest.mark.broker, pytest.mark.asyncio(loop_scope="module")]


async def test_an_edge_that_was_put_back_is_told(edge: Edge, display: Display) -> None:
    await edge.begin_anew()
    edge.seq = 500
    await edge.say_board()
    edge.beats = False
    await until(lambda: edge.statuses != [])
    known = len(edge.statuses)
    await edge.say_board(seq=90)
    await until(lambda: len(edge.statuses) > known)
    assert edge.statuses[-1].seen == (edge.epoch, 500)
