"""Base pages and parts: what stands in the HTML, in both directions of reading."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from ui.assets import StaticAssets
from ui.catalog import load_catalog
from ui.drawings import qr, rail
from ui.gallery import PAGES, SAMPLES, sample_values, write_gallery
from ui.icons import DRAWINGS, MIRRORED, icon
from ui.locales import CITIZEN_LOCALES, choose_locale
from ui.pages import Pages, language_links

NOW = datetime(2026, 11, 26, 9, 14, tzinfo=UTC)
VOID = {"meta", "link", "input", "br", "path", "circle", "rect", "ellipse", "img"}

Render = Callable[..., str]


@pytest.fixture
def render(tmp_path: Path) -> Render:
    """Render a snippet with everything that a template sees."""

    def shown(source: str, locale: str = "es", **values: object) -> str:
        (tmp_path / "snippet.html").write_text(source, encoding="utf-8")
        pages = Pages(load_catalog(strict=True), [tmp_path], StaticAssets(), CITIZEN_LOCALES)
        return re.sub(r"\s+", " ", pages.render("snippet.html", locale, values)).strip()

    return shown


@pytest.mark.parametrize(
    "source, expected",
    [
        ('{{ ui.plate("K12") }}', '<span class="plate">K12</span>'),
        ('{{ ui.plate("A118", "call") }}', '<span class="plate" data-state="call" data-chars="4">A118</span>'),
        (
            '{{ ui.button("Confirmar", name="go", value="1", attrs={"form": "f"}) }}',
            '<button class="button" type="submit" name="go" value="1" form="f">Confirmar</button>',
        ),
        ('{{ ui.button("Ver", kind="second", href="/a?b=1&c=2") }}', '<a class="button" data-kind="second" href="/a?b=1&amp;c=2">Ver</a>'),
        ('{{ ui.button("No", disabled=true) }}', '<button class="button" type="submit" aria-disabled="true">No</button>'),
        ('{{ ui.key("F8") }}', '<kbd class="key">F8</kbd>'),
        ("{{ ui.time(now) }}", '<time datetime="2026-11-26T10:14+01:00">10:14</time>'),
        ('{{ ui.chip("Bien", "ok") }}', '<span class="chip" data-kind="ok">Bien</span>'),
        ('{{ ui.csrf("abc") }}', '<input type="hidden" name="_csrf_token" value="abc">'),
        ('{{ ui.request_id("0192") }}', '<input type="hidden" name="request_id" value="0192">'),
        (
            '{{ ui.rail_scale(["10:00", "11:00"]) }}',
            '<p class="rail-scale" aria-hidden="true"><span>10:00</span><span>11:00</span></p>',
        ),
    ],
)  # fmt: skip
def test_small_parts(render: Render, source: str, expected: str) -> None:
    assert render(source, now=NOW) == expected


def test_a_field_names_its_hint_and_error_and_keeps_what_was_typed(render: Render) -> None:
    page = render(
        '{{ ui.field("doc", "Documento", value=typed, hint="DNI o NIE", error="Revise", dir="ltr") }}', typed='4"5<'
    )
    assert '<div class="field" data-error>' in page
    assert '<label class="field-label" for="doc">Documento</label>' in page
    assert 'value="4&#34;5&lt;" dir="ltr" aria-invalid="true" aria-describedby="doc-hint doc-error"' in page
    assert '<p class="field-hint" id="doc-hint">DNI o NIE</p>' in page
    assert page.index("doc-hint") < page.index("doc-error") < page.index("<input"), "label, hint, error, box"


def test_a_field_without_trouble_says_nothing_of_it(render: Render) -> None:
    page = render('{{ ui.field("name", "Nombre") }}')
    assert "aria-" not in page
    assert 'value=""' in page


def test_a_password_is_never_written_back(render: Render) -> None:
    assert "value" not in render('{{ ui.field("password", "Contraseña", value="secret", type="password") }}')


def test_select_and_choice_keep_what_was_chosen(render: Render) -> None:
    select = render('{{ ui.select("o", "Oficina", [("centro", "Centro"), ("real", "Real")], "real") }}')
    assert '<option value="real" selected>Real</option>' in select
    assert '<option value="centro">Centro</option>' in select
    choice = render('{{ ui.choice("office", "real", "Real", "Av. de la Juventud", checked=true) }}')
    assert '<input type="radio" name="office" value="real" checked>' in choice
    assert '<span class="choice-note">Av. de la Juventud</span>' in choice
    assert "<b>own</b>" in render('{% call ui.choice("office", "real") %}<b>own</b>{% endcall %}')


def test_errors_lead_to_their_fields_and_take_the_focus(render: Render) -> None:
    page = render('{{ ui.errors([("doc", "Revise el número")]) }}')
    assert 'role="alert" aria-labelledby="errors-title" tabindex="-1" data-focus' in page
    assert '<li><a href="#doc">Revise el número</a></li>' in page
    assert "Hay un problema" in page
    assert render("{{ ui.errors([]) }}") == ""


def test_steps_count_in_words_and_draw_beside(render: Render) -> None:
    page = render('{{ ui.steps(2, 5, "oficina") }}')
    assert "<span>Paso 2 de 5: oficina</span>" in page
    assert page.count("data-done") == 1
    assert page.count("data-here") == 1
    assert (
        '<span class="steps-marks" aria-hidden="true"><span data-done></span><span data-here></span><span></span><span></span><span></span></span>'
        in page
    )


def test_facts_offer_a_change_where_there_is_one(render: Render) -> None:
    page = render(
        '{{ ui.facts([{"term": "Oficina", "value": "Real", "href": "/o", "change": "la oficina"}, {"term": "Apoyo", "value": "No"}]) }}'
    )
    assert '<dd><a href="/o">Cambiar<span class="hush"> la oficina</span></a></dd>' in page
    assert "<dt>Apoyo</dt><dd>No</dd></div>" in page


def test_a_table_has_headers_both_ways(render: Render) -> None:
    page = render('{{ ui.table("Turnos", ["Turno", "Min"], [["K12", 4]], numbers=[1], hush=true, scroll=true) }}')
    assert '<div class="table-box" role="region" aria-label="Turnos" tabindex="0">' in page
    assert '<caption class="hush">Turnos</caption>' in page
    assert '<th scope="col" class="number">Min</th>' in page
    assert '<th scope="row">K12</th><td class="number">4</td>' in page


def test_a_banner_says_its_kind_by_an_icon_and_holds_an_action(render: Render) -> None:
    page = render('{% call ui.banner("Hasta las 10:52", "late", live=true) %}<button>Más</button>{% endcall %}')
    assert page.startswith('<div class="banner" data-kind="late" role="status"><svg class="icon"')
    assert DRAWINGS["warning"] in page
    assert page.endswith("<p>Hasta las 10:52</p><button>Más</button></div>")


def test_codes_and_times_are_isolated_where_text_runs_from_the_right(render: Render) -> None:
    assert render('{{ "K12" | ltr }} {{ ui.time(now) }}', "ar", now=NOW) == (
        '<bdi dir="ltr">K12</bdi> <time datetime="2026-11-26T10:14+01:00"><bdi dir="ltr">10:14</bdi></time>'
    )
    assert render('{{ "K12" | ltr }}', "es") == "K12"


def test_the_rail_draws_a_stretch_within_its_hour() -> None:
    assert '<rect class="rail-band" x="25" y="2" width="10" height="8"/>' in rail(25, 35)
    assert '<rect class="rail-band" x="30" y="2" width="30" height="8"/>' in rail(60, 500, top=120)
    assert '<rect class="rail-now" x="13.7" y="-2" width="0.6" height="16"/>' in rail(25, 35, now=14)
    assert "rail-now" not in rail(25, 35, now=61)
    assert 'data-state="none"' in rail(None, None)
    assert "rail-band" not in rail(None, 10)
    assert 'data-state="call"' in rail(0, 5, state="call")
    assert "style" not in rail(25, 35, now=14)


def test_a_qr_code_is_one_path_with_a_quiet_zone_and_a_name() -> None:
    drawing = qr("https://citas.example/t/AbCdEfGhIjKlMnOp", 'Turno "K12"')
    assert 'aria-label="Turno &#34;K12&#34;" viewBox="0 0 37 37"' in drawing  # version 3: 29 modules and twice 4
    dark = re.search(r'fill="#000" d="([^"]+)"', drawing)
    assert dark is not None
    runs = [(int(x), int(y), int(w)) for x, y, w in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", dark[1])]
    assert (4, 4, 7) in runs, "the finder pattern begins after four modules"
    assert min(x for x, _, _ in runs) == 4
    assert max(x + w for x, _, w in runs) == 33


def test_an_icon_is_hidden_or_named_and_mirrored_where_it_points_along_the_line() -> None:
    assert 'aria-hidden="true"' in icon("check")
    assert 'role="img" aria-label="Sin &lt;papel&gt;"' in icon("warning", "Sin <papel>")
    assert " data-flip" in icon("back")
    assert " data-flip" not in icon("clock")
    assert set(DRAWINGS) >= MIRRORED
    with pytest.raises(KeyError):
        icon("nothing")


def test_language_links_keep_the_page_and_its_query() -> None:
    links = language_links("/cita?lang=es&office=real", "ar", CITIZEN_LOCALES)
    assert [(link.tag, link.name, link.current) for link in links] == [
        ("es", "Español", False),
        ("ar", "العربية", True),
        ("fr", "Français", False),
        ("en", "English", False),
    ]
    assert links[2].href == "/cita?office=real&lang=fr"
    assert language_links("//evil.example/x", "es", ("es",))[0].href == "/x?lang=es", "never to another host"


@pytest.mark.parametrize(
    "asked, remembered, header, expected",
    [
        ("fr", "ar", "en", "fr"),
        ("xx", "ar", "en", "ar"),
        (None, None, "de-DE,de;q=0.9,ar-MA;q=0.8,en;q=0.7", "ar"),
        (None, None, "en;q=0, fr;q=0.1", "fr"),
        (None, "<script>", "de", "es"),
        (None, None, "fr;q=high", "es"),
        (None, None, None, "es"),
    ],
)
def test_the_language_of_a_request(
    asked: str | None, remembered: str | None, header: str | None, expected: str
) -> None:
    assert choose_locale(asked, remembered, header) == expected


def test_an_undefined_name_is_an_error(render: Render) -> None:
    with pytest.raises(UndefinedError):
        render("{{ nowhere }}")


def test_one_block_of_a_page_is_the_fragment_of_a_live_stream(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<p>{% block place %}{{ t('base.people', n=n) }}{% endblock %}</p>")
    pages = Pages(load_catalog(strict=True), [tmp_path], StaticAssets(), ("es",))
    assert pages.render_block("page.html", "place", "es", {"n": 2}) == "2 personas"


class Reader(HTMLParser):
    """Collects open tags, ids and attributes, and notices a tag that is not closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name, locale", PAGES)
