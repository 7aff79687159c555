"""The sessions of this office's console: who is signed in at which browser, locked or not, and since when nobody touched it.

A session is an opaque random token in a cookie; the database keeps its SHA-256, so a session survives a restart and a stolen
file opens nothing. States, by the first that holds:

    ended    signed out; too old; long without input; the staff row went away, its time passed, or its verifier or second factor
             changed: whoever has a new password does not want the old one's browsers to stay
    locked   by its person, or after some minutes without input. Nobody is signed in there as far as pages, commands and streams
             can tell; visit and counter go on. Its person's password opens it again
    open     everything else

Input is what a person does; a page that asks for news by itself is none.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import msgspec

from edge_node.console.presence import Presence
from edge_node.console.signed_in import End, Member, Session, SignedIn, secret_hash
from edge_node.queue.journal import written
from edge_node.settings import SignIn
from edge_node.writer import Writer
from sync.domain.sign_in import token_hash as hash_of
from sync.io.sql import load
from sync.messages.feed import Staff

SQL = load("edge_node.console", "sessions.sql")
ENDED_REMEMBERED = 1000


class SessionBook:
    """Keeps sessions, in memory and on the disk.

    Args:
        staff: gives the staff rows as they are now.
        now: the office clock.
        now_s: monotonic seconds, real ones whatever the clock's rate.
    """

    def __init__(
        self,
        writer: Writer,
        staff: Callable[[], Mapping[str, Staff]],
        now: Callable[[], datetime],
        now_s: Callable[[], float],
        rules: SignIn,
    ) -> None:
        self._writer = writer
        self._staff = staff
        self._now = now
        self._now_s = now_s
        self._rules = rules
        self._sessions: dict[bytes, Session] = {}
        self._presence: dict[bytes, Presence] = {}
        self._kept_s: dict[bytes, float] = {}
        self._ended: OrderedDict[bytes, End] = OrderedDict()

    async def load(self) -> None:
        """Read the sessions that were open when the process ended. Time without input goes on; data on screens are hidden."""
        now, now_s = self._now(), self._now_s()

        def read(
            connection: sqlite3.Connection,
        ) -> list[tuple[bytes, str, str, str, bytes | None, str | None, str | None]]:
            connection.execute(SQL.delete_expired, {"now": written(now)})
            return connection.execute(SQL.sessions).fetchall()

        for token_hash, staff_id, console, expires_at, verifier_hash, seen_at, locked_at in await self._writer.run(
            read
        ):
            self._sessions[token_hash] = Session(
                staff_id=staff_id,
                console=console,
                expires_at=datetime.fromisoformat(expires_at),
                verifier_hash=verifier_hash,
                is_locked=locked_at is not None,
            )
            idle_s = max(0.0, (now - datetime.fromisoformat(seen_at)).total_seconds()) if seen_at else 0.0
            self._presence[token_hash] = Presence(now_s - idle_s, now)

    # ------------------------------------------------------------------------------------------------------- who is here

    def member(self, token: str) -> Member | None:
        """Who a token stands for now; none when it stands for nobody (any more), or its screen is locked."""
        return self._member_if(token, locked=False)

    def locked_member(self, token: str) -> Member | None:
        """Whose screen is locked."""
        return self._member_if(token, locked=True)

    def why_ended(self, token: str) -> End | None:
        """Why a token that a browser still has stands for nobody; none when that is not known, or it does stand."""
        token_hash = hash_of(token)
        return self._end_of(token_hash) if token_hash in self._sessions else self._ended.get(token_hash)

    def signed_in(self) -> frozenset[str]:
        """Ids of staff with an open session."""
        return frozenset(session.staff_id for session in self._sessions.values())

    def _member_if(self, token: str, *, locked: bool) -> Member | None:
        token_hash = hash_of(token)
        session = self._sessions.get(token_hash)
        if session is None or self._end_of(token_hash) is not None or self._is_locked(token_hash) != locked:
            return None
        return self._member(self._staff()[session.staff_id], session.console)

    def _member(self, row: Staff, console: str) -> Member:
        roles = row.roles
        if self._rules.supervisor_code == "required" and row.second_factor is None:
            roles = tuple(role for role in roles if role != "supervisor")
        return Member(staff_id=row.id, display_name=row.display_name, roles=roles, console=console)

    def _end_of(self, token_hash: bytes) -> End | None:
        """Why a session has ended; none while it stands."""
        session, now = self._sessions[token_hash], self._now()
        row = self._staff().get(session.staff_id)
        if row is None or row.valid_until <= now:
            return "access"
        if session.verifier_hash not in (None, secret_hash(row)):
            return "password"
        if session.expires_at <= now:
            return "expired"
        idle_s = self._presence[token_hash].idle_s(self._now_s())
        return "idle" if idle_s >= self._rules.idle_end_h * 3600 else None

    def _is_locked(self, token_hash: bytes) -> bool:
        locks_s = self._rules.lock_after_min * 60
        idle_s = self._presence[token_hash].idle_s(self._now_s())
        return self._sessions[token_hash].is_locked or (locks_s > 0 and idle_s >= locks_s)

    # ------------------------------------------------------------------------------------------------------ what they do

    def touch(self, token: str) -> None:
        """There was input at an open session."""
        self._change(token, lambda presence: presence.seen(self._now_s(), self._now()))

    def left(self, token: str) -> None:
        """Its browser saw no input for a minute."""
        self._change(token, lambda presence: presence.left(self._now_s()))

    def show(self, token: str, ticket_id: str) -> None:
        """The data of a visit's person are wanted."""
        self._change(token, lambda presence: presence.showing(ticket_id))

    def shows(self, token: str, ticket_id: str, called_at: datetime) -> bool:
        """Whether the data of a visit's person may be sent to a browser now."""
        presence = self._presence.get(hash_of(token))
        return presence is not None and presence.shows(ticket_id, called_at, self._now_s())

    def _change(self, token: str, change: Callable[[Presence], Presence]) -> None:
        if self.member(token) is not None:
            token_hash = hash_of(token)
            self._presence[token_hash] = change(self._presence[token_hash])

    async def lock(self, token: str) -> None:
        """Lock an open session's screen; nothing happens when there is none."""
        if self.member(token) is not None:
            await self._set_lock(hash_of(token), locked=True)

    async def unlock(self, token: str) -> None:
        """Open a locked screen again; its person has just proved to be there."""
        token_hash = hash_of(token)
        if self.locked_member(token) is not None:
            self._presence[token_hash] = Presence(self._now_s(), self._now())
            await self._set_lock(token_hash, locked=False)

    async def _set_lock(self, token_hash: bytes, *, locked: bool) -> None:
        now = written(self._now())
        row = {"token_hash": token_hash, "locked_at": now if locked else None, "seen_at": None if locked else now}
        if locked:  # at once, whatever the disk does
            self._sessions[token_hash] = msgspec.structs.replace(self._sessions[token_hash], is_locked=True)
        await self._writer.run(lambda connection: connection.execute(SQL.put_lock, row).rowcount)
        if token_hash in self._sessions:
            self._sessions[token_hash] = msgspec.structs.replace(self._sessions[token_hash], is_locked=locked)

    # ---------------------------------------------------------------------------------------------------- begin and end

    async def open(self, row: Staff) -> SignedIn:
        """A new session of somebody."""
        token, console, now = secrets.token_urlsafe(32), f"console-{secrets.token_hex(4)}", self._now()
        session = Session(
            staff_id=row.id,
            console=console,
            expires_at=now + timedelta(hours=self._rules.end_h),
            verifier_hash=secret_hash(row),
        )
        await self._keep(hash_of(token), session, now)
        return SignedIn(token, self._member(row, console))

    async def sign_out(self, token: str) -> None:
        """End a session; nothing happens when there is none."""
        await self._end([hash_of(token)])

    async def sign_out_everywhere(self, staff_id: str) -> None:
        """End all sessions of somebody; their browsers are told why."""
        ended = [token_hash for token_hash, session in self._sessions.items() if session.staff_id == staff_id]
        for token_hash in ended:
            self._remember_end(token_hash, "everywhere")
        await self._end(ended)

    async def sweep(self) -> None:
        """Delete sessions whose time or staff row has gone, or whose person has another password or second factor."""
        ended = {token_hash: why for token_hash in self._sessions if (why := self._end_of(token_hash)) is not None}
        for token_hash, why in ended.items():
            self._remember_end(token_hash, why)
        await self._end(ended)

    async def keep_seen(self) -> None:
        """Write down when there was input last, where there was some since the last time."""
        now, now_s = self._now(), self._now_s()
        changed = {key: each for key, each in self._presence.items() if each.last_s > self._kept_s.get(key, 0.0)}
        rows = [
            {"token_hash": key, "seen_at": written(now - timedelta(seconds=each.idle_s(now_s)))}
            for key, each in changed.items()
        ]
        if rows:
            await self._writer.run(lambda connection: connection.executemany(SQL.put_seen, rows).rowcount)
            self._kept_s.update({key: each.last_s for key, each in changed.items()})

    async def _keep(self, token_hash: bytes, session: Session, now: datetime) -> None:
        row = {
            "token_hash": token_hash,
            "staff_id": session.staff_id,
            "console": session.console,
            "created_at": written(now),
            "expires_at": written(session.expires_at),
            "verifier_hash": session.verifier_hash,
        }
        await self._writer.run(lambda connection: connection.execute(SQL.insert_session, row).rowcount)
        self._presence[token_hash] = Presence(self._now_s(), now)
        self._sessions[token_hash] = session

    def _remember_end(self, token_hash: bytes, why: End) -> None:
        self._ended[token_hash] = why
        while len(self._ended) > ENDED_REMEMBERED:
            self._ended.popitem(last=False)

    async def _end(self, token_hashes: Iterable[bytes]) -> None:
        rows = [(token_hash,) for token_hash in token_hashes if self._sessions.pop(token_hash, None) is not None]
        for (token_hash,) in rows:
            self._presence.pop(token_hash, None)
            self._kept_s.pop(token_hash, None)
        if rows:
            await self._writer.run(lambda connection: connection.executemany(SQL.delete_session, rows).rowcount)
