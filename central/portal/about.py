"""Short texts that the law and good manners ask for: accessibility, complaints, privacy, how the wait is ordered."""

from litestar import get
from litestar.di import NamedDependency

from central.portal.service import Portal
from central.portal.visit import Incoming, Page, Visit
from central.portal.wizard_you import RETENTION_DAYS
from sync.domain.service_day import service_date


@get("/accesibilidad")
async def accessibility(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The statement that RD 1112/2018 asks for."""
    return _text(Visit(request, portal), "portal.access")


@get("/quejas")
async def complaints(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """Where to complain, also about somebody who charges for an appointment."""
    return _text(Visit(request, portal), "portal.complaints")


@get("/privacidad")
async def privacy(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """The second layer of the privacy notice."""
    return _text(Visit(request, portal), "portal.privacy")


@get("/ayuda")
async def queue_help(request: Incoming, portal: NamedDependency[Portal]) -> Page:
    """How the wait is ordered, in words that anybody can check."""
    visit = Visit(request, portal)
    offices = (await portal.booking.catalogue.current()).offices.values()
    now = portal.central.clock.now()
    policy = next((office.policy_on(service_date(now, office.zone)) for office in offices), None)
    return visit.page("portal/help.html", {"policy": policy})


def _text(visit: Visit, about: str) -> Page:
    return visit.page("portal/about.html", {"about": about, "days": RETENTION_DAYS})


ROUTES = (accessibility, complaints, privacy, queue_help)
