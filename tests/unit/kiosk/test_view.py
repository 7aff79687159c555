"""Every screen can be drawn in every language, with its words and without anything personal left over."""

from datetime import UTC, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest

from kiosk_agent.machine import Kiosk
from kiosk_agent.machine import screens as s
from kiosk_agent.machine.screens import Trouble
from kiosk_agent.screen import Painter
from kiosk_agent.view import Surroundings, View, view_of
from kiosk_agent.waiting import Queue
from sync.messages.topics import Board, DeviceConfig, ServiceTile, ServiceWait, Slip, WaitRange
from ui.catalog import load_catalog

ZONE = ZoneInfo("Africa/Ceuta")
NOW = datetime(2026, 11, 26, 9, 14, 30, tzinfo=UTC)
SERVICES = tuple(
    ServiceTile(
        id=f"s{n}", names={"es": f"Trámite {n}", "ar": f"معاملة {n}"}, pictogram="travel" if n else "unheard_of"
    )
    for n in range(8)
)
CONFIG = DeviceConfig(
    office="real", office_name="Real", device="kiosk-1", zone="b", time_zone="Africa/Ceuta", services=SERVICES
)
BOARD = Board(
    office="real",
    zone="b",
    epoch=1,
    seq=1,
    beat=0,
    at=NOW,
    calls=(),
    recent=(),
    waiting=3,
    services=(ServiceWait(service="s0", waiting=3, wait=WaitRange(low_min=10, high_min=20)),),
)
AROUND = Surroundings(
    config=CONFIG,
    queue=Queue(board=BOARD, epoch=1, heard_at_s=100.0),
    scanner_ok=True,
    has_printer=True,
    zone=ZONE,
    now=NOW,
    now_s=101.0,
)
SLIP = Slip(
    ticket_id="01900000-0000-7000-8000-000000000001",
    label="K12",
    office_name="Real",
    zone="b",
    service_names={"es": "Padrón"},
    issued_at=NOW,
    language="es",
    people_ahead=3,
    wait=WaitRange(low_min=10, high_min=20),
    follow_url="http://citas.example/t/AAAAAAAAAAAAAAAAAAAAAA",
)
EARLY = msgspec.structs.replace(
    SLIP, slot_start_at=NOW + timedelta(minutes=40), callable_at=NOW + timedelta(minutes=35), to_verify=True
)
SCREENS: list[s.AnyScreen] = [
    s.Home(),
    s.Services(),
    s.Services(1),
    s.Confirm("s0"),
    s.Confirm("s1"),
    s.EnterCode("K7M4"),
    s.Asking(SLIP.ticket_id, "ticket"),
    s.Ticket(SLIP),
    s.Ticket(EARLY, "printed", settled_at_s=100.0),
    s.Ticket(SLIP, "no_paper", settled_at_s=100.0),
    s.Ticket(SLIP, "offline", settled_at_s=100.0),
    s.AlreadyIn(SLIP),
    s.AlreadyIn(SLIP, "4"),
    s.AlreadyIn(SLIP, "4", is_served=True),
    *(s.Problem(trouble, office="centro", service_date="2026-12-01") for trouble in get_args(Trouble)),
    s.Problem("wrong_office"),
    s.Problem("wrong_day", service_date="2026-11-01"),
]


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(load_catalog(strict=True))


def kiosk(screen: s.AnyScreen, **changes: object) -> Kiosk:
    ready = Kiosk(
        screen=screen,
        services=tuple(tile.id for tile in SERVICES[:7]),
        unsure="s7",
        languages=("es", "en", "fr", "ar"),
        edge_heard=True,
        touched_at_s=100.0,
        shown_at_s=100.0,
    )
    return msgspec.structs.replace(ready, **changes)


def drawn(view: View, painter: Painter) -> str:
    return painter.page(view, ZONE)


@pytest.mark.parametrize("language", ["es", "en", "fr", "ar"])
@pytest.mark.parametrize("screen", SCREENS, ids=[f"{at}-{type(each).__name__}" for at, each in enumerate(SCREENS)])
def test_every_screen_has_its_words(screen: s.AnyScreen, language: str, painter: Painter) -> None:
    page = drawn(view_of(kiosk(screen, language=language), AROUND), painter)
    assert f'<html lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in page
    assert "None" not in page
    assert ' style="' not in page


