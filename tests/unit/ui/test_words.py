"""The catalogues: complete in every promised language, alike in their values, and holding every word the code asks for."""

import re
from collections import Counter
from pathlib import Path

import pytest

from ui.catalog import (
    CITIZEN_AREAS,
    STAFF_AREAS,
    WORDS_DIRECTORY,
    Catalog,
    Message,
    MissingText,
    areas_of,
    load_catalog,
    read_area,
    read_messages,
)
from ui.locales import LOCALES, SOURCE

ROOT = Path(__file__).parents[3]
PACKAGES = ("ui", "central", "edge_node", "kiosk_agent", "display_agent", "provisioning")
AREAS = CITIZEN_AREAS + STAFF_AREAS
PAIRS = [(locale, area) for locale in LOCALES for area in areas_of(locale)]
# t("a.b"), plain('a.b'), words.text(f"a.{b}"), .markup("a.b" ~ c): the key as far as it is written out.
CALL = re.compile(r"""\b(?:t|plain|text|markup)\(\s*f?(["'])(?P<key>[a-z0-9_.]+)(?P<more>\1\s*[~+]|\{)?""")


@pytest.mark.parametrize("locale, area", PAIRS)
def test_an_area_knows_every_key_of_the_source(locale: str, area: str) -> None:
    known, source = read_area(locale, area), read_area(SOURCE, area)
    assert set(known) == set(source)
    assert all(key.startswith(f"{area}.") for key in known), "a key begins with its area"


@pytest.mark.parametrize("locale, area", PAIRS)
def test_texts_of_a_key_hold_the_same_values(locale: str, area: str) -> None:
    source = read_area(SOURCE, area)
    for key, message in read_area(locale, area).items():
        plural = len(message.forms) > 1
        assert plural == (len(source[key].forms) > 1), key
        assert without_count(message, plural) == without_count(source[key], plural), key
        for form in message.forms:
            named = set(re.findall(r"\{([a-z_]+)\}", form)) - {"n"}
            assert named == message.placeholders - {"n"}, f"{key}: every form names the same values"


@pytest.mark.parametrize("locale, area", PAIRS)
def test_texts_hold_only_the_tags_that_pages_allow(locale: str, area: str) -> None:
    for key, message in read_area(locale, area).items():
        for form in message.forms:
            tags = Counter(re.findall(r"<[^>]*>", form))
            assert set(tags) <= {"<strong>", "</strong>", "<br>", "<a>", "</a>"}, key
            assert tags["<strong>"] == tags["</strong>"], key
            assert tags["<a>"] == tags["</a>"] <= 1, key
            assert "!" not in form, f"{key}: no exclamation marks"
            assert not re.search(r"\{[^}]*[^a-z_}][^}]*\}", form), f"{key}: a value's name is plain"


@pytest.mark.parametrize("area", AREAS)
def test_english_texts_say_desk_for_where_clerks_sit(area: str) -> None:
    for key, message in read_area("en", area).items():
        for form in message.forms:
            assert not re.search(r"\bcounters?\b", re.sub(r"\{[a-z_]+\}", "", form), re.IGNORECASE), key


@pytest.mark.parametrize("locale, area", PAIRS)
def test_a_file_states_a_key_once(locale: str, area: str) -> None:
    text = (WORDS_DIRECTORY / locale / f"{area}.po").read_text(encoding="utf-8")
    keys = Counter(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))
    assert [key for key, times in keys.items() if times > 1] == []
    assert "fuzzy" not in text


def test_every_file_is_an_area_that_its_language_promises() -> None:
    files = {(path.parent.name, path.stem) for path in WORDS_DIRECTORY.glob("*/*.po")}
    assert files == set(PAIRS)


def test_every_word_that_the_code_asks_for_stands_in_the_catalogue() -> None:
    known = set(read_messages(SOURCE, AREAS))
    missing = [
        f"{path.relative_to(ROOT)}: {key}"
        for path in asking_files()
        for key, open_end in asked_keys(path.read_text(encoding="utf-8"))
        if not (any(word.startswith(key) for word in known) if open_end else key in known)
    ]
    assert missing == []


