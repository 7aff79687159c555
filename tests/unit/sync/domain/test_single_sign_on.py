"""What a provider's answer is worth, without a provider."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from sync.domain.sign_in import MAX_ID_CHARS
from sync.domain.single_sign_on import (
    LEEWAY,
    MAX_CODE_CHARS,
    RETURN_WITHIN,
    Begun,
    Return,
    refusal,
    staff_id_in,
    used_second_factor,
    was_asked,
)

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ISSUER = "https://id.example"
BEGUN = Begun(state="s", nonce="n", verifier="v", leads_to="/", begun_at=NOW)
GOOD = Return(code="c", state="s")


@pytest.mark.parametrize(
    "came, why",
    [
        (GOOD, None),
        (Return(code="c", state="s", iss=ISSUER), None),
        (Return(code="c", state="s", iss="https://evil.example"), "account_refused"),
        (Return(code="c", state=""), "account_late"),
        (Return(code="c", state="S"), "account_late"),
        (Return(code="c", state="\udcff"), "account_late"),
        (Return(state="s"), "account_refused"),
        (Return(code="c" * (MAX_CODE_CHARS + 1), state="s"), "account_refused"),
        (Return(error="access_denied", state="s"), "account_cancelled"),
        (Return(error="access_denied", state="other"), "account_late"),
        (Return(code="c", error="access_denied", state="s"), "account_cancelled"),
        (Return(error="server_error", state="s"), "account_silent"),
        (Return(error="unauthorized_client", state="s"), "account_refused"),
    ],
)
def test_a_return_is_followed_up_when_it_fits(came: Return, why: str | None) -> None:
    assert refusal(BEGUN, came, NOW, ISSUER) == why


def test_a_promised_name_must_be_there() -> None:
    assert GOOD.lacks_name(names_itself=True)
    assert not GOOD.lacks_name(names_itself=False)
    assert not Return(code="c", state="s", iss=ISSUER).lacks_name(names_itself=True)


@pytest.mark.parametrize(
    "later, why",
    [
        (RETURN_WITHIN, None),
        (RETURN_WITHIN + timedelta(seconds=1), "account_late"),
        (-LEEWAY, None),  # the clock was set a little back meanwhile
        (-LEEWAY - timedelta(seconds=1), "account_late"),
    ],
)
def test_a_return_has_its_time(later: timedelta, why: str | None) -> None:
    assert refusal(BEGUN, GOOD, NOW + later, ISSUER) == why


@pytest.mark.parametrize(
    "said_s, asked",
    [
        (0, True),
        (90, True),
        (90.5, True),
        (-60, True),  # the clocks may differ
        (-61, False),  # that was an earlier sign-in
        (150, True),
        (151, False),  # nobody was asked tomorrow
    ],
)
def test_the_provider_says_when_it_asked(said_s: float, asked: bool) -> None:
    claims = {"auth_time": NOW.timestamp() + said_s}
    assert was_asked(claims, NOW, NOW + timedelta(seconds=90)) == asked


@pytest.mark.parametrize("said", [None, True, "1795420800", [], {}, math.nan, math.inf, -math.inf, 10**400])
def test_what_is_no_time_says_nothing(said: object) -> None:
    assert not was_asked({"auth_time": said}, NOW, NOW)
    assert not was_asked({}, NOW, NOW)


@pytest.mark.parametrize(
    "value, staff_id",
    [
        ("rocio", "rocio"),
        (" Rocio ", "rocio"),
        ("a" * MAX_ID_CHARS, "a" * MAX_ID_CHARS),
        ("a" * (MAX_ID_CHARS + 1), ""),
        ("rocío", ""),
        ("\u212aarl", ""),  # the sign of kelvin is a k when it is written small
        ("rocio@city.example", ""),
        ("centro/rocio", ""),
        ("-rocio", ""),
        ("rocio\n-x", ""),
        ("", ""),
        (None, ""),
        (7, ""),
        (["rocio"], ""),
    ],
)
def test_a_claim_names_an_id_or_nobody(value: object, staff_id: str) -> None:
    assert staff_id_in({"name": value, "sub": "rocio"}, "name") == staff_id
    assert staff_id_in({"sub": "rocio"}, "name") == ""


@pytest.mark.parametrize(
    "claims, used",
    [
        ({"amr": ["pwd", "otp"]}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": "otp"}, False),
        ({"amr": [["otp"]]}, False),
        ({"acr": "2"}, True),
        ({"acr": "1", "amr": []}, False),
        ({"acr": ["2"]}, False),
        ({"acr": 2}, False),
        ({}, False),
    ],
)
def test_the_provider_says_whether_a_second_factor_was_used(claims: dict[str, object], used: bool) -> None:
    assert used_second_factor(claims, ("2",), ("otp",)) == used
    assert not used_second_factor(claims, (), ()), "without settings nothing that it says is enough"
