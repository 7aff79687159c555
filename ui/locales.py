"""The languages that people can read, and how the language of a request is chosen."""

from collections.abc import Sequence

import msgspec


class Locale(msgspec.Struct, frozen=True):
    """One language of the interface.

    `name` is in the language's own script; `direction` is "ltr" or "rtl".
    """

    tag: str
    name: str
    direction: str

    @property
    def right_to_left(self) -> bool:
        return self.direction == "rtl"


SPANISH = Locale("es", "Español", "ltr")
ARABIC = Locale("ar", "العربية", "rtl")
FRENCH = Locale("fr", "Français", "ltr")
ENGLISH = Locale("en", "English", "ltr")

# In the order in which the language navigation shows them.
LOCALES: dict[str, Locale] = {locale.tag: locale for locale in (SPANISH, ARABIC, FRENCH, ENGLISH)}
SOURCE = SPANISH.tag
CITIZEN_LOCALES: tuple[str, ...] = ("es", "ar", "fr", "en")
STAFF_LOCALES: tuple[str, ...] = ("es", "en")


def locale_of(tag: str) -> Locale:
    """The locale with this tag.

    Raises:
        KeyError: no such language is offered.
    """
    return LOCALES[tag]


def choose_locale(
    asked: str | None, remembered: str | None, accept_language: str | None, offered: Sequence[str] = CITIZEN_LOCALES
) -> str:
    """The language of a request: the one asked for now, else the remembered one, else the browser's best, else Spanish.

    Args:
        asked: value of `?lang=`, unchecked.
        remembered: value of the language cookie, unchecked.
        accept_language: the request header as sent.
        offered: tags this surface has words for.
    """
    for wish in (asked, remembered, *_accepted(accept_language or "")):
        if wish in offered:
            return str(wish)
    return SOURCE


def _accepted(header: str) -> list[str]:
    """Primary language tags of an Accept-Language header, best first. Source: RFC 9110, 12.5.4."""
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:512].split(",")):
        tag, _, parameter = part.strip().partition(";")
        wishes.append((-_quality(parameter), position, tag.split("-")[0].strip().lower()))
    return [tag for quality, _, tag in sorted(wishes) if quality < 0]


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