def test_the_search_for_asked_words_sees_every_way_to_ask() -> None:
    source = """{{ t("base.back") }} plain('portal.home.h1') words.text(f"console.outcome.{name}") t("display.go" ~ x)
    Path("kiosk.toml") text("not.an.area")"""
    assert list(asked_keys(source)) == [
        ("base.back", False),
        ("portal.home.h1", False),
        ("console.outcome.", True),
        ("display.go", True),
    ]


def asking_files() -> list[Path]:
    found = [
        path for package in PACKAGES for end in ("*.py", "*.html", "*.txt") for path in (ROOT / package).rglob(end)
    ]
    assert len(found) > 20
    return [path for path in found if "vendor" not in path.parts]


def asked_keys(source: str) -> list[tuple[str, bool]]:
    calls = [(found["key"], found["more"] is not None) for found in CALL.finditer(source)]
    return [(key, more) for key, more in calls if "." in key and key.split(".")[0] in AREAS]


def without_count(message: Message, plural: bool) -> frozenset[str]:
    return message.placeholders - {"n"} if plural else message.placeholders


def test_a_plural_takes_the_form_of_its_language() -> None:
    catalog = load_catalog(strict=True)
    assert [catalog.words("es").text("base.people", n=n) for n in (0, 1, 2)] == [
        "0 personas",
        "1 persona",
        "2 personas",
    ]
    assert [catalog.words("fr").text("base.people", n=n) for n in (0, 1, 2)] == [
        "0 personne",
        "1 personne",
        "2 personnes",
    ]
    assert [catalog.words("ar").text("base.people", n=n) for n in (0, 1, 2, 6, 11, 100, 103)] == [
        "لا أحد",
        "شخص واحد",
        "شخصان",
        "6 أشخاص",
        "11 شخصًا",
        "100 شخص",
        "103 أشخاص",
    ]


def test_html_escapes_values_and_trusts_the_message() -> None:
    words = load_catalog(strict=True).words("es")
    shown = words.markup("portal.office.any.note", day="<b>jueves</b>", office='"Real"')
    assert shown == "Le damos la primera cita libre: <strong>&lt;b&gt;jueves&lt;/b&gt;</strong>, &#34;Real&#34;"


def test_a_link_inside_a_sentence_takes_its_address() -> None:
    words = load_catalog(strict=True).words("en")
    assert '<a href="/x?a=1&amp;b=2">tell us</a>' in words.markup("base.free", href="/x?a=1&b=2")
    assert words.text("base.free", href="/x") == "Appointments are free. If anyone charges you, tell us."


def test_a_name_in_arabic_is_isolated_in_a_page_of_any_language() -> None:
    words = load_catalog(strict=True).words("es")
    assert "<bdi>أمينة ب.</bdi>" in words.markup("base.office", office="أمينة ب.")
    assert "bdi" not in words.markup("base.office", office="Centro")


def test_arabic_isolates_codes_and_times_but_not_bare_numbers() -> None:
    words = load_catalog(strict=True).words("ar")
    assert words.text("progress.go.since", time="10:27") == "نودي عليك الساعة \u206610:27\u2069"
    assert words.markup("kiosk.take.zone", zone="B") == 'انتظر في <strong>المنطقة <bdi dir="ltr">B</bdi></strong>'
    assert words.markup("progress.go", counter=4) == "توجّه إلى الشباك 4"
    assert words.markup("base.office", office="سنترو") == "مكتب <bdi>سنترو</bdi>"


@pytest.mark.parametrize("lacking", [{}, {"a": "10:25"}])
def test_a_value_that_is_not_given_is_an_error(lacking: dict[str, str]) -> None:
    with pytest.raises(MissingText):
        load_catalog(strict=True).words("es").text("progress.between", **lacking)


def test_a_plural_without_its_count_is_an_error() -> None:
    with pytest.raises(MissingText, match="'n' not given"):
        load_catalog(strict=True).words("es").text("base.people")


def test_a_missing_text_raises_when_strict_and_falls_back_to_spanish_in_production() -> None:
    messages = {"es": read_messages("es", ("base",)), "fr": {}}
    with pytest.raises(MissingText, match=r"no text 'base\.back' in 'fr'"):
        Catalog(messages, strict=True).words("fr").text("base.back")
    assert Catalog(messages, strict=False).words("fr").text("base.back") == "Atrás"
    with pytest.raises(MissingText):
        Catalog(messages, strict=False).words("fr").text("base.nowhere")