@pytest.mark.parametrize("is_served, said", [(False, "Pase al"), (True, "Le atienden en el")])
def test_who_was_called_already_is_sent_to_the_counter_and_not_to_wait(
    is_served: bool, said: str, painter: Painter
) -> None:
    page = drawn(view_of(kiosk(s.AlreadyIn(SLIP, "4", is_served=is_served)), AROUND), painter)
    assert f"<h1><span>{said} <strong>puesto 4</strong></span></h1>" in page, "one line of text, not two columns"
    assert ('data-state="call"' in page) == (not is_served), "yellow means now"
    assert "Espere" not in page
    assert "No ha perdido su sitio" not in page
    assert 'value="reprint"' not in page


def test_the_first_page_offers_six_services_then_the_others(painter: Painter) -> None:
    first = view_of(kiosk(s.Services()), AROUND).values
    second = view_of(kiosk(s.Services(1)), AROUND).values
    assert [tile["id"] for tile in first["tiles"]] == ["s0", "s1", "s2", "s3", "s4", "s5"]
    assert (first["more"], first["unsure"]) == (True, "s7")
    assert ([tile["id"] for tile in second["tiles"]], second["more"], second["unsure"]) == (["s6"], False, None)


def test_waits_are_shown_only_while_the_edge_is_heard() -> None:
    heard = view_of(kiosk(s.Confirm("s0")), AROUND).values
    stale = view_of(kiosk(s.Confirm("s0")), msgspec.structs.replace(AROUND, now_s=111.0)).values
    assert (heard["ahead"], heard["wait"]) == (3, WaitRange(low_min=10, high_min=20))
    assert (stale["ahead"], stale["wait"]) == (None, None)


def test_the_first_screen_is_out_of_service_without_edge_or_config() -> None:
    assert view_of(kiosk(s.Home(), edge_heard=False), AROUND).template == "off.html"
    assert view_of(kiosk(s.Home()), msgspec.structs.replace(AROUND, config=None)).template == "off.html"
    assert view_of(kiosk(s.Home()), AROUND).template == "home.html"


def test_the_scan_hint_goes_with_the_scanner(painter: Painter) -> None:
    unplugged = msgspec.structs.replace(AROUND, scanner_ok=False)
    assert "QR" in drawn(view_of(kiosk(s.EnterCode()), AROUND), painter)
    assert "QR" not in drawn(view_of(kiosk(s.EnterCode()), unplugged), painter)


def test_a_passing_second_is_not_a_new_screen() -> None:
    warned = kiosk(s.Services(), touched_at_s=50.0)
    one, other = (view_of(warned, msgspec.structs.replace(AROUND, now_s=at)) for at in (101.0, 102.0))
    assert one.warns
    assert (one.left, other.left) == (14, 13)
    assert one.same_screen(other)
    assert not one.same_screen(view_of(kiosk(s.Services()), AROUND))


def test_comfort_is_written_on_the_root(painter: Painter) -> None:
    comfort = s.Comfort(large_text=True, contrast=True, low_screen=True)
    page = drawn(view_of(kiosk(s.Home(), comfort=comfort), AROUND), painter)
    assert 'data-text="large"' in page
    assert 'data-theme="contrast"' in page
    assert 'data-reach="low"' in page


def test_the_wait_of_a_ticket_lies_on_the_line_of_its_hour() -> None:
    rail = view_of(kiosk(s.Ticket(SLIP)), AROUND).values["rail"]
    assert (rail["start"], rail["end"], rail["now"], rail["top"]) == (24.5, 34.5, 14.5, 60)


def test_the_countdown_and_the_clock_are_drawn_alone(painter: Painter) -> None:
    view = view_of(kiosk(s.Ticket(SLIP, "printed", settled_at_s=100.0)), AROUND)
    assert "<strong>7</strong> segundos" in painter.part(view, ZONE, "left")
    assert ">10:14</time>" in painter.part(view, ZONE, "clock")
    assert "<strong>7</strong> segundos" in drawn(view, painter)
