from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiosk_agent.emulators.printer import PrinterEmulator
from provisioning.launchers.broker import Broker
from tests.integration.kiosk.office import Edge, Office


@pytest.fixture
async def office(broker: Broker, tmp_path: Path) -> AsyncIterator[Office]:
    edge = Edge(broker.port)
    async with PrinterEmulator() as printer, edge.running():
        await edge.configure()
        await edge.send_board()
        yield Office(edge, printer, await printer.listen("127.0.0.1", 0), tmp_path, broker)
