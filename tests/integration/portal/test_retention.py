"""The page that says what is kept, with its proof: for who manages the city; and the commands."""

from __future__ import annotations

import asyncio
from pathlib import Path

from click.testing import CliRunner, Result

from central.__main__ import main
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.test_audit import booked
from tests.kit.retention import carried_out


async def test_an_admin_sees_what_is_kept_and_why(portal: Bed) -> None:
    await booked(portal)
    central = portal.server.central
    await central.pool.execute("UPDATE appointment SET status = 'attended'")
    portal.clock.advance(days=40)
    async with portal.citizen() as browser:
        await sign_in(browser, staff_id="alonso")
        page = await browser.open("/conservacion")
        assert "Con retraso: avise a informática" in page.words or "Aún sin repasar" in page.words
        assert await carried_out(central.pool, central.settings, portal.clock.now())
        page = await browser.open("/conservacion")
        assert "Con retraso" not in page.words
        for told in (
            "Nombre, documento y contacto",
            "30 días",
            "48 horas" if "48 horas" in page.words else "2 días",
            "siempre",
        ):
            assert told in page.words
        assert "Nada ha terminado; lo primero, el" in page.words, "the manager's own session is not over"
        page = await browser.open("/conservacion/people")
        assert "No queda nada" in page.words
        assert "central" in page.words
        for path in ("/conservacion/facts", "/conservacion/nothing"):
            assert (await browser.client.get(path)).status_code == 404
        await browser.open("/conservacion/people?antes=ayer")
        assert browser.reply.status_code == 200
    async with portal.citizen("en") as browser:
        await sign_in(browser)
        await browser.open("/conservacion")
        assert browser.reply.status_code == 403


async def run(*arguments: str) -> Result:
    """A command has its own event loop, so it gets a thread of its own."""
    return await asyncio.to_thread(CliRunner().invoke, main, arguments)


async def test_the_commands_say_what_they_did(portal: Bed, portal_folder: Path, tmp_path: Path) -> None:
    done = await booked(portal)
    config = tmp_path / "central.toml"
    settings = portal.server.central.settings
    config.write_text(f'[database]\ndsn = "{settings.database.dsn}"\n[keys]\nfolder = "{settings.keys.folder}"\n')
    rehearsed = await run("retention", "--dry-run", "--config", str(config))
    assert rehearsed.exit_code == 0, rehearsed.output
    assert "people        would go: " in rehearsed.output
    assert "facts         kept" in rehearsed.output
    carried = await run("retention", "--by", "ops", "--config", str(config))
    assert (carried.exit_code, "people        gone: " in carried.output) == (0, True), carried.output
    assert await portal.count("retention_run", "run_by = 'ops'") >= 10

    about = ("--document", "AB000001", "--attest", "request 41", "--config", str(config))
    refused = await run("erase-person", *about)
    assert (refused.exit_code, "--cancel-booked" in refused.output) == (1, True), refused.output
    erased = await run("erase-person", *about, "--cancel-booked")
    assert erased.exit_code == 0, erased.output
    assert "erased: 1 appointments (1 cancelled now)" in erased.output
    row = await portal.server.central.pool.fetchrow("SELECT status, full_name FROM appointment")
    assert tuple(row) == ("cancelled", None)
    assert done.locator
