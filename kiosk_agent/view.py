"""What a page shows, as values: the machine's screen with everything looked up that its template needs.

Two views that are equal look the same. The countdown and the clock stand apart, so that a passing second does not draw
the screen anew under a finger.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from kiosk_agent.machine import Kiosk, replies, timing
from kiosk_agent.machine import screens as s
from kiosk_agent.ticket.contents import ONLY_ZONES, expected, is_early, zone_name
from kiosk_agent.waiting import Queue, wait_for
from sync.domain.service_day import service_date
from sync.messages.topics import DeviceConfig, ServiceTile, Slip
from ui.icons import DRAWINGS
from ui.locales import LOCALES

ROWS_OF_KEYS = ("ACDEF", "GHJKM", "NPQRT", "UVWXY", "34679")
"""The keypad: the letters of a locator in their order, then its figures."""

TROUBLE_WORDS = {
    "unknown": ("kiosk.unknown.h1", "kiosk.unknown.text"),
    "unread": ("kiosk.unread.h1", "kiosk.unread.text"),
    "forged": ("kiosk.forged.h1", "kiosk.forged.text"),
    "wrong_office": ("kiosk.other.h1", "kiosk.other"),
    "wrong_office_unnamed": ("kiosk.other.h1", "kiosk.other.unnamed"),
    "wrong_day_future": ("kiosk.day.h1", "kiosk.day.future"),
    "wrong_day_past": ("kiosk.day.h1", "kiosk.day.past"),
    "cancelled": ("kiosk.cancelled.h1", "kiosk.cancelled.text"),
    "moved": ("kiosk.moved.h1", "kiosk.moved.text"),
    "help": ("kiosk.help.h1", "kiosk.help.text"),
    "closed": ("kiosk.closed.h1", "kiosk.off"),
    "stopped": ("kiosk.stopped.h1", "kiosk.off"),
    "by_appointment": ("kiosk.services.appointment_only", "kiosk.off"),
    "unchecked": ("kiosk.unchecked.h1", "kiosk.unchecked.text"),
    "missed": ("kiosk.missed.h1", "kiosk.missed.text"),
    "finished": ("kiosk.finished.h1", "kiosk.finished.text"),
    "desk": ("kiosk.off", "kiosk.failed"),
}
"""Heading and text of every trouble."""


RESERVE_WORDS = {"used_up": "kiosk.reserve.used_up", "other_day": "kiosk.reserve.other_day"}
"""Why a kiosk without its edge gives nothing by itself."""


class View(msgspec.Struct, frozen=True, kw_only=True):
    """One page.

    Args:
        template: its file.
        values: what the template needs beyond the frame.
        left: seconds until the screen is wiped, while they are shown.
        warns: "are you still there?" covers the screen.
        now: for the clock, to the minute.
    """

    template: str
    language: str
    comfort: dict[str, str]
    office_name: str
    values: dict[str, Any]
    warns: bool
    left: int | None
    now: datetime

    def same_screen(self, other: View) -> bool:
        """Whether nothing but the countdown and the clock differs."""
        return msgspec.structs.replace(self, left=None, now=other.now) == msgspec.structs.replace(other, left=None)


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What the kiosk knows beside its own state."""

    config: DeviceConfig | None
    queue: Queue
    scanner_ok: bool
    has_printer: bool
    zone: ZoneInfo
    now: datetime
    now_s: float


def view_of(kiosk: Kiosk, around: Surroundings) -> View:
    """The page for a state."""
    template, values = _screen(kiosk, around)
    return View(
        template=template,
        language=kiosk.language,
        comfort=_comfort(kiosk.comfort),
        office_name=around.config.office_name if around.config else "",
        values=values,
        warns=timing.warns(kiosk, around.now_s),
        left=timing.seconds_left(kiosk, around.now_s),
        now=around.now.replace(second=0, microsecond=0),
    )


def _screen(kiosk: Kiosk, around: Surroundings) -> tuple[str, dict[str, Any]]:
    match kiosk.screen:
        case s.Home():
            alone = not kiosk.edge_heard
            if around.config is None or (alone and (kiosk.reserve != "ready" or not kiosk.offered)):
                return "off.html", {
                    "languages": _in_order(kiosk.languages),
                    "comfort_on": kiosk.comfort,
                    "why": RESERVE_WORDS.get(kiosk.reserve),
                }
            return ("reserve.html" if alone else "home.html"), {
                "languages": _in_order(kiosk.languages),
                "comfort_on": kiosk.comfort,
                "walk_in": bool(kiosk.offered),
                "scanner_ok": around.scanner_ok,
            }
        case s.Services(page=page):
            return "services.html", _services(kiosk, around, page)
        case s.Confirm(service=service):
            return "confirm.html", _confirm(around, service)
        case s.EnterCode(typed=typed):
            return "code.html", {"typed": typed, "rows": ROWS_OF_KEYS, "scanner_ok": around.scanner_ok}
        case s.Asking():
            return "asking.html", {}
        case s.Ticket() as ticket:
            shown = "ticket.html" if ticket.paper in {"printing", "printed"} else "unprinted.html"
            news = ticket.paper if around.has_printer else "none"
            return shown, {**_slip(ticket.slip, around), "news": news, "reprint": ticket.reprint}
        case s.AlreadyIn(slip=slip, counter=counter, is_served=is_served):
            here = {"counter": counter, "is_served": is_served, "has_printer": around.has_printer}
            return "already_in.html", {**_slip(slip, around), **here}
        case s.Problem() as problem:
            return "problem.html", _problem(kiosk, problem, around)


