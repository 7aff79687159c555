"""The way of a browser to the identity provider and back. The browser keeps what was begun, sealed: nothing of it stands here,
so any process of central may take the return, and a restart loses nobody.
"""

from __future__ import annotations

import base64
import secrets
import ssl
from collections.abc import Callable
from datetime import datetime
from hmac import digest
from typing import Final

import msgspec
import structlog
from cryptography.fernet import Fernet, InvalidToken

from sync.domain.single_sign_on import (
    RETURN_WITHIN,
    Begun,
    NotProved,
    Proved,
    Return,
    refusal,
    staff_id_in,
    used_second_factor,
    was_asked,
)
from sync.io.single_sign_on.provider import AnswerRefused, Provider, ProviderSilent
from sync.io.single_sign_on.settings import SingleSignOn

COOKIE_S: Final = int(RETURN_WITHIN.total_seconds())
MAX_AT_ONCE: Final = 16
"""People on their way or back at the same time; each may have to wait for the provider."""
MAX_COOKIE_CHARS: Final = 4096

_log = structlog.get_logger("single_sign_on")


class Departure(msgspec.Struct, frozen=True):
    """Where the browser goes, and what it takes along for ``COOKIE_S`` seconds: `Begun`, sealed."""

    address: str
    cookie: str


class SignOn:
    """Leads browsers to one provider and judges what they come back with.

    Args:
        secret: of this client; none where it has none.
        trusted: who may be the provider.
        return_to: the whole address that the provider leads back to.
        seal: what cookies are sealed with: the same in every process that may take a return.
        now: the wall clock, as true as it is known: tokens are valid for minutes.
    """

    def __init__(
        self,
        settings: SingleSignOn,
        *,
        secret: str | None,
        trusted: ssl.SSLContext,
        return_to: str,
        seal: bytes,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._provider = Provider(settings, secret, trusted, return_to, now)
        self._fernet = Fernet(base64.urlsafe_b64encode(digest(seal, b"single-sign-on", "sha256")))
        self._now = now
        self._inside = 0

    async def begin(self, leads_to: str, language: str) -> Departure | NotProved:
        """The way to the provider, or why there is none.

        Args:
            leads_to: a path of ours; whoever calls has made sure of that.
            language: that the provider's own pages should have, if it speaks it.
        """
        if self._inside >= MAX_AT_ONCE:
            return NotProved("account_busy", leads_to)
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        begun = Begun(state=state, nonce=nonce, verifier=verifier, leads_to=leads_to, begun_at=self._now())
        self._inside += 1
        try:
            address = await self._provider.address_for(begun, language)
        except ProviderSilent as silent:
            _log.warning("account.provider_silent", reason=str(silent))
            return NotProved("account_silent", leads_to)
        finally:
            self._inside -= 1
        return Departure(address, self._sealed(begun))

    async def finish(self, cookie: str, came: Return) -> Proved | NotProved:
        """Who came back, or why nobody did. The caller has the cookie removed in either case.

        Args:
            cookie: as the browser brought it; empty when it brought none.
        """
        begun = self._opened(cookie)
        if begun is None:
            return NotProved("account_late")
        leads_to = begun.leads_to
        if (why := refusal(begun, came, self._now(), self._settings.issuer)) is not None:
            if came.error:
                _log.info("account.error_came", error=came.error[:40])
            return NotProved(why, leads_to)
        if self._inside >= MAX_AT_ONCE:
            return NotProved("account_busy", leads_to)
        self._inside += 1
        try:
            return await self._ask(begun, came)
        except ProviderSilent as silent:
            _log.warning("account.provider_silent", reason=str(silent))
            return NotProved("account_silent", leads_to)
        except AnswerRefused as refused:
            _log.warning("account.answer_refused", reason=str(refused))
            return NotProved("account_refused", leads_to)
        finally:
            self._inside -= 1

    async def _ask(self, begun: Begun, came: Return) -> Proved | NotProved:
        """What the provider says of a return that nothing speaks against here."""
        rules, metadata = self._settings, await self._provider.metadata()
        if came.lacks_name(names_itself=metadata.authorization_response_iss_parameter_supported):
            raise AnswerRefused("the answer does not say whose it is")
        claims = await self._provider.claims(came.code, begun)
        if rules.ask_always and not was_asked(claims, begun.begun_at, self._now()):
            _log.warning("account.not_asked", auth_time="old" if "auth_time" in claims else "missing")
            return NotProved("account_not_asked", begun.leads_to)
        return Proved(
            staff_id=staff_id_in(claims, rules.claim),
            second_factor=used_second_factor(claims, rules.second_factor_acr, rules.second_factor_amr),
            leads_to=begun.leads_to,
        )

    def _sealed(self, begun: Begun) -> str:
        return self._fernet.encrypt(msgspec.json.encode(begun)).decode("ascii")

    def _opened(self, cookie: str) -> Begun | None:
        """What a cookie of ours holds; how old it may be is judged by the time inside."""
        if not 0 < len(cookie) <= MAX_COOKIE_CHARS:
            return None
        try:
            return msgspec.json.decode(self._fernet.decrypt(cookie.encode()), type=Begun)
        except (InvalidToken, msgspec.MsgspecError, UnicodeEncodeError):
            return None
