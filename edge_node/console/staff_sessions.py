"""Who is signed in at this office's console.

Staff rows come by feed with an argon2id verifier; signing in works without central. A session is an opaque random token in
a cookie; the database keeps its SHA-256, so a session survives a restart and a stolen file opens nothing. A session ends by
signing out, after twelve hours, or when the staff row goes away, its ``valid_until`` passes or its verifier changes: whoever
has a new password does not want the old one's browsers to stay.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
import sqlite3
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from edge_node.console.rules import place_of
from edge_node.console.sign_in_tries import Door, SignInTries
from edge_node.queue.journal import written
from edge_node.writer import Writer
from sync.io.sql import load
from sync.messages.commands import Actor
from sync.messages.feed import Role, Staff

SQL = load("edge_node.console", "sessions.sql")
SESSION_HOURS = 12
MAX_SECRET_CHARS = 200
MAX_ID_CHARS = 40
"""Longer ones nobody has; so much of them is remembered with a wrong try."""
BUSY_WAIT_S = 2


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in. ``console`` names the browser they sit at, in facts too."""

    staff_id: str
    display_name: str
    roles: tuple[Role, ...]
    console: str

    @property
    def supervisor(self) -> bool:
        return "supervisor" in self.roles

    @property
    def actor(self) -> Actor:
        return Actor(actor_id=self.staff_id, device_id=self.console, supervisor=self.supervisor)


class SignedIn(NamedTuple):
    """A new session."""

    token: str
    member: Member


class NotSignedIn(msgspec.Struct, frozen=True):
    """Why there is no session: id or password is wrong; too many were; too many people come at this moment.

    Args:
        wait_s: seconds until it is worth while to try again; the last two come with it.
    """

    code: Literal["sign_in_failed", "too_many_tries", "retry"]
    wait_s: int = 0


class _Session(msgspec.Struct, frozen=True):
    staff_id: str
    console: str
    expires_at: datetime
    verifier_hash: bytes | None

    def stands(self, row: Staff | None, now: datetime) -> bool:
        """Whether it still lets its person in."""
        if row is None or self.expires_at <= now or row.valid_until <= now:
            return False
        return self.verifier_hash in (None, _hash(row.verifier))


class StaffSessions:
    """Signs staff in and out.

    Args:
        staff: gives the staff rows as they are now.
        now: the office clock.
        now_s: monotonic seconds.
    """

    def __init__(
        self,
        writer: Writer,
        staff: Callable[[], Mapping[str, Staff]],
        now: Callable[[], datetime],
        now_s: Callable[[], float],
    ) -> None:
        self._writer = writer
        self._staff = staff
        self._now = now
        self._sessions: dict[bytes, _Session] = {}
        self._hasher = PasswordHasher()
        self._nobody = ""
        self._now_s = now_s
        self._tries = SignInTries()
        self._door = Door()

    async def load(self) -> None:
        """Read the sessions that were open when the process ended."""
        now = written(self._now())

        def read(connection: sqlite3.Connection) -> list[tuple[bytes, str, str, str, bytes | None]]:
            connection.execute(SQL.delete_expired, {"now": now})
            return connection.execute(SQL.sessions).fetchall()

        for token_hash, staff_id, console, expires_at, verifier_hash in await self._writer.run(read):
            expires = datetime.fromisoformat(expires_at)
            self._sessions[token_hash] = _Session(staff_id, console, expires, verifier_hash)
        self._nobody = await asyncio.to_thread(self._hasher.hash, secrets.token_urlsafe(16))

    async def sign_in(self, staff_id: str, secret: str, address: str) -> SignedIn | NotSignedIn:
        """A new session, or why there is none.

        Takes the same time and says the same for an unknown id, a wrong secret and somebody no longer valid.

        Args:
            address: where the browser comes from.
        """
        place, claimed = place_of(address), staff_id[:MAX_ID_CHARS]
        wait_s = self._tries.wait_s(claimed, place, self._now_s())
        if wait_s > 0:
            return NotSignedIn("too_many_tries", math.ceil(wait_s))
        if self._door.is_full(place):
            return NotSignedIn("retry", BUSY_WAIT_S)
        row = self._staff().get(staff_id)
        verifier = row.verifier if row else self._nobody
        async with self._door.inside(place):
            right = await asyncio.to_thread(self._verify, verifier, secret[:MAX_SECRET_CHARS])
        now = self._now()
        if row is None or not right or row.valid_until <= now:
            self._tries.wrong(claimed, place, self._now_s())
            return NotSignedIn("sign_in_failed")
        self._tries.right(claimed, place)
        return await self._opened(row, now)

    async def _opened(self, row: Staff, now: datetime) -> SignedIn:
        token = secrets.token_urlsafe(32)
        console = f"console-{secrets.token_hex(4)}"
        session = _Session(row.id, console, now + timedelta(hours=SESSION_HOURS), _hash(row.verifier))
        await self._keep(_hash(token), session, now)
        return SignedIn(token, _member(row, console))

    def member(self, token: str) -> Member | None:
        """Who a token stands for now; none when it stands for nobody (any more)."""
        session = self._sessions.get(_hash(token))
        if session is None:
            return None
        row = self._staff().get(session.staff_id)
        if row is None or not session.stands(row, self._now()):
            return None
        return _member(row, session.console)

    async def sign_out(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        token_hash = _hash(token)
        if self._sessions.pop(token_hash, None) is not None:
            await self._delete([token_hash])

    async def sweep(self) -> None:
        """Delete sessions whose time or staff row has gone, or whose person has another password."""
        staff, now = self._staff(), self._now()
        ended = [
            token_hash
            for token_hash, session in self._sessions.items()
            if not session.stands(staff.get(session.staff_id), now)
        ]
        for token_hash in ended:
            del self._sessions[token_hash]
        if ended:
            await self._delete(ended)

    def signed_in(self) -> frozenset[str]:
        """Ids of staff with an open session."""
        return frozenset(session.staff_id for session in self._sessions.values())

    async def _keep(self, token_hash: bytes, session: _Session, now: datetime) -> None:
        row = {
            "token_hash": token_hash,
            "staff_id": session.staff_id,
            "console": session.console,
            "created_at": written(now),
            "expires_at": written(session.expires_at),
            "verifier_hash": session.verifier_hash,
        }
        await self._writer.run(lambda connection: connection.execute(SQL.insert_session, row).rowcount)
        self._sessions[token_hash] = session

    async def _delete(self, token_hashes: list[bytes]) -> None:
        rows = [(token_hash,) for token_hash in token_hashes]
        await self._writer.run(lambda connection: connection.executemany(SQL.delete_session, rows).rowcount)

    def _verify(self, verifier: str, secret: str) -> bool:
        try:
            return self._hasher.verify(verifier, secret)
        except (VerificationError, InvalidHashError):
            return False


def _member(row: Staff, console: str) -> Member:
    return Member(staff_id=row.id, display_name=row.display_name, roles=row.roles, console=console)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
