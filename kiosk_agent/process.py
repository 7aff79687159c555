"""The agent as a process: everything it is made of, put together, run until told to stop."""

from __future__ import annotations

import random

import structlog

from kiosk_agent.agent import Agent, Hardware
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.printer import printer_for
from kiosk_agent.scanner import Scanner
from kiosk_agent.screen import Glass, create_app
from kiosk_agent.serving import serving
from kiosk_agent.settings import Settings
from kiosk_agent.spool import open_spool
from kiosk_agent.stopping import stopped_by_signal
from sync.io.clock import SystemClock
from ui.catalog import load_catalog

log = structlog.get_logger("kiosk_agent")


async def run_agent(settings: Settings) -> None:
    """Run a kiosk until a signal.

    Raises:
        SpoolTakenError: another agent works on the same folder.
        PortTakenError: the page's port is not free.
    """
    stop = stopped_by_signal()
    letters = Letters()
    hardware = Hardware(printer_for(settings.printer, letters), Scanner(settings.scanner), letters)
    catalog = load_catalog(strict=settings.strict_texts)
    async with open_spool(settings.data) as spool:
        agent = Agent(settings, spool, hardware, catalog, SystemClock(), jitter=random.random)
        glass = Glass(agent, catalog)
        async with serving(create_app(glass), settings.http.host, settings.http.port, before_stop=glass.close) as port:
            log.info("kiosk.started", port=port, device=settings.device.id, office=settings.device.office)
            await agent.run(stop)
    hardware.printer.close()
    log.info("kiosk.stopped")