def test_every_sample_page_is_whole_in_every_language(name: str, locale: str) -> None:
    pages = Pages(load_catalog(strict=True), [SAMPLES], StaticAssets(), CITIZEN_LOCALES)
    reader = Reader()
    reader.feed(pages.render(f"{name}.html", locale, sample_values()))
    assert reader.open == []
    html = dict(reader.seen[:1])["html"]
    assert html["lang"] == locale
    assert html["dir"] == ("rtl" if locale == "ar" else "ltr")
    ids = [attrs["id"] for _, attrs in reader.seen if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert sum(tag == "h1" for tag, _ in reader.seen) <= 1
    assert [attrs for _, attrs in reader.seen if "style" in attrs or any(name.startswith("on") for name in attrs)] == []
    for tag, attrs in reader.seen:
        assert tag != "script" or attrs.get("src"), "no inline script"
        for place in ("href", "src", "action"):
            assert not (attrs.get(place) or "").startswith(("http:", "https:", "//")), "no third party"


def test_the_title_of_a_failed_form_says_so_first(render: Render) -> None:
    page = '{% extends "base/portal.html" %}{% block title %}Sus datos{% endblock %}{% block main %}{% endblock %}'
    assert "<title>Error: Sus datos - Citas y turnos de Melilla</title>" in render(page, here="/", failed=True)
    assert "<title>Sus datos - Citas y turnos de Melilla</title>" in render(page, here="/")


def test_the_gallery_writes_pages_that_open_without_a_server(tmp_path: Path) -> None:
    written = write_gallery(tmp_path / "out")
    assert len(written) == len(PAGES)
    page = (tmp_path / "out" / "portal-ar.html").read_text(encoding="utf-8")
    for address in re.findall(r'(?:href|src)="(static/[^"]+)"', page):
        assert (tmp_path / "out" / address).is_file()
