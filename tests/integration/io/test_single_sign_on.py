"""What a provider may send that no provider sends: whatever it is, somebody is told in words, and nobody comes in."""

from __future__ import annotations

import asyncio
import base64
import json
import math
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from provisioning.single_sign_on import open_sign_on
from sync.domain.single_sign_on import NotProved, Proved, Return, Why
from sync.io.single_sign_on.settings import SingleSignOn
from sync.io.single_sign_on.sign_on import MAX_AT_ONCE, Departure, SignOn
from tests.kit.clock import ManualClock
from tests.kit.identity_provider import IdentityProvider, identity_provider, settings


def sign_on_by(rules: SingleSignOn, seal: bytes, clock: ManualClock) -> SignOn:
    sign_on = open_sign_on(rules, return_to="http://127.0.0.1:1/return", seal=seal, now=clock.now)
    assert sign_on is not None
    return sign_on


class Way:
    """A server and its provider, without pages."""

    def __init__(self, provider: IdentityProvider, folder: Path, clock: ManualClock, **rules: Any) -> None:
        self.provider = provider
        self.clock = clock
        self._rules = settings(provider.url, folder, **rules)
        self.sign_on = self.server()

    def server(self, seal: bytes = b"seal") -> SignOn:
        return sign_on_by(self._rules, seal, self.clock)

    async def walk(self) -> Proved | NotProved:
        departure = await self.sign_on.begin("/", "es")
        if isinstance(departure, NotProved):
            return departure
        return await self.sign_on.finish(departure.cookie, await self.answer(departure))

    async def answer(self, departure: Departure, *without: str) -> Return:
        """What the provider leads back with; ``without``: what a browser takes out of the address."""
        address = httpx.URL(departure.address)
        for name in without:
            assert name in address.params
            address = address.copy_remove_param(name)
        async with httpx.AsyncClient(trust_env=False) as browser:
            location = (await browser.get(address)).headers["location"]
        return Return(**dict(parse_qsl(urlsplit(location).query)))

    def forget(self) -> None:
        """What is known of the provider is old."""
        self.clock.advance(hours=1)


@pytest.fixture
async def way(tmp_path: Path) -> AsyncIterator[Way]:
    clock = ManualClock()
    async with identity_provider(clock.now) as provider:
        yield Way(provider, tmp_path, clock)


