"""Second factors of staff: made here, told to the office by its feed, verified there without us.

The secret is a shared one, as RFC 6238 wants it, so the office holds it too. Codes for a lost generator are told once, at
enrolment, and kept as their SHA-256.
"""

from __future__ import annotations

import secrets
from typing import Any, Literal

import msgspec
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from central.audit import Attested, note
from central.offices.load import publish
from central.offices.store import queries
from sync.domain.second_factor import DIGITS, STEP_S, recovery_hash

SECRET_BYTES = 20
"""RFC 4226, 4: the length that is recommended."""
RECOVERY_CODES = 8
_ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"  # nothing that is misread on paper
_CODE_SIGNS = 12

Refused = Literal["unknown", "enrolled_already"]


class Enrolment(msgspec.Struct, frozen=True, kw_only=True):
    """What the person gets, once: the address for the code generator, and the recovery codes."""

    uri: str
    recovery: tuple[str, ...]


async def enrol(connection: Any, office: str, staff_id: str, who: Attested, *, replace: bool) -> Enrolment | Refused:
    """Make somebody's second factor and tell their office. Sessions that are open there end.

    Args:
        replace: make a new one though there is one; the former codes are worth nothing from then on.
    """
    async with connection.transaction():
        await connection.execute(queries.lock_catalogue)
        if await connection.fetchrow(queries.staff_member, office, staff_id) is None:
            return "unknown"
        if not replace and await connection.fetchrow(queries.has_second_factor, office, staff_id):
            return "enrolled_already"
        secret, codes = secrets.token_bytes(SECRET_BYTES), _recovery_codes()
        hashes = [recovery_hash(code) for code in codes]
        await connection.execute(queries.put_second_factor, office, staff_id, secret, hashes, who.at, who.actor)
        await note(connection, who, "second_factor.enrolled", f"{office}/{staff_id}", office=office)
        await publish(connection, who.at.date())
    return Enrolment(uri=_uri(secret, office, staff_id), recovery=tuple(_grouped(code) for code in codes))


async def drop(connection: Any, office: str, staff_id: str, who: Attested) -> bool:
    """Take somebody's second factor away; whether there was one."""
    async with connection.transaction():
        await connection.execute(queries.lock_catalogue)
        if await connection.fetchrow(queries.drop_second_factor, office, staff_id) is None:
            return False
        await note(connection, who, "second_factor.dropped", f"{office}/{staff_id}", office=office)
        await publish(connection, who.at.date())
    return True


def _uri(secret: bytes, office: str, staff_id: str) -> str:
    generator = TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 - what generators speak
    return generator.get_provisioning_uri(f"{staff_id}@{office}", "Ventanilla")


def _recovery_codes() -> list[str]:
    return ["".join(secrets.choice(_ALPHABET) for _ in range(_CODE_SIGNS)) for _ in range(RECOVERY_CODES)]


def _grouped(code: str) -> str:
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))
