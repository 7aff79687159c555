"""Who may do what at central, how long a session stands, and where signing in may lead. Pure.

A row of staff belongs to one office. Its roles say what it is worth at central:

    manager    reads and changes what is its office's
    admin      the same at all offices of the city
    others     nothing: their work is at their office's console
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Literal

import msgspec

ROLES_HERE = frozenset({"manager", "admin"})
"""Roles that sign in at central."""
CODE_WITHIN = timedelta(minutes=5)
"""How long after a right password its one-time code may come."""
SEEN_EVERY = timedelta(minutes=1)
"""Input is written down so often: one write a minute and person, and a session ends by that much too early at worst."""
MAX_ADDRESS_CHARS = 300

End = Literal["access", "password", "expired", "idle"]


class Limits(msgspec.Struct, frozen=True):
    """How long a session stands: in any case, and without input."""

    whole: timedelta
    idle: timedelta


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is signed in.

    Args:
        office: whose row of staff it is; with it `staff_id` names a person, without it several may have that id.
    """

    office: str
    staff_id: str
    display_name: str
    roles: tuple[str, ...]

    @property
    def actor(self) -> str:
        """As records name them."""
        return f"{self.office}/{self.staff_id}"

    @property
    def is_city_wide(self) -> bool:
        return "admin" in self.roles


class StaffRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of staff as it is now, with its second factor.

    Args:
        factor_secret: none for who has no second factor.
        recovery: SHA-256 of each code for a lost generator.
        last_step: of their one-time codes, the last that was used at central.
    """

    office_id: str
    staff_id: str
    display_name: str
    roles: tuple[str, ...]
    verifier: str
    valid_until: datetime
    factor_secret: bytes | None = None
    recovery: tuple[bytes, ...] = ()
    last_step: int = -1

    @property
    def member(self) -> Member:
        return Member(office=self.office_id, staff_id=self.staff_id, display_name=self.display_name, roles=self.roles)


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is kept; see `migrations/0013_staff_sessions.sql`."""

    office_id: str
    staff_id: str
    opened_with: bytes
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    awaits_code: bool


def may_enter(roles: Collection[str]) -> bool:
    """Whether somebody has anything to do at central."""
    return not ROLES_HERE.isdisjoint(roles)


def may_manage(member: Member, office: str) -> bool:
    """Whether somebody reads and changes what is an office's."""
    return member.is_city_wide or ("manager" in member.roles and member.office == office)


def managed(member: Member, offices: Iterable[str]) -> list[str]:
    """Of some offices those that somebody manages, in the same order."""
    return [office for office in offices if may_manage(member, office)]


def may_see_names(member: Member, office: str) -> bool:
    """Whether somebody sees what the people are called who work at an office: who manages it, and not all who may look at it."""
    return "manager" in member.roles and member.office == office


def end_of(session: Session, row: StaffRow | None, opened_with: bytes, now: datetime, limits: Limits) -> End | None:
    """Why a session has ended; none while it stands.

    Args:
        row: of staff, as it is now; none when it went away.
        opened_with: of that row, as a session that was opened now would keep it.
    """
    if row is None or row.valid_until <= now or not may_enter(row.roles):
        return "access"
    if session.opened_with != opened_with:
        return "password"
    if session.expires_at <= now:
        return "expired"
    return "idle" if now - session.seen_at >= limits.idle else None


def is_ours(address: str) -> bool:
    """Whether signing in may lead to an address: a path of this site, whatever a browser makes of its signs."""
    return (
        address.startswith("/")
        and not address.startswith(("//", "/\\"))
        and len(address) <= MAX_ADDRESS_CHARS
        and all(" " < sign < "\x7f" and sign != "\\" for sign in address)
    )
