"""The page about work without network, in words: what works, until when, and what may be looked at again later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from edge_node.console.offline_view import Offline
from sync.domain.reserve import BLOCK
from sync.messages.topics import BOARD_STALE_S
from ui import formats
from ui.catalog import Words

Works = Literal["yes", "part", "no"]
LOOKS: Final = {
    "yes": ("offline.yes", "ok", "check"),
    "part": ("offline.part", "late", "clock"),
    "no": ("offline.no", "stop", "problem"),
}
"""The words, the colour and the icon of an answer."""
HOUR: Final = timedelta(hours=1)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Something that people do here.

    Args:
        until: for how long it works, or what stands in the way.
        later: what may turn out otherwise when the network is back.
    """

    what: str
    works: Works
    until: str
    later: str


def rows(view: Offline, words: Words, zone: ZoneInfo) -> tuple[Row, ...]:
    """What works while central is not heard."""
    return tuple(_rows(view, words, zone))


def _rows(view: Offline, words: Words, zone: ZoneInfo) -> Iterator[Row]:
    text = words.text
    whole, back, nothing = text("offline.until.cut"), text("offline.until.back"), text("offline.later.nothing")
    yield Row(what=text("offline.ticket"), works="yes", until=whole, later=nothing)
    yield Row(what=text("offline.call"), works="yes", until=whole, later=nothing)
    yield Row(
        what=text("offline.checkin"),
        works="yes",
        until=_known_ahead(view, words, zone),
        later=text("offline.checkin.later"),
    )
    if view.knows_keys:
        later = text("offline.new_qr.later", mark=text("console.queue.verify"))
        yield Row(what=text("offline.new_qr"), works="yes", until=text("offline.until.today"), later=later)
    else:
        yield Row(what=text("offline.new_qr"), works="no", until=back, later=text("offline.instead"))
    yield Row(what=text("offline.new_code"), works="no", until=back, later=text("offline.instead"))
    if view.signs:
        later = text("offline.slip.later")
        yield Row(what=text("offline.slip"), works="yes", until=text("offline.until.today"), later=later)
    else:
        yield Row(what=text("offline.slip"), works="no", until=text("offline.slip.no_key"), later=nothing)
    on_the_way = text("offline.no_slip.until", n=view.on_the_way)
    yield Row(what=text("offline.no_slip"), works="part", until=on_the_way, later=text("offline.no_slip.later"))
    yield _lent(view, words, zone)
    yield Row(what=text("offline.booking"), works="no", until=back, later=nothing)
    yield _sign_in(view, words, zone)
    screens = text("offline.screens.until", on=view.screens_on, n=view.screens) if view.screens else whole
    yield Row(what=text("offline.screens"), works="yes", until=screens, later=nothing)
    yield Row(
        what=text("offline.phone"), works="part", until=text("offline.phone.until"), later=text("offline.phone.later")
    )


def server_text(words: Words) -> str:
    """What kiosks do when the office's own server does not answer, with the figures of the rule."""
    return words.text("offline.server.text", s=BOARD_STALE_S, low=BLOCK // 2, high=BLOCK)


def _known_ahead(view: Offline, words: Words, zone: ZoneInfo) -> str:
    if view.known_until is None:
        return words.text("offline.checkin.none")
    last = formats.day(view.known_until, words.locale.tag, zone=zone)
    return words.text("offline.checkin.until", n=view.today, day=last)


def _lent(view: Offline, words: Words, zone: ZoneInfo) -> Row:
    what, later = words.text("offline.lent"), words.text("offline.lent.later", mark=words.text("offline.lent.mark"))
    if view.seats_until is None:
        return Row(
            what=what, works="no", until=words.text("offline.lent.none"), later=words.text("offline.later.nothing")
        )
    until = formats.day_time(view.seats_until, words, zone)
    return Row(what=what, works="yes", until=words.text("offline.lent.until", n=view.seats, until=until), later=later)


def _sign_in(view: Offline, words: Words, zone: ZoneInfo) -> Row:
    what, later = words.text("offline.signin"), words.text("offline.signin.later")
    if view.reach == "alone":
        return Row(
            what=what, works="yes", until=words.text("offline.until.cut"), later=words.text("offline.later.nothing")
        )
    if view.sign_in_until is None:
        limit = words.text("offline.signin.limit", n=view.sign_in_limit // HOUR)
        return Row(what=what, works="yes", until=limit, later=later)
    if not view.sign_in_left:
        return Row(what=what, works="part", until=words.text("offline.signin.over"), later=later)
    at = formats.day_time(view.sign_in_until, words, zone)
    return Row(
        what=what,
        works="yes",
        until=words.text("offline.signin.until", until=at, left=_span(view.sign_in_left, words)),
        later=later,
    )


def _span(left: timedelta, words: Words) -> str:
    """``2 h``, or ``40 min`` in the last hour."""
    if left >= HOUR:
        return words.text("offline.left.hours", n=left // HOUR)
    return words.text("offline.left.minutes", n=left // timedelta(minutes=1))
