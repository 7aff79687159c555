"""The handover slip: what a person carries to another office that central may not reach. Layout only; signing and verifying are
functions passed in.

``H1.`` + base64url(msgpack [ticket_id, tenure, from_office, epoch, to_office, service_date, released_min, travel_min, card]) +
``.`` + base64url(Ed25519 signature by the node of ``from_office`` over all before the last dot). No padding. Nothing personal is
inside, and not the follow code: only its hash. The steps of a planned visit end the card, and are left out where there are none.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import msgspec

from sync.messages.codec import MalformedMessage
from sync.messages.facts import TicketCard
from sync.messages.values import Slug, Tenure, Uuid

PREFIX = "H1."
MAX_LENGTH = 1024
MINUTES_MAX = 2**26
"""In the year 2097."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Sign = Callable[[bytes], bytes]
"""Signs bytes with the node's own key; 64 bytes."""
Verify = Callable[[str, int, bytes, bytes], bool]
"""(office, epoch, signed bytes, signature) -> whether the node of that office in that epoch made the signature."""


class SlipCard(TicketCard, frozen=True, kw_only=True, array_like=True):
    """A ticket's card without the names of its fields: a code that a cheap scanner reads has few modules."""


class HandoverSlip(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """A ticket on its way, as its slip states it.

    Args:
        tenure: of the next holder.
        epoch: the life of the node that signed.
        to_office: the only office where it is worth anything.
        released_min: when it was given up, in minutes since 1970-01-01T00:00Z, by central's clock as its office knew it.
    """

    ticket_id: Uuid
    tenure: Tenure
    from_office: Slug
    epoch: int
    to_office: Slug
    service_date: date
    released_min: int
    travel_min: int
    card: SlipCard

    @property
    def released_at(self) -> datetime:
        """Within the calendar whatever was signed."""
        return _EPOCH + timedelta(minutes=min(max(self.released_min, 0), MINUTES_MAX))

    @property
    def ticket_card(self) -> TicketCard:
        """The card as facts and commands carry it."""
        return TicketCard(**msgspec.structs.asdict(self.card))


def minutes(at: datetime) -> int:
    """An instant as a slip counts it, in minutes since 1970-01-01T00:00Z."""
    return int((at - _EPOCH) // timedelta(minutes=1))


def looks_like_slip(text: str) -> bool:
    """Whether a scanned text claims to be a handover slip, of this or another version."""
    return len(text) <= MAX_LENGTH and text.count(".") == 2 and text[:1] == "H" and text[1 : text.find(".")].isdigit()


def write(slip: HandoverSlip, sign: Sign) -> str:
    """Encode and sign a slip."""
    card = msgspec.structs.astuple(slip.card)
    if not slip.card.to_do and not slip.card.steps_done:  # fewer modules, and the text that builds without routes wrote
        card = card[:-2]
    signed = PREFIX + _to_text(msgspec.msgpack.encode([*msgspec.structs.astuple(slip)[:-1], card]))
    return signed + "." + _to_text(sign(signed.encode("ascii")))


def read(text: str, verify: Verify) -> HandoverSlip | None:
    """Decode a slip; none when its signature is not valid.

    Raises:
        MalformedMessage: the text is no slip of this version.
    """
    if len(text) > MAX_LENGTH or not text.startswith(PREFIX) or text.count(".") != 2:
        raise MalformedMessage("no handover slip of version 1")
    signed, _, signature = text.rpartition(".")
    try:
        slip = msgspec.msgpack.decode(_to_bytes(signed.removeprefix(PREFIX)), type=HandoverSlip)
        valid = verify(slip.from_office, slip.epoch, signed.encode("ascii"), _to_bytes(signature))
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, ValueError, RecursionError) as error:
        raise MalformedMessage("the handover slip cannot be read") from error
    return slip if valid else None


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _to_bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
