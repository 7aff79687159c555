"""Signing in at central, and what a cookie stands for. Postgres keeps all of it, so any process of central may be asked.

The cookie holds an opaque random token, the database its SHA-256. A right password opens a session; where a second factor
belongs to it, first one that awaits the code, which stands for nobody and gives way to another token when the code comes.
How wrong tries wait is in memory, per process (`sync.domain.sign_in`).
"""

from __future__ import annotations

import hashlib
import math
import secrets
import uuid
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from central.audit import Attested, note, note_once
from central.context import Central
from central.staff.rules import (
    CODE_WITHIN,
    SEEN_EVERY,
    End,
    Limits,
    Member,
    Session,
    StaffRow,
    end_of,
    may_enter,
)
from sync.domain.second_factor import plain, recovery_hash, step_of
from sync.domain.sign_in import MAX_ID_CHARS, SignInTries, opened_with, place_of, token_hash
from sync.domain.single_sign_on import Proved, Why
from sync.io.sign_in_door import Door, Passwords
from sync.io.sql import load

queries = load("central.staff")

BUSY_WAIT_S = 2

Step = Literal["password", "account"]
"""What somebody comes with first; a code may follow either."""


class NotSignedIn(msgspec.Struct, frozen=True):
    """Why there is no session: office, id or password is wrong; too many were; too many people come at this moment; the person is
    proved and has nothing to do at central; a code is wanted, was wrong, or came too late; the account is nobody's here, or its
    name is that of several people; or nobody came back from the provider (`Why`).

    Args:
        wait_s: seconds until it is worth while to try again.
        token: with `code_needed`: what the browser brings with the code.
    """

    code: (
        Literal["sign_in_failed", "too_many_tries", "retry", "not_here", "code_needed", "code_wrong", "code_late"]
        | Literal["account_unknown", "account_several"]
        | Why
    )
    wait_s: int = 0
    token: str = ""


class SignedIn(msgspec.Struct, frozen=True):
    """A new session."""

    token: str
    member: Member


