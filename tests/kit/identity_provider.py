"""Identity providers over real HTTP: one from PyPI as a process of its own, and one that lies as a test plants it.

``IdentityProvider`` is strict where a provider is: a code counts once, for its client, its address and its verifier (PKCE).
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urljoin

import httpx
from granian.constants import Interfaces
from granian.server.embed import Server
from joserfc import jwt
from joserfc.jwk import Key, RSAKey

from provisioning.launchers.ports import free_port, is_listening
from sync.io.single_sign_on.settings import SingleSignOn

CLIENT, SECRET = "ventanilla", "s3cret-of-the-client"
START_S = 30


class IdentityProvider:
    """A provider at which ``user`` is always signed in, and proves it anew when asked to. What it says can be changed between the
    steps of a sign-in.

    Attributes:
        user: claims of who is signed in there; none: they say No.
        planted: claims that go over the honest ones; None takes one out.
        header: goes over the honest header of the token.
        sign: makes the token, when not the honest way.
        described: goes over its own description.
        keys: what stands where its keys should; none: its keys.
        token_answer: what comes for a code; none: what should.
        answer: goes over what comes back in the address; None takes one out.
        status: that its endpoints but the description answer with.
        asked: parameters of authorization requests; ``exchanged``: forms of token requests.
        gate: token requests wait until it is set.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.now = now
        self.key: Key = _key("k1")
        self.published: list[Key] = [self.key]
        self.user: dict[str, Any] | None = {"sub": "f-1", "preferred_username": "rocio"}
        self.planted: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
        self.described: dict[str, Any] = {}
        self.keys: Any = None
        self.token_answer: Reply | None = None
        self.answer: dict[str, str | None] = {}
        self.status = 200
        self.asked: list[dict[str, str]] = []
        self.exchanged: list[dict[str, str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._codes: dict[str, dict[str, str]] = {}

    @asynccontextmanager
    async def lying(self, **planted: Any) -> AsyncIterator[None]:
        """Attributes as planted, while inside."""
        honest = {name: getattr(self, name) for name in (*planted, "answer", "described")}
        for name, value in planted.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            for name, value in honest.items():
                setattr(self, name, value)

    def new_key(self) -> None:
        """Change keys, as providers do."""
        self.key = _key(f"k{len(self.published) + 1}")
        self.published = [*self.published, self.key]

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive()).get("more_body", False):
            body += message["body"]
        body += message["body"]
        query = dict(parse_qsl(scope["query_string"].decode()))
        match scope["path"]:
            case "/.well-known/openid-configuration":
                reply = _json(self._description())
            case "/keys":
                honest = {"keys": [key.as_dict(private=False) for key in self.published]}
                reply = _json(honest if self.keys is None else self.keys)
            case "/authorize":
                reply = self._authorize(query)
            case "/token":
                await self.gate.wait()
                reply = self._token(dict(scope["headers"]), parse_qs(body.decode(), strict_parsing=True))
            case _:
                reply = 404, {}, b""
        status, headers, content = reply
        names = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": names})
        await send({"type": "http.response.body", "body": content})

    def _description(self) -> dict[str, Any]:
        honest = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
        }
        return _over(honest, self.described)

    def _authorize(self, query: dict[str, str]) -> Reply:
        self.asked.append(query)
        if query.get("response_type") != "code" or query.get("code_challenge_method") != "S256":
            return 400, {}, b""
        answer: dict[str, Any] = {"state": query["state"]}
        if self.user is None:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_urlsafe(16)
            self._codes[answer["code"]] = query
        return 302, {"location": f"{query['redirect_uri']}?{urlencode(_over(answer, self.answer))}"}, b""

    def _token(self, headers: dict[bytes, bytes], form: dict[str, list[str]]) -> Reply:
        sent = {name: values[0] for name, values in form.items()}
        self.exchanged.append(sent)
        if self.token_answer is not None:
            return self.token_answer
        if self.status != 200:
            return self.status, {}, b"planted"
        basic = b"Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode())
        if headers.get(b"authorization") != basic:
            return _json({"error": "invalid_client"}, 401)
        begun = self._codes.pop(sent.get("code", ""), None)
        verifier = sent.get("code_verifier", "").encode()
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier).digest()).rstrip(b"=").decode()
        if begun is None or begun["code_challenge"] != challenge or begun["redirect_uri"] != sent.get("redirect_uri"):
            return _json({"error": "invalid_grant"}, 400)
        return _json({"access_token": "opaque", "token_type": "Bearer", "id_token": self._id_token(begun)})

    def _id_token(self, begun: dict[str, str]) -> str:
        now = int(self.now().timestamp())
        honest = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": begun["nonce"]}
        if "max_age" in begun:  # OpenID Connect Core 1.0, 3.1.2.1: then the token has to say when
            honest["auth_time"] = now if begun["max_age"] == "0" else now - int(begun["max_age"])
        honest |= self.user or {}
        claims, header = _over(honest, self.planted), _over({"alg": "RS256", "kid": self.key.kid}, self.header)
        return self.sign(header, claims) if self.sign is not None else jwt.encode(header, claims, self.key)


def settings(issuer: str, folder: Path, **changes: Any) -> SingleSignOn:
    """What a server that believes a provider is told; its secret goes into a file of the folder. A busy machine is slow, not silent:
    a test of silence says for itself how long it waits.
    """
    secret = folder / "client.secret"
    secret.write_text(f"{SECRET}\n", encoding="utf-8")
    return SingleSignOn(issuer=issuer, client_id=CLIENT, client_secret_file=secret, **{"timeout_s": 20, **changes})


Reply = tuple[int, dict[str, str], bytes]


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """A token without a signature (``alg: none``)."""
    parts = ({**header, "alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


@asynccontextmanager
async def identity_provider(now: Callable[[], datetime]) -> AsyncIterator[IdentityProvider]:
    """One that a test makes lie, while inside."""
    provider = IdentityProvider(now)
    server = Server(provider, address="127.0.0.1", port=provider.port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = asyncio.create_task(server.serve())
    while not is_listening("127.0.0.1", provider.port):
        assert not serving.done(), serving.result()
        await asyncio.sleep(0.02)
    try:
        yield provider
    finally:
        provider.gate.set()
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=5)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)


@contextmanager
def foreign_provider(*users: dict[str, Any]) -> Iterator[str]:
    """``oidc-provider-mock`` as a process, which others wrote; its address. ``users`` have claims, ``sub`` among them."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port)]
    command += [part for user in users for part in ("--user-claims", json.dumps(user))]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "NO_COLOR": "1"}
    ) as process:
        try:
            end = time.monotonic() + START_S
            while not is_listening("127.0.0.1", port):
                assert process.poll() is None
                assert time.monotonic() < end, "the provider did not start"
                time.sleep(0.05)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


async def answer_there(browser: httpx.AsyncClient, page: httpx.Response, **form: str) -> httpx.Response:
    """Fill in the page of ``foreign_provider``: ``sub`` or ``action="deny"``; where it leads."""
    reply = await browser.post(str(page.url), data=form, follow_redirects=False)
    return await browser.get(urljoin(str(page.url), reply.headers["location"]))


def _key(kid: str) -> Key:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


def _json(value: Any, status: int = 200) -> Reply:
    return status, {"content-type": "application/json"}, json.dumps(value).encode()


def _over(honest: dict[str, Any], planted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**honest, **planted}.items() if value is not None}
