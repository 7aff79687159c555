"""Closing an office and moving its appointments by the page, and by command."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from central.booking.appointments import Booked, Person, Wish
from central.booking.documents import Document
from sync.io.ids import new_id
from tests.integration.portal.citizen import Citizen
from tests.integration.portal.citizen import Document as Shown
from tests.integration.portal.conftest import Bed
from tests.integration.portal.manager import sign_in
from tests.integration.portal.test_retention import run
from tests.kit.small_city import MONDAY_8H

TUESDAY_9H = MONDAY_8H + timedelta(hours=25)


async def booked(portal: Bed, count: int, days: int = 0) -> list[Booked]:
    found = []
    for n in range(count):
        at = TUESDAY_9H + timedelta(days=days, minutes=10 * n)
        person = Person(
            full_name=f"Zubaida {n}", document=Document("passport", f"QX{days}{n:04}"), email=f"p{n}@example.org"
        )
        done = await portal.booking.bookings.book(
            new_id(), Wish(office_id="centro", service_id="viaje", slot_start_at=at), person
        )
        assert isinstance(done, Booked), done
        found.append(done)
    return found


async def ended(portal: Bed) -> None:
    """The work is done beside requests."""
    for _ in range(200):
        if not await portal.count("closure_run", "ended_at IS NULL"):
            return
        await asyncio.sleep(0.05)
    pytest.fail("the run does not end")


async def close(browser: Citizen, day: str = "2026-11-24", **more: str) -> Shown:
    await browser.open("/cierres")
    return await browser.send("/cerrar", desde=day, **more)


async def test_a_manager_closes_a_day_and_moves_everybody(portal: Bed) -> None:
    people = await booked(portal, 3)
    async with portal.citizen() as browser:
        await sign_in(browser, to="/cierres")
        assert browser.path == "/cierres/centro"
        assert "Todas las citas de esta oficina tienen su sitio." in browser.page.words
        page = await close(browser, motivo="obras")
        assert "Cerrada desde el martes 24 de noviembre. 3 citas se quedan sin sitio." in page.words
        assert "obras" in page.words
        assert "miércoles 25 de noviembre" in page.words, "what is proposed"
        assert "Zubaida" not in browser.reply.text
        page = await browser.send("/mover", do="move_all")
        assert browser.path.startswith("/cierres/centro/")
        await ended(portal)
        page = await browser.open(browser.path)
        assert "Terminado: 3 hechas." in page.words
        page = await browser.open(f"{browser.path}?todas=1")
        for one in people:
            assert f"{one.locator[:3]}-{one.locator[3:]}" in page.words
        page = await browser.open("/cierres/centro")
        assert "0 citas sin sitio" in page.words
        assert "Rocío: 3 hechas, 0 sin hacer, 0 esperando" in page.words
    assert await portal.count("mail", "kind = 'moved'") == 3
    assert await portal.count("appointment", "service_date = '2026-11-24'") == 0


async def test_some_are_chosen_and_others_only_told(portal: Bed) -> None:
    first, second, third = await booked(portal, 3)
    async with portal.citizen("en") as browser:
        await sign_in(browser, to="/cierres/centro")
        await close(browser)
        page = await browser.send("/mover", do="move")
        assert (browser.reply.status_code, "Choose an appointment at least" in page.words) == (422, True)
        await browser.send("/mover", do="move", cita=[second.appointment_id])
        await ended(portal)
        page = await browser.open("/cierres/centro")
        assert "2 appointments without a place" in page.words
        await browser.send("/mover", do="offer", cita=[first.appointment_id, third.appointment_id])
        await ended(portal)
        page = await browser.open("/cierres/centro")
        assert "2 appointments without a place" in page.words
        assert page.words.count(" Told ") >= 2
    assert await portal.count("appointment", "version = 2") == 1
    assert await portal.count("mail", "kind = 'offered'") == 2


async def test_a_closure_is_lifted(portal: Bed) -> None:
    await booked(portal, 1)
    async with portal.citizen() as browser:
        await sign_in(browser, to="/cierres/centro")
        await close(browser)
        page = await browser.send("/quitar")
        assert "Todas las citas de esta oficina tienen su sitio." in page.words
    assert await portal.count("dated_hours", "source = 'staff'") == 0


@pytest.mark.parametrize(
    "desde, hasta, told",
    [
        ("ayer", "", "Escriba un día"),
        ("2026-11-20", "", "Ese día ya pasó"),
        ("2026-11-24", "2026-11-23", "El último día va antes"),
        ("2026-11-24", "2027-02-01", "Como mucho 31 días"),
    ],
)
async def test_a_closure_that_cannot_be_is_explained(portal: Bed, desde: str, hasta: str, told: str) -> None:
    async with portal.citizen() as browser:
        await sign_in(browser, to="/cierres/centro")
        page = await close(browser, desde, hasta=hasta)
        assert (browser.reply.status_code, told in page.words) == (422, True)
        assert page.title.startswith("Error: ")
        assert ("desde", desde) in page.form("/cerrar").fields, "what was typed stays"


async def test_many_come_page_by_page(portal: Bed) -> None:
    for days in (0, 1):
        await booked(portal, 30, days)
    async with portal.citizen() as browser:
        await sign_in(browser, to="/cierres/centro")
        page = await close(browser, hasta="2026-11-25")
        assert "60 citas sin sitio" in page.words
        assert "Página 1 de 2" in page.words
        page = await browser.open("/cierres/centro?pagina=1")
        last = page.form("/mover").choices["cita"]
        assert len(last) == 10
        await browser.send("/mover", do="move", cita=[last[-1]])
        await ended(portal)
    assert await portal.count("closure_item", "state = 'done'") == 1
    assert await portal.count("appointment", f"version = 2 AND appointment_id = '{last[-1]}'") == 1


async def test_the_commands_close_show_and_move(portal: Bed, tmp_path: Path) -> None:
    settings = portal.server.central.settings
    config = tmp_path / "central.toml"
    config.write_text(f'[database]\ndsn = "{settings.database.dsn}"\n[keys]\nfolder = "{settings.keys.folder}"\n')
    done = await run("close-office", "centro", "2020-01-01", "--config", str(config))
    assert (done.exit_code, "a day that is over" in done.output) == (1, True), done.output
    done = await run("close-office", "nowhere", "2099-01-01", "--config", str(config))
    assert (done.exit_code, "there is no office nowhere: give the id" in done.output) == (1, True), done.output
    done = await run(
        "close-office", "centro", "2099-01-05", "--reason", "works", "--by", "ops", "--config", str(config)
    )
    assert done.output.splitlines()[-1] == "closed centro: 2099-01-05"
    for expected in (0, 1):
        done = await run("open-office", "centro", "2099-01-05", "--config", str(config))
        assert done.exit_code == expected, done.output
    done = await run("close-office", "centro", "2099-01-05", "--until", "2099-03-01", "--config", str(config))
    assert (done.exit_code, "close the rest with another call" in done.output) == (1, True), done.output
    shown = await run("move-affected", "centro", "--dry-run", "--config", str(config))
    assert shown.output.splitlines()[-1] == "0 appointments without a place", shown.output