def raw(header: Any, claims: Any, signature: str = "AAAA") -> str:
    parts = (header, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + (
        f".{signature}"
    )


HEADERS: tuple[Any, ...] = (
    {}, [], 7, None, "x", {"alg": None}, {"alg": 7}, {"alg": ["RS256"]}, {"alg": {}}, {"alg": "RS256", "kid": 7},
    {"alg": "RS256", "kid": ["k1"]}, {"alg": "RS256", "kid": {}}, {"alg": "RS256"}, {"alg": "ES256", "kid": "k1"},
    {"alg": "EdDSA", "kid": "k1"}, {"alg": "RS256", "kid": "k1", "crit": ["exp"]}, {"alg": "RS256", "kid": "k1", "crit": 3},
    {"alg": "RS256", "kid": "k1", "b64": False, "crit": ["b64"]}, {"alg": "dir", "enc": "A128GCM"}, {"alg": "NONE"},
    {"alg": "RS256", "kid": "k1", "zip": "DEF"}, {"alg": "\udcff", "kid": "k1"},
)  # fmt: skip
TOKENS = ("", ".", "..", "...", "a.b", "é.é.é", "\x00", "x" * 100_000, "[" * 20_000 + "." + "[" * 20_000 + ".")
CLAIMS: tuple[dict[str, Any], ...] = (
    {"exp": -(10**400)}, {"exp": -1}, {"exp": True}, {"exp": []}, {"iat": "now"}, {"nbf": {}}, {"aud": []},
    {"aud": [[]]}, {"aud": 7}, {"aud": {}}, {"iss": []}, {"sub": 7}, {"nonce": []}, {"nonce": 7}, {"azp": ["x"]},
    {"at_hash": 7}, {"at_hash": ["x"]}, {"at_hash": "é"}, {"amr": "mfa"}, {"amr": 7}, {"auth_time": "then"},
)  # fmt: skip
KEYS: tuple[Any, ...] = (
    [], 7, {}, {"keys": None}, {"keys": 7}, {"keys": "x"}, {"keys": [7]}, {"keys": [{}]}, {"keys": [{"kty": 7}]},
    {"keys": [{"kty": "RSA"}]}, {"keys": [{"kty": "RSA", "n": "!", "e": "AQAB"}]}, {"keys": [{"kty": "RSA", "n": 7, "e": []}]},
    {"keys": [{"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA", "kid": "k1"}]},
    {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k1"}]},
    {"keys": [{"kty": "oct", "k": "AAAA", "kid": "k1"}]}, {"keys": [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "k1"}]},
)  # fmt: skip
ANSWERS: tuple[Any, ...] = (
    (200, {}, b""), (200, {}, b"[]"), (200, {}, b"{}"), (200, {}, b'{"id_token": 7}'), (200, {}, b"\xff\xfe"),
    (200, {}, b'{"id_token": "a.b.c", "access_token": []}'), (200, {}, b'{"x": "' + b"x" * 600_000 + b'"}'),
    (302, {"location": "http://127.0.0.1:9/"}, b""), (204, {}, b""), (418, {}, b"tea"), (503, {}, b"later"),
)  # fmt: skip


async def test_the_honest_one_is_believed(way: Way) -> None:
    came = await way.walk()
    assert came == Proved(staff_id="rocio", second_factor=False, leads_to="/")


async def test_no_token_brings_more_than_a_refusal(way: Way) -> None:
    made = [*TOKENS, *(raw(header, {"sub": "x"}) for header in HEADERS), raw({"alg": "RS256", "kid": "k1"}, [1])]
    for token in made:
        async with way.provider.lying(sign=lambda *_, token=token: token):
            assert await way.walk() == NotProved("account_refused", "/"), token[:80]


async def test_no_claim_brings_more_than_a_refusal(way: Way) -> None:
    for planted in CLAIMS:
        async with way.provider.lying(planted=planted):
            assert await way.walk() == NotProved("account_refused", "/"), planted


async def test_who_must_be_asked_each_time_has_to_be_asked_now(way: Way) -> None:
    now = int(way.clock.now().timestamp())
    for said in (None, 0, now - 61, now + 61, True, math.nan, math.inf, -(10**400)):
        async with way.provider.lying(planted={"auth_time": said}):
            assert await way.walk() == NotProved("account_not_asked", "/"), said
    for said in (now - 60, now, now + 0.5, now + 60):
        async with way.provider.lying(planted={"auth_time": said}):
            assert isinstance(await way.walk(), Proved), said


async def test_a_browser_that_takes_the_asking_out_of_the_address_gains_nothing(way: Way) -> None:
    departure = await way.sign_on.begin("/", "es")
    assert isinstance(departure, Departure)
    back = await way.answer(departure, "prompt", "max_age")
    assert await way.sign_on.finish(departure.cookie, back) == NotProved("account_not_asked", "/")


async def test_who_need_not_be_asked_each_time_comes_as_they_are(tmp_path: Path) -> None:
    clock = ManualClock()
    async with identity_provider(clock.now) as provider:
        way = Way(provider, tmp_path, clock, ask_always=False)
        assert isinstance(await way.walk(), Proved)
        assert not {"prompt", "max_age"} & set(provider.asked[0])
        async with provider.lying(planted={"auth_time": 1}):
            assert isinstance(await way.walk(), Proved)


async def test_no_keys_bring_more_than_a_refusal(way: Way) -> None:
    for keys in KEYS:
        way.forget()
        async with way.provider.lying(keys=keys):
            came = await way.walk()
            assert isinstance(came, NotProved), keys
            assert came.code in {"account_refused", "account_silent"}, keys
    way.forget()
    assert isinstance(await way.walk(), Proved)


async def test_a_key_that_nobody_understands_does_not_hide_the_others(way: Way) -> None:
    honest = [key.as_dict(private=False) for key in way.provider.published]
    async with way.provider.lying(
        keys={"keys": [{"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "kid": "q"}, *honest]}
    ):
        assert isinstance(await way.walk(), Proved)


async def test_no_answer_brings_more_than_a_refusal(way: Way) -> None:
    for answer in ANSWERS:
        async with way.provider.lying(token_answer=answer):
            came = await way.walk()
            assert isinstance(came, NotProved), answer[0]
            assert came.code in {"account_refused", "account_silent"}, answer[0]


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"state": "another"}, "account_late"),
        ({"iss": "https://evil.example"}, "account_refused"),
        ({"error": "access_denied"}, "account_cancelled"),
        ({"code": ""}, "account_refused"),
        ({}, "account_silent"),  # only this one is worth a question
    ],
)
async def test_what_costs_nothing_is_looked_at_first(way: Way, changed: dict[str, str], code: Why) -> None:
    departure = await way.sign_on.begin("/", "es")
    assert isinstance(departure, Departure)
    back = msgspec.structs.replace(await way.answer(departure), **changed)
    fresh = way.server()  # another process of central, that knows nothing of the provider yet
    async with way.provider.lying(described={"issuer": "https://evil.example"}):
        assert await fresh.finish(departure.cookie, back) == NotProved(code, "/")
    if not changed:
        way.clock.advance(minutes=11)
        assert await fresh.finish(departure.cookie, back) == NotProved("account_late", "/")


