"""The notices of one process: the delivery of what is queued."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from central.background import running
from central.context import Central
from central.notices.delivery import Delivery, MailText
from central.notices.letters import Letter
from central.notices.mails import mail_of
from central.offices.store import CatalogueCopy
from central.pages import citizen_pages
from ui.site import Site


@asynccontextmanager
async def open_notices(central: Central, catalogue: CatalogueCopy) -> AsyncIterator[None]:
    """Deliver mails until the block ends."""

    async def render(letter: Letter) -> MailText:
        settings = central.settings
        return mail_of(
            letter,
            await catalogue.current(),
            citizen_pages(),
            public_url=settings.http.public_url,
            sender=settings.mail.sender,
            phone=Site().phone,
            now=central.clock.now(),
        )

    async with running(Delivery(central, render).run()):
        yield
