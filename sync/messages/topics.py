"""The LAN's topics and bodies (MQTT 5, QoS 1). The broker is a stateless pipe: every id is also in the payload.

``cmd`` and ``ack`` and ``status``: device → edge. ``resp`` and ``config``: edge → device. ``board`` is retained and
full. A device resends a command or an ack until its ``resp`` comes. No body here carries personal data.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import date
from typing import Annotated, Literal

import msgspec

from sync.messages.feed import Text
from sync.messages.refusals import Refusal
from sync.messages.values import AnnouncementId, Instant, Label, Language, Seq, Series, Slug, Uuid, require_plausible

V = 1
FOLLOW_CODE_BYTES = 16
BOARD_BEAT_S = 3
BOARD_STALE_S = 10
CALL_SOUND_MAX_AGE_S = 30
PRINT_MAX_AGE_S = 600
"""An older slip is for somebody who has gone: the edge sends it to no kiosk, a kiosk does not print it."""


def device_topic(office: str, device: str, leaf: Literal["cmd", "resp", "status", "config", "ack"]) -> str:
    """``o/{office}/d/{device}/{leaf}``; ``+`` as device subscribes to all of an office."""
    return f"o/{office}/d/{device}/{leaf}"


def board_topic(office: str, zone: str) -> str:
    """``+`` as zone subscribes to all of an office."""
    return f"o/{office}/zone/{zone}/board"


def progress_url(public_url: str, code: bytes) -> str:
    """Address of a ticket's progress page."""
    return f"{public_url.rstrip('/')}/t/{urlsafe_b64encode(code).rstrip(b'=').decode('ascii')}"


