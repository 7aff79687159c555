"""The notices of one process: the delivery of what is queued."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from central.background import running
from central.context import Central
from central.notices.delivery import Delivery, MailText
from central.notices.letters import Letter
from central.notices.plain import plain_mail
from central.offices.store import CatalogueCopy


@asynccontextmanager
async def open_notices(central: Central, catalogue: CatalogueCopy) -> AsyncIterator[None]:
    """Deliver mails until the block ends."""

    async def render(letter: Letter) -> MailText:
        return plain_mail(letter, await catalogue.current(), central.settings.http.public_url)

    async with running(Delivery(central, render).run()):
        yield
