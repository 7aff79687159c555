"""What the frame of a public page points at; a server replaces what it serves elsewhere."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

_MELILLA: Mapping[str, str] = MappingProxyType({"es": "Melilla", "en": "Melilla", "fr": "Melilla", "ar": "مليلية"})


class Site(msgspec.Struct, frozen=True):
    """The city's name by language, its help phone, and the paths of the pages that every public page links."""

    city: Mapping[str, str] = _MELILLA
    phone: str = "010"
    home: str = "/"
    offices: str = "/oficinas"
    accessibility: str = "/accesibilidad"
    complaints: str = "/quejas"
    privacy: str = "/privacidad"
    report_charge: str = "/quejas"

    def city_name(self, locale: str) -> str:
        return self.city.get(locale) or next(iter(self.city.values()))
