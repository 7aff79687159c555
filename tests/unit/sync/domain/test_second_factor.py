"""One-time codes, against the vectors of RFC 6238 (appendix B, SHA-1, their last six digits)."""

from datetime import UTC, datetime

import pytest

from sync.domain.second_factor import code_at, is_recovery, plain, recovery_hash, step_of
from sync.messages.feed import SecondFactor

SECRET = b"12345678901234567890"
VECTORS = [
    (59, "287082"),
    (1111111109, "081804"),
    (1111111111, "050471"),
    (1234567890, "005924"),
    (2000000000, "279037"),
]


def when(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.mark.parametrize("seconds, code", VECTORS)
def test_the_codes_of_the_standard(seconds: int, code: str) -> None:
    assert code_at(SECRET, seconds // 30) == code
    assert step_of(SECRET, code, when(seconds), -1) == seconds // 30


@pytest.mark.parametrize("off, is_right", [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_generator_may_be_one_step_off(off: int, is_right: bool) -> None:
    code = code_at(SECRET, (900 + off) // 30)
    assert (step_of(SECRET, code, when(900), -1) is not None) == is_right


def test_no_step_counts_twice_nor_one_before_it() -> None:
    used = step_of(SECRET, code_at(SECRET, 30), when(900), -1)
    assert used == 30
    assert step_of(SECRET, code_at(SECRET, 30), when(900), used) is None
    assert step_of(SECRET, code_at(SECRET, 29), when(900), used) is None
    assert step_of(SECRET, code_at(SECRET, 31), when(900), used) == 31


@pytest.mark.parametrize("code", ["", "28708", "2870821", "ABCDEF", "０１２３４５"])
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert step_of(SECRET, plain(code), when(59), -1) is None


def test_recovery_codes_are_read_as_people_write_them() -> None:
    factor = SecondFactor(secret=SECRET, recovery=(recovery_hash("ACDEFGHJKMNP"),))
    assert is_recovery(factor, plain("acde-fghj kmnp"))
    assert not is_recovery(factor, plain("acde-fghj-kmnq"))
