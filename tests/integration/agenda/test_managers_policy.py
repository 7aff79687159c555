"""What a manager saves at central is what the office works by: over the line, and after a cut."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from central.policy.fields import START
from sync.messages.policy import Policy
from tests.integration.portal.citizen import Citizen
from tests.integration.portal.manager import sign_in
from tests.kit.central_database import Clusters
from tests.kit.desk_and_central import DeskAndCentral, desk_and_central
from tests.kit.edge_end import until
from tests.kit.small_city import MONDAY_8H

TODAY = MONDAY_8H.date()


async def save(manager: Citizen, **typed: str) -> None:
    await manager.open("/normas/centro/cambiar")
    await manager.send("/cambiar", do="preview", **typed)
    await manager.send("/cambiar", do="save")
    assert manager.path == "/normas/centro", manager.page.words


def at_office(both: DeskAndCentral, days: int) -> Policy:
    """By what the office's node orders its queue so many days from now."""
    return both.node.dispatcher.state.configuration.catalogue.policy_on(TODAY + timedelta(days=days))


async def test_a_saved_policy_reaches_the_office_and_holds_from_its_day(clusters: Clusters, tmp_path: Path) -> None:
    async with desk_and_central(clusters["wheel"], tmp_path) as both, Citizen(both.central.url) as manager:
        await sign_in(manager)
        await save(manager, appointment_head_start_min="30")
        await until(lambda: at_office(both, 1).version == 2)
        assert at_office(both, 1).appointment_head_start_min == 30
        assert at_office(both, 0) == Policy(), "today goes on as it began"

        await both.cut()
        await save(manager, grace_min="15", **{START: (TODAY + timedelta(days=3)).isoformat()})
        assert at_office(both, 3).version == 2
        await both.relay.heal()
        await until(lambda: at_office(both, 3).version == 3)
        assert [at_office(both, days).version for days in range(4)] == [1, 2, 2, 3]
        assert at_office(both, 3).grace_min == 15