def epoch_topic(office: str) -> str:
    return f"o/{office}/epoch"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The base of LAN bodies. Readers refuse another ``v`` and tolerate unknown fields."""

    v: int = V


class Tagged(Message, frozen=True, kw_only=True, tag_field="type"):
    """A body that shares its topic with others and says which it is."""


class WaitRange(msgspec.Struct, frozen=True, kw_only=True):
    """An expected wait in minutes, rounded out.

    Args:
        basis: from what: finished services (today's, and those of the weeks before) or nominal durations.
        back_by_min: who comes back by then has hardly ever missed the call; none where it is not known.
    """

    low_min: int
    high_min: int
    basis: Literal["today", "nominal"] = "nominal"
    back_by_min: int | None = None


# device → edge: cmd


class KioskTakeTicket(Tagged, frozen=True, kw_only=True, tag="take_ticket"):
    """A touch on a service. The ticket's id will be the request_id."""

    request_id: Uuid
    device: Slug
    service: Slug
    language: Language = "es"


class KioskCheckIn(Tagged, frozen=True, kw_only=True, tag="check_in"):
    """A scanned code, as read, or a typed locator; exactly one of the two. The edge decides.

    Args:
        language_chosen: somebody chose ``language`` on this screen; else the booking's own goes first.
    """

    request_id: Uuid
    device: Slug
    scanned: Annotated[str, msgspec.Meta(max_length=2048)] | None = None
    locator: Annotated[str, msgspec.Meta(max_length=32)] | None = None
    language: Language = "es"
    language_chosen: bool = True


class KioskReprint(Tagged, frozen=True, kw_only=True, tag="reprint"):
    """Print a ticket again that this kiosk was just told exists (already checked in)."""

    request_id: Uuid
    device: Slug
    ticket_id: Uuid


KioskCommand = KioskTakeTicket | KioskCheckIn | KioskReprint
"""What a kiosk asks for somebody who stands before it."""


class KioskTellReserved(Tagged, frozen=True, kw_only=True, tag="tell_reserved"):
    """A ticket that the kiosk gave out of its reserve. Told until a reply names it; a refusal other than "not now" is final.

    Args:
        request_id: of this telling, the same each time.
        ticket_id: the request that the ticket answered; it may have reached the edge after all.
        elapsed_ms: how long ago it was given, by the kiosk's monotonic clock, counted anew each time.
        follow_code: what the printed address of the progress page ends in.
    """

    request_id: Uuid
    ticket_id: Uuid
    device: Slug
    service: Slug
    service_date: date
    series: Series
    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    elapsed_ms: Annotated[int, msgspec.Meta(ge=0)]
    follow_code: Annotated[bytes, msgspec.Meta(min_length=FOLLOW_CODE_BYTES, max_length=FOLLOW_CODE_BYTES)]
    language: Language = "es"


class KioskTellPrinted(Tagged, frozen=True, kw_only=True, tag="tell_printed"):
    """A ticket of today that the kiosk has printed, told to a new life of the node: the one that gave it may have told nobody.

    Args:
        request_id: of this telling, the same each time.
        elapsed_ms: how long ago it was given, by the kiosk's clock, counted anew each time.
        follow_code: what the printed address of the progress page ends in; none when it has none.
    """

    request_id: Uuid
    ticket_id: Uuid
    device: Slug
    service: Slug
    service_date: date
    series: Series
    number: Annotated[int, msgspec.Meta(ge=1, le=999)]
    elapsed_ms: Annotated[int, msgspec.Meta(ge=0)]
    follow_code: Annotated[bytes, msgspec.Meta(min_length=FOLLOW_CODE_BYTES, max_length=FOLLOW_CODE_BYTES)] | None = (
        None
    )
    appointment_id: Uuid | None = None
    language: Language = "es"


KioskMessage = KioskCommand | KioskTellReserved | KioskTellPrinted
"""All that comes on ``cmd``."""

# edge → device: resp


class Slip(msgspec.Struct, frozen=True, kw_only=True):
    """All that a printed ticket says, in values; the words come from the catalogues.

    Args:
        follow_url: address of the progress page, as in the QR; empty when a reprint no longer knows its code.
        slot_start_at: hour of the appointment, if it is one.
        callable_at: not called before this instant.
        band: how an appointment's arrival stands to its slot.
        reserve: the kiosk gave it by itself; ``people_ahead`` says nothing.
        service, appointment_id: what it is for, for a kiosk that has to tell of it; none from an older build.
    """

    ticket_id: Uuid
    label: Label
    office_name: str
    zone: Slug
    service_names: Text
    issued_at: Instant
    language: Language
    people_ahead: int
    wait: WaitRange | None
    follow_url: str
    slot_start_at: Instant | None = None
    callable_at: Instant | None = None
    band: str | None = None
    to_verify: bool = False
    reserve: bool = False
    service: Slug | None = None
    appointment_id: Uuid | None = None

    def __post_init__(self) -> None:
        require_plausible(self.issued_at, self.slot_start_at, self.callable_at)


VisitState = Literal["open", "missed", "finished"]
"""How the first ticket of an appointment stands that is shown again; *missed*: called, and nobody came."""


class KioskReply(Tagged, frozen=True, kw_only=True, tag="reply"):
    """The answer to a ``cmd``: a slip that is already durable at the edge, or a refusal.

    ``already_checked_in`` comes with the refusal *and* the slip of the first ticket, so that a reprint can be offered;
    without it when that ticket waits no more, which ``visit`` says.

    Args:
        counter: the counter that has called the ticket of the slip, or serves it; none while it waits.
        is_served: its person has come to that counter.
    """

    request_id: Uuid
    slip: Slip | None = None
    refusal: Refusal | None = None
    visit: VisitState = "open"
    counter: Slug | None = None
    is_served: bool = False


class PrintJob(Tagged, frozen=True, kw_only=True, tag="print"):
    """A slip that the console sends to a kiosk's printer. Repeated until acknowledged; the same job prints once."""

    job_id: Uuid
    slip: Slip
    reprint: bool = False


class AckReply(Tagged, frozen=True, kw_only=True, tag="ack_reply"):
    """The edge has committed (or refused for good) an ``ack``; stop resending it."""

    ack_id: Uuid


DeviceResponse = KioskReply | PrintJob | AckReply

# device → edge: ack


class PrintedAck(Tagged, frozen=True, kw_only=True, tag="printed"):
    """A slip is on paper.

    Args:
        job_id: the print that this ends; that of a slip which came as a reply is the request's id. A kiosk of
            an older build names none, and ends every print of the ticket.
    """

    ack_id: Uuid
    device: Slug
    ticket_id: Uuid
    reprint: bool = False
    job_id: Uuid | None = None


class PrintFailedAck(Tagged, frozen=True, kw_only=True, tag="print_failed"):
    """A slip is not on paper, and will not be. ``job_id`` as in ``PrintedAck``."""

    ack_id: Uuid
    device: Slug
    ticket_id: Uuid
    reason: Literal["no_paper", "offline", "error"]
    job_id: Uuid | None = None


class ShownAck(Tagged, frozen=True, kw_only=True, tag="shown"):
    """A display put a call on the glass: ``recalls`` is 0 for its first announcement, ``announcement`` is as in the board."""

    ack_id: Uuid
    device: Slug
    ticket_id: Uuid
    recalls: int
    shown_at: Instant
    sounded: bool
    announcement: AnnouncementId = ""

    def __post_init__(self) -> None:
        require_plausible(self.shown_at)


DeviceAck = PrintedAck | PrintFailedAck | ShownAck

# device → edge: status (retained; the last will says online = false)


class HeldNumbers(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of one service day that a kiosk knows of, for an edge that knows less.

    Args:
        series, last: its reserve's letter and highest number; none while it has no reserve.
        highest: the highest number that it gave or printed, by series.
        untold: tickets of its reserve that the edge has not taken yet.
        refused: labels that it printed and the edge will not take; their people stand in no queue.
    """

    service_date: date | None = None
    series: Series | None = None
    last: int = 0
    highest: dict[Series, int] = {}
    untold: int = 0
    refused: tuple[Label, ...] = ()


class DeviceStatus(Message, frozen=True, kw_only=True):
    """How a device is.

    Args:
        seen_epoch, seen_seq: the highest place of the edge's journal that a board or epoch has named; zeros before the first.
            An edge that has less was put back in time.
        numbers: of a kiosk that keeps a reserve; none from an older build, which is granted none.
    """

    device: Slug
    kind: Literal["kiosk", "display"]
    online: bool
    printer: Literal["ok", "near_end", "no_paper", "offline", "none"] = "none"
    scanner: Literal["ok", "missing", "none"] = "none"
    pending_acks: int = 0
    version: str = ""
    at: Instant | None = None
    seen_epoch: int = 0
    seen_seq: Seq = 0
    numbers: HeldNumbers | None = None

    def __post_init__(self) -> None:
        require_plausible(self.at)

    @property
    def seen(self) -> tuple[int, int]:
        return self.seen_epoch, self.seen_seq


# edge → device: config (retained)


class ServiceTile(msgspec.Struct, frozen=True, kw_only=True):
    """A service as a kiosk shows it. ``zone``: where it is called; empty from an older node: in the kiosk's own."""

    id: Slug
    names: Text
    pictogram: str
    walk_in: bool = True
    zone: Annotated[str, msgspec.Meta(pattern=r"^([a-z0-9][a-z0-9_-]*)?$", max_length=40)] = ""


class ReserveBlock(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers that a kiosk may give by itself while the edge does not answer, on one service day only."""

    service_date: date
    series: Series
    first: int
    last: int


class DeviceConfig(Message, frozen=True, kw_only=True):
    """All that a device shows, kept on it for a start without its edge. ``reserve``: a kiosk's; none while the day is closed."""

    office: Slug
    office_name: str
    device: Slug
    zone: Slug
    time_zone: str
    languages: tuple[Language, ...] = ("es", "en", "fr", "ar")
    second_language: Language = "ar"
    services: tuple[ServiceTile, ...] = ()
    printer_profile: Slug = "generic-80mm"
    public_url: str = ""
    chime: bool = True
    version: int = 0
    reserve: ReserveBlock | None = None


# edge → displays and kiosks: board (retained)


class BoardCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call as screens show it: a label and a counter, never a name.

    Args:
        announcement: names the call or recall, whatever happens to its time when the clock is set; empty from an older node.
    """

    ticket_id: Uuid
    label: Label
    counter: Slug
    called_at: Instant
    recalls: int = 0
    announcement: AnnouncementId = ""

    def __post_init__(self) -> None:
        require_plausible(self.called_at)


class ServiceWait(msgspec.Struct, frozen=True, kw_only=True):
    """People waiting for a service and the wait of one who came now; none when no counter serves it."""

    service: Slug
    waiting: int
    wait: WaitRange | None = None


class Board(Message, frozen=True, kw_only=True):
    """The whole state of a zone's screens. Versions are (epoch, seq, beat): a lower one is dropped.

    Args:
        seq: journal sequence of the last folded fact.
        beat: counts the resends of one state, every ``BOARD_BEAT_S`` seconds.
        at: office clock when it was made; ages of calls count from it.
        calls: tickets called and not yet started, newest announcement first.
        recent: calls before those, newest first.
    """

    office: Slug
    zone: Slug
    epoch: int
    seq: Seq
    beat: int
    at: Instant
    calls: tuple[BoardCall, ...]
    recent: tuple[BoardCall, ...]
    waiting: int
    wait: WaitRange | None = None
    services: tuple[ServiceWait, ...] = ()
    open: bool = True

    def __post_init__(self) -> None:
        require_plausible(self.at)


class Epoch(Message, frozen=True, kw_only=True):
    """The authority over an office's LAN (retained). Devices keep the highest they saw."""

    office: Slug
    epoch: int
    seq: Seq
