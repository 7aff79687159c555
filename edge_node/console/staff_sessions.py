"""Signing in and unlocking: passwords, codes, and how many guesses are looked at.

Staff rows come by feed with an argon2id verifier, and with what codes are verified with where somebody has a second factor;
both work without central. What a session is, see ``session_book``.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal

import msgspec
import structlog

from edge_node.console.central_heard import CentralHeard
from edge_node.console.rules import may_sign_in
from edge_node.console.second_step import SecondStep
from edge_node.console.session_book import SessionBook
from edge_node.console.signed_in import Member, SignedIn
from edge_node.settings import SignIn
from edge_node.writer import Writer
from sync.domain.sign_in import MAX_ID_CHARS, SignInTries, place_of
from sync.domain.single_sign_on import Proved, Why
from sync.io.sign_in_door import Door, Passwords
from sync.messages.feed import Staff

__all__ = ["MAX_ID_CHARS", "Member", "NotSignedIn", "SignedIn", "StaffSessions"]

BUSY_WAIT_S = 2
KEEP_EVERY_S = 30

log = structlog.get_logger()


class NotSignedIn(msgspec.Struct, frozen=True):
    """Why there is no session: id or password is wrong; too many were; too many people come at this moment; the password is
    right and a code is wanted, was wrong, or came too late; nobody has heard of central for too long; the account is nobody's
    here; or nobody came back from the provider (`Why`).

    Args:
        wait_s: seconds until it is worth while to try again.
        pending: stands for the right password when the code comes.
    """

    code: (
        Literal["sign_in_failed", "too_many_tries", "retry", "code_needed", "code_wrong", "code_late", "too_old"]
        | Literal["account_unknown"]
        | Why
    )
    wait_s: int = 0
    pending: str = ""


class StaffSessions(SessionBook):
    """Signs staff in and out.

    Args:
        staff: gives the staff rows as they are now.
        now: the office clock.
        now_s: monotonic seconds.
        true_now: the time that code generators go by, as well as it is known here.
        connected: whether central is heard; none where there is none.
    """

    def __init__(
        self,
        writer: Writer,
        staff: Callable[[], Mapping[str, Staff]],
        now: Callable[[], datetime],
        now_s: Callable[[], float],
        rules: SignIn,
        *,
        true_now: Callable[[], datetime],
        connected: Callable[[], bool | None],
    ) -> None:
        super().__init__(writer, staff, now, now_s, rules)
        self._passwords = Passwords()
        self._tries = SignInTries()
        self._door = Door()
        self._codes = SecondStep(writer, true_now)
        self._heard = CentralHeard(writer, connected, now)

    async def load(self) -> None:
        """Read what was kept when the process ended."""
        await super().load()
        await self._codes.load()
        await self._heard.load()
        await self._passwords.load()

    async def run(self) -> None:
        """Keep sessions and the age of what is known of staff."""
        while True:
            await asyncio.sleep(KEEP_EVERY_S)
            await self.sweep()
            await self.keep_seen()
            await self._heard.watch()

    async def sign_in(self, staff_id: str, secret: str, address: str, code: str = "") -> SignedIn | NotSignedIn:
        """A new session, or why there is none.

        Takes the same time and says the same for an unknown id, a wrong secret and somebody no longer valid.

        Args:
            address: where the browser comes from.
            code: of the second factor, when it is known already.
        """
        row = await self._proved(staff_id, secret, address)
        if isinstance(row, NotSignedIn):
            return row
        if row.second_factor is None:
            return await self._open(row, address, "password")
        pending = self._codes.begin(row.id, "password", self._now_s())
        return await self.confirm(pending, code, address) if code else NotSignedIn("code_needed", pending=pending)

    async def sign_in_with_account(self, proved: Proved, address: str) -> SignedIn | NotSignedIn:
        """A new session for whom the city's identity provider names, or why there is none. Roles are those of the staff row."""
        row = self._staff().get(proved.staff_id)
        if row is None or row.valid_until <= self._now():
            return NotSignedIn("account_unknown")
        if row.second_factor is None or proved.second_factor:
            return await self._open(row, address, "account")
        return NotSignedIn("code_needed", pending=self._codes.begin(row.id, "account", self._now_s()))

    async def confirm(self, pending: str, code: str, address: str) -> SignedIn | NotSignedIn:
        """The second step: a code, for a password or account that was right a moment ago. Guesses wait as for passwords."""
        passed, place = self._codes.pending(pending, self._now_s()), place_of(address)
        row = self._staff().get(passed.staff_id) if passed is not None else None
        if passed is None or row is None or row.second_factor is None or row.valid_until <= self._now():
            return NotSignedIn("code_late")
        staff_id = passed.staff_id
        if (wait_s := self._tries.wait_s(staff_id, place, self._now_s())) > 0:
            return NotSignedIn("too_many_tries", math.ceil(wait_s), pending)
        if not await self._codes.accept(staff_id, row.second_factor, code):
            self._tries.wrong(staff_id, place, self._now_s())
            return NotSignedIn("code_wrong", pending=pending)
        self._codes.end(pending)
        return await self._open(row, address, f"{passed.by}_code")

    async def unlock_with(self, token: str, secret: str, address: str) -> NotSignedIn | None:
        """Open a locked screen with its person's password; why not. The session has seen the second factor already."""
        member = self.locked_member(token)
        if member is None:
            return NotSignedIn("sign_in_failed")
        row = await self._proved(member.staff_id, secret, address)
        if isinstance(row, NotSignedIn):
            return row
        self._tries.right(row.id, place_of(address))
        await self.unlock(token)
        return None

    async def _open(self, row: Staff, address: str, method: str) -> SignedIn | NotSignedIn:
        self._tries.right(row.id, place_of(address))
        limit = timedelta(hours=self._rules.offline_h)
        if not may_sign_in(self._heard.age(), limit, roles=row.roles, present=self._roles_present()):
            return NotSignedIn("too_old")
        came = await self.open(row)
        log.info("staff.signed_in", staff=row.id, console=came.member.console, method=method)
        return came

    def central_unheard(self) -> timedelta:
        """How old what is known of staff is: how long central was not heard."""
        return self._heard.age()

    def _roles_present(self) -> frozenset[str]:
        staff = self._staff()
        return frozenset(role for staff_id in self.signed_in() if staff_id in staff for role in staff[staff_id].roles)

    async def _proved(self, staff_id: str, secret: str, address: str) -> Staff | NotSignedIn:
        """Whose password it is. A password alone does not make good earlier wrong codes."""
        place, claimed = place_of(address), staff_id[:MAX_ID_CHARS]
        wait_s = self._tries.wait_s(claimed, place, self._now_s())
        if wait_s > 0:
            return NotSignedIn("too_many_tries", math.ceil(wait_s))
        if self._door.is_full(place):
            return NotSignedIn("retry", BUSY_WAIT_S)
        row = self._staff().get(staff_id)
        async with self._door.inside(place):
            right = await self._passwords.is_right(row.verifier if row else None, secret)
        if row is None or not right or row.valid_until <= self._now():
            self._tries.wrong(claimed, place, self._now_s())
            return NotSignedIn("sign_in_failed")
        return row
