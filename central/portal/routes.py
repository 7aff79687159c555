"""Everything that the portal answers."""

from litestar.types import ControllerRouterHandler

from central.portal import (
    about,
    appointment,
    find,
    home,
    progress,
    static_files,
    wizard_check,
    wizard_office,
    wizard_slot,
    wizard_you,
)

ROUTES: tuple[ControllerRouterHandler, ...] = (
    *home.ROUTES,
    *wizard_office.ROUTES,
    *wizard_slot.ROUTES,
    *wizard_you.ROUTES,
    *wizard_check.ROUTES,
    *appointment.ROUTES,
    *find.ROUTES,
    *progress.ROUTES,
    *about.ROUTES,
    *static_files.ROUTES,
)
