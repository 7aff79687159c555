"""The identity provider over HTTP: what it says of itself, its keys, and what it gives for a code.

Authlib makes the requests and checks the claims, joserfc the signatures; the bytes go through httpx. Tokens live in the one
call that checks them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.client import OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError, SecurityWarning
from joserfc.jwk import KeySet

from sync.domain.single_sign_on import LEEWAY, SCOPES, Begun
from sync.io.single_sign_on.settings import LOOPBACK, SingleSignOn

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""Signatures that need the provider's private key. Neither ``none``, nor what our own client secret could make."""
KEY_TYPES: Final = ("RSA", "EC")
KNOWN_FOR = timedelta(hours=1)
KEYS_AGAIN_AFTER = timedelta(minutes=1)
"""A token of an unknown key has the keys fetched again, not more often than that."""
MAX_BYTES = 512 * 1024
CHECK_FAILED = (JoseError, SecurityWarning, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class ProviderSilent(Exception):
    """Nothing usable came: no connection, no answer in time, an error of the provider's own."""


class AnswerRefused(Exception):
    """The provider refused the code, or what it gave for it does not hold. The text says which check failed, never a token."""


class Metadata(msgspec.Struct, frozen=True):
    """What is used of a provider's description (OpenID Connect Discovery 1.0, 3)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    authorization_response_iss_parameter_supported: bool = False


class Tokens(msgspec.Struct, frozen=True):
    """What is used of a token answer."""

    id_token: str
    access_token: str = ""


class Provider:
    """One provider. What it says of itself, and its keys, are known for an hour. No connection is kept: people sign in seldom."""

    def __init__(
        self,
        settings: SingleSignOn,
        secret: str | None,
        trusted: ssl.SSLContext,
        return_to: str,
        now: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._trusted = trusted
        self._return_to = return_to
        self._now = now
        self._metadata: tuple[Metadata, datetime] | None = None
        self._keys: tuple[KeySet, datetime] | None = None

    async def address_for(self, begun: Begun, language: str) -> str:
        """Where the browser goes.

        Raises:
            ProviderSilent: it could not be asked where that is.
        """
        rules, metadata = self._settings, await self.metadata()
        client = OAuth2Client(
            session=None,
            client_id=rules.client_id,
            scope=SCOPES,
            redirect_uri=self._return_to,
            code_challenge_method="S256",
        )
        asked: dict[str, str] = {"nonce": begun.nonce, "ui_locales": language}
        if rules.ask_always:
            asked["prompt"], asked["max_age"] = "login", "0"
        if rules.second_factor_acr:
            asked["acr_values"] = " ".join(rules.second_factor_acr)
        address, _ = client.create_authorization_url(
            metadata.authorization_endpoint, state=begun.state, code_verifier=begun.verifier, **asked
        )
        return str(address)

    async def metadata(self) -> Metadata:
        """What the provider says of itself.

        Raises:
            ProviderSilent: it says nothing, or not what a provider says.
        """
        if self._metadata is not None and abs(self._now() - self._metadata[1]) < KNOWN_FOR:
            return self._metadata[0]
        issuer = self._settings.issuer
        said = await self._get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        try:
            OpenIDProviderMetadata(said).validate()
            metadata = msgspec.convert(said, Metadata)
        except CHECK_FAILED as error:
            raise ProviderSilent(f"not a provider's description: {error}") from error
        if said.get("issuer") != issuer:
            raise ProviderSilent("the provider has another name than our settings")
        self._metadata = metadata, self._now()
        return metadata

    async def claims(self, code: str, begun: Begun) -> dict[str, Any]:
        """What the provider says of who a code is about.

        Raises:
            ProviderSilent: it does not answer.
            AnswerRefused: it refuses the code, or its token does not hold.
        """
        tokens = await self._exchange(code, begun.verifier)
        checked = await self._signed_claims(tokens.id_token)
        rules = self._settings
        options = {name: {"essential": True, "value": value} for name, value in self._addressed().items()}
        params = {"nonce": begun.nonce, "client_id": rules.client_id, "access_token": tokens.access_token}
        try:
            claims = CodeIDToken(checked.claims, checked.header, options, params)
            claims.validate(now=int(self._now().timestamp()), leeway=int(LEEWAY.total_seconds()))
        except CHECK_FAILED as error:
            raise AnswerRefused(f"claims: {error}") from error
        return dict(claims)

    def _addressed(self) -> dict[str, str]:
        return {"iss": self._settings.issuer, "aud": self._settings.client_id}

    async def _exchange(self, code: str, verifier: str) -> Tokens:
        metadata = await self.metadata()
        body = prepare_token_request(
            "authorization_code", redirect_uri=self._return_to, code=code, code_verifier=verifier
        )
        auth = ClientAuth(self._settings.client_id, self._secret, self._auth_method(metadata))
        form = {"content-type": "application/x-www-form-urlencoded"}
        url, headers, body = auth.prepare("POST", metadata.token_endpoint, form, body)
        status, content = await self._send("POST", url, headers=headers, content=body)
        if 400 <= status < 500 and status != 429:
            raise AnswerRefused(f"the token endpoint says {status}")
        if status != 200:
            raise ProviderSilent(f"the token endpoint says {status}")
        try:
            return msgspec.json.decode(content, type=Tokens)
        except msgspec.MsgspecError as error:
            raise AnswerRefused("no identity token in the answer") from error

    def _auth_method(self, metadata: Metadata) -> str:
        if self._secret is None:
            return "none"
        offered = metadata.token_endpoint_auth_methods_supported
        only_post = "client_secret_basic" not in offered and "client_secret_post" in offered
        return "client_secret_post" if only_post else "client_secret_basic"

    async def _signed_claims(self, id_token: str) -> jwt.Token:
        keys, read_at = await self._key_set()
        try:
            try:
                return jwt.decode(id_token, keys, algorithms=ALGORITHMS)
            except InvalidKeyIdError:  # the provider may have changed its keys
                if abs(self._now() - read_at) < KEYS_AGAIN_AFTER:
                    raise
                self._keys = None
                keys, _ = await self._key_set()
                return jwt.decode(id_token, keys, algorithms=ALGORITHMS)
        except CHECK_FAILED as error:
            raise AnswerRefused(f"signature: {type(error).__name__}") from error

    async def _key_set(self) -> tuple[KeySet, datetime]:
        if self._keys is None or abs(self._now() - self._keys[1]) >= KNOWN_FOR:
            said = await self._get((await self.metadata()).jwks_uri)
            try:
                self._keys = KeySet.import_key_set({"keys": _public(said["keys"])}), self._now()
            except CHECK_FAILED as error:
                raise ProviderSilent(f"no usable keys: {error}") from error
        return self._keys

    async def _get(self, url: str) -> dict[str, Any]:
        status, content = await self._send("GET", url)
        if status != 200:
            raise ProviderSilent(f"{url} says {status}")
        try:
            return msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.MsgspecError as error:
            raise ProviderSilent(f"{url} is no JSON object") from error

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            verify=self._trusted,
            timeout=self._settings.timeout_s,
            headers={"accept": "application/json", "accept-encoding": "identity"},
            # A proxy of the administration is for the way out, never for this machine.
            trust_env=urlsplit(self._settings.issuer).hostname not in LOOPBACK,
        )

    async def _send(self, method: str, url: str, **options: Any) -> tuple[int, bytes]:
        """Status and body; redirects are not followed."""
        content = bytearray()
        try:
            async with (
                asyncio.timeout(self._settings.timeout_s),
                self._client() as http,
                http.stream(method, url, **options) as response,
            ):
                async for piece in response.aiter_bytes(16 * 1024):
                    content += piece
                    if len(content) > MAX_BYTES:
                        raise ProviderSilent("the answer has no end")
                return response.status_code, bytes(content)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderSilent(f"{type(error).__name__}") from error


def _public(keys: list[dict[str, Any]]) -> list[Any]:
    """Those of a provider's keys that can check a signature of ours: whatever else stands there is not looked at."""
    return [key for key in keys if key.get("kty") in KEY_TYPES]
