"""Which facts need a savepoint."""

from __future__ import annotations

from typing import Any, cast
from unittest.mock import Mock

import pytest

from central.exchange.projections import MOVING
from sync.messages.fact_types import FACTS
from sync.messages.facts import Fact, TicketFinished
from sync.protocol.effects import take_effect
from sync.protocol.rights import Origin
from sync.protocol.steps import finish
from tests.kit.facts import MORNING

QUIET = [fact for fact in FACTS.values() if fact not in MOVING]


@pytest.mark.parametrize("fact_type", QUIET)
@pytest.mark.parametrize("late", [True, False])
def test_a_fact_that_moves_nothing_asks_nothing_of_the_database(fact_type: type[Fact], late: bool) -> None:
    nothing = cast("Any", object())  # any verb would be an AttributeError
    finish(take_effect(nothing, Origin(office="centro", happened_at=MORNING), Mock(spec=fact_type), late=late))


def test_a_fact_that_moves_something_does_ask() -> None:
    finished = TicketFinished(ticket_id="1", session="2")
    with pytest.raises(AttributeError):
        finish(take_effect(cast("Any", object()), Origin(office="centro", happened_at=MORNING), finished, late=True))
