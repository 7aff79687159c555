"""Pages: Jinja environments that know the words, formats and parts of one language.

A server makes one `Pages` at start, with the `pages/` directories of its features, and renders with
`pages.render("home.html", "es", {...})`. One environment per language, made at first use, so that templates and macros
see the words of that language without passing anything around. See `docs/ui.md`.
"""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

import msgspec
from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined
from jinja2.bccache import Bucket

from ui import formats
from ui.assets import StaticAssets
from ui.catalog import Catalog, Words, isolate
from ui.drawings import qr, rail
from ui.icons import icon, mark
from ui.locales import LOCALES
from ui.site import Site

TEMPLATES_DIRECTORY: Final = Path(__file__).parent / "templates"
MACROS: Final = ("codes", "controls", "fields", "notices", "lists")
LANGUAGE_PARAMETER: Final = "lang"


class LanguageLink(msgspec.Struct, frozen=True):
    """One entry of the language navigation."""

    tag: str
    name: str
    direction: str
    href: str
    current: bool


class Pages:
    """Renders templates of a server in every language it offers.

    Args:
        catalog: the words.
        directories: the features' `pages/` folders, searched before the base templates.
        assets: for addresses of style sheets and scripts.
        offered: language tags in the order of the navigation.
        site: what the frame of public pages points at.
        zone: the zone in which instants are shown.
        extra: further globals of all templates.
    """

    def __init__(
        self,
        catalog: Catalog,
        directories: Sequence[Path],
        assets: StaticAssets,
        offered: Sequence[str],
        *,
        site: Site | None = None,
        zone: ZoneInfo = formats.CITY_ZONE,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self._catalog = catalog
        self._directories = [*directories, TEMPLATES_DIRECTORY]
        self._assets = assets
        self._zone = zone
        self._globals = {"offered": tuple(offered), "site": site or Site(), **(extra or {})}
        self._environments: dict[str, Environment] = {}

    def words(self, locale: str) -> Words:
        return self._catalog.words(locale)

    def environment(self, locale: str) -> Environment:
        """The environment of one language.

        Raises:
            KeyError: no such language is offered.
        """
        if locale not in self._environments:
            self._environments[locale] = create_environment(
                self._catalog.words(locale), self._directories, self._assets, zone=self._zone, extra=self._globals
            )
        return self._environments[locale]

    def render(self, template: str, locale: str, values: Mapping[str, Any] | None = None) -> str:
        """The whole page, or a fragment when the template is one."""
        return self.environment(locale).get_template(template).render(dict(values or {}))

    def render_block(self, template: str, block: str, locale: str, values: Mapping[str, Any] | None = None) -> str:
        """One `{% block %}` of a page: the fragment that htmx or a live stream puts in its place."""
        page = self.environment(locale).get_template(template)
        return "".join(page.blocks[block](page.new_context(dict(values or {}))))


def create_environment(
    words: Words,
    directories: Sequence[Path],
    assets: StaticAssets,
    *,
    zone: ZoneInfo = formats.CITY_ZONE,
    extra: Mapping[str, Any] | None = None,
) -> Environment:
    """An environment for one language: strict about undefined names, escaping everywhere.

    Globals: `t` (HTML), `plain` (text for titles and attributes), `locale`, `static`, `language_links`, `ui` (the
    parts). Filters: `clock`, `day`, `short_day`, `to_day`, `stamp`, `day_time`, `iso`, `stretch`, `dashed`, `sentence`, `ltr`.
    """
    environment = Environment(
        loader=FileSystemLoader(directories),
        bytecode_cache=_compiled(words.locale.tag),
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,  # a page of the console has fifteen templates: asking the disk for each took more than drawing some
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(_globals(words, assets), **(extra or {}))
    environment.filters.update(_filters(words, zone))
    _add_parts(environment)
    return environment


class Compiled(BytecodeCache):
    """What templates of one language were compiled to, for all environments of a process: compiling a page of the console takes
    a hundred times longer than drawing it. Of one language, since a filter on a constant is worked out by the compiler.
    """

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


@cache
def _compiled(_tag: str) -> Compiled:
    return Compiled()


def language_links(here: str, current: str, offered: Sequence[str]) -> list[LanguageLink]:
    """The same page in the other languages: `here` with `?lang=` set.

    Args:
        here: path and query of a page that answers GET.
        current: tag of the language of this page.
        offered: tags in the order of the navigation.
    """
    parts = urlsplit(here)
    kept = [(name, value) for name, value in parse_qsl(parts.query) if name != LANGUAGE_PARAMETER]

    def href(tag: str) -> str:
        query = urlencode([*kept, (LANGUAGE_PARAMETER, tag)])
        return urlunsplit(("", "", parts.path, query, ""))

    return [LanguageLink(tag, LOCALES[tag].name, LOCALES[tag].direction, href(tag), tag == current) for tag in offered]


def _globals(words: Words, assets: StaticAssets) -> dict[str, Any]:
    return {
        "locale": words.locale,
        "words": words,
        "t": words.markup,
        "plain": words.text,
        "static": assets.url,
        "has_static": assets.has,
        "language_links": partial(_links, words.locale.tag),
        "wait_short": partial(formats.wait_short, words=words),
        "wait_long": partial(formats.wait_long, words=words),
        "wait_sentence": partial(formats.wait_sentence, words=words),
        "ago": partial(formats.ago, words=words),
        "listed": partial(formats.listed, words=words),
    }


def _links(current: str, here: str, offered: Sequence[str]) -> list[LanguageLink]:
    return language_links(here, current, offered)


def _filters(words: Words, zone: ZoneInfo) -> dict[str, Any]:
    tag = words.locale.tag
    return {
        "clock": partial(formats.clock, zone=zone),
        "day": partial(formats.day, locale=tag, zone=zone),
        "short_day": partial(formats.short_day, locale=tag, zone=zone),
        "to_day": partial(formats.span_of_days, locale=tag),
        "stamp": partial(formats.stamp, zone=zone),
        "day_time": partial(formats.day_time, words=words, zone=zone),
        "iso": partial(formats.iso_local, zone=zone),
        "stretch": formats.stretch,
        "dashed": formats.dashed,
        "sentence": formats.sentence,
        "ltr": isolate if words.locale.right_to_left else _as_is,
    }


def _as_is(value: object) -> object:
    return value


def _add_parts(environment: Environment) -> None:
    """All macros and drawings under the one name `ui`, so that a page's own values never hide them.

    The name is set before the macros are loaded: a macro sees the globals of the moment in which it is.
    """
    parts = SimpleNamespace(icon=icon, mark=mark, rail=rail, qr=qr)
    environment.globals["ui"] = parts
    for name in MACROS:
        module = environment.get_template(f"macros/{name}.html").module
        vars(parts).update({key: macro for key, macro in vars(module).items() if not key.startswith("_")})
