"""What works without network, in words: the figures are those of the state and of the rules, and each answer fits them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from edge_node.console.offline_rows import LOOKS, Row, rows, server_text
from edge_node.console.offline_view import Offline
from sync.domain.reserve import BLOCK
from sync.messages.topics import BOARD_STALE_S
from ui.catalog import Words, load_catalog

ZONE = ZoneInfo("Africa/Ceuta")
NOON = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
ALL_LANGUAGES = ("es", "en")


def words(tag: str = "es") -> Words:
    return load_catalog(strict=True).words(tag)


def cut(**changes: Any) -> Offline:
    """An office that is cut off since eleven, and lacks nothing."""
    view = Offline(
        office_name="Centro",
        position="1-7",
        reach="cut",
        since=NOON - timedelta(hours=1),
        pending=14,
        sold=2,
        today=3,
        known_until=date(2026, 11, 30),
        knows_keys=True,
        seats=7,
        seats_until=NOON + timedelta(days=2),
        signs=True,
        on_the_way=1,
        sign_in_until=NOON + timedelta(hours=71),
        sign_in_left=timedelta(hours=71),
        sign_in_limit=timedelta(hours=72),
        screens_on=1,
        screens=2,
        kiosks=(),
    )
    return msgspec.structs.replace(view, **changes)


def about(view: Offline, key: str, tag: str = "es") -> Row:
    (found,) = [row for row in rows(view, words(tag), ZONE) if row.what == words(tag).text(key)]
    return found


@pytest.mark.parametrize("tag", ALL_LANGUAGES)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"reach": "connected", "since": None, "sign_in_until": None},
        {"reach": "alone", "since": None, "sign_in_until": None},
        {"seats": 0, "seats_until": None, "signs": False, "knows_keys": False, "known_until": None, "screens": 0},
        {"sign_in_left": timedelta()},
    ],
    ids=["cut", "connected", "alone", "nothing at hand", "cut for long"],
)
def test_every_state_has_all_its_words(changes: dict[str, Any], tag: str) -> None:
    found = rows(cut(**changes), words(tag), ZONE)
    assert len({row.what for row in found}) == len(found) == 12
    assert all(row.works in LOOKS and row.until and row.later for row in found)


def test_people_without_appointment_and_calls_go_on_as_long_as_the_cut() -> None:
    for key in ("offline.ticket", "offline.call"):
        row = about(cut(), key)
        assert (row.works, row.until, row.later) == ("yes", "Todo lo que dure el corte", "Nada")


def test_appointments_that_are_known_are_counted_and_dated() -> None:
    until = about(cut(), "offline.checkin").until
    assert "Hoy faltan 3 personas con cita" in until
    assert "lunes 30 de noviembre" in until
    assert about(cut(known_until=None, today=0), "offline.checkin").until == "Esta oficina no conoce ninguna cita"


@pytest.mark.parametrize("knows_keys, works", [(True, "yes"), (False, "no")])
def test_a_code_of_an_appointment_made_meanwhile_needs_the_citys_key(knows_keys: bool, works: str) -> None:
    assert about(cut(knows_keys=knows_keys), "offline.new_qr").works == works
    assert about(cut(knows_keys=knows_keys), "offline.new_code").works == "no"


def test_a_slip_needs_the_nodes_key() -> None:
    assert about(cut(), "offline.slip").works == "yes"
    assert about(cut(signs=False), "offline.slip").works == "no"
    assert "1 persona" in about(cut(), "offline.no_slip").until


def test_appointments_are_given_as_long_as_a_lent_seat_is_left_and_none_besides() -> None:
    assert "Quedan 7 plazas, hasta el miércoles 25 de noviembre, 12:00" in about(cut(), "offline.lent").until
    none = about(cut(seats=0, seats_until=None), "offline.lent")
    assert (none.works, none.until) == ("no", "No queda ninguna plaza")
    assert about(cut(), "offline.booking").works == "no"


@pytest.mark.parametrize(
    "changes, works, says",
    [
        ({}, "yes", "(quedan 71 horas)"),
        ({"sign_in_left": timedelta(minutes=119)}, "yes", "(queda 1 hora)"),
        ({"sign_in_left": timedelta(minutes=40)}, "yes", "(quedan 40 minutos)"),
        ({"sign_in_left": timedelta()}, "part", "Solo con la supervisión presente"),
        ({"reach": "connected", "sign_in_until": None}, "yes", "72 horas desde el corte"),
        ({"reach": "alone", "sign_in_until": None}, "yes", "Todo lo que dure"),
    ],
    ids=["fresh", "an hour and a half", "the last hour", "over", "connected", "without central"],
)
def test_signing_in_has_an_end_that_is_told(changes: dict[str, Any], works: str, says: str) -> None:
    row = about(cut(**changes), "offline.signin")
    assert (row.works, says in row.until) == (works, True), row.until


@pytest.mark.parametrize("tag", ALL_LANGUAGES)
def test_what_kiosks_do_alone_is_told_with_the_figures_of_the_rule(tag: str) -> None:
    text = server_text(words(tag))
    assert all(str(figure) in text for figure in (BOARD_STALE_S, BLOCK // 2, BLOCK))
