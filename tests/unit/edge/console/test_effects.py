"""How a forecast, and what is told of the way to another office, read."""

from datetime import UTC, datetime, timedelta

import pytest

from edge_node.console.bar_view import BroadcastView
from edge_node.console.desk_panels import ends_in_s
from edge_node.console.supervise_pages import effect_text
from edge_node.console.supervise_view import roles_of
from sync.domain.waits.what_if import Effect
from ui.catalog import Words, load_catalog

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.fixture
def words() -> Words:
    return load_catalog(strict=True).words("es")


@pytest.mark.parametrize(
    "before, after, text",
    [
        (14, 8, "Baja la espera de Padrón de ~14 a ~8 min."),
        (8, 14, "Sube la espera de Padrón de ~8 a ~14 min."),
        (8, 7, "La espera de Padrón sigue en ~7 min."),
        (None, 5, "Padrón pasa a atenderse, con ~5 min de espera."),
        (5, None, "Padrón se queda sin nadie que atienda; ahora espera ~5 min."),
        (None, None, "Padrón sigue sin nadie que atienda."),
    ],
)
def test_an_effect_in_words(words: Words, before: int | None, after: int | None, text: str) -> None:
    assert effect_text(Effect(service="padron", before_min=before, after_min=after), "Padrón", words) == text


def test_only_known_roles_are_taken_from_an_address() -> None:
    assert roles_of(("a:primary", "b:none", "c", "d:boss", ":primary", "e:secondary")) == {
        "a": "primary",
        "b": "none",
        "e": "secondary",
    }


def test_a_page_looks_again_when_the_first_line_ends() -> None:
    def line(seconds: float) -> BroadcastView:
        until = NOW + timedelta(seconds=seconds)
        return BroadcastView(id="1", text="x", who="Boss", posted_at=NOW, until_at=until)

    assert ends_in_s((), NOW, 30) == 30
    assert ends_in_s((line(600), line(12.5)), NOW, 30) == 13
    assert ends_in_s((line(0.2),), NOW, 30) == 1
