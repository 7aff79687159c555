"""Who waits for whose wrong tries."""

import pytest

from sync.domain import sign_in as rules
from sync.domain.sign_in import SignInTries, Tries, place_of
from sync.io.sign_in_door import MAX_AT_THE_DOOR, MAX_FROM_A_PLACE, Door

DESK, THIEF = "192.0.2.10", "192.0.2.66"


def after(wrong: int, at_s: float = 0.0) -> SignInTries:
    """So many wrong tries at ``clerk-1`` from the thief's place, each as soon as it is looked at."""
    tries, now_s = SignInTries(), at_s
    for _ in range(wrong):
        now_s += tries.wait_s("clerk-1", THIEF, now_s)
        tries.wrong("clerk-1", THIEF, now_s)
    return tries


def test_the_first_tries_are_free_and_then_the_wait_doubles_up_to_its_longest() -> None:
    waits, tries = [], Tries()
    for _ in range(14):
        tries = tries.one_more(100.0)
        waits.append(tries.wait_s(rules.FREE_TRIES, 100.0))
    assert waits == [0, 0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert tries.wait_s(rules.FREE_TRIES, 399.0) == 1
    assert tries.wait_s(rules.FREE_TRIES, 400.0) == 0


def test_a_quiet_while_forgets() -> None:
    tries = Tries(wrong=12, last_s=100.0)
    assert tries.one_more(100.0 + rules.FORGET_AFTER_S - 1).wrong == 13
    assert tries.one_more(100.0 + rules.FORGET_AFTER_S).wrong == 1


def test_no_guesser_elsewhere_makes_a_clerk_wait() -> None:
    tries = after(wrong=40)
    assert tries.wait_s("clerk-1", DESK, 10_000.0) == 0
    tries = after(wrong=10)
    assert tries.wait_s("clerk-1", THIEF, 0.0) > 60
    assert tries.wait_s("clerk-1", DESK, 0.0) == 0


def test_an_id_that_is_guessed_from_many_places_gives_each_one_free_try() -> None:
    tries = SignInTries()
    tries.right("clerk-1", DESK)
    for number in range(rules.GUESSED_AFTER):
        tries.wrong("clerk-1", f"192.0.2.{100 + number}", 0.0)
    assert tries.wait_s("clerk-1", THIEF, 0.0) == 0
    tries.wrong("clerk-1", THIEF, 0.0)
    assert tries.wait_s("clerk-1", THIEF, 0.0) == 2
    for _ in range(rules.FREE_TRIES - 1):
        tries.wrong("clerk-1", DESK, 0.0)
        assert tries.wait_s("clerk-1", DESK, 0.0) == 0
    assert tries.wait_s("clerk-2", "192.0.2.100", 0.0) == 0


def test_many_ids_from_one_place_wait_but_not_who_works_there() -> None:
    tries = SignInTries()
    tries.right("clerk-1", THIEF)
    for number in range(rules.FREE_TRIES_OF_PLACE):
        tries.wrong(f"guess-{number}", THIEF, 0.0)
    assert tries.wait_s("clerk-2", THIEF, 0.0) == 2
    assert tries.wait_s("clerk-1", THIEF, 0.0) == 0


def test_signing_in_forgives_only_ones_own_tries() -> None:
    tries = SignInTries()
    for _ in range(rules.FREE_TRIES - 1):
        tries.wrong("clerk-1", DESK, 0.0)
        tries.wrong("clerk-2", DESK, 0.0)
    tries.right("clerk-1", DESK)
    for staff_id in ("clerk-1", "clerk-2"):
        tries.wrong(staff_id, DESK, 0.0)
    assert (tries.wait_s("clerk-1", DESK, 0.0), tries.wait_s("clerk-2", DESK, 0.0)) == (0, 2)


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.domain.sign_in.MAX_REMEMBERED", 3)
    tries = SignInTries()
    for number in range(10):
        tries.wrong(f"guess-{number}", DESK, 0.0)
    assert len(tries._here) == len(tries._ids) == 3


async def test_one_place_cannot_fill_the_door() -> None:
    door = Door()
    for _ in range(MAX_FROM_A_PLACE):
        door._from[THIEF] += 1
    assert door.is_full(THIEF)
    assert not door.is_full(DESK)
    async with door.inside(DESK):
        assert door._from[DESK] == 1
    assert DESK not in door._from
    door._from["192.0.2.1"] = MAX_AT_THE_DOOR
    assert door.is_full(DESK)


@pytest.mark.parametrize(
    "address, place",
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("no address", "no address"),
    ],
)
def test_places(address: str, place: str) -> None:
    assert place_of(address) == place
