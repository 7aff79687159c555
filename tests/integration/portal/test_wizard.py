"""The whole booking as HTML without script, through real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.integration.portal.citizen import Citizen
from tests.integration.portal.conftest import Bed

DNI = "45298316T"
WHO: dict[str, str | list[str]] = {
    "name": "Fátima Mohamed Ruiz",
    "doc_type": "dni",
    "doc": DNI,
    "mail": "fatima@example.org",
    "mobile": "",
}


async def to_times(citizen: Citizen, service: str = "viaje", office: str = "centro") -> None:
    await citizen.open(f"/tramites/{service}")
    await citizen.send("/reserva", service=service)
    assert citizen.path == "/reserva/oficina"
    await citizen.send("/reserva/oficina", office=office)
    assert citizen.path == "/reserva/hora", citizen.page.words


async def to_check(citizen: Citizen, time: str = "", who: dict[str, str | list[str]] = WHO) -> str:
    """Go as far as the check page. Returns the chosen time."""
    await to_times(citizen)
    times = citizen.page.form().choices["time"]
    chosen = time or times[0]
    await citizen.send("/reserva/hora", time=chosen)
    assert citizen.path == "/reserva/datos", citizen.page.words
    await citizen.send("/reserva/datos", **who)
    assert citizen.path == "/reserva/compruebe", citizen.page.words
    return chosen


async def test_a_citizen_books_without_script(portal: Bed) -> None:
    async with portal.citizen() as citizen:
        page = await citizen.open("/")
        assert "¿Qué necesita?" in page.words
        assert "/tramites/viaje" in page.links
        await to_check(citizen)
        assert "La cita todavía no está reservada." in citizen.page.words
        assert "Fátima Mohamed Ruiz" in citizen.page.words
        page = await citizen.send("/reserva/compruebe")
        assert citizen.path.startswith("/cita/")
        assert "Cita confirmada" in page.title
        assert "DNI" in page.words
        appointment = await portal.server.central.pool.fetchrow("SELECT * FROM appointment")
        assert appointment["full_name"] == "Fátima Mohamed Ruiz"
        code = f"{appointment['locator'][:3]}-{appointment['locator'][3:]}"
        assert code in page.words
        bookmark = await citizen.open(citizen.path)
        assert code in bookmark.words
