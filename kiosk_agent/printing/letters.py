"""The letters of raster tickets: the fonts that the set-up installed, else what the system has."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import structlog
from PIL import ImageFont, features

from ui.assets import STATIC_DIRECTORY

FONTS_DIRECTORY: Final = STATIC_DIRECTORY / "vendor" / "fonts"
_NAMES: Final = {
    ("ar", False): "NotoSansArabic_400Regular.ttf",
    ("ar", True): "NotoSansArabic_700Bold.ttf",
    ("latin", False): "AtkinsonHyperlegibleNext_400Regular.ttf",
    ("latin", True): "AtkinsonHyperlegibleNext_700Bold.ttf",
}
_SYSTEM: Final = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}

AnyFont = ImageFont.FreeTypeFont | ImageFont.ImageFont

log = structlog.get_logger(__name__)


class Letters:
    """Fonts by language, weight and size.

    Args:
        directory: where the set-up puts the TTF files.
    """

    def __init__(self, directory: Path = FONTS_DIRECTORY) -> None:
        self._directory = directory
        self._shapes = features.check("raqm")
        self._font = lru_cache(maxsize=64)(self._load)
        if not self._shapes:
            log.warning("letters.no_shaping", reason="Pillow has no raqm: Arabic letters will not join")

    def font(self, language: str, size: int, *, bold: bool) -> AnyFont:
        """The font for a text. ``size`` in dots."""
        return self._font("ar" if language == "ar" else "latin", size, bold)

    def direction(self, language: str) -> dict[str, Any]:
        """What Pillow must know to set a text in its order of reading."""
        if not self._shapes:
            return {}
        return {"direction": "rtl" if language == "ar" else "ltr", "language": language}

    def tabular(self) -> dict[str, Any]:
        """What Pillow must know to set figures of one width, as on every plate."""
        return {"features": ["tnum", "lnum"]} if self._shapes else {}

    def width(self, text: str, size: int, *, bold: bool, language: str) -> int:
        """The width of a text in dots: ``kiosk_agent.ticket.Measure``."""
        return round(self.font(language, size, bold=bold).getlength(text, **self.direction(language)))

    def _load(self, script: str, size: int, bold: bool) -> AnyFont:
        for name in (str(self._directory / _NAMES[script, bold]), _SYSTEM[bold]):
            try:
                return ImageFont.truetype(name, size)
            except OSError:
                log.warning("letters.font_missing", font=Path(name).name)
        return ImageFont.load_default(size)
