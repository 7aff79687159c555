"""Words: the catalogues of every language, read from `.po` files at start.

A word is asked for by a stable dotted key whose first part names its area: `portal.home.h1` stands in
`words/{locale}/portal.po`. Spanish is a full catalogue too, and the source of the others. Plural messages choose their
form by the value `n` and the file's own Plural-Forms (Arabic has six).

Messages hold `{name}` placeholders and, where a sentence needs it, `<strong>`, `<br>` and `<a>` (which takes the value
`href`). `Words.markup` gives HTML: the message is ours and trusted, values are escaped. `Words.text` gives plain text
for paper, mail, titles and attributes. In right-to-left text both isolate every value (`bdi`, or U+2066..2069), so that
codes and times keep their order; bare numbers need no isolation. In the other languages a page isolates what has letters of
a right-to-left script: a name in Arabic keeps its dot.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from gettext import c2py
from pathlib import Path
from typing import Final, Protocol

import msgspec
import structlog
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from ui.locales import CITIZEN_LOCALES, LOCALES, SOURCE, STAFF_LOCALES, Locale

WORDS_DIRECTORY: Final = Path(__file__).parent / "words"
CITIZEN_AREAS: Final = ("base", "portal", "progress", "kiosk", "ticket", "display", "mail")
STAFF_AREAS: Final = ("console", "learning", "offline", "central", "insight", "city", "account", "demo")

_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_TAG: Final = re.compile(r"</?(?:strong|a|br)>")
_RTL_LETTER: Final = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]")
_LTR_ISOLATE, _FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2066", "\u2068", "\u2069"

log = structlog.get_logger()


class MissingText(LookupError):
    """A word that a page needs does not stand in the catalogue, or lacks one of its values."""

    def __init__(self, locale: str, key: str, lacking: str = "") -> None:
        super().__init__(f"no text {key!r} in {locale!r}" + (f": value {lacking!r} not given" if lacking else ""))
        self.locale, self.key, self.lacking = locale, key, lacking


class PluralRule(Protocol):
    """The index of the plural form for a count."""

    def __call__(self, n: int, /) -> int: ...


class Message(msgspec.Struct, frozen=True):
    """One text in one language: its forms (one, or one per plural category) and the rule between them."""

    forms: tuple[str, ...]
    plural: PluralRule

    def form(self, n: object) -> str | None:
        """The form for the count `n`; none when the text has several and no count is given."""
        if len(self.forms) == 1:
            return self.forms[0]
        return self.forms[self.plural(n)] if isinstance(n, int) else None

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(name for form in self.forms for name in _PLACEHOLDER.findall(form))


def areas_of(locale: str) -> tuple[str, ...]:
    """The areas that a language promises to know completely."""
    citizen = CITIZEN_AREAS if locale in CITIZEN_LOCALES else ()
    return citizen + (STAFF_AREAS if locale in STAFF_LOCALES else ())


def read_area(locale: str, area: str, directory: Path = WORDS_DIRECTORY) -> dict[str, Message]:
    """All messages of one `.po` file by key; an untranslated one is left out."""
    with (directory / locale / f"{area}.po").open("rb") as file:
        catalog = read_po(file, locale=locale)
    plural = c2py(catalog.plural_expr)
    messages: dict[str, Message] = {}
    for entry in catalog:
        key = entry.id[0] if isinstance(entry.id, (tuple, list)) else entry.id
        forms = tuple(entry.string) if isinstance(entry.string, (tuple, list)) else (entry.string or "",)
        if key and all(forms):
            messages[str(key)] = Message(forms, plural)
    return messages


class Words:
    """The words of one language, ready for a page, a ticket or a mail."""

    def __init__(self, locale: Locale, messages: Mapping[str, Message], source: Mapping[str, Message], *, strict: bool):
        self.locale = locale
        self._messages = messages
        self._source = source
        self._strict = strict

    def __contains__(self, key: str) -> bool:
        return key in self._messages

    def text(self, key: str, /, **values: object) -> str:
        """The text for paper, mail, titles and attributes: no tags, values isolated in right-to-left languages.

        Raises:
            MissingText: the key is unknown (only when strict, or unknown in Spanish too), or a value is not given.
        """
        plain = _TAG.sub("", self._form(key, values))
        return self._fill(key, plain, {name: self._isolated(str(value)) for name, value in values.items()})

    def markup(self, key: str, /, **values: object) -> Markup:
        """The text for a page: safe HTML, values escaped, and wrapped in `bdi` where they may run the other way.

        Raises:
            MissingText: as `text`.
        """
        opened = self._form(key, values).replace("<a>", '<a href="{href}">')
        shown = {name: escape(value) if name == "href" else self._wrapped(value) for name, value in values.items()}
        return Markup(self._fill(key, opened, shown))  # noqa: S704 - our own message, escaped values

    def _form(self, key: str, values: Mapping[str, object]) -> str:
        message = self._messages.get(key)
        if message is None:
            message = self._fallback(key)
        form = message.form(values.get("n"))
        if form is None:
            raise MissingText(self.locale.tag, key, "n")
        return form

    def _fallback(self, key: str) -> Message:
        message = self._source.get(key)
        if self._strict or message is None:
            raise MissingText(self.locale.tag, key)
        log.warning("text.missing", locale=self.locale.tag, key=key)
        return message

    def _fill(self, key: str, form: str, values: Mapping[str, str]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name not in values:
                raise MissingText(self.locale.tag, key, name)
            return values[name]

        return _PLACEHOLDER.sub(value, form)

    def _isolated(self, value: str) -> str:
        if not self.locale.right_to_left or value.isdecimal():
            return value
        start = _FIRST_STRONG_ISOLATE if _RTL_LETTER.search(value) else _LTR_ISOLATE
        return f"{start}{value}{_POP_ISOLATE}"

    def _wrapped(self, value: object) -> Markup:
        safe = escape(value)
        if not self.locale.right_to_left and not _RTL_LETTER.search(safe):
            return safe
        return isolate(safe)


def isolate(value: object) -> Markup:
    """The value in a `bdi`, left to right unless it holds letters of a right-to-left script."""
    safe = escape(value)
    if safe.isdecimal():  # a bare number keeps its order anywhere
        return safe
    if _RTL_LETTER.search(safe):
        return Markup("<bdi>{}</bdi>").format(safe)
    return Markup('<bdi dir="ltr">{}</bdi>').format(safe)


class Catalog:
    """Every language's words.

    Args:
        strict: a missing text raises (tests, development); else Spanish stands in and `text.missing` is logged.
    """

    def __init__(self, messages: Mapping[str, Mapping[str, Message]], *, strict: bool) -> None:
        source = messages[SOURCE]
        self._words = {tag: Words(LOCALES[tag], known, source, strict=strict) for tag, known in messages.items()}

    @property
    def locales(self) -> tuple[str, ...]:
        return tuple(self._words)

    def words(self, locale: str) -> Words:
        """The words of one language.

        Raises:
            KeyError: no such language is offered.
        """
        return self._words[locale]


def read_messages(locale: str, areas: Iterable[str], directory: Path = WORDS_DIRECTORY) -> dict[str, Message]:
    """The areas of one language merged."""
    merged: dict[str, Message] = {}
    for area in areas:
        merged.update(read_area(locale, area, directory))
    return merged


@cache
def load_catalog(*, strict: bool = False) -> Catalog:
    """Every promised area of every language, read once per process."""
    return Catalog({tag: read_messages(tag, areas_of(tag)) for tag in LOCALES}, strict=strict)
