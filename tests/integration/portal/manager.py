"""A manager without script: a citizen who signs in at central."""

from __future__ import annotations

from tests.integration.portal.citizen import Citizen, Document


async def sign_in(
    browser: Citizen, office: str = "centro", staff_id: str = "rocio", password: str = "secreta", to: str = ""
) -> Document:
    """Sign in by the page; what it leads to."""
    await browser.open(f"/personal/entrar{f'?a={to}' if to else ''}")
    return await browser.send("/personal/entrar", office=office, staff_id=staff_id, password=password)
