"""Guessing passwords, at an office's console and at central: every wrong try makes the next one from the same place wait, and
nobody else's.

A *place* is the address that a browser comes from. Three counts, each of wrong tries with no quiet quarter of an hour in
between: of an id from a place, of a place, and of an id from everywhere. The last one makes no one wait by itself, for
then anybody on the LAN could keep a clerk out; it only takes the free tries from places where that id never signed in. So a
clerk's first try anywhere is always looked at, and at the own desk five are, whatever others do.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from typing import TypeVar

import msgspec

MAX_ID_CHARS = 40
"""Longer ids nobody has; so much of them is remembered with a wrong try."""
MAX_REMEMBERED = 10_000
"""Counts of each kind; the ones longest unused fall out. Places wait, so filling this takes longer than forgetting."""
FREE_TRIES = 5
"""Wrong tries of an id from a place without waiting: caps lock, last month's password, the colleague's id."""
FREE_TRIES_WHILE_GUESSED = 1
GUESSED_AFTER = 20
"""Wrong tries of one id from everywhere that are no clerk's any more."""
FREE_TRIES_OF_PLACE = 20
"""Wrong tries from one place, over all ids, without waiting: a shared desk at the change of shift."""
LONGEST_WAIT_S = 300
"""About what it takes to fetch the supervisor; a place is left with some three hundred guesses a day."""
FORGET_AFTER_S = 900
IPV6_SITE = 64
"""Bits of an IPv6 address that are one place: whoever has one of its addresses has all of them."""

T = TypeVar("T")


class Tries(msgspec.Struct, frozen=True):
    """Wrong tries in a row, and when the last one was (monotonic seconds)."""

    wrong: int = 0
    last_s: float = 0.0

    def at(self, now_s: float) -> Tries:
        """What is left of them: nothing after a quiet while."""
        return Tries() if now_s - self.last_s >= FORGET_AFTER_S else self

    def one_more(self, now_s: float) -> Tries:
        return Tries(self.at(now_s).wrong + 1, now_s)

    def wait_s(self, free: int, now_s: float) -> float:
        """Seconds until the next try is looked at: two behind the last free one, then double each time."""
        tries = self.at(now_s)
        if tries.wrong < free:
            return 0.0
        pause_s = min(2.0 ** min(tries.wrong - free + 1, 10), LONGEST_WAIT_S)
        return max(0.0, tries.last_s + pause_s - now_s)


def wait_s(*, here: Tries, place: Tries, everywhere: Tries, is_known: bool, now_s: float) -> float:
    """Seconds until a try of an id from a place is looked at.

    Args:
        here: the wrong tries of the id from the place.
        place: those of the place, whatever the id.
        everywhere: those of the id, wherever from.
        is_known: the id has signed in from this place.
    """
    if is_known:
        return here.wait_s(FREE_TRIES, now_s)
    guessed = everywhere.at(now_s).wrong >= GUESSED_AFTER
    own_s = here.wait_s(FREE_TRIES_WHILE_GUESSED if guessed else FREE_TRIES, now_s)
    return max(own_s, place.wait_s(FREE_TRIES_OF_PLACE, now_s))


def place_of(address: str) -> str:
    """The place that an address belongs to; what is no address is a place of its own."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    if ip.ipv4_mapped is not None:
        return str(ip.ipv4_mapped)
    return str(ipaddress.ip_network((ip, IPV6_SITE), strict=False))


class SignInTries:
    """Counts wrong tries. In memory, bounded, per process; nothing of it is worth keeping over a restart."""

    def __init__(self) -> None:
        self._here: OrderedDict[Hashable, Tries] = OrderedDict()
        self._places: OrderedDict[Hashable, Tries] = OrderedDict()
        self._ids: OrderedDict[Hashable, Tries] = OrderedDict()
        self._known: OrderedDict[Hashable, None] = OrderedDict()

    def wait_s(self, staff_id: str, place: str, now_s: float) -> float:
        """Seconds until a try is looked at."""
        return wait_s(
            here=self._here.get((staff_id, place), Tries()),
            place=self._places.get(place, Tries()),
            everywhere=self._ids.get(staff_id, Tries()),
            is_known=(staff_id, place) in self._known,
            now_s=now_s,
        )

    def wrong(self, staff_id: str, place: str, now_s: float) -> None:
        """A try was wrong; the same for an id that nobody has, or its answers would tell which are real."""
        for counts, key in ((self._here, (staff_id, place)), (self._places, place), (self._ids, staff_id)):
            tries = counts.pop(key, Tries())
            _remember(counts, key, tries.one_more(now_s))

    def right(self, staff_id: str, place: str) -> None:
        """Somebody signed in. Others' tries at the same place still count: their guesses are not made good by it."""
        self._here.pop((staff_id, place), None)
        self._known.pop((staff_id, place), None)
        _remember(self._known, (staff_id, place), None)


def opened_with(verifier: str, factor_secret: bytes | None) -> bytes:
    """What a session remembers of the password and the second factor that it was opened with: whoever has a new one of either
    does not want the old one's browsers to stay.
    """
    return token_hash(verifier + (factor_secret.hex() if factor_secret is not None else ""))


def token_hash(token: str) -> bytes:
    """What is kept of a session's token: its SHA-256, so that a stolen database opens nothing."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def _remember(counts: OrderedDict[Hashable, T], key: Hashable, value: T) -> None:
    counts[key] = value
    while len(counts) > MAX_REMEMBERED:
        counts.popitem(last=False)
