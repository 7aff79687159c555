"""Verifying passwords (argon2id), a few at a time: at an office's console and at central. How guesses wait stands in
``sync.domain.sign_in``.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections import Counter
from collections.abc import AsyncIterator

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

VERIFY_AT_ONCE = 2
"""Verifications that may run at the same time: each takes a core and 64 MB for a moment."""
MAX_AT_THE_DOOR = 32
"""Sign-ins that are verified or wait for it, a second or two of work: longer than that nobody waits without a word."""
MAX_FROM_A_PLACE = 8
"""Of them from one place, so that one machine does not fill the door for all; also how many guesses may be under way
before the first is counted."""
MAX_SECRET_CHARS = 200

HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's second profile for argon2id: an edge box with little memory verifies it in some 30 ms. All verifiers that central makes
are of it, and the one that is compared where there is no such id: else the time of an answer would tell which ids are real.
"""


class Passwords:
    """Compares passwords with verifiers, off the event loop."""

    def __init__(self) -> None:
        self._nobody = ""

    async def load(self) -> None:
        """Make the verifier of nobody."""
        self._nobody = await asyncio.to_thread(HASHER.hash, secrets.token_urlsafe(16))

    async def is_right(self, verifier: str | None, secret: str) -> bool:
        """Whether a password is a verifier's; takes as long, and is not, when there is none."""
        right = await asyncio.to_thread(self.verify, verifier or self._nobody, secret[:MAX_SECRET_CHARS])
        return right and verifier is not None

    def verify(self, verifier: str, secret: str) -> bool:
        """The comparison itself; some 30 ms of a core."""
        try:
            return HASHER.verify(verifier, secret)
        except (VerificationError, InvalidHashError):
            return False


class Door:
    """Lets so many verify at once, so many wait, and says no to the rest."""

    def __init__(self) -> None:
        self._verifying = asyncio.Semaphore(VERIFY_AT_ONCE)
        self._from: Counter[str] = Counter()

    def is_full(self, place: str) -> bool:
        """Whether one more from a place has to come again later."""
        return self._from.total() >= MAX_AT_THE_DOOR or self._from[place] >= MAX_FROM_A_PLACE

    @contextlib.asynccontextmanager
    async def inside(self, place: str) -> AsyncIterator[None]:
        """Wait for one's turn to be verified."""
        self._from[place] += 1
        try:
            async with self._verifying:
                yield
        finally:
            self._from[place] -= 1
            if not self._from[place]:
                del self._from[place]