async def test_who_comes_too_late_is_told_so_however_many_are_inside(way: Way) -> None:
    departure = await way.sign_on.begin("/", "es")
    assert isinstance(departure, Departure)
    backs = [await way.answer(departure) for _ in range(MAX_AT_ONCE)]
    way.provider.gate.clear()
    inside = [asyncio.create_task(way.sign_on.finish(departure.cookie, back)) for back in backs]
    await asyncio.sleep(0)
    assert await way.sign_on.finish(departure.cookie, backs[0]) == NotProved("account_busy", "/")
    assert await way.sign_on.finish(departure.cookie, Return(code="c", state="another")) == NotProved(
        "account_late", "/"
    )
    assert await way.sign_on.finish("", backs[0]) == NotProved("account_late")
    way.provider.gate.set()
    assert all(isinstance(came, Proved) for came in await asyncio.gather(*inside))


async def test_a_cookie_of_another_server_is_nothing(way: Way) -> None:
    departure = await way.sign_on.begin("/", "es")
    assert isinstance(departure, Departure)
    other = way.server(b"another seal")
    assert await other.finish(departure.cookie, await way.answer(departure)) == NotProved("account_late")
    assert "http" not in departure.cookie
    assert "nonce" not in str(base64.urlsafe_b64decode(departure.cookie)), "the browser cannot read it"


async def test_a_provider_that_says_nothing_holds_no_more_than_so_many(tmp_path: Path) -> None:
    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()
        writer.close()

    silence = asyncio.Event()
    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sign_on = sign_on_by(settings(f"http://127.0.0.1:{port}", tmp_path, timeout_s=1), b"seal", ManualClock())
    came = await asyncio.gather(*(sign_on.begin("/", "es") for _ in range(MAX_AT_ONCE + 3)))
    silence.set()
    server.close()
    await server.wait_closed()
    codes = [one.code for one in came if isinstance(one, NotProved)]
    assert sorted(codes) == ["account_busy"] * 3 + ["account_silent"] * MAX_AT_ONCE
    assert (await sign_on.begin("/", "es")) == NotProved("account_silent", "/"), "there is room again"
