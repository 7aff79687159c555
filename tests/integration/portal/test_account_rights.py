"""Who may come with the municipal account: our own rows of staff say so, and our own second factor stands unless theirs was used."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from central.audit import Attested
from central.offices.second_factor import enrol
from sync.domain.second_factor import STEP_S, code_at
from tests.integration.portal.account_bed import (
    BEGIN,
    UNKNOWN,
    AccountBed,
    account_bed,
    stopped_at,
)


@pytest.fixture
async def bed(portal_dsn: str, portal_folder: Path, tmp_path: Path) -> AsyncIterator[AccountBed]:
    async with account_bed(portal_dsn, portal_folder, tmp_path) as there:
        yield there


async def enrolled(bed: AccountBed) -> bytes:
    """What Alonso's code generator holds from now on."""
    async with bed.portal.server.central.pool.acquire() as connection:
        made = await enrol(
            connection, "centro", "alonso", Attested(actor="ops", at=bed.portal.clock.now()), replace=True
        )
        assert not isinstance(made, str)
        secret: bytes = await connection.fetchval("SELECT secret FROM second_factor WHERE staff_id = 'alonso'")
    return secret


async def test_our_own_rows_say_who_may_come(bed: AccountBed) -> None:
    async with bed.citizen() as browser:
        bed.provider.user = {"sub": "f-1", "preferred_username": "ana", "roles": ["admin"], "groups": ["manager"]}
        page = await browser.open(BEGIN)
        assert (browser.reply.status_code, "Entre en la consola de su oficina" in page.words) == (403, True)
        for name in ("nobody", "", "alonso ruiz", "ALONSO\u212a", "á", 7, ["alonso"], None):
            bed.provider.user = {"sub": "alonso", "preferred_username": name}
            page = await browser.open(BEGIN)
            assert (browser.reply.status_code, UNKNOWN in page.words) == (403, True), name
        bed.provider.user = {"sub": "f-1", "preferred_username": "rocio"}
        page = await browser.open(BEGIN)
        assert browser.reply.status_code == 403
        assert "El nombre de su cuenta es el de varias personas." in page.words
        bed.provider.user = {"sub": "f-1", "preferred_username": "Alonso "}
        await browser.open(BEGIN)
        assert browser.path == "/oficinas-ahora", "as it would be typed"


async def test_who_was_locked_or_removed_does_not_come(bed: AccountBed) -> None:
    async with bed.citizen() as browser:
        await browser.open(BEGIN)
        await bed.change_staff("UPDATE staff SET valid_until = $1 WHERE id = 'alonso'", bed.portal.clock.now())
        page = await browser.open("/oficinas-ahora")
        assert "Su acceso ha terminado" in page.words
        page = await browser.open(BEGIN)
        assert (browser.reply.status_code, UNKNOWN in page.words) == (403, True)
        await bed.change_staff("DELETE FROM staff WHERE id = 'alonso'")
        page = await browser.open(BEGIN)
        assert (browser.reply.status_code, UNKNOWN in page.words) == (403, True)
    assert await bed.methods() == ["centro/alonso account"]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE staff SET valid_until = now() - interval '99 years' WHERE id = 'alonso'",
        "DELETE FROM staff WHERE id = 'alonso'",
        "DELETE FROM second_factor WHERE staff_id = 'alonso'",
    ],
)
async def test_who_lost_access_before_the_code_stays_outside(bed: AccountBed, change: str) -> None:
    secret = await enrolled(bed)
    async with bed.citizen() as browser:
        await browser.open(f"{BEGIN}?a=/incidencias")
        await bed.change_staff(change)
        right = code_at(secret, int(bed.portal.clock.now().timestamp()) // STEP_S)
        page = await browser.send("/personal/codigo", code=right)
        assert (browser.reply.status_code, "Ha pasado demasiado tiempo." in page.words) == (422, True)
        assert (await stopped_at(browser, "/incidencias")).status_code == 303
    assert await bed.sessions() == 0
    assert await bed.methods() == []


@pytest.mark.parametrize(
    "said, is_asked",
    [
        ({}, True),
        ({"amr": ["pwd"], "acr": "loa-1"}, True),
        ({"amr": ["pwd", "otp"]}, False),
        ({"acr": "loa-2"}, False),
        ({"amr": [["otp"], 3], "acr": ["loa-2"]}, True),
    ],
)
async def test_a_second_factor_is_asked_for_unless_the_provider_has(
    bed: AccountBed, said: dict[str, Any], is_asked: bool
) -> None:
    secret = await enrolled(bed)
    bed.provider.planted = said
    async with bed.citizen() as browser:
        page = await browser.open(f"{BEGIN}?a=/incidencias")
        if is_asked:
            assert "Código de un solo uso" in page.words
            assert await bed.sessions() == 0
            assert (await stopped_at(browser, "/incidencias")).status_code == 303, "nobody is in yet"
            await browser.send("/personal/codigo", code="000000")
            assert browser.reply.status_code == 422
            right = code_at(secret, int(bed.portal.clock.now().timestamp()) // STEP_S)
            await browser.send("/personal/codigo", code=right)
        assert browser.path == "/incidencias"
    assert await bed.methods() == [f"centro/alonso {'account_code' if is_asked else 'account'}"]
