"""The templates of central's features and the static files they name, made once per process."""

from functools import cache
from pathlib import Path
from typing import Final

from ui.assets import StaticAssets
from ui.catalog import load_catalog
from ui.locales import CITIZEN_LOCALES, STAFF_LOCALES
from ui.pages import Pages

_HERE: Final = Path(__file__).parent
DIRECTORIES: Final = tuple(
    _HERE / feature / "pages"
    for feature in ("portal", "insight", "notices", "staff", "policy", "retention", "closures")
)


@cache
def shared_assets() -> StaticAssets:
    """The files of `ui/static`, and the features' own under `/static/portal/`, `/static/staff/` and `/static/insight/`."""
    return StaticAssets({name: _HERE / name / "static" for name in ("portal", "staff", "insight")})


@cache
def citizen_pages(*, strict: bool = False) -> Pages:
    """Everything citizens read, in their four languages. `strict` makes a missing text an error (tests)."""
    return Pages(load_catalog(strict=strict), DIRECTORIES, shared_assets(), CITIZEN_LOCALES)


@cache
def staff_pages(*, strict: bool = False) -> Pages:
    """What the city's own people read, in theirs."""
    return Pages(load_catalog(strict=strict), DIRECTORIES, shared_assets(), STAFF_LOCALES)
