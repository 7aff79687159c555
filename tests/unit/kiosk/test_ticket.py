"""What a ticket says and where it stands, in every language, measured in dots."""

from zoneinfo import ZoneInfo

import pytest

from kiosk_agent.emulators.decoder import Decoder
from kiosk_agent.emulators.pictures import qr_texts_in
from kiosk_agent.printing.escpos_bytes import printable, to_bytes
from kiosk_agent.printing.letters import Letters
from kiosk_agent.printing.raster import rasterize
from kiosk_agent.ticket import MAX_LENGTH_DOTS, PaperOp, PrintQr, PrintRaster, PrintText, contents, height_dots, layout
from kiosk_agent.ticket.contents import short_url, zone_name
from kiosk_agent.ticket.paper import Plate, QrCode, Words, qr_modules, qr_version, unbroken_words
from kiosk_agent.ticket.raster_mode import balanced
from kiosk_agent.ticket.text_mode import wrapped
from kiosk_agent.voice import voice
from sync.messages.topics import Slip
from tests.unit.kiosk.slips import EARLY, SLIP, changed
from ui.catalog import load_catalog

CATALOG = load_catalog(strict=True)
ZONE = ZoneInfo("Africa/Ceuta")
LETTERS = Letters()
LANGUAGES = ["es", "en", "fr", "ar"]
CAP = 0.668


def ticket(slip: Slip, *, raster: bool = False, reprint: bool = False, width: int = 576) -> tuple[PaperOp, ...]:
    said = contents(slip, voice(CATALOG, slip.language, ZONE), voice(CATALOG, "es", ZONE), reprint=reprint)
    return layout(said, raster=raster, width_dots=width, measure=LETTERS.width)


def marks(ops: tuple[PaperOp, ...]) -> list[object]:
    (drawing,) = [op.drawing for op in ops if isinstance(op, PrintRaster)]
    return list(drawing.marks)


def said_on(ops: tuple[PaperOp, ...]) -> str:
    if any(isinstance(op, PrintRaster) for op in ops):
        return " ".join(mark.text for mark in marks(ops) if isinstance(mark, Words))
    return " ".join(op.text for op in ops if isinstance(op, PrintText))


