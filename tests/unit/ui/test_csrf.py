"""A token that this server did not sign gets no further: the browser is given a new one."""

from __future__ import annotations

from typing import Any

import pytest
from litestar.config.csrf import CSRFConfig
from litestar.middleware.csrf import generate_csrf_token

from ui.csrf import is_signed, without_stale_tokens

OURS = CSRFConfig(secret="ours", cookie_name="csrf")
GOOD, OLD = generate_csrf_token("ours"), generate_csrf_token("the one before")


def test_only_our_own_signature_counts() -> None:
    assert is_signed(GOOD, "ours")
    for other in (OLD, "", "x", GOOD[:-1], GOOD + "0", "ñ" * 128):
        assert not is_signed(other, "ours")


@pytest.mark.parametrize(
    "brought,passed",
    [
        (f"csrf={GOOD}", f"csrf={GOOD}"),
        (f"a=1; csrf={GOOD}; b=2", f"a=1; csrf={GOOD}; b=2"),
        (f"a=1; csrf={OLD}; b=2", "a=1; b=2"),
        (f"csrf={OLD}", ""),
        (f"csrf={OLD}; csrf={GOOD}", f" csrf={GOOD}"),
        (f"other_csrf={OLD}", f"other_csrf={OLD}"),
        ("csrf", ""),
        ("", ""),
    ],
)
async def test_a_stale_token_does_not_reach_the_app(brought: str, passed: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.extend(scope["headers"])

    headers = [(b"accept", b"*/*"), (b"cookie", brought.encode())]
    scope: Any = {"type": "http", "headers": headers}
    await without_stale_tokens(app, OURS)(scope, None, None)  # type: ignore[arg-type]
    assert seen == [(b"accept", b"*/*"), *([(b"cookie", passed.encode())] if passed else [])]
