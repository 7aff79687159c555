"""Who is signed in, as values. How long a session stands, see ``session_book``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

import msgspec

from sync.domain.sign_in import opened_with
from sync.messages.commands import Actor
from sync.messages.feed import Role, Staff

End = Literal["access", "password", "expired", "idle", "everywhere"]


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


class Session(msgspec.Struct, frozen=True, kw_only=True):
    staff_id: str
    console: str
    expires_at: datetime
    verifier_hash: bytes | None
    is_locked: bool = False


def secret_hash(row: Staff) -> bytes:
    """What a session remembers of the password and the second factor that it was opened with."""
    return opened_with(row.verifier, row.second_factor.secret if row.second_factor is not None else None)
