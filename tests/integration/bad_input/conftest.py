"""One office for the whole folder: starting its processes takes longer than all of the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioning.launchers.broker import available
from tests.integration.bad_input.office import Office, running_office
from tests.kit.services import require


@pytest.fixture(scope="package")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    require(list(available()), "there is no MQTT broker here")
    with running_office(tmp_path_factory.mktemp("office")) as running:
        yield running
