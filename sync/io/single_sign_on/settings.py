"""The settings of single sign-on, the same at central and at an office."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SingleSignOn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The city's identity provider (OpenID Connect). Without an issuer there is no such sign-in.

    Args:
        issuer: the provider, exactly as it names itself; ``https``, but on this machine.
        client_id: what this installation is called there.
        client_secret_file: its secret; none: a client without one (PKCE is used in either case).
        return_url: the address that people know this server by, without a path; the browser comes back to it.
        claim: names the person, by the id of our staff rows.
        ask_always: the provider asks again each time, even if this browser has a session there: PCs are shared. It has to say
            when it did (``auth_time``).
        second_factor_acr: values of ``acr`` that say a second factor was used; they are asked for.
        second_factor_amr: values of ``amr`` that say so (RFC 8176: ``mfa``, ``otp``, ``hwk``).
        ca_file: certificates that the provider is trusted by; none: the system's.
        timeout_s: how long the provider may take for one answer.
    """

    issuer: str = ""
    client_id: str = ""
    client_secret_file: Path | None = None
    return_url: str = ""
    claim: str = "preferred_username"
    ask_always: bool = True
    second_factor_acr: tuple[str, ...] = ()
    second_factor_amr: tuple[str, ...] = ()
    ca_file: Path | None = None
    timeout_s: int = 5

    def __post_init__(self) -> None:
        if not self.issuer:
            return
        if not self.client_id or not self.claim:
            raise ValueError("needs client_id and claim with issuer")
        if not 1 <= self.timeout_s <= 30:
            raise ValueError("timeout_s is from 1 to 30")
        for url in filter(None, (self.issuer, self.return_url)):
            parts = urlsplit(url)
            if parts.scheme not in {"https", "http"} or not parts.hostname or parts.query or parts.fragment:
                raise ValueError(f"not an address: {url}")
        issuer = urlsplit(self.issuer)
        if issuer.scheme != "https" and issuer.hostname not in LOOPBACK:
            raise ValueError("issuer must begin with https://")

    @property
    def is_used(self) -> bool:
        return bool(self.issuer)
