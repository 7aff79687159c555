"""Passwords: who has none takes as long as who has one, so the time of an answer tells nothing."""

from __future__ import annotations

from argon2 import PasswordHasher, extract_parameters

from sync.io.sign_in_door import HASHER, Passwords


async def test_a_password_is_right_for_its_verifier_only() -> None:
    passwords = Passwords()
    await passwords.load()
    verifier = HASHER.hash("secreta")
    assert await passwords.is_right(verifier, "secreta")
    assert not await passwords.is_right(verifier, "Secreta")
    assert not await passwords.is_right("not a verifier", "secreta")


async def test_nobody_has_no_password_and_one_of_the_same_weight() -> None:
    passwords = Passwords()
    await passwords.load()
    assert not await passwords.is_right(None, "")
    assert extract_parameters(passwords._nobody) == extract_parameters(HASHER.hash("secreta"))
    assert extract_parameters(passwords._nobody) != extract_parameters(PasswordHasher().hash("x"))
