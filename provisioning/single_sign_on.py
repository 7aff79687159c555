"""Opens single sign-on from settings, at central and at offices alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from provisioning.settings import certificates_in, read_secret
from sync.io.single_sign_on.settings import SingleSignOn

if TYPE_CHECKING:
    from sync.io.single_sign_on.sign_on import SignOn


def open_sign_on(rules: SingleSignOn, *, return_to: str, seal: bytes, now: Callable[[], datetime]) -> SignOn | None:
    """Single sign-on; none without an issuer, and then nothing of its libraries is loaded.

    Args:
        return_to: the whole address that the provider leads back to.
        seal, now: see ``SignOn``.

    Raises:
        SettingsError: the client's secret, or the certificates to trust, cannot be read.
    """
    if not rules.is_used:
        return None
    from sync.io.single_sign_on.sign_on import SignOn

    return SignOn(
        rules,
        secret=read_secret(rules.client_secret_file) if rules.client_secret_file else None,
        trusted=certificates_in(rules.ca_file, "single_sign_on.ca_file"),
        return_to=return_to,
        seal=seal,
        now=now,
    )
