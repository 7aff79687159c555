"""Signing in with the account that a person has at the city's identity provider (OpenID Connect, authorization code): what is
decided, without the network.

    begin     a sealed cookie goes into the browser, the browser to the provider. The cookie has what the answer must fit:
              `state` (the answer belongs to this browser), `nonce` (the token to this answer), the verifier of PKCE (the code is
              worth nothing without it), and where the person wanted to go
    return    the provider leads the browser back with a code, or with the reason why there is none. The cookie is removed at
              once, whatever comes of it: a return counts once
    token     the code is exchanged for an identity token, which says who it is, and perhaps how they proved it

What comes out is an id and whether a second factor was used. Whether that is somebody of ours, and what they may do, stands in
our own staff rows alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Literal

import msgspec

from sync.domain.sign_in import MAX_ID_CHARS

RETURN_WITHIN = timedelta(minutes=10)
"""How long the provider's own pages may take."""
LEEWAY = timedelta(minutes=1)
"""By so much the clocks of this server and the provider may differ, and one of them may be set meanwhile."""
MAX_CODE_CHARS = 4096
SCOPES = "openid profile"

Why = Literal[
    "account_silent", "account_busy", "account_cancelled", "account_late", "account_refused", "account_not_asked"
]
"""Why nobody was proved: the provider does not answer; too many come back at this moment; the person or the provider said no; the
return fits nothing that was begun here, or came too late or again; what the provider said does not hold; it does not say that it
asked the person anew, as it has to.
"""

_STAFF_ID = re.compile(r"[a-z0-9][a-z0-9_-]*")


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What a browser keeps, sealed, while its person is at the provider."""

    state: str
    nonce: str
    verifier: str
    leads_to: str
    begun_at: datetime


class Proved(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the provider names.

    Args:
        staff_id: as staff rows name people; empty when the claim names nobody who could stand there.
        second_factor: the provider says that one was used.
        leads_to: where the person wanted to go.
    """

    staff_id: str
    second_factor: bool
    leads_to: str


class NotProved(msgspec.Struct, frozen=True):
    """Why nobody is named, and where the person wanted to go, as far as that is known."""

    code: Why
    leads_to: str = ""


class Return(msgspec.Struct, frozen=True):
    """What the provider's answer brings in the address (RFC 6749, 4.1.2; RFC 9207)."""

    code: str = ""
    state: str = ""
    error: str = ""
    iss: str = ""

    def lacks_name(self, *, names_itself: bool) -> bool:
        """Whether the provider promises to say in each answer who it is, and this one does not."""
        return names_itself and not self.iss


def refusal(begun: Begun, came: Return, now: datetime, issuer: str) -> Why | None:
    """Why a return is not followed up, as far as that is known without asking the provider for anything."""
    if not compare_digest(begun.state.encode(), came.state.encode("utf-8", "replace")):
        return "account_late"
    if not -LEEWAY <= now - begun.begun_at <= RETURN_WITHIN:
        return "account_late"
    if came.iss not in ("", issuer):
        return "account_refused"
    if came.error:
        return "account_cancelled" if came.error in CANCELLED else _failed(came.error)
    return None if 0 < len(came.code) <= MAX_CODE_CHARS else "account_refused"


CANCELLED: Collection[str] = frozenset({"access_denied", "login_required", "interaction_required", "consent_required"})
"""Errors of an answer that are a person's No, or an end without a Yes."""


def _failed(error: str) -> Why:
    return "account_silent" if error in {"server_error", "temporarily_unavailable"} else "account_refused"


def staff_id_in(claims: Mapping[str, object], claim: str) -> str:
    """The id of staff that a claim names, as it would be typed; empty when it names none.

    Letters outside ASCII make no id: some of them become an ASCII letter when they are written small.
    """
    value = claims.get(claim)
    if not isinstance(value, str) or not value.isascii():
        return ""
    name = value.strip().lower()
    return name if len(name) <= MAX_ID_CHARS and _STAFF_ID.fullmatch(name) else ""


def was_asked(claims: Mapping[str, object], begun_at: datetime, now: datetime) -> bool:
    """Whether the provider says that it asked the person who they are after a sign-in was begun, and not at an earlier one.

    Who signed in there less than the leeway before cannot be told apart.

    Source: OpenID Connect Core 1.0, 2 (``auth_time``) and 3.1.2.1 (with ``max_age`` the token has to have it).
    """
    said = claims.get("auth_time")
    if not isinstance(said, int | float) or isinstance(said, bool):
        return False
    return (begun_at - LEEWAY).timestamp() <= said <= (now + LEEWAY).timestamp()


def used_second_factor(claims: Mapping[str, object], acr: Collection[str], amr: Collection[str]) -> bool:
    """Whether the provider says that a second factor was used.

    Args:
        acr: values of `acr`, each of which says so.
        amr: values one of which among `amr` says so.
    """
    methods = claims.get("amr")
    named = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    return claims.get("acr") in acr or not named.isdisjoint(amr)
