"""The small decisions of booking, as pure functions: codes, names, limits, which slots a duration needs."""

import base64
import binascii
import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from ipaddress import IPv6Address, ip_address
from uuid import UUID

from sync.domain.check_in import LOCATOR_ALPHABET, LOCATOR_LENGTH

DOCUMENT_END_LENGTH = 4
"""How many last characters of a document prove who is asking, at a look-up and at the counter."""

_LINK_BYTES = 16


def new_locator(below: Callable[[int], int]) -> str:
    """Make a locator.

    Args:
        below: gives a uniform random integer in [0, n) (`secrets.randbelow`).
    """
    return "".join(LOCATOR_ALPHABET[below(len(LOCATOR_ALPHABET))] for _ in range(LOCATOR_LENGTH))


def shown_locator(locator: str) -> str:
    """A locator as people see it: `ACD-E34`."""
    return f"{locator[:3]}-{locator[3:]}"


def person_hash(key: bytes, kind: str, number: str) -> bytes:
    """What stands for a person in the limits: HMAC-SHA256 of the document under a key that never leaves central.

    Args:
        number: the document in normal form (`central.booking.documents`).
    """
    return hmac.digest(key, f"{kind}\0{number}".encode(), "sha256")


def holder_hash(key: bytes, address: str) -> bytes | None:
    """What stands for an address while holds stand that were asked for from it; none for no address.

    An IPv6 address counts by its /64, all of which one connection has. Without the key nobody finds the address by trying all.
    """
    try:
        ip = ip_address(address)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address):
        mapped = ip.ipv4_mapped
        ip = mapped or IPv6Address(int(ip) >> 64 << 64)
    return hmac.digest(key, f"holder\0{ip}".encode(), "sha256")


def secret_link(key: bytes, appointment_id: str, link_version: int) -> str:
    """The part of a secret link's address that opens an appointment: 22 characters of id, 22 of proof.

    Nothing is stored for it; a greater `link_version` makes every earlier link worthless.
    """
    return _text(UUID(appointment_id).bytes) + _text(_proof(key, appointment_id, link_version))


def read_secret_link(link: str) -> tuple[str, bytes] | None:
    """The appointment that a link claims to open, and its proof; none if it is no link."""
    try:
        raw = base64.b64decode(f"{link[:22]}==", altchars=b"-_", validate=True)
        proof = base64.b64decode(f"{link[22:]}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return (str(UUID(bytes=raw)), proof) if len(raw) == len(proof) == _LINK_BYTES else None


def proves(proof: bytes, key: bytes, appointment_id: str, link_version: int) -> bool:
    """Whether a link's proof is that of this appointment and link version."""
    return hmac.compare_digest(proof, _proof(key, appointment_id, link_version))


def display_name(full_name: str) -> str:
    """The name that an office sees: "Fátima Mohamed Haddu" becomes "Fátima M."."""
    words = full_name.split()
    if len(words) < 2:
        return " ".join(words)
    return f"{words[0]} {words[1][0].upper()}."


def starts_needed(start_at: datetime, duration_min: int, slot_min: int) -> tuple[datetime, ...]:
    """The starts of the consecutive slots that an appointment takes, ascending."""
    slots = -(-duration_min // slot_min)
    return tuple(start_at + n * timedelta(minutes=slot_min) for n in range(slots))


def bookable_starts(free: Sequence[tuple[datetime, int]], duration_min: int, slot_min: int) -> tuple[datetime, ...]:
    """The starts from which every slot that the duration needs has a seat.

    Args:
        free: the slots of one pool and day as (start, free seats), sorted by start.
    """
    seats = dict(free)
    return tuple(
        start_at
        for start_at, _ in free
        if all(seats.get(one, 0) > 0 for one in starts_needed(start_at, duration_min, slot_min))
    )


def nearest(wanted: datetime, starts: Sequence[datetime], count: int = 3) -> tuple[datetime, ...]:
    """The starts closest to the one that somebody else got, in the order of time.

    Args:
        starts: sorted; so only its neighbours on both sides can be among the closest.
    """
    at = bisect_left(starts, wanted)
    around = starts[max(0, at - count) : at + count]
    return tuple(sorted(sorted(around, key=lambda start: (abs(start - wanted), start))[:count]))


def is_fed(service_date: date, today: date, feed_days: int) -> bool:
    """Whether the office already knows its appointments of a service date: today and the next `feed_days`."""
    return today <= service_date <= today + timedelta(days=feed_days)


def fingerprint(*parts: object) -> bytes:
    """What tells one question from another under the same request_id."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).digest()


def _proof(key: bytes, appointment_id: str, link_version: int) -> bytes:
    return hmac.digest(key, f"{appointment_id}\0{link_version}".encode(), "sha256")[:_LINK_BYTES]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")