def _in_order(languages: tuple[str, ...]) -> list[str]:
    """The languages in the order of every language row."""
    return [tag for tag in LOCALES if tag in languages]


def _comfort(comfort: s.Comfort) -> dict[str, str]:
    """The attributes of the page's root (look/kiosk.css)."""
    attributes = {
        "data-text": "large" if comfort.large_text else "",
        "data-theme": "contrast" if comfort.contrast else "",
        "data-reach": "low" if comfort.low_screen else "",
    }
    return {name: value for name, value in attributes.items() if value}


def _tile(tile: ServiceTile, around: Surroundings) -> dict[str, Any]:
    waiting = wait_for(around.queue, tile.id, around.now_s)
    return {
        "id": tile.id,
        "names": tile.names,
        "pictogram": tile.pictogram if tile.pictogram in DRAWINGS else "paper",
        "wait": waiting.wait if waiting else None,
        "ahead": waiting.waiting if waiting else None,
    }


def _tiles(around: Surroundings) -> dict[str, ServiceTile]:
    return {tile.id: tile for tile in around.config.services} if around.config else {}


def _services(kiosk: Kiosk, around: Surroundings, page: int) -> dict[str, Any]:
    tiles = _tiles(around)
    first = page * s.TILES
    shown = [tiles[service] for service in kiosk.services[first : first + s.TILES] if service in tiles]
    unsure = tiles.get(kiosk.unsure) if kiosk.unsure and page == 0 else None
    return {
        "tiles": [_tile(tile, around) for tile in shown],
        "more": first + s.TILES < len(kiosk.services),
        "unsure": unsure.id if unsure else None,
    }


def _confirm(around: Surroundings, service: str) -> dict[str, Any]:
    tile = _tiles(around).get(service)
    known = (
        _tile(tile, around) if tile else {"names": {"es": service}, "pictogram": "paper", "wait": None, "ahead": None}
    )
    return {**known, "has_printer": around.has_printer}


def _slip(slip: Slip, around: Surroundings) -> dict[str, Any]:
    return {
        "slip": slip,
        "zone_name": None if slip.zone in ONLY_ZONES else zone_name(slip.zone),
        "early": is_early(slip),
        "rail": _rail(slip, around.zone),
    }


def _rail(slip: Slip, zone: ZoneInfo) -> dict[str, Any] | None:
    """The wait on a line of one hour or two, which begins at the last half hour."""
    stretch = expected(slip)
    if stretch is None:
        return None
    here = slip.issued_at.astimezone(zone)
    begin = here.replace(minute=here.minute // 30 * 30, second=0, microsecond=0)
    top = 60 if stretch[1] <= begin + timedelta(minutes=60) else 120
    return {
        "start": _minutes(stretch[0] - begin),
        "end": _minutes(stretch[1] - begin),
        "now": _minutes(slip.issued_at - begin),
        "top": top,
        "ticks": [begin, begin + timedelta(minutes=top // 2), begin + timedelta(minutes=top)],
        "a": stretch[0],
        "b": stretch[1],
    }


def _minutes(stretch: timedelta) -> float:
    return round(stretch.total_seconds() / 60, 2)


def _problem(kiosk: Kiosk, problem: s.Problem, around: Surroundings) -> dict[str, Any]:
    heading, text = TROUBLE_WORDS[_variant(problem, around)]
    steps = [step for step in replies.NEXT_STEPS[problem.trouble] if step != "walk_in" or kiosk.offered]
    when = date.fromisoformat(problem.service_date) if problem.service_date else None
    return {"heading": heading, "text": text, "steps": steps, "office": office_label(problem.office), "when": when}


def _variant(problem: s.Problem, around: Surroundings) -> str:
    """The words' name: a wrong day lies ahead or behind, a wrong office has a name or not."""
    if problem.trouble == "wrong_office" and problem.office is None:
        return "wrong_office_unnamed"
    if problem.trouble == "wrong_day":
        if problem.service_date is None:
            return "unknown"
        today = service_date(around.now, around.zone)
        return "wrong_day_future" if date.fromisoformat(problem.service_date) > today else "wrong_day_past"
    return problem.trouble


def office_label(office: str | None) -> str:
    """An office's id as people may read it; the kiosk knows no other office's name."""
    return office.replace("-", " ").replace("_", " ").title() if office else ""