@pytest.mark.parametrize("reprint", [False, True], ids=["first", "copy"])
@pytest.mark.parametrize(
    "slip",
    [SLIP, changed(label="K123"), changed(EARLY, label="K999"), changed(label="Y999", reserve=True, wait=None)],
    ids=["a", "b", "c", "of the reserve"],
)
@pytest.mark.parametrize("raster", [False, True], ids=["letters", "picture"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_ticket_is_longer_than_130_mm(language: str, raster: bool, slip: Slip, reprint: bool) -> None:
    ops = ticket(changed(slip, language=language), raster=raster, reprint=reprint)
    assert 300 < height_dots(ops) <= MAX_LENGTH_DOTS


def test_a_spanish_ticket_in_letters() -> None:
    lines = [op for op in ticket(SLIP) if isinstance(op, PrintText)]
    assert [line.text for line in lines][:6] == [
        "Oficina Real                jue 26/11/2026 10:14",
        "K12",
        "Espere en la zona B",
        "-" * 48,
        "3 personas delante",
        "Le llamaremos entre las 10:24 y las 10:34",
    ]
    assert "citas.example:8010/t" in [line.text for line in lines]


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_another_language_has_the_zone_in_spanish_too(language: str) -> None:
    said = said_on(ticket(changed(language=language)))
    assert "Espere en la zona B" in said
    assert voice(CATALOG, language, ZONE).text("ticket.zone", zone="B") in said


def test_essential_sizes() -> None:
    letters = {op.text: op.scale for op in ticket(SLIP) if isinstance(op, PrintText)}
    assert letters["K12"] * 17 >= 15 * 8  # font A: capitals of 17 dots; 8 dots are a millimetre
    assert letters["Espere en la zona B"] * 17 >= 4 * 8
    for ops in (ticket(SLIP, raster=True), ticket(changed(EARLY, label="K999", language="ar"), reprint=True)):
        (plate,) = [mark for mark in marks(ops) if isinstance(mark, Plate)]
        assert plate.size * CAP >= 15 * 8
        zone = next(mark for mark in marks(ops) if isinstance(mark, Words) and "B" in mark.text)
        assert zone.size * CAP >= 4 * 8


@pytest.mark.parametrize("raster", [False, True], ids=["letters", "picture"])
def test_the_qr_code_is_at_least_25_mm_wide_in_whole_dots(raster: bool) -> None:
    ops = ticket(SLIP, raster=raster)
    codes = [mark for mark in marks(ops) if isinstance(mark, QrCode)] if raster else []
    natives = [op for op in ops if isinstance(op, PrintQr)]
    dots = codes[0].module_dots if raster else natives[0].module_dots
    assert dots * qr_modules(qr_version(SLIP.follow_url)) >= 25 * 8


def test_a_reprint_without_its_code_has_no_qr_and_says_that_it_is_a_copy() -> None:
    ops = ticket(changed(follow_url=""), reprint=True)
    assert not [op for op in ops if isinstance(op, PrintQr)]
    assert said_on(ops).startswith("Copia del mismo turno")


def test_an_early_appointment_is_told_when_it_may_be_called() -> None:
    said = said_on(ticket(EARLY))
    assert "Cita de las 10:54. En el puesto comprobarán su cita" in said
    assert "Le llamaremos a partir de las 10:49" in said


def test_nothing_is_promised_when_nothing_is_known() -> None:
    said = said_on(ticket(changed(wait=None, people_ahead=0)))
    assert "Aún no podemos calcular la espera" in said
    assert "Es la siguiente persona" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_ticket_of_the_reserve_promises_nothing_and_tells_the_staff_what_it_is(language: str) -> None:
    said = said_on(ticket(changed(wait=None, people_ahead=0, reserve=True, language=language), raster=True))
    assert "Turno dado sin conexión: su lugar cuenta desde esta hora" in said
    assert voice(CATALOG, language, ZONE).text("ticket.next") not in said
    assert voice(CATALOG, language, ZONE).text("ticket.leave") not in said


def test_no_service_and_no_other_text_than_the_catalogue_is_printed() -> None:
    assert "Empadronamiento" not in said_on(ticket(SLIP))


def test_arabic_is_a_picture_on_any_printer() -> None:
    ops = ticket(changed(language="ar"), raster=False)
    assert [type(op).__name__ for op in ops] == ["PrintRaster", "Cut"]


@pytest.mark.parametrize("width", [384, 576])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_mark_lies_on_the_paper(language: str, width: int) -> None:
    ops = ticket(changed(language=language), raster=True, width=width)
    for mark in marks(ops):
        if isinstance(mark, Words):
            extent = LETTERS.width(mark.text, mark.size, bold=mark.bold, language=mark.language)
            left = {"left": mark.x, "center": mark.x - extent / 2, "right": mark.x - extent}[mark.align]
            assert left >= 0, mark
            assert left + extent <= width, mark


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_picture_is_read_by_a_strange_reader(language: str) -> None:
    decoder = Decoder()
    ops = ticket(changed(language=language), raster=True)
    decoder.feed(to_bytes(ops, LETTERS, profile="default", code_page="CP858"))
    (paper,) = decoder.tickets
    assert qr_texts_in(paper) == [SLIP.follow_url]
    assert paper.raster_size is not None
    assert paper.raster_size[0] == 576


def test_the_picture_is_one_bit_and_mostly_paper() -> None:
    (op, _) = ticket(SLIP, raster=True)
    assert isinstance(op, PrintRaster)
    image = rasterize(op.drawing, LETTERS)
    assert image.mode == "1"
    black = image.convert("L").histogram()[0] / (image.width * image.height)
    assert 0.05 < black < 0.4


@pytest.mark.parametrize(
    "text, page, expected",
    [
        ("Año ¿qué? 5 €", "CP858", "Año ¿qué? 5 €"),
        ("5 €", "CP437", "5 ?"),
        ("l’œuvre…", "CP858", "l'oeuvre..."),
        ("Łódź", "CP437", "?ódz"),
        ("مكتب", "CP1252", "????"),
    ],
)
def test_letters_that_a_code_page_lacks(text: str, page: str, expected: str) -> None:
    assert printable(text, page) == expected


def test_lines_break_between_words_and_keep_signs_with_them() -> None:
    assert unbroken_words("sortir : suivez ?") == ["sortir\u00a0:", "suivez\u00a0?"]
    assert wrapped("uno dos tres", 7) == ["uno dos", "tres"]
    assert wrapped("x" * 10, 4) == ["xxxx", "xxxx", "xx"]
    assert balanced("aa bb cc dd", 8, len) == ["aa bb", "cc dd"]


def test_names_for_people() -> None:
    assert (zone_name("b"), zone_name("planta-1")) == ("B", "Planta 1")
    assert (short_url(SLIP.follow_url), short_url("")) == ("citas.example:8010/t", "")
    assert "Espere en la sala" in said_on(ticket(changed(zone="main")))


def test_a_qr_code_has_its_limits() -> None:
    assert (qr_version("x" * 14), qr_version("x" * 15), qr_version("x" * 213)) == (1, 2, 10)
    with pytest.raises(ValueError, match="too many"):
        qr_version("x" * 214)
