"""Names and codes of what offices tell, as managers read them. A code of another build is shown as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from central.offices.catalogue import Catalogue
from ui.catalog import Words

REASONS: Final[Mapping[str, str]] = {
    "mobility": "insight.reason.mobility",
    "short": "insight.reason.short",
    "returning": "insight.reason.returning",
    "distress": "insight.reason.distress",
    "language": "insight.reason.language",
    "supervisor": "insight.reason.supervisor",
    "walk_in": "insight.reason.walk_in",
    "away": "insight.reason.away",
    "company": "insight.reason.company",
    "papers": "insight.reason.papers",
    "other_clerk": "insight.reason.other_clerk",
    "asked": "insight.reason.asked",
    "seen": "insight.reason.seen",
    "document": "insight.reason.document",
    "correction": "insight.reason.correction",
    "": "insight.reason.none",
}
"""Of calls out of order and skips, and how staff came to know of a priority."""
PAUSES: Final[Mapping[str, str]] = {
    "rest": "insight.pause.rest",
    "errand": "insight.pause.errand",
    "phone": "insight.pause.phone",
    "equipment": "insight.pause.equipment",
    "other": "insight.pause.other",
}
CLASSES: Final[Mapping[str, str]] = {
    "general": "insight.class.general",
    "reduced_mobility": "insight.class.reduced_mobility",
}


def named(words: Words, code: str, known: Mapping[str, str]) -> str:
    """A code in words."""
    return words.text(known[code]) if code in known else code


def service_names(city: Catalogue, locale: str) -> dict[str, str]:
    """Every service of the city, in a language or in Spanish."""
    return {key: one.names.get(locale) or one.names["es"] for key, one in city.services.items()}
