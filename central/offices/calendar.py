"""The official holidays of a city, from the `holidays` package."""

from collections.abc import Iterable, Mapping
from datetime import date

import holidays

from sync.messages.feed import Holiday

_ESTIMATED = {"es": "(estimado)", "en_US": "(estimated)"}


def official_holidays(
    country: str,
    subdivision: str,
    years: Iterable[int],
    *,
    confirmed: Iterable[date] = (),
    struck: Iterable[date] = (),
) -> Mapping[date, Holiday]:
    """The holidays of some years by date. Those that follow the moon are not confirmed until somebody says so.

    Args:
        confirmed: estimated dates that are sure now.
        struck: dates that are not kept in this city.

    Source: python-holidays, entities of `country`; its names mark estimated dates.
    """
    wanted = list(years)
    names = {language: _names(country, subdivision, wanted, language) for language in _ESTIMATED}
    sure, gone = set(confirmed), set(struck)
    return {
        day: Holiday(
            day=day,
            names={"es": _bare(name, "es"), "en": _bare(names["en_US"].get(day, name), "en_US")},
            confirmed=day in sure or _ESTIMATED["es"] not in name,
        )
        for day, name in sorted(names["es"].items())
        if day not in gone
    }


def _names(country: str, subdivision: str, years: list[int], language: str) -> dict[date, str]:
    calendar = holidays.country_holidays(country, subdiv=subdivision or None, years=years, language=language)
    return dict(calendar.items())


def _bare(name: str, language: str) -> str:
    return name.replace(_ESTIMATED[language], "").strip()
