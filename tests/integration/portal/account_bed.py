"""Central and a provider that it believes, for tests of signing in with the municipal account."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.integration.portal.citizen import Citizen
from tests.integration.portal.conftest import Bed, running_portal
from tests.kit.clock import ManualClock
from tests.kit.identity_provider import IdentityProvider, identity_provider, settings
from tests.kit.small_city import MONDAY_8H

BEGIN, RETURN = "/personal/entrar/cuenta", "/personal/entrar/vuelta"
NAMES_ITSELF = "authorization_response_iss_parameter_supported"
BUTTON = "Entrar con la cuenta municipal"
SESSION = "vt_central_staff"
SILENT = "La cuenta municipal no responde ahora. Entre con su usuario y su contraseña."
LATE = "Esta entrada ha caducado o ya se usó."
REFUSED = "No se ha podido comprobar su cuenta municipal."
NOT_ASKED = "La cuenta municipal no le ha pedido que se identifique otra vez, y aquí hace falta."
UNKNOWN = "Su cuenta municipal no tiene acceso aquí. Pídalo a su responsable."


class AccountBed:
    """Central and the provider that it believes."""

    def __init__(self, portal: Bed, provider: IdentityProvider) -> None:
        self.portal = portal
        self.provider = provider

    def citizen(self, language: str = "es") -> Citizen:
        return self.portal.citizen(language)

    async def sessions(self) -> int:
        return await self.portal.count("staff_session", "NOT awaits_code")

    async def methods(self) -> list[str]:
        rows = await self.portal.server.central.pool.fetch(
            "SELECT actor || ' ' || (convert_from(detail, 'UTF8')::jsonb ->> 'method') AS line FROM audit WHERE act = 'staff.signed_in' ORDER BY at"
        )
        return [row["line"] for row in rows]

    async def change_staff(self, statement: str, *values: Any) -> None:
        await self.portal.server.central.pool.execute(statement, *values)


@asynccontextmanager
async def account_bed(dsn: str, keys: Path, folder: Path) -> AsyncIterator[AccountBed]:
    """Both, while inside. Alonso of the administration has an id that nobody else has; Rocío's is that of two people."""
    clock = ManualClock(MONDAY_8H)
    async with identity_provider(clock.now) as provider:
        provider.user = {"sub": "f-1", "preferred_username": "alonso"}
        rules = settings(provider.url, folder, second_factor_acr=("loa-2",), second_factor_amr=("mfa", "otp"))
        async with running_portal(dsn, keys, clock, rules) as portal:
            yield AccountBed(portal, provider)


async def stopped_at(browser: Citizen, path: str) -> httpx.Response:
    return await browser.client.get(path, follow_redirects=False)


async def way_back(browser: Citizen, to: str = "") -> str:
    """Begin, and where the provider leads back to."""
    begun = await stopped_at(browser, f"{BEGIN}{f'?a={to}' if to else ''}")
    assert begun.status_code == 303
    return (await stopped_at(browser, begun.headers["location"])).headers["location"]
