"""Every base page and part as plain files, to look at and to photograph: `python -m ui.gallery --out DIR`.

The pages hold sample words where a feature would give its own; everything else is the real thing.
"""

import argparse
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ui.assets import STATIC_DIRECTORY, StaticAssets
from ui.catalog import load_catalog
from ui.icons import DRAWINGS
from ui.locales import CITIZEN_LOCALES, STAFF_LOCALES
from ui.pages import Pages

SAMPLES: Final = Path(__file__).parent / "templates" / "gallery"
NOW: Final = datetime(2026, 11, 26, 9, 14, tzinfo=UTC)
SLOT: Final = datetime(2026, 11, 26, 9, 20, tzinfo=UTC)
CITIZEN_PAGES: Final = ("parts", "portal", "pass", "progress", "kiosk", "kiosk-ticket", "display", "office")
STAFF_PAGES: Final = ("console",)
PAGES: Final = tuple(
    (name, locale)
    for names, locales in ((CITIZEN_PAGES, CITIZEN_LOCALES), (STAFF_PAGES, STAFF_LOCALES))
    for name in names
    for locale in locales
)


class _FileAssets(StaticAssets):
    """Addresses beside the page, so that the gallery opens without a server."""

    def url(self, name: str) -> str:
        return f"static/{name}"


def write_gallery(out: Path) -> list[Path]:
    """Write each sample page in each of its languages, and the static files beside them.

    Args:
        out: folder, made when missing; files of the same name are replaced.

    Returns:
        The pages written, in order.
    """
    pages = Pages(load_catalog(strict=True), [SAMPLES], _FileAssets(), CITIZEN_LOCALES)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(STATIC_DIRECTORY, out / "static", dirs_exist_ok=True)
    _point_fonts_beside(out / "static" / "css" / "fonts.css")
    written: list[Path] = []
    for name, locale in PAGES:
        path = out / f"{name}-{locale}.html"
        path.write_text(pages.render(f"{name}.html", locale, sample_values()), encoding="utf-8")
        written.append(path)
    return written


def sample_values() -> Mapping[str, Any]:
    """What the sample pages show: one morning at the office Real."""
    return {
        "here": "/",
        "now": NOW,
        "slot": SLOT,
        "office_name": "Real",
        "area_name": "Ventanilla",
        "tabs": [("Ahora", "#", True), ("Histórico", "#", False)],
        "who": "Amina H.",
        "icons": sorted(DRAWINGS),
        "waits": [("Centro", 20, 30, 11), ("Real", 10, 20, 6), ("Victoria", 0, 4, 2), ("Palmeras", 5, 10, 1)],
        "recent": [("B7", "2"), ("K11", "6"), ("C31", "1"), ("K10", "3"), ("A118", "12")],
    }


def _point_fonts_beside(sheet: Path) -> None:
    """The sheet names fonts by the path of a server; in the gallery they lie one folder up."""
    sheet.write_text(sheet.read_text(encoding="utf-8").replace("/static/vendor/", "../vendor/"), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m ui.gallery",
        description="Write every base page and part as HTML files to look at.",
        epilog="example: python -m ui.gallery --out build/gallery",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the pages")
    for path in write_gallery(parser.parse_args().out):
        print(path)  # noqa: T201 - the command's output


if __name__ == "__main__":
    main()