class StaffSessions:
    """Signs the city's people in and out."""

    def __init__(self, central: Central) -> None:
        rules = central.settings.sign_in
        self._central = central
        self._limits = Limits(whole=timedelta(hours=rules.end_h), idle=timedelta(minutes=rules.idle_end_min))
        self._passwords = Passwords()
        self._tries = SignInTries()
        self._door = Door()

    async def load(self) -> None:
        """Make ready; before the first `sign_in`."""
        await self._passwords.load()

    async def sign_in(self, office: str, staff_id: str, secret: str, address: str) -> SignedIn | NotSignedIn:
        """A new session, or why there is none.

        Takes the same time and says the same for an unknown office or id, a wrong secret and somebody no longer valid.

        Args:
            address: where the browser comes from.
        """
        place, claimed = place_of(address), _claimed(office, staff_id)
        if (wait_s := self._tries.wait_s(claimed, place, self._now_s())) > 0:
            return NotSignedIn("too_many_tries", math.ceil(wait_s))
        if self._door.is_full(place):
            return NotSignedIn("retry", BUSY_WAIT_S)
        async with self._door.inside(place):
            row = await self._row(office, staff_id)
            right = await self._passwords.is_right(row.verifier if row else None, secret)
        if row is None or not right or row.valid_until <= self._now():
            self._tries.wrong(claimed, place, self._now_s())
            return NotSignedIn("sign_in_failed")
        return await self._proved(row, "password", place, needs_code=row.factor_secret is not None)

    async def sign_in_with_account(self, proved: Proved, address: str) -> SignedIn | NotSignedIn:
        """A new session for whom the city's identity provider names, or why there is none. Roles are those of the staff row.

        The provider names an id and no office. Who else has that id, valid or not, may be another person, so two rows are
        nobody's.
        """
        rows = await self._central.pool.fetch(queries.staff_named, proved.staff_id)
        if len(rows) > 1:
            return NotSignedIn("account_several")
        row = await self._row(rows[0]["office_id"], proved.staff_id) if rows else None
        if row is None or row.valid_until <= self._now():
            return NotSignedIn("account_unknown")
        needs_code = row.factor_secret is not None and not proved.second_factor
        return await self._proved(row, "account", place_of(address), needs_code=needs_code)

    async def confirm(self, token: str, code: str, address: str) -> SignedIn | NotSignedIn:
        """The second step: a code, for a password or account that was right a moment ago. Guesses wait as for passwords."""
        place, (session, row) = place_of(address), await self._look(token)
        if session is None or not session.awaits_code or row is None or row.factor_secret is None:
            return NotSignedIn("code_late")
        if end_of(session, row, _proof(row), self._now(), self._limits) is not None:
            return NotSignedIn("code_late")
        claimed = _claimed(row.office_id, row.staff_id)
        if (wait_s := self._tries.wait_s(claimed, place, self._now_s())) > 0:
            return NotSignedIn("too_many_tries", math.ceil(wait_s), token)
        # Judged before anything is awaited: who sends many guesses at once finds each of them counted.
        typed, secret = plain(code), row.factor_secret
        step = step_of(secret, typed, self._now(), row.last_step)
        if (step is None and recovery_hash(typed) not in row.recovery) or not await self._uses(row, step, typed):
            self._tries.wrong(claimed, place, self._now_s())
            return NotSignedIn("code_wrong", token=token)
        await self.sign_out(token)
        return await self._open(row, place, f"{_first_step(token)}_code")

    async def member(self, token: str, *, is_input: bool = True) -> Member | End | None:
        """Who a token stands for now, why it no longer stands for somebody, or none for a token that nobody has.

        Args:
            is_input: a person asks, and not a page by itself.
        """
        session, row = await self._look(token)
        if session is None or session.awaits_code:
            return None
        now = self._now()
        proof = _proof(row) if row is not None else b""
        if (end := end_of(session, row, proof, now, self._limits)) is not None or row is None:
            return end or "access"
        if is_input and now - session.seen_at >= SEEN_EVERY:
            await self._central.pool.execute(queries.seen, token_hash(token), now)
        return row.member

    async def sign_out(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        if token:
            await self._central.pool.execute(queries.close_session, token_hash(token))

    async def note_look(self, token: str, member: Member, act: str, subject: str, *, office: str | None) -> None:
        """Write down that somebody looked at something: once per session, however often the page is loaded.

        Args:
            office: whose; none: it is the city's.
        """
        of_session = hashlib.sha256(token_hash(token) + f"{act} {subject}".encode()).digest()
        act_id = str(uuid.UUID(bytes=of_session[:16]))
        async with self._central.pool.acquire() as connection:
            who = Attested(actor=member.actor, at=self._now())
            await note_once(connection, act_id, who, act, subject, office=office)

    async def _proved(self, row: StaffRow, by: Step, place: str, *, needs_code: bool) -> SignedIn | NotSignedIn:
        """What becomes of somebody who is who they say."""
        if not may_enter(row.roles):
            return NotSignedIn("not_here")
        if needs_code:
            # The token says what it stands for. Only its hash is kept, so nobody can make it say something else.
            token = f"{by}.{secrets.token_urlsafe(32)}"
            return NotSignedIn("code_needed", token=await self._keep(row, token, awaits_code=True))
        return await self._open(row, place, by)

    async def _open(self, row: StaffRow, place: str, method: str) -> SignedIn:
        self._tries.right(_claimed(row.office_id, row.staff_id), place)
        token = secrets.token_urlsafe(32)
        return SignedIn(await self._keep(row, token, awaits_code=False, method=method), row.member)

    async def _keep(self, row: StaffRow, token: str, *, awaits_code: bool, method: str = "") -> str:
        now = self._now()
        ends = now + (CODE_WITHIN if awaits_code else self._limits.whole)
        async with self._central.pool.acquire() as connection, connection.transaction():
            await connection.execute(
                queries.open_session,
                token_hash(token),
                row.office_id,
                row.staff_id,
                _proof(row),
                now,
                ends,
                awaits_code,
            )
            if not awaits_code:
                who = Attested(actor=row.member.actor, at=now)
                await note(connection, who, "staff.signed_in", who.actor, office=row.office_id, method=method)
        return token

    async def _look(self, token: str) -> tuple[Session | None, StaffRow | None]:
        kept = await self._central.pool.fetchrow(queries.session, token_hash(token)) if token else None
        if kept is None:
            return None, None
        session = msgspec.convert(dict(kept), Session)
        return session, await self._row(session.office_id, session.staff_id)

    async def _row(self, office: str, staff_id: str) -> StaffRow | None:
        row = await self._central.pool.fetchrow(queries.staff_member, office, staff_id)
        return msgspec.convert(dict(row), StaffRow) if row is not None else None

    async def _uses(self, row: StaffRow, step: int | None, code: str) -> bool:
        """Use a right code up; false when somebody was faster or it was used before."""
        used: Any = (queries.use_step, step) if step is not None else (queries.use_recovery_code, recovery_hash(code))
        return await self._central.pool.fetchrow(used[0], row.office_id, row.staff_id, used[1]) is not None

    def _now(self) -> datetime:
        return self._central.clock.now()

    def _now_s(self) -> float:
        return self._central.clock.monotonic_ns() / 1e9


def _claimed(office: str, staff_id: str) -> str:
    return f"{office[:MAX_ID_CHARS]}/{staff_id[:MAX_ID_CHARS]}"


def _first_step(token: str) -> Step:
    """With what somebody came whose token awaits a code."""
    return "account" if token.startswith("account.") else "password"


def _proof(row: StaffRow) -> bytes:
    return opened_with(row.verifier, row.factor_secret)
