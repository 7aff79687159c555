"""The city's identity provider, as central's settings name it."""

from __future__ import annotations

from typing import Final

from central.context import Central
from provisioning.settings import read_secret
from sync.io.single_sign_on.sign_on import SignOn

ACCOUNT: Final = "/personal/entrar/cuenta"
ACCOUNT_RETURN: Final = "/personal/entrar/vuelta"


def accounts_of(central: Central) -> SignOn | None:
    """Single sign-on; none without an issuer.

    Raises:
        SettingsError: the client's secret cannot be read.
    """
    rules = central.settings.single_sign_on
    if not rules.is_used:
        return None
    return SignOn(
        rules,
        secret=read_secret(rules.client_secret_file) if rules.client_secret_file else None,
        return_to=(rules.return_url or central.settings.http.public_url).rstrip("/") + ACCOUNT_RETURN,
        seal=central.keys.links,
        now=central.clock.now,
    )
