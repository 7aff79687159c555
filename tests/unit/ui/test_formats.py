"""Instants and waits as people read them, in four languages and across the change of the clocks."""

from datetime import UTC, date, datetime

import pytest

from ui import formats
from ui.catalog import Words, load_catalog

THURSDAY = datetime(2026, 11, 26, 9, 20, tzinfo=UTC)


def words(locale: str) -> Words:
    return load_catalog(strict=True).words(locale)


@pytest.mark.parametrize(
    "locale, expected",
    [
        ("es", "jueves 26 de noviembre, 10:20"),
        ("en", "Thursday 26 November, 10:20"),
        ("fr", "jeudi 26 novembre, 10:20"),
        ("ar", "\u2068الخميس 26 نوفمبر\u2069، الساعة \u206610:20\u2069"),
    ],
)
def test_an_instant_is_written_with_weekday_date_and_time(locale: str, expected: str) -> None:
    assert formats.day_time(THURSDAY, words(locale)) == expected


@pytest.mark.parametrize(
    "locale, short, long",
    [
        ("es", "jue 26 nov", "jueves 26 de noviembre de 2026"),
        ("en", "Thu 26 Nov", "Thursday 26 November 2026"),
        ("fr", "jeu 26 nov", "jeudi 26 novembre 2026"),
        ("ar", "الخميس 26 نوفمبر", "الخميس 26 نوفمبر 2026"),
    ],
)
def test_a_day_is_short_in_narrow_places_and_holds_the_year_where_it_matters(
    locale: str, short: str, long: str
) -> None:
    assert formats.short_day(THURSDAY, locale) == short
    assert formats.day(THURSDAY, locale, year=True) == long
    assert formats.day(date(2026, 11, 26), locale, year=True) == long


@pytest.mark.parametrize(
    "locale, within, across",
    [
        ("es", "23–30 nov", "29 nov – 5 dic"),
        ("en", "23–30 Nov", "29 Nov – 5 Dec"),
        ("fr", "23–30 nov", "29 nov – 5 déc"),
        ("ar", "23–30 نوفمبر", "29 نوفمبر – 5 ديسمبر"),
    ],
)
def test_a_week_is_written_by_its_ends(locale: str, within: str, across: str) -> None:
    assert formats.span_of_days(date(2026, 11, 23), date(2026, 11, 30), locale) == within
    assert formats.span_of_days(date(2026, 11, 29), date(2026, 12, 5), locale) == across


@pytest.mark.parametrize(
    "instant, expected",
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "1:59"),  # one minute before the clocks go forward
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "3:00"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "2:30"),  # the hour that comes twice
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "2:30"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "3:00"),
        (datetime(2026, 7, 1, 22, 5, tzinfo=UTC), "0:05"),
    ],
)
def test_the_clock_is_that_of_the_city(instant: datetime, expected: str) -> None:
    assert formats.clock(instant) == expected


def test_the_twice_coming_hour_differs_for_machines() -> None:
    assert formats.iso_local(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "2026-10-25T02:30+02:00"
    assert formats.iso_local(datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "2026-10-25T02:30+01:00"


def test_the_day_is_that_of_the_city_too() -> None:
    late_evening = datetime(2026, 7, 1, 22, 5, tzinfo=UTC)
    assert formats.day(late_evening, "es") == "jueves 2 de julio"
    assert formats.stamp(late_evening) == "02/07/2026 0:05"


def test_a_naive_datetime_is_no_instant() -> None:
    with pytest.raises(ValueError, match="naive"):
        formats.clock(datetime(2026, 1, 1, 10, 0))  # noqa: DTZ001 - what the test is about


@pytest.mark.parametrize(
    "low, high, es_en_fr_ar",
    [
        (0, 3, ["Menos de 5 min", "Under 5 min", "Moins de 5 min", "أقل من 5 دقائق"]),
        (7, 9, ["5–10 min", "5–10 min", "5 à 10 min", "من 5 إلى 10 دقائق"]),
        (12, 18.2, ["10–20 min", "10–20 min", "10 à 20 min", "من 10 إلى 20 دقيقة"]),
        (60, 90, ["Más de 60 min", "Over 60 min", "Plus de 60 min", "أكثر من 60 دقيقة"]),
    ],
)
def test_a_wait_is_a_stretch(low: float, high: float, es_en_fr_ar: list[str]) -> None:
    assert [formats.wait_short(low, high, words(locale)) for locale in ("es", "en", "fr", "ar")] == es_en_fr_ar


def test_a_wait_reads_inside_a_sentence_and_alone() -> None:
    assert formats.wait_long(12, 18, words("es")) == "de 10 a 20 minutos"
    assert formats.wait_sentence(12, 18, words("es")) == "Entre 10 y 20 min"
    assert formats.wait_sentence(12, 18, words("ar")) == "بين 10 و20 دقيقة"


@pytest.mark.parametrize("low, high", [(x / 2, x / 2 + width) for x in range(150) for width in (0, 3, 11)])
def test_a_wait_never_shrinks_is_never_a_point_and_never_has_a_dash_in_arabic(low: float, high: float) -> None:
    wait = formats.rounded(low, high)
    assert wait.low_min <= low
    assert wait.high_min >= high
    assert wait.high_min - wait.low_min >= 5
    assert not {"-", "–", "—"} & set(formats.wait_short(low, high, words("ar")))


@pytest.mark.parametrize(
    "seconds, expected",
    [(-3, "hace 0 s"), (59.9, "hace 59 s"), (60, "hace 1 min"), (3599, "hace 59 min"), (7300, "hace 2 h")],
)
def test_how_long_ago(seconds: float, expected: str) -> None:
    assert formats.ago(seconds, words("es")) == expected


def test_small_forms() -> None:
    assert formats.stretch(252) == "4:12"
    assert formats.stretch(3852.9) == "1:04:12"
    assert formats.dashed("K7M4QX") == "K7M-4QX"
    assert formats.listed(["Padrón", "Registro", "Tasas"], words("es")) == "Padrón, Registro y Tasas"
    assert formats.listed(["Padrón"], words("es")) == "Padrón"
    assert formats.listed(["Palmeras", "Industrial"], words("es")) == "Palmeras e Industrial"
    assert formats.listed(["agua", "hielo"], words("es")) == "agua y hielo"
    assert formats.listed(["أ", "ب"], words("ar")) == "\u2068أ\u2069 و\u2068ب\u2069"


def test_a_sentence_begins_with_a_capital_and_keeps_those_of_its_months() -> None:
    at = date(2026, 11, 29)
    assert formats.sentence(formats.day(at, "en")) == "Sunday 29 November"
    assert formats.sentence(formats.day(at, "es")) == "Domingo 29 de noviembre"
