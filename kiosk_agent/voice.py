"""The words and clocks of one language, as the pure ticket asks for them, from the shared catalogues."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sync.messages.values import Language
from ui import formats
from ui.catalog import Catalog, Words


class CatalogVoice:
    """A language's words with the office's zone. Fulfils ``kiosk_agent.ticket.Voice``."""

    def __init__(self, words: Words, zone: ZoneInfo) -> None:
        self.language: Language = words.locale.tag
        self._words = words
        self._zone = zone

    def text(self, key: str, /, **values: object) -> str:
        return self._words.text(key, **values)

    def clock(self, instant: datetime) -> str:
        return formats.clock(instant, self._zone)

    def stamp(self, instant: datetime) -> str:
        """Date and time; with the weekday where its short form is short (Arabic writes it out)."""
        stamp = formats.stamp(instant, self._zone)
        if self._words.locale.right_to_left:
            return stamp
        weekday = formats.short_day(instant, self.language, self._zone).split(" ", 1)[0]
        return f"{weekday} {stamp}"


def voice(catalog: Catalog, language: Language, zone: ZoneInfo) -> CatalogVoice:
    """The voice of a language; one that no catalogue has speaks Spanish."""
    return CatalogVoice(catalog.words(language if language in catalog.locales else "es"), zone)
